"""Changes to the future of a fitted model: ``pm.do`` semantics on trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from forecast.errors import InputError

_KINDS = {
    "limit": {"set"},
    "channel": {"of", "scale", "set", "at_least"},
    "quantity": {"add", "set"},
    "term": {"set"},
    "state": {"set"},
}

_LARGEST = 1e38
"""Larger numbers overflow where trajectories are kept in single precision."""


@dataclass(frozen=True)
class Intervention:
    """One change, from a date on.

    Attributes
    ----------
    kind : {"limit", "channel", "quantity", "term", "state"}
    name : str
        The limit's, channel's, quantity's or term's name, or that of a
        quantity that is a state.
    of : str or None
        The quantity that a channel belongs to.
    bloc : str or None
        Only this bloc; None for all.
    start : datetime.date or None
        First day of the change; None for the day after the as-of date.
    scale, add, level : float or None
        Factor on a channel; OOM (or linear units) added to a quantity; value
        that a quantity (on its scale) or a channel (a flow, in the quantity's
        unit without the log) is set to. A limit or term with none of them is
        off.
    floor : float or None
        Flow that a channel has at least, in the quantity's unit without the
        log; where it has more, it keeps that.
    state : str or None
        Name of the state that holds from then on.
    """

    kind: str
    name: str
    of: str | None = None
    bloc: str | None = None
    start: date | None = None
    scale: float | None = None
    add: float | None = None
    level: float | None = None
    floor: float | None = None
    state: str | None = None

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
        if isinstance(start, datetime):
            start = start.date()
        elif start is not None and not isinstance(start, date):
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
        for key in ("of", "bloc", kind):
            if key in given and not (isinstance(given[key], str) and given[key]):
                raise InputError(f"intervention {{ {shown} }}: {key} must be a name")
        if kind == "channel" and ("of" not in given or len({"scale", "set", "at_least"} & set(given)) != 1):
            raise InputError(
                f'intervention {{ {shown} }}: a channel needs of = "QUANTITY", and exactly one of scale, set '
                "and at_least = NUMBER"
            )
        if kind == "quantity" and ("add" in given) == ("set" in given):
            raise InputError(f"intervention {{ {shown} }}: a quantity takes either add or set")
        if kind in ("channel", "quantity") and "set" in given:
            numbers["level"] = _number(given["set"], "set", shown)
            if kind == "channel" and numbers["level"] < 0:
                raise InputError(f"intervention {{ {shown} }}: a channel cannot be set below zero")
        if "at_least" in given:
            numbers["floor"] = _number(given["at_least"], "at_least", shown)
            if numbers["floor"] < 0:
                raise InputError(f"intervention {{ {shown} }}: at_least must not be negative")
        if kind in ("limit", "term") and given.get("set") != "off":
            raise InputError(f'intervention {{ {shown} }}: a {kind} can only be set = "off"')
        if kind == "state" and ("bloc" in given or not isinstance(given.get("set"), str)):
            raise InputError(
                f'intervention {{ {shown} }}: a state takes set = "NAME OF A STATE", for all blocs at once'
            )
        return cls(
            kind=kind,
            name=str(given[kind]),
            of=given.get("of"),
            bloc=given.get("bloc"),
            start=start,
            state=given["set"] if kind == "state" else None,
            **numbers,
        )

    def to_toml(self) -> dict[str, Any]:
        """Return the table that :meth:`read` reads."""
        table: dict[str, Any] = {self.kind: self.name}
        for key, value in (("of", self.of), ("bloc", self.bloc), ("from", self.start), ("scale", self.scale)):
            if value is not None:
                table[key] = value
        if self.add is not None:
            table["add"] = self.add
        elif self.level is not None:
            table["set"] = self.level
        elif self.floor is not None:
            table["at_least"] = self.floor
        elif self.kind == "state":
            table["set"] = self.state
        elif self.scale is None:
            table["set"] = "off"
        return table


def read_interventions(tables: Sequence[Mapping[str, Any] | Intervention]) -> tuple[Intervention, ...]:
    """Read a list of changes; see :meth:`Intervention.read`."""
    return tuple(Intervention.read(table) for table in tables)


def _number(value: Any, key: str, shown: str) -> float:
    # abs() of a whole number of any length is compared, not converted, and NaN compares as False.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST:
        raise InputError(f"intervention {{ {shown} }}: {key} must be a finite number within ±1e38")
    return float(value)
