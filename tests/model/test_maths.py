"""Tensor functions against direct formulas, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from forecast.model import maths

PLAIN = Mode(linker="py", optimizer="fast_compile")
YEARS = np.arange(0, 10 + 1e-9, 1 / 12)[None, :]
moderate = st.floats(-40, 40, allow_nan=False)


def value(tensor):
    """Evaluate a tensor that has no inputs, without a compiler."""
    return pytensor.function([], tensor, mode=PLAIN)()


def compiled(function, *arguments):
    """Compile once for many examples."""
    return pytensor.function(list(arguments), function, mode=PLAIN)


x, y, z, s = (pt.dscalar(name) for name in "xyzs")
SOFTMIN = compiled(maths.softmin(x, y, z, sharpness=s), x, y, z, s)
SOFTMAX = compiled(maths.softmax(x, y, z, sharpness=s), x, y, z, s)


def direct(sign, values, sharpness):
    """The definition, with numpy's own log-sum-exp."""
    terms = sign * sharpness * np.log(10) * np.asarray(values)
    return sign * np.logaddexp.reduce(terms) / (sharpness * np.log(10))


@given(moderate, moderate, moderate, st.floats(0.5, 8))
@settings(max_examples=200, deadline=None)
def test_softmin_and_softmax_are_the_direct_formula(a, b, c, sharpness):
    assert SOFTMIN(a, b, c, sharpness) == pytest.approx(direct(-1, [a, b, c], sharpness), abs=1e-9)
    assert SOFTMAX(a, b, c, sharpness) == pytest.approx(direct(1, [a, b, c], sharpness), abs=1e-9)


@given(moderate, moderate, moderate)
@settings(max_examples=100, deadline=None)
def test_softmin_is_symmetric_and_within_log10_of_three_over_s_below_the_minimum(a, b, c):
    found = SOFTMIN(a, b, c, 4.0)
    assert found == pytest.approx(SOFTMIN(c, a, b, 4.0), abs=1e-9)
    assert min(a, b, c) - np.log10(3) / 4 - 1e-9 <= found <= min(a, b, c) + 1e-9


def test_softmin_neither_overflows_nor_loses_its_gradient_far_apart():
    a, b = pt.dscalar("a"), pt.dscalar("b")
    out = maths.softmin(a, b)
    function = compiled([out, *pt.grad(out, [a, b])], a, b)
    assert [float(part) for part in function(1e3, 26.0)] == [26.0, 0.0, 1.0]
    near = [float(part) for part in function(26.0, 26.0)]
    assert near[0] == pytest.approx(26 - np.log10(2) / 4)
    assert all(np.isfinite(near))


# Integrals ---------------------------------------------------------------------------------------


def test_cumulative_is_exact_for_a_straight_rate():
    found = value(maths.cumulative(pt.as_tensor(2 * YEARS), pt.as_tensor(YEARS)))
    assert found == pytest.approx(YEARS**2, abs=1e-9)


def test_without_a_lifetime_nothing_is_lost():
    rate = np.full_like(YEARS, 3.0)
    found = value(maths.integral(pt.as_tensor(rate), pt.as_tensor(YEARS), initial=5.0))
    assert found == pytest.approx(5 + 3 * YEARS)


