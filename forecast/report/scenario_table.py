"""Scenarios against their base as tables for people. Fits 80 columns; plain text when piped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.report.terminal import probability, verdict_lines
from forecast.results import month_or_never
from forecast.wording import neither


def print_scenarios(
    summary: Mapping[str, Any],
    console: Console | None = None,
    *,
    saved: Path | None = None,
    existed: bool = False,
) -> None:
    """Print each scenario beside the base: dates and P(in the window) per bloc, worlds, verdicts.

    Parameters
    ----------
    summary : mapping
        As in ``scenarios.json``.
    console : rich.console.Console, optional
        By default one on stdout, which writes plain text when it is piped.
    saved : pathlib.Path, optional
        Folder of the base's run, which holds the results.
    existed : bool
        The run was there before: nothing was fitted.
    """
    out = console or Console(highlight=False)
    for part in _parts(summary):
        out.print(part, highlight=False)
    if saved is not None:
        words = "Draws of the saved run" if existed else "Draws of a new run,"
        # A path that is broken over lines cannot be copied.
        line = Text.assemble(f"{words} {summary['run']}; results in ", (str(saved), "bold"))
        out.print(line, highlight=False, soft_wrap=True)


def _parts(summary: Mapping[str, Any]) -> Iterator[Table | Text]:
    basis = "priors alone, without evidence, of worldview" if summary["prior_only"] else "worldview"
    yield Text(f"{summary['milestone_title']}: scenarios as of {summary['as_of']}", style="bold")
    yield Text(f"Conditional on {basis} {summary['worldview']!r} and on each scenario; not a prophecy.")
    blocs = list(summary["base"]["blocs"])
    for bloc in blocs:
        yield _dates_table(summary, bloc)
    for start in range(0, len(blocs), 2):
        yield _window_table(summary, blocs[start : start + 2])
    if summary["base"]["lead"] is not None:
        yield _worlds_table(summary)
    yield from _notes(summary)
    yield from verdict_lines(summary["base"]["diagnostics"])
    for name, scenario in summary["scenarios"].items():
        if not scenario["paired"] and not summary["prior_only"]:
            yield Text(f"Fit of {name}:")
            yield from verdict_lines(scenario["diagnostics"])
    yield Text()


def _dates_table(summary: Mapping[str, Any], bloc: str) -> Table:
    base, horizon = summary["base"]["blocs"][bloc], summary["horizon"]
    table = _table(Text(base["title"]))
    for heading in ("median", "shift, years", "5% to 95%", "both cross"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("base", month_or_never(base["quantiles"]["0.5"], horizon), "", "", "")
    for label, scenario in _labelled(summary):
        found = scenario["blocs"].get(bloc)
        if found is None:
            table.add_row(label, *(["-"] * 4))
            continue
        years = found["shift_years"]
        table.add_row(
            label,
            month_or_never(found["quantiles"]["0.5"], horizon),
            _middle(years["0.5"], found["shift_mcse"]),
            "-" if years["0.05"] is None else f"{_signed(years['0.05'])} to {_signed(years['0.95'])}",
            "-" if found["p_both"] is None else f"{found['p_both']:.3f}",
        )
    return table


def _window_table(summary: Mapping[str, Any], blocs: Sequence[str]) -> Table:
    base, window = summary["base"]["blocs"], summary["window"]
    table = _table(f"P({window['start']}\nto {window['end']})")
    for bloc in blocs:
        table.add_column(Text(base[bloc]["title"]), justify="right", max_width=13)
        table.add_column("change", justify="right", no_wrap=True)
    first = []
    for bloc in blocs:
        value, error = probability(base[bloc]["p_in"], base[bloc]["mcse"]["p_in"]).split(" ")
        first += [value, error]
    table.add_row("base", *first)
    for label, scenario in _labelled(summary):
        cells = []
        for bloc in blocs:
            found = scenario["blocs"].get(bloc)
            cells += (
                ["-", "-"]
                if found is None
                else [f"{found['p_in']:.3f}", _change(found["p_in_change"], found["p_in_change_mcse"])]
            )
        table.add_row(label, *cells)
    return table


def _table(heading: str | Text) -> Table:
    # Titles are the user's words: as Text, brackets in them are no markup.
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(heading, overflow="fold", min_width=12)
    return table


def _labelled(summary: Mapping[str, Any]) -> Iterator[tuple[Text, Mapping[str, Any]]]:
    for name, scenario in summary["scenarios"].items():
        yield Text(name if scenario["paired"] else f"{name} *"), scenario


def _worlds_table(summary: Mapping[str, Any]) -> Table:
    base = summary["base"]
    titles = {name: bloc["title"] for name, bloc in base["blocs"].items()}
    lead = base["lead"]
    years = "1 year" if lead["within_years"] == 1 else f"{lead['within_years']:g} years"
    table = _table(f"P(alone for {years})")
    for bloc in lead["p_unipolar"]:
        table.add_column(Text(titles.get(bloc, bloc)), justify="right", max_width=13)
    table.add_column("two within it", justify="right", no_wrap=True)
    table.add_column(neither(len(titles)), justify="right", no_wrap=True)
    for label, side in [(Text("base"), base), *_labelled(summary)]:
        found = side["lead"]
        if found is None:
            table.add_row(label, *(["-"] * (len(lead["p_unipolar"]) + 2)))
            continue
        alone = [
            probability(found["p_unipolar"][bloc], found["mcse"]["p_unipolar"][bloc])
            if bloc in found["p_unipolar"]
            else "-"
            for bloc in lead["p_unipolar"]
        ]
        shared = [probability(found[key], found["mcse"][key]) for key in ("p_bipolar", "p_neither")]
        table.add_row(label, *alone, *shared)
    return table


def _notes(summary: Mapping[str, Any]) -> Iterator[Text]:
    draws = summary["base"]["draws"]
    paired = [scenario["paired"] for scenario in summary["scenarios"].values()]
    text = f"{draws['total'] - draws['set_aside']:,} of {draws['total']:,} draws."
    if any(paired):
        text += (
            " Changes and shifts are of the same draws with and without the change; a shift is of those that "
            "cross both ways (share: both cross)."
        )
    if not all(paired):
        text += (
            " * Fitted again: its shift compares the quantiles of two fits, and its errors are those of both."
        )
    yield Text(f"{text} ± is the Monte Carlo standard error.", style="dim")


def _change(change: float | None, mcse: float | None) -> str:
    if change is None or mcse is None:
        return "-"
    shown = f"{change:+.3f}" if abs(change) >= 0.0005 else "0.000"
    return f"{shown} ±{'<0.001' if mcse < 0.0005 else f'{mcse:.3f}'}"


def _middle(median: float | None, mcse: float | None) -> str:
    if median is None:
        return "-"
    error = "" if mcse is None else " ±<0.01" if 0 < mcse < 0.005 else f" ±{mcse:.2f}"
    return f"{_signed(median, 2)}{error}"


def _signed(years: float, digits: int = 1) -> str:
    """A shift with its sign; none for one that rounds to nothing."""
    text = f"{years:+.{digits}f}"
    return text[1:] if float(text) == 0 else text
