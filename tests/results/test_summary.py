"""summary.json: its form, its numbers and its words."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import jsonschema
import numpy as np
import pytest
import xarray as xr

from forecast.diagnostics import judge
from forecast.errors import ForecastError
from forecast.results import summarise, summary_schema, to_json
from forecast.results.compare import differences
from forecast.results.summary import crossing_array, crossings_of, month_or_never, window_left
from tests.results.synthetic import (
    crossings_from,
    full_tree,
    good_tree,
    likely_crossings,
    small_worldview,
    steps_worldview,
)

INF = float("inf")
DIAGNOSTICS = {
    "ok": True,
    "verdict": "passed",
    "r_hat_max": 1.0,
    "ess_bulk_min": 900.0,
    "ess_tail_min": 800.0,
    "divergences": 0,
    "e_bfmi_min": 0.9,
    "accepted": 4,
    "checks": [],
}


def summary_of(crossings: xr.Dataset, worldview=None, **changes) -> dict:
    return summarise(
        crossings,
        worldview or small_worldview(),
        run_id="2026-06-30-default-0a1b2c3d",
        diagnostics=DIAGNOSTICS,
        timings={"sampling": 1},
        **changes,
    )


def valid(summary: dict) -> None:
    # As written and read back, so that numpy types and NaN show themselves.
    jsonschema.Draft202012Validator(summary_schema()).validate(json.loads(to_json(summary)))


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(summary_schema())


@pytest.mark.parametrize(
    "crossings",
    [
        likely_crossings(),
        crossings_from(np.full((1, 1, 2), 2030.0)),
        crossings_from(np.full((4, 10, 2), INF)),
        crossings_from([[[2030.0, INF], [2060.9, INF]]]),
    ],
    ids=["likely", "one draw", "all never", "one bloc never"],
)
def test_every_summary_is_valid_under_the_schema(crossings: xr.Dataset) -> None:
    valid(summary_of(crossings))


@pytest.mark.parametrize("prior_only", [False, True])
def test_the_summary_of_a_judged_tree_is_valid(prior_only: bool) -> None:
    tree = good_tree()
    judged = judge(tree, prior_only=prior_only)
    summary = summarise(
        tree,
        small_worldview(),
        run_id="x",
        diagnostics=judged,
        timings={},
        sampler={"tune": 1000, "seed": 1, "sampler": "nutpie"},
        prior_only=prior_only,
    )
    valid(summary)
    assert summary["prior_only"] is prior_only
    assert summary["sampler"] == {"draws": 500, "chains": 4, "tune": 1000, "seed": 1, "sampler": "nutpie"}


def test_draws_set_aside_do_not_count_and_are_counted() -> None:
    crossings = crossings_from(
        [[[2026.0, 2030.0], [2027.0, 2030.0], [2027.5, INF], [2040.0, INF]]], [[False, True, True, True]]
    )
    milestone = summary_of(crossings)["milestones"]["agi"]
    assert milestone["draws"] == {"total": 4, "set_aside": 1, "set_aside_by": {}}
    bloc = milestone["blocs"]["us_allies"]
    assert (bloc["p_before"], bloc["p_in"], bloc["p_after"], bloc["p_never"]) == (0, 2 / 3, 1 / 3, 0)
    assert bloc["quantiles"]["0.5"] == 2027.5
    assert milestone["blocs"]["china"]["quantiles"]["0.95"] is None
    assert milestone["lead"]["p_unipolar"]["us_allies"] == 1


def test_a_lead_without_end_is_null_and_draws_in_which_neither_crosses_are_left_out() -> None:
    lead = summary_of(crossings_from([[[INF, INF], [2030.0, 2033.0], [2030.0, INF], [2030.0, INF]]]))
    lead = lead["milestones"]["agi"]["lead"]
    assert lead["quantiles"]["0.05"] is None or lead["quantiles"]["0.05"] >= 3
    assert lead["quantiles"]["0.5"] is None
    assert lead["p_neither"] == 0.25
    assert lead["p_unipolar"] == {"us_allies": 0.75, "china": 0.0}


def test_another_window_and_limit_change_the_reading_and_are_stated() -> None:
    crossings = crossings_from([[[2030.0, 2033.0], [2034.0, 2035.0]]])
    summary = summary_of(crossings, window=(date(2030, 1, 1), date(2031, 12, 31)), within_years=3.5)
    assert summary["window"] == {"start": "2030-01-01", "end": "2031-12-31"}
    assert summary["window_left_at_as_of"] == {"share": 1.0, "days": 730}
    assert summary["milestones"]["agi"]["blocs"]["us_allies"]["p_in"] == 0.5
    assert summary["milestones"]["agi"]["lead"]["within_years"] == 3.5
    assert summary["milestones"]["agi"]["lead"]["p_bipolar"] == 1


def test_a_world_of_one_bloc_has_no_lead_and_one_of_three_has_three_unipolar_worlds() -> None:
    one = summary_of(crossings_from([[[2030.0]]], blocs=("us_allies",)), small_worldview("us_allies"))
    valid(one)
    assert one["milestones"]["agi"]["lead"] is None
    names = ("us_allies", "china", "india")
    three = summary_of(crossings_from([[[2030.0, 2033.0, 2029.0]]], blocs=names), small_worldview(*names))
    valid(three)
    assert three["milestones"]["agi"]["lead"]["p_unipolar"] == {"us_allies": 0, "china": 0, "india": 1}


def test_a_dataset_without_accepted_counts_every_draw() -> None:
    crossings = likely_crossings().drop_vars("accepted")
    assert summary_of(crossings)["milestones"]["agi"]["draws"]["set_aside"] == 0


def test_nothing_accepted_is_said_in_words() -> None:
    with pytest.raises(ForecastError, match="no draw is left to summarise"):
        summary_of(crossings_from(np.full((2, 3, 2), 2020.0), np.zeros((2, 3))))


@pytest.mark.parametrize(
    ("as_of", "days", "share"),
    [
        (date(2025, 6, 30), 730, 1.0),
        (date(2025, 12, 31), 730, 1.0),
        (date(2026, 6, 30), 549, 549 / 730),
        (date(2027, 12, 31), 0, 0.0),
        (date(2030, 1, 1), 0, 0.0),
    ],
)
def test_what_is_left_of_the_window_begins_on_the_day_after_the_as_of_date(
    as_of: date, days: int, share: float
) -> None:
    assert window_left(as_of, date(2026, 1, 1), date(2027, 12, 31)) == {"share": share, "days": days}


def test_the_same_draws_give_the_same_text() -> None:
    assert to_json(summary_of(likely_crossings())) == to_json(summary_of(likely_crossings()))


def test_the_line_to_cite_names_statistic_condition_and_run() -> None:
    line = summary_of(likely_crossings())["citation"]
    assert "AGI, US & allies: median 20" in line
    assert "Conditional on worldview 'default' as of 2026-06-30, not a prophecy" in line
    assert "run 2026-06-30-default-0a1b2c3d" in line
    assert "\n" not in line
    assert "priors alone" in summary_of(likely_crossings(), prior_only=True)["citation"]


def test_never_is_written_as_later_than_the_horizon() -> None:
    assert month_or_never(None, "2060-12-31") == ">2060"
    assert month_or_never(2027 + 181 / 365, "2060-12-31") == "2027-07"
    assert month_or_never(2060.9999, "2060-12-31") == "2060-12"


def test_a_milestone_that_the_worldview_does_not_describe_goes_by_its_name() -> None:
    worldview = dataclasses.replace(small_worldview(), milestones={})
    assert summary_of(likely_crossings(), worldview)["milestones"]["agi"]["title"] == "agi"


def test_differences_are_listed_by_place_and_timings_are_none() -> None:
    before = summary_of(likely_crossings())
    after = json.loads(to_json(before))
    after["timings"] = {"sampling": 99}
    assert differences(before, after) == []
    after["milestones"]["agi"]["draws"]["total"] = 7
    del after["citation"]
    assert differences(before, after) == ["milestones.agi.draws.total: 2000 became 7", "citation: is gone"]


# The crossing itself -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    return full_tree()


@pytest.fixture(scope="module")
def steps(tree: xr.DataTree) -> dict:
    return summary_of(tree, steps_worldview())


@pytest.mark.parametrize(
    ("key", "quantity"),
    [
        ("training_compute", "training_compute"),
        ("chips_in_run", "chips_in_run"),
        ("chips_in_bloc", "compute_stock"),
        ("annual_spend", "investment"),
    ],
)
def test_levels_at_the_crossing_are_linear_and_over_accepted_draws_that_cross(
    tree: xr.DataTree, steps: dict, key: str, quantity: str
) -> None:
    crossings = tree["crossings"]
    for milestone in ("agi", "big_run"):
        for index, bloc in enumerate(("us_allies", "china")):
            when = crossings[milestone].to_numpy()[..., index]
            counted = crossings["accepted"].to_numpy() & np.isfinite(when)
            logs = tree["at_crossing"][f"{milestone}.{quantity}"].to_numpy()[..., index][counted]
            found = steps["milestones"][milestone]["blocs"][bloc]["at_crossing"][key]
            assert list(found) == ["0.05", "0.5", "0.95"]
            assert list(found.values()) == pytest.approx(np.quantile(10**logs, [0.05, 0.5, 0.95]))


def test_the_lag_is_in_months_behind_the_first_and_zero_for_the_first() -> None:
    dates = [[[2030.0, 2031.0], [2032.0, 2031.5], [2033.0, INF], [INF, INF]]]
    blocs = summary_of(crossings_from(dates))["milestones"]["agi"]["blocs"]
    late = {name: bloc["at_crossing"]["lag_months"] for name, bloc in blocs.items()}
    assert list(late["us_allies"].values()) == pytest.approx(np.quantile([0, 6, 0], [0.05, 0.5, 0.95]))
    assert list(late["china"].values()) == pytest.approx(np.quantile([12, 0], [0.05, 0.5, 0.95]))


def test_shares_of_million_chip_and_ten_billion_dollar_crossings_have_their_errors(
    tree: xr.DataTree, steps: dict
) -> None:
    crossings, levels = tree["crossings"], tree["at_crossing"]
    counted = (crossings["accepted"] & np.isfinite(crossings["agi"])).to_numpy()
    for key, quantity, level in (
        ("p_million_chips", "chips_in_run", 6),
        ("p_ten_billion_usd", "cost_of_largest_cluster", 10),
    ):
        reached = levels[f"agi.{quantity}"].to_numpy() >= level
        for index, bloc in enumerate(("us_allies", "china")):
            found = steps["milestones"]["agi"]["blocs"][bloc]
            assert found[key] == pytest.approx(reached[..., index][counted[..., index]].mean())
            assert 0.005 < found["mcse"][key] < 0.03


def test_a_level_exactly_at_a_million_chips_counts() -> None:
    tree = xr.DataTree.from_dict(
        {
            "crossings": crossings_from([[[2030.0, INF], [2030.0, INF]]]),
            "at_crossing": xr.Dataset(
                {
                    "agi.chips_in_run": (
                        ("chain", "draw", "bloc"),
                        [[[6.0 - 8e-14, np.nan], [5.99, np.nan]]],  # as interpolation leaves it
                        {"unit": "log10 H100e"},
                    )
                },
                coords={"bloc": ["us_allies", "china"]},
            ),
        }
    )
    summary = summary_of(tree)
    valid(summary)
    blocs = summary["milestones"]["agi"]["blocs"]
    assert blocs["us_allies"]["p_million_chips"] == 0.5
    assert blocs["us_allies"]["at_crossing"]["annual_spend"] is None  # the run has no such quantity
    assert blocs["us_allies"]["p_ten_billion_usd"] is None
    assert blocs["china"]["at_crossing"] is None  # never crosses
    assert blocs["china"]["p_million_chips"] is None and blocs["china"]["mcse"]["p_million_chips"] is None


def test_dates_inside_the_laboratory_come_with_quantiles_and_the_window_s_share(
    tree: xr.DataTree, steps: dict
) -> None:
    accepted = tree["crossings"]["accepted"].to_numpy()
    for index, bloc in enumerate(("us_allies", "china")):
        when = tree["inside"]["agi"].to_numpy()[..., index][accepted]
        found = steps["milestones"]["agi"]["blocs"][bloc]["inside"]
        assert found["quantiles"]["0.5"] == pytest.approx(np.median(when))
        assert found["quantiles"]["0.95"] is None
        assert found["p_in"] == pytest.approx(((when >= 2026) & (when < 2028)).mean())
        assert found["mcse"]["p_in"] > 0
        assert steps["milestones"]["big_run"]["blocs"][bloc]["inside"] is None  # seen at once


def test_units_of_the_run_are_converted_and_other_quantities_of_the_name_are_not_used(
    tree: xr.DataTree,
) -> None:
    changed = tree.copy()
    levels = changed["at_crossing"]
    levels["agi.chips_in_run"] = levels["agi.chips_in_run"] - 6
    levels["agi.chips_in_run"].attrs["unit"] = "log10 million H100e"
    levels["agi.investment"].attrs["unit"] = "log10 FLOP"
    before = summary_of(tree, steps_worldview())["milestones"]["agi"]["blocs"]["china"]
    after = summary_of(changed, steps_worldview())["milestones"]["agi"]["blocs"]["china"]
    assert list(after["at_crossing"]["chips_in_run"].values()) == pytest.approx(
        list(before["at_crossing"]["chips_in_run"].values())
    )
    assert after["at_crossing"]["annual_spend"] is None


def test_a_run_without_the_newer_groups_still_has_its_summary(tree: xr.DataTree) -> None:
    whole, bare = (summary_of(found, steps_worldview()) for found in (tree, tree["crossings"].to_dataset()))
    for summary in (whole, bare):
        valid(summary)
    newer = {"at_crossing", "p_million_chips", "p_ten_billion_usd", "inside", "mcse"}
    for name, milestone in bare["milestones"].items():
        for bloc, found in milestone["blocs"].items():
            assert found["inside"] is None and found["p_million_chips"] is None
            assert found["at_crossing"]["chips_in_run"] is None
            assert found["at_crossing"]["lag_months"]["0.95"] > 0
            other = whole["milestones"][name]["blocs"][bloc]
            assert {k: v for k, v in found.items() if k not in newer} == {
                k: v for k, v in other.items() if k not in newer
            }


def test_a_summary_made_before_the_newer_keys_is_still_valid(steps: dict) -> None:
    old = json.loads(to_json(steps))
    for milestone in old["milestones"].values():
        for bloc in milestone["blocs"].values():
            for key in ("at_crossing", "p_million_chips", "p_ten_billion_usd", "inside"):
                del bloc[key]
            del bloc["mcse"]["p_million_chips"], bloc["mcse"]["p_ten_billion_usd"]
    valid(old)


def test_a_run_that_lost_its_crossing_dates_is_damaged() -> None:
    with pytest.raises(ForecastError, match="no crossing dates .group 'crossings'.*make it again"):
        crossings_of(xr.DataTree.from_dict({"prior": xr.Dataset()}))
    with pytest.raises(ForecastError, match="no crossing dates of asi: its results.nc is damaged"):
        crossing_array(likely_crossings(), "asi")
