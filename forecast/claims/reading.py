"""Claims files: statements that somebody made, and the measures by which a run can check them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from forecast.claims.measure_specs import (
    MEASURES,
    PROBABILITY,
    Address,
    Day,
    Measure,
    NotMeasured,
    Table,
    Text,
    UnitName,
    as_table,
    keys_of,
    read_number,
)
from forecast.errors import InputError
from forecast.units import parse_unit
from forecast.wording import did_you_mean, shown
from forecast.worldview.files import Document, read_path, read_shelved
from forecast.worldview.origins import Origin, Problems
from forecast.worldview.schema import NAME
from forecast.worldview.shipped import Shelf, shipped_shelf

SHIPPED = "amodei-2025"
"""The claims that are checked unless others are named."""


class Source(Table):
    """Where a claim was made."""

    title: Text
    date: Day
    url: Address


class _ClaimTable(Table):
    statement: Text
    unit: UnitName | None = None
    stated: Any = None
    note: Text | None = None
    source: Any = None
    measure: Any


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes
    ----------
    id : str
    statement : str
        In the file's own words.
    source : Source
    unit : str or None
        Of what is stated and measured.
    low, high : float or None
        The stated range; equal where one value was stated, None where none was.
    words : str or None
        What was stated, where it is no number.
    note : str or None
    measure : Measure
    origin : Origin
    """

    id: str
    statement: str
    source: Source
    unit: str | None
    low: float | None
    high: float | None
    words: str | None
    note: str | None
    measure: Measure
    origin: Origin

    @property
    def stated(self) -> Any:
        """As in the file: a number, a table of low and high, words, or None."""
        if self.low is None or self.high is None:
            return self.words
        return self.low if self.low == self.high else {"low": self.low, "high": self.high}


def read_claims(
    names: Sequence[str | os.PathLike[str]] = (), shelf: Shelf | None = None
) -> tuple[Claim, ...]:
    """Read claims files.

    Parameters
    ----------
    names : sequence of str or path
        Names of claims or paths of TOML files; the shipped :data:`SHIPPED`
        without any.
    shelf : Shelf, optional
        The files that have a name; the shipped ones by default.

    Returns
    -------
    tuple of Claim
        In the files' order.

    Raises
    ------
    InputError
        With every mistake, each with file, line and key.
    """
    problems = Problems()
    found: dict[str, Claim] = {}
    for name in names or (SHIPPED,):
        for claim in _claims_of(_document(name, shelf or shipped_shelf()), problems):
            if claim.id in found:
                problems.add(claim.origin, f"repeats the claim in {found[claim.id].origin.place}")
            found.setdefault(claim.id, claim)
    problems.raise_any()
    return tuple(found.values())


def _document(name: str | os.PathLike[str], shelf: Shelf) -> Document:
    if isinstance(name, str) and name in shelf.claims:
        return read_shelved(name, "claims", shelf)
    if (
        isinstance(name, str)
        and not name.endswith(".toml")
        and os.sep not in name
        and not os.path.lexists(name)
    ):
        near = did_you_mean(name, shelf.claims)
        raise InputError(f"--claims {shown(name)}: there are no claims and no file of this name{near}")
    return read_path(name)


def _claims_of(document: Document, problems: Problems) -> list[Claim]:
    data = document.data
    for key in data:
        if key not in ("title", "source", "claims"):
            near = did_you_mean(key, ("title", "source", "claims"))
            problems.add(document.origin((key,)), f"nothing reads this key{near}")
    if "title" in data and not isinstance(data["title"], str):
        problems.add(document.origin(("title",)), f"must be text, got {shown(data['title'])}")
    general = _source(data.get("source"), ("source",), document, problems)
    claims = data.get("claims")
    if not as_table(claims) or not claims:
        problems.add(document.origin(("claims",)), "must hold the claims, each a table [claims.NAME]")
        return []
    read = [_claim(name, table, general, document, problems) for name, table in claims.items()]
    return [claim for claim in read if claim is not None]


