"""Tensor functions on trajectories: no files, no PyMC, no names.

Every function works on the last axis as time and the one before it as bloc,
so that the same graph serves one draw (bloc, time) and, vectorised, all
draws (draw, bloc, time).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node
from pytensor.tensor.variable import TensorVariable

type Tensor = TensorVariable[Any, Any]
LN10 = float(np.log(10.0))


def without_traces() -> AbstractContextManager[None]:
    """Let tensors forget which lines made them: PyTensor reads source files for each, a third of building."""
    changed: AbstractContextManager[None] = pytensor.config.change_flags(traceback__limit=0)
    return changed


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


def on_rows(
    which: NDArray[np.bool_], inside: Callable[[slice], Any], outside: Callable[[slice], Any]
) -> Tensor:
    """Build a trajectory from runs of blocs, so that nothing is computed for a bloc that goes without.

    Parameters
    ----------
    which : ndarray of bool, (bloc,)
    inside, outside : callable
        From a slice of blocs to their rows, (..., bloc, time): where `which`,
        and elsewhere.

    Returns
    -------
    tensor, (..., bloc, time)
    """
    edges = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(which)]
    parts = [(inside if which[start] else outside)(slice(start, end)) for start, end in pairwise(edges)]
    joined: Tensor = parts[0] if len(parts) == 1 else pt.concatenate(parts, axis=-2)
    return joined


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


class Numpy(Op):  # type: ignore[misc]
    """A NumPy function of trajectories, for projections: it has no gradient and is not compiled.

    Parameters
    ----------
    function : callable
        Takes arrays that broadcast against one another, any draw axis first,
        then as many axes as the input with the most has; returns one array of
        their common shape. Compared by identity: a function of a module, not
        one made anew.
    ndims : tuple of int
        Axes of each input, without a draw axis.
    """

    __props__ = ("function", "ndims")

    def __init__(self, function: Callable[..., Any], ndims: tuple[int, ...]) -> None:
        self.function, self.ndims = function, ndims

    def make_node(self, *inputs: Any) -> Apply:
        """Apply to tensors, with or without a draw axis before their own."""
        tensors = [pt.as_tensor_variable(one) for one in inputs]
        batch = max(one.ndim - own for one, own in zip(tensors, self.ndims, strict=True))
        shape = [None] * batch + _common_shape(tensors, self.ndims)
        return Apply(self, tensors, [pt.tensor(dtype="float64", shape=tuple(shape))])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        """Align the axes and compute."""
        most = max(self.ndims)
        aligned = []
        for one, own in zip(inputs, self.ndims, strict=True):
            drawn, shape = one.shape[: one.ndim - own], one.shape[one.ndim - own :]
            aligned.append(np.reshape(one, (*drawn, *(1,) * (most - own), *shape)))
        output_storage[0][0] = np.asarray(self.function(*aligned), dtype=float)


def _common_shape(tensors: list[Tensor], ndims: tuple[int, ...]) -> list[int | None]:
    """Static shape of the inputs' own axes after broadcasting."""
    most = max(ndims)
    shape: list[int | None] = [1] * most
    for one, own in zip(tensors, ndims, strict=True):
        for place, size in enumerate(one.type.shape[one.ndim - own :], start=most - own):
            if size != 1:
                shape[place] = size if shape[place] == 1 else shape[place]
    return shape


@_vectorize_node.register(Numpy)  # type: ignore[untyped-decorator]
def _vectorize_numpy(op: Numpy, node: Apply, *inputs: Any) -> Apply:
    return op.make_node(*inputs)


def numpy_function(function: Callable[..., Any], *inputs: Any) -> Tensor:
    """Apply a NumPy function to tensors; see :class:`Numpy`."""
    tensors = [pt.as_tensor_variable(one) for one in inputs]
    result: Tensor = Numpy(function, tuple(one.ndim for one in tensors))(*tensors)
    return result


def running_maximum(x: Tensor) -> Tensor:
    """Largest value so far along the last axis."""
    return numpy_function(_accumulated_maximum, x)


def _accumulated_maximum(x: Any) -> Any:
    return np.maximum.accumulate(x, axis=-1)


def switching_path(uniforms: Any, years: Tensor, as_of: Any, hazards: Any, start: int) -> Tensor:
    """Path of a continuous-time Markov chain on the grid, in its start state up to the as-of date.

    Parameters
    ----------
    uniforms : tensor, (1, time)
        Uniform numbers between 0 and 1, one a month.
    years : tensor, (1, time)
    as_of : tensor, ()
        In the same years.
    hazards : tensor, (state, state)
        Rate per year at which one state (row) turns into another (column); the
        diagonal is not read.
    start : int
        State at the as-of date.

    Returns
    -------
    tensor, (1, time)
        Index of the state, as a float.

    Notes
    -----
    Within a month a state is left with probability 1 - exp(-total hazard x
    length), to a state chosen in proportion to its hazard: exact but for a
    second switch in one month.
    """
    n = hazards.type.shape[-1]
    rates = [[hazards[..., i, j] for j in range(n) if j != i] for i in range(n)]
    flat = [pt.reshape(rate, (1, 1)) for row in rates for rate in row]
    return numpy_function(_SWITCHES[n, start], uniforms, future_steps(years, as_of), *flat)


class _Switches(dict[tuple[int, int], Callable[..., Any]]):
    """One function for each number of states and start, so that equal graphs have equal nodes."""

    def __missing__(self, key: tuple[int, int]) -> Callable[..., Any]:
        n, start = key

        def path(uniforms: Any, steps: Any, *rates: Any) -> Any:
            shape = np.broadcast_shapes(*(np.shape(one) for one in (uniforms, steps, *rates)))
            uniforms, months = np.broadcast_to(uniforms, shape), shape[-1]
            # Where each month's uniform number leads from each state, for all months at once.
            leads = np.empty((months, math.prod(shape[:-1]), n), dtype=np.intp)
            for i in range(n):
                row = rates[i * (n - 1) : (i + 1) * (n - 1)]
                total = sum(row)
                leaves, reached = -np.expm1(-total * steps), 0.0
                following = np.full(shape, i)
                for j, rate in zip([j for j in range(n) if j != i], row, strict=True):
                    share = leaves * np.divide(rate, total, out=np.zeros(total.shape), where=total > 0)
                    following[(uniforms >= reached) & (uniforms < reached + share)] = j
                    reached = reached + share
                leads[..., i] = following.reshape(-1, months).T
            path, each = np.empty(leads.shape[:2]), np.arange(leads.shape[1])
            state = np.full(leads.shape[1], start)
            for month, lead in enumerate(leads):
                path[month] = state = lead[each, state]
            return path.T.reshape(shape)

        self[key] = path
        return path


_SWITCHES = _Switches()
