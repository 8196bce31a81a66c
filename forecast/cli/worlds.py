"""``forecast worlds``: unipolar, bipolar or neither, by limit and by threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._reading import answer, check_within, json_option, open_run, out_option, picture_option

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_MOST_PAIRS = 10
_LEVELS = {
    "0.05": "5%", "0.1": "10%", "0.25": "25%", "0.5": "median", "0.75": "75%", "0.9": "90%", "0.95": "95%"
}  # fmt: skip


@click.command()
@click.argument("run")
@click.option("--milestone", metavar="NAME", help="[default: agi, else the run's first]")
@click.option(
    "--within",
    type=float,
    metavar="YEARS",
    help="The limit between unipolar and bipolar [default: the worldview's].",
)
@picture_option("the lead and the worlds")
@out_option
@json_option
def worlds(
    run: str, milestone: str | None, within: float | None, output: Path | None, out: str | None, as_json: bool
) -> None:
    """Say whether one bloc has it alone, and on what that hangs.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". Nothing is fitted: the draws are counted again, with other limits
    and in bins of the draws of each threshold. Unipolar: one bloc alone for so
    many years; bipolar: at least two within them; neither: nobody by the
    horizon, or one so late that the horizon comes first.
    """
    from forecast.results.worlds import GROUPS, describe_worlds

    check_within(within)
    stored = open_run(run, out, output)
    found = describe_worlds(
        stored.groups(*GROUPS),
        stored.worldview,
        run_id=stored.id,
        prior_only=stored.summary["prior_only"],
        milestone=milestone,
        within_years=within,
    )

    def draw(path: Path) -> None:
        from forecast.report.worlds_figure import worlds_figure

        worlds_figure(stored.crossings, found, path, run_id=stored.id)

    answer(stored, found, as_json=as_json, output=output, draw=draw, show=_print)


def _print(found: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    basis = "priors alone, without evidence, of worldview" if found["prior_only"] else "worldview"
    console.print(Text(f"{found['title']}: worlds as of {found['as_of']}", style="bold"))
    console.print(Text(f"Conditional on {basis} {found['worldview']!r}; not a prophecy."))
    for part in _parts(found):
        console.print(part)
    draws = found["draws"]
    console.print(
        Text(
            f"From {draws['total'] - draws['set_aside']:,} accepted of {draws['total']:,} draws. ± is the "
            "Monte Carlo standard error.",
            style="dim",
        )
    )
    console.print(Text(f"Run {found['run']}", style="dim"), soft_wrap=True)


def _parts(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    from rich.text import Text

    yield _limits_table(found)
    if found["lead"] is not None:
        yield from _lead(found)
    for name, one in found["by_threshold"].items():
        yield from _threshold_table(name, one, found)
    if found["by_threshold"]:
        yield Text(
            "Accepted draws in bins of the threshold's own draws; a bin with fewer than "
            f"{found['min_draws']} of them says nothing.",
            style="dim",
        )
    else:
        yield Text("No threshold of this milestone is uncertain, or the run does not hold its draws.")
    if found["durations"]:
        yield from _durations(found)


def _table(*columns: Any) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    return table


def _world_names(found: Mapping[str, Any]) -> list[Text]:
    from rich.text import Text

    from forecast.wording import neither

    alone = [Text(f"{title} alone") for title in found["blocs"].values()]
    return [*alone, Text("bipolar"), Text(neither(len(alone)))]


def _world_cells(
    worlds: Mapping[str, Any] | None, found: Mapping[str, Any], form: Callable[[float, float], str]
) -> list[str]:
    if worlds is None:
        return ["-"] * (len(found["blocs"]) + 2)
    errors = worlds["mcse"]
    alone = [form(worlds["p_unipolar"][bloc], errors["p_unipolar"][bloc]) for bloc in found["blocs"]]
    return [*alone, *(form(worlds[key], errors[key]) for key in ("p_bipolar", "p_neither"))]


def _percent(p: float, mcse: float) -> str:
    return f"{100 * p:.0f}% ±{100 * mcse:.1f}"


def _limits_table(found: Mapping[str, Any]) -> Table:
    from forecast.report.terminal import probability

    table = _table("limit", *_world_names(found))
    for row in found["by_within"]:
        chosen = row["within_years"] == found["within_years"]
        table.add_row(
            _years(row["within_years"]),
            *_world_cells(row, found, probability),
            style="bold" if chosen else None,
        )
    return table


def _lead(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    from rich.text import Text

    from forecast.report.terminal import probability, signed_years

    lead = found["lead"]
    leader, follower = (found["blocs"][lead[key]] for key in ("leader", "follower"))
    yield Text(f"Lead of {leader} over {follower}", style="bold")
    table = _table("", *_LEVELS.values())
    table.add_row("years", *(signed_years(lead["quantiles"], level) for level in _LEVELS))
    yield table
    shares = (
        (f"{leader} first", "p_leader_first"),
        (f"{follower} first", "p_follower_first"),
        ("neither crosses", "p_neither_crosses"),
    )
    said = ", ".join(f"P({words}) = {probability(lead[key], lead['mcse'][key])}" for words, key in shares)
    yield Text(f"{said}. The lead is infinite where one alone crosses by the horizon.\n")


def _threshold_table(name: str, one: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Table | Text]:
    from rich.text import Text

    from forecast.report.terminal import compact

    logs = one["unit"].startswith("log10 ")
    unit = one["unit"].removeprefix("log10 ")
    reads = f", which counts in {one['p_counts']:.0%} of draws" if one["p_counts"] < 0.999 else ""
    yield Text(f"By the threshold {name}{reads}", style="bold")
    table = _table(unit, "draws", *_world_names(found))
    for row in one["bins"]:
        low, high = (compact(10 ** row[key] if logs else row[key]) for key in ("low", "high"))
        table.add_row(f"{low}-{high}", f"{row['draws']:,}", *_world_cells(row["worlds"], found, _percent))
    yield table


def _durations(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    from rich.text import Text

    from forecast.report.terminal import signed_years

    pairs, left = found["durations"], ""
    if len(pairs) > _MOST_PAIRS:
        pairs = [pair for pair in pairs if found["milestone"] in (pair["from"], pair["to"])]
        left = f" Only pairs with {found['title']}; the others are in --json."
    table = _table("years between milestones", "", "10%", "median", "90%", "P(both)")
    for pair in pairs:
        words = Text(" to ".join(pair["titles"]))
        for bloc, one in pair["blocs"].items():
            spread = [signed_years(one["quantiles"], level) for level in ("0.1", "0.5", "0.9")]
            table.add_row(words, Text(found["blocs"][bloc]), *spread, f"{one['p_both']:.3f}")
            words = Text()
    yield table
    yield Text(
        "Draw by draw; negative where the second comes first, +inf or -inf where one alone is reached by the "
        f"horizon; draws in which neither is are left out.{left}",
        style="dim",
    )


def _years(limit: float) -> str:
    return "1 year" if limit == 1 else f"{limit:g} years"
