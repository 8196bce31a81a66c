"""Sensitivity as words and tables for the terminal. Fits 80 columns; plain text when piped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_COMPONENTS = 8
_ROWS = 8
_UNMOVED = 12
_SMALL = 0.005


def print_sensitivity(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the headline, then components, drivers, rows of evidence and what data did not move.

    Parameters
    ----------
    found : mapping
        From :func:`forecast.sensitivity.sensitivity`.
    console : rich.console.Console, optional
        By default one on stdout, which writes plain text when it is piped.
    """
    out = console or Console(highlight=False)
    for part in _parts(found):
        out.print(part, highlight=False)
    out.print(Text(f"Run {found['run']}", style="dim"), highlight=False, soft_wrap=True)


def _parts(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    basis = "priors alone, without evidence, of worldview" if found["prior_only"] else "worldview"
    yield Text(f"{found['title']}: what the answer hangs on, as of {found['as_of']}", style="bold")
    yield Text(f"Conditional on {basis} {found['worldview']!r}; not a prophecy.")
    yield Text(found["headline"])
    yield Text()
    if found["components"]:
        yield from _components(found)
    yield from _drivers(found)
    if found["evidence"]:
        yield from _evidence(found)
    yield from _not_moved(found)
    for words in dict.fromkeys(found["why"].values()):
        yield Text.assemble(("Not available: power scaling, evidence. ", "bold yellow"), words)
    draws = found["draws"]
    yield Text(
        f"From {draws['total'] - draws['set_aside']:,} accepted of {draws['total']:,} draws. In full: "
        "--json; what the numbers mean: docs/sensitivity.md.",
        style="dim",
    )


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for place, column in enumerate(columns):
        table.add_column(
            column,
            justify="right" if place else "left",
            overflow="ellipsis" if place else "fold",
            no_wrap=bool(place),
        )
    return table


def _components(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    limit = found["thresholds"]["psi"]
    low, high = found["powers"]["shift"]
    above = [row for row in found["components"] if row["psi"] > limit]
    shown = found["components"][: max(_COMPONENTS, len(above))]
    table = _table("prior or evidence", "", "psi", "P(in window)", "median", "k")
    table.columns[1].justify = "left"
    for row in shown:
        table.add_row(
            Text(row["name"]),
            "rows" if row["kind"] == "likelihood" else "prior*" if row["moved"] is False else "prior",
            Text(f"{row['psi']:.3f}", style="bold" if row["psi"] > limit else ""),
            f"{row['p_in_shift']:+.3f} ±{row['p_in_shift_mcse']:.3f}",
            signed(row["median_shift_years"]),
            k_words(row),
        )
    yield table
    rest = len(found["components"]) - len(shown)
    yield Text(
        f"psi: power-scaling sensitivity of the outcome that it moves most; above {limit:g} it matters. "
        f"Shifts of {found['blocs'][found['bloc']]}, the median in years, from power {low:g} to {high:g}: "
        "from counting less to counting more. prior*: no data moved it. k!: not to be relied on. "
        f"{rest} more are smaller.",
        style="dim",
    )
    yield Text()


def _drivers(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    names = [one["name"] for one in found["outcomes"]]
    table = _table("variance explained by", *(_short(name) for name in names))
    small = [row for row in found["drivers"] if max(row["by_outcome"].values()) < _SMALL]
    for row in found["drivers"]:
        if row not in small:
            table.add_row(Text(row["name"]), *(percent(row["by_outcome"][name]) for name in names))
    table.add_row(
        "luck, and the rest", *(percent(found["unexplained"]["by_outcome"][name]) for name in names)
    )
    yield table
    none = f" Next to nothing: {', '.join(row['name'] for row in small)}." if small else ""
    yield Text(f"Shapley effects of each driver's parameters; columns sum to 100%.{none}", style="dim")
    yield Text()


def _evidence(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    table = _table("without this row", "mean date, years", "P(in window)", "k")
    clear = [row for row in found["evidence"] if row["clear"]][:_ROWS]
    for row in clear:
        table.add_row(
            Text(f"{row['table']}: {row['row']}"),
            f"{row['influence']:+.2f} ±{row['mcse']:.2f}",
            f"{row['p_in_shift']:+.3f}",
            k_words(row),
        )
    if clear:
        yield table
    rows = found["evidence"]
    unclear = sum(row["reliable"] and not row["clear"] for row in rows)
    words = (
        f"By importance sampling, never counted as the horizon. Of {len(rows)} rows {unclear} move the mean "
        "date by less than two Monte Carlo errors."
    )
    doubtful = [row for row in rows if not row["reliable"]]
    if doubtful:
        words += (
            f" Not to be told from these draws (Pareto k above {found['thresholds']['k']:.2g}): "
            f"{'; '.join(row['row'] for row in doubtful[:3])}"
            + (f" and {len(doubtful) - 3} more" if len(doubtful) > 3 else "")
            + ". Those may matter most: fit again without them to know."
        )
    yield Text(words, style="dim")
    yield Text()


def _not_moved(found: Mapping[str, Any]) -> Iterator[Text]:
    names = found["not_moved"]
    if not names:
        return
    more = f", and {len(names) - _UNMOVED} more (--json)" if len(names) > _UNMOVED else ""
    yield Text.assemble(
        (f"Not moved by the data: {len(names)} numbers", "bold"),
        f", whose posterior is their prior: {', '.join(names[:_UNMOVED])}{more}.",
    )


def signed(value: float | None) -> str:
    """Write a difference in years; "-" where there is none."""
    return "-" if value is None else f"{value:+.2f}"


def percent(share: float) -> str:
    """Write a share of variance; noise below zero is shown as 0%."""
    return "<1%" if _SMALL / 5 < share < _SMALL else f"{100 * max(share, 0.0):.0f}%"


def k_words(row: Mapping[str, Any]) -> str:
    """Write a Pareto k, marked where it is too large."""
    if row["k"] is None:
        return "-" if row["reliable"] else "inf!"
    return f"{row['k']:.2f}" + ("" if row["reliable"] else "!")


def _short(name: str) -> str:
    return {"in_window": "in window"}.get(name, name.removeprefix("date."))
