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
from forecast.results.summary import month_or_never, window_left
from tests.results.synthetic import crossings_from, good_tree, likely_crossings, small_worldview

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
    assert milestone["draws"] == {"total": 4, "set_aside": 1}
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
