"""Shifts of crossing dates by a change: paired on the same draws, and between two fits."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest

from forecast.results import estimate
from forecast.results.shifts import (
    FEWEST,
    paired_change,
    paired_shift,
    quantile_mcse,
    unpaired_change,
    unpaired_shift,
)

SHAPE = (4, 500)
ALL = np.ones(SHAPE, dtype=bool)


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.fixture
def dates(rng):
    """Skewed crossing dates, a tenth of them never."""
    when = 2026.5 + rng.lognormal(1.5, 0.8, size=SHAPE)
    when[rng.random(SHAPE) < 0.1] = np.inf
    return when


# Paired --------------------------------------------------------------------------------------------


def test_a_change_that_changes_nothing_shifts_by_exactly_nothing(dates):
    shift = paired_shift(dates, dates.copy(), ALL)
    assert shift.years == {"0.05": 0.0, "0.5": 0.0, "0.95": 0.0} and shift.mcse == 0.0
    assert shift.p_both.p == np.mean(np.isfinite(dates))


def test_a_constant_delay_is_found_without_error_though_dates_scatter_by_years(dates):
    shift = paired_shift(dates, dates + 0.75, ALL)
    assert shift.years == pytest.approx({"0.05": 0.75, "0.5": 0.75, "0.95": 0.75}, abs=1e-9)
    assert shift.mcse == pytest.approx(0, abs=1e-9)


def test_shifts_are_of_the_accepted_draws_that_cross_both_ways():
    before = np.array([[2027.0, 2028.0, np.inf, 2030.0, 2031.0, np.inf]])
    after = np.array([[2026.0, np.inf, 2029.0, 2032.0, 2099.0, np.inf]])
    accepted = np.array([[True, True, True, True, False, True]])
    shift = paired_shift(before, after, accepted)
    assert shift.years["0.5"] == 0.5  # of -1 and +2
    assert shift.years["0.05"] == pytest.approx(-0.85) and shift.years["0.95"] == pytest.approx(1.85)
    assert shift.p_both.p == 2 / 5
    assert shift.mcse is None  # of two draws nothing can be said


def test_a_bloc_that_never_crosses_has_no_shift():
    never = np.full(SHAPE, np.inf)
    shift = paired_shift(never, never, ALL)
    assert shift.years == {"0.05": None, "0.5": None, "0.95": None} and shift.mcse is None
    assert shift.p_both.p == 0 and shift.p_both.mcse > 0


def test_dates_that_are_not_numbers_are_refused(dates):
    bad = dates.copy()
    bad[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        paired_shift(dates, bad, ALL)


def test_the_error_of_a_paired_shift_is_much_smaller_than_that_of_the_medians(rng):
    before = 2030 + rng.normal(0, 5, size=SHAPE)
    after = before + rng.normal(0.5, 0.2, size=SHAPE)
    paired, unpaired = paired_shift(before, after, ALL), unpaired_shift(before, ALL, after, ALL)
    assert paired.mcse < unpaired.mcse / 10
    # 2,000 independent draws: the error of a median is 1.2533 sd / sqrt(n); its estimate is good to a third.
    assert paired.mcse == pytest.approx(1.2533 * 0.2 / np.sqrt(2000), rel=0.4)


# The error of a quantile -----------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_where_every_draw_counts_the_error_is_that_of_arviz(rng, level):
    values = rng.normal(size=SHAPE)
    expected = float(az.mcse(values, chain_axis=0, draw_axis=1, method="quantile", prob=level))
    assert quantile_mcse(values, ALL, level) == pytest.approx(expected, rel=0.15)


def test_draws_that_follow_one_another_closely_have_a_larger_error(rng):
    slow = np.repeat(rng.normal(size=(4, 50)), 10, axis=1)  # every draw ten times
    found = quantile_mcse(slow, ALL)
    assert found > 2 * quantile_mcse(rng.normal(size=SHAPE), ALL)
    expected = float(az.mcse(slow, chain_axis=0, draw_axis=1, method="quantile", prob=0.5))
    assert found == pytest.approx(expected, rel=0.25)


def test_the_error_covers_the_scatter_of_repeated_medians(rng):
    """With a third of the draws left out at random; standard deviation of 300 medians, good to 4%."""
    medians, errors = [], []
    for _ in range(300):
        values, counted = rng.gumbel(size=(2, 150)), rng.random((2, 150)) > 1 / 3
        medians.append(np.median(values[counted]))
        errors.append(quantile_mcse(values, counted))
    # The mean of 300 errors that each scatter by some 20% is good to 1%; 20% is five times all of it.
    assert np.mean(errors) == pytest.approx(np.std(medians), rel=0.2)


def test_fewer_draws_than_a_handful_give_no_error(rng):
    counted = np.zeros(SHAPE, dtype=bool)
    counted[0, : FEWEST - 1] = True
    assert quantile_mcse(rng.normal(size=SHAPE), counted) is None
    counted[1, 0] = True
    assert quantile_mcse(rng.normal(size=SHAPE), counted) > 0


# Probabilities -----------------------------------------------------------------------------------------


def test_a_change_of_a_probability_is_the_difference_of_the_shares(rng):
    before, after = rng.random(SHAPE) < 0.3, rng.random(SHAPE) < 0.5
    accepted = rng.random(SHAPE) < 0.9
    found = paired_change(before, after, accepted)
    assert found.p == pytest.approx(after[accepted].mean() - before[accepted].mean())


def test_the_error_of_a_change_is_that_of_the_draws_own_differences(rng):
    before = rng.random(SHAPE) < 0.5
    after = before | (rng.random(SHAPE) < 0.02)
    found = paired_change(before, after, ALL)
    unpaired = unpaired_change(estimate(before, ALL), estimate(after, ALL))
    assert found.p == pytest.approx(unpaired.p) and found.mcse < unpaired.mcse / 3
    # A share of some 1%: sqrt(0.01 / 2000), its estimate good to a third.
    assert found.mcse == pytest.approx(np.sqrt(found.p * (1 - found.p) / 2000), rel=0.35)


def test_where_no_draw_changes_the_change_is_zero_and_its_error_is_not(rng):
    same = rng.random(SHAPE) < 0.4
    found = paired_change(same, same, ALL)
    assert found.p == 0 and 0 < found.mcse < 0.001


def test_a_change_in_every_draw_has_an_error_too():
    found = paired_change(~ALL, ALL, ALL)
    assert found.p == 1 and 0 < found.mcse < 0.001


# Unpaired ------------------------------------------------------------------------------------------------


def test_between_two_fits_quantiles_are_compared_and_errors_add_up(rng):
    before = rng.normal(2030, 2, size=(4, 300))
    after = rng.normal(2031, 2, size=(2, 900))
    some, every = np.ones((4, 300), dtype=bool), np.ones((2, 900), dtype=bool)
    found = unpaired_shift(before, some, after, every)
    for level in (0.05, 0.5, 0.95):
        expected = np.quantile(after, level) - np.quantile(before, level)
        assert found.years[f"{level:g}"] == pytest.approx(expected)
    parts = quantile_mcse(before, some), quantile_mcse(after, every)
    assert found.mcse == pytest.approx(np.hypot(*parts))


def test_between_two_fits_the_share_is_that_of_pairs_of_draws(dates, rng):
    after = np.where(rng.random(SHAPE) < 0.5, np.inf, dates)
    found = unpaired_shift(dates, ALL, after, ALL)
    assert found.p_both.p == pytest.approx(np.isfinite(dates).mean() * np.isfinite(after).mean())
    assert 0 < found.p_both.mcse < 0.02


def test_a_bloc_that_crosses_in_one_fit_alone_has_no_shift(dates):
    found = unpaired_shift(dates, ALL, np.full(SHAPE, np.inf), ALL)
    assert set(found.years.values()) == {None} and found.mcse is None and found.p_both.p == 0
