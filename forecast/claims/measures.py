"""What a stored run and the installed evidence say on a claim, measure by measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.claims import measure_specs as specs
from forecast.claims.lag import months_behind
from forecast.claims.on_trend import costs_on_trend, place_in_words
from forecast.claims.published import figure_draws, rows_of, table_of
from forecast.dates import decimal_year, end_of
from forecast.results.crossing_summary import BoolArray, Estimate, FloatArray, estimate
from forecast.results.summary import accepted_draws, crossing_array, milestone_names
from forecast.results.trajectories import NotAvailable, Trajectories
from forecast.streams import stream
from forecast.units import convert
from forecast.wording import did_you_mean

if TYPE_CHECKING:
    import xarray as xr

    from forecast.evidence import EvidenceTable
    from forecast.results.stored import StoredRun

FIRST = "first"
"""In place of a bloc: whichever bloc crosses first."""

LEAST_CROSSING = 50
"""Draws that must cross before their levels at the crossing say something."""

ROUNDING = 1e-9
"""In log10 units: a milestone may itself be the level that is asked for."""

_IN_LOGS = ("OOM", "dex")


@dataclass(frozen=True)
class Measured:
    """What a measure found.

    Attributes
    ----------
    unit : str
    draws : ndarray of float or None
        In `unit`; None for a probability.
    share : Estimate or None
        A probability with its Monte Carlo error.
    alone : ndarray of float or None
        The draws without a scatter that was added to them, where the verdict may hang on it.
    details : dict
        Plain types, for readers.
    """

    unit: str
    draws: FloatArray | None = None
    share: Estimate | None = None
    alone: FloatArray | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """A run and the evidence that its claims are checked with.

    Attributes
    ----------
    tree : xarray.DataTree
        The run's ``results.nc``.
    tables : mapping of (driver, table) to EvidenceTable
        All installed rows, whatever the run's as-of date.
    seed : int
        Of what is drawn here: errors of figures, scatter of models.
    horizon : datetime.date, optional
        Last day of which the run's crossings say something.
    """

    tree: xr.DataTree
    tables: Mapping[tuple[str, str], EvidenceTable]
    seed: int = 0
    horizon: date | None = None

    @classmethod
    def of(cls, run: StoredRun, tables: Mapping[tuple[str, str], EvidenceTable]) -> Reading:
        """Return a reading of a stored run."""
        horizon = date.fromisoformat(run.summary["horizon"])
        return cls(run.tree, tables, int(run.summary["sampler"].get("seed") or 0), horizon)

    @cached_property
    def trajectories(self) -> Trajectories:
        """The run's trajectories."""
        return Trajectories(self.tree)

    def group(self, name: str) -> xr.Dataset:
        """A group of the run."""
        if name not in self.tree.children:
            raise NotAvailable(f"this run has no group {name}; make it again")
        return self.tree[name].to_dataset()

    def dates(self, milestone: str, last: date) -> tuple[FloatArray, BoolArray, list[str]]:
        """Crossing dates (chain, draw, bloc), accepted draws (chain, draw), and the blocs.

        `last` is the last day that is asked about: after the horizon no draw says anything.
        """
        if self.horizon is not None and last > self.horizon:
            raise NotAvailable(f"this run looks no further than its horizon, {self.horizon}")
        crossings = self.group("crossings")
        names = milestone_names(crossings)
        if milestone not in names:
            raise NotAvailable(f"this run has no milestone {milestone}{did_you_mean(milestone, names)}")
        blocs = [str(bloc) for bloc in crossings["bloc"].to_numpy()]
        return crossing_array(crossings, milestone), accepted_draws(crossings), blocs

    def generator(self, *names: object) -> np.random.Generator:
        """A random stream of its own; the same run gives the same numbers."""
        return stream(self.seed, "claims", *names)


def take(measure: specs.Measure, reading: Reading) -> Measured:
    """Take a measure of a run.

    Raises
    ------
    NotAvailable
        Where the run, or what is installed, lacks what it needs; says what.
    UnitError
        Where the quantity's unit does not convert to the measure's.
    """
    return _TAKEN[type(measure)](measure, reading)


