"""An ensemble as tables for the terminal. Fits 80 columns; plain text when piped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.report.figures import percent
from forecast.report.terminal import probability, signed_years
from forecast.results import default_milestone, month_or_never


def print_ensemble(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print members with their weights, then the dates and worlds of each and of the mixture.

    Parameters
    ----------
    found : mapping
        From :func:`forecast.ensemble.ensemble`.
    console : rich.console.Console, optional
        By default one on stdout, which writes plain text when it is piped.
    """
    out = console or Console(highlight=False)
    name = default_milestone(list(found["milestones"]))
    milestone = found["milestones"][name]
    out.print(Text(f"{milestone['title']} in a mixture of {len(found['members'])} runs", style="bold"))
    out.print(Text(f"Weights: {found['about']}. Conditional on the members' worldviews; not a prophecy."))
    for number, member in enumerate(found["members"], start=1):
        # An id that is broken over lines cannot be copied.
        out.print(Text(f"{number}  {member['run']}"), soft_wrap=True)
    out.print(_members(found))
    for bloc in milestone["blocs"]:
        out.print(_bloc(found, name, bloc))
    for part in _lead(milestone):
        out.print(part)
    window = found["window"]
    out.print(
        Text(
            f"Window {window['start']} to {window['end']}, horizon {found['horizon']}. ± is the Monte Carlo "
            "standard error, for the weights as they are.",
            style="dim",
        )
    )
    for note in found["notes"]:
        out.print(Text(f"Note: {note}"))


def _members(found: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("member", overflow="fold")
    table.add_column("weight", justify="right")
    judged = found["members"][0]["elpd"] is not None
    if judged:
        table.add_column("log score", justify="right")
        best = max(member["elpd"] for member in found["members"])
    for number, member in enumerate(found["members"], start=1):
        row: list[Text | str] = [Text(f"{number}  {member['worldview']}"), f"{member['weight']:.3f}"]
        if judged:
            behind = member["elpd"] - best
            row.append("best" if behind == 0 else f"{behind:+.1f}")
        table.add_row(*row)
    return table


def _bloc(found: Mapping[str, Any], name: str, bloc: str) -> Table:
    mixed = found["milestones"][name]["blocs"][bloc]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(Text(mixed["title"]), overflow="fold")
    for heading in ("10% by", "median", "75% by", "P(in window)", "its part", "P(not by\nhorizon)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, member in enumerate(found["members"], start=1):
        own = member["milestones"][name][bloc]
        part = "-" if own["part_of_p_in"] is None else percent(own["part_of_p_in"])
        table.add_row(Text(f"{number}  {member['worldview']}"), *_cells(own, found["horizon"], part))
    table.add_row("mixture", *_cells(mixed, found["horizon"], ""), style="bold")
    return table


def _cells(bloc: Mapping[str, Any], horizon: str, part: str) -> list[str]:
    dates = [month_or_never(bloc["quantiles"][level], horizon) for level in ("0.1", "0.5", "0.75")]
    inside, never = (probability(bloc[key], bloc["mcse"][key]) for key in ("p_in", "p_never"))
    return [*dates, inside, part, never]


def _lead(milestone: Mapping[str, Any]) -> Iterator[Table]:
    lead = milestone["lead"]
    if lead is None:
        return
    titles = {bloc: one["title"] for bloc, one in milestone["blocs"].items()}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(Text(f"lead of {titles[lead['leader']]} over {titles[lead['follower']]}"))
    table.add_column("mixture", justify="right", no_wrap=True)
    for level, words in (("0.05", "5%, years"), ("0.5", "median, years"), ("0.95", "95%, years")):
        table.add_row(words, signed_years(lead["quantiles"], level))
    for bloc, title in titles.items():
        table.add_row(
            Text(f"P(unipolar: {title})"),
            probability(lead["p_unipolar"][bloc], lead["mcse"]["p_unipolar"][bloc]),
        )
    table.add_row("P(bipolar)", probability(lead["p_bipolar"], lead["mcse"]["p_bipolar"]))
    yield table
