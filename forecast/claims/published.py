"""Published figures as draws: rows of installed evidence, and numbers with a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from forecast.evidence import EvidenceTable, Row
from forecast.results.crossing_summary import FloatArray
from forecast.results.trajectories import NotAvailable
from forecast.wording import did_you_mean

if TYPE_CHECKING:
    from forecast.claims.measure_specs import Cell, Figure

DRAWS = 4000
"""Draws of a published figure's error."""


@dataclass(frozen=True)
class Drawn:
    """Draws of a published figure, or of several that are as likely.

    Attributes
    ----------
    draws : ndarray of float
    unit : str
    names : list of str
        What was read, for people.
    """

    draws: FloatArray
    unit: str
    names: list[str]


@dataclass(frozen=True)
class TableRow:
    """A row with the table whose error it has."""

    table: EvidenceTable
    row: Row

    @property
    def name(self) -> str:
        """For people: name and date."""
        return f"{self.row.name} ({self.row.date})"

    @property
    def has_index(self) -> bool:
        """Whether the row has a score in a column `index`."""
        return self._index is not None

    @property
    def index(self) -> float:
        """The score in the column `index`.

        Raises
        ------
        NotAvailable
            Where the row has none.
        """
        if self._index is None:
            raise NotAvailable(f"evidence table {self.table.name} has no index score of {self.row.name}")
        return self._index

    @property
    def _index(self) -> float | None:
        score = self.row.extra.get("index")
        return float(score) if isinstance(score, float | int) else None


def table_of(name: str, tables: Mapping[tuple[str, str], EvidenceTable]) -> EvidenceTable:
    """Return the installed table of a name, with the latest value of each of its figures.

    Raises
    ------
    NotAvailable
        Where no installed driver has it, or two have.
    """
    found = [table for (_, table_name), table in tables.items() if table_name == name]
    if len(found) != 1:
        near = did_you_mean(name, [table_name for _, table_name in tables])
        why = "several installed drivers have" if found else "no installed driver has"
        raise NotAvailable(f"{why} an evidence table {name}{'' if found else near}")
    return found[0].known_by(date.max)


def rows_of(table: EvidenceTable, where: Mapping[str, Cell], name: str | None = None) -> list[TableRow]:
    """Rows of a table by name and cells; a day may be written as text.

    Raises
    ------
    NotAvailable
        Where the table has no such column.
    """
    known = {"bloc", "date", *table.spec.columns}
    for column in where:
        if column not in known:
            raise NotAvailable(
                f"evidence table {table.name} has no column {column}{did_you_mean(column, known)}"
            )
    return [
        TableRow(table, row)
        for row in table.rows
        if (name is None or row.name == name)
        and all(_same(row.get(key), cell) for key, cell in where.items())
    ]


def one_row(table: EvidenceTable, where: Mapping[str, Cell], name: str) -> TableRow:
    """Return the one row of a name.

    Raises
    ------
    NotAvailable
        Where there is none, or more than one.
    """
    found = rows_of(table, where, name)
    if not found:
        names = [row.name for row in table.rows]
        near = f" with {dict(where)}" if name in names else did_you_mean(name, names)
        raise NotAvailable(f"evidence table {table.name} has no row {name}{near}")
    if len(found) > 1:
        raise NotAvailable(f"evidence table {table.name} has {len(found)} rows {name}; say which")
    return found[0]


def figure_draws(
    figures: Sequence[Figure | TableRow],
    tables: Mapping[tuple[str, str], EvidenceTable],
    generator: np.random.Generator,
) -> Drawn:
    """Draw a figure with its error: log-normal, or normal for a linear table; of several, each as often.

    Raises
    ------
    NotAvailable
        Where a row is not installed, or the figures' units differ.
    """
    parts = [_one(figure, tables, generator) for figure in figures]
    if len({part.unit for part in parts}) > 1:
        raise NotAvailable("figures that are pooled must have one unit")
    which = generator.integers(len(parts), size=DRAWS)
    draws = np.choose(which, [part.draws for part in parts])
    return Drawn(draws, parts[0].unit, [name for part in parts for name in part.names])


def _one(
    figure: Figure | TableRow,
    tables: Mapping[tuple[str, str], EvidenceTable],
    generator: np.random.Generator,
) -> Drawn:
    noise = generator.standard_normal(DRAWS)
    if not isinstance(figure, TableRow) and figure.table is not None:
        figure = one_row(table_of(figure.table, tables), figure.where, figure.name or "")
    if isinstance(figure, TableRow):
        row = figure.row
        error = float(figure.table.with_rows([row]).errors()[0])
        value = row.value + error * noise if figure.table.spec.linear else row.value * 10.0 ** (error * noise)
        return Drawn(value, row.unit, [figure.name])
    assert figure.value is not None and figure.unit is not None
    spread = 0.0
    if figure.low is not None and figure.high is not None:
        spread = np.log(figure.high / figure.low) / (2 * NormalDist().inv_cdf((1 + figure.level) / 2))
    return Drawn(figure.value * np.exp(spread * noise), figure.unit, [figure.source or ""])


def _same(cell: object, wanted: object) -> bool:
    if isinstance(cell, date):
        return cell.isoformat() == str(wanted)
    return type(cell) is type(wanted) and cell == wanted
