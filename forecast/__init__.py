"""When does AGI arrive, and who gets there first? A Bayesian, plugin-based forecasting engine.

The names below are the public API. They load on first use, so that
``forecast --help`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecast.contributions import Importer, MoreRows, ReportSection, files_in
    from forecast.driver import (
        Driver,
        adds_to,
        limits,
        load_evidence,
        load_parameters,
        observes,
        observes_crossing,
        parameters_from_text,
        provides,
    )
    from forecast.engine import Run, run
    from forecast.errors import ForecastError, InputError, PluginError
    from forecast.hookspecs import hookimpl
    from forecast.host import load_host
    from forecast.inference import SamplerSettings
    from forecast.worldview import Worldview, load_worldview

_HOME = {
    "Driver": "forecast.driver",
    "ForecastError": "forecast.errors",
    "Importer": "forecast.contributions",
    "InputError": "forecast.errors",
    "MoreRows": "forecast.contributions",
    "PluginError": "forecast.errors",
    "ReportSection": "forecast.contributions",
    "Run": "forecast.engine",
    "SamplerSettings": "forecast.inference",
    "Worldview": "forecast.worldview",
    "adds_to": "forecast.driver",
    "files_in": "forecast.contributions",
    "hookimpl": "forecast.hookspecs",
    "limits": "forecast.driver",
    "load_evidence": "forecast.driver",
    "load_host": "forecast.host",
    "load_parameters": "forecast.driver",
    "load_worldview": "forecast.worldview",
    "observes": "forecast.driver",
    "observes_crossing": "forecast.driver",
    "parameters_from_text": "forecast.driver",
    "provides": "forecast.driver",
    "run": "forecast.engine",
}

__all__ = [
    "Driver",
    "ForecastError",
    "Importer",
    "InputError",
    "MoreRows",
    "PluginError",
    "ReportSection",
    "Run",
    "SamplerSettings",
    "Worldview",
    "adds_to",
    "files_in",
    "hookimpl",
    "limits",
    "load_evidence",
    "load_host",
    "load_parameters",
    "load_worldview",
    "observes",
    "observes_crossing",
    "parameters_from_text",
    "provides",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'forecast' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
