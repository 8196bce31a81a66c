"""``forecast costs``: what a fixed capability costs, beside what the frontier spends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._reading import answer, json_option, open_run, out_option, picture_option

if TYPE_CHECKING:
    from rich.table import Table


@click.command()
@click.argument("run")
@picture_option("it")
@out_option
@json_option
def costs(run: str, output: Path | None, out: str | None, as_json: bool) -> None:
    """Compare the cost of a fixed capability with what the frontier spends.

    By year: what it costs to train a model of one fixed capability, the largest
    run, and a year's investment. Better algorithms and cheaper chips make the
    first fall; what is gained is spent, so the others rise. The level of the
    first is anchored on one model's own training compute: only its fall is a
    result.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". Nothing is fitted, and the run's plugins are not needed.
    """
    from forecast.cli._host import installed_host
    from forecast.results import cost_summary

    stored = open_run(run, out, output)
    summary = cost_summary(stored, installed_host().evidence())

    def draw(path: Path) -> None:
        from forecast.report.costs_figure import costs_figure

        costs_figure(stored, summary, path)

    answer(stored, summary, as_json=as_json, output=output, draw=draw, show=_print)


def _print(summary: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    from forecast.results.costs import ANCHOR, TAILS

    console = Console(highlight=False)
    basis = "priors alone of worldview" if summary["prior_only"] else "worldview"
    console.print(Text("Spent, not saved", style="bold"))
    console.print(
        f"USD on 1 July, median and 90% interval; k, M, B, T: thousand to trillion. Conditional on {basis} "
        f"{summary['worldview']!r} as of {summary['as_of']}, not a prophecy."
    )
    console.print(_by_year(summary))
    console.print(_by_factor(summary))
    for line in (ANCHOR, TAILS):
        console.print(f"{summary['series'][0]['title']}: {line}")
    if summary["literature"]:
        rates = [one["value"] for one in summary["literature"] if one["kind"] != "judgement"]
        said = [
            f"{one['name']} {one['value']:.2g}x"
            for one in summary["literature"]
            if one["kind"] == "judgement"
        ]
        if rates:
            console.print(
                f"Studies of algorithmic progress: {min(rates):.2g}x to {max(rates):.2g}x a year. "
                "The fall above also has cheaper chips."
            )
        if said:
            console.print(f"Stated: {', '.join(said)}.")
    console.print(Text(f"{summary['draws']} draws of run {summary['run']}", style="dim"), soft_wrap=True)


def _by_year(summary: Mapping[str, Any]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("year")
    for series in summary["series"]:
        table.add_column(series["title"], max_width=24, overflow="fold")
    for place, row in enumerate(summary["series"][0]["by_year"]):
        cells = [_cell(series["by_year"][place]) for series in summary["series"]]
        table.add_row(row["date"][:4], *cells)
    return table


def _by_factor(summary: Mapping[str, Any]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("factor per year")
    periods = {when: summary["series"][0]["factor_per_year"][when] for when in ("past", "next")}
    for period in periods.values():
        table.add_column(f"{period['from']} to {period['to']}" if period else "not in the run")
    for series in summary["series"]:
        table.add_row(series["title"], *(_change(series["factor_per_year"][when]) for when in periods))
    return table


def _cell(found: Mapping[str, Any]) -> str:
    low, middle, high = (_dollars(found[level]) for level in ("0.05", "0.5", "0.95"))
    return f"{middle} ({low} to {high})"


def _dollars(value: float) -> str:
    from forecast.report.terminal import compact

    return compact(value) if value >= 1 else "<1"


def _change(factor: Mapping[str, Any] | None) -> str:
    """Say a factor per year as a fall or a rise, with its interval in the same sense."""
    from forecast.report.terminal import compact

    if factor is None:
        return ""
    falls = factor["0.5"] < 1
    low, middle, high = (1 / factor[level] if falls else factor[level] for level in ("0.05", "0.5", "0.95"))
    low, high = min(low, high), max(low, high)
    return f"{'falls' if falls else 'rises'} {compact(middle)}x ({compact(low)} to {compact(high)})"
