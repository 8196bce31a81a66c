"""The worldviews, scenarios and claims that travel inside the package."""

from __future__ import annotations

import importlib.util
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

PACKAGE = "forecast_priors"
DEFAULT = "default"


def _folder() -> Traversable:
    """Folder of the shipped worldviews: the installed package, else ``priors/`` beside ``forecast/``."""
    if importlib.util.find_spec(PACKAGE) is not None:
        return resources.files(PACKAGE)
    return Path(__file__).resolve().parents[2] / "priors"


def shipped_files() -> dict[str, Traversable]:
    """Return the shipped worldviews: name to file.

    Returns
    -------
    dict
        In the order of their names, `default` first.
    """
    found = _toml_files(_folder())
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def shipped_scenarios() -> dict[str, Traversable]:
    """Return the shipped scenarios: name to file, in the order of their names."""
    return dict(sorted(_toml_files(_folder().joinpath("scenarios")).items()))


def shipped_claims() -> dict[str, Traversable]:
    """Return the shipped claims files: name to file, in the order of their names."""
    return dict(sorted(_toml_files(_folder().joinpath("claims")).items()))


def _toml_files(folder: Traversable) -> dict[str, Traversable]:
    if not folder.is_dir():
        return {}
    return {file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")}


def list_worldviews() -> list[str]:
    """Return the names of the shipped worldviews, `default` first."""
    return list(shipped_files())


def list_scenarios() -> list[str]:
    """Return the names of the shipped scenarios."""
    return list(shipped_scenarios())
