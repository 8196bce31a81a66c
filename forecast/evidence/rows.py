"""Check the rows of one CSV and make `Row` objects of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from datetime import date
from functools import partial

import numpy as np

from forecast.evidence.cells import (
    CellError,
    parse_address,
    parse_bloc,
    parse_boolean,
    parse_choice,
    parse_day,
    parse_integer,
    parse_number,
)
from forecast.evidence.schema import Cell, Column, TableSpec
from forecast.evidence.tables import Row
from forecast.units import UnknownUnit, convert, parse_unit
from forecast.wording import shown

# Kinds of figures that are about days after their publication.
LOOKING_AHEAD = ("guidance", "forecast", "consensus")

PARSERS: dict[str, Callable[[str], Cell]] = {
    "text": str,
    "number": parse_number,
    "integer": parse_integer,
    "boolean": parse_boolean,
    "date": parse_day,
}


class RowReader:
    """Reads rows one by one; problems are noted, not raised, so that all of a file are seen at once.

    Parameters
    ----------
    spec : TableSpec
        The table's declaration.
    label : str
        The file's name for messages.
    header : tuple of str
        Its columns, already checked.
    blocs : collection of str or None
        Allowed blocs; None for any.
    problems : list of str
        Grows by a sentence a problem.
    """

    def __init__(
        self,
        spec: TableSpec,
        label: str,
        header: tuple[str, ...],
        blocs: Collection[str] | None,
        problems: list[str],
    ) -> None:
        self.spec = spec
        self.label = label
        self.header = header
        self.blocs = blocs
        self.problems = problems
        self.rows: list[Row] = []
        self._line = 0
        self._cells: dict[str, str] = {}
        self._seen: dict[tuple[Cell, ...], int] = {}
        # Of each figure of a table with vintages by row: its first line, and whether that names a vintage.
        self._versions: dict[tuple[Cell, ...], tuple[int, bool]] = {}

    def read(self, cells: list[str], line: int) -> None:
        """Check one row and keep it if nothing is wrong with it.

        Parameters
        ----------
        cells : list of str
            Stripped cells.
        line : int
            Line on which the row starts.
        """
        self._line = line
        if len(cells) != len(self.header):
            problem = f"has {len(cells)} cells where the header has {len(self.header)}"
            self.problems.append(f"{self.label}:{line}: {problem} (quote a cell that holds commas)")
            return
        self._cells = dict(zip(self.header, cells, strict=True))
        before = len(self.problems)
        row = self._row()
        if row is not None and len(self.problems) == before:
            self._keep(row)

    def _row(self) -> Row | None:
        bloc = self._need("bloc", partial(parse_bloc, blocs=self.blocs))
        name, source = self._need("name", str), self._need("source", str)
        url = self._need("url", parse_address)
        day, published = self._need("date", parse_day), self._need("published", parse_day)
        vintage = self._vintage()
        value, unit = self._need("value", parse_number), self._need("unit", self._unit)
        low, high, level = self._interval(value)
        extra = {column.name: self._extra(column) for column in self.spec.columns.values()}
        if day and published and day > published and extra.get("kind") not in LOOKING_AHEAD:
            ahead = ", ".join(LOOKING_AHEAD)
            self._note("date", f"{day} is after the publication on {published} (only if kind is {ahead})")
        # Named one by one so that the type checker knows what is left.
        if bloc is None or name is None or source is None or url is None:
            return None
        if day is None or published is None or value is None or unit is None:
            return None
        value, low, high, unit = self._converted(value, low, high, unit)
        if not self.spec.linear and not all(number > 0 for number in (value, low, high) if number == number):
            self._note("value", "is logged: value, low and high must be positive")
        return Row(
            bloc=bloc, name=name, date=day, value=value, unit=unit, low=low, high=high, level=level,
            published=published, vintage=vintage, source=source, url=url, note=self._cells["note"],
            extra=extra, line=self._line,
        )  # fmt: skip

    def _note(self, column: str, sentence: str) -> None:
        self.problems.append(f"{self.label}:{self._line}: {column}: {sentence}")

    def _need[T](self, column: str, parse: Callable[[str], T]) -> T | None:
        """Read a cell that may not be blank; None, and a note, where it cannot be read."""
        if not self._cells[column]:
            self._note(column, "is missing")
            return None
        return self._maybe(column, parse)

    def _maybe[T](self, column: str, parse: Callable[[str], T]) -> T | None:
        """Read a cell that may be blank."""
        if not self._cells[column]:
            return None
        try:
            return parse(self._cells[column])
        except CellError as error:
            self._note(column, str(error))
            return None

    def _vintage(self) -> date | None:
        # A table that is re-fitted as a whole cannot place a row without version; elsewhere a blank
        # says that a figure has one version only (seen to in `_keep`).
        read = self._need if self.spec.vintages == "whole" else self._maybe
        return read("vintage", parse_day)

    def _extra(self, column: Column) -> Cell:
        parse = partial(parse_choice, choices=column.choices) if column.choices else PARSERS[column.kind]
        return self._maybe(column.name, parse) if column.optional else self._need(column.name, parse)

    def _unit(self, text: str) -> str:
        if text in self.spec.units:
            return text
        try:
            parse_unit(text)
        except UnknownUnit as error:
            raise CellError(str(error)) from None
        raise CellError(f"{shown(text)} is not a unit of this table ({', '.join(self.spec.units)})")

    def _interval(self, value: float | None) -> tuple[float, float, float]:
        """Read low, high and level; all NaN where there is none."""
        given = [column for column in ("low", "high", "level") if self._cells[column]]
        if not given:
            return math.nan, math.nan, math.nan
        for column in ("low", "high", "level"):
            if column not in given:
                there = " and ".join(given)
                self._note(column, f"is missing: {there} given (an interval has low, high and level)")
        low, high, level = (self._maybe(column, parse_number) for column in ("low", "high", "level"))
        if level is not None and not 0 < level < 1:
            self._note("level", f"must lie between 0 and 1, got {level:g}")
        if low is not None and high is not None:
            if low > high:
                self._note("low", f"the interval is inverted: low {low:g} is above high {high:g}")
            elif value is not None and not low <= value <= high:
                self._note("value", f"{value:g} is outside its interval, {low:g} to {high:g}")
        return tuple(math.nan if number is None else number for number in (low, high, level))  # type: ignore[return-value]

    def _converted(self, value: float, low: float, high: float, unit: str) -> tuple[float, float, float, str]:
        """Convert to the table's first unit; a figure of another dimension keeps its own."""
        goal = self.spec.unit
        if unit == goal or parse_unit(unit).dimension != parse_unit(goal).dimension:
            return value, low, high, unit
        given = np.array([value, low, high])
        with np.errstate(all="ignore"):
            converted = convert(given, unit, goal)
        if (np.isfinite(given) & ~np.isfinite(converted)).any():
            self._note("value", f"value, low and high in {unit} do not convert to finite numbers in {goal}")
            return value, low, high, unit
        value, low, high = converted.tolist()
        return value, low, high, goal

    def _keep(self, row: Row) -> None:
        # Without declared vintages two versions of a figure would both be counted.
        vintage = row.vintage if self.spec.vintages != "none" else None
        figure = (row.bloc, row.name, *(row.get(column) for column in self.spec.key))
        first = self._seen.setdefault((*figure, row.date, vintage), self._line)
        if first != self._line:
            columns = ", ".join(["bloc", "name", "date", "vintage", *self.spec.key])
            self._note("name", f"{shown(row.name)} repeats line {first} (same {columns})")
            return
        if self.spec.vintages == "row":
            other, has_vintage = self._versions.setdefault(figure, (self._line, vintage is not None))
            if other != self._line and not (has_vintage and vintage):
                self._note(
                    "vintage", f"is blank here or in line {other}, another version of {shown(row.name)}"
                )
                return
        self.rows.append(row)
