"""States of the export controls, and what they do to China's channels, draw by draw."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.host import load_host
from forecast.spec import make_spec
from forecast.worldview import load_worldview
from tests.plugins.support import assert_near, prior_draws, projected

SIZE = 300
CHANNELS = ["domestic", "licensed", "smuggled", "offshore"]


@pytest.fixture(scope="module")
def draws(spec, view):
    return prior_draws(spec, view, size=SIZE)


def policy_runs(spec, view, draws, *changes):
    return projected(spec, view, draws, *changes).trajectories.isel(chain=0)


@pytest.fixture(scope="module")
def free(spec, view, draws):
    return policy_runs(spec, view, draws)


@pytest.fixture(scope="module")
def fixed(spec, view, draws):
    """The controls stay as they are."""
    return policy_runs(spec, view, draws, {"state": "policy", "set": "as now"})


def flows(found):
    return found["chip_channels"].sel(bloc="china")


def test_the_state_is_stored_once_for_all_blocs_with_its_names(free):
    assert free["policy"].dims == ("draw", "time")
    assert free["policy"].attrs["states"] == "tight, as now, loose"
    assert free["policy"].attrs["driver"] == "export-policy"
    past = free["time"] <= np.datetime64("2026-06-30")
    assert np.all(free["policy"].values[:, past] == 1)
    last = free["policy"].values[:, -1]
    assert {0, 1, 2} == set(np.unique(last).astype(int))


def test_the_shares_of_the_states_settle_where_the_rates_balance(free, draws):
    """In each draw tight : now : loose tend to now_to_tight/tight_to_now : 1 : now_to_loose/loose_to_now."""

    def rate(name):
        return draws["export-policy", name]

    weights = np.stack(
        [
            rate("now_to_tight") / rate("tight_to_now"),
            np.ones(SIZE),
            rate("now_to_loose") / rate("loose_to_now"),
        ]
    )
    expected = (weights / weights.sum(axis=0)).mean(axis=1)
    last = free["policy"].values[:, -1]
    # 300 draws: standard error at most 0.029; four of them, a false alarm in 10^4 (the seed is fixed).
    assert [(last == state).mean() for state in range(3)] == pytest.approx(expected, abs=0.116)


def test_the_channels_are_stored_as_linear_flows_that_add_up_to_access(free):
    assert free["chip_channels"].dims == ("draw", "bloc", "channel", "time")
    assert free["channel"].values.tolist() == CHANNELS
    assert free["chip_channels"].attrs["unit"] == "H100e/year"
    assert free["chip_channels"].attrs["of"] == "chip_access"
    total = np.log10(flows(free).sum("channel"))
    assert_near(total.values, free["chip_access"].sel(bloc="china").values, 1e-4)
    assert np.all(free["chip_channels"].sel(bloc="us_allies") == 0)


@pytest.mark.parametrize("state", ["tight", "loose"])
def test_a_state_moves_each_channel_by_its_stated_factor_and_only_after_the_as_of_date(
    fixed, draws, spec, view, state
):
    found = policy_runs(spec, view, draws, {"state": "policy", "set": state})
    moved = np.log10(flows(found) / flows(fixed))
    months = fixed["time"].values
    assert np.all(moved.values[..., months < np.datetime64("2026-06-30")] == 0)
    ahead = months > np.datetime64("2026-07-01")
    for channel in CHANNELS:
        factor = draws["export-control-leakage", f"{channel}_{state}"]
        assert_near(moved.sel(channel=channel).values[:, ahead], factor[:, None], 1e-4)


def test_without_the_driver_the_controls_stay_as_they_are(fixed):
    fewer = load_worldview("default", disable=["export-policy"])
    spec = make_spec(fewer, load_host(disable=["export-policy"]))
    alone = policy_runs(spec, fewer, prior_draws(spec, fewer, size=SIZE))
    assert "policy" not in alone
    assert np.array_equal(flows(alone), flows(fixed))


def test_the_growth_of_a_channel_fades_after_the_as_of_date(fixed):
    log = np.log10(flows(fixed).sel(channel="smuggled"))
    early, late = (log.sel(time=f"{year}-01-01") - log.sel(time=f"{year - 1}-01-01") for year in (2026, 2045))
    assert np.all(np.abs(late) < np.abs(early)) and np.all(np.abs(late) < 0.15)