def _claim(
    name: str, data: Any, general: Source | None, document: Document, problems: Problems
) -> Claim | None:
    path = ("claims", name)
    if not NAME.fullmatch(name) or len(name) > 100:
        problems.add(document.origin(path), "a name has letters, digits, - and _, and begins with a letter")
    table = _checked(_ClaimTable, data, path, document, problems)
    if table is None:
        return None
    source = general
    if table.source is not None:
        source = _source(table.source, (*path, "source"), document, problems)
    elif general is None and "source" not in document.data:
        problems.add(
            document.origin(path), "has no source: give one here or at the top, with title, date, url"
        )
    measure = _measure(table.measure, (*path, "measure"), document, problems)
    low, high, words = _stated(table.stated, (*path, "stated"), document, problems)
    if measure is None or source is None:
        return None
    # A number that cannot be read is complained of already.
    has_number = low is not None or not isinstance(table.stated, str | None)
    unit = _unit(table.unit, measure, has_number, path, document, problems)
    return Claim(name, table.statement, source, unit, low, high, words, table.note, measure,
                 document.origin(path))  # fmt: skip


def _source(data: Any, path: tuple[str | int, ...], document: Document, problems: Problems) -> Source | None:
    return None if data is None else _checked(Source, data, path, document, problems)


def _measure(
    data: Any, path: tuple[str | int, ...], document: Document, problems: Problems
) -> Measure | None:
    if not as_table(data):
        problems.add(document.origin(path), f"must be a table with kind and its keys, got {shown(data)}")
        return None
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in MEASURES:
        what = "is missing" if kind is None else f"there is no measure {shown(kind)}"
        near = did_you_mean(str(kind or ""), MEASURES)
        problems.add(document.origin((*path, "kind") if "kind" in data else path), f"kind: {what}{near}")
        return None
    return _checked(MEASURES[kind], data, path, document, problems)


def _stated(
    value: Any, path: tuple[str | int, ...], document: Document, problems: Problems
) -> tuple[float | None, float | None, str | None]:
    """Read one number, low and high, or words."""
    if value is None:
        return None, None, None
    if isinstance(value, str):
        return None, None, value
    try:
        if not as_table(value):
            number = read_number(value)
            return number, number, None
        if set(value) != {"low", "high"}:
            raise ValueError(f"must be a number, words, or a table of low and high, got {shown(value)}")
        low, high = read_number(value["low"]), read_number(value["high"])
        if low > high:
            raise ValueError(f"low {low:g} is above high {high:g}")
        return low, high, None
    except ValueError as error:
        problems.add(document.origin(path), str(error))
        return None, None, None


def _unit(
    unit: str | None,
    measure: Measure,
    has_number: bool,
    path: tuple[str | int, ...],
    document: Document,
    problems: Problems,
) -> str | None:
    """Unit of a claim: its own where it fits its measure, else the measure's."""
    if isinstance(measure, NotMeasured):
        return unit
    where = document.origin((*path, "unit"))
    if measure.unit == PROBABILITY:
        if unit is not None and parse_unit(unit).dimension != parse_unit(PROBABILITY).dimension:
            problems.add(where, f"this measure gives a probability, not {shown(unit)}; leave the unit out")
        return PROBABILITY
    if not has_number:
        problems.add(document.origin((*path, "stated")), "is missing: this measure is compared with a number")
    if unit is None and measure.unit is None:
        problems.add(where, "is missing: the unit of what is stated")
    if unit and measure.unit and parse_unit(unit).dimension != parse_unit(measure.unit).dimension:
        problems.add(where, f"{shown(unit)} does not convert to this measure's unit, {measure.unit}")
    return unit or measure.unit


def _checked[T: Table](
    model: type[T], data: Any, path: tuple[str | int, ...], document: Document, problems: Problems
) -> T | None:
    """Validate a table; complaints in our words, with file, line and key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            _translate(dict(found), model, path, document, problems)
    except (RecursionError, ValueError, OverflowError):
        problems.add(document.origin(path), "cannot be read: its tables are nested too deeply")
    return None


_SENTENCES = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "list_type": "must be a list",
    "too_short": "must not be empty",
}


def _translate(
    found: dict[str, Any],
    model: type[Table],
    path: tuple[str | int, ...],
    document: Document,
    problems: Problems,
) -> None:
    kind, value = str(found["type"]), found.get("input")
    # A union adds the name of the alternative as a step of the path, which no file has.
    at = (*path, *(part for part in found["loc"] if part not in ("str", "int", "float", "bool")))
    where = document.origin(at)
    if kind == "extra_forbidden":
        valid = keys_of(model) if len(found["loc"]) == 1 else ()
        problems.add(where, f"nothing reads this key{did_you_mean(str(at[-1]), valid)}")
    elif kind == "value_error":
        problems.add(where, str(found["ctx"]["error"]))
    elif kind == "missing":
        problems.add(document.origin(at[:-1]), f"{at[-1]} is missing")
    else:
        problems.add(where, f"{_SENTENCES.get(kind, found['msg'])}, got {shown(value)}")
