"""Whether data that was read from a JSON file of ours holds what its schema requires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from math import inf
from typing import Any

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


def form_damage(data: Any, schema: Mapping[str, Any]) -> str | None:
    """Say what is wrong with data by the types, required keys and bounds of a schema; None if nothing is.

    Parameters
    ----------
    data : JSON value
        Keys that the schema does not know are left alone: a later version of its form may have them.
    schema : mapping
        JSON schema, of whose words those are read that our own schemas use.

    Returns
    -------
    str or None
        Such as ``"milestones.agi.blocs missing"``.
    """
    return next(_damages(data, schema, schema.get("$defs", {}), ""), None)


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
