"""What the kit says of a driver: a state and a sentence for each check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes
    ----------
    code : str
        Which check; the same from version to version.
    state : {"passed", "failed", "not applicable"}
    detail : str
        What was found; where it failed, what to do; where it does not apply, why.
    """

    code: str
    state: State
    detail: str


@dataclass(frozen=True)
class Report:
    """The outcome of all checks.

    Attributes
    ----------
    plugin : str
        What was checked: a driver, or a plugin with several.
    checks : tuple of Check
    """

    plugin: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(check.state != "failed" for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``forecast plugin check --json`` prints it."""
        return {"plugin": self.plugin, "ok": self.ok, "checks": [asdict(check) for check in self.checks]}


class Failed(Exception):
    """A check found something wrong; the message says what, and what to do."""


class NotApplicable(Exception):
    """A check has nothing to look at; the message says why."""


def fail_if(problems: Iterable[str], most: int = 5) -> None:
    """Raise `Failed` with the first of some problems, and the number of the others."""
    found = list(dict.fromkeys(problems))
    if not found:
        return
    more = f"; and {len(found) - most} more" if len(found) > most else ""
    raise Failed("; ".join(found[:most]) + more)


def count(number: int, what: str, many: str = "") -> str:
    """Write a number and its noun, ``1 row`` or ``3 rows``."""
    return f"{number:,} {what if number == 1 else many or f'{what}s'}"
