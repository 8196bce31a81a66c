"""Whatever a prior file holds, only an InputError may come out; what is read survives being written."""

import contextlib
import datetime
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.worldview import load_worldview, read_driver_priors, resolve_priors
from forecast.worldview.schema import WorldviewFile, keys_of
from tests.worldview.support import COMPLETE, DRIVER, toy_defaults

DEFAULT = (Path(__file__).parents[2] / "priors" / "default.toml").read_text()
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

OTHER_KEYS = """
    agi all any mixture quantity at_least unreachable weight value distribution mu sigma p05 p50 p95
    unit source by_bloc by_epoch china us_allies toy growth compute leader follower within_years start
    end disable blocs per a.b
"""
WORDS = [*keys_of(WorldviewFile), *OTHER_KEYS.split()]
TEXTS = [
    "Normal",
    "LogNormal",
    "Beta",
    "FLOP",
    "log10 FLOP",
    "thresholds.compute",
    "default",
    "china",
    "2026-06-30",
    "",
]

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=9)
scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.floats(),
    st.floats(0, 1),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.sampled_from(TEXTS),
    words,
)
keys = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    words,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
prior_tables = st.fixed_dictionaries(
    {"unit": st.sampled_from(["FLOP", "log10 FLOP", "year", "x"]), "source": st.just("s")},
    optional={
        "distribution": st.sampled_from(["Normal", "LogNormal", "StudentT", "Beta", "Uniform", "Nomal"]),
        "value": scalars, "mu": scalars, "sigma": scalars, "p05": scalars, "p50": scalars, "p95": scalars,
        "alpha": scalars, "lower": scalars, "mixture": values, "blocs": values, "success": scalars,
    },
)  # fmt: skip
documents = st.fixed_dictionaries(
    {},
    optional={
        **{key: values for key in keys_of(WorldviewFile)},
        "thresholds": st.dictionaries(keys, prior_tables, max_size=3),
        "priors": st.dictionaries(
            keys, st.dictionaries(keys, st.one_of(prior_tables, values), max_size=3), max_size=3
        ),
        "milestones": st.dictionaries(keys, st.dictionaries(keys, values, max_size=4), max_size=2),
        "set": st.dictionaries(
            st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(".".join), values, max_size=3
        ),
    },
)


def only_input_errors(path, **kwargs):
    """Load, write and read back, resolve; an InputError in plain lines is the only way out."""
    try:
        worldview = load_worldview(path, **kwargs)
    except InputError as error:
        assert error.problems
        assert all(problem and "\n" not in problem for problem in error.problems)
        return
    read_back(worldview, Path(path).parent if Path(path).suffix else Path())
    with contextlib.suppress(InputError):
        resolve_priors(worldview, toy_defaults())


def read_back(worldview, folder):
    copy = folder / "copy.toml"
    copy.write_text(worldview.to_toml(), encoding="utf-8")
    assert load_worldview(copy) == worldview


@quick
@given(st.binary(max_size=200))
def test_random_bytes_are_refused_in_words(tmp_path, content):
    (tmp_path / "a.toml").write_bytes(content)
    only_input_errors(tmp_path / "a.toml")


@quick
@given(st.text(alphabet="abc_=.[]{}\"'#,\n 0123456789-+einfT:", max_size=120))
def test_random_text_is_refused_in_words(tmp_path, content):
    (tmp_path / "a.toml").write_text(content)
    only_input_errors(tmp_path / "a.toml")


@settings(quick, max_examples=300)
@given(documents)
def test_random_documents_are_refused_in_words(tmp_path, document):
    try:
        text = tomli_w.dumps(document)
    except (ValueError, TypeError):  # a local time with a fraction that TOML cannot write
        return
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    only_input_errors(tmp_path / "a.toml")