@given(st.floats(0.5, 20), st.floats(0, 50), st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_constant_inflow_with_a_lifetime_follows_its_closed_form(lifetime, inflow, initial):
    found = INTEGRAL(np.full_like(YEARS, inflow), lifetime, initial)
    settled = inflow * lifetime
    exact = settled + (initial - settled) * np.exp(-YEARS / lifetime)
    # The trapezoid on a month: relative error (step / lifetime)^2 / 12.
    assert found == pytest.approx(exact, rel=1e-2 * (1 / lifetime) ** 2 + 1e-9, abs=1e-9)


inflow_, life_, start_ = pt.dmatrix("inflow"), pt.dscalar("life"), pt.dscalar("start")
INTEGRAL = compiled(
    maths.integral(inflow_, pt.as_tensor(YEARS), lifetime=life_, initial=start_), inflow_, life_, start_
)


def test_the_integral_solves_its_differential_equation():
    def inflow(t):
        return 10.0 ** (0.4 * t) * (1 + 0.3 * np.sin(t))

    exact = solve_ivp(
        lambda t, stock: inflow(t) - stock / 5, (0, 10), [2.0], t_eval=YEARS[0], rtol=1e-10, atol=1e-10
    )
    found = INTEGRAL(inflow(YEARS), 5.0, 2.0)[0]
    assert found == pytest.approx(exact.y[0], rel=1.5e-3)  # the trapezoid on a month
    assert np.max(np.abs(np.log10(found / exact.y[0]))) < 5e-4  # OOM


# Lags --------------------------------------------------------------------------------------------


def lagged(values, lag):
    return value(maths.lagged(pt.as_tensor(values), pt.as_tensor(lag)))


@given(st.integers(0, 2**32 - 1), st.floats(0, 15), st.floats(0, 15))
@settings(max_examples=40, deadline=None)
def test_a_lag_is_linear_interpolation_clamped_to_the_grid(seed, first, second):
    values = np.random.default_rng(seed).normal(size=(2, YEARS.size))
    found = LAGGED(values, np.array([[first], [second]]))
    for row, lag in ((0, first), (1, second)):
        exact = np.interp(YEARS[0] - lag, YEARS[0], values[row])
        assert found[row] == pytest.approx(exact, abs=1e-9)


series_, lags_ = (
    pt.tensor("series", dtype="float64", shape=(2, YEARS.size)),
    pt.tensor("lags", dtype="float64", shape=(2, 1)),
)
LAGGED = compiled(maths.lagged(series_, lags_), series_, lags_)


def test_a_lag_of_zero_is_the_series_and_a_scalar_lag_serves_both_blocs():
    values = np.random.default_rng(0).normal(size=(2, YEARS.size))
    assert lagged(values, 0.0) == pytest.approx(values, abs=0)
    assert lagged(values, 1.0)[:, 12:] == pytest.approx(values[:, :-12])
    assert lagged(values, 1.0)[:, :12] == pytest.approx(np.tile(values[:, :1], 12))


def test_a_lag_may_change_over_time():
    values = np.tile(YEARS, (2, 1))
    lag = np.linspace(0, 2, YEARS.size)[None, :]
    assert lagged(values, lag) == pytest.approx(np.maximum(values - lag, 0), abs=1e-9)


# Shocks ------------------------------------------------------------------------------------------


def paths(size, *, scale=0.3, persistence=4.0, share=0.5, as_of=2.0, seed=5):
    """Simulated shocks, (draw, bloc, time), from the function under test."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((size, 1, YEARS.size))
    own = rng.standard_normal((size, 2, YEARS.size))
    tensor = maths.shock_path(
        pt.as_tensor(common),
        pt.as_tensor(own),
        pt.as_tensor(YEARS),
        as_of,
        scale=scale,
        persistence=persistence,
        bloc_share=share,
    )
    return value(tensor)


def rates(path):
    return np.diff(path, axis=-1) * 12


def simulated(size, *, scale, persistence, as_of, seed):
    """The same process written as a loop: an AR(1) of the rate that starts at zero."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-1 / 12 / persistence)
    rate, path, steps = np.zeros(size), np.zeros(size), []
    for t in YEARS[0][1:]:
        if t > as_of:
            rate = keep * rate + scale * np.sqrt(1 - keep**2) * rng.standard_normal(size)
            path = path + rate / 12
        steps.append(path)
    return np.stack([np.zeros(size), *steps], axis=-1)


def test_a_shock_is_zero_up_to_the_as_of_date_and_not_after():
    path = paths(5)
    assert np.all(path[..., YEARS[0] <= 2.0] == 0)
    assert np.all(path[..., YEARS[0] > 2.0] != 0)


def test_the_variance_of_a_shocks_path_is_that_of_a_simulation():
    # 4,000 draws of each: the ratio of two variances has a standard error of 0.032; six times that is
    # 0.19, a false alarm in one of 10^8 (the seeds are fixed besides).
    mine = paths(4000, share=0.0)[:, 0]
    theirs = simulated(4000, scale=0.3, persistence=4.0, as_of=2.0, seed=8)
    for month in (36, 60, 120):
        assert mine[:, month].var() / theirs[:, month].var() == pytest.approx(1, abs=0.19)
    assert mine[:, 120].std() == pytest.approx(theirs[:, 120].std(), rel=0.1)


def test_the_rate_of_a_shock_settles_at_its_scale_with_its_persistence():
    rate = rates(paths(4000, scale=0.3, persistence=1.0, share=0.0))[:, 0]
    late = rate[:, 84:]  # five persistences after the as-of date
    # 4,000 draws: standard error of a standard deviation 1.1%; of the correlation 1.6%. Five errors each.
    assert late[:, -1].std() == pytest.approx(0.3, rel=0.056)
    assert late[:, 0].std() == pytest.approx(0.3, rel=0.056)
    year = np.corrcoef(late[:, 0], late[:, 12])[0, 1]
    assert year == pytest.approx(np.exp(-1), abs=0.07)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_blocs_share_of_the_variance_decides_how_far_they_go_together(share):
    path = paths(4000, share=share)[:, :, -1]
    # Standard error of a correlation of 4,000 draws at most 0.016; four of them, one false alarm in 10^4.
    assert np.corrcoef(path.T)[0, 1] == pytest.approx(1 - share, abs=0.064)


@given(st.floats(0.01, 2), st.floats(0.2, 30))
@settings(max_examples=20, deadline=None)
def test_a_shock_is_proportional_to_its_scale_and_finite(scale, persistence):
    one = paths(2, scale=1.0, persistence=persistence)
    assert np.all(np.isfinite(one))
    assert paths(2, scale=scale, persistence=persistence) == pytest.approx(scale * one, abs=1e-9)


# NumPy functions and switching states ------------------------------------------------------------


def _weighted(x, weight):
    return np.cumsum(x * weight, axis=-1)


def test_a_numpy_function_gives_the_same_for_one_draw_and_for_many():
    x, weight = pt.tensor("x", shape=(2, 5), dtype="float64"), pt.dscalar("weight")
    result = maths.numpy_function(_weighted, x, weight)
    assert result.type.shape == (2, 5)
    many_x, many_weight = pt.tensor3("many_x"), pt.dvector("many_weight")
    many = vectorize_graph(result, {x: many_x, weight: many_weight})
    rng = np.random.default_rng(1)
    xs, weights = rng.normal(size=(3, 2, 5)), rng.normal(size=3)
    together = compiled(many, many_x, many_weight)(xs, weights)
    apart = compiled(result, x, weight)
    for one, of_x, of_weight in zip(together, xs, weights, strict=True):
        assert one == pytest.approx(apart(of_x, of_weight), abs=0)
        assert one == pytest.approx(np.cumsum(of_x * of_weight, axis=-1))


def test_a_numpy_function_of_what_differs_by_draw_and_what_does_not_is_aligned():
    x, weight = pt.tensor("x", shape=(2, 5), dtype="float64"), pt.dscalar("weight")
    many_weight = pt.dvector("many_weight")
    many = vectorize_graph(maths.numpy_function(_weighted, x, weight), {weight: many_weight})
    of_x = np.random.default_rng(2).normal(size=(2, 5))
    found = compiled(many, x, many_weight)(of_x, np.array([1.0, -2.0]))
    assert found == pytest.approx(np.stack([np.cumsum(of_x, axis=-1), -2 * np.cumsum(of_x, axis=-1)]))


HAZARDS = np.array([[0.0, 0.3, 0.0], [0.2, 0.0, 0.25], [0.1, 0.3, 0.0]])


def switched(size, hazards=HAZARDS, seed=3):
    u = pt.tensor("u", shape=(1, YEARS.size), dtype="float64")
    path = maths.switching_path(u, pt.as_tensor_variable(YEARS), 2.0, pt.as_tensor_variable(hazards), 1)
    many = pt.tensor3("many")
    drawn = np.random.default_rng(seed).uniform(size=(size, 1, YEARS.size))
    return compiled(vectorize_graph(path, {u: many}), many)(drawn)[:, 0]


def test_a_state_starts_where_it_is_and_switches_only_after_the_as_of_date():
    path = switched(500)
    assert np.all(path[:, YEARS[0] <= 2.0] == 1)
    assert set(np.unique(path)) == {0.0, 1.0, 2.0}
    assert np.all(switched(20, np.zeros((3, 3))) == 1)


def test_states_are_as_likely_as_the_matrix_exponential_says():
    # 20,000 draws: the standard error of a share is at most 0.0036; five of them and 0.001 for the second
    # switch in one month that the path leaves out: a false alarm in a million.
    path, generator = switched(20_000), HAZARDS - np.diag(HAZARDS.sum(axis=1))
    for month in (36, 60, 120):
        expected = expm(generator * (YEARS[0, month] - 2.0))[1]
        found = [(path[:, month] == state).mean() for state in range(3)]
        assert found == pytest.approx(expected, abs=0.019)
