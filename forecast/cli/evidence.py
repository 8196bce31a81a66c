"""``forecast evidence``: which tables there are, and what is in one of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from forecast.cli._options import plugin_option

if TYPE_CHECKING:
    import datetime

    from rich.console import Console
    from rich.table import Table

    from forecast.evidence import EvidenceTable, Row, TableSummary

WIDTH = 100


@click.command(short_help="List the evidence that the model is fitted to.")
@click.argument("table", required=False)
@click.option(
    "--as-of",
    metavar="DATE|today",
    help="Count, or show, only what was published by this day. [default: that of the worldview 'default']",
)
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evidence(table: str | None, as_of: str | None, plugins: tuple[str, ...], as_json: bool) -> None:
    """List the evidence tables, or show the rows of TABLE.

    A table that two drivers have is named DRIVER/TABLE. Without --as-of all rows
    of TABLE are shown, and the list counts those known by the as-of date of the
    worldview 'default'.
    """
    from forecast.cli._host import installed_host
    from forecast.evidence import row_to_json, summarize

    tables = installed_host(plugins).evidence()
    day = _day(as_of)
    if table is None:
        summaries = [summarize(each, day) for each in tables.values()]
        if as_json:
            _print_json([summary.to_json() for summary in summaries])
        else:
            _print_list(_console(), summaries, day)
        return
    chosen = _choose(tables, table)
    summary = summarize(chosen, day)
    rows = (chosen.known_by(day) if as_of else chosen).rows
    if as_json:
        _print_json(summary.to_json() | {"data": [row_to_json(row) for row in rows]})
    else:
        _print_table(_console(), summary, chosen, rows)


def _day(as_of: str | None) -> datetime.date:
    import datetime

    from forecast.dates import parse_date
    from forecast.errors import InputError
    from forecast.worldview import load_worldview

    if as_of is None:
        return load_worldview().as_of
    if as_of == "today":
        return datetime.date.today()
    try:
        return parse_date(as_of)
    except ValueError as error:
        raise InputError(f"--as-of: {error}") from None


def _choose(tables: dict[tuple[str, str], EvidenceTable], name: str) -> EvidenceTable:
    from forecast.errors import InputError
    from forecast.wording import did_you_mean

    found = [key for key in tables if name in (key[1], "/".join(key))]
    if len(found) > 1:
        choices = " or ".join("/".join(key) for key in found)
        raise InputError(f"evidence table {name!r} belongs to several drivers: say {choices}")
    if not found:
        raise InputError(
            f"there is no evidence table {name!r}{did_you_mean(name, (key[1] for key in tables))}"
        )
    return tables[found[0]]


def _print_json(content: object) -> None:
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def _console() -> Console:
    """Return a console of at most 100 columns, and of 100 when the output is piped."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def _grid(*columns: str, right: Iterable[str] = ()) -> Table:
    from rich import box
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        grid.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return grid


def _print_list(console: Console, summaries: list[TableSummary], day: datetime.date) -> None:
    from rich.text import Text

    known = f"known by\n{day}"
    grid = _grid(
        "table", "rows", "by bloc", "dates", "published", known, "sources", right=("rows", known, "sources")
    )
    for driver in dict.fromkeys(summary.driver for summary in summaries):
        grid.add_row(Text(driver, style="bold"))
        for summary in (each for each in summaries if each.driver == driver):
            grid.add_row(
                f"  {summary.table}" + ("" if summary.used else " *"),
                str(summary.rows),
                "\n".join(f"{bloc} {count}" for bloc, count in summary.by_bloc.items()),
                f"{summary.first_date}\n{summary.last_date}",
                f"{summary.first_published}\n{summary.last_published}",
                str(summary.known),
                str(summary.sources),
            )
        grid.add_section()
    console.print(grid)
    if not all(summary.used for summary in summaries):
        console.print("* for reference: no likelihood reads it")
    console.print("Rows of one table: forecast evidence TABLE")


def _print_table(
    console: Console, summary: TableSummary, table: EvidenceTable, rows: tuple[Row, ...]
) -> None:
    from rich.text import Text

    console.print(Text(f"{summary.title} ({summary.driver}/{summary.table})", style="bold"))
    console.print(summary.description)
    if summary.default_error is not None:
        unit = summary.unit if summary.linear else "dex"
        why = summary.default_error_source
        console.print(f"Without an interval: standard deviation {summary.default_error:g} {unit} ({why}).")
    if summary.licence:
        console.print(f"Licence: {summary.licence}")
    published = "published\n(vintage)"
    grid = _grid("name", "bloc", "date", "value\ninterval (level)", published, "source")
    grid.columns[-1].ratio = 1
    for row in rows:
        keys = [f"  {column} {row.get(column)}" for column in table.spec.key]
        grid.add_row(
            "\n".join([row.name, *keys]),
            row.bloc,
            str(row.date),
            _figure(row),
            str(row.published) + (f"\n({row.vintage})" if row.vintage not in (None, row.published) else ""),
            Text(row.source, style=f"link {row.url}"),
        )
    console.print(grid)
    console.print(f"{len(rows)} of {summary.rows} rows; {summary.known} known by {summary.as_of}")


def _figure(row: Row) -> str:
    """Value and unit, and below them the interval with its level."""
    text = f"{_number(row.value)} {row.unit}"
    if math.isnan(row.level):
        return text
    return f"{text}\n{_number(row.low)} to {_number(row.high)} ({row.level:.3g})"


def _number(value: float) -> str:
    """Four digits: 1,250 or 4.6e26."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{float(f'{value:.4g}'):,.10g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
