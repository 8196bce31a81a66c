"""``forecast plugin check``: the conformance kit on a plugin, from the command line."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forecast.conformance import Check

MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not applicable": ("-", None)}


@click.command(short_help="Check a plugin's drivers against the conformance kit.")
@click.argument("plugin", metavar="PATH|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(plugin: str, as_json: bool) -> None:
    """Check a plugin's drivers against the conformance kit.

    NAME is an installed driver, plugin or distribution. PATH is a .py file, the folder of a project (its
    pyproject.toml names the plugin, which need not be installed) or of a package; a folder here is ./FOLDER.

    Each driver is checked together with the installed ones that it cannot do without: sources and units,
    priors against the evidence, numbers of blocs, gradients, what is kept between builds, both grids, what
    is compiled, calibration on simulated data, and what happens to others without it. The first time, a
    model is compiled, for some seconds to two minutes. Exit code 1 if anything failed.
    """
    from forecast.conformance.plugins import check_plugin, summary

    live = sys.stderr.isatty()
    report = check_plugin(plugin, say=_Line(live))
    if live:
        click.echo("\r\x1b[2K", nl=False, err=True)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        for one in report.checks:
            click.echo(_written(one))
        click.echo(f"\n{report.plugin}: {summary(report)}")
    if not report.ok:
        raise SystemExit(1)


class _Line:
    """What is going on, on standard error: one line that changes, or without a terminal what is slow."""

    def __init__(self, live: bool) -> None:
        self.live = live

    def __call__(self, words: str) -> None:
        if self.live:
            width = shutil.get_terminal_size().columns - 4
            click.echo(f"\r\x1b[2K{words[:width]} ...", nl=False, err=True)
        elif " " in words.partition(": ")[2] or ": " not in words:
            click.echo(f"{words} ...", err=True)


def _written(check: Check) -> str:
    mark, colour = MARKS[check.state]
    detail = check.detail if check.state != "not applicable" else f"not applicable: {check.detail}"
    text = textwrap.fill(
        detail,
        width=max(60, min(shutil.get_terminal_size().columns, 110)),
        initial_indent=f"  {check.code:<18}",
        subsequent_indent=" " * 20,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return click.style(mark, fg=colour) + text[1:]
