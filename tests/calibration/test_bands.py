"""Bands hold the whole curve of uniform values as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

from forecast.calibration.bands import band, counts, inside, p_value, points


@pytest.mark.parametrize("size", [2, 17, 60])
def test_a_band_holds_curves_with_its_probability(size):
    low, high = band(size, 0.9)
    values = np.sort(np.random.default_rng(3).random((20_000, size)))
    curves = np.array([np.searchsorted(one, points(size), side="right") for one in values])
    share = ((curves >= low) & (curves <= high)).all(axis=1).mean()
    assert share == pytest.approx(inside(low, high), abs=0.01)  # four standard errors
    assert inside(low, high) >= 0.9


def test_a_curve_is_inside_where_its_p_value_says_so():
    rng = np.random.default_rng(5)
    low, high = band(60, 0.95)
    for spread in np.repeat([0.8, 1.0, 1.3], 300):
        values = np.clip(0.5 + spread * (rng.random(60) - 0.5), 0, 1)
        curve = counts(values)
        assert bool(((curve >= low) & (curve <= high)).all()) == (p_value(values) > 0.05)


def test_the_band_is_the_one_that_arviz_finds_by_simulation():
    level = simulate_confidence_bands(100, 1, points(100), 0.95, 5000, np.random.default_rng(1))
    lower, upper = get_pointwise_confidence_band(level, 100, points(100))
    low, high = band(100, 0.95)
    assert np.abs(np.round(lower * 100) - low).max() <= 1
    assert np.abs(np.round(upper * 100) - high).max() <= 1


def test_p_values_of_too_few_values_say_nothing_and_of_wrong_ones_much():
    assert p_value(np.array([0.3])) == 1.0
    rng = np.random.default_rng(2)
    assert p_value(rng.beta(1.0, 2.0, 200)) < 1e-6  # shifted
    assert p_value(rng.beta(0.4, 0.4, 200)) < 1e-3  # posteriors too narrow
    assert p_value(rng.random(200)) > 0.01
