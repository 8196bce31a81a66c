"""A sweep on the terminal: a line a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.report.sweep_axes import SweepFacts
from forecast.results import month_or_never

MOST_CELLS = 40
"""Cells that are shown; the others are in the table that is saved."""


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
        table.add_column(Text(facts.short[key]), overflow="fold")
    for title in facts.blocs.values():
        table.add_column(Text(f"{title}: P"), justify="right")
        table.add_column("median", justify="right", no_wrap=True)
    table.add_column("ok", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    for number, found in list(cells.items())[:MOST_CELLS]:
        first = next(iter(found.values()))
        numbers = []
        for bloc in facts.blocs:
            there = found.get(bloc)
            if there is None or there["p_in"] is None:
                numbers += ["-", "-"]
            else:
                numbers += [f"{there['p_in']:.3f}", month_or_never(there["q50"], facts.horizon)]
        table.add_row(
            str(number),
            *(Text(_text(first[key])) for key in settings),
            *numbers,
            "error" if first["error"] else {True: "yes", False: "no", None: "-"}[first["ok"]],
            f"{first['seconds']:.1f}",
        )
    out.print(Text(f"{facts.title}: {len(cells):,} cells; {window}", style="bold"), soft_wrap=True)
    out.print(table)
    if len(cells) > MOST_CELLS:
        out.print(f"... and {len(cells) - MOST_CELLS:,} more cells in results.parquet")


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
