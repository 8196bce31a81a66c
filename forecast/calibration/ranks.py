"""Ranks of truths among posterior draws, and what many of them say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.calibration.bands import counts, p_value, points

Floats = NDArray[np.float64]

INTERVALS = (0.5, 0.8, 0.9)
"""Central intervals of which the coverage is told."""

FALSE_ALARM = 0.05
"""Probability that a right model has any curve outside of its band, over all curves together."""


def randomised_ranks(truth: Floats, draws: Floats, rng: np.random.Generator) -> Floats:
    """Return where truths stand among draws, uniform on (0, 1) if they are from one distribution.

    Parameters
    ----------
    truth : ndarray, (quantity,)
    draws : ndarray, (draw, quantity)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, (quantity,)
        (r + U) / (n + 1), with the rank r of 0 to n among n draws, ties broken
        at random, and a uniform U: so that ranks among different numbers of
        draws can be counted together.
    """
    below, ties = (draws < truth).sum(axis=0), (draws == truth).sum(axis=0)
    rank = below + rng.integers(ties + 1)
    return np.asarray((rank + rng.random(len(truth))) / (len(draws) + 1))


def describe(ranks: Floats, curves: int) -> dict[str, Any]:
    """Say whether the ranks of one quantity are uniform.

    Parameters
    ----------
    ranks : ndarray, (simulation,)
        From :func:`randomised_ranks`.
    curves : int
        How many quantities are judged together.

    Returns
    -------
    dict
        ``inside_band``, ``coverage`` by interval, ``p_value`` of the curve
        alone, and ``mean_rank``: below a half the posterior is too high.
    """
    if not len(ranks):
        return {
            "inside_band": False,
            "coverage": {format(mass, "g"): None for mass in INTERVALS},
            "p_value": None,
            "mean_rank": None,
        }
    p = p_value(ranks)
    return {
        "inside_band": bool(p > FALSE_ALARM / curves),
        "coverage": {
            format(mass, "g"): float(np.mean(np.abs(ranks - 0.5) <= mass / 2)) for mass in INTERVALS
        },
        "p_value": p,
        "mean_rank": float(ranks.mean()),
    }


def curve(ranks: Floats) -> tuple[Floats, Floats]:
    """Return the empirical distribution of ranks less the uniform one, and where: both (size - 1,)."""
    z = points(len(ranks))
    return z, counts(ranks) / len(ranks) - z


def spreads(values: Floats, logarithmic: NDArray[np.bool_], prior: Mapping[int, Floats]) -> Floats:
    """Return the variance of draws, on the scale on which contraction is told.

    Parameters
    ----------
    values : ndarray, (draw, quantity)
    logarithmic : ndarray of bool, (quantity,)
        Quantities whose logarithm counts.
    prior : mapping of int to ndarray, (draw,)
        Sorted prior draws of quantities that may be infinite, or may not
        differ between draws: their place among these counts, from 0 to 1.

    Returns
    -------
    ndarray, (quantity,)
    """
    moved = np.where(logarithmic, np.log(np.where(logarithmic, values, 1.0)), values)
    for column, known in prior.items():
        sides: Sequence[Any] = [
            np.searchsorted(known, values[:, column], side=side) for side in ("left", "right")
        ]
        moved[:, column] = (sides[0] + sides[1]) / (2 * len(known))
    return np.asarray(moved.var(axis=0))
