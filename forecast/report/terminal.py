"""The summary as tables for people. Fits 80 columns; plain text when piped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.results import default_milestone, month_or_never
from forecast.wording import neither

_BLOCS_ABREAST = 3

_LEVELS = {
    "training_compute": "training compute, FLOP",
    "chips_in_run": "chips in the run, H100e",
    "chips_in_bloc": "chips of the bloc, H100e",
    "annual_spend": "spending, USD/year",
    "lag_months": "months behind the first",
}
_EXCEEDED = {
    "p_million_chips": "P(million chips in the run)",
    "p_ten_billion_usd": "P(cluster of $10 billion)",
}
_INTERVAL = ("0.05", "0.5", "0.95")
_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def print_summary(
    summary: Mapping[str, Any],
    console: Console | None = None,
    *,
    saved: Path | None = None,
    existed: bool = False,
) -> None:
    """Print a summary: dates and probabilities per bloc, lead, verdict, place, citation.

    Parameters
    ----------
    summary : mapping
        ``summary.json``.
    console : rich.console.Console, optional
        By default one on stdout, which writes plain text when it is piped.
    saved : pathlib.Path, optional
        Folder of the run.
    existed : bool
        An identical run was there before and was kept.
    """
    out = console or Console(highlight=False)
    for part in _parts(summary):
        out.print(part, highlight=False)
    if saved is not None:
        words = "An identical run was there and was kept: " if existed else "Saved in "
        # A path that is broken over lines cannot be copied.
        out.print(Text.assemble(words, (str(saved), "bold")), highlight=False, soft_wrap=True)
    out.print(Text.assemble("To cite: ", (summary["citation"], "italic")), highlight=False)


def _parts(summary: Mapping[str, Any]) -> Iterator[Table | Text]:
    yield from _heading(summary)
    others = dict(summary["milestones"])
    if others:
        milestone = others.pop(default_milestone(list(others)))
        blocs = list(milestone["blocs"].values())
        for start in range(0, len(blocs), _BLOCS_ABREAST):
            yield _milestone_table(milestone, blocs[start : start + _BLOCS_ABREAST], summary)
        for start in range(0, len(blocs), _BLOCS_ABREAST):
            yield from _levels_table(blocs[start : start + _BLOCS_ABREAST], summary["horizon"])
        if milestone["lead"] is not None:
            yield _lead_table(milestone, summary["horizon"])
        yield _draws_line(milestone)
    if others:
        yield _others_table(list(others.values()), summary["horizon"])
    yield from _mixture_lines(summary)
    yield from verdict_lines(summary["diagnostics"])
    yield Text()


def _heading(summary: Mapping[str, Any]) -> Iterator[Text]:
    basis = "priors alone, without evidence, of worldview" if summary["prior_only"] else "worldview"
    yield Text(f"Forecast as of {summary['as_of']}, horizon {summary['horizon']}", style="bold")
    yield Text(f"Conditional on {basis} {summary['worldview']!r}; not a prophecy.")
    window, left = summary["window"], summary["window_left_at_as_of"]
    days = "1 day" if left["days"] == 1 else f"{left['days']} days"
    yield Text(
        f"Window {window['start']} to {window['end']}: {100 * left['share']:.0f}% of it ({days}) was left at "
        "the as-of date."
    )


def _milestone_table(
    milestone: Mapping[str, Any], blocs: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> Table:
    window, horizon = summary["window"], summary["horizon"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    # Titles are the user's words: as Text, brackets in them are no markup.
    table.add_column(Text(milestone["title"]))
    for bloc in blocs:
        table.add_column(Text(bloc["title"]), justify="right")
    for level, words in (("0.1", "10% by"), ("0.5", "median"), ("0.75", "75% by")):
        table.add_row(
            words,
            *(month_or_never(bloc["quantiles"][level], horizon) for bloc in blocs),
            style="bold" if level == "0.5" else None,
        )
    for key, words in (
        ("p_before", f"P(before {window['start']})"),
        ("p_in", f"P({window['start']} to {window['end']})"),
        ("p_after", f"P(after, by {horizon})"),
        ("p_never", f"P(not by {horizon})"),
    ):
        table.add_row(words, *(probability(bloc[key], bloc["mcse"][key]) for bloc in blocs))
    for day in blocs[0].get("crossed_by", {}):
        shares = [bloc["crossed_by"][day] for bloc in blocs]
        table.add_row(
            f"P(by the end of {day})", *(probability(share["p"], share["mcse"]) for share in shares)
        )
    return table


def _levels_table(blocs: Sequence[Mapping[str, Any]], horizon: str) -> Iterator[Table]:
    """What each bloc has when it crosses; nothing where no bloc does, or the run is too old to say."""
    levels = [bloc.get("at_crossing") or {} for bloc in blocs]
    inside = [bloc.get("inside") for bloc in blocs]
    if not any(levels) and not any(inside):
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("When it crosses (5-95%)")
    for bloc in blocs:
        table.add_column(Text(bloc["title"]), justify="right")
    if any(inside):
        table.add_row(
            "exists inside the laboratory",
            *("-" if one is None else month_or_never(one["quantiles"]["0.5"], horizon) for one in inside),
        )
    for key, words in _LEVELS.items():
        if any(level.get(key) for level in levels):
            form = _plain_number if key == "lag_months" else compact
            table.add_row(words, *(interval(level.get(key), form) for level in levels))
    for key, words in _EXCEEDED.items():
        if any(bloc.get(key) is not None for bloc in blocs):
            table.add_row(
                words,
                *(
                    "-" if bloc.get(key) is None else probability(bloc[key], bloc["mcse"][key])
                    for bloc in blocs
                ),
            )
    yield table


def _others_table(milestones: Sequence[Mapping[str, Any]], horizon: str) -> Table:
    """Dates of the milestones beside the first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for words in ("Other milestones", ""):
        table.add_column(words)
    for words in ("10% by", "median", "90% by"):
        table.add_column(words, justify="right", no_wrap=True)
    days = list(next(iter(milestones[0]["blocs"].values())).get("crossed_by", {}))
    for day in days:
        table.add_column(f"P by {day}", justify="right", min_width=len(day))
    for milestone in milestones:
        title = milestone["title"]
        for bloc in milestone["blocs"].values():
            dates = [month_or_never(bloc["quantiles"][level], horizon) for level in ("0.1", "0.5", "0.9")]
            shares = [f"{bloc['crossed_by'][day]['p']:.3f}" for day in days]
            table.add_row(Text(title), Text(bloc["title"]), *dates, *shares)
            title = ""
    return table