@settings(quick, max_examples=250)
@given(st.sampled_from([DEFAULT, COMPLETE]), st.data())
def test_random_mutations_of_a_good_file_are_refused_in_words(tmp_path, text, data):
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["delete", "double", "swap", "value", "character"]))
        if kind == "delete":
            del lines[at]
        elif kind == "double":
            lines.insert(at, lines[at])
        elif kind == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "value" and "=" in lines[at]:
            junk = data.draw(
                st.sampled_from(
                    ["nan", "-1", "inf", "true", '""', "[]", "{}", "1e400", "2026-06-30", "9" * 30]
                )
            )
            lines[at] = f"{lines[at].split('=')[0]}= {junk}"
        elif lines[at]:
            i = data.draw(st.integers(0, len(lines[at]) - 1))
            lines[at] = lines[at][:i] + data.draw(st.sampled_from("x\"'[]{}=.,#0- ")) + lines[at][i + 1 :]
    (tmp_path / "a.toml").write_text("\n".join(lines))
    only_input_errors(tmp_path / "a.toml")


@settings(quick, max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(".".join),
                st.sampled_from(
                    [
                        "1",
                        "nan",
                        "-1",
                        "text",
                        "[1]",
                        "{mu=1}",
                        '{value=1, unit="FLOP", source="s"}',
                        "2026-06-30",
                        "",
                        "1\nx=2",
                        "[[[",
                    ]
                ),
            ).map("=".join),
            st.text(max_size=20),
        ),
        max_size=4,
    )
)
def test_random_overrides_are_refused_in_words(tmp_path, overrides):
    try:
        worldview = load_worldview("default", overrides=overrides)
    except InputError:
        return
    read_back(worldview, tmp_path)


@quick
@given(st.text(max_size=30), st.text(max_size=30))
def test_random_options_are_refused_in_words(as_of, window):
    with contextlib.suppress(InputError):
        load_worldview(as_of=as_of, window=window, horizon=as_of)


@quick
@given(st.text(max_size=20))
def test_random_names_are_refused_in_words(name):
    with contextlib.suppress(InputError):
        load_worldview(name)


@settings(quick, max_examples=200)
@given(st.data())
def test_random_mutations_of_a_drivers_file_are_refused_in_words(data):
    text = DRIVER
    for _ in range(data.draw(st.integers(1, 5))):
        i = data.draw(st.integers(0, len(text) - 1))
        text = (
            text[:i]
            + data.draw(st.sampled_from(["", "x", '"', "[", "]", "=", "0", "-", "\n", "{"]))
            + text[i + 1 :]
        )
    with contextlib.suppress(InputError):
        read_driver_priors(text, "toy")


SHARE = {"distribution": "LogNormal", "p05": 0.1, "p50": 0.3, "p95": 0.9, "unit": "share", "source": "s"}
LICENSED = {"value": 3, "unit": "log10 H100e/year", "source": "s", "note": "n"}
edits = st.fixed_dictionaries(
    {},
    optional={
        "as_of": st.dates(datetime.date(2020, 1, 1), datetime.date(2028, 1, 1)),
        "seed": st.integers(0, 2**63 - 1),
        "title": st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=200),
        "description": words,
        "window.end": st.dates(datetime.date(2026, 1, 2), datetime.date(2060, 12, 31)),
        "lead.within_years": st.floats(1e-6, 100),
        "drivers.disable": st.lists(words, max_size=3),
        "milestones.agi.unreachable": st.floats(0, 1),
        "milestones.agi.not_yet_crossed": st.booleans(),
        "thresholds.effective_compute.note": words,
        "thresholds.time_horizon.sigma": st.floats(0.01, 10),
        "priors.toy.growth.mu": st.floats(-1e6, 1e6),
        "priors.toy.by_bloc.china.growth.source": words.filter(str.strip),
        "priors.toy.share": st.just(SHARE),
        "priors.toy.by_epoch.late.licensed": st.just(LICENSED),
    },
)  # fmt: skip


@settings(quick, max_examples=150)
@given(edits, st.sampled_from(["default", "amodei-2025"]))
def test_a_worldview_survives_being_written_and_read(tmp_path, changes, name):
    read_back(load_worldview(name, overrides=changes), tmp_path)


@pytest.mark.parametrize("name", ["default", "amodei-2025"])
def test_a_merged_file_extends_nothing_and_keeps_its_name(tmp_path, name):
    worldview = load_worldview(name)
    (tmp_path / "other.toml").write_text(worldview.to_toml())
    copy = load_worldview(tmp_path / "other.toml")
    assert copy.name == name
    assert all(origin.file.endswith("other.toml") for origin in copy.provenance.values())
