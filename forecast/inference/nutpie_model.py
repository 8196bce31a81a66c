"""A compiled model and its numbers, as nutpie samples them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from numpy.typing import NDArray
from nutpie import _lib
from nutpie.sample import CompiledModel

from forecast.inference.compiling import Entry, Numbers, jittered
from forecast.inference.native import evaluate, fill


@dataclass(frozen=True, kw_only=True)
class NativeModel(CompiledModel):  # type: ignore[misc]
    """Give nutpie the C functions of an entry and a table of numbers.

    Attributes
    ----------
    entry : Entry
    table : ndarray of int64
    kept : list of ndarray
        What the table points to.
    start : ndarray
        Chains start within one of it.
    exact : bool
        They start at it.
    """

    entry: Entry
    table: NDArray[np.int64]
    kept: list[NDArray[Any]]
    start: NDArray[np.float64]
    exact: bool = False

    @classmethod
    def of(
        cls, entry: Entry, numbers: Numbers, start: NDArray[np.float64], *, exact: bool = False
    ) -> NativeModel:
        """Return the model of an entry with these numbers."""
        table, kept = fill(entry.slots, numbers)
        return cls(
            dims={},
            reparameterized_names=entry.transformed,
            entry=entry,
            table=table,
            kept=kept,
            start=start,
            exact=exact,
        )

    @property
    def n_dim(self) -> int:
        """Unconstrained numbers a draw has."""
        return self.entry.n

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the stored variables."""
        return dict(zip(self.entry.names, self.entry.shapes, strict=True))

    @property
    def coords(self) -> dict[str, pd.Index[Any]]:
        """Names that nutpie gives to the unconstrained numbers in its statistics."""
        return {"unconstrained_parameter": pd.Index([f"x{i}" for i in range(self.n_dim)])}

    def _make_sampler(
        self,
        settings: Any,
        init_mean: Any,
        cores: int,
        progress: Any,
        callback: Any,
        callback_rate: int,
        store: Any,
    ) -> Any:
        model = self._make_model(init_mean)
        return _lib.PySampler.from_pymc(settings, cores, model, progress, callback, callback_rate, store)

    def _make_model(self, init_mean: Any) -> Any:
        entry, data = self.entry, self.table.ctypes.data
        # nutpie keeps `self`, and with it the table and the arrays, as long as it samples.
        logp = _lib.LogpFunc(entry.logp.address, data, self)
        expand = _lib.ExpandFunc(entry.n, entry.expanded, entry.expand.address, data, self)
        coords = self.coords
        sizes = {name: len(values) for name, values in coords.items()}
        types = ["float64"] * len(entry.names)
        begin = (lambda seed=None: self.start.copy()) if self.exact else jittered(self.start, self._density)
        variables = _lib.PyVariable.new_variables(entry.names, types, entry.shapes, sizes, {})
        return _lib.PyMcModel(logp, expand, variables, entry.n, sizes, coords, begin, _no_adapter)

    def _density(self, point: NDArray[np.float64]) -> float:
        return evaluate(self.entry.logp.address, point, self.table)[0]


def _no_adapter(*_: Any, **__: Any) -> Any:
    raise NotImplementedError("transform adaptation")
