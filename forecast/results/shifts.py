"""How a change moves crossing dates and probabilities: numpy in, plain floats out.

Crossings are decimal years, +inf for "never by the horizon", dims (chain,
draw); `accepted` marks the draws that count. Paired: the same draws with and
without the change, so that only what the change does is left in a difference.
Unpaired: two fits, whose errors add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecast.results.crossing_summary import Estimate, FloatArray, estimate, quantiles

SHIFT_LEVELS = (0.05, 0.5, 0.95)
"""Levels of a shift's quantiles."""

FEWEST = 20
"""The fewest draws from which an error of a median is given."""


@dataclass(frozen=True)
class Shift:
    """How much later a bloc crosses with a change than without; negative is earlier.

    Attributes
    ----------
    years : dict of str to (float or None)
        Keyed by the level as text ("0.05"); None where there is no draw.
        Paired: quantiles of the draws' differences. Unpaired: differences of
        the quantiles of the two fits.
    mcse : float or None
        Monte Carlo standard error of the median (level 0.5).
    p_both : Estimate
        Share of accepted draws that cross by the horizon with and without the
        change: the draws that `years` speaks of. Unpaired: of pairs of draws,
        one of each fit, so the product of the two shares.
    """

    years: dict[str, float | None]
    mcse: float | None
    p_both: Estimate


def paired_shift(
    before: ArrayLike, after: ArrayLike, accepted: ArrayLike, levels: Sequence[float] = SHIFT_LEVELS
) -> Shift:
    """Shift of a bloc's crossing on the same draws.

    Parameters
    ----------
    before, after : array_like
        Decimal years without and with the change, dims (chain, draw).
    accepted : array_like of bool
        Dims (chain, draw).
    levels : sequence of float

    Returns
    -------
    Shift
    """
    first, second, counts = _dates(before), _dates(after), np.asarray(accepted, dtype=bool)
    both = np.isfinite(first) & np.isfinite(second)
    moved = np.subtract(second, first, out=np.zeros_like(first), where=both)
    return Shift(
        years=quantiles(moved[both & counts], levels),
        mcse=quantile_mcse(moved, both & counts),
        p_both=estimate(both, counts),
    )


def unpaired_shift(
    before: ArrayLike,
    before_accepted: ArrayLike,
    after: ArrayLike,
    after_accepted: ArrayLike,
    levels: Sequence[float] = SHIFT_LEVELS,
) -> Shift:
    """Shift of a bloc's crossing between two fits.

    Parameters
    ----------
    before, after : array_like
        Decimal years, dims (chain, draw), each of its own size.
    before_accepted, after_accepted : array_like of bool
    levels : sequence of float

    Returns
    -------
    Shift
        Of the draws of either fit that cross.
    """
    parts = []
    for dates, marks in ((before, before_accepted), (after, after_accepted)):
        when, counts = _dates(dates), np.asarray(marks, dtype=bool)
        crosses = np.isfinite(when)
        parts.append(
            (
                quantiles(when[crosses & counts], levels),
                quantile_mcse(np.where(crosses, when, 0.0), crosses & counts),
                estimate(crosses, counts),
            )
        )
    (old, old_error, old_share), (new, new_error, new_share) = parts
    product = Estimate(
        old_share.p * new_share.p,
        float(np.hypot(old_share.p * new_share.mcse, new_share.p * old_share.mcse)),
    )
    return Shift(
        years={level: _difference(old[level], new[level]) for level in old},
        mcse=None if old_error is None or new_error is None else float(np.hypot(old_error, new_error)),
        p_both=product,
    )


def quantile_mcse(values: ArrayLike, counted: ArrayLike, level: float = 0.5) -> float | None:
    """Monte Carlo standard error of a quantile of some of the draws.

    Half the distance between the order statistics that the quantile's own
    uncertainty spans, as in ArviZ's ``mcse(method="quantile")`` (Vehtari et
    al. 2021): the 16% and 84% points of Beta(n p + 1, n (1 - p) + 1) with p
    the level and n the effective number of draws. Since the draws that count
    may be any, n is that of the share of them at or below the quantile, whose
    error :func:`estimate` takes from all chains.

    Parameters
    ----------
    values : array_like
        Dims (chain, draw); finite wherever it counts.
    counted : array_like of bool
        Dims (chain, draw).
    level : float

    Returns
    -------
    float or None
        None for fewer than 20 draws; 0 where the draws around the quantile
        agree.
    """
    from scipy import stats

    drawn, counts = np.asarray(values, dtype=float), np.asarray(counted, dtype=bool)
    ordered = np.sort(drawn[counts])
    size = ordered.size
    if size < FEWEST:
        return None
    below = estimate(drawn <= np.quantile(ordered, level), counts)
    variance = below.p * (1 - below.p) if 0 < below.p < 1 else level * (1 - level)
    effective = min(variance / below.mcse**2, float(size))
    low, high = stats.beta.ppf(
        stats.norm.cdf([-1.0, 1.0]), effective * level + 1, effective * (1 - level) + 1
    )
    first = int(np.floor(max(low * size - 1, 0)))
    last = int(np.ceil(min(high * size - 1, size - 1)))
    return float((ordered[last] - ordered[first]) / 2)


def paired_change(before: ArrayLike, after: ArrayLike, accepted: ArrayLike) -> Estimate:
    """By how much the probability of something changes, on the same draws.

    Parameters
    ----------
    before, after : array_like of bool
        Whether it holds without and with the change, dims (chain, draw).
    accepted : array_like of bool

    Returns
    -------
    Estimate
        Difference of the shares, and its error: that of the mean of the
        draws' own differences. Where no accepted draw changes, that of a
        share of 0 (:func:`estimate`).
    """
    old, new, counts = (np.asarray(marks, dtype=bool) for marks in (before, after, accepted))
    moved = new.astype(float) - old
    changed = old != new
    if not (changed & counts).any():
        return Estimate(0.0, estimate(changed, counts).mcse)
    difference = float(moved[counts].mean())
    # The mean of the linearised ratio, as in `estimate`: accepted draws differ in number between chains.
    import arviz_stats as az

    linear = np.where(counts, moved - difference, 0.0) / counts.mean()
    error = float(az.mcse(linear, chain_axis=0, draw_axis=1, method="mean"))
    if not (np.isfinite(error) and error > 0):  # every draw changed alike, or too few to tell
        error = estimate(changed, counts).mcse
    return Estimate(difference, error)


def unpaired_change(before: Estimate, after: Estimate) -> Estimate:
    """By how much a probability differs between two fits, with the errors of both."""
    return Estimate(after.p - before.p, float(np.hypot(before.mcse, after.mcse)))


def _difference(old: float | None, new: float | None) -> float | None:
    return None if old is None or new is None else new - old


def _dates(values: ArrayLike) -> FloatArray:
    when = np.asarray(values, dtype=float)
    if np.isnan(when).any():
        raise ValueError("crossings must not be NaN")
    return when
