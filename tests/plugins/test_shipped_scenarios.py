"""The shipped scenarios on the default worldview at prior draws: what they change moves as it must."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.engine import make_plan
from forecast.inference import SamplerSettings
from forecast.model import Layout
from forecast.projection import future_graph, project
from forecast.scenarios import plan_scenarios
from forecast.worldview import list_scenarios, read_scenarios
from tests.plugins.support import assert_near

SIZE = 150
LATER = -1e-9  # dates are interpolated: rounding of the last digit is no advance


@pytest.fixture(scope="module")
def draws(spec, view):
    graph = future_graph(spec, view.horizon)
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    return layout.shaped(layout.draw(1, SIZE))


@pytest.fixture(scope="module")
def projected(spec, view, draws):
    """Project under a shipped scenario, or under none; each is projected once."""
    known = {}

    def under(name=None):
        if name not in known:
            changes = read_scenarios([name])[0].intervene if name else ()
            known[name] = project(
                future_graph(spec, view.horizon, changes),
                draws,
                chains=1,
                milestones={"agi": view.milestones["agi"]},
                thresholds=view.thresholds,
                seed=1,
                keep=SIZE,
            )
        return known[name]

    return under


def dates(found):
    """Crossing dates of draws, (draw, bloc)."""
    return found.crossings["agi"].values[0]


def q(found, name):
    """A quantity's draws, (draw, bloc, time), from the month after the as-of date on."""
    ahead = found.trajectories["time"].values > np.datetime64("2026-07-01")
    return found.trajectories[name].values[0].astype(float)[..., ahead]


def later(after, before):
    """Whether every draw and bloc is at least as late; never is later than any date."""
    with np.errstate(invalid="ignore"):
        moved = np.where(np.isinf(after) & np.isinf(before), 0.0, after - before)
    return bool(np.all(moved >= LATER))


def test_every_shipped_scenario_finds_what_it_changes_in_the_default_worldview():
    plan = make_plan("default", settings=SamplerSettings(draws=10, chains=1), prior_only=True)
    assert plan_scenarios(plan, read_scenarios(list_scenarios()), "agi") == {}


@pytest.mark.parametrize(
    ("name", "moved"), [("no-controls", 0.1), ("domestic-breakthrough", 0.1), ("licensed-sales", 0.03)]
)
def test_more_access_never_delays_anybody_in_any_draw(projected, name, moved):
    before, after = projected(), projected(name)
    assert later(dates(before), dates(after))
    assert np.all(q(after, "chip_purchases") >= q(before, "chip_purchases") - 1e-5)
    assert np.mean(dates(after)[:, 1] < dates(before)[:, 1] - 0.01) > moved


def test_licensed_sales_are_a_floor_under_what_every_draw_has(projected):
    before, after = projected(), projected("licensed-sales")
    assert np.all(q(after, "chip_access")[:, 1] >= q(before, "chip_access")[:, 1] - 1e-5)
    usual, sold = q(before, "chip_channels")[:, 1, 1], q(after, "chip_channels")[:, 1, 1]
    np.testing.assert_allclose(sold, np.maximum(usual, 400_000), rtol=1e-5)
    assert np.any(usual > 400_000) and np.any(usual < 400_000)  # a loose policy sells more in some draws


@pytest.mark.parametrize("name", ["no-smuggling", "investment-bust", "following-stops", "algorithmic-stall"])
def test_what_takes_something_away_never_advances_anybody_in_any_draw(projected, name):
    before, after = projected(), projected(name)
    assert later(dates(after), dates(before))
    assert np.mean(dates(after)[:, 1] > dates(before)[:, 1] + 0.01) > 0.1


def test_without_smuggling_nothing_is_smuggled_and_access_is_never_greater(projected):
    before, after = projected(), projected("no-smuggling")
    assert np.all(q(after, "chip_access")[:, 1] <= q(before, "chip_access")[:, 1] + 1e-5)
    assert np.all(q(after, "chip_channels")[:, 1, 2] == 0)


def test_perfect_enforcement_leaves_domestic_and_licensed_chips_alone(projected, draws):
    before, after = projected(), projected("perfect-enforcement")
    channels = q(after, "chip_channels")[:, 1]
    assert np.all(channels[:, 2:] == 0) and np.all(channels[:, :2] > 0)
    assert np.all(q(after, "policy") == 0)  # tight
    # In a few draws a tight policy is better for a channel than another state; the others cannot gain.
    owner = "export-control-leakage"
    worse = np.ones(SIZE, dtype=bool)
    for channel in ("domestic", "licensed"):
        tight, loose = (
            draws[owner, f"{channel}_{state}"].reshape(SIZE, -1)[:, -1] for state in ("tight", "loose")
        )
        worse &= (tight <= 0) & (tight <= loose)
    assert worse.mean() > 0.7
    assert later(dates(after)[worse], dates(before)[worse])


def test_an_investment_bust_takes_half_an_order_of_magnitude_from_both_blocs(projected):
    lost = q(projected("investment-bust"), "investment") - q(projected(), "investment")
    assert_near(lost, -0.5, 1e-5)


def test_an_algorithmic_stall_keeps_what_was_reached_and_adds_nothing(projected):
    stalled = q(projected("algorithmic-stall"), "algorithmic_efficiency")
    assert np.all(stalled == stalled[..., :1]) and np.all(stalled > 0)
    assert np.all(q(projected("algorithmic-stall"), "automation_gain") == 0)


def test_where_following_stops_everybody_has_what_it_had_or_its_own(projected):
    after = projected("following-stops")
    assert np.all(q(after, "effective_compute") <= q(projected(), "effective_compute") + 1e-5)
    assert np.all(q(after, "own_effective_compute") == q(projected(), "own_effective_compute"))
