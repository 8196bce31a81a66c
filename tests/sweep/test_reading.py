"""Sweep files: what is wrong with one is said at once, with file, line and key; what cells they give."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.host import load_plugins
from forecast.sweep import cells_of, plan_sweep, read_sweep
from forecast.sweep.design import short_names, value_of
from tests.sweep.support import FOUR, HEAD, PRIOR, make_folder, sweep, written

LISTS = 'design = "list"\n[settings]\nseed = [1, 2]\nas_of = [2026-06-30]\n'
HUGE = "[settings]\n" + "".join(f'"thresholds.t{n}.mu" = {list(range(10))}\n' for n in range(5))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_folder(tmp_path / "folder"))
    monkeypatch.delenv("FORECAST_PLUGINS", raising=False)
    return tmp_path / "folder"


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as found:
        read_sweep(written(text))
    return list(found.value.problems)


def cells(text: str) -> list[dict[str, object]]:
    return [dict(cell.settings) for cell in cells_of(read_sweep(written(text)), seed=3)]


def test_all_mistakes_of_a_file_are_told_at_once_with_line_and_key(here):
    text = """\
bse = "default"
design = "grid"
samples = 3
[settings]
"prior.line.growth.mu" = [0.1]
as_of = 2026-06-30
"window.end" = { low = 2027-12-31, high = 2030-12-31 }
seed = [1, 1]
[sampling]
draws = 5
tunes = 100
prior_only = "yes"
"""
    assert problems(text) == [
        "sweep.toml:1: bse: nothing reads this key (did you mean 'base'?)",
        "sweep.toml:3: samples: only a latin-hypercube has samples, not a grid",
        "sweep.toml:5: [settings] prior.line.growth.mu: is no setting (did you mean 'priors'?)",
        "sweep.toml:6: [settings] as_of: must be a list of values, or { low = 0.1, high = 0.3 } for a "
        "latin-hypercube, got datetime.date(2026, 6, 30)",
        'sweep.toml:7: [settings] window.end: a range is for design = "latin-hypercube"; a grid takes a list '
        "of values",
        "sweep.toml:8: [settings] seed: has 1 twice: the same cells would be made twice",
        "sweep.toml:10: [sampling] draws: must be a whole number from 10 to 1000000, got 5",
        "sweep.toml:11: [sampling] tunes: nothing reads this key (did you mean 'tune'?)",
        "sweep.toml:12: [sampling] prior_only: must be true or false, got 'yes'",
    ]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "the file is empty: a sweep file has at least one key"),
        ('base = "default"\n', "[settings] says nothing that varies"),
        ("settings = 3\n", "settings: must be a table, got 3"),
        ('design = "gird"\n[settings]\nseed = [1]\n', "must be 'grid', 'latin-hypercube' or 'list', got"),
        ('design = "latin-hypercube"\n[settings]\nseed = [1]\n', "a latin-hypercube needs samples"),
        ("[settings]\nseed = []\n", "must be a list of values"),
        ("[settings]\nscenario = [1]\n", "[settings] scenario: must be text, got 1"),
        ("[settings]\nwithout = [[1]]\n", "[settings] without: must be text, got 1"),
        (LISTS, "equally long: seed has 2, as_of has 1"),
        (HUGE, "the grid has 100,000 cells; 10,000 is the most"),
        ("[settings]\nas_of = [2026-06-30T12:00:00]\n", "must be days"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_words(here, text, word):
    assert word in "\n".join(problems(text))


@pytest.mark.parametrize(
    ("span", "word"),
    [
        ("{ low = 2, high = 1 }", "low must be below high, got 2 and 1"),
        ("{ low = 0, high = 1, log = true }", "log = true needs numbers above zero, got 0"),
        ("{ low = 1 }", "must have low and high"),
        ("{ low = -inf, high = inf }", "must be finite numbers"),
        ("{ low = nan, high = 1 }", "must be finite numbers"),
        ("{ low = -1e308, high = 1e308 }", "and not too far apart"),
        (f"{{ low = 0, high = 1{'0' * 400} }}", "must be finite numbers"),
        ("{ low = 1, high = 2, lgo = true }", "lgo: nothing reads this key"),
        ("{ low = 1, high = 2, log = 1 }", "log must be true or false, got 1"),
    ],
)
def test_a_range_that_is_none_is_told(here, span, word):
    text = f'design = "latin-hypercube"\nsamples = 4\n[settings]\n"thresholds.t.mu" = {span}\n'
    assert any(word in problem and "sweep.toml:4" in problem for problem in problems(text))


def test_a_list_of_very_many_values_is_refused_at_once(here):
    text = f"[settings]\nseed = {list(range(60_000))}\n"
    begun = time.process_time()
    assert any("the grid has 60,000 cells" in problem for problem in problems(text))
    assert time.process_time() - begun < 20  # minutes, where each value was sought among all


def test_a_grid_is_all_combinations_and_its_last_setting_varies_fastest(here):
    found = cells('[settings]\nseed = [1, 2]\nscenario = ["none", "a", "b"]\n')
    assert [(one["seed"], one["scenario"]) for one in found] == [
        (1, "none"), (1, "a"), (1, "b"), (2, "none"), (2, "a"), (2, "b"),
    ]  # fmt: skip


def test_lists_go_together_cell_by_cell(here):
    found = cells(
        'design = "list"\n[settings]\nseed = [1, 1, 2]\nas_of = [2026-06-30, 2025-12-31, 2026-06-30]\n'
    )
    assert [one["as_of"].year for one in found] == [2026, 2025, 2026]
    assert [one["seed"] for one in found] == [1, 1, 2]


def test_a_hypercube_has_one_sample_in_each_slice_of_every_setting_and_repeats(here):
    text = """\
