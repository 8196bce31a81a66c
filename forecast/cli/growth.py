"""``forecast growth``: what made the growth of a quantity, by driver and bloc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._reading import answer, json_option, open_run, out_option, picture_option

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

AHEAD = (2, 5, 10)
"""Years after that of the as-of date, at whose beginning the table looks."""


@click.command()
@click.argument("run")
@click.option("--quantity", metavar="NAME", help="Whose growth [default: the one with most parts].")
@click.option("--bloc", metavar="NAME", help="This bloc alone.")
@click.option("--since", metavar="DATE", help="Where growth counts from [default: 2022-01-01 in most runs].")
@picture_option("the parts stacked over time, by bloc")
@out_option
@json_option
def growth(
    run: str,
    quantity: str | None,
    bloc: str | None,
    since: str | None,
    output: Path | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Say what made the growth of a quantity: parts by driver, which add up exactly.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". In OOM (powers of ten), means over accepted draws. An account, not
    an experiment: what a part adds is not what would be lost without it.
    `forecast scenario` and --without try that.
    """
    from forecast.results.growth import GROUP, describe_growth

    day = _day(since)
    stored = open_run(run, out, output)
    found = describe_growth(stored.groups(GROUP), quantity, bloc, since=day)
    prior_only = stored.summary["prior_only"]
    about = {"run": stored.id, "worldview": stored.worldview.name, "prior_only": prior_only}
    titles = {one.name: one.title for one in stored.worldview.blocs}

    def draw(path: Path) -> None:
        from forecast.report.growth_figure import growth_figure

        name = stored.worldview.name
        growth_figure(found, titles, path, worldview=name, prior_only=prior_only, run_id=stored.id)

    answer(
        stored,
        found | about,
        as_json=as_json,
        output=output,
        draw=draw,
        show=lambda told: _print(told, titles),
    )


def _day(since: str | None) -> date | None:
    from forecast.dates import parse_date
    from forecast.errors import InputError

    try:
        return None if since is None else parse_date(since)
    except ValueError as error:
        raise InputError(f"--since: {error}") from None


def _print(found: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    basis = "priors alone, without evidence, of worldview" if found["prior_only"] else "worldview"
    console.print(Text(f"{found['title']}: what made the growth, as of {found['as_of']}", style="bold"))
    console.print(Text(f"Conditional on {basis} {found['worldview']!r}; not a prophecy."))
    places = _places(found)
    for bloc in found["blocs"]:
        console.print(Text(f"\n{titles.get(bloc, bloc)}: OOM since {found['since']}", style="bold"))
        console.print(_table(found, bloc, places))
    others = [name for name in found["quantities"] if name != found["quantity"]]
    also = f" Also accounted for (--quantity): {', '.join(others)}." if others else ""
    console.print(
        Text(
            f"Means over {found['draws']:,} accepted draws; 1 OOM is a factor of ten. What a part adds is "
            f"not what would be lost without it.{also}",
            style="dim",
        )
    )
    console.print(Text(f"Run {found['run']}", style="dim"), soft_wrap=True)


def _places(found: Mapping[str, Any]) -> dict[str, int]:
    """Columns of the table: the as-of date and some years later, to their places among the moments told."""
    from forecast.dates import end_of

    as_of, years = date.fromisoformat(found["as_of"]), found["years"]
    wanted = {found["as_of"]: end_of(as_of)} | {f"{as_of.year + n}": float(as_of.year + n) for n in AHEAD}
    places = {title: years.index(moment) for title, moment in wanted.items() if moment in years[1:]}
    return places or {f"{years[-1]:.0f}": len(years) - 1}


def _table(found: Mapping[str, Any], bloc: str, places: Mapping[str, int]) -> Table:
    """Parts under their drivers, each with the driver's sum where it has several; the total last."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for title in places:
        table.add_column(Text(title), justify="right")
    told = found["blocs"][bloc]
    parts = list(zip(found["parts"], told["parts"], strict=True))
    for driver in dict.fromkeys(part["driver"] for part, _ in parts):
        own = [(part["title"], values) for part, values in parts if part["driver"] == driver]
        if not driver:  # interventions
            table.add_row(Text(own[0][0], style="bold"), *_cells(own[0][1], places))
            continue
        together = [sum(numbers) for numbers in zip(*(values for _, values in own), strict=True)]
        table.add_row(Text(driver, style="bold"), *_cells(together, places))
        for title, values in own:
            table.add_row(Text(f"  {title}", style="dim"), *_cells(values, places, "dim"))
    table.add_section()
    table.add_row(Text("all of it", style="bold"), *_cells(told["total"], places))
    return table


def _cells(values: Sequence[float], places: Mapping[str, int], style: str = "bold") -> list[Text]:
    from rich.text import Text

    return [Text(_number(values[place]), style=style) for place in places.values()]


def _number(value: float) -> str:
    return "0" if abs(value) < 0.005 else f"{value:+.2f}"
