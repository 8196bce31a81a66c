"""Crossing dates: exact inside the month, for all, any and mixtures of conditions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.projection import crossings

DECIMAL = 2026.0 + np.array([0, 31, 59, 90, 120, 151]) / 365


def first(parts, combine=None):
    """First moment of (trajectory, threshold) pairs of one draw and bloc."""
    held = [crossings.holds(np.array(t, float)[None, None], np.array([at], float)) for t, at in parts]
    holding = combine(held) if combine else held[0]
    return crossings.first_moment(holding, DECIMAL[: len(parts[0][0])])[0, 0]


def inside(month, fraction):
    return DECIMAL[month] + fraction * (DECIMAL[month + 1] - DECIMAL[month])


def test_a_crossing_is_interpolated_linearly_inside_the_month():
    assert first([([0, 1, 2, 6], 3.0)]) == pytest.approx(inside(2, 0.25), abs=1e-12)


def test_touching_the_threshold_counts_and_so_does_holding_from_the_start():
    assert first([([0, 1, 3, 1], 3.0)]) == pytest.approx(DECIMAL[2], abs=1e-12)
    assert first([([4, 1, 3, 1], 3.0)]) == DECIMAL[0]
    assert first([([3, 3, 3, 3], 3.0)]) == DECIMAL[0]


def test_never_is_infinity():
    assert first([([0, 1, 2, 2.999], 3.0)]) == np.inf
    assert first([([0, 1, 2, 9], np.inf)]) == np.inf


def test_all_waits_for_the_later_condition():
    pair = [([0, 2, 4, 6], 3.0), ([0, 1, 2, 6], 3.0)]
    assert first(pair, crossings.every) == pytest.approx(inside(2, 0.25), abs=1e-12)
    assert first(pair, crossings.some) == pytest.approx(inside(1, 0.5), abs=1e-12)


def test_all_needs_both_at_the_same_moment():
    up, down = ([0, 4, 4, 4], 2.0), ([4, 0, 0, 0], 2.0)
    assert first([up, down], crossings.every) == pytest.approx(inside(0, 0.5), abs=1e-12)  # they meet there
    late = ([0, 0, 4, 4], 2.0)
    assert first([late, down], crossings.every) == np.inf
    back = ([4, 0, 0, 4], 2.0)
    assert first([late, back], crossings.every) == pytest.approx(inside(2, 0.5), abs=1e-12)


def test_each_draw_follows_the_part_that_it_chose():
    trajectory = np.tile(np.array([0.0, 2, 4, 6]), (2, 1, 1))
    parts = [crossings.holds(trajectory, np.array([at, at])) for at in (1.0, 5.0)]
    found = crossings.first_moment(crossings.chosen(parts, np.array([0, 1])), DECIMAL[:4])
    assert found[:, 0] == pytest.approx([inside(0, 0.5), inside(2, 0.5)], abs=1e-12)


def test_blocs_and_draws_are_kept_apart():
    trajectory = np.array([[[0.0, 2, 4], [0, 0, 1]], [[0, 0, 8], [9, 9, 9]]])
    found = crossings.first_moment(crossings.holds(trajectory, np.array([3.0, 4.0])), DECIMAL[:3])
    assert found == pytest.approx(np.array([[inside(1, 0.5), np.inf], [inside(1, 0.5), DECIMAL[0]]]))


FINE = np.linspace(0, 1, 401)
levels = arrays(float, 6, elements=st.integers(-8, 8).map(float))


def brute(parts, together):
    """First point of a fine grid at which the conditions hold."""
    for month in range(5):
        on = [
            trajectory[month] + FINE * (trajectory[month + 1] - trajectory[month]) >= at - 1e-12
            for trajectory, at in parts
        ]
        hits = np.flatnonzero(together(on))
        if len(hits):
            return inside(month, FINE[hits[0]])
    return np.inf


@given(levels, levels, st.integers(-8, 8), st.integers(-8, 8))
@settings(max_examples=300, deadline=None)
def test_all_and_any_are_what_a_fine_grid_finds(a, b, x, y):
    parts = [(a, x + 0.5), (b, y + 0.5)]
    step = (DECIMAL[1] - DECIMAL[0]) / 400
    anywhere = first(parts, crossings.some)
    assert anywhere == pytest.approx(brute(parts, np.logical_or.reduce), abs=step + 1e-9)
    both, grid = first(parts, crossings.every), brute(parts, np.logical_and.reduce)
    # A moment at which one begins exactly as the other ends lies between the points of a grid: then both
    # are at their thresholds there.
    if both < grid - step - 1e-9:
        assert all(np.interp(both, DECIMAL, values) >= level - 1e-6 for values, level in parts)
    else:
        assert both == pytest.approx(grid, abs=step + 1e-9)


@given(levels, st.integers(-8, 8))
@settings(max_examples=200, deadline=None)
def test_a_higher_threshold_is_never_crossed_earlier(a, x):
    assert first([(a, x + 1.25)]) >= first([(a, x + 0.5)])
