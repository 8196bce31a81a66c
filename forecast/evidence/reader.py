"""Read a driver's evidence folder: ``tables.toml`` and the CSV of each table in it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection
from importlib.resources.abc import Traversable
from pathlib import Path

from forecast.errors import InputError
from forecast.evidence.rows import RowReader
from forecast.evidence.schema import HEADER, WORLD, TableSpec, parse_specs
from forecast.evidence.tables import EvidenceTable, Row
from forecast.wording import did_you_mean

DECLARATIONS = "tables.toml"


def read_tables(
    folder: str | Path | Traversable, driver: str, *, blocs: Collection[str] | None = None
) -> dict[str, EvidenceTable]:
    """Read and check all evidence tables of a driver.

    Parameters
    ----------
    folder : str, Path or Traversable
        Holds ``tables.toml`` and one CSV for each table declared there.
    driver : str
        Name of the driver that owns the tables.
    blocs : collection of str, optional
        Blocs that rows may be about besides ``world``; any if not given.

    Returns
    -------
    dict of str to EvidenceTable
        By table name, in the order of ``tables.toml``.

    Raises
    ------
    InputError
        With every problem of every file, each naming file, line and column.
    """
    root = Path(folder) if isinstance(folder, str) else folder
    specs = parse_specs(_read_text(root / DECLARATIONS), _label(root / DECLARATIONS))
    known = None if blocs is None else {*blocs, WORLD}
    problems = _undeclared(root, specs)
    tables: dict[str, EvidenceTable] = {}
    for name, spec in specs.items():
        file = root / f"{name}.csv"
        try:
            rows = parse_rows(_read_text(file), _label(file), spec, known)
        except InputError as error:
            problems.extend(error.problems)
        else:
            tables[name] = EvidenceTable(spec, driver, _label(file), rows)
    if problems:
        raise InputError(problems)
    return tables


def add_rows(table: EvidenceTable, file: str | Path | Traversable) -> EvidenceTable:
    """Read further rows of a table from a CSV of its own.

    Parameters
    ----------
    table : EvidenceTable
    file : str, Path or Traversable
        With the header of the table.

    Returns
    -------
    EvidenceTable
        The table's rows, and those of the file after them.

    Raises
    ------
    InputError
        With every problem of the file: those of any evidence file, a row that
        the table has already, and a vintage that it does not have where the
        table is re-fitted as a whole (it would replace all other rows).
    """
    file = Path(file) if isinstance(file, str) else file
    label = _label(file)
    rows = parse_rows(_read_text(file), label, table.spec, None)
    held = {table.identity(row): row for row in table.rows}
    vintages = {row.vintage for row in table.rows}
    problems = [
        f"{label}:{row.line}: name: {row.name!r} is in {table.path} already (line {held[same].line})"
        for row in rows
        if (same := table.identity(row)) in held
    ]
    if table.spec.vintages == "whole":
        problems += [
            f"{label}:{row.line}: vintage: {row.vintage} is none of the table's, which is re-fitted whole"
            for row in rows
            if row.vintage not in vintages
        ]
    if problems:
        raise InputError(problems)
    return table.with_rows([*table.rows, *rows])


def parse_rows(text: str, label: str, spec: TableSpec, blocs: Collection[str] | None) -> tuple[Row, ...]:
    """Read the text of one CSV.

    Parameters
    ----------
    text : str
        The file's text.
    label : str
        The file's name for messages.
    spec : TableSpec
        The table's declaration.
    blocs : collection of str or None
        Allowed blocs, ``world`` among them; None for any.

    Returns
    -------
    tuple of Row
        In the file's order, values in the table's unit.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems: list[str] = []
    reader: RowReader | None = None
    start = 1  # a quoted cell may hold line breaks: a row is named by the line on which it starts
    try:
        for cells in lines:
            line, start = start, lines.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            cells = [cell.strip() for cell in cells]
            if reader is None:
                _check_header(cells, f"{label}:{line}", spec)
                reader = RowReader(spec, label, tuple(cells), blocs, problems)
            else:
                reader.read(cells, line)
    except csv.Error as error:
        problems.append(f"{label}:{start}: not a readable CSV row: {error}")
    if problems:
        raise InputError(problems)
    if reader is None or not reader.rows:
        raise InputError(f"{label}: {'the file is empty' if reader is None else 'no row below the header'}")
    return tuple(reader.rows)


def _check_header(cells: list[str], place: str, spec: TableSpec) -> None:
    """Raise for a header that is not the common one followed by the typed columns in any order."""
    expected = (*HEADER, *spec.columns)
    problems = [f"column {name!r} is missing" for name in expected if name not in cells]
    for name in dict.fromkeys(cells):
        if cells.count(name) > 1:
            problems.append(f"column {name!r} appears twice")
        if name not in expected:
            hint = did_you_mean(name, [column for column in expected if column not in cells])
            problems.append(f"column {name!r} is not declared in [{spec.name}.columns]{hint}")
    if not problems and tuple(cells[: len(HEADER)]) != HEADER:
        problems.append(f"the common columns are in another order; they come first, as {','.join(HEADER)}")
    if problems:
        raise InputError([f"{place}: header: {problem}" for problem in problems])


def _undeclared(root: Path | Traversable, specs: dict[str, TableSpec]) -> list[str]:
    try:
        names = sorted(file.name for file in root.iterdir())
    except OSError as error:
        raise InputError(f"{_label(root)}: cannot be listed: {error.strerror or error}") from None
    return [
        f"{_label(root / name)}: not declared in {DECLARATIONS}{did_you_mean(name[:-4], specs)}"
        for name in names
        if name.lower().endswith(".csv") and name[:-4] not in specs
    ]


def _read_text(file: Path | Traversable) -> str:
    label = _label(file)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{label}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{label}: is a folder, not a file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{label}: cannot be read: {reason}") from None
    if b"\0" in content:
        raise InputError(f"{label}: is a binary file, not text")
    try:
        text = content.decode("utf-8-sig")  # spreadsheets put a byte-order mark first
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8 text (byte {error.start}); save the file as UTF-8"
        raise InputError(f"{label}:{line}: {problem}") from None
    if not text.strip():
        raise InputError(f"{label}: the file is empty")
    return text


def _label(file: Path | Traversable) -> str:
    """How messages name a file: from the current folder where it is below that."""
    path = str(file)
    here = os.path.join(os.getcwd(), "")
    return path.removeprefix(here)
