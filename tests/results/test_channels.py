"""Flows, amounts and shares by channel, how binding controls are, and policy: against numpy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.dates import decimal_year
from forecast.errors import ForecastError, InputError
from forecast.results import to_json
from forecast.results.channel_flows import Channels, kept_and_accepted, read_channels
from forecast.results.channels import added_up, at_moment, bands, describe_channels
from tests.results.synthetic import CHANNELS, full_tree, good_tree, steps_worldview

LEVELS = [0.05, 0.5, 0.95]


@pytest.fixture(scope="module")
def tree() -> xr.DataTree:
    return full_tree()


@pytest.fixture(scope="module")
def channels(tree: xr.DataTree) -> Channels:
    return read_channels(tree)


@pytest.fixture(scope="module")
def found(channels: Channels) -> dict[str, Any]:
    return describe_channels(channels, steps_worldview(), run_id="x", until=2035)


@pytest.fixture(scope="module")
def counted(tree: xr.DataTree) -> np.ndarray:
    """Accepted draws among the kept ones, by the draws' own numbers rather than by the attribute."""
    accepted = tree["crossings"]["accepted"].sel(draw=tree["projection"]["draw"])
    return accepted.to_numpy()


def year(found: dict[str, Any], number: int) -> dict[str, Any]:
    return next(row for row in found["years"] if row["year"] == number)


def of_july(tree: xr.DataTree, name: str, number: int) -> np.ndarray:
    return tree["projection"][name].sel(bloc="china", time=f"{number}-07-01").to_numpy()


def test_kept_draws_are_matched_with_accepted_ones_by_the_thinning(
    tree: xr.DataTree, counted: np.ndarray
) -> None:
    projection, crossings = tree["projection"].to_dataset(), tree["crossings"].to_dataset()
    assert not counted.all()
    assert np.array_equal(kept_and_accepted(projection, crossings), counted)


def test_offers_of_a_year_are_those_of_its_first_of_july_in_millions(
    tree: xr.DataTree, found: dict[str, Any], counted: np.ndarray
) -> None:
    assert found["flow_unit"] == "million H100e/year" and found["amount_unit"] == "million H100e"
    assert [row["year"] for row in found["years"]] == list(range(2022, 2036))
    for number in (2022, 2026, 2035):
        flows = of_july(tree, "chip_channels", number)[counted] / 1e6
        row = year(found, number)["offered"]["flow"]
        assert list(row["total"].values()) == pytest.approx(np.quantile(flows.sum(axis=1), LEVELS))
        for index, name in enumerate(CHANNELS):
            assert list(row["channels"][name].values()) == pytest.approx(np.quantile(flows[:, index], LEVELS))
            share = flows[:, index] / flows.sum(axis=1)
            assert list(row["shares"][name].values()) == pytest.approx(np.quantile(share, LEVELS))


def bought_flows(tree: xr.DataTree) -> np.ndarray:
    """Each channel times purchases over the sum of channels, (chain, draw, channel, time), millions."""
    projection = tree["projection"].to_dataset().sel(bloc="china")
    part = 10.0 ** (projection["chip_purchases"] - projection["chip_access"])
    return (projection["chip_channels"] * part / 1e6).transpose("chain", "draw", "channel", "time").to_numpy()


def test_what_is_bought_is_each_channels_part_of_the_purchases(
    tree: xr.DataTree, channels: Channels, found: dict[str, Any], counted: np.ndarray
) -> None:
    flows = bought_flows(tree)
    assert channels.purchases == pytest.approx(flows)
    assert np.any(flows.sum(axis=2) < 0.5 * channels.total)  # money ends first
    july = tree["projection"]["time"].to_numpy() == np.datetime64("2030-07-01")
    now = flows[counted][..., july][..., 0]
    row = year(found, 2030)["bought"]["flow"]
    total = 10 ** of_july(tree, "chip_purchases", 2030)[counted] / 1e6
    assert list(row["total"].values()) == pytest.approx(np.quantile(total, LEVELS))
    for index, name in enumerate(CHANNELS):
        assert list(row["channels"][name].values()) == pytest.approx(np.quantile(now[:, index], LEVELS))
        assert row["shares"][name] == pytest.approx(year(found, 2030)["offered"]["flow"]["shares"][name])


