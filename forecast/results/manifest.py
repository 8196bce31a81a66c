"""What a run's id is a hash of, and what its ``manifest.json`` says."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from forecast.host import Host, LoadedDriver
from forecast.inference import SamplerSettings
from forecast.model import Spec
from forecast.results.installing import install_command
from forecast.worldview import Worldview

VERSIONS = ("agi-forecast", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy", "scipy", "xarray")
"""Distributions whose versions can change a draw."""


def fingerprint(
    worldview: Worldview, host: Host, spec: Spec, settings: SamplerSettings, prior_only: bool
) -> dict[str, Any]:
    """Everything that decides the result; a change of code is one too."""
    rows = [
        (
            *key,
            str(row.date),
            row.bloc,
            row.name,
            row.value,
            row.low,
            row.high,
            row.level,
            sorted(row.extra.items()),
        )
        for key, table in spec.evidence.items()
        for row in table.rows
    ]
    return {
        "worldview": worldview.to_toml(),
        "priors": {".".join(key): repr(value.entries) for key, value in spec.parameters.items()},
        "evidence": sha256(repr(rows).encode()).hexdigest(),
        "drivers": {
            name: [loaded.version, _code_hash(_file_of(loaded))] for name, loaded in host.drivers.items()
        },
        "seed": worldview.seed,
        "sampler": sampler_settings(settings),
        "prior_only": prior_only,
        "version": _version("agi-forecast"),
        "code": _code_hash(sys.modules["forecast"].__file__),
    }


def _file_of(loaded: LoadedDriver) -> str | None:
    """Return the file that defines a driver's class, wherever the plugin was loaded from."""
    module = sys.modules.get(type(loaded.driver).__module__)
    return getattr(module, "__file__", None) or loaded.source


def _code_hash(file: str | None) -> str:
    """Hash of a file, or of all sources of the package whose ``__init__.py`` it is."""
    if not file or not Path(file).is_file():
        return ""
    path = Path(file)
    digest = sha256()
    for source in sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def sampler_settings(settings: SamplerSettings) -> dict[str, Any]:
    """Settings that decide the draws; the number of cores does not."""
    return {
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "sampler": settings.sampler,
        "target_accept": settings.target_accept,
    }


def manifest(
    *,
    run: str,
    worldview: Worldview,
    host: Host,
    spec: Spec,
    settings: SamplerSettings,
    prior_only: bool,
    prints: Mapping[str, Any],
    timings: Mapping[str, float],
    cpu: Mapping[str, float],
    command: Sequence[str],
    plugins: Sequence[str],
) -> dict[str, Any]:
    """Return what ``manifest.json`` holds: enough to read, check and repeat the run.

    Parameters
    ----------
    run : str
        The run's id.
    worldview, host, spec, settings, prior_only
        Of the plan.
    prints : mapping
        From :func:`fingerprint`.
    timings, cpu : mapping of str to float
        Seconds by phase, on the wall and of CPU.
    command : sequence of str
        The command line's arguments.
    plugins : sequence of str
        Files and modules that were named for this run.
    """
    installed = {one.distribution for one in host.drivers.values() if one.version}
    installed |= {one.candidate.distribution for one in host.loaded.rows if one.candidate.version}
    return {
        "schema": "forecast.manifest/1",
        "run": run,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "as_of": worldview.as_of.isoformat(),
        "command": list(command),
        "settings": {
            "sampler": sampler_settings(settings),
            "prior_only": prior_only,
            "seed": worldview.seed,
        },
        "plugins": list(plugins),
        "drivers": {name: host.distribution_of(name) for name in host.drivers},
        "install": install_command(installed),
        "evidence": {f"{driver}/{table}": len(known) for (driver, table), known in spec.evidence.items()},
        "hashes": {
            "evidence": prints["evidence"],
            "worldview": sha256(prints["worldview"].encode()).hexdigest(),
        },
        "versions": versions(),
        "timings": dict(timings),
        "cpu": dict(cpu),
    }


def versions() -> dict[str, str]:
    """What is installed here and can change a draw, and the platform."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _version(name) for name in VERSIONS},
    }


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
