"""Draws of thresholds, given those of the parameters with which they correlate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forecast.model import Copula, Key, Layout, Spec
from forecast.streams import stream
from forecast.worldview import Number, Prior
from forecast.worldview.correlations import THRESHOLDS as OWNER

Floats = NDArray[np.float64]


def draw_thresholds(
    thresholds: Mapping[str, Prior], spec: Spec, parameters: Mapping[Key, Floats], *, seed: int, size: int
) -> dict[str, Floats]:
    """Draw every threshold.

    Parameters
    ----------
    thresholds : mapping of str to Prior
    spec : Spec
        Its correlations count.
    parameters : mapping of (driver, name) to ndarray
        Draws, as :meth:`Layout.shaped` returns them; first axis draw.
    seed : int
        A threshold's stream depends on it and the threshold's name alone.
    size : int
        Number of draws.

    Returns
    -------
    dict of str to ndarray, (draw,)
    """
    drawn = {name: prior.rvs(stream(seed, "threshold", name), size) for name, prior in thresholds.items()}
    if not spec.correlations:
        return drawn
    layout = Layout({key: spec.parameters[key] for key in parameters}, spec.blocs, spec.correlations)
    copula = joint_copula(layout, thresholds)
    if copula is None:
        return drawn
    values = {Number(OWNER, name): draws for name, draws in drawn.items()}
    known = [one for one in copula.members if one.owner != OWNER]
    values |= {one: layout.column(parameters, one) for one in known}
    return drawn | {one.name: draws for one, draws in copula.draw(values, known).items()}


def joint_copula(layout: Layout, thresholds: Mapping[str, Prior]) -> Copula | None:
    """Return the copula of a layout's numbers and thresholds; None if no two of them correlate."""
    owned = {Number(OWNER, name): prior for name, prior in thresholds.items()}
    return Copula.among(layout.correlations, layout.priors | owned)


def correlation_log_density(
    layout: Layout, flat: Floats, thresholds: Mapping[str, Prior], drawn: Mapping[str, Floats]
) -> Floats | None:
    """Return what correlations add to the sum of the log densities of all priors.

    Parameters
    ----------
    layout : Layout
    flat : ndarray, (draw, number)
    thresholds : mapping of str to Prior
    drawn : mapping of str to ndarray, (draw,)
        Of the thresholds.

    Returns
    -------
    ndarray, (draw,), or None
        None if nothing correlates.
    """
    copula = joint_copula(layout, thresholds)
    if copula is None:
        return None
    values = {Number(OWNER, name): draws for name, draws in drawn.items()}
    return copula.log_density(values | {one: flat[:, place] for one, place in layout.numbers.items()})
