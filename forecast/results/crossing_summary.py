"""The numbers that summarise crossing dates: numpy in, plain floats out.

Crossings are decimal years, +inf for "never by the horizon". `accepted` marks
the draws that count; the others were set aside because a bloc had already
crossed by the as-of date. Arrays keep their (chain, draw) shape, since Monte
Carlo errors need to know which draws follow one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.results.weighting import least_error, weighted_quantile, weighted_share

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

QUANTILE_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Levels of every quantile table in a summary."""


@dataclass(frozen=True)
class Estimate:
    """A probability and its Monte Carlo standard error."""

    p: float
    mcse: float


def quantiles(
    values: ArrayLike, levels: Sequence[float] = QUANTILE_LEVELS, weights: ArrayLike | None = None
) -> dict[str, float | None]:
    """Quantiles of draws in which "never" counts as +infinity.

    Linear interpolation between order statistics (numpy's default, type 7),
    except that between a finite and an infinite draw the result is infinite.

    Parameters
    ----------
    values : array_like
        Draws of any shape; decimal years, or years for a lead; may be infinite.
    levels : sequence of float
        Each in [0, 1].
    weights : array_like, optional
        Of the shape of `values`, not negative: as
        :func:`forecast.results.weighting.weighted_quantile`.

    Returns
    -------
    dict of str to (float or None)
        Keyed by the level as text ("0.05"); None where the quantile is
        infinite, or where there is no draw.
    """
    drawn = np.asarray(values, dtype=float).ravel()
    if np.isnan(drawn).any():
        raise ValueError("draws must not be NaN")
    if weights is not None:
        return {format(level, "g"): weighted_quantile(drawn, weights, level) for level in levels}
    ordered = np.sort(drawn)
    return {format(level, "g"): _quantile(ordered, level) for level in levels}


def _quantile(ordered: FloatArray, level: float) -> float | None:
    if ordered.size == 0:
        return None
    position = (ordered.size - 1) * level
    low = int(np.floor(position))
    part = position - low
    below = float(ordered[low])
    above = float(ordered[min(low + 1, ordered.size - 1)])
    if part == 0 or below == above:
        value = below
    elif np.isinf(below) or np.isinf(above):
        return None
    else:
        value = below + part * (above - below)
    return value if np.isfinite(value) else None


def estimate(indicator: ArrayLike, accepted: ArrayLike, weights: ArrayLike | None = None) -> Estimate:
    """Share of accepted draws in which something holds, with its Monte Carlo error.

    The share is a ratio of two means over the chains, sum(accepted and
    indicator) / sum(accepted), so its error is that of the mean of the
    linearised ratio, accepted * (indicator - p) / mean(accepted), by ArviZ's
    effective sample size. Where every accepted draw agrees that error would be
    0, which is overconfident, and a single chain of a few draws has none: then
    it is sqrt(q (1 - q) / n) with q = (k + 0.5) / (n + 1), k of n accepted
    draws. With weights the sums are weighted, n is their effective size, and the
    error is at least :func:`forecast.results.weighting.least_error`.

    Parameters
    ----------
    indicator, accepted : array_like of bool
        Dims (chain, draw).
    weights : array_like, optional
        Importance weights of the draws, dims (chain, draw), not negative.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        Where no draw is accepted or the shapes differ.
    """
    holds = np.asarray(indicator, dtype=bool)
    counts = np.asarray(accepted, dtype=bool)
    if holds.shape != counts.shape:
        raise ValueError(f"shapes differ: {holds.shape} and {counts.shape}")
    if not counts.any():
        raise ValueError("no draw is accepted")
    n: float
    k: float
    if weights is None:
        n = int(counts.sum())
        k = int((holds & counts).sum())
        p = k / n
        parts = np.where(counts, holds - p, 0.0) / counts.mean()
    else:
        p, n, parts = weighted_share(holds, np.where(counts, weights, 0.0))
        k = p * n
    mcse = float("nan")
    if 0 < p < 1:
        mcse = mcse_of_mean(parts)
        if weights is not None:
            mcse = max(mcse, least_error(p, np.where(counts, weights, 0.0)))
    if not (np.isfinite(mcse) and mcse > 0):
        mcse = error_of_agreement(k, n)
    return Estimate(p, mcse)


def error_of_agreement(k: float, n: float) -> float:
    """Error of a share that `k` of `n` draws have, above 0 also where all of them or none have it."""
    q = (k + 0.5) / (n + 1)
    return float(np.sqrt(q * (1 - q) / n))


def mcse_of_mean(values: FloatArray) -> float:
    """Monte Carlo standard error of a mean over the chains, dims (chain, draw), by ArviZ."""
    # Imported here because a stored summary is read and printed without it, and it takes seconds.
    import arviz_stats as az

    return float(az.mcse(values, chain_axis=0, draw_axis=1, method="mean"))


