"""The monthly grid."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.dates import decimal_year
from forecast.model import Grid

END = date(2030, 1, 1)
GRID = Grid(END)


@pytest.mark.parametrize(
    ("end", "last", "length"),
    [
        (date(2026, 6, 30), "2026-07-01", 103),
        (date(2026, 7, 1), "2026-07-01", 103),
        (date(2026, 7, 2), "2026-08-01", 104),
        (date(2060, 12, 31), "2061-01-01", 517),
    ],
)
def test_the_grid_runs_from_2018_to_the_first_month_start_that_is_not_before_the_end(end, last, length):
    grid = Grid(end)
    assert str(grid.months[0]) == "2018-01-01" and str(grid.months[-1]) == last
    assert len(grid.months) == len(grid.decimal) == length
    assert grid.months.dtype == np.dtype("datetime64[D]")


def test_years_count_from_2024():
    assert GRID.years[72] == 0.0 and GRID.decimal[72] == 2024.0
    assert GRID.decimal[GRID.months == np.datetime64("2027-07-01")] == pytest.approx(2027 + 181 / 365)


def test_a_month_start_sits_on_itself_and_the_last_one_at_the_end_of_its_interval():
    left, fraction = GRID.locate(GRID.decimal)
    assert left[:-1].tolist() == list(range(len(GRID.months) - 1)) and np.all(fraction[:-1] == 0)
    assert left[-1] == len(GRID.months) - 2 and fraction[-1] == pytest.approx(1.0)


@given(st.integers(0, (END - date(2018, 1, 1)).days))
def test_every_day_is_located_where_interpolation_gives_it_back(days):
    when = decimal_year(date(2018, 1, 1) + timedelta(days=days))
    left, fraction = GRID.locate(np.array([when]))
    assert 0 <= fraction[0] <= 1
    back = GRID.decimal[left] * (1 - fraction) + GRID.decimal[left + 1] * fraction
    assert back[0] == pytest.approx(when, abs=1e-9)


@pytest.mark.parametrize("when", [2017.99, 2030.01, np.nan, np.inf])
def test_a_date_off_the_grid_is_an_error_and_never_an_index(when):
    with pytest.raises(ValueError, match="off the grid"):
        GRID.locate(np.array([2025.0, when]))


def test_no_dates_at_all_are_fine():
    left, fraction = GRID.locate(np.array([]))
    assert left.shape == fraction.shape == (0,)
