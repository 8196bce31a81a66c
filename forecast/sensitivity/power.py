"""Power scaling: what the answer does when one prior, or one table of evidence, counts for more or less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecast.errors import ForecastError
from forecast.sensitivity.outcomes import (
    Answers,
    Floats,
    Outcome,
    batch_errors,
    difference,
    weighted_medians,
)
from forecast.sensitivity.weights import distances, good_k, plain_weights, smoothed_weights

if TYPE_CHECKING:
    import xarray as xr

THRESHOLD = 0.05
"""Above it a component matters; gauged by Kallioinen et al. on normal posteriors."""

STEP = (0.99, 1.01)
"""Powers between which psi is a derivative, as ``az.psense`` takes them."""

SPAN = (0.8, 1.25)
"""Powers between which the shifts are."""


@dataclass(frozen=True)
class Component:
    """Log density of one part of the model at each accepted draw.

    Attributes
    ----------
    name : str
        ``driver.parameter``; ``correlations``, for what correlated priors add; or a table of evidence.
    kind : "prior" or "likelihood"
    logs : ndarray, (draw,)
        All numbers of a parameter, or all rows of a table, together.
    """

    name: str
    kind: Literal["prior", "likelihood"]
    logs: Floats


def read_components(tree: xr.DataTree, answers: Answers) -> list[Component]:
    """Every prior and every table of evidence.

    Raises
    ------
    ForecastError
        A log density is not finite in an accepted draw.
    """
    kinds: tuple[tuple[Literal["prior", "likelihood"], str], ...] = (
        ("prior", "log_prior"),
        ("likelihood", "log_likelihood"),
    )
    found = []
    for kind, group in kinds:
        for name, values in variables(tree, group, answers):
            logs = values.sum(axis=1)
            if not np.isfinite(logs).all():
                raise ForecastError(
                    f"The {group} of {name} is not finite in an accepted draw: results.nc is damaged, or the "
                    "driver's density is wrong (forecast plugin check)."
                )
            found.append(Component(name, kind, logs))
    return found


def variables(tree: xr.DataTree, group: str, answers: Answers) -> Iterator[tuple[str, Floats]]:
    """Variables of a group with their accepted draws, (draw, number)."""
    for name, variable in tree[group].data_vars.items():
        if {"chain", "draw"} <= set(variable.dims) and variable.size:
            values = answers.take(variable.transpose("chain", "draw", ...).to_numpy())
            yield str(name), values.reshape(answers.size, -1)


def power_scale(components: list[Component], answers: Answers) -> list[dict[str, Any]]:
    """Scale each component by powers, and weigh the draws accordingly.

    Parameters
    ----------
    components : list of Component
    answers : Answers

    Returns
    -------
    list of dict
        ``name``, ``kind``, ``psi`` (the largest of ``outcomes``), ``p_in_shift`` with ``p_in_shift_mcse``,
        ``median_shift_years`` (None where a median is not reached), ``k`` (the larger of both powers; None
        where there is no tail) and ``reliable``; the largest psi first.
    """
    if not components:
        return []
    logs = np.stack([one.logs for one in components], axis=1)
    logs = logs - logs.mean(axis=0)
    near = [plain_weights((power - 1) * logs) for power in STEP]
    psi = {one.name: _psi(one, *near) for one in answers.outcomes}
    (low, k_low), (high, k_high) = (smoothed_weights((power - 1) * logs) for power in SPAN)
    k = np.maximum(k_low, k_high)
    inside = answers.inside.astype(float)
    p_low, p_high = inside @ low, inside @ high
    parts = high * (inside[:, None] - p_high) - low * (inside[:, None] - p_low)
    errors = batch_errors(parts, answers.batches())
    dates = answers.first_dates
    medians = difference(weighted_medians(dates, high), weighted_medians(dates, low))
    limit = good_k(answers.size)
    found = [
        {
            "name": one.name,
            "kind": one.kind,
            "psi": max(float(values[at]) for values in psi.values()),
            "p_in_shift": float(p_high[at] - p_low[at]),
            "p_in_shift_mcse": float(errors[at]),
            "median_shift_years": medians[at],
            "k": finite(k[at]),
            "reliable": bool(k[at] <= limit),
            "outcomes": {name: float(values[at]) for name, values in psi.items()},
        }
        for at, one in enumerate(components)
    ]
    return sorted(found, key=lambda row: -row["psi"])


def _psi(outcome: Outcome, low: Floats, high: Floats) -> Floats:
    """Derivative of the distance by the logarithm of the power, from both sides, (component,)."""
    scores, there = outcome.scores[outcome.there], outcome.there
    below, above = (distances(scores, some[there] / some[there].sum(axis=0)) for some in (low, high))
    return np.asarray((above / np.log2(STEP[1]) - below / np.log2(STEP[0])) / 2)


def finite(value: float) -> float | None:
    """Write an infinite number as null."""
    return float(value) if np.isfinite(value) else None
