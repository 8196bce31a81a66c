"""Smooth densities of crossing dates and of leads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.results.weighting import effective_size

FloatArray = NDArray[np.float64]


def crossing_density(
    when: FloatArray, start: float, end: float, points: int = 600, weights: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Smooth crossing dates into a density that has no mass outside [start, end].

    A Gaussian kernel on the logarithm of the time from a year before `start`,
    reflected at both ends: near dates keep their detail and the long tail is
    smooth.

    Parameters
    ----------
    when : ndarray
        Crossing dates of all draws, decimal years; infinite for never.
    start, end : float
        Decimal years.
    points : int
    weights : ndarray, optional
        Of the draws, not negative; all count alike by default.

    Returns
    -------
    years, density : ndarray
        Density per year; it integrates to the share of draws that cross.
    """
    scaled_end = float(np.log1p(end - start))
    edges = np.linspace(0.0, scaled_end, points + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    years = start + np.expm1(middles)
    there = np.isfinite(when) if weights is None else np.isfinite(when) & (weights > 0)
    reached = when[there]
    if reached.size == 0:
        return years, np.zeros(points)
    scaled = np.log1p(np.clip(reached, start, end) - start)
    step = edges[1] - edges[0]
    if weights is None:
        counts = np.histogram(scaled, bins=edges)[0] / when.size
        width = max(_bandwidth(scaled), step)
    else:
        counts = np.histogram(scaled, bins=edges, weights=weights[there])[0] / weights.sum()
        fewer = float(reached.size / effective_size(weights[there])) ** 0.2
        width = max(_bandwidth(scaled) * fewer, float(step))
    reflected = np.concatenate([counts[::-1], counts, counts[::-1]])
    reach = min(int(np.ceil(4 * width / step)), points)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    smooth = np.convolve(reflected, kernel / kernel.sum(), mode="same")[points : 2 * points]
    return years, smooth / step / (1 + years - start)


def _bandwidth(values: FloatArray) -> float:
    """Silverman's rule, with a floor for draws that agree."""
    low, high = (float(value) for value in np.quantile(values, [0.25, 0.75]))
    spreads = [spread for spread in (float(values.std()), (high - low) / 1.34) if spread > 0]
    return float(max(0.9 * min(spreads, default=0.0) / float(values.size) ** 0.2, 0.02))


def lead_density(
    years: FloatArray, low: float, high: float, points: int = 500
) -> tuple[FloatArray, FloatArray]:
    """Smooth the finite leads into a density.

    A Gaussian kernel on asinh(lead / b), b the range between the quartiles:
    the middle is smoothed evenly and the tails ever more widely.

    Parameters
    ----------
    years : ndarray
        Leads of all draws; infinite or NaN where one bloc or none crosses.
    low, high : float
        Years between which the density is given.
    points : int

    Returns
    -------
    lead, density : ndarray
        Density per year; over all leads it integrates to the share of draws in
        which both cross.
    """
    finite = years[np.isfinite(years)]
    quarter, three_quarters = np.quantile(finite, [0.25, 0.75]) if finite.size else (0.0, 0.0)
    bend = max(float(three_quarters - quarter), 0.25)
    lead = np.sinh(np.linspace(np.arcsinh(low / bend), np.arcsinh(high / bend), points)) * bend
    if finite.size == 0:
        return lead, np.zeros(points)
    scaled = np.sort(np.arcsinh(finite / bend))
    spreads = [float(scaled.std()), float(np.subtract(*np.quantile(scaled, [0.75, 0.25]))) / 1.349]
    width = max(0.9 * min([one for one in spreads if one > 0], default=0.0) * finite.size**-0.2, 0.02)
    edges = np.linspace(scaled[0] - 4 * width, scaled[-1] + 4 * width, 2001)
    step = edges[1] - edges[0]
    counts = np.histogram(scaled, bins=edges)[0] / years.size
    reach = min(max(1, int(np.ceil(4 * width / step))), (counts.size - 1) // 2)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    smooth = np.convolve(counts, kernel / kernel.sum(), mode="same") / step
    middles = (edges[1:] + edges[:-1]) / 2
    at = np.interp(np.arcsinh(lead / bend), middles, smooth, left=0.0, right=0.0)
    return lead, at / np.hypot(lead, bend)