def _lead_table(milestone: Mapping[str, Any], horizon: str) -> Table:
    lead = milestone["lead"]
    titles = {name: bloc["title"] for name, bloc in milestone["blocs"].items()}
    leader, follower = titles[lead["leader"]], titles[lead["follower"]]
    years = "1 year" if lead["within_years"] == 1 else f"{lead['within_years']:g} years"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(Text(f"{milestone['title']}: lead of {leader} over {follower}"))
    table.add_column("", justify="right")
    spread = lead["quantiles"]
    table.add_row("median, years", signed_years(spread, "0.5"), style="bold")
    table.add_row("10% to 90%, years", f"{signed_years(spread, '0.1')} to {signed_years(spread, '0.9')}")
    for name, p in lead["p_unipolar"].items():
        table.add_row(
            Text(f"P(unipolar: {titles.get(name, name)} alone for {years})"),
            probability(p, lead["mcse"]["p_unipolar"][name]),
        )
    table.add_row(
        f"P(bipolar: two within {years})", probability(lead["p_bipolar"], lead["mcse"]["p_bipolar"])
    )
    nobody = neither(len(titles))
    table.add_row(f"P({nobody} by {horizon})", probability(lead["p_neither"], lead["mcse"]["p_neither"]))
    return table


def _mixture_lines(summary: Mapping[str, Any]) -> Iterator[Text]:
    """Say for each mixture of shapes how its weights moved; of priors alone there is nothing to say."""
    if summary["prior_only"]:
        return
    for name, components in summary.get("mixtures", {}).items():
        moved = [
            f"{one['label']} {one['prior']:.2f} -> {probability(one['posterior'], one['mcse'])}"
            for one in components
        ]
        yield Text(f"Weights of {name}, prior -> posterior: {'; '.join(moved)}.")


