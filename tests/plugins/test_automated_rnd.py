"""Automated research: the equation against a solver, closed forms and abuse; then the driver in the model."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from forecast.host import load_host
from forecast.model import build_graph
from forecast.spec import history_end, make_spec
from forecast.worldview import load_worldview
from forecast_plugins.automated_rnd import automation_gain, research_done
from tests.plugins.support import assert_near, projected, q

LN10 = np.log(10.0)
YEARS = np.arange(-18, 241) / 12 + 0.01  # the as-of date lies inside a month
SIZE = 200


def gain(ahead, rate, feedback, ceiling, years=YEARS):
    """The gain for one draw and one bloc, (time,)."""
    numbers = (np.array([[float(x)]]) for x in (rate, feedback, ceiling))
    return automation_gain(np.atleast_2d(ahead), years[None, :], *numbers)[0]


def exact(ahead, rate, feedback, ceiling, years=YEARS):
    """The same by an adaptive solver (it is stiff at the ceiling); `ahead` is straight between months."""

    def slope(u, gained):
        there = np.interp(u, years, ahead)
        return rate * 10.0 ** (feedback * (there + gained)) * (1.0 - gained / ceiling)

    future = years[years > 0]
    solved = solve_ivp(
        slope, (0, future[-1]), [0.0], "LSODA", t_eval=future, rtol=1e-8, atol=1e-10, max_step=1 / 24
    )
    return np.concatenate([np.zeros(np.sum(years <= 0)), solved.y[0]])


SHAPES = {
    "straight": 1.2 * YEARS,
    "slowing": 5.0 * (1.0 - np.exp(-np.maximum(YEARS, 0.0) / 4.0)) + np.minimum(YEARS, 0.0),
    "behind": 1.2 * YEARS - 2.0,
    "bust": np.where(YEARS < 5, YEARS, 5.0 - 0.8 * (YEARS - 5.0)),
    "jagged": YEARS + 0.4 * np.sin(5.0 * YEARS),
}


# The equation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("rate", "feedback", "ceiling"), [(0.05, 0.15, 2.0), (0.2, 0.3, 1.0), (0.01, 0.5, 4.0), (0.19, 0.47, 5.2)]
)
def test_the_gain_agrees_with_a_differential_equation_solver(shape, rate, feedback, ceiling):
    ahead = SHAPES[shape]
    found = gain(ahead, rate, feedback, ceiling)
    assert found == pytest.approx(exact(ahead, rate, feedback, ceiling), abs=1e-4)


@pytest.mark.parametrize(("rate", "feedback", "growth"), [(0.05, 0.15, 1.2), (0.1, 0.3, 0.8)])
def test_far_below_the_ceiling_the_gain_is_the_closed_form_and_runs_away_on_its_date(rate, feedback, growth):
    runaway = np.log10(1.0 + growth / rate) / (feedback * growth)
    assert 2.0 < runaway < YEARS[-1] - 0.5
    found = gain(growth * YEARS, rate, feedback, 1e6)
    since = np.maximum(YEARS, 0.0)
    integral = np.expm1(LN10 * feedback * growth * since) / (LN10 * feedback * growth)
    before = since < runaway - 0.25
    closed = -np.log10(1.0 - feedback * LN10 * rate * integral[before]) / feedback
    assert found[before] == pytest.approx(closed, abs=2e-3) and closed[-1] > 1.5
    # From the month of the date on it is beyond anything; a quarter before, it was not.
    assert np.all(found[since > runaway + 1 / 12] > 1e3)


def test_without_feedback_research_adds_its_rate_and_nothing_is_divided_by_zero():
    since = np.maximum(YEARS, 0.0)
    with np.errstate(all="raise"):
        assert gain(1.2 * YEARS, 0.05, 0.0, 1e6) == pytest.approx(0.05 * since, rel=1e-5)
        limited = gain(1.2 * YEARS, 0.05, 0.0, 0.5)
    assert limited == pytest.approx(0.5 * -np.expm1(-0.05 * since / 0.5), abs=1e-9)
    # and a feedback near zero is near that
    assert gain(1.2 * YEARS, 0.05, 1e-9, 0.5) == pytest.approx(limited, abs=1e-7)


def test_research_done_in_a_month_is_the_integral_of_its_rate():
    fine = np.linspace(0.0, YEARS[-1], 2_000_001)
    total = np.trapezoid(0.05 * 10.0 ** (0.3 * np.interp(fine, YEARS, SHAPES["jagged"])), fine)
    numbers = (np.array([[0.05]]), np.array([[0.3]]))
    done = research_done(SHAPES["jagged"][None, :], YEARS[None, :], *numbers)
    assert done.sum() == pytest.approx(total, rel=1e-7)
    assert np.all(done[:, :17] == 0) and np.all(done[:, 17:] > 0)  # the date lies in the eighteenth


def test_nothing_makes_the_gain_fall_pass_its_ceiling_or_lose_itself():
    rng = np.random.default_rng(1)
    draws = 300
    rate, feedback, ceiling = (
        10.0 ** rng.uniform(low, high, (draws, 1, 1)) for low, high in ((-8, 3), (-4, 1), (-2, 3))
    )
    swing = 10.0 ** rng.uniform(-1, 3, (draws, 2, 1)) * rng.choice([-1, 1], (draws, 2, 1))
    ahead = np.cumsum(swing * rng.standard_normal((draws, 2, YEARS.size)), axis=-1) + swing * YEARS
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = automation_gain(ahead, YEARS[None, :], rate, feedback, ceiling)
    assert found.shape == (draws, 2, YEARS.size)
    assert np.all(np.isfinite(found)) and np.all(np.diff(found, axis=-1) >= 0)
    assert np.all(found >= 0) and np.all(found < ceiling)
    assert np.mean(found[..., -1] > 0.99 * ceiling[..., 0]) > 0.2  # many are driven into their ceiling


def test_the_gain_is_zero_up_to_the_as_of_date_and_begins_on_it():
    found = gain(1.2 * YEARS, 0.3, 0.2, 2.0)
    assert np.all(found[YEARS <= 0] == 0)
    # The first month holds what remains of it after the date: 0.01 of a year.
    assert found[YEARS > 0][0] == pytest.approx(0.3 * YEARS[YEARS > 0][0], rel=0.02)


def test_a_draw_does_not_depend_on_the_others():
    """Interventions are compared draw by draw, in whatever blocks the draws come."""
    rng = np.random.default_rng(2)
    ahead = rng.uniform(0.5, 2.0, (5, 2, 1)) * YEARS
    numbers = [rng.uniform(*span, (5, 1, 1)) for span in ((0.01, 0.2), (0.05, 0.5), (0.5, 4.0))]
    together = automation_gain(ahead, YEARS[None, :], *numbers)
    for draw in range(5):
        alone = automation_gain(ahead[draw], YEARS[None, :], *(one[draw] for one in numbers))
        assert np.array_equal(together[draw], alone)


# The driver --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def without(view, draws):
    """The same draws and shocks where the driver is left out."""
    fewer = load_worldview("default", disable=["automated-rnd"])
    return projected(make_spec(fewer, load_host(disable=["automated-rnd"])), view, draws)


def test_the_driver_solves_the_equation_for_the_blocs_own_effective_compute(base, draws):
    years = base.graph.decimal - 2024
    as_of = 2026 + 180 / 365 - 2024
    own = q(base, "research_effective_compute")
    assert as_of - 1 / 12 < years[101] < as_of < years[102]
    slope = (own[..., 101] - own[..., 100]) / (years[101] - years[100])
    now = np.max(own[..., 101] + slope * (as_of - years[101]), axis=1)  # the leader's, for both
    for draw in (0, 57, 133):
        numbers = [float(draws["automated-rnd", name][draw]) for name in ("rate", "feedback", "ceiling")]
        for bloc in (0, 1):
            found = exact(own[draw, bloc] - now[draw], *numbers, years=years - as_of)
            assert q(base, "automation_gain")[draw, bloc] == pytest.approx(found, abs=2e-4)


def test_the_gain_is_added_to_own_effort_and_reaches_nobody_before_the_as_of_date(base, without):
    gained = q(base, "automation_gain")
    past = base.graph.decimal < 2026.49
    assert np.all(gained[..., past] == 0) and np.all(gained[..., ~past] > 0)
    own = q(base, "research_effective_compute") + gained
    assert_near(q(base, "own_effective_compute"), own, 1e-4)
    assert np.array_equal(q(base, "research_effective_compute"), q(without, "own_effective_compute"))
    for name in ("effective_compute", "time_horizon_80"):
        assert np.array_equal(q(base, name)[..., past], q(without, name)[..., past]), name


def test_a_bloc_that_is_behind_gains_less(base):
    own, gained = q(base, "research_effective_compute"), q(base, "automation_gain")
    ahead = base.graph.decimal > 2026.49
    leads = np.all(own[:, 0, ahead] > own[:, 1, ahead], axis=-1)
    assert leads.sum() > SIZE / 4
    assert np.all(gained[leads, 0][:, ahead] >= gained[leads, 1][:, ahead])


def test_with_automation_no_bloc_crosses_later_and_many_cross_earlier(base, without):
    before, after = (found.crossings["agi"].values[0] for found in (without, base))
    assert np.all(after <= before)
    assert np.mean(after < before) > 0.3
    assert np.all(q(base, "effective_compute") >= q(without, "effective_compute") - 1e-5)


def test_the_fit_does_not_read_its_parameters(spec):
    history = build_graph(spec, history_end(spec))
    assert not [key for key in history.parameters if key[0] == "automated-rnd"]


def test_a_scenario_may_end_automation_and_keeps_what_it_had(spec, view, base, draws):
    ended = projected(spec, view, draws, {"term": "automation", "set": "off", "from": "2030-01-01"})
    at = int(np.searchsorted(base.graph.decimal, 2030.0))
    found, usual = q(ended, "automation_gain"), q(base, "automation_gain")
    assert np.array_equal(found[..., :at], usual[..., :at])
    assert_near(found[..., at:], usual[..., [at]], 1e-5)
    assert np.all(ended.crossings["agi"].values >= base.crossings["agi"].values)