design = "latin-hypercube"
samples = 20
[settings]
"thresholds.a.mu" = { low = 10, high = 30 }
"thresholds.b.mu" = { low = 0.01, high = 100, log = true }
as_of = { low = 2026-01-01, high = 2026-01-20 }
scenario = ["none", "x", "y", "z"]
"""
    found = cells(text)
    assert found == cells(text) and len(found) == 20
    evenly = np.sort([one["thresholds.a.mu"] for one in found])
    assert np.array_equal(np.floor(evenly - 10), np.arange(20))
    by_log = np.sort(np.log10([one["thresholds.b.mu"] for one in found]))
    assert np.array_equal(np.floor((by_log + 2) * 5), np.arange(20))
    assert sorted(one["as_of"] for one in found) == [date(2026, 1, day) for day in range(1, 21)]
    assert {name: sum(one["scenario"] == name for one in found) for name in "xyz"} == dict.fromkeys("xyz", 5)
    assert cells_of(read_sweep("sweep.toml"), seed=4)[0].settings != found[0]


def test_quoted_keys_dotted_keys_and_subtables_say_the_same(here):
    quoted = cells('[settings]\n"priors.line.growth.mu" = [1, 2]\n')
    assert quoted == cells("[settings]\npriors.line.growth.mu = [1, 2]\n")
    assert quoted == cells("[settings.priors.line.growth]\nmu = [1, 2]\n")


def test_settings_have_short_names_and_plain_values(here):
    keys = ["priors.line.growth.mu", "priors.road.growth.mu", "priors.line.by_bloc.china.level.mu", "as_of"]
    assert list(short_names(keys).values()) == ["line.growth.mu", "road.growth.mu", "china.level.mu", "as_of"]
    assert value_of(["a", "b"]) == "a + b" and value_of([]) == "none"
    assert value_of({"value": 3, "unit": "year"}) == '{"value": 3, "unit": "year"}'


def test_mistakes_of_every_cell_are_told_before_anything_starts_each_once_with_its_first_cell(here):
    text = f"""\
{HEAD}[settings]
"priors.line.growth.sigma" = [0.1, -0.2]
"priors.lime.growth.mu" = [1, 2]
as_of = [2026-06-30, 2020-01-01]
scenario = ["none", "slower.toml"]
{PRIOR}"""
    result = sweep(written(text), "--out", "out")
    assert result.exit_code == 2 and not Path("out").exists()
    shown = result.stderr.splitlines()
    assert sum("no driver of this name" in line for line in shown) == 1
    (sigma,) = [line for line in shown if "sigma must be positive, got -0.2" in line]
    assert "sweep.toml:3: [settings] priors.line.growth.sigma: cell 8 (" in sigma
    (early,) = [line for line in shown if "no evidence had been published" in line]
    assert "cell 2 (" in early and "as_of = 2020-01-01" in early


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('scenario = ["slowr.toml"]', "sweep.toml:3: [settings] scenario: slowr.toml: there is no such file"),
        ('scenario = ["no-contrls"]', "did you mean 'no-controls'"),
        ('without = ["none", "lin"]', "cannot leave out 'lin'"),
        ('window = ["2026-01-01:2020-01-01"]', "sweep.toml:3: [settings] window: cell 0 ("),
        ("as_of = [1900-12-31]", "[settings] as_of: cell 0 (as_of = 1900-12-31): as_of: must be from"),
        ('as_of = ["yesterday"]', "[settings] as_of: cell 0 (as_of = yesterday): must be a date"),
        ('"thresholds.computer.mu" = [27]', "did you mean 'compute'"),
        ('"priors.line.grwth.mu" = [1]', "grwth"),
        ('"milestones.big.title" = [3]', "must be text, got 3"),
    ],
)  # fmt: skip
def test_a_value_that_leads_nowhere_is_told_with_its_cell(here, line, word):
    result = sweep(written(f"{HEAD}[settings]\n{line}\n{PRIOR}"))
    assert result.exit_code == 2, result.output
    assert word in " ".join(result.stderr.split())
    assert not Path("sweeps").exists()


def test_a_file_where_the_sweep_should_go_is_wrong_input_and_stays(here):
    Path("letter").write_text("mine")
    result = sweep(written(FOUR), "--out", "letter")
    assert result.exit_code == 2 and "--out letter: is not a folder" in result.stderr
    assert Path("letter").read_text() == "mine"


def test_a_sweep_that_could_not_begin_is_not_said_to_be_resumable(here):
    Path("letter").write_text("mine")
    result = sweep(written(FOUR), "--out", "letter/below")
    assert result.exit_code == 1
    assert "could not be written" in result.stderr and "then begin again" in " ".join(result.stderr.split())


def test_a_base_that_is_not_there_is_told(here):
    result = sweep(written('base = "toy.toml"\n[settings]\nseed = [1]\n'))
    assert result.exit_code == 2 and "sweep.toml: base: toy.toml: there is no such file" in result.stderr


def test_cells_that_differ_in_what_the_fit_does_not_see_share_it(here):
    text = f"""\
{HEAD}[settings]
"priors.line.growth.mu" = [0.4, 0.6]
"thresholds.compute.mu" = [27, 28]
"window.end" = [2027-12-31, 2028-12-31]
scenario = ["none", "slower.toml", "steeper.toml"]
{PRIOR}"""
    planned = plan_sweep(read_sweep(written(text)), load_plugins(["toy.py"]), plugins=["toy.py"])
    shared = sorted(len(cells) for cells in planned.fits.values())
    # What "steeper" assumes of growth gives way to the sweep's own setting: its cells share the fit too.
    assert len(planned.cells) == 24 and shared == [12, 12]
    apart = written(f"{HEAD}[settings]\nseed = [1, 2]\nas_of = [2026-06-30, 2025-06-30]\n{PRIOR}")
    assert len(plan_sweep(read_sweep(apart), load_plugins(["toy.py"])).fits) == 4


def test_a_swept_setting_holds_in_every_cell_whatever_a_scenario_assumes(here):
    both = written(f'{HEAD}[settings]\n"priors.line.growth.mu" = [0.4]\nscenario = ["steeper.toml"]\n{PRIOR}')
    (job,) = plan_sweep(read_sweep(both), load_plugins(["toy.py"])).jobs
    assert 'mu" = 0.4' in job.worldview.to_toml() and "0.9" not in job.worldview.to_toml()


def test_options_that_exclude_each_other_are_refused(here):
    name = written(f"{HEAD}[settings]\nseed = [1]\n")
    for pair in (("--out", "a", "--resume", "b"), ("--workers", "2", "--scheduler", "tcp://127.0.0.1:1")):
        result = sweep(name, *pair)
        assert result.exit_code == 2 and "are both given" in result.stderr