def window_indicators(crossings: ArrayLike, start: float, end: float) -> dict[str, BoolArray]:
    """Split draws into before, in and after a window, and never.

    Parameters
    ----------
    crossings : array_like
        Decimal years, inf for never by the horizon.
    start, end : float
        Decimal years; `end` is the first moment after the window
        (:func:`forecast.dates.end_of` its last day).

    Returns
    -------
    dict of str to ndarray of bool
        ``p_before``, ``p_in``, ``p_after`` and ``p_never``: each draw is in
        exactly one of them.
    """
    when = np.asarray(crossings, dtype=float)
    if np.isnan(when).any():
        raise ValueError("crossings must not be NaN")
    never = np.isposinf(when)
    before = when < start
    inside = (when >= start) & (when < end) & ~never
    return {"p_before": before, "p_in": inside, "p_after": ~(before | inside | never), "p_never": never}


def lead_years(leader: ArrayLike, follower: ArrayLike) -> FloatArray:
    """Follower's crossing minus leader's, per draw.

    Returns
    -------
    ndarray of float
        Years, negative where the follower is first; +inf where only the leader
        crosses, -inf where only the follower does, NaN where neither does.
    """
    with np.errstate(invalid="ignore"):
        years: FloatArray = np.asarray(follower, dtype=float) - np.asarray(leader, dtype=float)
    return years


@dataclass(frozen=True)
class Polarity:
    """Who has the thing alone; each draw is in exactly one of these.

    Attributes
    ----------
    unipolar : ndarray of bool
        Dims (chain, draw, bloc): this bloc is alone for `within` years.
    bipolar : ndarray of bool
        Dims (chain, draw): at least two blocs cross within that time.
    neither : ndarray of bool
        Dims (chain, draw): nobody crosses, or one bloc does so late that the
        horizon comes before `within` years are over.
    """

    unipolar: BoolArray
    bipolar: BoolArray
    neither: BoolArray


def polarity(crossings: ArrayLike, horizon: float, within: float) -> Polarity:
    """Tell unipolar from bipolar draws.

    Parameters
    ----------
    crossings : array_like
        Decimal years, inf for never; the last dim is bloc.
    horizon : float
        Decimal year at which the projection ends.
    within : float
        Years; a second bloc that crosses sooner than this after the first
        makes the draw bipolar, one that crosses at the same moment always does.

    Returns
    -------
    Polarity
    """
    when = np.asarray(crossings, dtype=float)
    ordered = np.sort(when, axis=-1)
    first = ordered[..., 0]
    second = ordered[..., 1] if when.shape[-1] > 1 else np.full(first.shape, np.inf)
    nobody = np.isposinf(first)
    single = np.isposinf(second) & ~nobody
    several = ~nobody & ~single
    with np.errstate(invalid="ignore"):
        gap = second - first
    alone = (single & (horizon - first >= within)) | (several & (gap >= within) & (gap > 0))
    is_first = np.arange(when.shape[-1]) == np.argmin(when, axis=-1)[..., None]
    return Polarity(
        unipolar=alone[..., None] & is_first,
        bipolar=several & ~alone,
        neither=nobody | (single & ~alone),
    )


def world_shares(
    crossings: ArrayLike,
    accepted: ArrayLike,
    blocs: Sequence[str],
    horizon: float,
    within: float,
    weights: ArrayLike | None = None,
) -> dict[str, Any]:
    """Shares of accepted draws that are unipolar, bipolar and neither.

    Parameters
    ----------
    crossings : array_like
        Decimal years, inf for never; dims (chain, draw, bloc).
    accepted : array_like of bool
        Dims (chain, draw).
    blocs : sequence of str
    horizon, within : float
        As for :func:`polarity`.
    weights : array_like, optional
        As for :func:`estimate`.

    Returns
    -------
    dict
        ``p_unipolar`` by bloc, ``p_bipolar`` and ``p_neither``, which sum to 1,
        and ``mcse`` with the same keys.
    """
    kinds = polarity(crossings, horizon, within)
    share = partial(estimate, accepted=accepted, weights=weights)
    unipolar = {bloc: share(kinds.unipolar[..., index]) for index, bloc in enumerate(blocs)}
    bipolar, neither = share(kinds.bipolar), share(kinds.neither)
    return {
        "p_unipolar": {bloc: found.p for bloc, found in unipolar.items()},
        "p_bipolar": bipolar.p,
        "p_neither": neither.p,
        "mcse": {
            "p_unipolar": {bloc: found.mcse for bloc, found in unipolar.items()},
            "p_bipolar": bipolar.mcse,
            "p_neither": neither.mcse,
        },
    }
