"""Importance weights: Pareto-smoothed, and how far they move a distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TINY = 1e-300
_POINTS = 1000


def good_k(draws: int) -> float:
    """Up to which Pareto k weights of so many draws may be relied on (Vehtari et al. 2024)."""
    return float(min(1 - 1 / np.log10(max(draws, 11)), 0.7))


def smoothed_weights(log_ratios: Floats) -> tuple[Floats, Floats]:
    """Pareto-smoothed importance weights, by ArviZ.

    Parameters
    ----------
    log_ratios : ndarray, (draw, column)
        Logarithms of target by proposal, up to a constant of each column.

    Returns
    -------
    weights : ndarray, (draw, column)
        Each column sums to 1.
    k : ndarray, (column,)
        Shape of the fitted tail. -inf where the largest ratios are all equal, so that there is no tail;
        +inf where no tail could be fitted.
    """
    from arviz_stats.base.array import array_stats

    weights = np.empty_like(log_ratios, dtype=float)
    k = np.full(log_ratios.shape[1], -np.inf)
    for at, column in enumerate(np.asarray(log_ratios, dtype=float).T):
        try:
            logs, found = array_stats.psislw(-column)
            k[at] = np.inf if np.isnan(found) else found
        except ValueError:  # the tail is one value
            logs = column
        raw = np.exp(logs - logs.max())
        weights[:, at] = raw / raw.sum()
    return weights, k


def plain_weights(log_ratios: Floats) -> Floats:
    """Importance weights as they are, (draw, column); each column sums to 1."""
    raw = np.exp(log_ratios - log_ratios.max(axis=0))
    return np.asarray(raw / raw.sum(axis=0))


def distances(values: Floats, weights: Floats) -> Floats:
    """Cumulative Jensen-Shannon distance between draws and the same draws weighted.

    As in Kallioinen et al. (2024): the larger of that of the values and of their
    negatives, normalised by the areas below both distribution functions.

    Parameters
    ----------
    values : ndarray, (draw,)
        Finite.
    weights : ndarray, (draw, column)
        Columns that sum to 1.

    Returns
    -------
    ndarray, (column,)
        From 0 to 1.
    """
    order = np.argsort(values, kind="stable")
    widths = np.diff(values[order])
    some = np.flatnonzero(widths > 0)
    if not some.size:
        return np.zeros(weights.shape[1])
    if some.size > _POINTS:  # the integrals are sums over so many steps, each taken in its middle
        starts = np.linspace(0, some.size, _POINTS, endpoint=False).astype(int)
        widths = np.add.reduceat(widths[some], starts)
        some = some[(starts + np.append(starts[1:], some.size)) // 2]
    else:
        widths = widths[some]
    plain = (some + 1) / values.size
    steps = np.add.reduceat(weights[order[: some[-1] + 1]], np.append(0, some[:-1] + 1), axis=0)
    below = np.cumsum(steps, axis=0)
    return np.maximum(_one_sided(plain, below, widths), _one_sided(1 - plain, 1 - below, widths))


def _one_sided(plain: Floats, weighted: Floats, widths: Floats) -> Floats:
    p, q = np.maximum(plain, _TINY)[:, None], np.maximum(weighted, _TINY)
    middle = np.log2((p + q) / 2)
    area_p, area_q = widths @ p, widths @ q
    tilt = (area_q - area_p) / (2 * np.log(2))
    p_to_q = widths @ (p * (np.log2(p) - middle)) + tilt
    q_to_p = widths @ (q * (np.log2(q) - middle)) - tilt
    total = np.maximum(p_to_q, 0) + np.maximum(q_to_p, 0)
    return np.asarray(np.sqrt(total / (area_p + area_q)))
