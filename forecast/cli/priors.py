"""``forecast priors``: list, show, check and plot prior files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli._host import unchecked_host
from forecast.cli._options import plugin_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.table import Table

    from forecast.host import Host, Loaded
    from forecast.worldview import Key, Node, Prior, ResolvedParameter, Worldview

    Resolved = dict[tuple[str, str], ResolvedParameter]

WIDTH = 120

_SET = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set one key, such as seed=7."
)


@click.group(short_help="Show, check and plot prior files.")
def priors() -> None:
    """Show, check and plot prior files: what is believed before seeing the evidence."""


@priors.command("list")
def list_shipped() -> None:
    """List the worldviews that have a name: the shipped ones and those of plugins."""
    from forecast.worldview import load_worldview

    shelf = _loaded(()).shelf
    table = _grid("name", "title", "as of", "description")
    for name in shelf.worldviews:
        worldview = load_worldview(name, shelf=shelf)
        table.add_row(name, worldview.title, str(worldview.as_of), worldview.description)
    _console().print(table)


@priors.command()
@click.argument("worldviews", nargs=-1, metavar="[NAME|FILE]...")
@_SET
@plugin_option
@click.option("--sources", is_flag=True, help="Show the source that each prior cites.")
@click.option("--toml", is_flag=True, help="Print the merged prior file instead, complete in itself.")
def show(
    worldviews: tuple[str, ...],
    overrides: tuple[str, ...],
    plugins: tuple[str, ...],
    sources: bool,
    toml: bool,
) -> None:
    """Show the merged worldview and where each value came from.

    Later files lie over earlier ones; without any, `default` is shown. The
    defaults of the drivers are included.
    """
    from forecast.worldview import load_worldview

    loaded = _loaded(plugins)
    worldview = load_worldview(*worldviews, overrides=overrides, shelf=loaded.shelf)
    resolved = _resolve(worldview, unchecked_host(loaded))
    if toml:
        click.echo(worldview.to_toml(), nl=False)
        return
    console = _console()
    _print_settings(console, worldview)
    for name, milestone in worldview.milestones.items():
        console.print(f"\n[milestones.{name}] {milestone.title}", style="bold")
        marked = "not yet crossed; " if milestone.not_yet_crossed else ""
        console.print(f"  {marked}unreachable with probability {milestone.unreachable:g}")
        if milestone.announced_after:
            console.print(f"  inside a laboratory {milestone.announced_after} before it is announced")
        for line in _condition_lines(milestone.condition):
            console.print(f"  {line}")
    for change in worldview.intervene:
        keys = ", ".join(f"{key} = {value}" for key, value in change.to_toml().items())
        console.print(f"\n[intervene] {keys}")
    rows = [("", "", name, prior) for name, prior in worldview.thresholds.items()]
    _print_priors(console, "[thresholds]", rows, sources)
    for driver in dict.fromkeys(driver for driver, _ in resolved):
        rows = [
            (parameter.name if first else "", _for(key), "", prior)
            for (owner, _), parameter in resolved.items()
            if owner == driver
            for first, (key, prior) in _firsts(parameter.entries.items())
        ]
        _print_priors(console, f"[priors.{driver}]", rows, sources)
    _print_correlations(console, worldview, sources)
    notes = [*worldview.notes, *(note for parameter in resolved.values() for note in parameter.notes)]
    for note in notes:
        console.print(f"Note: {note}")


@priors.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_SET
@plugin_option
def check(files: tuple[str, ...], overrides: tuple[str, ...], plugins: tuple[str, ...]) -> None:
    """Check each prior file: keys, units, numbers, drivers, parameters and quantities."""
    from forecast.errors import InputError
    from forecast.host import host_of
    from forecast.worldview import load_worldview

    problems: list[str] = []
    loaded = _loaded(plugins)
    unchecked_host(loaded)  # says what is broken, once
    for file in files:
        try:
            worldview = load_worldview(file, overrides=overrides, shelf=loaded.shelf)
            host = host_of(loaded, worldview.disabled)
            _resolve(worldview, host)
            _check_quantities(worldview, host)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
        else:
            click.echo(f"{file}: good")
    if problems:
        raise InputError(problems)


@priors.command()
@click.argument("worldviews", nargs=-1, metavar="[NAME|FILE]...")
@_SET
@plugin_option
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.png", help="Where to."
)
def plot(
    worldviews: tuple[str, ...], overrides: tuple[str, ...], plugins: tuple[str, ...], output: Path | None
) -> None:
    """Draw the density of every prior, as small multiples with units.

    Constants are left out. Without --output the picture is priors-NAME.png in
    the present folder.
    """
    from forecast.report.prior_figure import draw_priors
    from forecast.worldview import load_worldview

    loaded = _loaded(plugins)
    worldview = load_worldview(*worldviews, overrides=overrides, shelf=loaded.shelf)
    resolved = _resolve(worldview, unchecked_host(loaded))
    path = output or Path(f"priors-{worldview.name}.png")
    draw_priors(worldview, resolved, path)
    click.echo(f"{path}")


def _loaded(plugins: tuple[str, ...]) -> Loaded:
    from forecast.host import load_plugins

    return load_plugins(plugins)


def _resolve(worldview: Worldview, host: Host) -> Resolved:
    from forecast.worldview import resolve_priors

    return resolve_priors(worldview, host.defaults())


def _check_quantities(worldview: Worldview, host: Host) -> None:
    from forecast.errors import InputError
    from forecast.wording import did_you_mean

    known = [
        term.target for term in host.terms() if term.kind == "base" and term.driver not in worldview.disabled
    ]
    unknown = [condition for condition in worldview.conditions() if condition.quantity not in known]
    if unknown:
        raise InputError(
            [
                f"{c.origin}: no driver provides {c.quantity!r}{did_you_mean(c.quantity, known)}"
                for c in unknown
            ]
        )


def _console() -> Console:
    """Return a console of at most 120 columns, and of 120 when the output is piped."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def _grid(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        grid.add_column(column, overflow="fold", no_wrap=column == "name")
    return grid


