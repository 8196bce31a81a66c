"""Evidence rows and tables: filters that return tables, accessors that return vectors."""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.dates import decimal_year
from forecast.errors import PluginError
from forecast.evidence.schema import HEADER, WORLD, Cell, TableSpec
from forecast.wording import did_you_mean


@dataclass(frozen=True)
class Row:
    """One figure, with where it comes from.

    Parameters
    ----------
    bloc, name : str
        Whom and what the figure is about.
    date : datetime.date
        Day that the value is about; for a flow its period's last day.
    value, low, high : float
        Figure and interval (NaN where there is none), in `unit`.
    unit : str
        The table's first unit wherever the source's unit converts to it.
    level : float
        Probability that the interval holds, as in the source; NaN without one.
    published : datetime.date
        Day on which the figure became public.
    vintage : datetime.date or None
        Version of a figure that its source re-fits; None for its only one.
    source, url, note : str
        Primary source, its address, our words.
    extra : dict of str to Cell
        The table's typed columns; None for a blank cell.
    line : int
        Line in the CSV on which the row starts.
    """

    bloc: str
    name: str
    date: datetime.date
    value: float
    unit: str
    low: float
    high: float
    level: float
    published: datetime.date
    vintage: datetime.date | None
    source: str
    url: str
    note: str
    extra: dict[str, Cell]
    line: int

    def get(self, column: str) -> Cell:
        """Return the cell of a column, common or typed."""
        cell: Cell = getattr(self, column) if column in HEADER else self.extra[column]
        return cell


