"""Scenarios against a base, with toy drivers: pairs, directions, refits, and what is taken up again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.driver import provides
from forecast.engine import Reporter, execute, make_plan
from forecast.errors import InputError
from forecast.inference import SamplerSettings
from forecast.results import read_run
from forecast.scenarios import branch_of, chosen_milestone, compare, plan_scenarios, take_up, unchanged_past
from forecast.worldview import load_worldview, read_scenarios
from tests.toys import WORLDVIEW, Boost, Line, Luck, Market, driver, worldview
from tests.toys import constant as base_of

pytestmark = pytest.mark.usefixtures("no_pictures")

TINY = SamplerSettings(draws=200, tune=50, chains=2, cores=1, sampler="pymc")
# A supply that binds in part of the draws.
BINDING = ["priors.market.home.value=26.6", "priors.market.grey.value=26.9"]

NOW = 2026 + 181 / 365  # end of the as-of date

NOTHING = '{ channel = "grey", of = "supply", scale = 1 }'
OPEN = '{ limit = "supplied", bloc = "china", set = "off" }'
CLOSED = '{ channel = "grey", of = "supply", scale = 0 }'
JUMP = '{ quantity = "compute", add = 0.7 }'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scenarios")


@pytest.fixture(scope="module")
def toys():
    return [Line(), Boost(), Market(), Luck()]


@pytest.fixture(scope="module")
def plan(folder, toys):
    view = worldview(folder, overrides=BINDING)
    return make_plan(view, drivers=toys, settings=TINY, prior_only=True)


@pytest.fixture(scope="module")
def base(plan):
    return execute(plan)


def intervening(folder: Path, *changes: str, name: str = "change"):
    file = folder / f"{name}.toml"
    file.write_text(f'title = "A change"\nkind = "intervene"\nintervene = [{", ".join(changes)}]\n')
    return read_scenarios([file])[0]


def assuming(folder: Path, text: str, name: str = "other"):
    file = folder / f"{name}.toml"
    file.write_text(f'title = "Otherwise"\nkind = "assume"\n{text}')
    return read_scenarios([file])[0]


def compared(base, tmp_path, *scenarios):
    plans = plan_scenarios(base.plan, scenarios, "big")
    return compare(base, scenarios, plans, tmp_path / "runs", milestone="big")


def china(dataset):
    return dataset["big"].sel(bloc="china").values


def accepted(base):
    return base.results["crossings"]["accepted"].values


class Heard(Reporter):
    """Keeps what was said."""

    def __init__(self):
        self.warnings, self.phases = [], []

    def warn(self, message):
        self.warnings.append(message)

    def phase(self, name):
        self.phases.append(name)


# Pairs -------------------------------------------------------------------------------------------


def test_a_scenario_that_changes_nothing_shifts_by_exactly_nothing(base, tmp_path):
    found = compared(base, tmp_path, intervening(tmp_path, NOTHING))
    scenario = found["scenarios"]["change"]
    for bloc, described in scenario["blocs"].items():
        same = found["base"]["blocs"][bloc]
        assert described["shift_years"] == {"0.05": 0.0, "0.5": 0.0, "0.95": 0.0}, bloc
        assert described["shift_mcse"] == 0.0 and described["p_in_change"] == 0.0
        assert {key: described[key] for key in same} == same
        assert described["p_both"] == pytest.approx(1 - same["p_never"])
    assert scenario["lead"] == found["base"]["lead"]


def test_the_base_is_what_its_summary_says(base, tmp_path):
    found = compared(base, tmp_path, intervening(tmp_path, OPEN))
    milestone = base.summary["milestones"]["big"]
    for key in ("blocs", "lead", "draws"):
        assert found["base"][key] == milestone[key]
    assert found["schema"] == "forecast.scenario/1" and found["milestone"] == "big"
    assert found["run"] == base.id and found["as_of"] == "2026-06-30"
    assert found["scenarios"]["change"]["run"] == base.id
    assert found["scenarios"]["change"]["diagnostics"] == base.summary["diagnostics"]


def test_unrestricted_access_never_delays_anybody_and_advances_china(base, tmp_path):
    after = branch_of(base, intervening(tmp_path, OPEN)).crossings
    before = base.results["crossings"].to_dataset()
    assert np.all(after["big"].values <= before["big"].values)
    assert np.mean(china(after)[accepted(base)] < china(before)[accepted(base)]) > 0.3
    assert np.array_equal(after["big"].sel(bloc="us_allies"), before["big"].sel(bloc="us_allies"))


def test_closing_a_channel_never_raises_access_and_never_advances_anybody(base, tmp_path):
    scenario = intervening(tmp_path, CLOSED)
    shut = base.project([change.to_toml() for change in scenario.intervene])
    ahead = shut.trajectories["time"] > np.datetime64("2026-07-01")
    before, after = (
        one["supply"].sel(bloc="china") for one in (base.results["projection"], shut.trajectories)
    )
    assert np.all(after.values <= before.values) and np.all(after[..., ahead] < before[..., ahead])
    dates = branch_of(base, scenario).crossings
    assert np.all(dates["big"].values >= base.results["crossings"]["big"].values)


def test_shifts_are_those_of_the_draws_themselves(base, tmp_path):
    found = compared(base, tmp_path, intervening(tmp_path, OPEN))
    before = china(base.results["crossings"])[accepted(base)]
    after = china(base.project([{"limit": "supplied", "set": "off"}]).crossings)[accepted(base)]
    after = np.maximum(after, NOW)
    both = np.isfinite(before) & np.isfinite(after)
    described = found["scenarios"]["change"]["blocs"]["china"]
    for level in (0.05, 0.5, 0.95):
        expected = np.quantile(after[both] - before[both], level)
        assert described["shift_years"][f"{level:g}"] == pytest.approx(expected)
    assert described["p_both"] == pytest.approx(both.mean())
    inside = [(when >= 2026) & (when < 2028) for when in (before, after)]
    assert described["p_in_change"] == pytest.approx(inside[1].mean() - inside[0].mean())


def test_a_bloc_that_never_crosses_in_either_has_no_shift(toys, tmp_path):
    view = worldview(tmp_path, overrides=["priors.market.home.value=20", "priors.market.grey.value=20"])
    low = execute(make_plan(view, drivers=toys, settings=TINY, prior_only=True))
    found = compared(low, tmp_path, intervening(tmp_path, CLOSED))
    described = found["scenarios"]["change"]["blocs"]["china"]
    assert described["shift_years"] == {"0.05": None, "0.5": None, "0.95": None}
    assert described["shift_mcse"] is None and described["p_both"] == 0


def test_a_change_from_a_later_date_leaves_earlier_crossings_alone(base, tmp_path):
    late = OPEN.replace(" }", ", from = 2029-01-01 }")
    after = china(branch_of(base, intervening(tmp_path, late)).crossings)
    before = china(base.results["crossings"])
    early = before < 2028.9
    assert early.any() and np.array_equal(after[early], before[early])
    assert np.any(after < before)


def test_changes_of_the_base_hold_beneath_those_of_the_scenario(toys, tmp_path):
    view = worldview(tmp_path, overrides=BINDING)
    (tmp_path / "open.toml").write_text(f"intervene = [{OPEN}]\n")
    both = load_worldview(view, tmp_path / "open.toml")
    free = execute(make_plan(both, drivers=toys, settings=TINY, prior_only=True))
    found = compared(free, tmp_path, intervening(tmp_path, CLOSED))  # of a supply that binds nobody
    assert found["scenarios"]["change"]["blocs"]["china"]["shift_years"]["0.95"] == 0.0


# The past ----------------------------------------------------------------------------------------


def test_a_jump_after_the_as_of_date_does_not_reach_back_before_it(base, tmp_path):
    """Dates are interpolated between months: a jump in July would have crossings in June."""
    scenario = intervening(tmp_path, JUMP)
    raw = base.project([change.to_toml() for change in scenario.intervene]).crossings
    before, after = base.results["crossings"], branch_of(base, scenario).crossings
    early = (raw["big"].values < NOW) & (before["big"].values > NOW)
    assert early.any()
    assert np.all(after["big"].values[early] == NOW)
    assert np.array_equal(after["accepted"], before["accepted"])
    found = compared(base, tmp_path, scenario)
    assert found["scenarios"]["change"]["draws"] == found["base"]["draws"]


def test_what_had_crossed_stays_crossed_when_it_did():
    before = xr.Dataset(
        {
            "m": (("chain", "draw", "bloc"), [[[2025.0, 2030.0], [2026.4, np.inf]]]),
            "accepted": (("chain", "draw"), [[True, False]]),
        }
    )
    after = before.assign(
        m=before["m"].copy(data=[[[2024.0, 2026.0], [2026.3, np.inf]]]),
        accepted=before["accepted"].copy(data=[[False, False]]),
    )
    kept = unchanged_past({"crossings": before}, {"crossings": after}, 2026.5)["crossings"]
    assert kept["m"].values.tolist() == [[[2025.0, 2026.5], [2026.4, np.inf]]]
    assert kept["accepted"].values.tolist() == [[True, False]]


@pytest.fixture(scope="module")
def announced(toys, tmp_path_factory):
    """A base whose models exist some while before they are announced, and of which some had crossed."""
    text = WORLDVIEW.replace("not_yet_crossed = true\nunreachable = 0.1", 'announced_after = "wait"')
    text = text.replace("mu = 27, sigma = 0.5", "mu = 26, sigma = 1")
    wait = 'k = { distribution = "Uniform", lower = 0.2, upper = 0.8, unit = "year", source = "s" }'
    delay = driver("d", wait, delay=provides("wait", unit="year", linear=True)(lambda self, m: m["k"]))
    view = worldview(tmp_path_factory.mktemp("announced"), text, overrides=BINDING)
    return execute(make_plan(view, drivers=[*toys, delay], settings=TINY, prior_only=True))


def test_what_is_said_of_a_crossing_fits_the_date_that_is_kept(announced, tmp_path):
    jump = intervening(tmp_path, JUMP, '{ quantity = "wait", add = 0.5, from = 2029-01-01 }')
    branch = branch_of(announced, jump).results
    raw = announced.project([change.to_toml() for change in jump.intervene])
    old, new = announced.results["crossings"]["big"].values, branch["crossings"]["big"].values
    past, clamped = old <= NOW, (old > NOW) & (raw.crossings["big"].values < NOW)
    assert past.any() and clamped.any()
    # A crossing of the last month is interpolated towards the jump: its own level is another one.
    assert np.any(raw.at_crossing["big.compute"].values[past] != level(announced.results)[past])
    crossed = np.isfinite(new)
    wait, inside = branch["at_crossing"]["big.wait"].values, branch["inside"]["big"].values
    assert new[crossed] - inside[crossed] == pytest.approx(wait[crossed])
    assert np.all(np.isposinf(inside[~crossed]))
    assert np.array_equal(level(branch)[past], level(announced.results)[past])
    assert np.array_equal(
        branch["inside"]["big"].values[past], announced.results["inside"]["big"].values[past]
    )
    assert branch["at_crossing"]["big.compute"].attrs["unit"] == "log10 FLOP"


def level(results):
    return results["at_crossing"]["big.compute"].values


# Assumptions -------------------------------------------------------------------------------------

FASTER = (
    "[priors.line.growth]\n"
    'distribution = "Normal"\nmu = 0.8\nsigma = 0.1\nunit = "OOM/year"\nsource = "a test"\n'
)


def test_an_assumption_is_a_run_of_base_and_overlay(base, toys, folder, tmp_path):
    scenario = assuming(tmp_path, FASTER)
    found = compared(base, tmp_path, scenario)["scenarios"]["other"]
    (saved,) = (tmp_path / "runs").iterdir()
    assert found["run"] == saved.name != base.id and found["paired"] is False
    stored = read_run(saved)
    assert (
        found["blocs"]["us_allies"]["p_in"]
        == stored.summary["milestones"]["big"]["blocs"]["us_allies"]["p_in"]
    )
    assert found["diagnostics"] == stored.summary["diagnostics"]
    # The same as one would run by hand, `--set` of the base included.
    by_hand = load_worldview(folder / "toys.toml", tmp_path / "other.toml", overrides=BINDING)
    again = make_plan(by_hand, drivers=toys, settings=TINY, prior_only=True)
    assert again.worldview == stored.worldview


def test_between_two_fits_medians_are_compared(base, tmp_path):
    found = compared(base, tmp_path, assuming(tmp_path, FASTER))
    other = read_run(next((tmp_path / "runs").iterdir()))
    described = found["scenarios"]["other"]["blocs"]["us_allies"]
    dates = [
        one["big"].sel(bloc="us_allies").values[one["accepted"].values]
        for one in (base.results["crossings"].to_dataset(), other.crossings)
    ]
    medians = [np.median(when[np.isfinite(when)]) for when in dates]
    assert described["shift_years"]["0.5"] == pytest.approx(medians[1] - medians[0])
    assert described["p_both"] == pytest.approx(np.prod([np.isfinite(when).mean() for when in dates]))
    assert described["shift_mcse"] > 0


def test_an_assumption_lies_over_what_the_base_was_told(base, tmp_path):
    text = (
        FASTER
        + '[priors.market]\ngrey = { value = 27.5, unit = "log10 FLOP", blocs = ["china"], source = "t" }\n'
    )
    plans = plan_scenarios(base.plan, [assuming(tmp_path, text)], "big")
    priors = plans["other"].worldview.driver_priors["market"]
    assert priors["grey"].priors["", ""].params["value"] == 27.5
    assert priors["home"].edits["", ""] == {"value": 26.6}


def test_an_assumption_may_leave_a_bloc_out(base, tmp_path):
    text = '[blocs]\nus_allies = "US & allies"\n[drivers]\ndisable = ["market"]\n'
    found = compared(base, tmp_path, assuming(tmp_path, text))["scenarios"]["other"]
    assert list(found["blocs"]) == ["us_allies"] and found["lead"] is None


# What is refused, before anything is projected -------------------------------------------------------


def test_a_change_that_finds_nothing_names_the_file(plan, tmp_path):
    scenarios = [
        intervening(tmp_path, '{ limit = "chip_access", set = "off" }'),
        intervening(tmp_path, '{ term = "following", set = "off" }', name="second"),
    ]
    with pytest.raises(InputError) as caught:
        plan_scenarios(plan, scenarios, "big")
    first, second = caught.value.problems
    assert first.startswith(str(tmp_path / "change.toml")) and "no limit 'chip_access'" in first
    assert second.startswith(str(tmp_path / "second.toml")) and "no term 'following'" in second


def test_an_assumption_that_nothing_reads_is_refused(plan, tmp_path):
    scenario = assuming(tmp_path, FASTER.replace("line.growth", "line.grwth"))
    with pytest.raises(InputError, match="did you mean 'growth'"):
        plan_scenarios(plan, [scenario], "big")


def test_a_milestone_that_is_not_there_is_refused_with_the_nearest(plan, tmp_path):
    with pytest.raises(InputError, match="no milestone 'bgi'.*did you mean 'big'"):
        plan_scenarios(plan, [intervening(tmp_path, OPEN)], "bgi")
    assert chosen_milestone(plan.worldview) == "big"


# Taking up a saved run ---------------------------------------------------------------------------


def test_a_saved_base_is_not_made_again_and_gives_the_same(plan, base, tmp_path, monkeypatch):
    first = compared(base, tmp_path, intervening(tmp_path, OPEN))
    made, path, existed = take_up(plan, tmp_path / "runs")
    assert not existed and made.id == base.id

    def again(*_: object, **__: object) -> None:
        raise AssertionError("it was made again")

    monkeypatch.setattr("forecast.scenarios.execute", again)
    heard = Heard()
    taken, same, existed = take_up(plan, tmp_path / "runs", reporter=heard)
    assert existed and same == path and str(path) in heard.phases[0]
    assert compared(taken, tmp_path, intervening(tmp_path, OPEN)) == first


def test_a_base_whose_drivers_have_changed_is_made_anew_with_a_word(plan, toys, tmp_path):
    _, old, _ = take_up(plan, tmp_path)
    more = driver("more", step=base_of("extra", 1.0))
    other = make_plan(plan.worldview, drivers=[*toys, more], settings=TINY, prior_only=True)
    heard = Heard()
    _, new, existed = take_up(other, tmp_path, reporter=heard)
    assert not existed and new != old
    (warning,) = heard.warnings
    assert str(old) in warning and "the code of drivers or of forecast has changed since" in warning
    assert f"the draws are of a new run, {new.name}" in warning


def test_a_saved_base_that_is_damaged_is_made_again_with_a_word(plan, tmp_path):
    _, path, _ = take_up(plan, tmp_path)
    (path / "results.nc").write_bytes(b"cut short")
    heard = Heard()
    run, same, existed = take_up(plan, tmp_path, reporter=heard)
    assert not existed and same == path and run.id == plan.id
    assert "damaged or cut short" in heard.warnings[0] and "The saved one stays" in heard.warnings[0]
    assert f"a new run with the same id, {plan.id}" in heard.warnings[0]
