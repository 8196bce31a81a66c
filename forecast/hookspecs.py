"""The contract between `forecast` and its plugins: every hook, on one screen.

A plugin is a module with functions of these names, marked with `hookimpl`. It
is found through the entry-point group ``forecast.drivers`` of an installed
distribution, or named with ``--plugin FILE.py`` or ``--plugin MODULE``.

Each function is called once for each host, right after the plugin's import,
with nothing else loaded that could be relied on; it returns a list or a tuple,
which may be empty. A plugin that fails in any of them is set aside whole, and
named. All hooks are of version 1 of the contract
(:data:`forecast.driver.API_VERSION`): a driver states it in its class, a
module without drivers by ``api_version = 1``.

Commands are not brought by a hook, so that ``forecast --help`` imports no
plugin: a click command is an entry point of the group ``forecast.commands``,
whose name is the command's.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

import pluggy

from forecast.contributions import Importer, MoreRows, ReportSection
from forecast.driver import Driver

hookspec = pluggy.HookspecMarker("forecast")
hookimpl = pluggy.HookimplMarker("forecast")


@hookspec
def forecast_drivers() -> Sequence[Driver]:  # type: ignore[empty-body]
    """Return drivers: instances, not classes.

    Their names are unique among all plugins, and each quantity has one owner
    among all drivers that are in use.
    """


@hookspec
def forecast_evidence() -> Sequence[MoreRows]:  # type: ignore[empty-body]
    """Return further rows for evidence tables of drivers, other plugins' among them.

    They are read when all plugins are loaded; rows for a driver that is not
    in use are left alone.
    """


@hookspec
def forecast_importers() -> Sequence[Importer]:  # type: ignore[empty-body]
    """Return importers, for ``forecast import``; their names are unique."""


@hookspec
def forecast_report_sections() -> Sequence[ReportSection]:  # type: ignore[empty-body]
    """Return sections of a run's report, in their order; their names are unique.

    They are made when somebody reads a run. One that fails is named there and
    left out.
    """


@hookspec
def forecast_worldviews() -> Sequence[Path | Traversable]:  # type: ignore[empty-body]
    """Return prior files that are then known by their names, as ``--priors gulf`` for ``gulf.toml``.

    Like a file of the user's, one without ``extends`` lies over what is named
    before it, or over `default`. New blocs, milestones and thresholds come
    this way. A name that is taken is refused.
    """


@hookspec
def forecast_scenarios() -> Sequence[Path | Traversable]:  # type: ignore[empty-body]
    """Return scenario files that are then known by their names, for ``forecast scenario NAME``."""


@hookspec
def forecast_claims() -> Sequence[Path | Traversable]:  # type: ignore[empty-body]
    """Return claims files that are then known by their names, for ``forecast claims RUN --claims NAME``."""
