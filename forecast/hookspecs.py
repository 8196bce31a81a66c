"""The contract between `forecast` and its plugins: every hook, on one screen.

A plugin is a module with functions of these names, marked with `hookimpl`. It
is found through the entry-point group ``forecast.drivers`` of an installed
distribution, or named with ``--plugin FILE.py`` or ``--plugin MODULE``.
"""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from forecast.driver import Driver

hookspec = pluggy.HookspecMarker("forecast")
hookimpl = pluggy.HookimplMarker("forecast")


@hookspec
def forecast_drivers() -> Sequence[Driver]:  # type: ignore[empty-body]
    """Return the plugin's drivers.

    Called once for each host, after the plugin's import, with nothing else
    loaded that could be relied on. An empty sequence is fine.

    Returns
    -------
    sequence of Driver
        Instances, not classes. Their names are unique among all plugins, and
        each quantity has one owner among all drivers that are not disabled.
    """
