"""Draws of a layout's numbers as points on the sampler's scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.inference.compiling import sampler_scale
from forecast.model import Layout

Floats = NDArray[np.float64]


def unconstrained(names: Sequence[str], layout: Layout, flat: Floats) -> Floats:
    """Turn draws of a layout's numbers into points on the sampler's scale.

    Parameters
    ----------
    names : sequence of str
        PyMC's names of the free variables, in their order; more may follow.
    layout : Layout
    flat : ndarray, (draw, number)

    Returns
    -------
    ndarray, (draw, unconstrained number)
        First the independent standard normals behind the affine numbers, then
        the others, each moved by the transform that PyMC's name of its
        variable tells.
    """
    loc, scale, exponent = layout.hyperparameters()
    affine = flat[:, layout.affine]
    moved = np.where(exponent, np.log(np.where(exponent, affine, 1.0)), affine)
    standard = (moved - loc) / scale
    if layout.mix is not None:
        standard = np.linalg.solve(layout.mix, standard.T).T
    first = 1 if len(layout.affine) else 0
    others = [
        sampler_scale(flat[:, number], layout.entries[number].prior.support(), name)
        for number, name in zip(layout.other, names[first : first + len(layout.other)], strict=True)
    ]
    return np.column_stack([standard, *others])
