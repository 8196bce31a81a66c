"""As-of dates of a backtest, and how far ahead a row is."""

from __future__ import annotations

import calendar
from datetime import date

from forecast.errors import InputError

MONTHS_AHEAD = (6, 12, 24)
"""A case belongs to the first of these that it is within: up to 6 months, 7 to 12, 13 to 24."""

FIRST_MONTHS, LAST_MONTHS = 42, 3
"""By default the first as-of date is so long before the worldview's, and the last so short."""

EVERY = 3
"""Months between as-of dates by default."""


def months_later(day: date, months: int) -> date:
    """Return the day a number of months later (or earlier); the last of a month stays the last."""
    place = 12 * day.year + day.month - 1 + months
    year, month = place // 12, place % 12 + 1
    length = calendar.monthrange(year, month)[1]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return date(year, month, length if is_last else min(day.day, length))


def as_of_dates(
    as_of: date, first: date | None = None, last: date | None = None, every: int = EVERY
) -> tuple[date, ...]:
    """Return the as-of dates, counted back from the last one.

    Parameters
    ----------
    as_of : datetime.date
        Of the worldview, for the defaults.
    first, last : datetime.date, optional
    every : int
        Months from one to the next.

    Raises
    ------
    InputError
        The first is after the last.
    """
    last = last or months_later(as_of, -LAST_MONTHS)
    first = first or min(months_later(as_of, -FIRST_MONTHS), last)
    if first > last:
        raise InputError(f"--from {first} is after --to {last}: there is no as-of date between them")
    if every < 1:
        raise InputError(f"--every {every}: must be a number of months, at least 1")
    months = 12 * (last.year - first.year) + last.month - first.month
    found = [months_later(last, -back) for back in range(0, months + 1, every)]
    return tuple(day for day in reversed(found) if day >= first)


def bucket(as_of: date, day: date) -> int | None:
    """Return which of `MONTHS_AHEAD` a day belongs to; None beyond the last."""
    for months in MONTHS_AHEAD:
        if day <= months_later(as_of, months):
            return months
    return None
