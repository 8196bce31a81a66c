"""The monthly grid: decimal years at month starts, and where dates sit on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.dates import decimal_year

EPOCH = 2024.0
"""``m.years`` counts from the start of 2024, the year of "2024 algorithms"."""

START = date(2018, 1, 1)


@dataclass(frozen=True)
class Grid:
    """Month starts from 2018-01 to the first one that is not before `end`.

    Attributes
    ----------
    end : date
        The as-of date for inference, the horizon for projection.
    """

    end: date

    @cached_property
    def months(self) -> NDArray[np.datetime64]:
        """Month starts, datetime64[D], shape (time,)."""
        months = 12 * (self.end.year - START.year) + self.end.month - START.month + (self.end.day > 1)
        first = np.datetime64(START.isoformat(), "M")
        return np.arange(first, first + np.timedelta64(months + 1, "M")).astype("datetime64[D]")

    @cached_property
    def decimal(self) -> NDArray[np.float64]:
        """Month starts in decimal years, shape (time,)."""
        return np.array([decimal_year(month.item()) for month in self.months])

    @property
    def years(self) -> NDArray[np.float64]:
        """Years since 2024-01-01, shape (time,)."""
        return self.decimal - EPOCH

    def locate(self, dates: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Left grid index and fraction towards the next of decimal-year dates.

        Raises
        ------
        ValueError
            A date off the grid: compiled code would read other memory.
        """
        dates = np.asarray(dates, dtype=float)
        if dates.size and not (dates.min() >= self.decimal[0] and dates.max() <= self.decimal[-1]):
            raise ValueError(f"dates {dates.min():.2f}..{dates.max():.2f} are off the grid")
        left = np.clip(np.searchsorted(self.decimal, dates, side="right") - 1, 0, len(self.decimal) - 2)
        width = self.decimal[left + 1] - self.decimal[left]
        return left.astype(np.int64), (dates - self.decimal[left]) / width
