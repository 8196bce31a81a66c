"""A calibration as words and a table for the terminal; plain text when piped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_FAILURES = 10


def print_calibration(
    summary: Mapping[str, Any], picture: Path | None = None, console: Console | None = None
) -> None:
    """Print the verdict, a row a number, and the fits that failed.

    Parameters
    ----------
    summary : mapping
        Of a calibration.
    picture : pathlib.Path, optional
        Where the picture is.
    console : rich.console.Console, optional
        By default one on stdout.
    """
    out = console or Console(highlight=False)
    out.print(_verdict(summary))
    out.print(_table(summary))
    if summary["failures"]:
        out.print(f"Fits that failed ({summary['failed']} of {summary['simulations']}):")
        for one in summary["failures"][:_FAILURES]:
            out.print(Text(f"  simulation {one['simulation']}: {'; '.join(one['reasons'])}"))
        if len(summary["failures"]) > _FAILURES:
            out.print(f"  and {len(summary['failures']) - _FAILURES} more: calibration.json")
    if picture is not None:
        out.print(Text(f"Picture: {picture}", style="dim"), soft_wrap=True)


def _verdict(summary: Mapping[str, Any]) -> Text:
    word, style = ("passed", "bold green") if summary["ok"] else ("FAILED", "bold red")
    count, outside = len(summary["parameters"]), summary["outside"]
    good = summary["simulations"] - summary["failed"]
    words = (
        f"all {count} curves of ranks are inside"
        if not outside
        else f"{len(outside)} of {count} curves of ranks are outside of"
    )
    more = ""
    if summary["failed"] > summary["largest_failed_share"] * summary["simulations"]:
        more = f" More than {summary['largest_failed_share']:.0%} of the fits failed."
    if not summary["enough"]:
        more += " So few data sets pass whatever the model: make more (--simulations)."
    return Text.assemble(
        "Calibration ",
        (word, style),
        f". Over {good} simulated data sets {words} their bands, which hold all of a right model's together "
        f"with probability {1 - summary['false_alarm']:.0%}.{more}",
    )


def _table(summary: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("number", overflow="fold")
    for title in ("inside", "50%", "80%", "90%", "p", "contraction"):
        table.add_column(title, justify="right")
    heading = ""
    for name, one in sorted(summary["parameters"].items(), key=lambda item: _owner(*item)):
        owner = _owner(name, one)
        if heading != (owner or "derived"):
            heading = owner or "derived"
            table.add_row(Text(heading, style="dim italic"))
        inside = Text("yes") if one["inside_band"] else Text("NO", style="bold red")
        shares = (
            "-" if one["coverage"][mass] is None else f"{one['coverage'][mass]:.0%}"
            for mass in ("0.5", "0.8", "0.9")
        )
        p = "-" if one["p_value"] is None else f"{one['p_value']:.2g}"
        contraction = "-" if one["contraction"] is None else f"{one['contraction']:.2f}"
        table.add_row(Text(f"  {name.removeprefix(f'{owner}.')}"), inside, *shares, p, contraction)
    return table


def _owner(name: str, one: Mapping[str, Any]) -> str:
    """Driver of a number, by which rows are sorted; derived ones come first."""
    return "" if one["derived"] else name.partition(".")[0]
