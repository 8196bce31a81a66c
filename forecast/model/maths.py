"""Tensor functions on trajectories: no files, no PyMC, no names.

Every function works on the last axis as time and the one before it as bloc,
so that the same graph serves one draw (bloc, time) and, vectorised, all
draws (draw, bloc, time).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node
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


def wandering(
    common: Any, own: Any, years: Tensor, as_of: Any, *, scale: Any, persistence: Any, bloc_share: Any
) -> Tensor:
    """Mean-reverting random path that is zero up to the as-of date.

    An AR(1) on the monthly grid, the exact discretisation of the
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
        Stationary standard deviation.
    persistence : tensor
        e-folding time, years.
    bloc_share : tensor or float
        Share of the variance that is each bloc's own.

    Returns
    -------
    tensor, (bloc, time)
        In the unit of `scale`.
    """
    share = pt.as_tensor_variable(bloc_share)
    innovations = pt.sqrt(1.0 - share) * common + pt.sqrt(share) * own
    since = pt.maximum(years - as_of, 0.0)
    kick = scale * pt.sqrt(-pt.expm1(-2.0 * future_steps(years, as_of) / persistence))
    age = since / persistence
    return pt.exp(-age) * pt.cumsum(innovations * kick * pt.exp(age), axis=-1)


def future_steps(years: Tensor, as_of: Any) -> Tensor:
    """Time from each month's predecessor, as far as it lies after the as-of date; (1, time)."""
    since = pt.maximum(years - as_of, 0.0)
    return pt.concatenate([pt.zeros_like(since[..., :1]), since[..., 1:] - since[..., :-1]], axis=-1)


def shock_path(
    common: Any, own: Any, years: Tensor, as_of: Any, *, scale: Any, persistence: Any, bloc_share: Any
) -> Tensor:
    """Integral over time of a :func:`wandering` growth rate.

    Parameters
    ----------
    common, own, years, as_of, persistence, bloc_share
        As in :func:`wandering`.
    scale : tensor
        Stationary standard deviation of the rate, OOM/year.

    Returns
    -------
    tensor, (bloc, time)
        OOM; zero up to the as-of date.
    """
    rate = wandering(common, own, years, as_of, scale=scale, persistence=persistence, bloc_share=bloc_share)
    return pt.cumsum(rate * future_steps(years, as_of), axis=-1)


class RunningMaximum(Op):  # type: ignore[misc]
    """Largest value so far along the last axis."""

    __props__ = ()

    def make_node(self, x: Any) -> Apply:
        """Apply to a tensor of any number of axes."""
        x = pt.as_tensor_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Compute with NumPy."""
        output_storage[0][0] = np.maximum.accumulate(inputs[0], axis=-1)


@_vectorize_node.register(RunningMaximum)  # type: ignore[untyped-decorator]
def _vectorize_running_maximum(op: RunningMaximum, node: Apply, x: Any) -> Apply:
    return op.make_node(x)


running_maximum = RunningMaximum()
