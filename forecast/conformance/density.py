"""A company's compiled log density, and the names of the numbers that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.conformance.report import NotApplicable
from forecast.conformance.setting import Setting
from forecast.errors import ForecastError
from forecast.inference import native
from forecast.inference.compiling import Entry
from forecast.model import Graph, Layout, model_data

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Density:
    """A compiled log density with its numbers.

    Attributes
    ----------
    entry : Entry
    table, kept
        The numbers as compiled code takes them.
    """

    entry: Entry
    table: NDArray[np.int64]
    kept: list[NDArray[Any]]

    @classmethod
    def of(cls, entry: Entry, graph: Graph, layout: Layout) -> Density:
        """Return the density of a graph's rows and a layout's priors."""
        return cls(entry, *native.fill(entry.slots, model_data(graph, layout)))

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Return log density and gradient at an unconstrained point, (number,)."""
        return native.evaluate(self.entry.logp.address, np.ascontiguousarray(x), self.table)


def compiled(setting: Setting) -> Entry:
    """Return the company's compiled model; compiles it at first use.

    Raises
    ------
    NotApplicable
        No row depends on any uncertain number: there is nothing to fit.
    """
    built = setting.main
    if not built.inferred.is_random or not any(len(one.observed) for one in built.history.likelihoods):
        raise NotApplicable(
            "no row depends on an uncertain number of the driver or of those that it needs: nothing to fit"
        )
    if not setting.compiler.is_ready(built.history, built.inferred):
        setting.say("compiling the model of the driver and those that it needs (kept afterwards)")
    code = setting.compiler.compiled(built.history, built.inferred).code
    if not isinstance(code, Entry):
        raise ForecastError(
            "the compiled model could not be kept (see the warning), so it cannot be evaluated"
        )
    return code


def own_numbers(setting: Setting, driver: str) -> list[int]:
    """Places, among the unconstrained numbers, of those of a driver that some row depends on."""
    layout = setting.main.inferred
    order = [*layout.affine, *layout.other]
    return [place for place, number in enumerate(order) if layout.entries[number].key[0] == driver]


def name_of(setting: Setting, place: int) -> str:
    """Write the name of an unconstrained number: parameter, and bloc or epoch where it has one."""
    layout = setting.main.inferred
    entry = layout.entries[[*layout.affine, *layout.other][place]]
    resolved = layout.parameters[entry.key]
    parts = [layout.blocs[entry.bloc]] if resolved.shape == "bloc" or resolved.blocs else []
    parts += [resolved.epochs[entry.epoch][0]] if resolved.shape == "epoch" else []
    return str(entry.key[1]) + (f" ({', '.join(parts)})" if parts else "")
