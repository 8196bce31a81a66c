"""Dates: ISO days at the edges, decimal years inside.

A day is the moment at which it begins: 2027-07-01 is 2027 + 181/365. The end of
a period is inclusive: a window to 2027-12-31 ends at 2028.0.
"""

from __future__ import annotations

import calendar
import datetime
import math
from datetime import date

FORMAT = "dates are written YYYY-MM-DD"


def days_in_year(year: int) -> int:
    """Return 365, or 366 in a leap year."""
    return 366 if calendar.isleap(year) else 365


def decimal_year(day: date) -> float:
    """Return the beginning of a day in decimal years.

    Parameters
    ----------
    day : date

    Returns
    -------
    float
        Year plus the share of that year's days gone by; 2027-07-01 is 2027 + 181/365.
    """
    return day.year + (day.timetuple().tm_yday - 1) / days_in_year(day.year)


def end_of(day: date) -> float:
    """Return the end of a day in decimal years; that of 2027-12-31 is 2028.0."""
    return day.year + day.timetuple().tm_yday / days_in_year(day.year)


def from_decimal_year(year: float) -> date:
    """Return the day that holds a moment given in decimal years.

    Parameters
    ----------
    year : float
        Finite, from 1 to 9999.99...

    Returns
    -------
    date
        Inverse of :func:`decimal_year` for the beginning of a day.

    Raises
    ------
    ValueError
        If `year` is not finite or is outside the calendar.
    """
    if not math.isfinite(year) or not 1 <= year < 10_000:
        raise ValueError(f"{year!r} is not a year of the calendar")
    whole = math.floor(year)
    length = days_in_year(whole)
    # A hundredth of a second is added: the fraction of a year is not exact in floating point.
    days = math.floor((year - whole) * length + 1e-7)
    return date(whole, 1, 1) + datetime.timedelta(days=min(days, length - 1))


def parse_date(value: object) -> date:
    """Read a day from a TOML local date or from text.

    Parameters
    ----------
    value : object
        A `date`, or text such as ``"2026-06-30"``.

    Raises
    ------
    ValueError
        In words, if it is anything else: a time of day included.
    """
    if isinstance(value, datetime.datetime):
        raise ValueError(
            f"must be a day without a time, such as {value.date().isoformat()}, got {value.isoformat()}"
        )
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a date such as 2026-06-30, got {value!r:.60}")
    text = value.strip()
    # date.fromisoformat also reads 20260630 and 2026-W27-2, which people do not expect to be dates.
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():
        raise ValueError(f"must be a date such as 2026-06-30, got {value!r:.60}")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is no day of the calendar: {value!r} ({FORMAT})") from None


def parse_period(text: str) -> tuple[date, date]:
    """Read ``START:END``, both days inclusive.

    Raises
    ------
    ValueError
        In words, if there are not two dates. Their order is not checked.
    """
    start, colon, end = text.partition(":")
    if not colon:
        raise ValueError(f"must be START:END, such as 2026-01-01:2027-12-31, got {text!r:.60}")
    return parse_date(start), parse_date(end)
