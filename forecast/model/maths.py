"""Tensor functions on trajectories: no files, no PyMC, no names.

Every function works on the last axis as time and the one before it as bloc,
so that the same graph serves one draw (bloc, time) and, vectorised, all
draws (draw, bloc, time).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

type Tensor = TensorVariable[Any, Any]
LN10 = float(np.log(10.0))


def softmin(first: Any, *others: Any, sharpness: float = 4.0) -> Tensor:
    """Soft minimum of log10 quantities: -(1/s) log10(sum of 10^(-s x)).

    Parameters
    ----------
    first, *others : tensor
        Broadcastable, in log10 of one unit.
    sharpness : float
        s; two equal inputs give log10(2)/s less than either.

    Returns
    -------
    tensor

    Notes
    -----
    Written pairwise as min - log1p(exp(-s ln10 |x - y|))/(s ln10), which is
    the same number without overflow.
    """
    scale = sharpness * LN10
    result = pt.as_tensor_variable(first)
    for other in others:
        gap = pt.abs(result - other)
        result = pt.minimum(result, other) - pt.log1p(pt.exp(-scale * gap)) / scale
    return result


def softmax(first: Any, *others: Any, sharpness: float = 4.0) -> Tensor:
    """Soft maximum of log10 quantities, the mirror image of :func:`softmin`."""
    return -softmin(-pt.as_tensor_variable(first), *(-other for other in others), sharpness=sharpness)


def cumulative(x: Any, years: Tensor) -> Tensor:
    """Integral of `x` over time from the grid's start, by the trapezoid rule.

    Parameters
    ----------
    x : tensor, (..., time)
        A rate per year.
    years : tensor, (1, time)

    Returns
    -------
    tensor
        Same shape as `x`, zero at the start.
    """
    steps = (x[..., 1:] + x[..., :-1]) * (0.5 * (years[..., 1:] - years[..., :-1]))
    return pt.concatenate([pt.zeros_like(x[..., :1]), pt.cumsum(steps, axis=-1)], axis=-1)


def integral(x: Any, years: Tensor, *, lifetime: Any = None, initial: Any = None) -> Tensor:
    """Solve dy/dt = x - y/lifetime with y = `initial` at the grid's start.

    Parameters
    ----------
    x : tensor, (..., bloc, time)
        A rate per year (linear units, not log10).
    years : tensor, (1, time)
    lifetime : tensor or float, optional
        Mean life in years; without it nothing is lost.
    initial : tensor, optional
        y at the start; zero by default.

    Returns
    -------
    tensor, (..., bloc, time)
    """
    if lifetime is None:
        total = cumulative(x, years)
        return total if initial is None else initial + total
    age = (years - years[..., :1]) / lifetime
    total = cumulative(x * pt.exp(age), years)
    return pt.exp(-age) * (total if initial is None else initial + total)


def lagged(x: Any, lag: Any, *, steps_per_year: float = 12.0) -> Tensor:
    """Value of `x` a `lag` earlier, by linear interpolation on the grid.

    Parameters
    ----------
    x : tensor, (bloc, time)
        With a static shape.
    lag : tensor
        Years, not negative; (), (bloc, 1) or (bloc, time).
    steps_per_year : float
        The grid is monthly; that months differ by two days is ignored here.

    Returns
    -------
    tensor, (bloc, time)
        Clamped to the grid: before its start the first value is used.
    """
    n_bloc, n_time = x.type.shape[-2:]
    here = np.arange(n_time, dtype=float)[None, :] + np.zeros((n_bloc, 1))
    position = pt.clip(here - lag * steps_per_year, 0.0, n_time - 1.0)
    left = pt.cast(pt.minimum(pt.floor(position), n_time - 2.0), "int64")
    fraction = position - left
    flat = x.reshape((n_bloc * n_time,))
    place = left + n_time * np.arange(n_bloc)[:, None]
    return flat[place] * (1.0 - fraction) + flat[place + 1] * fraction


def shock_path(
    common: Any, own: Any, years: Tensor, as_of: Any, *, scale: Any, persistence: Any, bloc_share: Any
) -> Tensor:
    """Integral of a mean-reverting random growth rate that is zero up to the as-of date.

    The rate r follows an AR(1) on the monthly grid, the discretised
    Ornstein-Uhlenbeck process dr = -r/persistence dt + scale sqrt(2/persistence) dW.

    Parameters
    ----------
    common : tensor, (1, time)
        Standard normal innovations that all blocs share.
    own : tensor, (bloc, time)
        Standard normal innovations of each bloc.
    years : tensor, (1, time)
    as_of : tensor, ()
        In the same years.
    scale : tensor
        Stationary standard deviation of the rate, OOM/year.
    persistence : tensor
        e-folding time of the rate, years.
    bloc_share : tensor or float
        Share of the variance that is each bloc's own.

    Returns
    -------
    tensor, (bloc, time)
        OOM.
    """
    share = pt.as_tensor_variable(bloc_share)
    innovations = pt.sqrt(1.0 - share) * common + pt.sqrt(share) * own
    step = pt.concatenate([pt.zeros_like(years[..., :1]), years[..., 1:] - years[..., :-1]], axis=-1)
    future = pt.gt(years, as_of)
    age = pt.maximum(years - as_of, 0.0) / persistence
    kick = pt.switch(future, scale * pt.sqrt(-pt.expm1(-2.0 * step / persistence)), 0.0)
    rate = pt.exp(-age) * pt.cumsum(innovations * kick * pt.exp(age), axis=-1)
    return pt.cumsum(rate * step, axis=-1)
