"""Unipolar, bipolar or neither: counted by hand, by limit, by threshold, and durations."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.errors import ForecastError, InputError
from forecast.results import to_json
from forecast.results.worlds import MIN_DRAWS, describe_worlds, probability_read
from forecast.worldview import All, Condition, Mixture
from forecast.worldview import Any as AnyOf
from tests.results.synthetic import crossings_from, full_tree, small_worldview, steps_worldview

INF = float("inf")


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    return full_tree()


@pytest.fixture(scope="module")
def found(tree: xr.DataTree) -> dict[str, Any]:
    return describe_worlds(tree, steps_worldview(), run_id="x")


def accepted_dates(tree: xr.DataTree, milestone: str = "agi") -> np.ndarray:
    return tree["crossings"][milestone].to_numpy()[tree["crossings"]["accepted"].to_numpy()]


def counted(when: np.ndarray, within: float) -> dict[str, float]:
    """The worlds of two blocs, draw by draw, as a reader of the definition would count them."""
    kinds = []
    for us, china in when:
        first, second = min(us, china), max(us, china)
        alone = second - first >= within if np.isfinite(second) else 2061.0 - first >= within
        if np.isinf(first) or (np.isinf(second) and not alone):
            kinds.append("neither")
        elif not alone:
            kinds.append("bipolar")
        else:
            kinds.append("us_allies" if us < china else "china")
    return {kind: kinds.count(kind) / len(kinds) for kind in ("us_allies", "china", "bipolar", "neither")}


def as_counted(worlds: dict[str, Any]) -> dict[str, float]:
    return {**worlds["p_unipolar"], "bipolar": worlds["p_bipolar"], "neither": worlds["p_neither"]}


def test_worlds_are_those_of_the_draws_at_every_limit(tree: xr.DataTree, found: dict[str, Any]) -> None:
    when = accepted_dates(tree)
    assert [row["within_years"] for row in found["by_within"]] == [0.25, 0.5, 1, 2, 3]
    for row in found["by_within"]:
        assert as_counted(row) == pytest.approx(counted(when, row["within_years"]))
        assert sum(as_counted(row).values()) == pytest.approx(1)
        assert all(0 < error < 0.02 for error in as_counted(row["mcse"] | {"p_bipolar": 0.01}).values())
    assert as_counted(found["worlds"]) == pytest.approx(counted(when, 1.0))
    bipolar = [row["p_bipolar"] for row in found["by_within"]]
    assert bipolar == sorted(bipolar) and bipolar[0] < bipolar[-1]


def test_another_limit_is_told_beside_the_usual_ones(tree: xr.DataTree) -> None:
    other = describe_worlds(tree, steps_worldview(), within_years=1.5)
    assert [row["within_years"] for row in other["by_within"]] == [0.25, 0.5, 1, 1.5, 2, 3]
    assert other["within_years"] == 1.5
    assert as_counted(other["worlds"]) == pytest.approx(counted(accepted_dates(tree), 1.5))


def test_the_lead_has_quantiles_and_says_who_is_first_alone_or_not_there(
    tree: xr.DataTree, found: dict[str, Any]
) -> None:
    us, china = accepted_dates(tree).T
    lead = found["lead"]
    with np.errstate(invalid="ignore"):
        years = china - us
    known = np.sort(years[~np.isnan(years)])
    assert lead["quantiles"]["0.5"] == pytest.approx(np.median(known))
    assert lead["quantiles"]["0.05"] is None and lead["quantiles"]["0.95"] is None
    for key, holds in (
        ("p_leader_first", us < china),
        ("p_follower_first", china < us),
        ("p_leader_alone", np.isfinite(us) & np.isinf(china)),
        ("p_follower_alone", np.isfinite(china) & np.isinf(us)),
        ("p_neither_crosses", np.isinf(us) & np.isinf(china)),
    ):
        assert lead[key] == pytest.approx(holds.mean())
        assert lead["mcse"][key] > 0


@pytest.mark.parametrize("name", ["training_compute", "effective_compute", "time_horizon"])
def test_worlds_in_a_bin_are_those_of_the_draws_whose_threshold_lies_in_it(
    tree: xr.DataTree, found: dict[str, Any], name: str
) -> None:
    accepted = tree["crossings"]["accepted"].to_numpy()
    values = tree["posterior"][f"thresholds.{name}"].to_numpy()[accepted]
    one = found["by_threshold"][name]
    edges = [row["low"] for row in one["bins"]] + [one["bins"][-1]["high"]]
    assert edges[0] == pytest.approx(np.quantile(values, 0.01))
    assert edges[-1] == pytest.approx(np.quantile(values, 0.99))
    steps = np.diff(np.log(edges) if name == "time_horizon" else edges)  # hours spread over decades
    assert steps == pytest.approx(np.full(len(one["bins"]), steps[0]))
    assert one["unit"] == ("work hour" if name == "time_horizon" else "log10 FLOP")
    for row in one["bins"][:-1]:
        here = (values >= row["low"]) & (values < row["high"])
        assert row["draws"] == here.sum()
        if here.sum() < MIN_DRAWS:
            assert row["worlds"] is None
        else:
            assert as_counted(row["worlds"]) == pytest.approx(counted(accepted_dates(tree)[here], 1.0))
    assert any(row["worlds"] is None for row in one["bins"]) and any(row["worlds"] for row in one["bins"])
    assert one["outside"] + sum(row["draws"] for row in one["bins"]) == accepted.sum()


def test_a_threshold_that_moves_the_dates_moves_the_worlds_and_another_does_not(
    found: dict[str, Any],
) -> None:
    def bipolar(name: str) -> list[float]:
        bins = found["by_threshold"][name]["bins"]
        return [row["worlds"]["p_bipolar"] for row in bins if row["worlds"]]

    assert bipolar("training_compute")[0] > bipolar("training_compute")[-1] + 0.05
    assert np.ptp(bipolar("effective_compute")) < 0.1


def test_a_threshold_inside_a_mixture_counts_in_that_share_of_draws(found: dict[str, Any]) -> None:
    shares = {name: one["p_counts"] for name, one in found["by_threshold"].items()}
    assert shares == pytest.approx({"training_compute": 1, "effective_compute": 0.25, "time_horizon": 0.75})
    a, b = Condition("x", "a"), Condition("x", "b")
    mixed = Mixture(((0.5, a), (0.5, b)))
    assert probability_read(AnyOf((mixed, mixed)), "a") == pytest.approx(0.75)  # each draws for itself
    assert probability_read(All((a, mixed)), "a") == 1
    assert probability_read(Mixture(((0.5, a), (0.5, All((a, b))))), "b") == 0.5


def test_durations_are_draw_by_draw_from_the_milestone_that_mostly_comes_first(
    tree: xr.DataTree, found: dict[str, Any]
) -> None:
    (pair,) = found["durations"]
    assert (pair["from"], pair["to"]) == ("big_run", "agi")
    assert pair["titles"] == ["A big run", "AGI"]
    for index, bloc in enumerate(("us_allies", "china")):
        big, agi = (accepted_dates(tree, name)[:, index] for name in ("big_run", "agi"))
        with np.errstate(invalid="ignore"):
            years = agi - big
        one = pair["blocs"][bloc]
        known = np.sort(years[~np.isnan(years)])
        assert one["quantiles"]["0.5"] == pytest.approx(np.median(known))
        assert one["quantiles"]["0.95"] is None  # AGI is never reached by so many
        assert one["p_both"] == pytest.approx((np.isfinite(agi) & np.isfinite(big)).mean())
        assert one["p_first_only"] == pytest.approx((np.isinf(agi) & np.isfinite(big)).mean())
        assert one["p_second_only"] == pytest.approx((np.isfinite(agi) & np.isinf(big)).mean())
        assert one["p_neither"] == pytest.approx((np.isinf(agi) & np.isinf(big)).mean())
        assert set(one["mcse"]) == {"p_both", "p_first_only", "p_second_only", "p_neither"}


def test_an_infinite_duration_is_null_and_a_pair_never_reached_is_left_out() -> None:
    crossings = crossings_from([[[2030.0, INF], [2031.0, INF], [INF, INF], [2030.5, INF]]])
    crossings["early"] = (
        ("chain", "draw", "bloc"),
        [[[2028.0, INF]] * 2 + [[INF, INF]] + [[2028.0, 2030.0]]],
    )
    (pair,) = describe_worlds(crossings, small_worldview())["durations"]
    us, china = pair["blocs"]["us_allies"], pair["blocs"]["china"]
    assert us["quantiles"]["0.5"] == 2.5 and us["p_neither"] == 0.25
    assert china["quantiles"]["0.5"] is None and china["p_first_only"] == 0.25


def test_one_milestone_has_no_durations_and_constant_thresholds_no_bins() -> None:
    one = describe_worlds(crossings_from(np.full((1, 3, 2), 2030.0)), small_worldview())
    assert one["durations"] == [] and one["by_threshold"] == {}
    assert one["worlds"]["p_bipolar"] == 1


def test_prior_draws_are_used_where_they_are_the_run_s_own_and_never_beside_a_posterior(
    tree: xr.DataTree,
) -> None:
    groups = {name: tree[name].to_dataset() for name in ("posterior", "crossings")}
    alone = xr.DataTree.from_dict({"prior": groups["posterior"], "crossings": groups["crossings"]})
    described = describe_worlds(alone, steps_worldview(), prior_only=True)
    assert list(described["by_threshold"]) == ["training_compute", "effective_compute", "time_horizon"]
    other = groups["posterior"].isel(draw=slice(100))
    beside = xr.DataTree.from_dict({"prior": other, "crossings": groups["crossings"]})
    assert describe_worlds(beside, steps_worldview())["by_threshold"] == {}


def test_three_blocs_have_three_unipolar_worlds_in_every_place() -> None:
    names = ("us_allies", "china", "india")
    dates = 2027 + np.random.default_rng(0).exponential(5, (2, 50, 3))
    found = describe_worlds(crossings_from(dates, blocs=names), small_worldview(*names))
    assert list(found["worlds"]["p_unipolar"]) == list(names)
    assert found["lead"]["leader"] == "us_allies"


def test_what_cannot_be_told_is_said_in_words(tree: xr.DataTree) -> None:
    with pytest.raises(InputError, match="one bloc, a"):
        describe_worlds(crossings_from([[[2030.0]]], blocs=("a",)), small_worldview("a"))
    with pytest.raises(InputError, match="it has agi, big_run"):
        describe_worlds(tree, steps_worldview(), milestone="asi")
    with pytest.raises(ForecastError, match="names no milestone"):
        describe_worlds(tree["crossings"].to_dataset()[["accepted"]], steps_worldview())
    with pytest.raises(ForecastError, match="no draw is left"):
        describe_worlds(crossings_from(np.full((1, 3, 2), 2030.0), np.zeros((1, 3))), small_worldview())


def test_it_is_plain_json_and_the_same_again(tree: xr.DataTree, found: dict[str, Any]) -> None:
    text = to_json(found)
    assert json.loads(text)["schema"] == "forecast.worlds/1"
    assert text == to_json(describe_worlds(tree, steps_worldview(), run_id="x"))


def test_a_milestone_that_the_worldview_does_not_describe_has_no_thresholds(tree: xr.DataTree) -> None:
    bare = dataclasses.replace(steps_worldview(), milestones={})
    found = describe_worlds(tree, bare)
    assert found["by_threshold"] == {} and found["title"] == "agi"