def _draws_line(milestone: Mapping[str, Any]) -> Text:
    draws = milestone["draws"]
    text = f"{draws['total'] - draws['set_aside']:,} of {draws['total']:,} draws"
    by_reason = draws.get("set_aside_by") or {"crossed": draws["set_aside"]}
    for reason, count in by_reason.items():
        if count and reason == "crossed":
            text += f"; {count:,} set aside, in which a bloc had crossed by the as-of date"
        elif count:
            text += f"; {count:,} set aside by the evidence {reason}"
    return Text(f"{text}. ± is the Monte Carlo standard error.", style="dim")


def verdict_lines(diagnostics: Mapping[str, Any]) -> Iterator[Text]:
    """Say what the diagnostics found, what failed, where, and what to do about it.

    Parameters
    ----------
    diagnostics : mapping
        ``diagnostics`` of ``summary.json``.
    """
    checks = diagnostics["checks"]
    if diagnostics["ok"]:
        found = ", ".join(f"{check['title']} {_value(check)}" for check in checks)
        yield Text.assemble("Diagnostics ", ("passed", "bold green"), f": {found}.")
        return
    if diagnostics["ok"] is False:
        yield Text.assemble("Diagnostics ", ("FAILED", "bold red"), ": do not rely on these numbers.")
    elif not any(check["state"] == "not-available" for check in checks):
        yield Text(f"Diagnostics: {diagnostics['verdict']}.")
    else:
        yield Text.assemble(
            "Diagnostics ", ("not available", "bold yellow"), ": convergence could not be judged."
        )
    for check in checks:
        if check["state"] == "pass":
            continue
        state = "not available" if check["state"] == "not-available" else _failure(check)
        yield Text.assemble((f"  {check['title']}: ", "bold"), f"{state}. {check['advice']}")


def _failure(check: Mapping[str, Any]) -> str:
    most = check["code"] in ("r_hat", "divergences")
    bound = f"at {'most' if most else 'least'} {check['threshold']:g}"
    where = f" at {check['where']}" if check["where"] else ""
    return f"{_value(check)}{where}, should be {bound}"


def _value(check: Mapping[str, Any]) -> str:
    value = check["value"]
    if value is None:
        return "not a number"
    if check["code"] == "r_hat":
        # Never rounded to the passing side of the threshold.
        return f"{value:.3f}" if abs(value - check["threshold"]) >= 0.0005 else f"{value:.5f}"
    return f"{value:.2f}" if check["code"] == "e_bfmi" else f"{value:,.0f}"


def probability(p: float, mcse: float) -> str:
    """Write a probability with its Monte Carlo standard error, as "0.081 ±0.004"."""
    error = "<0.001" if mcse < 0.0005 else f"{mcse:.3f}"
    return f"{p:.3f} ±{error}"


def compact(value: float) -> str:
    """Write an amount in two or three digits: "850k", "2.1M", "14B", "3.2e27"."""
    if not 1000 <= abs(value) < 1e15:
        return _plain_number(value)
    digits = float(f"{value:.2g}")  # first, for rounding may carry over: 999,999 is 1M, not 1000k
    size, letter = next(pair for pair in _SUFFIXES if pair[0] <= abs(digits))
    return f"{digits / size:g}{letter}"


def _plain_number(value: float) -> str:
    if abs(value) < 1e15:
        return f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def interval(spread: Mapping[str, float | None] | None, form: Callable[[float], str] = compact) -> str:
    """Write a median with its 5% and 95% quantiles, as "2.1M (310k-14M)"; "-" where there is none."""
    if not spread:
        return "-"
    low, middle, high = ("inf" if (one := spread[level]) is None else form(one) for level in _INTERVAL)
    return middle if low == high == middle else f"{middle} ({low}-{high})"


def signed_years(spread: Mapping[str, float | None], level: str) -> str:
    """Write a quantile of the lead; null is infinite, and its place among the others tells which way."""
    value = spread[level]
    if value is not None:
        return f"{value:+.1f}"
    finite = [float(other) for other, found in spread.items() if found is not None]
    if not finite:
        return "not finite"
    return "+inf" if float(level) > max(finite) else "-inf"