def _growth(measure: specs.Growth, reading: Reading) -> Measured:
    run = reading.trajectories
    unit = run.unit(measure.quantity)
    if not unit.startswith("log10 ") and unit not in _IN_LOGS:
        raise NotAvailable(f"{measure.quantity} is in {unit}, and a factor per year needs a quantity in logs")
    values = run.values(measure.quantity, measure.bloc)
    start, end = decimal_year(measure.from_), decimal_year(measure.to)
    change = (run.interpolated(values, end) - run.interpolated(values, start)) / (end - start)
    return Measured("x/year", 10.0 ** (-change if measure.falls else change))


def _level(measure: specs.Level, reading: Reading) -> Measured:
    run = reading.trajectories
    values = run.values(measure.quantity, measure.bloc, measure.channel)
    draws = run.interpolated(values, decimal_year(measure.on))
    unit = run.unit(measure.quantity)
    if measure.channel is not None:  # channels are stored as flows, not as logs of them
        unit = unit.removeprefix("log10 ")
    if measure.at_least is not None:
        return _share(run, reaches(draws, unit, measure.at_least))
    return _in_plain_units(draws, unit)


def _exceeds(measure: specs.Exceeds, reading: Reading) -> Measured:
    run = reading.trajectories
    one, other = (run.at(name, measure.bloc, measure.on) for name in (measure.quantity, measure.than))
    other = convert(other, run.unit(measure.than), run.unit(measure.quantity))
    return _share(run, one > other)


def _lag(measure: specs.Lag, reading: Reading) -> Measured:
    name = measure.subject.name if measure.subject is not None else measure.follower
    found = months_behind(measure, reading.trajectories, reading.tables, reading.generator("lag", name))
    return Measured("month", found.months, details=found.details)


def _crossing(measure: specs.Crossing, reading: Reading) -> Measured:
    when, accepted, blocs = reading.dates(measure.milestone, measure.to)
    chosen = when.min(axis=-1) if measure.bloc == FIRST else when[..., _place(measure.bloc, blocs)]
    inside = (chosen >= decimal_year(measure.from_)) & (chosen < end_of(measure.to))
    return Measured(specs.PROBABILITY, share=estimate(inside, accepted))


def _at_crossing(measure: specs.AtCrossing, reading: Reading) -> Measured:
    levels = reading.group("at_crossing")
    name = f"{measure.milestone}.{measure.quantity}"
    if name not in levels:
        near = did_you_mean(name, [str(one) for one in levels.data_vars])
        raise NotAvailable(
            f"this run did not store {measure.quantity} at the crossing of {measure.milestone}{near}"
        )
    blocs = [str(bloc) for bloc in levels["bloc"].to_numpy()]
    chosen = levels[name].transpose("chain", "draw", "bloc").to_numpy()[..., _place(measure.bloc, blocs)]
    kept = accepted_draws(reading.group("crossings")) & np.isfinite(chosen)
    if kept.sum() < LEAST_CROSSING:
        raise NotAvailable(f"only {kept.sum()} draws cross {measure.milestone}; their levels say too little")
    unit = str(levels[name].attrs.get("unit", ""))
    details = {
        "share_of_draws_that_cross": float(kept.sum() / accepted_draws(reading.group("crossings")).sum())
    }
    if measure.at_least is None:
        return _in_plain_units(chosen[kept].astype(float), unit, details)
    enough = reaches(np.where(kept, chosen, -np.inf), unit, measure.at_least)
    return Measured(specs.PROBABILITY, share=estimate(enough, kept), details=details)


def _world(measure: specs.World, reading: Reading) -> Measured:
    when, accepted, blocs = reading.dates(measure.milestone, measure.on)
    crossed = when < end_of(measure.on)
    number = crossed.sum(axis=-1)
    kinds = {"neither": number == 0, "bipolar": number >= 2} | {
        f"unipolar:{bloc}": crossed[..., place] & (number == 1) for place, bloc in enumerate(blocs)
    }
    missing = [world for world in measure.worlds if world not in kinds]
    if missing:
        raise NotAvailable(f"this run has no world {missing[0]}{did_you_mean(missing[0], kinds)}")
    either = np.logical_or.reduce([kinds[world] for world in measure.worlds])
    parts = {world: estimate(kind, accepted).p for world, kind in kinds.items()}
    return Measured(specs.PROBABILITY, share=estimate(either, accepted), details={"worlds": parts})