def _print_settings(console: Console, worldview: Worldview) -> None:
    w = worldview
    console.print(f"{w.title} ({w.name})", style="bold")
    if w.description:
        console.print(w.description)
    grid = _grid("key", "value", "from")
    lead = (
        f"{w.lead.leader} over {w.lead.follower}, within {_years(w.lead.within_years)}" if w.lead else "none"
    )
    settings = [
        ("as_of", str(w.as_of), ("as_of",)),
        ("horizon", str(w.horizon), ("horizon",)),
        ("window", f"{w.window.start} to {w.window.end}", ("window.start", "window.end")),
        ("seed", str(w.seed), ("seed",)),
        ("blocs", ", ".join(f"{bloc.name} ({bloc.title})" for bloc in w.blocs), ("blocs",)),
        ("lead", lead, ("lead.leader", "lead.follower", "lead.within_years")),
        ("drivers.disable", ", ".join(w.disabled) or "none", ("drivers.disable",)),
    ]
    for key, value, paths in settings:
        places = [w.provenance[path].place for path in paths if path in w.provenance]
        grid.add_row(key, value, "\n".join(dict.fromkeys(places)))
    console.print(grid)


def _years(count: float) -> str:
    return f"{count:g} year{'' if count == 1 else 's'}"


def _condition_lines(node: Node, indent: str = "", weight: str = "") -> Iterable[str]:
    from forecast.worldview import All, Any, Condition, Prior

    if isinstance(node, Condition):
        level = node.threshold
        named = f"{level.summary()} {level.unit}" if isinstance(level, Prior) else f"thresholds.{level}"
        yield f"{indent}{weight}{node.quantity} at least {named}"
        return
    title = (
        "all of" if isinstance(node, All) else "any of" if isinstance(node, Any) else "in each draw one of"
    )
    yield f"{indent}{weight}{title}"
    if isinstance(node, All | Any):
        parts = [("", part) for part in node.conditions]
    else:
        parts = [(f"{share:g} ", part) for share, part in node.components]
    for share, part in parts:
        yield from _condition_lines(part, indent + "  ", share)


def _for(key: Key) -> str:
    return ", ".join(part for part in (key.epoch, key.bloc) if part)


def _firsts[T](items: Iterable[T]) -> Iterable[tuple[bool, T]]:
    return ((index == 0, item) for index, item in enumerate(items))


def _print_priors(
    console: Console, title: str, rows: list[tuple[str, str, str, Prior]], sources: bool
) -> None:
    from rich.text import Text

    if not rows:
        return
    console.print(f"\n{title}", style="bold")
    by_key = any(where for _, where, _, _ in rows)
    grid = _grid("name", *(["for"] if by_key else []), "prior", "unit", "from")
    for parameter, where, threshold, prior in rows:
        said = Text(prior.summary())
        if prior.judgement:
            said.append("  judgement", style="italic")
        if sources:
            texts = [prior.source, prior.note, *(c.source for _, c in prior.components)]
            said.append("".join(f"\n{text}" for text in texts if text), style="dim")
        place = prior.origin.place.removeprefix(f"{title[8:-1]}/")  # within a driver's section, its own file
        place = place if len(place) <= 60 else f"{place[:59]}…"  # a whole prior given with --set
        cells: list[str | Text] = [
            parameter or threshold,
            *([where] if by_key else []),
            said,
            prior.unit,
            place,
        ]
        grid.add_row(*cells)
    console.print(grid)


def _print_correlations(console: Console, worldview: Worldview, sources: bool) -> None:
    if not worldview.correlations:
        return
    console.print("\n[correlations] of the standard normals behind two priors", style="bold")
    grid = _grid("name", "between", "correlation", *(["source"] if sources else []), "from")
    grid.columns[1].no_wrap = True
    for one in worldview.correlations:
        origins = [one.origin(key) for key in ("between", "correlation")]
        places = {origin.file: origin.place for origin in reversed(origins)}  # two lines of a file: the first
        between = "\n".join(map(str, one.between))
        said = [one.source] if sources else []
        grid.add_row(one.name, between, f"{one.correlation:g}", *said, "\n".join(places.values()))
    console.print(grid)