def test_what_was_bought_adds_up_by_channel_and_the_smuggled_share_is_of_that(
    tree: xr.DataTree, found: dict[str, Any], counted: np.ndarray
) -> None:
    time = tree["projection"]["time"].to_numpy().astype("datetime64[D]")
    inside = (time >= np.datetime64("2022-01-01")) & (time <= np.datetime64("2031-01-01"))
    decimal = np.array([decimal_year(day) for day in time[inside].tolist()])
    amounts = np.trapezoid(bought_flows(tree)[counted][..., inside], decimal, axis=-1)
    row = year(found, 2030)["bought"]["cumulative"]
    share = amounts[:, CHANNELS.index("smuggled")] / amounts.sum(axis=1)
    assert list(row["shares"]["smuggled"].values()) == pytest.approx(np.quantile(share, LEVELS))
    assert list(row["total"].values()) == pytest.approx(np.quantile(amounts.sum(axis=1), LEVELS))


def test_no_channel_sells_more_than_it_offers(tree: xr.DataTree) -> None:
    projection = tree["projection"].to_dataset().copy(deep=True)
    projection["chip_purchases"] += 2.0  # a limit that is lifted
    free = xr.DataTree.from_dict({"projection": projection, "crossings": tree["crossings"].to_dataset()})
    channels = read_channels(free)
    assert channels.purchases == pytest.approx(channels.flows)


def test_years_end_six_after_the_as_of_date_unless_more_are_asked_for(channels: Channels) -> None:
    def years(**options: Any) -> list[int]:
        return [row["year"] for row in describe_channels(channels, steps_worldview(), **options)["years"]]

    assert years() == list(range(2022, 2033))
    assert years(until=2024) == [2022, 2023, 2024] and years(until=2035)[-1] == 2035
    for wrong in (2021, 2040):
        with pytest.raises(InputError, match=f"--until {wrong}: .* whole years from 2022 to 2036"):
            years(until=wrong)


def test_amounts_are_added_up_from_2022_to_the_end_of_the_year(
    tree: xr.DataTree, found: dict[str, Any], counted: np.ndarray
) -> None:
    time = tree["projection"]["time"].to_numpy().astype("datetime64[D]")
    inside = (time >= np.datetime64("2022-01-01")) & (time <= np.datetime64("2027-01-01"))
    decimal = np.array([decimal_year(day) for day in time[inside].tolist()])
    flows = tree["projection"]["chip_channels"].sel(bloc="china").to_numpy()[counted][..., inside] / 1e6
    amounts = np.trapezoid(flows, decimal, axis=-1)
    row = year(found, 2026)["offered"]["cumulative"]
    assert list(row["total"].values()) == pytest.approx(np.quantile(amounts.sum(axis=1), LEVELS))
    smuggled = CHANNELS.index("smuggled")
    assert list(row["channels"]["smuggled"].values()) == pytest.approx(
        np.quantile(amounts[:, smuggled], LEVELS)
    )
    assert list(row["shares"]["smuggled"].values()) == pytest.approx(
        np.quantile(amounts[:, smuggled] / amounts.sum(axis=1), LEVELS)
    )
    assert found["since"] == "2022-01-01"


def test_a_flow_that_grows_evenly_adds_up_exactly() -> None:
    time = np.array([2021.0, 2022.0, 2022.5, 2023.0])
    flows = np.array([1.0, 2.0, 2.5, 3.0])
    assert added_up(flows, time, 2022.0) == pytest.approx([-1.5, 0.0, 1.125, 2.5])
    assert at_moment(flows, time, 2022.25) == pytest.approx(2.25)
    assert at_moment(np.array([1.0, np.inf, 2.0, 3.0]), time, 2021.0) == 1.0  # nothing of the next month


