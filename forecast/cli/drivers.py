"""``forecast drivers``: what is loaded, from where, and what each driver does."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._options import plugin_option, without_option
from forecast.errors import ForecastError

if TYPE_CHECKING:
    from forecast.driver import Term
    from forecast.host import Host, LoadedDriver
    from forecast.worldview import Worldview


@click.command(short_help="List the drivers that are loaded and what each does.")
@click.option("--priors", multiple=True, metavar="FILE|NAME", help="Leave out what this worldview disables.")
@plugin_option
@without_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def drivers(
    priors: tuple[str, ...], plugins: tuple[str, ...], without: tuple[str, ...], as_json: bool
) -> None:
    """List the drivers that are loaded and what each does.

    For each driver: where it comes from, the quantities that it provides, adds
    to and limits, the evidence that it observes, how many parameters it has,
    and the quantities of others that it needs.
    """
    from forecast.cli._host import model_of

    worldview, host = model_of(priors, plugins, without)
    needs, failure = _needs(worldview, host)
    entries = [_entry(name, one, host, needs) for name, one in host.drivers.items()]
    if as_json:
        problems = [
            {"plugin": p.plugin, "distribution": p.distribution, "message": p.message} for p in host.problems
        ]
        listing = {"drivers": entries, "disabled": list(host.disabled), "problems": problems}
        click.echo(json.dumps(listing, indent=2, ensure_ascii=False))
    else:
        _print(entries, host)
    for warning in host.warnings():
        click.echo(f"Warning: {warning}", err=True)
    if failure is not None:
        raise failure


def _needs(worldview: Worldview, host: Host) -> tuple[dict[str, set[str]] | None, ForecastError | None]:
    # What a driver reads is known only by building a model; the listing does without where that fails.
    from forecast.spec import needs_of

    try:
        return needs_of(worldview, host), None
    except ForecastError as error:
        return None, error


def _entry(name: str, loaded: LoadedDriver, host: Host, needs: dict[str, set[str]] | None) -> dict[str, Any]:
    by_kind: dict[str, list[Term]] = {}
    for term in loaded.terms:
        by_kind.setdefault(term.kind, []).append(term)
    added = [*by_kind.get("addition", []), *by_kind.get("channel", [])]
    observing = [*by_kind.get("observation", []), *by_kind.get("crossing", [])]
    tables = host.evidence()
    return {
        "name": name,
        "title": loaded.driver.title,
        "distribution": loaded.distribution,
        "version": loaded.version,
        "source": loaded.source,
        "provides": [
            {"quantity": t.target, "unit": t.unit, "linear": t.linear, "channels": t.channels}
            for t in by_kind.get("base", [])
        ],
        "adds_to": [{"quantity": t.target, "channel": t.channel} for t in added],
        "limits": [t.target for t in by_kind.get("limit", [])],
        # A table may have several measurement models (by bloc, by suite); it is one table.
        "observes": [
            {"table": table, "rows": len(tables[name, table])}
            for table in dict.fromkeys(t.target for t in observing)
        ],
        "parameters": len(loaded.driver.parameters),
        "needs": None if needs is None else sorted(needs.get(name, ())),
    }


def _print(entries: list[dict[str, Any]], host: Host) -> None:
    width = min(shutil.get_terminal_size().columns, 110)
    for entry in entries:
        label = f"{entry['distribution']} {entry['version']}".strip()
        origin = label if entry["source"] in ("", label) else f"{label}, {entry['source']}"
        click.echo(f"{click.style(entry['name'], bold=True)}  ({origin})")
        for label, words in _lines(entry):
            if words:
                click.echo(
                    textwrap.fill(
                        ", ".join(words),
                        width=width,
                        initial_indent=f"  {label:<12}",
                        subsequent_indent=" " * 14,
                        break_long_words=False,
                        break_on_hyphens=False,
                    )
                )
        click.echo()
    if host.disabled:
        click.echo(f"Left out: {', '.join(host.disabled)}")
    if not entries:
        click.echo("No driver is loaded.")


def _lines(entry: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [
        ("provides", [f"{q['quantity']} [{_unit(q)}]" for q in entry["provides"]]),
        (
            "adds to",
            [
                f"{q['quantity']} (channel {q['channel']})" if q["channel"] else q["quantity"]
                for q in entry["adds_to"]
            ],
        ),
        ("limits", entry["limits"]),
        ("observes", [f"{t['table']} ({t['rows']} rows)" for t in entry["observes"]]),
        ("parameters", [str(entry["parameters"])]),
        ("needs", entry["needs"] or []),
    ]


def _unit(quantity: dict[str, Any]) -> str:
    unit = str(quantity["unit"])
    in_logs = not quantity["linear"] and not unit.startswith(("OOM", "dex"))  # an OOM is a log already
    return f"log10 {unit}" if in_logs else unit
