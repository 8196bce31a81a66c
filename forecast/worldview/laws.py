"""The law in a prior's table: a family by hyperparameters or by quantiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from forecast.wording import did_you_mean, shown
from forecast.worldview.families import Family, family_named, number
from forecast.worldview.quantile_fit import FitError, fit_quantiles, quantile_level

Fail = Callable[[str, str], None]
"""``fail(message, key)`` records a problem at a key of the table."""


class Law(NamedTuple):
    """A family with complete hyperparameters, and the quantiles if it was given by them."""

    family: Family
    params: dict[str, float]
    quantiles: dict[float, float]


def read_law(name: object, keys: Mapping[str, Any], also: Iterable[str], fail: Fail) -> Law | None:
    """Read a family with hyperparameters or quantiles.

    Parameters
    ----------
    name : object
        What ``distribution`` says.
    keys : mapping
        Hyperparameters or quantiles, as given.
    also : iterable of str
        Other keys that the table may have, for suggestions.
    fail : callable
        Receives every problem.

    Returns
    -------
    Law or None
        None if there was any problem.
    """
    try:
        family = family_named(name)
    except ValueError as error:
        fail(str(error), "distribution")
        return None
    quantiles = {key: value for key, value in keys.items() if quantile_level(key) is not None}
    params = {key: value for key, value in keys.items() if key in family.names}
    unknown = [key for key in keys if key not in quantiles and key not in params]
    for key in unknown:
        near = did_you_mean(key, [*family.names, "p05", "p50", "p95", *also])
        fail(f"{family.name} has no parameter {shown(key)}{near}", key)
    if quantiles and params:
        fail(f"give quantiles ({', '.join(quantiles)}) or parameters ({', '.join(params)}), not both", "")
    elif quantiles:
        return _by_quantiles(family, quantiles, fail)
    elif not unknown or params:
        return _by_parameters(family, params, fail)
    return None


def _by_parameters(family: Family, params: Mapping[str, Any], fail: Fail) -> Law | None:
    found = family.problems(params)
    for message in found:
        fail(message, next((name for name in params if message.startswith(f"{name} ")), ""))
    return None if found else Law(family, family.complete(params), {})


def _by_quantiles(family: Family, given: Mapping[str, Any], fail: Fail) -> Law | None:
    quantiles: dict[float, float] = {}
    sound = True
    for key, value in given.items():
        x, level = number(value), quantile_level(key)
        if x is None or not math.isfinite(x):
            fail(f"{key} must be a finite number, got {shown(value)}", key)
            sound = False
        elif level is None or level in quantiles:
            fail(f"{key} is given twice", key)
            sound = False
        else:
            quantiles[level] = x
    if not sound:
        return None
    try:
        params = fit_quantiles(family, quantiles)
    except FitError as error:
        fail(str(error), "")
        return None
    return Law(family, params, dict(sorted(quantiles.items())))