def test_how_binding_the_controls_are_is_had_over_affordable_with_its_probability(
    tree: xr.DataTree, found: dict[str, Any], counted: np.ndarray
) -> None:
    ratio = 10 ** (of_july(tree, "chip_access", 2030) - of_july(tree, "chip_demand", 2030))[counted]
    row = year(found, 2030)
    assert list(row["ratio"].values()) == pytest.approx(np.quantile(ratio, LEVELS))
    assert row["p_binding"] == pytest.approx((ratio < 1).mean())
    assert 0 < row["mcse"]["p_binding"] < 0.06


def test_policy_is_told_after_the_as_of_date_and_its_states_sum_to_one(
    tree: xr.DataTree, found: dict[str, Any], counted: np.ndarray
) -> None:
    assert found["states"] == ["today", "tight"]
    assert [row["year"] for row in found["years"] if row["past"]] == list(range(2022, 2027))
    for row in found["years"]:
        if row["past"]:
            assert row["policy"] is None
            continue
        state = tree["projection"]["policy"].sel(time=f"{row['year']}-07-01").to_numpy()[counted]
        assert row["policy"]["tight"]["p"] == pytest.approx((state == 1).mean())
        assert sum(share["p"] for share in row["policy"].values()) == pytest.approx(1)
        assert row["policy"]["today"]["mcse"] > 0


def test_a_run_that_says_neither_demand_nor_policy_has_null_in_their_place(tree: xr.DataTree) -> None:
    projection = tree["projection"].to_dataset().drop_vars(["chip_demand", "chip_purchases", "policy"])
    bare = xr.DataTree.from_dict({"projection": projection, "crossings": tree["crossings"].to_dataset()})
    found = describe_channels(read_channels(bare), steps_worldview())
    row = year(found, 2030)
    assert row["ratio"] is None and row["p_binding"] is None and row["mcse"]["p_binding"] is None
    assert row["policy"] is None and row["bought"] is None and found["states"] == []


def test_any_sum_of_channels_is_read_in_its_own_unit(tree: xr.DataTree) -> None:
    projection = (
        tree["projection"]
        .to_dataset()
        .rename(chip_access="supply", chip_channels="supply_channels", channel="supply_channel")
    )
    projection["supply"].attrs["unit"] = "log10 FLOP"
    projection["supply_channels"].attrs |= {"unit": "FLOP", "of": "supply"}
    other = xr.DataTree.from_dict({"projection": projection, "crossings": tree["crossings"].to_dataset()})
    channels = read_channels(other, quantity="supply")
    assert (channels.unit, channels.amount_unit, channels.names) == ("FLOP", "FLOP x year", CHANNELS)
    assert channels.demand is None  # nobody said what would pay for it
    row = year(describe_channels(channels, steps_worldview()), 2026)["offered"]["flow"]["total"]["0.5"]
    assert row == pytest.approx(1e6 * year(describe_channels(read_channels(tree), steps_worldview()), 2026)
                                ["offered"]["flow"]["total"]["0.5"])  # fmt: skip


def test_a_channel_that_is_shut_has_no_share_of_nothing(tree: xr.DataTree) -> None:
    shut = tree.copy()
    projection = shut["projection"].to_dataset().copy(deep=True)
    projection["chip_channels"].loc[{"bloc": "china", "time": slice("2030-01", None)}] = 0.0
    projection["chip_access"].loc[{"bloc": "china", "time": slice("2030-01", None)}] = -6.0
    shut = xr.DataTree.from_dict({"projection": projection, "crossings": tree["crossings"].to_dataset()})
    found = describe_channels(read_channels(shut), steps_worldview())
    assert year(found, 2031)["offered"]["flow"]["shares"]["smuggled"] == {
        "0.05": None,
        "0.5": None,
        "0.95": None,
    }
    assert year(found, 2031)["offered"]["flow"]["total"]["0.5"] == 0
    assert year(found, 2031)["offered"]["cumulative"]["shares"]["smuggled"]["0.5"] > 0
    assert year(found, 2031)["bought"]["flow"]["total"]["0.5"] == 0
    json.loads(to_json(found))


