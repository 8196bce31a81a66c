"""Claims files: what is shipped, and how mistakes are said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.claims.measure_specs import MEASURES, Growth, Lag, NotMeasured, OnTrend
from forecast.claims.reading import read_claims
from forecast.errors import InputError

IDS = [
    "cost_decline", "ds_lag", "ds_on_trend", "sonnet_cost", "sonnet_age", "ds_fleet", "ds_fleet_cost",
    "ds_fleet_ratio", "agi_inputs_chips", "agi_inputs_usd", "agi_date", "us_will_have", "china_millions",
    "controls_decisive", "unipolar_bipolar", "cm_sizes", "scaling_illustration",
]  # fmt: skip
SOURCE = '[source]\ntitle = "Somebody"\ndate = 2026-01-31\nurl = "https://example.org/essay"\n'
GROWTH = 'measure = { kind = "growth", quantity = "x", from = 2024-01-01, to = 2025-01-01 }'


def file_of(folder: Path, claim: str, top: str = SOURCE) -> Path:
    path = folder / "mine.toml"
    path.write_text(f'{top}\n[claims.one]\nstatement = "It grows."\n{claim}\n', encoding="utf-8")
    return path


def test_the_seventeen_claims_of_the_essay_are_shipped() -> None:
    claims = {claim.id: claim for claim in read_claims()}
    assert list(claims) == IDS == [claim.id for claim in read_claims(["amodei-2025"])]
    assert all(claim.source.date == date(2025, 1, 29) for claim in claims.values())
    assert all(claim.source.url.startswith("https://darioamodei.com/") for claim in claims.values())
    assert claims["cost_decline"].stated == 4 and isinstance(claims["cost_decline"].measure, Growth)
    assert claims["ds_lag"].stated == {"low": 7, "high": 10}
    assert claims["agi_date"].unit == "probability"
    on_trend = claims["ds_on_trend"].measure
    assert isinstance(on_trend, OnTrend)
    sonnet, lag = claims["sonnet_cost"].measure, claims["ds_lag"].measure
    assert isinstance(sonnet, OnTrend) and isinstance(lag, Lag) and lag.subject is not None
    assert on_trend.scatter_where == sonnet.scatter_where == {"bloc": "us_allies", "used_in_fit": True}
    assert lag.subject.name == on_trend.subject.name
    assert {"DeepSeek-R1", "Claude 3.5 Sonnet"} <= {model.name for model in on_trend.beside}


def test_what_the_model_cannot_speak_of_has_a_reason_and_no_number() -> None:
    for claim in read_claims():
        if claim.id in ("sonnet_age", "ds_fleet", "cm_sizes", "scaling_illustration"):
            assert isinstance(claim.measure, NotMeasured) and len(claim.measure.reason) > 20
        else:
            assert not isinstance(claim.measure, NotMeasured)


def test_a_claim_may_have_a_source_of_its_own(tmp_path: Path) -> None:
    own = 'source = { title = "Another", date = 2020-02-02, url = "https://example.org" }'
    (claim,) = read_claims([file_of(tmp_path, f'unit = "x/year"\nstated = 2\n{own}\n{GROWTH}')])
    assert (claim.source.title, claim.low, claim.high) == ("Another", 2.0, 2.0)
    (claim,) = read_claims([file_of(tmp_path, f"stated = 2\n{own}\n{GROWTH}", top="")])
    assert claim.unit == "x/year"  # the measure's own


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ('stated = 2\nmeasure = { kind = "grwth" }', "there is no measure 'grwth' (did you mean 'growth'?)"),
        ("stated = 2\nmeasure = { quantity = 'x' }", "kind: is missing"),
        ("stated = 2\nmeasure = 'growth'", "must be a table with kind and its keys"),
        (f"{GROWTH}", "this measure is compared with a number"),
        (f"stated = true\n{GROWTH}", "stated: must be a number, got True"),
        (f"stated = {{ low = 3, high = 2 }}\n{GROWTH}", "low 3 is above high 2"),
        (f"stated = {{ low = 3 }}\n{GROWTH}", "a table of low and high"),
        (f"stated = nan\n{GROWTH}", "must be a finite number"),
        (f"stated = 1{'0' * 400}\n{GROWTH}", "must be a finite number"),
        (f"stated = 1e308\n{GROWTH}", "must be 0, or between 1e-100 and 1e+100 in size, got 1e+308"),
        (f"stated = {{ low = -1e-320, high = 1 }}\n{GROWTH}", "must be 0, or between"),
        (f'stated = 2\nunit = "USD"\n{GROWTH}', "does not convert to this measure's unit, x/year"),
        (f'stated = 2\nunit = "dollars"\n{GROWTH}', "unknown unit 'dollars'"),
        (f"stated = 2\nstate = 3\n{GROWTH}", "nothing reads this key (did you mean 'stated'?)"),
        ('stated = 2\nmeasure = { kind = "growth", quantity = "x", from = 2025-01-01, to = 2024-01-01 }',
         "must be after from"),
        ('stated = 2\nmeasure = { kind = "growth", quantity = "x", form = 2024-01-01, to = 2025-01-01 }',
         "nothing reads this key (did you mean 'from'"),
        ('stated = 2\nmeasure = { kind = "growth", from = 2024-01-01, to = 2025-01-01 }',
         "quantity is missing"),
        ('stated = 2\nmeasure = { kind = "growth", quantity = "", from = 2024-01-01, to = 2025-01-01 }',
         "must be text that is not blank"),
        ('stated = 2\nmeasure = { kind = "growth", quantity = "x", from = "soon", to = 2025-01-01 }',
         "must be a date such as"),
        ('measure = { kind = "world", worlds = ["tripolar"], on = 2027-12-31 }',
         "worlds are bipolar, neither or"),
        ('measure = { kind = "world", worlds = [], on = 2027-12-31 }', "must not be empty"),
        ('unit = "USD"\nmeasure = { kind = "crossing", from = 2026-01-01, to = 2027-12-31 }',
         "gives a probability, not 'USD'"),
        ('stated = 1\nmeasure = { kind = "level", quantity = "x", bloc = "a", on = 2027-12-31 }',
         "unit: is missing"),
        ('stated = 1\nmeasure = { kind = "lag", quantity = "x", leader = "a", follower = "b", on = 2024-12-26'
         ', subject = { name = "M" } }', "a subject needs index_scatter"),
        ('stated = 1\nmeasure = { kind = "lag", quantity = "x", leader = "a", follower = "b", on = 2024-12-26'
         ", index_error = 1 }", "there is no subject"),
        ('stated = 1\nmeasure = { kind = "ratio", of = { value = 1, unit = "USD" }, to = { table = "t" } }',
         "a value needs a unit and a source"),
        ('stated = 1\nmeasure = { kind = "ratio", of = { value = 1, table = "t" }, to = { table = "t" } }',
         "either table (and name), or value"),
        ('stated = 1\nmeasure = { kind = "product", result = "USD", factors = [{ table = "t" }] }',
         "a row of a table needs table and name"),
        ('stated = 1\nmeasure = { kind = "ratio", of = { value = 0, unit = "USD", source = "s" }, '
         'to = { table = "t", name = "n" } }', "a published figure is above zero, got value = 0"),
        ('stated = 1\nmeasure = { kind = "product", result = "USD", factors = [{ value = 1, low = 1, '
         'high = 1, level = 0.9999999999999999, unit = "USD", source = "s" }] }', "must lie between 0.01"),
        ('stated = 1\nmeasure = { kind = "on_trend", subject = { name = "M" }, index_scatter = "a.b", '
         'cost_scatter = "a.c", index_error = -1 }', "index_error: must be from 0 to 1000, got -1"),
        ('measure = { kind = "count", table = "t", at_least = { value = 1, unit = "USD" }, number = 0 }',
         "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_mistakes_name_file_line_and_key(tmp_path: Path, claim: str, words: str) -> None:
    path = file_of(tmp_path, claim)
    with pytest.raises(InputError) as caught:
        read_claims([path])
    message = str(caught.value)
    assert words in message
    assert f"{path}:" in message and "[claims.one]" in message


def test_a_number_that_cannot_be_read_is_not_called_missing_as_well(tmp_path: Path) -> None:
    for wrong in ("nan", "true", "{ low = 3 }", "[1]"):
        with pytest.raises(InputError) as caught:
            read_claims([file_of(tmp_path, f"stated = {wrong}\n{GROWTH}")])
        assert len(caught.value.problems) == 1


def test_a_day_in_a_row_s_cells_is_a_day_or_text(tmp_path: Path) -> None:
    for day in ("2024-07-01", '"2024-07-01"'):
        where = (
            f'table = "t", where = {{ date = {day} }}, at_least = {{ value = 1, unit = "USD" }}, number = 1'
        )
        (claim,) = read_claims([file_of(tmp_path, f'measure = {{ kind = "count", {where} }}')])
        assert claim.measure.where == {"date": "2024-07-01"}  # type: ignore[attr-defined]


def test_mistakes_of_the_file_itself_are_said_too(tmp_path: Path) -> None:
    for top, words in (
        ("", "[claims] one: has no source"),
        (
            '[source]\ntitle = "x"\ndate = 2026-01-01\nurl = "example.org"\n',
            "[source] url: must be a web address",
        ),
        (f"titel = 'x'\n{SOURCE}", "titel: nothing reads this key (did you mean 'title'?)"),
    ):
        with pytest.raises(InputError) as caught:
            read_claims([file_of(tmp_path, f"stated = 2\n{GROWTH}", top)])
        assert words.split(":")[0].split("] ")[-1] in str(caught.value) and words.split(": ")[-1] in str(
            caught.value
        )
    path = tmp_path / "none.toml"
    path.write_text(SOURCE)
    with pytest.raises(InputError, match="must hold the claims"):
        read_claims([path])
    with pytest.raises(InputError, match="there is no such file"):
        read_claims([tmp_path / "absent.toml"])
    with pytest.raises(InputError, match="did you mean 'amodei-2025'"):
        read_claims(["amodei"])


def test_all_mistakes_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    for path in (one, other):
        path.write_text(
            f'{SOURCE}[claims.same]\nstatement = "x"\nstated = 2\n{GROWTH}\n[claims.bad]\nstated = 2\n'
        )
    with pytest.raises(InputError) as caught:
        read_claims([one, other])
    text = str(caught.value)
    assert text.count("statement is missing") == 2 and text.count("measure is missing") == 2
    assert f"repeats the claim in {one}:5" in text


NAMES = [
    "kind",
    "quantity",
    "bloc",
    "from",
    "to",
    "on",
    "worlds",
    "of",
    "factors",
    "at_least",
    "value",
    "unit",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(list(MEASURES)) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) <= 0xDFFF) + '"'
    return str(value) if value is not None else '""'


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(list(MEASURES)),
    measure=st.dictionaries(st.sampled_from(NAMES), VALUES),
    stated=VALUES,
)
def test_garbage_is_refused_in_words(
    tmp_path: Path, kind: str, measure: dict[str, object], stated: object
) -> None:
    path = file_of(tmp_path, f"stated = {as_toml(stated)}\nmeasure = {as_toml({'kind': kind} | measure)}")
    try:
        claims = read_claims([path])
    except InputError as error:
        assert all(problem.startswith(str(path)) for problem in error.problems)
    else:
        assert claims[0].statement == "It grows."


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes.toml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_claims([path])
