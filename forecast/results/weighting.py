"""Draws that do not count alike: shares, quantiles and effective size under importance weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def effective_size(weights: ArrayLike) -> float:
    """How many draws that count alike would be as good: (sum w)^2 / sum w^2, Kish's formula.

    Parameters
    ----------
    weights : array_like
        Of any shape, not negative.

    Returns
    -------
    float
        0 where every weight is 0.
    """
    given = np.asarray(weights, dtype=float)
    squares = float(np.sum(given**2))
    return float(np.sum(given) ** 2 / squares) if squares > 0 else 0.0


def weighted_share(holds: NDArray[np.bool_], weights: FloatArray) -> tuple[float, float, FloatArray]:
    """Share of the weight of the draws in which something holds.

    Parameters
    ----------
    holds : ndarray of bool, (chain, draw)
    weights : ndarray, (chain, draw)
        Not negative, 0 for draws that do not count.

    Returns
    -------
    share : float
    size : float
        Effective size of the weights.
    parts : ndarray, (chain, draw)
        The linearised ratio, whose mean has the share's Monte Carlo error:
        w (holds - share) / mean(w).

    Raises
    ------
    ValueError
        Where every weight is 0, or one is negative or not a number.
    """
    total = float(weights.sum())
    if not (total > 0 and np.isfinite(total) and weights.min() >= 0):
        raise ValueError("weights must be numbers, not negative, and not all 0")
    share = min(float(weights[holds].sum()) / total, 1.0)
    if not (weights[~holds] > 0).any():
        share = 1.0
    return share, effective_size(weights), weights * (holds - share) / weights.mean()


def least_error(share: float, weights: ArrayLike) -> float:
    """Monte Carlo error of a share that weights would give if they had nothing to do with it.

    Where few draws carry the weight the linearised ratio knows too little of its
    own error: by luck all of them may agree. Of independent draws the weights
    add p (1 - p) (1/effective size - 1/number of draws) to the variance.

    Parameters
    ----------
    share : float
    weights : array_like
        Not negative; draws of weight 0 do not count.

    Returns
    -------
    float
        0 where all weights are alike.
    """
    given = np.asarray(weights, dtype=float)
    effective, count = effective_size(given), int(np.count_nonzero(given))
    if not effective:
        return 0.0
    return float(np.sqrt(share * (1 - share) * max(1 / effective - 1 / count, 0.0)))


def weighted_quantile(values: FloatArray, weights: ArrayLike, level: float) -> float | None:
    """Quantile of weighted draws.

    Draws lie at the middles of their weights, the first at level 0 and the
    last at 1, with linear interpolation between them: with weights that are
    all alike this is numpy's default, type 7. Between a finite and an infinite
    draw the result is infinite.

    Parameters
    ----------
    values : ndarray, (draw,)
        May be infinite, not NaN.
    weights : array_like
        As many, not negative; draws of weight 0 are left out.
    level : float
        In [0, 1].

    Returns
    -------
    float or None
        None where the quantile is infinite, or where no draw has weight.
    """
    given = np.asarray(weights, dtype=float).ravel()
    counted = given > 0
    order = np.argsort(values[counted], kind="stable")
    drawn, share = values[counted][order], given[counted][order]
    if not drawn.size:
        return None
    middles = np.cumsum(share) - share / 2
    places = (middles - middles[0]) / (middles[-1] - middles[0]) if drawn.size > 1 else np.zeros(1)
    at = int(np.clip(np.searchsorted(places, level, side="right") - 1, 0, drawn.size - 1))
    below, above = float(drawn[at]), float(drawn[min(at + 1, drawn.size - 1)])
    if below == above or level <= places[at]:
        value = below
    elif np.isinf(below) or np.isinf(above):
        return None
    else:
        value = below + (above - below) * (level - places[at]) / (places[at + 1] - places[at])
    return float(value) if np.isfinite(value) else None
