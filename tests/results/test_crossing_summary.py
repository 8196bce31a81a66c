"""Quantiles with "never", window probabilities, lead and polarity, and their errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from forecast.results.crossing_summary import (
    QUANTILE_LEVELS,
    estimate,
    lead_years,
    polarity,
    quantiles,
    window_indicators,
)

INF = float("inf")
DATES = st.one_of(st.floats(2018, 2061), st.sampled_from([2026.0, 2028.0, 2061.0, INF]))


def crossing_arrays(blocs: int | None = None) -> st.SearchStrategy[np.ndarray]:
    shape = array_shapes(min_dims=3, max_dims=3, max_side=6)
    if blocs is not None:
        shape = shape.map(lambda sides: (*sides[:2], blocs))
    return shape.flatmap(lambda sides: arrays(float, sides, elements=DATES))


@settings(deadline=None)
@given(when=crossing_arrays(), start=st.floats(2018, 2061), length=st.floats(0, 40))
def test_every_draw_is_before_in_after_or_never_and_in_one_only(
    when: np.ndarray, start: float, length: float
) -> None:
    kinds = window_indicators(when, start, start + length)
    assert (sum(kind.astype(int) for kind in kinds.values()) == 1).all()


@settings(deadline=None)
@given(when=crossing_arrays(), within=st.floats(0, 50))
def test_every_draw_is_unipolar_for_one_bloc_bipolar_or_neither(when: np.ndarray, within: float) -> None:
    kinds = polarity(when, 2061.0, within)
    together = kinds.unipolar.sum(axis=-1) + kinds.bipolar.astype(int) + kinds.neither.astype(int)
    assert (together == 1).all()


@settings(deadline=None)
@given(
    values=arrays(
        float, st.integers(1, 30), elements=st.one_of(st.floats(-50, 50), st.just(INF), st.just(-INF))
    )
)
def test_quantiles_never_decrease(values: np.ndarray) -> None:
    found = quantiles(values)
    finite = [value for value in found.values() if value is not None]
    assert finite == sorted(finite)
    if np.isfinite(values).all():
        np.testing.assert_allclose(list(found.values()), np.quantile(values, QUANTILE_LEVELS), atol=1e-9)


@settings(deadline=None)
@given(values=arrays(float, st.integers(1, 30), elements=DATES))
def test_a_quantile_is_null_from_where_never_begins_and_not_before(values: np.ndarray) -> None:
    known = [value is not None for value in quantiles(values).values()]
    assert known == sorted(known, reverse=True)


@settings(max_examples=60, deadline=None)
@given(when=crossing_arrays(blocs=2), mask=st.integers(1, 2**12 - 1))
def test_probabilities_of_accepted_draws_sum_to_one(when: np.ndarray, mask: int) -> None:
    accepted = np.array([mask >> index & 1 for index in range(when[..., 0].size)], dtype=bool)
    accepted = accepted.reshape(when.shape[:2])
    if not accepted.any():
        accepted[0, 0] = True
    shares = [estimate(kind, accepted) for kind in window_indicators(when[..., 0], 2026.0, 2028.0).values()]
    assert sum(share.p for share in shares) == pytest.approx(1, abs=1e-12)
    assert all(np.isfinite(share.mcse) and share.mcse > 0 for share in shares)
    kinds = polarity(when, 2061.0, 1.0)
    shares = [
        estimate(kind, accepted)
        for kind in (*np.moveaxis(kinds.unipolar, -1, 0), kinds.bipolar, kinds.neither)
    ]
    assert sum(share.p for share in shares) == pytest.approx(1, abs=1e-12)


def test_never_counts_as_later_than_every_date() -> None:
    found = quantiles([2030.0, 2040.0, INF, INF], [0.0, 0.25, 0.5, 0.75])
    assert found == {"0": 2030.0, "0.25": 2037.5, "0.5": None, "0.75": None}


def test_a_quantile_exactly_on_the_last_date_is_that_date() -> None:
    assert quantiles([2030.0, 2040.0, INF], [0.5]) == {"0.5": 2040.0}


def test_no_draws_have_no_quantiles() -> None:
    assert set(quantiles([]).values()) == {None}


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        quantiles([2030.0, np.nan])
    with pytest.raises(ValueError, match="NaN"):
        window_indicators([np.nan], 2026.0, 2028.0)


def test_a_window_holds_its_first_moment_and_not_the_one_after_its_last_day() -> None:
    kinds = window_indicators([2025.999, 2026.0, 2027.999, 2028.0, INF], 2026.0, 2028.0)
    assert [int(np.argmax(column)) for column in np.array(list(kinds.values())).T] == [0, 1, 1, 2, 3]


def test_the_monte_carlo_error_of_independent_draws_is_the_binomial_one() -> None:
    # 2,000 independent draws: the ESS is estimated to about 10%, the error to about 5%.
    indicator = np.random.default_rng(0).random((4, 500)) < 0.3
    found = estimate(indicator, np.ones((4, 500)))
    assert found.p == indicator.mean()
    assert found.mcse == pytest.approx(np.sqrt(0.3 * 0.7 / 2000), rel=0.2)


def test_the_monte_carlo_error_counts_accepted_draws_alone() -> None:
    rng = np.random.default_rng(1)
    accepted = rng.random((4, 500)) < 0.25
    indicator = rng.random((4, 500)) < 0.3
    found = estimate(indicator, accepted)
    assert found.p == indicator[accepted].mean()
    assert found.mcse == pytest.approx(np.sqrt(0.3 * 0.7 / accepted.sum()), rel=0.2)


def test_draws_that_stick_together_have_a_larger_error() -> None:
    rng = np.random.default_rng(2)
    sticky = np.repeat(rng.random((4, 50)) < 0.3, 10, axis=1)
    assert estimate(sticky, np.ones((4, 500))).mcse > 2 * np.sqrt(0.3 * 0.7 / 2000)


def test_an_event_that_no_draw_shows_has_an_error_all_the_same() -> None:
    found = estimate(np.zeros((4, 500)), np.ones((4, 500)))
    q = 0.5 / 2001
    assert found.p == 0
    assert found.mcse == pytest.approx(np.sqrt(q * (1 - q) / 2000))
    assert estimate(np.ones((4, 500)), np.ones((4, 500))).mcse == pytest.approx(found.mcse)


def test_no_accepted_draw_and_differing_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="no draw"):
        estimate(np.ones((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="shapes"):
        estimate(np.ones((2, 3)), np.ones((3, 2)))


def test_the_lead_is_signed_and_infinite_where_one_side_never_crosses() -> None:
    found = lead_years([2030.0, 2032.0, 2030.0, INF, INF], [2032.0, 2030.0, INF, 2030.0, INF])
    np.testing.assert_array_equal(found, [2.0, -2.0, INF, -INF, np.nan])


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ((2030.0, 2031.0), "first"),  # exactly the limit
        ((2030.0, 2030.99), "bipolar"),
        ((2031.5, 2030.0), "second"),
        ((2030.0, 2030.0), "bipolar"),
        ((2060.0, INF), "first"),  # exactly the limit before the horizon
        ((2060.01, INF), "neither"),
        ((INF, 2040.0), "second"),
        ((INF, INF), "neither"),
    ],
)
def test_two_blocs_are_unipolar_bipolar_or_neither(dates: tuple[float, float], expected: str) -> None:
    kinds = polarity(np.array([[dates]]), 2061.0, 1.0)
    flags = [kinds.unipolar[0, 0, 0], kinds.unipolar[0, 0, 1], kinds.bipolar[0, 0], kinds.neither[0, 0]]
    assert [bool(flag) for flag in flags] == [
        expected == kind for kind in ("first", "second", "bipolar", "neither")
    ]


def test_blocs_that_cross_at_one_moment_are_bipolar_even_within_no_time() -> None:
    assert polarity(np.array([[[2030.0, 2030.0]]]), 2061.0, 0.0).bipolar.all()


def test_with_three_blocs_the_second_to_cross_decides() -> None:
    kinds = polarity(np.array([[[2035.0, 2030.0, 2030.5], [2031.5, 2040.0, 2030.0]]]), 2061.0, 1.0)
    assert kinds.bipolar.tolist() == [[True, False]]
    assert kinds.unipolar[0, 1].tolist() == [False, False, True]


def test_a_single_bloc_is_alone_unless_it_is_too_late() -> None:
    kinds = polarity(np.array([[[2030.0], [2060.5], [INF]]]), 2061.0, 1.0)
    assert kinds.unipolar[0, :, 0].tolist() == [True, False, False]
    assert kinds.neither.tolist() == [[False, True, True]]
