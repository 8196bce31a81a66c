"""What an object holds, as plain nested tuples: to see later whether it has changed."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

DEEP = 12
"""Levels to which objects are followed; what lies deeper is taken to be itself."""

DATA = (bool, int, float, str, list, dict, set, np.ndarray)
"""What a module may hold and change; functions, classes and modules are left out."""

Picture = dict[str, Any]


def picture(thing: object) -> Picture:
    """Return the attributes of an object and of its classes, and the data of its module, as plain values.

    Cached properties are left out: they say the same whenever they are asked.
    """
    module = vars(sys.modules.get(type(thing).__module__, object))
    held = {
        f"{type(thing).__module__}.{name}": value
        for name, value in module.items()
        if isinstance(value, DATA) and not name.startswith("__")
    }
    cached: set[str] = set()
    for cls in reversed(type(thing).__mro__[:-1]):
        for name, value in vars(cls).items():
            if isinstance(value, cached_property):
                cached.add(name)
            elif not name.startswith("__") and not callable(value) and not hasattr(value, "__get__"):
                held[name] = value
    held |= getattr(thing, "__dict__", {})
    return {name: _plain(value, DEEP) for name, value in held.items() if name not in cached}


def changes(before: Picture, after: Picture) -> list[str]:
    """Names of attributes that are new, gone or different."""
    names = dict.fromkeys([*before, *after])
    return [
        name for name in names if (name in before) != (name in after) or before.get(name) != after.get(name)
    ]


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, str | bytes | bool | int | date):
        return value
    if isinstance(value, float):
        return repr(value)  # so that a NaN equals itself
    if isinstance(value, np.ndarray):
        return ("array", value.dtype.str, value.shape, value.tobytes())
    if depth == 0:
        return ("object", id(value))
    if isinstance(value, list | tuple):
        return (type(value).__name__, *(_plain(one, depth - 1) for one in value))
    if isinstance(value, Mapping):
        return ("mapping", *((_plain(key, depth - 1), _plain(one, depth - 1)) for key, one in value.items()))
    if isinstance(value, set | frozenset):
        return ("set", *sorted(repr(_plain(one, depth - 1)) for one in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(one.name, getattr(value, one.name)) for one in dataclasses.fields(value)]
        return (type(value).__name__, *((name, _plain(one, depth - 1)) for name, one in fields))
    return ("object", id(value))
