"""Installed evidence, for commands that show a saved run beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forecast.evidence import EvidenceTable


def installed_tables(plugins: Sequence[str] = ()) -> dict[tuple[str, str], EvidenceTable]:
    """Evidence of the drivers that are installed or named, by (driver, table).

    A plugin that does not load is named on stderr and left out: a saved run
    can be read without it.
    """
    from forecast.host import load_host

    host = load_host(plugins)
    for problem in host.problems:
        click.echo(f"Warning: {problem}", err=True)
    return host.evidence()
