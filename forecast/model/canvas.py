"""The grid, the numbers and the operations that terms are written with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import ArrayLike, NDArray
from pytensor.graph.basic import Constant

from forecast.dates import decimal_year
from forecast.model import maths
from forecast.model.graph import Graph, Spec
from forecast.model.grid import EPOCH, Grid
from forecast.model.maths import Tensor
from forecast.model.observations import Observations


class Data:
    """Columns of an evidence table as tensors, by attribute or by key."""

    def __init__(self, canvas: Canvas, label: str, observations: Observations) -> None:
        self._canvas, self.label = canvas, label
        self.observations = observations

    def __len__(self) -> int:
        return len(self.observations)

    def __getitem__(self, column: str) -> Tensor:
        columns = self.observations.columns
        if column not in columns:
            raise KeyError(f"no column {column!r}; there are {', '.join(sorted(columns))}")
        return self._canvas._numbers(f"{self.label}.{column}", columns[column])

    def __getattr__(self, column: str) -> Tensor:
        if column.startswith("_"):
            raise AttributeError(column)
        try:
            return self[column]
        except KeyError as error:
            raise AttributeError(str(error)) from None


class Canvas:
    """Operations on trajectories of one grid.

    Parameters
    ----------
    spec : Spec
    grid : Grid

    Attributes
    ----------
    years : tensor, (1, time)
        Years since 2024-01-01 at month starts.
    as_of : tensor, ()
        The as-of date in the same years.
    """

    def __init__(self, spec: Spec, grid: Grid) -> None:
        self.spec, self.grid = spec, grid
        self.graph = Graph(spec=spec, months=grid.months, decimal=grid.decimal)
        self._dates = 0
        # Its numbers follow from its length, so they belong to the structure, and what terms compute of them
        # alone is computed once.
        self.years: Tensor = pt.constant(grid.years[None, :], name="years")
        self.as_of: Tensor = self._numbers("as_of", np.asarray(decimal_year(spec.as_of) - EPOCH))

    @property
    def blocs(self) -> tuple[str, ...]:
        """Names along the bloc axis."""
        return self.spec.blocs

    @property
    def as_of_date(self) -> date:
        """The as-of date as a date; arithmetic with it belongs in ``at_date`` and ``since_2024``."""
        return self.spec.as_of

    def since_2024(self, day: date) -> Tensor:
        """A date in the years of ``m.years``, as data; ()."""
        self._dates += 1
        return self._numbers(f"date.{self._dates}", np.asarray(decimal_year(day) - EPOCH))

    @property
    def after(self) -> Tensor:
        """Years since the as-of date, zero before it; (1, time)."""
        return pt.maximum(self.years - self.as_of, 0.0)

    @property
    def before(self) -> Tensor:
        """``m.years``, held at the as-of date after it; (1, time)."""
        return pt.minimum(self.years, self.as_of)

    def lagged(self, x: Tensor, lag: Any) -> Tensor:
        """`x` a `lag` (years, not negative) earlier, clamped to the grid; (bloc, time)."""
        return maths.lagged(self._on_blocs(x), lag)

    def integral(self, x: Tensor, *, lifetime: Any = None, initial: Any = None) -> Tensor:
        """Solution of dy/dt = x - y/lifetime from the grid's start; linear units."""
        return maths.integral(x, self.years, lifetime=lifetime, initial=initial)

    def softmin(self, first: Tensor, *others: Tensor, sharpness: float = 4.0) -> Tensor:
        """Soft minimum of log10 quantities."""
        return maths.softmin(first, *others, sharpness=sharpness)

    def softmax(self, first: Tensor, *others: Tensor, sharpness: float = 4.0) -> Tensor:
        """Soft maximum of log10 quantities."""
        return maths.softmax(first, *others, sharpness=sharpness)

    def max_over_blocs(self, x: Tensor) -> Tensor:
        """The leader's value; (1, time)."""
        return pt.max(x, axis=-2, keepdims=True)

    def at_date(self, x: Tensor, day: date | float) -> Tensor:
        """`x` at one date (clamped to the grid), keeping the last axis; (bloc, 1).

        A date up to the as-of date is read from months up to the as-of date
        alone (continued in a straight line for the last days), so that no
        shock or intervention reaches it.

        Parameters
        ----------
        x : tensor, (bloc, time)
        day : datetime.date or float
            A date, or years since 2024-01-01.
        """
        when = decimal_year(day) if isinstance(day, date) else day + EPOCH
        when = float(np.clip(when, self.grid.decimal[0], self.grid.decimal[-1]))
        left, fraction = self.grid.locate(np.array([when]))
        as_of = decimal_year(self.spec.as_of)
        if when <= as_of and left[0] > 0 and self.grid.decimal[left[0] + 1] > as_of:
            left = left - 1
            months = self.grid.decimal[left[0]], self.grid.decimal[left[0] + 1]
            fraction = np.array([(when - months[0]) / (months[1] - months[0])])
        # A number a call, not a date: another as-of date must give the same structure.
        self._dates += 1
        place = self._numbers(f"date.{self._dates}.left", left, fixed=True)
        part = self._numbers(f"date.{self._dates}.fraction", fraction, fixed=True)
        return x[..., place] * (1.0 - part) + x[..., place + 1] * part

    def at(self, x: Tensor, data: Data) -> Tensor:
        """Value of `x` at each row's bloc and date, interpolated; (row,)."""
        left, fraction = self._place(data, "at", data.observations.columns["date"])
        return _interpolated(self._on_blocs(x), left, fraction)

    def mean_over(self, x: Tensor | Mapping[str, Tensor], data: Data) -> Tensor:
        """log10 of the mean flow over each row's period, which ends at its date; (row,).

        Parameters
        ----------
        x : tensor, (bloc, time), or mapping of str to tensor
            The flow (linear units). With a mapping, the row's text column
            ``series`` (given to ``context.observations``) says which.
        data : Data
        """
        columns = data.observations.columns
        if np.any(columns["period"] <= 0):
            raise ValueError("mean_over needs a positive period_months in every row")
        if isinstance(x, Mapping):
            flows = pt.concatenate([self._on_blocs(flow) for flow in x.values()], axis=0)
            names, tag = list(x), f".{'.'.join(x)}"
            which = np.array([names.index(name) for name in data.observations.series], dtype=np.int64)
            offset = len(self.blocs) * which
        else:
            flows, tag = self._on_blocs(x), ""
            offset = np.zeros(len(data), dtype=np.int64)
        total = maths.cumulative(flows, self.years)
        ends, starts = columns["date"] + 1 / 365, columns["date"] + 1 / 365 - columns["period"]
        ends = np.minimum(ends, self.grid.decimal[-1])
        end = _interpolated(total, *self._place(data, f"end{tag}", ends, offset))
        start = _interpolated(total, *self._place(data, f"start{tag}", starts, offset))
        width = self._numbers(f"{data.label}.width", ends - starts)
        return pt.log10((end - start) / width)

    def per_bloc(self, x: Tensor, data: Data) -> Tensor:
        """A per-bloc number for each row: x of shape (bloc, 1) to (row,)."""
        bloc = self._numbers(f"{data.label}.bloc", self._bloc(data))
        return self._on_blocs(x, time=False)[bloc, 0]

    def _numbers(self, name: str, values: ArrayLike, *, fixed: bool = False) -> Tensor:
        """Numbers as a named input of the graph; `fixed`: the shape belongs to the structure."""
        array = np.asarray(values)
        if array.dtype.kind in "bui":
            array = array.astype("int32")  # as pm.Data stores integers
        if name not in self.graph.data:
            symbol = pt.tensor(
                name=name, dtype=str(array.dtype), shape=array.shape if fixed else (None,) * array.ndim
            )
            self.graph.data[name] = (symbol, array)
        return self.graph.data[name][0]

    def _on_blocs(self, x: Any, *, time: bool = True) -> Tensor:
        """`x` with a full bloc axis (and time axis)."""
        tensor = pt.as_tensor_variable(x)
        if isinstance(tensor, Constant):  # stays one
            shape = (len(self.blocs), len(self.grid.years) if time else 1)
            return pt.constant(np.array(np.broadcast_to(np.atleast_2d(tensor.data), shape), dtype=float))
        if tensor.ndim < 2:
            tensor = pt.reshape(tensor, (1, 1)) if tensor.ndim == 0 else tensor[None, :]
        if tensor.type.shape[0] != len(self.blocs):
            tensor = tensor + pt.zeros((len(self.blocs), 1))
        if time and tensor.type.shape[1] == 1:
            tensor = tensor + pt.zeros_like(self.years)
        return tensor

    def _mask(self, blocs: NDArray[np.bool_]) -> Tensor:
        return pt.as_tensor_variable(blocs.astype(float)[:, None])

    def _bloc(self, data: Data) -> NDArray[np.int64]:
        if np.any(data.observations.bloc < 0):
            row = data.observations.rows[int(np.argmax(data.observations.bloc < 0))]
            raise ValueError(f"row {row.name!r} is about {row.bloc!r}, which is no bloc of the model")
        return data.observations.bloc

    def _place(
        self, data: Data, what: str, dates: NDArray[np.float64], offset: NDArray[np.int64] | int = 0
    ) -> tuple[Tensor, Tensor]:
        """Rows' places in a flattened (bloc, time) array, and their fractions towards the next month."""
        left, fraction = self.grid.locate(dates)
        place = (self._bloc(data) + offset) * len(self.grid.years) + left
        return (
            self._numbers(f"{data.label}.{what}.left", place),
            self._numbers(f"{data.label}.{what}.fraction", fraction),
        )


def _interpolated(x: Tensor, left: Tensor, fraction: Tensor) -> Tensor:
    """Return `x` of (bloc, time) at places of its flattened form; (row,)."""
    flat = x.reshape((x.type.shape[0] * x.type.shape[1],))
    return flat[left] * (1.0 - fraction) + flat[left + 1] * fraction