@dataclass(frozen=True)
class EvidenceTable:
    """A table of evidence: its declaration and its rows, in the file's order.

    Filters return new tables; accessors return numpy arrays, one entry a row.

    Parameters
    ----------
    spec : TableSpec
        What the driver declares.
    driver : str
        Name of the driver that owns the table.
    path : str
        The CSV, for messages.
    rows : tuple of Row
        The rows.
    """

    spec: TableSpec
    driver: str
    path: str
    rows: tuple[Row, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.spec.name

    def identity(self, row: Row) -> tuple[Cell, ...]:
        """Return what no two rows of the table share."""
        vintage = row.vintage if self.spec.vintages != "none" else None
        return (row.bloc, row.name, *(row.get(column) for column in self.spec.key), row.date, vintage)

    def with_rows(self, rows: Iterable[Row]) -> EvidenceTable:
        """Return the same table with other rows (simulated ones, a bootstrap's)."""
        return replace(self, rows=tuple(rows))

    def known_by(self, as_of: datetime.date) -> EvidenceTable:
        """Return what could be known on a day.

        Rows published after `as_of` go. Where the source re-fits its values, so
        do later vintages: with ``vintages = "row"`` each (bloc, name, key
        columns) keeps its latest vintage, with ``"whole"`` the table keeps only
        its latest vintage. Ask the whole table, not one filtered by a later day:
        that one has lost its earlier vintages.

        Parameters
        ----------
        as_of : datetime.date
            The day, inclusive.

        Returns
        -------
        EvidenceTable
            Possibly empty.
        """
        known = [row for row in self.rows if row.published <= as_of]
        if self.spec.vintages == "none":
            return self.with_rows(known)
        known = [row for row in known if _vintage(row) <= as_of]
        latest: dict[tuple[Cell, ...], datetime.date] = {}
        for row in known:
            group = self._group(row)
            latest[group] = max(_vintage(row), latest.get(group, datetime.date.min))
        return self.with_rows(row for row in known if _vintage(row) == latest[self._group(row)])

    def _group(self, row: Row) -> tuple[Cell, ...]:
        """Rows among which only the latest vintage counts."""
        if self.spec.vintages == "whole":
            return ()
        return (row.bloc, row.name, *(row.get(column) for column in self.spec.key))

    def for_blocs(self, names: Collection[str]) -> EvidenceTable:
        """Return the rows of these blocs, and those about the world."""
        return self.with_rows(row for row in self.rows if row.bloc == WORLD or row.bloc in names)

    def unknown_blocs(self, blocs: Collection[str]) -> list[str]:
        """Say which rows are about none of these blocs: a mistyped bloc would be left out in silence.

        Parameters
        ----------
        blocs : collection of str
            Every bloc that rows may be about, those that a worldview leaves out
            included; ``world`` is always allowed.

        Returns
        -------
        list of str
            A sentence a row, with file and line; for an `InputError`.
        """
        known = {*blocs, WORLD}
        return [
            f"{self.path}:{row.line}: bloc: unknown bloc {row.bloc!r}{did_you_mean(row.bloc, known)}"
            for row in self.rows
            if row.bloc not in known
        ]

    def filter(self, **columns: object) -> EvidenceTable:
        """Return the rows whose columns have the given values.

        Parameters
        ----------
        **columns
            A value, or a tuple, list or set of values of which a row needs one;
            None selects blank cells. ``filter(kind=("flow", "total"), reliable=True)``.

        Returns
        -------
        EvidenceTable
            Possibly empty.

        Raises
        ------
        PluginError
            For a column that the table does not have, or a value that the
            column never takes: it would silently select nothing.
        """
        rows = self.rows
        for name, wanted in columns.items():
            self._check_column(name)
            allowed = tuple(wanted) if isinstance(wanted, tuple | list | set | frozenset) else (wanted,)
            self._check_wanted(name, allowed)
            rows = tuple(row for row in rows if row.get(name) in allowed)
        return self.with_rows(rows)

    def column(self, name: str) -> NDArray[Any]:
        """Return a column as a vector in row order.

        Parameters
        ----------
        name : str
            A common or typed column.

        Returns
        -------
        numpy.ndarray
            Numbers as float (NaN where blank), whole numbers without blanks as
            int, days as decimal years, booleans as bool (False where blank),
            everything else as text (empty where blank). `value`, `low` and
            `high` are in the rows' units.

        Raises
        ------
        PluginError
            For a column that the table does not have.
        """
        self._check_column(name)
        cells = [row.get(name) for row in self.rows]
        kind = self._kinds[name]
        if kind == "date":
            days = [decimal_year(cell) if isinstance(cell, datetime.date) else math.nan for cell in cells]
            return np.array(days, float)
        if kind == "boolean":
            return np.array([cell is True for cell in cells], bool)
        if kind == "integer" and None not in cells:
            return np.array(cells, int)
        if kind in ("number", "integer"):
            return np.array([math.nan if cell is None else cell for cell in cells], float)
        return np.array(["" if cell is None else cell for cell in cells], str)

    @property
    def dates(self) -> NDArray[np.float64]:
        """Dates that the values are about, as decimal years."""
        return self.column("date")

    def errors(self) -> NDArray[np.float64]:
        """Return the standard deviation of each row's measurement.

        An interval at level p counts as the central interval of a normal:
        (log10 high − log10 low) / (2 z), z the normal's quantile at (1 + p)/2;
        for a linear table (high − low) / (2 z). A row without interval, or with
        one of no width, takes the table's default error, or its secondary error
        if it was seen in a secondary copy only.

        Returns
        -------
        numpy.ndarray
            In dex (log10), or in the table's unit when it is linear; NaN where
            a reference table states no default.
        """
        return np.array([self._error(row) for row in self.rows], float)

    def _error(self, row: Row) -> float:
        if row.high > row.low:
            width = row.high - row.low if self.spec.linear else math.log10(row.high) - math.log10(row.low)
            return width / (2 * NormalDist().inv_cdf((1 + row.level) / 2))
        default = self.spec.secondary_error if row.extra.get("secondary") is True else self.spec.default_error
        return math.nan if default is None else default

    @cached_property
    def _kinds(self) -> dict[str, str]:
        common = dict.fromkeys(HEADER, "text")
        common |= dict.fromkeys(("value", "low", "high", "level"), "number")
        common |= dict.fromkeys(("date", "published", "vintage"), "date")
        return common | {name: column.kind for name, column in self.spec.columns.items()}

    def _check_column(self, name: str) -> None:
        if name not in self._kinds:
            message = f"evidence table {self.name!r} has no column {name!r}{did_you_mean(name, self._kinds)}"
            raise PluginError(message, driver=self.driver)

    def _check_wanted(self, name: str, wanted: tuple[object, ...]) -> None:
        """Raise for values that the column can never hold."""
        kind = self._kinds[name]
        for value in wanted:
            if value is None:
                continue
            if isinstance(value, str) != (kind in ("text", "enumeration")):
                reason = f"{name} is never {value!r}: it holds {kind} cells"
            elif kind == "enumeration" and value not in self.spec.columns[name].choices:
                reason = f"{name} is never {value!r}, only {', '.join(self.spec.columns[name].choices)}"
            else:
                continue
            raise PluginError(f"evidence table {self.name!r}: {reason}", driver=self.driver)


def _vintage(row: Row) -> datetime.date:
    """Return the day from which the row's value stood; a figure of one version stands from publication."""
    return row.vintage or row.published
