"""Summaries of evidence tables, for people and for JSON."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from forecast.evidence.schema import HEADER, Cell
from forecast.evidence.tables import EvidenceTable, Row


@dataclass(frozen=True)
class TableSummary:
    """What a table holds.

    Attributes
    ----------
    table, driver, title, description, unit, licence
        As declared; `unit` is the one that values are converted to.
    used : bool
        Whether a likelihood reads the table.
    default_error : float or None
        Standard deviation of a row without interval: dex, or `unit` if `linear`.
    default_error_source : str
        Why.
    linear : bool
        Whether values are not logged.
    vintages : str
        ``none``, ``row`` or ``whole``.
    rows : int
        All rows, every vintage counted.
    by_bloc : dict of str to int
        Rows by bloc, in order of appearance.
    first_date, last_date : date or None
        Range of days that the values are about.
    first_published, last_published : date or None
        Range of days of publication.
    as_of : date
        The day that `known` is about.
    known : int
        Rows that enter a forecast as of that day.
    sources : int
        Distinct sources.
    """

    table: str
    driver: str
    title: str
    description: str
    unit: str
    licence: str
    used: bool
    default_error: float | None
    default_error_source: str
    linear: bool
    vintages: str
    rows: int
    by_bloc: dict[str, int]
    first_date: datetime.date | None
    last_date: datetime.date | None
    first_published: datetime.date | None
    last_published: datetime.date | None
    as_of: datetime.date
    known: int
    sources: int

    def to_json(self) -> dict[str, object]:
        """Return plain values that ``json`` writes; days as ISO text."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def summarize(table: EvidenceTable, as_of: datetime.date) -> TableSummary:
    """Summarise a table.

    Parameters
    ----------
    table : EvidenceTable
        Not yet filtered by any day.
    as_of : datetime.date
        The day by which rows are counted as known.

    Returns
    -------
    TableSummary
        Counts, ranges of dates, and the declaration.
    """
    spec = table.spec
    first_date, last_date = _range(row.date for row in table.rows)
    first_published, last_published = _range(row.published for row in table.rows)
    return TableSummary(
        table=spec.name,
        driver=table.driver,
        title=spec.title,
        description=spec.description,
        unit=spec.unit,
        licence=spec.licence,
        used=spec.used,
        default_error=spec.default_error,
        default_error_source=spec.default_error_source,
        linear=spec.linear,
        vintages=spec.vintages,
        rows=len(table),
        by_bloc=dict(Counter(row.bloc for row in table.rows)),
        first_date=first_date,
        last_date=last_date,
        first_published=first_published,
        last_published=last_published,
        as_of=as_of,
        known=len(table.known_by(as_of)),
        sources=len({row.source for row in table.rows}),
    )


def row_to_json(row: Row) -> dict[str, object]:
    """Return a row's columns, common and typed, as plain values; None for a blank cell."""
    return {name: _plain(row.get(name)) for name in (*HEADER, *row.extra)}


def _range(days: Iterable[datetime.date]) -> tuple[datetime.date, datetime.date] | tuple[None, None]:
    known = sorted(days)
    return (known[0], known[-1]) if known else (None, None)


def _plain(value: Cell | dict[str, int]) -> object:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return None if isinstance(value, float) and math.isnan(value) else value
