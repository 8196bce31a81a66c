"""Changing single keys of a prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forecast.errors import InputError
from forecast.worldview.families import FAMILIES
from forecast.worldview.origins import Origin, Problems
from forecast.worldview.prior_tables import read_prior
from forecast.worldview.priors import Prior
from forecast.worldview.quantile_fit import FitError, fit_quantiles, quantile_level
from forecast.worldview.toml_lines import Path


def edit_prior_table(table: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Change one key of a prior's table.

    A family's hyperparameter set on a prior that was given by quantiles converts
    it to its fitted hyperparameters first.

    Raises
    ------
    ValueError
        In words, if the key cannot be set on this prior.
    """
    family = FAMILIES.get(table["distribution"]) if isinstance(table.get("distribution"), str) else None
    quantiles = {k: x for k, x in table.items() if quantile_level(k) is not None}
    rest = {k: x for k, x in table.items() if k not in quantiles}
    if family and quantiles and key in family.names:
        try:
            params = fit_quantiles(family, {quantile_level(k) or 0.0: float(x) for k, x in quantiles.items()})
        except (FitError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"its quantiles cannot be turned into parameters first: {error}") from None
        return rest | params | {key: value}
    if family and not quantiles and quantile_level(key) is not None:
        given = ", ".join(name for name in family.names if name in table)
        raise ValueError(f"is given by {given}, not by quantiles: set one of these, or the whole prior")
    return table | {key: value}


def edited_prior(prior: Prior, edits: Mapping[str, Any], path: Path, origin: Origin) -> Prior:
    """Return a driver's prior with keys changed, in order.

    Parameters
    ----------
    prior : Prior
    edits : mapping
        Key to value, as given.
    path : tuple
        Of the prior in a prior file.
    origin : Origin
        Where the edits were given.

    Raises
    ------
    ValueError
        In words, without the origin, for each problem a line.
    """
    table: dict[str, Any] = prior.to_toml_table()
    for key, value in edits.items():
        table = edit_prior_table(table, key, value)
    problems = Problems()
    found = read_prior(table, path, _At(origin), problems, "driver")
    try:
        problems.raise_any()
    except InputError as error:
        raise ValueError("\n".join(p.removeprefix(f"{origin}: ") for p in error.problems)) from None
    assert found is not None
    return replace(found, origin=origin)


class _At:
    """Everything comes from one origin."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def origin(self, path: Path) -> Origin:
        return self._origin
