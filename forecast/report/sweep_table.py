"""A sweep on the terminal: a line a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.report.sweep_axes import SweepFacts, value_text
from forecast.results import month_or_never

MOST_CELLS = 40
"""Cells that are shown; the others are in the table that is saved."""

_NARROW = 16
"""Characters of a setting's values that are not broken into lines."""


def print_sweep(
    rows: Sequence[Mapping[str, Any]],
    settings: Sequence[str],
    facts: SweepFacts,
    *,
    console: Console | None = None,
) -> None:
    """Print the cells of a sweep for one milestone.

    Parameters
    ----------
    rows : sequence of mapping
        Of one milestone, as ``results.parquet`` has them.
    settings : sequence of str
    facts : SweepFacts
    console : rich.console.Console, optional
    """
    out = console or Console(highlight=False)
    cells: dict[int, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        cells.setdefault(row["cell"], {})[row["bloc"]] = row
    window = f"P({facts.window})" if facts.window else "P(in the window)"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("cell", justify="right", no_wrap=True)
    for key in settings:
        narrow = max(len(value_text(row[key])) for row in rows) <= _NARROW
        table.add_column(Text(facts.short[key]), overflow="fold", no_wrap=narrow)
    for title in facts.blocs.values():
        table.add_column(Text(f"{title}\nP, median"), justify="right", min_width=13)
    table.add_column("ok", no_wrap=True)
    for number, found in list(cells.items())[:MOST_CELLS]:
        first = next(iter(found.values()))
        numbers = []
        for bloc in facts.blocs:
            there = found.get(bloc)
            if there is None or there["p_in"] is None:
                numbers.append("-")
            else:
                median = month_or_never(there["q50"], facts.horizon)
                numbers.append(f"{100 * there['p_in']:.1f}% {median}")
        table.add_row(
            str(number),
            *(Text(value_text(first[key])) for key in settings),
            *numbers,
            "error" if first["error"] else {True: "yes", False: "no", None: "-"}[first["ok"]],
        )
    out.print(Text(f"{facts.title}: {len(cells):,} cells; {window}", style="bold"), soft_wrap=True)
    out.print(table)
    if len(cells) > MOST_CELLS:
        out.print(f"... and {len(cells) - MOST_CELLS:,} more cells in results.parquet")
