"""Changes to the future of a fitted model: ``pm.do`` semantics on trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from forecast.errors import InputError

_KINDS = {
    "limit": {"set"},
    "channel": {"of", "scale"},
    "quantity": {"add", "set"},
    "term": {"set"},
}


@dataclass(frozen=True)
class Intervention:
    """One change, from a date on.

    Attributes
    ----------
    kind : {"limit", "channel", "quantity", "term"}
    name : str
        The limit's, channel's, quantity's or term's name.
    of : str or None
        The quantity that a channel belongs to.
    bloc : str or None
        Only this bloc; None for all.
    start : datetime.date or None
        First day of the change; None for the day after the as-of date.
    scale, add, level : float or None
        Factor on a channel; OOM (or linear units) added to a quantity; value
        that a quantity is set to. A limit or term with none of them is off.
    """

    kind: str
    name: str
    of: str | None = None
    bloc: str | None = None
    start: date | None = None
    scale: float | None = None
    add: float | None = None
    level: float | None = None

    @classmethod
    def read(cls, table: Mapping[str, Any] | Intervention) -> Intervention:
        """Read ``{ limit = "chip_access", bloc = "china", set = "off" }`` and its kin.

        Raises
        ------
        InputError
            In words, for an unknown key, a missing one or a wrong type.
        """
        if isinstance(table, Intervention):
            return table
        given = dict(table)
        shown = ", ".join(f"{key} = {value!r}" for key, value in given.items())
        kinds = [kind for kind in _KINDS if kind in given]
        if len(kinds) != 1:
            raise InputError(f"intervention {{ {shown} }}: name exactly one of {', '.join(_KINDS)}")
        kind = kinds[0]
        unknown = set(given) - {kind, "bloc", "from"} - _KINDS[kind]
        if unknown:
            allowed = sorted({kind, "bloc", "from"} | _KINDS[kind])
            raise InputError(
                f"intervention {{ {shown} }}: unknown key {sorted(unknown)[0]!r}; "
                f"a {kind} takes {', '.join(allowed)}"
            )
        start = given.get("from")
        if start is not None and not isinstance(start, date):
            try:
                start = date.fromisoformat(start)
            except (TypeError, ValueError):
                raise InputError(f"intervention {{ {shown} }}: from must be a date like 2027-01-01") from None
        numbers: dict[str, float] = {}
        for key in ("scale", "add"):
            if key in given:
                numbers[key] = _number(given[key], key, shown)
        if "scale" in numbers and numbers["scale"] < 0:
            raise InputError(f"intervention {{ {shown} }}: scale must not be negative")
        if kind == "channel" and ("of" not in given or "scale" not in given):
            raise InputError(
                f'intervention {{ {shown} }}: a channel needs of = "QUANTITY" and scale = NUMBER'
            )
        if kind == "quantity":
            if ("add" in given) == ("set" in given):
                raise InputError(f"intervention {{ {shown} }}: a quantity takes either add or set")
            if "set" in given:
                numbers["level"] = _number(given["set"], "set", shown)
        elif kind in ("limit", "term") and given.get("set") != "off":
            raise InputError(f'intervention {{ {shown} }}: a {kind} can only be set = "off"')
        return cls(
            kind=kind,
            name=str(given[kind]),
            of=given.get("of"),
            bloc=given.get("bloc"),
            start=start,
            **numbers,
        )


def read_interventions(tables: Sequence[Mapping[str, Any] | Intervention]) -> tuple[Intervention, ...]:
    """Read a list of changes; see :meth:`Intervention.read`."""
    return tuple(Intervention.read(table) for table in tables)


def _number(value: Any, key: str, shown: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
        raise InputError(f"intervention {{ {shown} }}: {key} must be a finite number")
    return float(value)
