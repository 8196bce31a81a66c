"""A what-if answer as tables for the terminal: before and after. Fits 80 columns; plain text when piped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.report.terminal import probability, signed_years
from forecast.results import default_milestone, month_or_never

_MOST_SAID = 12


def print_whatif(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print which way the answer was found, what changed, and dates and worlds before and after.

    Parameters
    ----------
    found : mapping
        ``summary`` of :class:`forecast.whatif.Asked`.
    console : rich.console.Console, optional
        By default one on stdout, which writes plain text when it is piped.
    """
    out = console or Console(highlight=False)
    for part in _parts(found):
        out.print(part, highlight=False)
    out.print(Text(f"Run {found['run']}", style="dim"), highlight=False, soft_wrap=True)
    if found["refit"] is not None:
        words = "The same refit was there: " if found["refit"]["existed"] else "The refit is saved in "
        out.print(Text.assemble(words, (found["refit"]["path"], "bold")), highlight=False, soft_wrap=True)


def _parts(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    basis = "priors alone, without evidence, of worldview" if found["prior_only"] else "worldview"
    yield Text(f"What if: {', '.join(found['set'])}", style="bold")
    yield Text(f"Conditional on {basis} {found['worldview']!r} so changed; not a prophecy.")
    said = found["says"]
    for line in said[:_MOST_SAID]:
        yield Text(f"  {line}")
    if len(said) > _MOST_SAID:
        yield Text(f"  and {len(said) - _MOST_SAID} more (--json)")
    yield _method(found)
    names = [name for name in found["milestones"] if name in found["before"]["milestones"]]
    if names:
        first = default_milestone(names)
        yield _dates(found, first)
        lead = _lead(found, first)
        if lead is not None:
            yield lead
        others = [name for name in names if name != first]
        if others:
            yield _others(found, others)
    yield Text("± is the Monte Carlo standard error; of a change, that of the change.", style="dim")
    for note in found["notes"]:
        yield Text(f"Note: {note}")


def _method(found: Mapping[str, Any]) -> Text:
    why = "; ".join(found["why"])
    if found["method"] == "refit":
        return Text.assemble(("By a refit", "bold"), f": {why}.")
    text = Text.assemble(("By the run's own draws", "bold"), f", without a refit: {why}.")
    if found["effective_draws"] is not None:
        text.append(
            f" {found['accepted_draws']:,} draws, weighted, are worth {found['effective_draws']:,.0f}."
        )
    return text


def _dates(found: Mapping[str, Any], name: str) -> Table:
    before, after = found["before"]["milestones"][name], found["milestones"][name]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(Text(after["title"]), overflow="fold")
    for heading in ("10% by", "median", "75% by", "P(in window)", "change"):
        table.add_column(heading, justify="right", no_wrap=True)
    for bloc, new in after["blocs"].items():
        old = before["blocs"].get(bloc)
        if old is not None:
            table.add_row(f"{old['title']}: run", *_row(old, found["before"]["horizon"]), "")
        moved = found["change"].get(name, {}).get(bloc)
        change = "" if moved is None else _signed(moved["p_in"], moved["p_in_mcse"])
        table.add_row("  what if", *_row(new, found["horizon"]), change, style="bold")
    return table


def _row(bloc: Mapping[str, Any], horizon: str) -> list[str]:
    cells = [month_or_never(bloc["quantiles"][level], horizon) for level in ("0.1", "0.5", "0.75")]
    return [*cells, probability(bloc["p_in"], bloc["mcse"]["p_in"])]


def _signed(value: float, error: float | None) -> str:
    """Write a change of a probability, "no change" where nothing that was asked could move it."""
    if value == error == 0:
        return "no change"
    text = f"{value:+.3f}"
    if not float(text):
        text = "0.000"
    if error is None:
        return text
    return f"{text} ±{'<0.001' if error < 0.0005 else f'{error:.3f}'}"


def _lead(found: Mapping[str, Any], name: str) -> Table | None:
    milestone, before = found["milestones"][name], found["before"]["milestones"][name]
    old, new = before["lead"], milestone["lead"]
    if old is None or new is None:
        return None
    titles = {bloc: one["title"] for bloc, one in {**before["blocs"], **milestone["blocs"]}.items()}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(Text(f"lead of {titles[new['leader']]} over {titles[new['follower']]}"))
    for heading in ("run", "what if"):
        table.add_column(heading, justify="right", no_wrap=True)
    for level, words in (("0.05", "5%, years"), ("0.5", "median, years"), ("0.95", "95%, years")):
        table.add_row(words, *(signed_years(one["quantiles"], level) for one in (old, new)))
    for bloc in new["p_unipolar"]:
        cells = [
            probability(one["p_unipolar"][bloc], one["mcse"]["p_unipolar"][bloc])
            if bloc in one["p_unipolar"]
            else "-"
            for one in (old, new)
        ]
        table.add_row(Text(f"P(unipolar: {titles[bloc]})"), *cells)
    for key, words in (("p_bipolar", "P(bipolar)"), ("p_neither", "P(neither)")):
        table.add_row(words, *(probability(one[key], one["mcse"][key]) for one in (old, new)))
    if old["within_years"] != new["within_years"]:
        table.add_row("alone for, years", *(f"{one['within_years']:g}" for one in (old, new)))
    return table


def _others(found: Mapping[str, Any], names: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("other milestones: median", overflow="fold")
    titles = {bloc: one["title"] for bloc, one in found["milestones"][names[0]]["blocs"].items()}
    for title in titles.values():
        table.add_column(Text(title), justify="right", no_wrap=True)
    for name in names:
        sides = ((found["before"], found["before"]["horizon"]), (found, found["horizon"]))
        cells = []
        for bloc in titles:
            medians = [
                month_or_never(side["milestones"][name]["blocs"][bloc]["quantiles"]["0.5"], horizon)
                if bloc in side["milestones"][name]["blocs"]
                else "-"
                for side, horizon in sides
            ]
            cells.append(medians[0] if medians[0] == medians[1] else " -> ".join(medians))
        table.add_row(Text(found["milestones"][name]["title"]), *cells)
    return table
