"""A diagnosis as words and tables for the terminal. Fits 80 columns; plain text when piped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PARAMETERS = 10
_ROWS = 12
_UNMOVED = 12
_STYLES = {"pass": "green", "fail": "bold red", "not-available": "yellow"}
_WORDS = {"pass": "pass", "fail": "FAIL", "not-available": "n/a"}
_BEYOND = {"r_hat": True, "ess_bulk": False, "ess_tail": False, "mcse_over_sd": True}
_P_VALUES = ("predictive", "loo_pit", "coverage")


def print_diagnosis(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the verdict, then the checks, what to do, and the details behind them.

    Parameters
    ----------
    found : mapping
        From :func:`forecast.diagnostics.diagnose`.
    console : rich.console.Console, optional
        By default one on stdout, which writes plain text when it is piped.
    """
    out = console or Console(highlight=False)
    for part in _parts(found):
        out.print(part, highlight=False)
    # An id that is broken over lines cannot be copied.
    out.print(Text(f"Diagnosed: {found['run']}", style="dim"), highlight=False, soft_wrap=True)


def _parts(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    word, style = {
        True: ("passed", "bold green"),
        False: ("FAILED", "bold red"),
        None: ("not available", "bold yellow"),
    }[found["ok"]]
    yield Text.assemble("Diagnostics ", (word, style), f". {found['verdict']}")
    draws = found["draws"]
    if draws is not None:
        chains = "1 chain" if draws["chains"] == 1 else f"{draws['chains']} chains"
        yield Text(
            f"{chains} of {draws['draws']:,} draws, {len(found['parameters']):,} numbers.", style="dim"
        )
    yield _checks(found)
    yield from _advice(found["checks"])
    if found["parameters"]:
        yield from _parameters(found)
    if found["tables"]:
        yield from _tables(found)
    yield from _influential(found)
    yield from _conflicts(found["conflicts"])
    yield from _unmoved(found)
    if found["thresholds_set"]:
        given = ", ".join(f"{code}={value:g}" for code, value in found["thresholds_set"].items())
        yield Text(f"Thresholds that were set for this diagnosis: {given}.", style="bold")
    yield Text(f"Thresholds: {_citations(found)}. In full: --json, docs/diagnose.md.", style="dim")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for place, column in enumerate(columns):
        table.add_column(
            column, justify="right" if place else "left", overflow="ellipsis" if place else "fold"
        )
    return table


def _checks(found: Mapping[str, Any]) -> Table:
    table = _table("check", "", "value", "should be", "where")
    table.columns[1].justify = table.columns[4].justify = "left"
    table.columns[4].overflow = "fold"
    deciding = set(found["deciding"])
    for title, chosen in (
        ("These decide the verdict", [check for check in found["checks"] if check["code"] in deciding]),
        ("These inform it", [check for check in found["checks"] if check["code"] not in deciding]),
    ):
        table.add_row(Text(title, style="dim italic"))
        for check in chosen:
            state = Text(_WORDS[check["state"]], style=_STYLES[check["state"]])
            place = Text(_place(check, found))
            table.add_row(Text(check["title"]), state, value_words(check), should_be(check), place)
    return table


def _place(check: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Where, in few words: what has a table of its own below is not listed twice."""
    code, where = check["code"], check["where"]
    if code == "pareto_k" and found["influential"]:
        count = len(found["influential"])
        return f"{'1 row' if count == 1 else f'{count} rows'}, listed below"
    if code == "shrinkage":
        return str(where.partition(":")[0])
    if code == "coverage":
        return str(where.partition(" (")[0])
    return where if len(where) <= 100 else f"{where[:99]}…"


def value_words(check: Mapping[str, Any]) -> str:
    """Write the value of a check; never rounded to the other side of its threshold."""
    value, threshold = check["value"], check["threshold"]
    if value is None:
        return "-" if check["state"] == "not-available" else "not finite"
    if check["code"] in ("ess_bulk", "ess_tail", "divergences", "accepted", "tree_depth"):
        return f"{value:,.0f}"
    for digits in range(3 if check["code"] in ("r_hat", "energy", "mcse") else 2, 8):
        text = f"{value:.{digits}f}"
        if threshold is None or value == threshold or (float(text) > threshold) == (value > threshold):
            return text
    return repr(value)


def should_be(check: Mapping[str, Any]) -> str:
    """Write the threshold of a check with the side that is good; blank where there is none."""
    threshold = check["threshold"]
    if threshold is None:
        return ""
    least = check["code"] in ("ess_bulk", "ess_tail", "e_bfmi", "accepted", *_P_VALUES)
    return f"{'≥' if least else '≤'} {threshold:,.3g}" if threshold < 1000 else f"≥ {threshold:,.0f}"


def _advice(checks: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    """Say what to do about each failure, then why others could not be made."""
    for state, heading in (("fail", "What to do"), ("not-available", "Not available")):
        chosen = [check for check in checks if check["state"] == state]
        if not chosen:
            continue
        yield Text(heading, style="bold")
        by_words: dict[str, list[str]] = {}
        for check in chosen:
            by_words.setdefault(check["advice"], []).append(check["title"])
        for words, titles in by_words.items():
            yield Text.assemble((f"  {', '.join(titles)}: ", "bold"), words)
        yield Text()


def worst_parameters(found: Mapping[str, Any], most: int) -> list[Mapping[str, Any]]:
    """The numbers that are nearest to a threshold of R-hat, ESS or Monte Carlo error, or beyond it."""
    limits = _limits(found)

    def badness(row: Mapping[str, Any]) -> float:
        """How far the worst of its numbers is on the way to its threshold, or beyond."""
        ratios = []
        for key, larger in _BEYOND.items():
            value, limit = row[key], limits[key]
            if value is None:
                ratios.append(float("inf") if key != "r_hat" or found["draws"]["chains"] > 1 else 0.0)
            elif key == "r_hat":
                ratios.append((value - 1) / max(limit - 1, 1e-9))
            else:
                ratios.append(value / max(limit, 1e-9) if larger else limit / max(value, 1e-9))
        return max(ratios)

    return sorted(found["parameters"], key=badness, reverse=True)[:most]


def _limits(found: Mapping[str, Any]) -> dict[str, Any]:
    limits = {check["code"]: check["threshold"] for check in found["checks"]}
    return limits | {"mcse_over_sd": limits["mcse"]}


def _parameters(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    rows, limits = worst_parameters(found, _PARAMETERS), _limits(found)
    table = _table("the worst numbers", "R-hat", "bulk ESS", "tail ESS", "MCSE / sd")
    for row in rows:
        table.add_row(
            Text(row["name"]),
            _marked(row["r_hat"], ".3f", limits["r_hat"], True),
            _marked(row["ess_bulk"], ",.0f", limits["ess_bulk"], False),
            _marked(row["ess_tail"], ",.0f", limits["ess_tail"], False),
            _marked(row["mcse_over_sd"], ".3f", limits["mcse"], True),
        )
    yield table


def _plain(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _marked(value: float | None, form: str, limit: float, most: bool) -> Text:
    beyond = value is not None and (value > limit if most else value < limit)
    return Text(_plain(value, form), style="bold red" if beyond else "")


def _tables(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    table = _table("evidence", "rows", "in 50%", "80%", "90%", "PIT", "cov.", "pred.", "k")
    for row in found["tables"]:
        coverage = row["coverage"] or {}
        shares = (coverage.get(level) for level in ("0.5", "0.8", "0.9"))
        table.add_row(
            Text(row["table"]),
            f"{row['rows']:,}",
            *("-" if share is None else f"{100 * share:.0f}%" for share in shares),
            *(_plain(row[key], ".3f") for key in ("loo_pit_p", "coverage_p", "predictive_p")),
            "inf" if row["pareto_k_max"] is None and row["coverage"] else _plain(row["pareto_k_max"], ".2f"),
        )
    yield table
    count = len(found["tables"])
    times = f"; the checks take the smallest times the number of tables, {count}" if count > 1 else ""
    yield Text(
        "In 50, 80 and 90%: the share of rows inside leave-one-out intervals. PIT, cov., pred.: p-values of "
        f"LOO-PIT, coverage and posterior predictive for each table alone{times}. k: the largest Pareto k.",
        style="dim",
    )
    yield Text()


def _influential(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    rows = found["influential"]
    if not rows:
        return
    table = _table("influential rows", "table", "Pareto k", "LOO-PIT")
    table.columns[1].overflow, table.columns[1].justify = "fold", "left"
    for row in rows[:_ROWS]:
        k = "inf" if row["pareto_k"] is None else f"{row['pareto_k']:.2f}"
        table.add_row(Text(row["row"]), Text(row["table"]), k, _plain(row["loo_pit"], ".3f"))
    yield table
    if len(rows) > _ROWS:
        yield Text(f"and {len(rows) - _ROWS} more (--json)")


def _conflicts(conflicts: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    if not conflicts:
        return
    table = _table("prior against data", "moved by prior", "by evidence", "distance")
    for row in conflicts[:_ROWS]:
        table.add_row(
            Text(row["parameter"]),
            f"{row['prior']:.2f}",
            f"{row['likelihood']:.2f}",
            _plain(row["distance"], "+.1f"),
        )
    yield table


def _unmoved(found: Mapping[str, Any]) -> Iterator[Text]:
    names = found["unmoved"]
    if not names:
        return
    compared = sum(row["contraction"] is not None for row in found["parameters"])
    more = f", and {len(names) - _UNMOVED} more (--json)" if len(names) > _UNMOVED else ""
    yield Text.assemble(
        (f"Not moved by the data: {len(names)} of {compared} parameters", "bold"),
        f", whose posterior is their prior: {', '.join(names[:_UNMOVED])}{more}.",
    )


def _citations(found: Mapping[str, Any]) -> str:
    """Authors and year of each source with the checks that follow it."""
    titles = {check["code"]: check["title"] for check in found["checks"]}
    followed: dict[str, list[str]] = {}
    for code, references in found["references"].items():
        for reference in references[:1]:
            followed.setdefault(_author_and_year(reference), []).append(titles[code])
    return "; ".join(f"{source} ({', '.join(checks)})" for source, checks in followed.items())


def _author_and_year(reference: str) -> str:
    match = re.match(r"([^()]*) \((\d{4})\)", reference)
    if match is None:
        return reference.partition(",")[0]
    first, *others = match[1].split(", ")
    return f"{first}{' et al.' if others else ''} {match[2]}"