def test_bands_leave_out_draws_that_have_no_such_number_moment_by_moment(channels: Channels) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(*channels.counted.shape, 5))
    values[rng.random(channels.counted.shape) < 0.5, 1], values[..., 3] = np.nan, np.nan
    found, counted = bands(values, channels), values[channels.counted]
    assert found[:, [0, 2, 4]] == pytest.approx(np.quantile(counted[:, [0, 2, 4]], LEVELS, axis=0))
    some = counted[~np.isnan(counted[:, 1]), 1]
    assert 0 < len(some) < len(counted) and found[:, 1] == pytest.approx(np.quantile(some, LEVELS))
    assert np.all(np.isnan(found[:, 3]))


def test_the_first_bloc_with_channels_is_meant_and_others_are_refused_in_words(tree: xr.DataTree) -> None:
    assert read_channels(tree).bloc == "china"
    assert read_channels(tree, bloc="china", quantity="chip_access").bloc == "china"
    with pytest.raises(
        InputError, match="--bloc us_allies: has no channels of chip_access in this run; china"
    ):
        read_channels(tree, bloc="us_allies")
    with pytest.raises(InputError, match="--quantity chip_acess: is no sum of channels.*chip_access"):
        read_channels(tree, quantity="chip_acess")


def test_a_run_without_channels_says_so() -> None:
    with pytest.raises(InputError, match="This run has no channels"):
        read_channels(good_tree())
    with pytest.raises(InputError, match="This run has no channels"):
        read_channels(xr.DataTree.from_dict({"crossings": good_tree()["crossings"].to_dataset()}))
    nobody = full_tree()["projection"].to_dataset().copy(deep=True)
    nobody["chip_channels"][:] = 0.0
    none = xr.DataTree.from_dict({"projection": nobody, "crossings": good_tree()["crossings"].to_dataset()})
    with pytest.raises(InputError, match="No bloc of this run has channels of chip_access"):
        read_channels(none)


def test_no_accepted_draw_among_the_kept_is_said_in_words(tree: xr.DataTree) -> None:
    crossings = tree["crossings"].to_dataset().copy(deep=True)
    crossings["accepted"][:, ::4] = False
    none = xr.DataTree.from_dict({"projection": tree["projection"].to_dataset(), "crossings": crossings})
    with pytest.raises(ForecastError, match="No draw that is kept"):
        read_channels(none)


def test_only_years_that_the_run_covers_whole_are_told(tree: xr.DataTree) -> None:
    short = tree["projection"].to_dataset().sel(time=slice("2023-05", "2027-06"))
    cut = xr.DataTree.from_dict({"projection": short, "crossings": tree["crossings"].to_dataset()})
    found = describe_channels(read_channels(cut), steps_worldview())
    assert [row["year"] for row in found["years"]] == [2024, 2025, 2026]
    assert found["since"] == "2024-01-01"
    brief = tree["projection"].to_dataset().sel(time=slice("2023-05", "2023-11"))
    few = xr.DataTree.from_dict({"projection": brief, "crossings": tree["crossings"].to_dataset()})
    with pytest.raises(ForecastError, match="cover no whole year since 2022"):
        describe_channels(read_channels(few), steps_worldview())


def test_it_is_plain_json_and_the_same_again(channels: Channels, found: dict[str, Any]) -> None:
    text = to_json(found)
    assert json.loads(text)["schema"] == "forecast.channels/2"
    assert text == to_json(describe_channels(channels, steps_worldview(), run_id="x", until=2035))
