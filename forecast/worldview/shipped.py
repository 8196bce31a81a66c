"""Worldviews, scenarios and claims that have a name: those inside the package, and those of plugins."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

PACKAGE = "forecast_priors"
DEFAULT = "default"

Kind = Literal["worldviews", "scenarios", "claims"]


@dataclass(frozen=True)
class NamedFile:
    """A TOML file that is called by a name.

    Attributes
    ----------
    file : Traversable
    label : str
        As people call it in messages.
    owner : str
        Distribution and version of the plugin that brings it; blank for a shipped one.
    """

    file: Traversable
    label: str
    owner: str = ""


@dataclass(frozen=True)
class Shelf:
    """The files that can be named instead of giving a path.

    Attributes
    ----------
    worldviews, scenarios, claims : mapping of str to NamedFile
        Those of plugins come after the shipped ones.
    """

    worldviews: Mapping[str, NamedFile] = field(default_factory=dict)
    scenarios: Mapping[str, NamedFile] = field(default_factory=dict)
    claims: Mapping[str, NamedFile] = field(default_factory=dict)

    def with_files(self, kind: Kind, files: Mapping[str, NamedFile]) -> Shelf:
        """Return a shelf with more files of a kind; their names must be new."""
        held = {one: getattr(self, one) for one in ("worldviews", "scenarios", "claims")}
        return Shelf(**held | {kind: {**held[kind], **files}})

    def taken(self, name: str, kind: Kind) -> str | None:
        """Say what has a name already, in words; None where it is free.

        Worldviews and scenarios are named in the same place, on the command line and in ``extends``.
        """
        kinds: tuple[Kind, ...] = ("claims",) if kind == "claims" else ("worldviews", "scenarios")
        for one in kinds:
            held: Mapping[str, NamedFile] = getattr(self, one)
            if name in held:
                word = "claims" if one == "claims" else f"the {one.removesuffix('s')}"
                owner = held[name].owner
                return f"{word} {name!r} of {owner}" if owner else f"{word} {name!r} that is shipped"
        return None


@cache
def shipped_shelf() -> Shelf:
    """Return the files that travel inside the package.

    Returns
    -------
    Shelf
        In the order of their names; of the worldviews `default` first.
    """
    folder = _folder()
    worldviews = _toml_files(folder, "priors")
    first = sorted(worldviews, key=lambda name: (name != DEFAULT, name))
    return Shelf(
        worldviews={name: worldviews[name] for name in first},
        scenarios=_toml_files(folder.joinpath("scenarios"), "priors/scenarios"),
        claims=_toml_files(folder.joinpath("claims"), "priors/claims"),
    )


def _folder() -> Traversable:
    """Folder of the shipped worldviews: the installed package, else ``priors/`` beside ``forecast/``."""
    if importlib.util.find_spec(PACKAGE) is not None:
        return resources.files(PACKAGE)
    return Path(__file__).resolve().parents[2] / "priors"


def _toml_files(folder: Traversable, label: str) -> dict[str, NamedFile]:
    if not folder.is_dir():
        return {}
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return {file.name.removesuffix(".toml"): NamedFile(file, f"{label}/{file.name}") for file in files}


def list_worldviews() -> list[str]:
    """Return the names of the shipped worldviews, `default` first."""
    return list(shipped_shelf().worldviews)


def list_scenarios() -> list[str]:
    """Return the names of the shipped scenarios."""
    return list(shipped_shelf().scenarios)
