"""Run a plugin's importer, and check and write what it makes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from forecast.discovery import BrokenPlugin, guarded
from forecast.errors import InputError, PluginError
from forecast.evidence import HEADER, EvidenceTable, parse_rows
from forecast.host import Brought, Host
from forecast.report.text_file import check_text_path, save_text
from forecast.wording import did_you_mean, shown


def import_file(brought: Brought, file: Path, host: Host, output: Path) -> int:
    """Turn a file into rows of an evidence table, and write them as a CSV.

    Parameters
    ----------
    brought : Brought
        An importer and whose it is.
    file : pathlib.Path
        What to read.
    host : Host
        Whose drivers have the table.
    output : pathlib.Path
        Where the rows go; written whole or not at all.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    InputError
        There is no such file or table, a row fails the table's checks, or the
        importer says so of the file.
    PluginError
        The importer fails.
    """
    importer = brought.item
    key = (importer.driver, importer.table)
    tables = host.evidence()
    if key not in tables:
        known = ["/".join(one) for one in tables]
        raise InputError(
            f"the importer {importer.name!r} makes rows for {'/'.join(key)}, and no driver in use has that "
            f"table{did_you_mean('/'.join(key), known)}"
        )
    check_text_path(output)
    if not file.is_file():
        raise InputError(f"{file}: there is no such file")
    if output.exists() and output.samefile(file):
        raise InputError(f"--output {output}: is the file that is read; name another")
    try:
        with guarded():
            rows = [dict(row) for row in importer.read(file)]
            text = _csv(rows, tables[key])
    except BrokenPlugin as error:
        if isinstance(error.__cause__, InputError):  # of the user's file, which the importer understood
            raise error.__cause__ from None
        message = f"its importer {importer.name!r} failed on {file}: {error}"
        raise PluginError(message, distribution=brought.candidate.label) from error.__cause__
    if not rows:
        raise InputError(f"{file}: the importer {importer.name!r} found no row in it")
    parse_rows(text, f"{file} (as rows of {importer.table})", tables[key].spec, None)
    save_text(output, text)
    return len(rows)


def _csv(rows: list[dict[str, object]], table: EvidenceTable) -> str:
    columns = [*HEADER, *table.spec.columns]
    for row in rows:
        for name in row:
            if name not in columns:
                near = did_you_mean(str(name), columns)
                raise BrokenPlugin(f"a row has the column {shown(name)}, which the table has not{near}")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row, name) for name in columns] for row in rows)
    return text.getvalue()


def _cell(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):  # rows have days; pandas has timestamps only
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value)
