"""A driver can be left out: what does not need it stays as it was."""

from __future__ import annotations

from pytensor.graph.traversal import ancestors

from forecast.conformance.computations import differing, measurements, trajectories
from forecast.conformance.report import Failed, NotApplicable, count, fail_if
from forecast.conformance.setting import Built, Setting
from forecast.conformance.subject import Subject
from forecast.discovery import describe
from forecast.errors import ForecastError, PluginError
from forecast.model import Graph, Key
from forecast.model.maths import Tensor


def removal(subject: Subject) -> str:
    """Without the driver, terms of drivers that do not require it are what they were.

    Everything that is installed is built with the driver and without it (and
    without those that cannot do without it, which are named). Trajectories
    that are not downstream of a quantity that a removed driver provides, adds
    to or limits, and measurement models that read none of these, are computed
    by the same operations from the same numbers; and their terms read the same
    quantities and parameters.
    """
    everyone = subject.everyone
    if len(everyone.drivers) == 1:
        raise NotApplicable("there is no other driver")
    full = everyone.main
    requiring, reduced = _without(everyone, subject)
    if reduced is None:
        return f"every other driver requires it: {', '.join(requiring)}"
    removed = {subject.driver.name, *requiring}
    problems: list[str] = []
    kept: set[str] = set()
    rows: set[str] = set()
    for with_it, without_it in ((full.history, reduced.history), (full.future, reduced.future)):
        downstream = _downstream(with_it, removed)
        before = {name: x for name, x in trajectories(with_it).items() if name not in downstream}
        models = _models(with_it, downstream, removed)
        kept |= before.keys()
        rows |= models.keys()
        problems += [
            f"{name} (of {with_it.quantities[name].owner}) is another without the driver, though it does not "
            "depend on it: some term changes more than what it returns"
            for name in differing(with_it, before, without_it, trajectories(without_it))
        ]
        problems += [
            f"the measurement model {name} is another without the driver, though it does not read it"
            for name in differing(with_it, models, without_it, measurements(without_it))
        ]
        problems += _read_otherwise(with_it, without_it, downstream)
    fail_if(problems)
    needed = f"required by {', '.join(requiring)}" if requiring else "no other driver requires it"
    return (
        f"{needed}; without it {count(len(kept), 'trajectory', 'trajectories')} and "
        f"{count(len(rows), 'measurement model')} of the other drivers are what they were"
    )


def _without(everyone: Setting, subject: Subject) -> tuple[list[str], Built | None]:
    """Names of the drivers that require the one under test, and the model without it and them."""
    left = [driver for driver in everyone.drivers if driver is not subject.driver]
    requiring: list[str] = []
    while left:
        try:
            return requiring, Setting(left, compiler=everyone.compiler).build(everyone.variation)
        except PluginError as error:
            if error.__cause__ is not None or error.driver not in {driver.name for driver in left}:
                raise Failed(f"without the driver the model cannot be built: {describe(error)}") from None
            requiring.append(str(error.driver))
            left = [driver for driver in left if driver.name != error.driver]
        except ForecastError as error:
            raise Failed(f"without the driver the model cannot be built: {describe(error)}") from None
    return requiring, None


def _downstream(graph: Graph, removed: set[str]) -> set[str]:
    """Quantities that a removed driver's terms reach, directly or through others."""
    terms = [one for one in graph.built if one.observations is None]
    found = {one.term.target for one in terms if one.term.driver in removed}
    while more := {one.term.target for one in terms if one.quantities & found} - found:
        found |= more
    return found


def _models(graph: Graph, downstream: set[str], removed: set[str]) -> dict[str, list[Tensor]]:
    """Measurement models of other drivers that read nothing downstream."""
    quantities = [graph.quantities[name] for name in downstream if name in graph.quantities]
    touched = {x for one in quantities for x in (one.tensor, *one.channels.values())}
    return {
        name: said
        for (name, said), one in zip(measurements(graph).items(), graph.likelihoods, strict=True)
        if one.driver not in removed and not touched.intersection(ancestors(said))
    }


def _read_otherwise(full: Graph, reduced: Graph, downstream: set[str]) -> list[str]:
    """Terms that read other things than before, though nothing that they depend on is gone."""
    now = _read(reduced)
    return [
        f"the term {method} of {driver} reads other things without the driver"
        for (driver, method, target), read in _read(full).items()
        if target not in downstream and now.get((driver, method, target)) != read
    ]


def _read(graph: Graph) -> dict[tuple[str, str, str], tuple[frozenset[str], frozenset[Key]]]:
    """What each term that is no measurement model reads, by driver, method and quantity."""
    return {
        (one.term.driver, one.term.build.__name__, one.term.target): (one.quantities, one.parameters)
        for one in graph.built
        if one.observations is None
    }
