"""Fake dates of a policy: an analysis that finds effects at dates at which nothing happened finds noise."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from forecast.backtest.outcomes import Series, outcomes
from forecast.dates import decimal_year
from forecast.evidence import EvidenceTable
from forecast.host import Host
from forecast.model import Spec
from forecast.model.observations import PrepareContext, prepared

Floats = NDArray[np.float64]

WINDOW = 2.0
"""Years before and after a date whose rows are looked at."""

LEVEL = 0.1
"""Of the two-sided test: as many fake dates are expected to fail it where nothing happens."""

CLEAR = timedelta(days=90)
"""A fake date is so far from every event of the timeline, at least."""

FEWEST_ROWS = 4
"""Rows on each side of a date, in each of the two groups."""

QUANTITY = "training_compute"
"""What a tightening would slow, among what is observed often enough to see it."""


@dataclass(frozen=True)
class Break:
    """By how much growth changed at a date in the restricted bloc, beyond the change elsewhere.

    Attributes
    ----------
    day : datetime.date
    change : float
        OOM/year.
    error : float
        Its standard error.
    p : float
        Two-sided, of no change.
    rows : int
    """

    day: date
    change: float
    error: float
    p: float
    rows: int


def growth_break(at: Floats, value: Floats, restricted: NDArray[np.bool_], day: date) -> Break | None:
    """Estimate a change of growth by least squares: difference in differences of slopes.

    Parameters
    ----------
    at, value : ndarray, (row,)
        Decimal years and log10 values.
    restricted : ndarray of bool, (row,)
        Rows of the bloc under controls; the others are what it is compared with.
    day : datetime.date

    Returns
    -------
    Break or None
        None where either group has fewer than four rows on a side within two years.
    """
    since = at - decimal_year(day)
    near = np.abs(since) <= WINDOW
    for group in (restricted, ~restricted):
        if min(np.sum(near & group & (since <= 0)), np.sum(near & group & (since > 0))) < FEWEST_ROWS:
            return None
    since, value, group = since[near], value[near], restricted[near].astype(float)
    after = np.maximum(since, 0.0)
    design = np.column_stack([1 - group, group, (1 - group) * since, group * since, after, group * after])
    solution, _, rank, _ = np.linalg.lstsq(design, value, rcond=None)
    free = len(value) - design.shape[1]
    if rank < design.shape[1] or free < 1:
        return None
    rest = value - design @ solution
    # Rows of the two groups scatter differently, so each row counts with its own residual (HC3).
    inverse = np.linalg.inv(design.T @ design)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    weights = (rest / np.maximum(1.0 - leverage, 1e-6)) ** 2
    error = float(np.sqrt((inverse @ (design.T * weights) @ design @ inverse)[-1, -1]))
    if not error > 0:
        return None
    change = float(solution[-1])
    return Break(day, change, error, float(2 * stats.t.sf(abs(change / error), free)), len(value))


def event_table(host: Host) -> EvidenceTable | None:
    """Return the timeline of tightening and loosening, where a loaded driver has one."""
    for table in host.evidence().values():
        column = table.spec.columns.get("direction")
        if column is not None and "tighten" in column.choices:
            return table
    return None


def placebo(host: Host, spec: Spec, series: Mapping[str, Series]) -> dict[str, Any]:
    """Test fake dates of a tightening, and the real ones beside them.

    Parameters
    ----------
    host : Host
    spec : Spec
        For its blocs and the last day of evidence.
    series : mapping of str to Series
        Of the model.

    Returns
    -------
    dict
        With ``not_available`` where there is no timeline or too little to see.
    """
    table = event_table(host)
    measured = next((one for one in series.values() if one.quantities == (QUANTITY,)), None)
    if table is None or measured is None:
        what = (
            "no loaded driver has a timeline of controls" if table is None else f"nothing measures {QUANTITY}"
        )
        return {"not_available": what}
    events = [row for row in table.rows if row.bloc in spec.blocs]
    blocs = sorted({row.bloc for row in events})
    if len(blocs) != 1 or len(spec.blocs) < 2:
        return {"not_available": "needs one restricted bloc, and another to compare it with"}
    latest = outcomes(measured.table).for_blocs(spec.blocs)
    rows = prepared(measured.term, latest, PrepareContext(as_of=spec.as_of, blocs=spec.blocs))
    at, value = rows.columns["date"], rows.columns["value"]
    restricted = np.array([row.bloc == blocs[0] for row in rows.rows], dtype=bool)
    dates = [row.date for row in events]
    tightened = [row for row in events if row.extra["direction"] == "tighten"]
    fake = _found(at, value, restricted, _fake_dates(rows.rows[0].date, rows.rows[-1].date, dates))
    real = _found(at, value, restricted, [row.date for row in tightened])
    names = {row.date: row.name for row in tightened}
    significant = sum(one.p < LEVEL for one in fake)
    return {
        "series": measured.name,
        "bloc": blocs[0],
        "method": f"least squares on the rows within {WINDOW:g} years: change of the bloc's growth at the "
        "date, less that of the other blocs, in OOM/year; robust errors (HC3)",
        "level": LEVEL,
        "fake": [_plain(one) for one in fake],
        "real": [{"name": names[one.day], **_plain(one)} for one in real],
        "fake_significant": significant,
        "expected": round(LEVEL * len(fake), 2),
        "detectable": _detectable(fake + real),
        "passed": bool(stats.binom.sf(significant - 1, len(fake), LEVEL) >= 0.05) if len(fake) > 2 else None,
    }


def _found(at: Floats, value: Floats, restricted: NDArray[np.bool_], days: Sequence[date]) -> list[Break]:
    found = (growth_break(at, value, restricted, day) for day in days)
    return [one for one in found if one is not None]


def _detectable(found: Sequence[Break]) -> float | None:
    """Return the change, OOM/year, that the test would find four times in five at a typical date."""
    factor = stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(0.8)
    return round(float(factor * np.median([one.error for one in found])), 2) if found else None


def _fake_dates(first: date, last: date, events: Sequence[date]) -> list[date]:
    """Ends of months between the first and the last row that are clear of every event."""
    days = [
        date(year, month, calendar.monthrange(year, month)[1])
        for year in range(first.year, last.year + 1)
        for month in (3, 6, 9, 12)
    ]
    return [day for day in days if all(abs(day - event) >= CLEAR for event in events)]


def _plain(one: Break) -> dict[str, Any]:
    return {
        "date": one.day.isoformat(),
        "change": round(one.change, 4),
        "error": round(one.error, 4),
        "p": round(one.p, 4),
        "rows": one.rows,
    }