def _ratio(measure: specs.Ratio, reading: Reading) -> Measured:
    of, to = (
        figure_draws(figures, reading.tables, reading.generator("ratio", side, repr(figures)))
        for side, figures in (("of", measure.of), ("to", measure.to))
    )
    return Measured("number", of.draws / convert(to.draws, to.unit, of.unit),
                    details={"figures": [*of.names, *to.names]})  # fmt: skip


def _product(measure: specs.Product, reading: Reading) -> Measured:
    total: FloatArray = np.ones(1)
    names: list[str] = []
    for place, figures in enumerate(measure.factors):
        found = figure_draws(figures, reading.tables, reading.generator("product", place, repr(figures)))
        total, names = total * found.draws, [*names, *found.names]
    return Measured(measure.result, total, details={"figures": names})


def _count(measure: specs.Count, reading: Reading) -> Measured:
    table = table_of(measure.table, reading.tables)
    rows = rows_of(table, measure.where)
    if not rows:
        raise NotAvailable(f"evidence table {measure.table} has no row like this")
    generator = reading.generator("count", measure.table, sorted(measure.where.items()))
    found = [figure_draws([row], reading.tables, generator) for row in rows]
    enough = [one.draws >= convert(measure.at_least.value, measure.at_least.unit, one.unit) for one in found]
    details = {"rows": {one.names[0]: float(np.mean(met)) for one, met in zip(found, enough, strict=True)}}
    # Draws of errors do not depend on one another, so all are one chain.
    met = np.sum(enough, axis=0)[None, :] >= measure.number
    return Measured(specs.PROBABILITY, share=estimate(met, np.ones_like(met)), details=details)


def _on_trend(measure: specs.OnTrend, reading: Reading) -> Measured:
    costs = costs_on_trend(measure, reading.trajectories, reading.tables, reading.generator)
    subject = costs[0]
    details = {
        "scatter_of_others": subject.scatter,
        "models": [cost.described() for cost in costs],
        "remark": place_in_words(subject),
    }
    return Measured("USD", subject.draws, alone=subject.alone, details=details)


def reaches(draws: FloatArray, unit: str, least: specs.Amount) -> BoolArray:
    """Whether draws are as much as an amount, but for :data:`ROUNDING`.

    Raises
    ------
    UnitError
        Where the units do not convert.
    """
    level = convert(least.value, least.unit, unit)
    margin = ROUNDING if unit.startswith("log10 ") else abs(level) * np.log(10.0) * ROUNDING
    result: BoolArray = draws >= level - margin
    return result


def _in_plain_units(draws: FloatArray, unit: str, details: dict[str, Any] | None = None) -> Measured:
    if unit.startswith("log10 "):
        draws, unit = 10.0**draws, unit.removeprefix("log10 ")
    return Measured(unit, draws, details=details or {})


def _share(run: Trajectories, met: BoolArray) -> Measured:
    """Share of the accepted draws, with the error that their chains show."""
    return Measured(specs.PROBABILITY, share=estimate(*run.by_chain(met)))


def _place(bloc: str, blocs: Sequence[str]) -> int:
    if bloc not in blocs:
        raise NotAvailable(f"this run has no bloc {bloc}{did_you_mean(bloc, blocs)}")
    return list(blocs).index(bloc)


_TAKEN: dict[type[specs.Measure], Callable[[Any, Reading], Measured]] = {
    specs.Growth: _growth,
    specs.Level: _level,
    specs.Exceeds: _exceeds,
    specs.Lag: _lag,
    specs.Crossing: _crossing,
    specs.AtCrossing: _at_crossing,
    specs.World: _world,
    specs.Ratio: _ratio,
    specs.Product: _product,
    specs.Count: _count,
    specs.OnTrend: _on_trend,
}
