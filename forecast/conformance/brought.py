"""What a plugin brings beside drivers is read, as a run would read it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from forecast.claims import read_claims
from forecast.conformance.report import Check, Failed, count, fail_if
from forecast.errors import ForecastError
from forecast.evidence import add_rows
from forecast.loading import Loaded
from forecast.worldview import load_worldview, read_scenarios

FILES = "files"
"""The code of the check of rows, worldviews, scenarios and claims."""


def check_files(own: Loaded, installed: Loaded, labels: Collection[str]) -> Check:
    """Read every file that a plugin brings, as a run would.

    Parameters
    ----------
    own : Loaded
        Holds the plugin, and perhaps others.
    installed : Loaded
        Everything that is installed: whose tables the plugin's rows are for.
    labels : collection of str
        Distribution and version of the plugin, as its files and rows say whose they are.

    Returns
    -------
    Check
    """
    try:
        return Check(FILES, "passed", _read_all(own, installed, labels))
    except Failed as problem:
        return Check(FILES, "failed", str(problem))


def brings_files(own: Loaded, labels: Collection[str]) -> bool:
    """Whether there is anything for :func:`check_files` to read; parameters as there."""
    shelves = (own.shelf.worldviews, own.shelf.scenarios, own.shelf.claims)
    owners = {file.owner for shelf in shelves for file in shelf.values()}
    return bool(set(labels) & (owners | {brought.candidate.label for brought in own.rows}))


def _read_all(own: Loaded, installed: Loaded, labels: Collection[str]) -> str:
    problems: list[str] = []
    shelf, read = own.shelf, 0
    readers: dict[str, Callable[[str], Any]] = {
        "worldviews": lambda name: load_worldview(name, shelf=shelf),
        "scenarios": lambda name: read_scenarios([name], shelf),
        "claims": lambda name: read_claims([name], shelf),
    }
    for kind, reader in readers.items():
        for name, file in getattr(shelf, kind).items():
            if file.owner in labels:
                read += 1
                problems += _problems(reader, name)
    tables = {
        (one.driver.name, name): table
        for one in (*installed.drivers, *own.drivers)
        for name, table in one.driver.evidence.items()
    }
    for brought in own.rows:
        if brought.candidate.label in labels:
            read += 1
            key = (brought.item.driver, brought.item.table)
            if key in tables:
                problems += _problems(add_rows, tables[key], brought.item.file)
            else:
                problems.append(f"it has rows for {'/'.join(key)}, and no installed driver has that table")
    fail_if(problems)
    return f"{count(read, 'file')} of rows, worldviews, scenarios or claims can be read"


def _problems(read: Callable[..., Any], *what: Any) -> list[str]:
    try:
        read(*what)
    except ForecastError as error:
        return str(error).splitlines()
    return []
