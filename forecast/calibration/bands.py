"""Simultaneous bands for the empirical distribution of ranks.

Pointwise, the number of uniform values at or below z is binomial. Säilynoja,
Bürkner and Vehtari (2022, https://doi.org/10.1007/s11222-022-10090-6) take a
pointwise band and adjust its level until the whole curve stays inside with a
given probability. ArviZ finds that level by simulation, which is too coarse
for a probability as near to one as many curves at once ask for; here it is
exact: the values are arrivals of a Poisson process given how many there are,
so the probability that the curve stays between two bounds is a sum of products
over its steps.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS = 60
"""Of the bisection for the pointwise level."""


ROUNDING = 1e-9
"""Tails that are closer, relatively, are one: those of z and of 1 - z round differently."""


def points(size: int) -> Floats:
    """Return where the curve of so many values is compared, (size - 1,): 1/size to 1 - 1/size."""
    return np.arange(1, size) / size


def counts(values: Floats) -> Integers:
    """Return how many values are at or below each of :func:`points`."""
    return np.searchsorted(np.sort(values), points(len(values)), side="right").astype(np.int64)


def smallest_tail(values: Floats) -> float:
    """Return the smallest pointwise two-sided tail probability along the curve of some values in [0, 1]."""
    number, size, z = counts(values), len(values), points(len(values))
    below, above = stats.binom.cdf(number, size, z), stats.binom.sf(number - 1, size, z)
    return float(min(1.0, 2 * np.min([below, above], initial=0.5)))


def p_value(values: Floats) -> float:
    """Return the probability that uniform values have a tail as small somewhere along their curve."""
    if len(values) < 2:  # there is no curve
        return 1.0
    tail = smallest_tail(values)
    # A curve whose every tail is larger stays strictly inside of where the tail is reached.
    return float(np.clip(1.0 - inside(*bounds(len(values), tail * (1 + ROUNDING))), 0.0, 1.0))


def band(size: int, probability: float) -> tuple[Integers, Integers]:
    """Return the lowest and highest counts of a band that holds the whole curve of uniform values.

    Parameters
    ----------
    size : int
        Number of values.
    probability : float
        With which it holds the curve, at least.

    Returns
    -------
    low, high : ndarray of int, (size - 1,)
    """
    least, most = 0.0, 1.0
    for _ in range(STEPS):
        middle = (least + most) / 2
        if inside(*bounds(size, middle)) >= probability:
            least = middle
        else:
            most = middle
    return bounds(size, least * (1 - ROUNDING))


def bounds(size: int, tail: float) -> tuple[Integers, Integers]:
    """Return the counts between which the pointwise two-sided tail is at least `tail`."""
    z, below = points(size), _binomial(size)
    low = (2 * below < tail).sum(axis=1)
    # P(X >= c) = 1 - P(X <= c - 1)
    above = np.column_stack([np.ones(len(z)), _survival(size)[:, :-1]])
    high = (2 * above >= tail).sum(axis=1) - 1
    return low.astype(np.int64), high.astype(np.int64)


def inside(low: Integers, high: Integers) -> float:
    """Return the probability that the counts of uniform values stay between two bounds.

    Parameters
    ----------
    low, high : ndarray of int, (size - 1,)
        Inclusive.
    """
    size = len(low) + 1
    step = stats.poisson.pmf(np.arange(size + 1), 1.0)
    number = np.zeros(size + 1)
    number[0] = 1.0
    for least, most in zip(low, high, strict=True):
        number = np.convolve(number, step)[: size + 1]
        number[:least] = 0.0
        number[most + 1 :] = 0.0
    last = np.convolve(number, step)[size]
    return float(last / stats.poisson.pmf(size, float(size)))


@cache
def _binomial(size: int) -> Floats:
    """P(X <= c) for each point and count, (size - 1, size + 1)."""
    return np.asarray(stats.binom.cdf(np.arange(size + 1), size, points(size)[:, None]))


@cache
def _survival(size: int) -> Floats:
    return np.asarray(stats.binom.sf(np.arange(size + 1), size, points(size)[:, None]))
