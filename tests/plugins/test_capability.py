"""Shapes of the time horizon, its change of pace, and the time before an announcement."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode
from scipy.optimize import brentq

from forecast.host import load_host
from forecast.model import Layout, build_graph
from forecast.projection import Evaluator, future_graph
from forecast.spec import history_end, make_spec

KEY = "capability"
SIZE = 60
PLAIN = Mode(linker="py", optimizer="fast_compile")


@pytest.fixture(scope="module")
def graph(spec, view):
    return future_graph(spec, view.horizon)


@pytest.fixture(scope="module")
def evaluate(graph):
    names = ("capability_clock", "time_horizon", "capability_index", "announcement_delay")
    return Evaluator(graph, {name: graph.quantities[name].tensor for name in names})


def drawn(spec, graph, size=SIZE, **fixed):
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    draws = layout.shaped(layout.draw(5, size))
    for name, value in fixed.items():
        draws[KEY, name] = np.full_like(draws[KEY, name], value)
    return draws


def found(evaluate, graph, draws, size=SIZE):
    blocs, time = len(graph.spec.blocs), len(graph.decimal)
    still = {name: (np.zeros((size, 1, time)), np.zeros((size, blocs, time))) for name in graph.shocks}
    return evaluate(draws, still, size=size)


def test_without_acceleration_the_horizon_is_a_straight_line_of_the_clock(spec, graph, evaluate):
    draws = drawn(spec, graph, horizon_acceleration=0.0, horizon_earlier_pace=1.0)
    values = found(evaluate, graph, draws)
    level, growth = (draws[KEY, name][:, None, None] for name in ("horizon_level", "horizon_growth"))
    straight = np.minimum(growth * values["capability_clock"], 10.0)
    assert values["time_horizon"] == pytest.approx(level + straight, abs=1e-9)


def test_each_doubling_takes_the_stated_share_less_of_the_clock_than_the_last(spec, graph, evaluate):
    share = 0.1
    draws = drawn(spec, graph, horizon_acceleration=share, horizon_earlier_pace=1.0)
    values = found(evaluate, graph, draws)
    ahead = np.flatnonzero(graph.decimal > 2025.0)
    level = float(draws[KEY, "horizon_level"][0])
    clock, horizon = (values[name][0, 0, ahead] for name in ("capability_clock", "time_horizon"))
    doublings = [level + n * np.log10(2) for n in range(6)]
    at = np.interp(doublings, horizon, clock)  # where each doubling is done
    steps = np.diff(at)
    # Linear interpolation between months bends each step by up to a per cent or two.
    assert steps[1:] / steps[:-1] == pytest.approx(np.full(4, 1 - share), abs=0.03)
    anchor = np.searchsorted(clock, 0.0)
    slope = (horizon[anchor] - horizon[anchor - 1]) / (clock[anchor] - clock[anchor - 1])
    assert slope == pytest.approx(float(draws[KEY, "horizon_growth"][0]), rel=0.05)


@pytest.mark.parametrize("share", [-0.05, -1e-5, 1e-9, 1e-5, 0.02, 0.2])
def test_the_closed_form_solves_its_differential_equation(spec, graph, evaluate, share):
    """dn/dc = v exp(a n): the pace grows by 1/(1 - share) with each doubling."""
    draws = drawn(spec, graph, size=1, horizon_acceleration=share, horizon_earlier_pace=1.0)
    values = found(evaluate, graph, draws, size=1)
    level, growth = (float(draws[KEY, name][0]) for name in ("horizon_level", "horizon_growth"))
    v, a = growth / np.log10(2), -np.log1p(-share)
    for month in (80, 100, 130):
        clock = values["capability_clock"][0, 0, month]
        # Inverse of the solution by quadrature-free root finding: c = (1 - exp(-a n)) / (a v).
        if a * v * clock >= 0.999:
            continue
        n = brentq(lambda n, clock=clock: -np.expm1(-a * n) / (a * v) - clock, -400, 400, xtol=1e-10)
        expected = min(level + n * np.log10(2), level + 10.0)
        assert values["time_horizon"][0, 0, month] == pytest.approx(expected, abs=1e-5)


def test_an_accelerating_horizon_ends_at_its_bound_and_never_falls(spec, graph, evaluate):
    draws = drawn(spec, graph, horizon_acceleration=0.15)
    horizon = found(evaluate, graph, draws)["time_horizon"]
    assert np.all(np.isfinite(horizon))
    top = draws[KEY, "horizon_level"][:, None] + 10.0
    assert np.all(horizon[:, 0] <= top + 1e-9) and np.mean(horizon[:, 0, -1] > top[:, 0] - 1e-6) > 0.5
    clock = found(evaluate, graph, draws)["capability_clock"]
    order = np.argsort(clock, axis=-1)
    assert np.all(np.diff(np.take_along_axis(horizon, order, axis=-1)) >= -1e-9)


def test_up_to_the_change_of_pace_the_clock_counts_at_another_pace(spec, graph, evaluate):
    same = found(evaluate, graph, drawn(spec, graph, horizon_acceleration=0.0, horizon_earlier_pace=1.0))
    half = drawn(spec, graph, horizon_acceleration=0.0, horizon_earlier_pace=0.5)
    bent = found(evaluate, graph, half)
    leader = same["capability_clock"].max(axis=1)
    change = np.stack([np.interp(2024.2486, graph.decimal, one) for one in leader])[:, None, None]
    growth = half[KEY, "horizon_growth"][:, None, None]
    before = np.minimum(same["capability_clock"] - change, 0.0)
    late = same["time_horizon"] - 0.5 * growth * before
    assert bent["time_horizon"] == pytest.approx(late, abs=1e-3)


def test_a_change_of_pace_that_was_not_yet_known_changes_nothing(view):
    spec = make_spec(view.replace(as_of="2024-06-30"), load_host())
    graph = build_graph(spec, history_end(spec))
    evaluate = Evaluator(graph, {"time_horizon": graph.quantities["time_horizon"].tensor})
    one, other = (
        evaluate(drawn(spec, graph, horizon_earlier_pace=pace))["time_horizon"] for pace in (1.0, 0.4)
    )
    assert one == pytest.approx(other, abs=1e-9)


def test_the_gradient_is_finite_without_acceleration_and_beyond_the_bound(spec):
    history = build_graph(spec, history_end(spec))
    (rows,) = (one for one in history.likelihoods if one.label == "time_horizons.horizons")
    acceleration = history.parameters[KEY, "horizon_acceleration"]
    gradient = pytensor.grad(rows.mean.sum(), acceleration)
    inputs = [*history.parameters.values(), *(symbol for symbol, _ in history.data.values())]
    function = pytensor.function(inputs, gradient, mode=PLAIN, on_unused_input="ignore")
    for share in (0.0, 1e-12, 0.08, 0.9):
        draws = drawn(spec, history, size=1, horizon_acceleration=share)
        numbers = [draws[key][0] for key in history.parameters]
        value = function(*numbers, *(array for _, array in history.data.values()))
        assert np.isfinite(value)


def test_a_model_exists_before_it_is_announced(base, draws):
    announced, inside = base.crossings["agi"].values[0], base.inside["agi"].values[0]
    crossed = np.isfinite(announced)
    assert crossed.any() and np.array_equal(crossed, np.isfinite(inside))
    delay = np.broadcast_to(draws[KEY, "announcement_delay"][..., 0], announced.shape)
    assert announced[crossed] - inside[crossed] == pytest.approx(delay[crossed], abs=1e-9)
    assert set(base.inside.data_vars) == {"agi"}


def test_the_milestones_condition_is_on_the_announcement(view):
    """What has not been announced by the as-of date may exist: only announcements are ruled out."""
    assert view.milestones["agi"].announced_after == "announcement_delay" and view.as_of == date(2026, 6, 30)
