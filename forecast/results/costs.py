"""Spent, not saved: what a fixed capability costs, beside what the frontier spends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecast.dates import decimal_year
from forecast.results.crossing_summary import FloatArray
from forecast.results.trajectories import Trajectories, interval

if TYPE_CHECKING:
    from forecast.evidence import EvidenceTable
    from forecast.results.stored import StoredRun

SCHEMA = "forecast.costs/1"
SPAN = 3
"""Years before and after the as-of date over which yearly factors are taken."""

YEARS_BEFORE, YEARS_AFTER = 5, 6
"""Years shown before and after that of the as-of date."""

LITERATURE = "algorithmic_progress"
"""The evidence table of published rates, where a driver has one."""


ANCHOR_SHORT = "the level is anchored on that model's own training compute, and only the slope is a result"
ANCHOR = (
    f"{ANCHOR_SHORT}. `forecast claims` infers what a capability was expected to cost from the frontier's "
    "relation instead."
)
TAILS = (
    "the 90% interval of the fall is wider than the studies. Rates in OOM a year have a log-normal spread "
    "between studies, of which the true rate is one more draw; a factor a year is 10 to that power, so its "
    "upper tail is long."
)


@dataclass(frozen=True)
class Series:
    """One line of the comparison.

    Attributes
    ----------
    id : str
    title : str or None
        None for what the run calls its quantity.
    quantity : str
        In log10 USD, or USD a year.
    over_blocs : {"largest", "smallest"}
        Which bloc counts, draw by draw and date by date.
    """

    id: str
    title: str | None
    quantity: str
    over_blocs: Literal["largest", "smallest"]


SERIES = (
    Series("fixed_capability", None, "cost_of_fixed_capability", "smallest"),
    Series("largest_run", "The largest run of the leading bloc", "cost_of_largest_run", "largest"),
    Series("investment", "A year's investment of the leading bloc", "investment", "largest"),
)


def series_draws(run: Trajectories, series: Series) -> FloatArray:
    """Draws of a series, (draw, time), in log10 USD.

    Raises
    ------
    NotAvailable
        Where the run has no such quantity.
    """
    values = run.values(series.quantity)
    most = np.max if series.over_blocs == "largest" else np.min
    result: FloatArray = most(values, axis=1)
    return result


def cost_summary(
    run: StoredRun, tables: Mapping[tuple[str, str], EvidenceTable] | None = None
) -> dict[str, Any]:
    """Compare the cost of a fixed capability with what the frontier spends.

    Parameters
    ----------
    run : StoredRun
    tables : mapping of (driver, table) to EvidenceTable, optional
        Installed evidence; published rates are read from the table
        ``algorithmic_progress``, whatever the run's as-of date.

    Returns
    -------
    dict
        ``forecast.costs/1``: ``series``, each with medians and 90% intervals on
        1 July of each year (USD) and the factor per year over the three years
        before and after the as-of date; and ``literature``.

    Raises
    ------
    NotAvailable
        Where the run lacks one of the quantities.
    """
    trajectories = Trajectories.of(run)
    as_of = date.fromisoformat(run.summary["as_of"])
    days = [date(year, 7, 1) for year in range(as_of.year - YEARS_BEFORE, as_of.year + YEARS_AFTER + 1)]
    inside = [day for day in days if trajectories.years[0] <= decimal_year(day) <= trajectories.years[-1]]
    described = []
    for series in SERIES:
        draws = series_draws(trajectories, series)
        described.append(
            {
                "id": series.id,
                "title": series.title or trajectories.long_name(series.quantity),
                "quantity": series.quantity,
                "unit": trajectories.unit(series.quantity).removeprefix("log10 "),
                "by_year": [
                    {
                        "date": day.isoformat(),
                        **_powers(interval(trajectories.interpolated(draws, decimal_year(day)))),
                    }
                    for day in inside
                ],
                "factor_per_year": {
                    "past": _factor(trajectories, draws, as_of, -SPAN),
                    "next": _factor(trajectories, draws, as_of, SPAN),
                },
            }
        )
    return {
        "schema": SCHEMA,
        "run": run.id,
        "worldview": run.summary["worldview"],
        "as_of": as_of.isoformat(),
        "prior_only": run.summary["prior_only"],
        "draws": int(trajectories.accepted.sum()),
        "series": described,
        "literature": published_rates((tables or {}).values()),
    }


def published_rates(tables: Iterable[EvidenceTable]) -> list[dict[str, Any]]:
    """Published rates of algorithmic progress: the studies that the fit reads, and stated judgements.

    Returns
    -------
    list of dict
        ``name``, ``kind``, ``value``, ``low`` and ``high`` (x/year, null
        without an interval), ``level``, ``source``, ``url``; studies first.
    """
    rows = [
        row
        for table in tables
        if table.name == LITERATURE and {"kind", "used_in_fit"} <= set(table.spec.columns)
        for row in table.rows
        if row.extra["used_in_fit"] or row.extra["kind"] == "judgement"
    ]
    rows.sort(key=lambda row: (not row.extra["used_in_fit"], row.date, row.name))
    return [
        {
            "name": row.name,
            "kind": row.extra["kind"],
            "value": row.value,
            **{key: _known(getattr(row, key)) for key in ("low", "high", "level")},
            "source": row.source,
            "url": row.url,
        }
        for row in rows
    ]


def _factor(run: Trajectories, draws: FloatArray, as_of: date, span: int) -> dict[str, Any] | None:
    """Factor per year between the as-of date and one `span` years from it; None outside the run's dates."""
    now, then = decimal_year(as_of), decimal_year(as_of) + span
    if not run.years[0] <= then <= run.years[-1]:
        return None
    change = (run.interpolated(draws, then) - run.interpolated(draws, now)) / span
    first, last = sorted((as_of.year, as_of.year + span))
    return {"from": as_of.replace(year=first, day=1).isoformat()[:7],
            "to": as_of.replace(year=last, day=1).isoformat()[:7], **_powers(interval(change))}  # fmt: skip


def _powers(logs: Mapping[str, float]) -> dict[str, float]:
    return {level: 10.0**value for level, value in logs.items()}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
