"""Where things were said, and the problems found there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forecast.errors import InputError
from forecast.wording import printable
from forecast.worldview.toml_lines import Path

SLOT_TABLES = ("by_bloc", "by_epoch")


@dataclass(frozen=True)
class Origin:
    """Where a key was given.

    Attributes
    ----------
    file : str
        A prior file as the user named it, a driver's file, or an option such as
        ``--set window.end=2028-12-31``.
    line : int or None
        Counted from 1.
    key : str
        Table and key: ``"[priors.investment] growth"``.
    """

    file: str
    line: int | None = None
    key: str = ""

    @property
    def place(self) -> str:
        """File and line, without the key."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.key}" if self.key else self.place


class Locator(Protocol):
    """Anything that knows where the key at a path was given."""

    def origin(self, path: Path) -> Origin:
        """Return the origin of a path."""


class Problems:
    """Collects the problems of all files, so that people see them at once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Origin, str], None] = {}  # in order, each once

    def add(self, origin: Origin, message: str) -> None:
        """Record one problem at one place; the same one is recorded once."""
        self._found[(origin, message)] = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_any(self) -> None:
        """Raise what was found, by file and line.

        Raises
        ------
        InputError
            If there is any problem.
        """
        if not self._found:
            return
        files = list(dict.fromkeys(origin.file for origin, _ in self._found))
        ordered = sorted(self._found, key=lambda found: (files.index(found[0].file), found[0].line or 0))
        raise InputError([printable(f"{origin}: {message}") for origin, message in ordered])


def key_text(path: Sequence[str | int]) -> str:
    """Write a path as people see it in the file.

    ``("priors", "investment", "growth")`` is ``[priors.investment] growth``, and
    ``("milestones", "agi", "all", 0)`` is ``[milestones.agi] all[0]``.
    """
    if not path:
        return ""
    depth = {"milestones": 2, "priors": 2, "correlations": 2, "claims": 2}.get(str(path[0]), 1)
    if path[0] == "priors" and len(path) > 2 and path[2] in SLOT_TABLES:
        depth = 4
    if path[0] in SLOT_TABLES:  # in a driver's own file
        depth = 2
    depth = min(depth, len(path) - 1)
    table = ".".join(str(part) for part in path[:depth])
    key = ""
    for part in path[depth:]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    key = key if len(key) <= 120 else key[:119] + "…"
    return printable(f"[{table}] {key}" if table else key)
