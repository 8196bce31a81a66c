"""``forecast plugins``: what is installed, whether it can be used, and what it brings."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._options import plugin_option, without_option

if TYPE_CHECKING:
    from forecast.host import Loaded, LoadedDriver
    from forecast.worldview import Worldview

Needs = dict[str, set[str]] | None


@click.command(short_help="List the plugins that are installed and how they are.")
@click.option("--priors", multiple=True, metavar="FILE|NAME", help="Leave out what this worldview disables.")
@plugin_option
@without_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plugins(
    priors: tuple[str, ...], plugins: tuple[str, ...], without: tuple[str, ...], as_json: bool
) -> None:
    """List the plugins that are installed, whether each can be used, and what it brings.

    A plugin is "ok", "disabled" (left out by --without, by a worldview or by
    FORECAST_PLUGINS), "incompatible" (written for another version of the
    hooks) or "broken"; the last two with the reason. What is wrong with one
    never hides the others. FORECAST_PLUGINS=NAME,NAME loads only the plugins,
    distributions or drivers of these names, beside the built-in ones; of a
    plugin that is named by a driver, that driver alone. What a driver that is
    not in use requires is not known, and listed as nothing.
    """
    from forecast.host import load_plugins
    from forecast.worldview import load_worldview

    loaded = load_plugins(plugins)
    worldview = load_worldview(*priors, disable=without, shelf=loaded.shelf)
    needs, remarks = _needs(worldview, loaded)
    entries = _entries(loaded, worldview.disabled, needs)
    if as_json:
        click.echo(json.dumps([entry for entry, _ in entries], indent=2, ensure_ascii=False))
    else:
        for entry, names in entries:
            _print(entry, names)
    for name in worldview.disabled:
        if name not in {one.driver.name for one in loaded.drivers} and name not in loaded.left_out:
            click.echo(f"Warning: no driver {name!r} is installed that could be left out", err=True)
    for remark in remarks:
        click.echo(f"Warning: {remark}", err=True)


def _needs(worldview: Worldview, loaded: Loaded) -> tuple[Needs, list[str]]:
    """Quantities of others that each driver reads, or None where no model can be built; and what to say."""
    from forecast.conflicts import loose_ends
    from forecast.errors import ForecastError
    from forecast.host import host_of
    from forecast.spec import needs_of

    known = {one.driver.name for one in loaded.drivers} | set(loaded.left_out)
    try:
        host = host_of(loaded, [name for name in worldview.disabled if name in known])
        return needs_of(worldview, host), loose_ends(host.drivers, host.left_out())
    except ForecastError as error:
        words = "; ".join(str(error).splitlines())
        return None, [f"the drivers do not go together as they are: {words}"]


def _entries(
    loaded: Loaded, disabled: Collection[str], needs: Needs
) -> list[tuple[dict[str, Any], list[str]]]:
    """One entry for each distribution, and one more for what of it is in another state.

    Beside each stand the names of its plugins.
    """
    from forecast.cli._plugin_commands import GROUP as COMMANDS_GROUP
    from forecast.cli._plugin_commands import commands
    from forecast.hooks import HOOKS

    found: dict[tuple[Any, ...], tuple[dict[str, Any], list[str]]] = {}
    for plugin in loaded.plugins:
        out = [one for one in plugin.drivers if one.driver.name in disabled]
        kept = [one for one in plugin.drivers if one not in out]
        states = [("disabled", out)] if out else []
        if kept or not out or len(plugin.hooks) > 1:
            states.insert(0, (plugin.status, kept))
        distribution = plugin.distribution or plugin.name
        for status, drivers in states:
            key = (distribution, plugin.version, status, plugin.error, plugin.api_version)
            new = _entry(distribution, plugin.version, plugin.api_version, status, plugin.error)
            entry, names = found.setdefault(key, (new, []))
            names.append(plugin.name)
            entry["hooks"] = [hook for hook in HOOKS if hook in {*entry["hooks"], *plugin.hooks}]
            entry["drivers"] += [_driver(one, needs) for one in drivers]
    for distribution, version, command in commands():
        of_it = [pair for key, pair in found.items() if key[:3] == (distribution, version, "ok")]
        new = _entry(distribution, version, None, "ok", "")
        entry, names = of_it[0] if of_it else found.setdefault((distribution, version, "ok"), (new, []))
        names.append(command)
        if COMMANDS_GROUP not in entry["hooks"]:
            entry["hooks"].append(COMMANDS_GROUP)
    return list(found.values())


def _entry(
    distribution: str, version: str, api_version: int | None, status: str, error: str
) -> dict[str, Any]:
    return {
        "distribution": distribution,
        "version": version,
        "api_version": api_version,
        "status": status,
        "error": error or None,
        "hooks": [],
        "drivers": [],
    }


def _driver(loaded: LoadedDriver, needs: Needs) -> dict[str, Any]:
    name = loaded.driver.name
    return {
        "name": name,
        "requires": sorted((needs or {}).get(name, ())),
        "provides": [term.target for term in loaded.terms if term.kind == "base"],
        "parameters": [priors.name for priors in loaded.driver.parameters],
    }


def _print(entry: dict[str, Any], names: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.width = min(console.width, 110) if console.is_terminal else 110
    colour = {"ok": "green", "disabled": "dim"}.get(entry["status"], "red")
    title = Text(f"{entry['distribution']} {entry['version']}".strip(), style="bold")
    title.append(f"  {entry['status']}", style=colour)
    if entry["api_version"] is not None:
        title.append(f"  api_version {entry['api_version']}", style="dim")
    console.print(title)
    lines = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True)
    lines.add_column()
    if entry["error"]:
        lines.add_row("  what is wrong", Text(entry["error"]))
    if entry["hooks"]:
        lines.add_row("  brings", ", ".join(hook[len("forecast_") :] for hook in entry["hooks"]))
    if entry["status"] != "ok" and not entry["drivers"]:
        lines.add_row("  plugins", ", ".join(names))
    for driver in entry["drivers"]:
        count = len(driver["parameters"])
        parts = [f"{count} parameter{'' if count == 1 else 's'}"]
        for what in ("provides", "requires"):
            if driver[what]:
                parts.append(f"{what} {', '.join(driver[what])}")
        lines.add_row(f"  {driver['name']}", Text("; ".join(parts)))
    console.print(lines)
    console.print()
