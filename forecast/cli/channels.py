"""``forecast channels``: what a bloc under controls can get and buys, channel by channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._reading import answer, json_option, open_run, out_option, picture_option

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Spread = Mapping[str, float | None]


@click.command()
@click.argument("run")
@click.option("--bloc", metavar="NAME", help="[default: the first that has channels]")
@click.option("--quantity", metavar="NAME", help="Another sum of channels than the run's first.")
@click.option(
    "--until",
    type=int,
    metavar="YEAR",
    help="The last year shown [default: six after that of the as-of date].",
)
@picture_option("flows, shares and how binding the controls are")
@out_option
@json_option
def channels(
    run: str,
    bloc: str | None,
    quantity: str | None,
    until: int | None,
    output: Path | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Say what a bloc under controls can get and buys, by channel, and how binding the controls are.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". Read from the trajectories that a run keeps (500 draws at most),
    accepted draws alone. Flows are those of 1 July; amounts are added up since
    the first year, and nothing is retired. What is on offer is what could be
    had; money or world supply may end sooner, and each channel then delivers
    the same part of its offer. Offers are not bounded by world production,
    purchases are.
    """
    from forecast.results.channel_flows import GROUPS, read_channels
    from forecast.results.channels import describe_channels

    stored = open_run(run, out, output)
    flows = read_channels(stored.groups(*GROUPS), bloc=bloc, quantity=quantity)
    found = describe_channels(
        flows, stored.worldview, run_id=stored.id, prior_only=stored.summary["prior_only"], until=until
    )

    def draw(path: Path) -> None:
        from forecast.report.channels_figure import channels_figure

        channels_figure(flows, found, path, run_id=stored.id)

    answer(stored, found, as_json=as_json, output=output, draw=draw, show=_print)


def _print(found: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    basis = "priors alone, without evidence, of worldview" if found["prior_only"] else "worldview"
    console.print(Text(f"{found['title']}: {found['bloc_title']}, as of {found['as_of']}", style="bold"))
    console.print(Text(f"Conditional on {basis} {found['worldview']!r}; not a prophecy."))
    if (first := _headline(found)) is not None:
        console.print(first)
    for part in _parts(found):
        console.print(part)
    draws = found["draws"]
    console.print(
        Text(
            f"From {draws['counted']:,} accepted of {draws['kept']:,} kept draws. Medians, with 5% to 95% in "
            "parentheses; ± is the Monte Carlo standard error. All intervals: --json.",
            style="dim",
        )
    )
    console.print(Text(f"Run {found['run']}", style="dim"), soft_wrap=True)


def _headline(found: Mapping[str, Any]) -> Text | None:
    """Say in a sentence what is smuggled of what was bought, where both are known of the past."""
    from rich.text import Text

    past = [row["bought"] for row in found["years"] if row["past"]]
    if not past or past[-1] is None or "smuggled" not in found["channels"]:
        return None
    years = [row["year"] for row in found["years"] if row["past"]]
    ended = [index for index, year in enumerate(years) if f"{year}-12-31" <= found["as_of"]]
    parts = []
    if ended:
        of_all = _percent_interval(past[ended[-1]]["cumulative"]["shares"]["smuggled"], "%")
        parts.append(f"{of_all} of what was bought from {years[0]} to the end of {years[ended[-1]]}")
    now = _percent_interval(past[-1]["flow"]["shares"]["smuggled"], "%")
    return Text(f"Smuggled: {'; '.join([*parts, f'{now} on 1 July {years[-1]}'])}.")


def _parts(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    from rich.text import Text

    since, unit = found["since"][:4], found["flow_unit"]
    known = found["years"][0]["bought"] is not None
    side, words = ("bought", "bought") if known else ("offered", "on offer")
    if known:
        yield Text(f"\nBought on 1 July, {unit}", style="bold")
        yield _amounts(found, "bought", "flow")
    else:
        yield Text("\nWhat is bought is not in this run.")
    yield Text(f"On offer on 1 July, {unit}", style="bold")
    yield _amounts(found, "offered", "flow")
    yield Text(
        f"{words.capitalize()}, added up since {since} to the end of the year, {found['amount_unit']}",
        style="bold",
    )
    yield _amounts(found, side, "cumulative")
    if len(found["channels"]) > 1:
        yield Text(f"Shares of what is {words}: on 1 July / of all since {since}", style="bold")
        yield _shares(found, side)
    if found["years"][0]["ratio"] is not None:
        yield Text(
            "What can be had over what money could buy, on 1 July; below 1 the controls bind", style="bold"
        )
        yield _binding(found, side)
    if found["states"]:
        yield Text("Shares of draws in each state of the controls, on 1 July", style="bold")
        yield _policy(found)


def _table(*columns: Any) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if place else "left")
    return table


def _rows(table: Table, years: Sequence[Mapping[str, Any]], cells: Any) -> Table:
    """Fill a table, a row for each year, with a gap where the past ends."""
    past = True
    for row in years:
        if past and not row["past"]:
            table.add_section()
        past = row["past"]
        table.add_row(str(row["year"]), *cells(row))
    return table


def _amounts(found: Mapping[str, Any], side: str, key: str) -> Table:
    from forecast.report.terminal import compact, interval

    def cells(row: Mapping[str, Any]) -> list[str]:
        parts = row[side][key]
        medians = [_median(parts["channels"][name], compact) for name in found["channels"]]
        return [*medians, interval(parts["total"])]

    return _rows(_table("", *found["channels"], "total"), found["years"], cells)


def _shares(found: Mapping[str, Any], side: str) -> Table:
    table = _table("", *found["channels"])
    return _rows(
        table,
        found["years"],
        lambda row: [
            " / ".join(_median(row[side][key]["shares"][name], _percent) for key in ("flow", "cumulative"))
            for name in found["channels"]
        ],
    )


def _binding(found: Mapping[str, Any], side: str) -> Table:
    from forecast.report.terminal import interval, probability

    named = "smuggled" if "smuggled" in found["channels"] else None
    columns = [f"{named}, %", f"since {found['since'][:4]}, %"] if named else []
    table = _table("", "ratio", "P(below 1)", *columns)

    def cells(row: Mapping[str, Any]) -> list[str]:
        shares = [
            _percent_interval(row[side][key]["shares"][named]) for key in ("flow", "cumulative") if named
        ]
        return [interval(row["ratio"]), probability(row["p_binding"], row["mcse"]["p_binding"]), *shares]

    return _rows(table, found["years"], cells)


def _policy(found: Mapping[str, Any]) -> Table:
    from forecast.report.terminal import probability

    return _rows(
        _table("", *found["states"]),
        [row for row in found["years"] if row["policy"] is not None],
        lambda row: [probability(row["policy"][state]["p"], row["policy"][state]["mcse"])
                     for state in found["states"]],
    )  # fmt: skip


def _median(spread: Spread, form: Any) -> str:
    value = spread["0.5"]
    return "-" if value is None else str(form(value))


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _percent_interval(spread: Spread, sign: str = "") -> str:
    low, middle, high = (spread[level] for level in ("0.05", "0.5", "0.95"))
    if low is None or middle is None or high is None:
        return "-"
    return f"{100 * middle:.0f}{sign} ({100 * low:.0f}-{100 * high:.0f})"
