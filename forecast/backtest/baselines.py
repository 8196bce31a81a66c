"""Naive forecasts from the same evidence: a line, a random walk, and the last published growth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from forecast.backtest.predictive import Mixture
from forecast.evidence import EvidenceTable, read_tables
from forecast.evidence.schema import WORLD

Floats = NDArray[np.float64]

FEWEST_ROWS = 3
"""A line and its scatter need as many."""

RECENT_ROWS = 5
"""The level from which published growth is continued is the mean of up to so many last rows."""

GROWTH_PARTS = 200
"""Parts of the mixture over the uncertainty of published growth."""


class Unavailable(Exception):
    """A baseline cannot be made; the message says why, for the list of what is not available."""


@dataclass(frozen=True)
class Known:
    """What was known of one trajectory at an as-of date, in the order of dates.

    Attributes
    ----------
    at, value, error : ndarray, (row,)
        Decimal years; log10 unless the table is linear; standard deviations.
    """

    at: Floats
    value: Floats
    error: Floats

    def until(self, at: float) -> Known:
        """Return the rows up to a date: a plan for a later one is nothing to walk on from."""
        kept = self.at <= at
        return Known(self.at[kept], self.value[kept], self.error[kept])


def log_linear(known: Known, at: float) -> Mixture:
    """Least squares on the dates, with the t distribution of a new row about the line.

    Raises
    ------
    Unavailable
        Fewer than three rows, or all of one date.
    """
    n = len(known.at)
    if n < FEWEST_ROWS or np.ptp(known.at) == 0:
        raise Unavailable(
            f"{_rows(n)} known, and a line with its scatter needs {FEWEST_ROWS} of several dates"
        )
    centre = known.at.mean()
    spread = float(np.sum((known.at - centre) ** 2))
    slope = float(np.sum((known.at - centre) * known.value)) / spread
    line = known.value.mean() + slope * (known.at - centre)
    scatter = np.sqrt(np.sum((known.value - line) ** 2) / (n - 2))
    scatter = max(float(scatter), float(np.median(known.error)))  # rows that happen to lie on a line
    sd = scatter * np.sqrt(1 + 1 / n + (at - centre) ** 2 / spread)
    return Mixture.of(known.value.mean() + slope * (at - centre), sd, n - 2)


def random_walk(known: Known, at: float) -> Mixture:
    """A random walk with drift through the rows, which continues from the last one.

    Drift and variance are those of the steps, unequally long; the t distribution
    allows for both being estimated.

    Raises
    ------
    Unavailable
        Fewer than three dates.
    """
    known = known.until(at)
    dates = np.unique(known.at)
    highest = np.array([known.value[known.at == day].max() for day in dates])
    steps = len(dates) - 1
    if steps < FEWEST_ROWS - 1:
        raise Unavailable(
            f"{_rows(len(dates))} of different dates known, and a random walk needs {FEWEST_ROWS}"
        )
    widths, total = np.diff(dates), float(dates[-1] - dates[0])
    drift = float(highest[-1] - highest[0]) / total
    variance = float(np.sum((np.diff(highest) - drift * widths) ** 2 / widths)) / (steps - 1)
    ahead = at - float(dates[-1])
    sd = np.sqrt(variance * (ahead + ahead**2 / total) + float(np.median(known.error)) ** 2)
    return Mixture.of(highest[-1] + drift * ahead, sd, steps - 1)


def published_growth(known: Known, at: float, *, series: str, bloc: str, as_of: date) -> Mixture:
    """Continue the last rows at the growth that somebody had published last.

    Parameters
    ----------
    known : Known
    at : float
    series, bloc : str
        A statement about the bloc goes before one about the world.
    as_of : datetime.date
        Only statements published by this day count.

    Raises
    ------
    Unavailable
        Nothing had been published, or no row is known to start from.
    """
    said = _last_statement(series, bloc, as_of)
    if said is None:
        raise Unavailable("no published growth rate of it is in the table by then")
    known = known.until(at)
    if not len(known.at):
        raise Unavailable("no row known to continue from")
    mean, sd = said
    parts = (np.arange(GROWTH_PARTS) + 0.5) / GROWTH_PARTS
    growth = stats.norm.ppf(parts, mean, sd) if sd > 0 else np.full(1, mean)
    dates, values = known.at[-RECENT_ROWS:], known.value[-RECENT_ROWS:]
    level = values.mean() + growth * (at - dates.mean())
    about = values - values.mean() - mean * (dates - dates.mean())
    n = len(dates)
    least = float(np.median(known.error))
    scatter = max(float(np.sqrt(np.sum(about**2) / (n - 1))), least) if n > 1 else least
    return Mixture.of(level, scatter * np.sqrt(1 + 1 / n), max(n - 1, 1) if n > 1 else np.inf)


@cache
def published_tables() -> dict[str, EvidenceTable]:
    """Return the published growth rates that ship with the package, with their sources."""
    return read_tables(resources.files("forecast.backtest") / "published", "backtest")


def _last_statement(series: str, bloc: str, as_of: date) -> tuple[float, float] | None:
    """Mean and standard deviation of the last published growth per year, in the scale of the rows."""
    for whose in (bloc, WORLD):
        found = [
            (row.published, float(value if table.spec.linear else np.log10(value)), float(error))
            for table in published_tables().values()
            for row, value, error in zip(
                table.rows, (row.value for row in table.rows), table.errors(), strict=True
            )
            if row.extra["about"] == series and row.bloc == whose and row.published <= as_of
        ]
        if found:
            _, mean, sd = max(found)
            return mean, sd
    return None


def _rows(count: int) -> str:
    return "no row" if not count else "1 row" if count == 1 else f"{count} rows"
