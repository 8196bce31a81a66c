"""Whether a ``summary.json`` that was read holds what its form requires: a damaged one is no bug of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from math import inf
from typing import Any

from forecast.results.summary import summary_schema
from forecast.wording import shown

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}

_ROUNDING = 1e-9


def first_damage(summary: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a summary, by its schema and by what its parts say of one another.

    None if nothing is.

    Parameters
    ----------
    summary : mapping
        As read from ``summary.json``. Keys that the schema does not know are
        left alone: a later version of this form may have them.

    Returns
    -------
    str or None
        Such as ``"milestones.agi.blocs missing"``.
    """
    schema = _schema()
    found = next(_damages(summary, schema, schema["$defs"], ""), None)
    return found or next(_disagreements(summary["milestones"]), None)


@cache
def _schema() -> dict[str, Any]:
    return summary_schema()


def _damages(value: Any, schema: Mapping[str, Any], known: Mapping[str, Any], path: str) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = known[name]
        if name == "day" and not _is_day(value):
            yield f"{path} is no date"
            return
    if "oneOf" in schema:
        found = [list(_damages(value, one, known, path)) for one in schema["oneOf"]]
        if all(found):
            yield found[-1][0]
        return
    named = schema.get("type")
    types = [named] if isinstance(named, str) else named
    if types and not any(_is(value, name) for name in types):
        yield f"{path or 'the file'} holds {type(value).__name__} where {' or '.join(types)} belongs"
        return
    if "const" in schema or "enum" in schema:
        known_values = schema.get("enum", [schema.get("const")])
        if value not in known_values:
            yield f"{path} is {shown(value)} where {' or '.join(map(str, known_values))} belongs"
            return
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        yield f"{path} is empty"
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _out_of_bounds(value, schema, path)
    if isinstance(value, dict):
        start = f"{path}." if path else ""
        if len(value) < schema.get("minProperties", 0):
            yield f"{path} is empty"
        missing = [f"{start}{key}" for key in schema.get("required", ()) if key not in value]
        if missing:
            yield f"{', '.join(missing)} missing"
        rest = schema.get("additionalProperties")
        for key, part in value.items():
            patterns = schema.get("patternProperties", {})
            named_so = next((patterns[one] for one in patterns if re.search(one, key)), rest)
            inner = schema.get("properties", {}).get(key, named_so)
            if isinstance(inner, Mapping):
                yield from _damages(part, inner, known, f"{start}{key}")
    if isinstance(value, list) and "items" in schema:
        for place, part in enumerate(value):
            yield from _damages(part, schema["items"], known, f"{path}[{place}]")


def _out_of_bounds(value: float, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    low, high = schema.get("minimum", -inf), schema.get("maximum", inf)
    # A share may have been rounded; an error of 0 is of no use, and does no harm.
    if not low - _ROUNDING <= value <= high + _ROUNDING or value < schema.get("exclusiveMinimum", -inf):
        yield f"{path} is {shown(value)}, which it cannot be"


def _disagreements(milestones: Mapping[str, Any]) -> Iterator[str]:
    """Every milestone is about the same blocs, each on the calendar, and its lead is between two of them."""
    blocs = next(iter(milestones.values()))["blocs"].keys()
    for name, milestone in milestones.items():
        here, lead = f"milestones.{name}", milestone["lead"]
        if milestone["blocs"].keys() != blocs:
            odd = ", ".join(sorted(milestone["blocs"].keys() ^ blocs))
            yield f"{here}.blocs are others than those of the first milestone ({odd})"
        for bloc, described in milestone["blocs"].items():
            for part in (described, described.get("inside") or {}):
                for level, year in part.get("quantiles", {}).items():
                    if year is not None and not 1 <= year < 10_000:
                        yield f"{here}.blocs.{bloc}: the quantile {level} is {shown(year)}, which is no year"
            for key, p in described.items():
                if key.startswith("p_") and p is not None and described["mcse"].get(key) is None:
                    yield f"{here}.blocs.{bloc}.{key} has no error"
        if lead is None:
            continue
        alone = lead["p_unipolar"].keys()
        for key in ("leader", "follower"):
            if lead[key] not in blocs:
                yield f"{here}.lead.{key} is {shown(lead[key])}, which is none of its blocs"
        if (
            not {lead["leader"], lead["follower"]} <= alone <= blocs
            or alone != lead["mcse"]["p_unipolar"].keys()
        ):
            yield f"{here}.lead.p_unipolar is not about its blocs, each with an error"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):  # which Python takes for a whole number
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _is_day(value: Any) -> bool:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True
