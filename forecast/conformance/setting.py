"""A driver is checked together with its company: the drivers that it cannot do without.

A `Setting` holds one company and whatever is costly about it: graphs, their
evaluators, the compiled log density, simulated data. Checks of several drivers
of one company share it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forecast.conformance.picture import Picture, picture
from forecast.driver import Driver
from forecast.engine import _COMPILER
from forecast.evidence import EvidenceTable
from forecast.host import Host, load_host
from forecast.inference import Compiler
from forecast.model import Key, Layout, Spec, build_graph
from forecast.projection import (
    Evaluator,
    Shocks,
    future_graph,
    measurement_tensors,
    quantity_evaluator,
    quantity_tensors,
)
from forecast.spec import history_end, make_spec
from forecast.worldview import Bloc, Override, ParameterPriors, Prior, Worldview, load_worldview
from forecast.worldview.worldview import Slot

Floats = NDArray[np.float64]

SEED = 20261101
FEW = 3
"""Prior draws where the question is whether two models are the same."""


@dataclasses.dataclass(frozen=True)
class Variation:
    """What is the same driver's business to cope with: other blocs, dates, numbers and rows.

    Attributes
    ----------
    blocs : tuple of str
    as_of : datetime.date
    factor : float
        By which every number of every prior is multiplied.
    rows : {"all", "half", "changed"}
        Every second row of each table, or all of them with other values.
    """

    blocs: tuple[str, ...]
    as_of: date
    factor: float = 1.0
    rows: Literal["all", "half", "changed"] = "all"


class Built:
    """The graphs of one variation and values of their prior draws.

    Attributes
    ----------
    spec : Spec
    history, future : Graph
    layout : Layout
        Of all parameters that either graph reads.
    inferred : Layout
        Of those that some row depends on.
    """

    def __init__(self, spec: Spec, horizon: date, seed: int) -> None:
        self.spec, self.seed = spec, seed
        self._values: dict[tuple[str, int], dict[str, Floats]] = {}
        self.history = build_graph(spec, history_end(spec))
        self.future = future_graph(spec, horizon)
        self.layout = self._layout([*self.future.parameters, *self.history.parameters])
        # In the order of a run's: another order would be another structure, and compiled anew.
        self.inferred = self._layout([key for key in self.history.parameters if key in self.history.inferred])

    def _layout(self, keys: Sequence[Key]) -> Layout:
        return Layout({key: self.spec.parameters[key] for key in keys}, self.spec.blocs)

    def draws(self, size: int) -> dict[Key, Floats]:
        """Prior draws of every parameter, as the graphs take them."""
        return self.layout.shaped(self.layout.draw(self.seed, size))

    @cached_property
    def _future(self) -> Evaluator:
        return quantity_evaluator(self.future)

    @cached_property
    def _history(self) -> Evaluator:
        return Evaluator(self.history, quantity_tensors(self.history) | measurement_tensors(self.history))

    def future_values(self, size: int) -> dict[str, Floats]:
        """Quantities (draw, bloc, time) to the horizon, shocks included; channels as ``quantity/channel``."""
        if ("future", size) not in self._values:
            drawn = self.draws(size)
            given = {key: drawn[key] for key in self.future.parameters}
            shocks = Shocks(self.future, self.seed).next(size)
            self._values["future", size] = self._future(given, shocks, size=size)
        return self._values["future", size]

    def history_values(self, size: int) -> dict[str, Floats]:
        """Quantities (draw, bloc, time), and arguments of measurement models (draw, row) by place|name."""
        if ("history", size) not in self._values:
            self._values["history", size] = self.history_at(self.draws(size), size)
        return self._values["history", size]

    def history_at(self, drawn: Mapping[Key, Floats], size: int) -> dict[str, Floats]:
        """What :meth:`history_values` gives, at other draws."""
        return self._history({key: drawn[key] for key in self.history.parameters}, size=size)


class Setting:
    """One company of drivers, and what is known of it.

    Parameters
    ----------
    drivers : sequence of Driver
    seed : int
        Of every draw: the same seed gives the same report.
    compiler : Compiler, optional
        This process's own by default: what a run compiled is not compiled again.
    say : callable, optional
        Called with a few words before something slow.
    before : mapping, optional
        Pictures of drivers by id, from before they were built for the first time; taken now by default.
    """

    def __init__(
        self,
        drivers: Sequence[Driver],
        *,
        seed: int = SEED,
        compiler: Compiler | None = None,
        say: Callable[[str], None] | None = None,
        before: Mapping[int, Picture] | None = None,
    ) -> None:
        self.drivers = tuple(drivers)
        self.seed = seed
        self.compiler = compiler or _COMPILER
        self.say = say or (lambda _: None)
        self.before = {id(driver): picture(driver) for driver in drivers} | dict(before or {})
        self._built: dict[Variation, Built] = {}
        self._kept: dict[str, Any] = {}

    @cached_property
    def host(self) -> Host:
        """The company as a host, vetted."""
        return load_host(drivers=self.drivers, entry_points=False)

    @cached_property
    def variation(self) -> Variation:
        """Blocs and as-of date that drivers are checked with.

        Those of the default worldview, and further blocs that a driver names;
        a later day where some table in use has no row before.
        """
        tables = [table for table in self.host.evidence().values() if table.spec.used and table.rows]
        first = [min(row.published for row in table.rows) for table in tables]
        return Variation(self.blocs(), max([default_worldview().as_of, *first]))

    @property
    def main(self) -> Built:
        """The graphs that most checks look at."""
        return self.build(self.variation)

    def build(self, variation: Variation) -> Built:
        """Build the graphs of a variation, once."""
        if variation not in self._built:
            self._built[variation] = self.build_anew(variation)
        return self._built[variation]

    def build_anew(self, variation: Variation) -> Built:
        """Build the graphs of a variation, whatever has been built before."""
        worldview = self.worldview(variation)
        spec = make_spec(worldview, self.host)
        rows = {key: _varied(table, variation.rows) for key, table in spec.evidence.items()}
        return Built(dataclasses.replace(spec, evidence=rows), worldview.horizon, self.seed)

    def kept[T](self, name: str, make: Callable[[], T]) -> T:
        """Return what a check left here under a name, made at its first use."""
        if name not in self._kept:
            self._kept[name] = make()
        value: T = self._kept[name]
        return value

    def blocs(self, number: int | None = None) -> tuple[str, ...]:
        """Names of so many blocs: the default worldview's, those that drivers name, then invented ones."""
        named = [bloc for blocs in self._mentioned.values() for bloc in blocs]
        known = list(dict.fromkeys([*default_worldview().bloc_names, *named]))
        known += [f"bloc_{place}" for place in range(len(known) + 1, (number or 0) + 1)]
        return tuple(known if number is None else known[:number])

    @property
    def earlier(self) -> date:
        """A day by which half of the rows had been published; a year before the as-of date without rows."""
        as_of = self.variation.as_of
        known = [row.published for table in self.main.spec.evidence.values() for row in table.rows]
        return sorted(known)[len(known) // 2] if known else as_of - timedelta(days=365)

    @cached_property
    def _mentioned(self) -> dict[str, list[str]]:
        """Blocs for which each driver has a prior by name."""
        found: dict[str, list[str]] = {}
        for one in self.host.defaults():
            found.setdefault(one.driver, []).extend([*one.by_bloc, *(one.restricted_to() or ())])
        return found

    def worldview(self, variation: Variation) -> Worldview:
        """Return a worldview with a variation's blocs, dates and numbers, and the drivers' own priors."""
        priors: dict[str, dict[str, Override]] = {}
        for one in self.host.defaults():
            found = self._filled(one, variation.blocs)
            if variation.factor != 1.0:
                every = _slots(one) | found
                found = {slot: _scaled(prior, variation.factor) for slot, prior in every.items()}
            if found:
                priors.setdefault(one.driver, {})[one.name] = Override(priors=found)
        return dataclasses.replace(
            default_worldview(),
            as_of=variation.as_of,
            blocs=tuple(Bloc(name, name) for name in variation.blocs),
            disabled=(),
            driver_priors=priors,
            lead=None,
            intervene=(),
            correlations=(),
        )

    def _filled(self, one: ParameterPriors, blocs: Sequence[str]) -> dict[Slot, Prior]:
        """A parameter that has priors by bloc alone: a bloc that nobody meant gets the prior of the first."""
        if one.general is not None or one.by_epoch or not one.by_bloc:
            return {}
        meant = {*one.by_bloc, *default_worldview().bloc_names, *self._mentioned[one.driver]}
        first = next(iter(one.by_bloc.values()))
        return {("by_bloc", bloc): first for bloc in blocs if bloc not in meant}


@cache
def default_worldview() -> Worldview:
    """The worldview whose dates, blocs and horizon drivers are checked with."""
    return load_worldview("default")


def _slots(one: ParameterPriors) -> dict[Slot, Prior]:
    found: dict[Slot, Prior] = {("", ""): one.general} if one.general is not None else {}
    found |= {("by_bloc", bloc): prior for bloc, prior in one.by_bloc.items()}
    return found | {("by_epoch", label): prior for label, prior in one.by_epoch.items()}


def _scaled(prior: Prior, factor: float) -> Prior:
    return dataclasses.replace(
        prior,
        params={name: value * factor for name, value in prior.params.items()},
        components=tuple((weight, _scaled(part, factor)) for weight, part in prior.components),
        quantiles={},
    )


def _varied(table: EvidenceTable, rows: str) -> EvidenceTable:
    if rows == "half":
        return table.with_rows(table.rows[::2])
    if rows == "changed":
        return table.with_rows(
            dataclasses.replace(row, value=row.value * 1.02, low=row.low * 1.02, high=row.high * 1.02)
            for row in table.rows
        )
    return table
