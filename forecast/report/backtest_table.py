"""A backtest on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forecast.results import month_or_never

BASELINES = ("log-linear", "random-walk", "published")


def shown_bloc(result: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether a pooled score is the one to show: of all blocs, or of the only one that has cases."""
    return bool(
        one["bloc"] == "all"
        or not any(
            other["bloc"] == "all"
            and all(other[key] == one[key] for key in ("series", "months_ahead", "method"))
            for other in result["pooled"]
        )
    )


def print_backtest(result: Mapping[str, Any], folder: Path, fitted: int) -> None:
    """Print scores beside baselines, the forecast's own history, the placebo and what is missing."""
    console = Console(highlight=False)
    fits = result["fits"]
    console.print(
        f"[bold]Backtest of {result['settings']['name']!r}[/bold]: {len(fits)} fits, as of "
        f"{fits[0]['as_of']} to {fits[-1]['as_of']}, each to what was published by then"
    )
    for table in (_scores(result), _history(result)):
        console.print()
        console.print(table)
    console.print()
    console.print(Text(_placebo(result["placebo"])))
    _print_notes(console, result)
    console.print(Text(f"Saved in {folder} ({fitted} of {len(fits)} dates fitted now)"))


def _scores(result: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    table.add_column("series", min_width=17, overflow="fold")
    table.add_column("ahead", no_wrap=True)
    for name in ("n/rows", "CRPS", "log", "50/80/90%", "prior", "line", "walk", "publ."):
        table.add_column(name, justify="right", no_wrap=True)
    for model in result["pooled"]:
        if model["method"] != "model" or not shown_bloc(result, model):
            continue
        bloc = "" if model["bloc"] == "all" else f" ({model['bloc']})"
        months = {6: "1-6", 12: "7-12", 24: "13-24"}.get(model["months_ahead"], str(model["months_ahead"]))
        unit = "" if result["units"][model["series"]] == "OOM" else " pt"
        table.add_row(
            f"{model['series']}{bloc}",
            months,
            f"{model['n']}/{model['rows']}",
            f"{model['crps']:.2f}{unit}",
            f"{model['log_score']:.2f}",
            "/".join(f"{100 * share:.0f}" for share in model["coverage"].values()),
            f"{model['prior_crps'] / max(model['crps'], 1e-9):.1f}x" if "prior_crps" in model else "-",
            *(_against(result, model, method) for method in BASELINES),
        )
    return table


def _against(result: Mapping[str, Any], model: Mapping[str, Any], method: str) -> str:
    """A baseline's CRPS over the model's, on the baseline's cases."""
    for one in result["pooled"]:
        same = all(one[key] == model[key] for key in ("series", "bloc", "months_ahead"))
        if same and one["method"] == method:
            few = "" if one["n"] == model["n"] else "*"
            return f"{one['crps'] / max(one['model_crps'], 1e-9):.1f}x{few}"
    return "-"


def _history(result: Mapping[str, Any]) -> Table:
    names = list(dict.fromkeys(one["milestone"] for one in result["history"]))
    chosen = "agi" if "agi" in names else next(iter(names), "")
    found = [one for one in result["history"] if one["milestone"] == chosen]
    blocs = list(dict.fromkeys(one["bloc"] for one in found))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("as of", no_wrap=True)
    for bloc in blocs:
        table.add_column(f"{chosen}, {bloc} (80%)")
    table.add_column("rows", justify="right")
    table.add_column("R-hat", justify="right")
    for fit in result["fits"]:
        cells = []
        for bloc in blocs:
            one = next(x for x in found if x["as_of"] == fit["as_of"] and x["bloc"] == bloc)
            low, middle, high = (
                month_or_never(one["quantiles"].get(level), result["settings"]["horizon"])
                for level in ("0.1", "0.5", "0.9")
            )
            cells.append(f"{middle} ({low}, {high})")
        r_hat = "-" if fit["r_hat_max"] is None else f"{fit['r_hat_max']:.3f}"
        mark = "" if fit["usable"] else " !"
        table.add_row(fit["as_of"], *cells, str(fit["rows"]), f"{r_hat}{mark}")
    return table


def _placebo(placebo: Mapping[str, Any]) -> str:
    if "not_available" in placebo:
        return f"Placebo: not available ({placebo['not_available']})."
    fake, real, level = placebo["fake"], placebo["real"], placebo["level"]
    found = sum(one["p"] < level for one in real)
    return (
        f"Placebo: {placebo['fake_significant']} of {len(fake)} fake dates of a tightening find an effect on "
        f"{placebo['bloc']}'s growth at the {level:.0%} level ({placebo['expected']:g} expected), {found} of "
        f"{len(real)} real dates do; a change below {placebo['detectable']} OOM/year would mostly go unseen."
    )


def _print_notes(console: Console, result: Mapping[str, Any]) -> None:
    console.print(
        Text(
            "ahead: months; n/rows: cases, and the rows that they are of. CRPS: smaller is better; log: log "
            "score, larger is better. prior, line, walk, publ.: CRPS of the priors alone, a log-linear "
            "trend, a random walk with drift and the last published growth over the model's on the same "
            "cases (* fewer than n): above 1 the model was better. Priors are of today; cases of "
            "neighbouring dates share rows."
        )
    )
    tried = result["variants"]["tried"]
    console.print(
        Text(f"Models tried: {tried}. Not available: {len(result['not_available'])} (backtest.json).")
    )
    bad = [fit["as_of"] for fit in result["fits"] if not fit["usable"]]
    if bad:
        console.print(
            Text(f"R-hat above 1.05, not to be relied on: {', '.join(bad)}; more --tune and --draws help.")
        )
