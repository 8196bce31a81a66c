"""Installed evidence, for commands that show a saved run beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forecast.host import Host


def installed_host(plugins: Sequence[str] = ()) -> Host:
    """The drivers that are installed or named, with their evidence.

    A plugin that does not load is named on stderr and left out: a saved run
    can be read without it, and beside drivers that do not go together.
    """
    from forecast.host import load_host

    host = load_host(plugins, check=False)
    for problem in host.problems:
        click.echo(f"Warning: {problem}", err=True)
    return host
