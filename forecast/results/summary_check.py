"""Whether a ``summary.json`` that was read holds what its form requires: a damaged one is no bug of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from forecast.results.summary import summary_schema

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def first_damage(summary: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a summary, by the types and required keys of its schema; None if nothing is.

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
    return next(_damages(summary, schema, schema["$defs"], ""), None)


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
    if isinstance(value, dict):
        start = f"{path}." if path else ""
        missing = [f"{start}{key}" for key in schema.get("required", ()) if key not in value]
        if missing:
            yield f"{', '.join(missing)} missing"
        rest = schema.get("additionalProperties")
        for key, part in value.items():
            inner = schema.get("properties", {}).get(key, rest)
            if isinstance(inner, Mapping):
                yield from _damages(part, inner, known, f"{start}{key}")
    if isinstance(value, list) and "items" in schema:
        for place, part in enumerate(value):
            yield from _damages(part, schema["items"], known, f"{path}[{place}]")


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
