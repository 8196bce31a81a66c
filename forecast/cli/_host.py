"""The plugins and drivers that a command looks at, with what is wrong with them told on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forecast.host import Host, Loaded
    from forecast.worldview import Worldview


def installed_host(plugins: Sequence[str] = ()) -> Host:
    """The drivers that are installed or named, with their evidence.

    A plugin that does not load is named on stderr and left out: a saved run
    can be read without it, and beside drivers that do not go together.
    """
    from forecast.host import load_host

    return _told(load_host(plugins, check=False))


def unchecked_host(loaded: Loaded) -> Host:
    """The same of plugins that are loaded already."""
    from forecast.host import host_of

    return _told(host_of(loaded, check=False))


def model_of(priors: Sequence[str], plugins: Sequence[str], without: Sequence[str]) -> tuple[Worldview, Host]:
    """The worldview and the drivers that the options of such a command name; drivers must go together."""
    from forecast.host import host_of, load_plugins
    from forecast.worldview import load_worldview

    loaded = load_plugins(plugins)
    worldview = load_worldview(*priors, disable=without, shelf=loaded.shelf)
    return worldview, host_of(loaded, worldview.disabled)


def _told(host: Host) -> Host:
    for problem in host.problems:
        click.echo(f"Warning: {problem}", err=True)
    return host
