"""Telling whether two summaries are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """List what differs between two summaries, timings apart.

    Parameters
    ----------
    before, after : mapping
        Two ``summary.json``.

    Returns
    -------
    list of str
        One line each, "milestones.agi.draws.total: 4000 became 2000"; empty
        where they are equal to the last bit.
    """
    return [line for line in _walk(before, after, "") if not line.startswith("timings")]


def _walk(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            place = f"{path}.{key}" if path else str(key)
            if key not in after:
                yield f"{place}: is gone"
            elif key not in before:
                yield f"{place}: is new"
            else:
                yield from _walk(before[key], after[key], place)
    elif _is_list(before) and _is_list(after) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _walk(old, new, f"{path}[{index}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
