"""Crossing dates of draws, and whether they agree with what the worldview holds for known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.dates import end_of
from forecast.engine import Plan
from forecast.model import Key
from forecast.projection import Evaluator, Shocks, draw_thresholds, future_graph, on_grid
from forecast.projection.crossing_evidence import kept_by_evidence
from forecast.projection.evaluator import chunks
from forecast.projection.milestones import MilestoneReader, check_milestones, not_yet_crossed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Futures:
    """What became of some draws.

    Attributes
    ----------
    dates : ndarray, (draw, bloc)
        When each bloc crosses the first milestone, decimal years, ``inf`` for
        never by the horizon; no column where there is no milestone.
    accepted : ndarray of bool, (draw,)
        Draws with finite trajectories that agree with what has not been
        crossed yet and with evidence on crossing dates.
    """

    dates: Floats
    accepted: NDArray[np.bool_]


class Projector:
    """Projects draws as a run does, and keeps nothing but dates.

    Interventions of the worldview are left out: they change no fit, and what
    experts said of dates they said of the world as it is.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self.graph = future_graph(plan.spec, plan.worldview.horizon)
        self._worldview = plan.worldview
        self._milestones = plan.worldview.milestones
        self._horizon = end_of(plan.worldview.horizon)
        quantities = self.graph.quantities
        check_milestones(self._milestones, plan.worldview.thresholds, quantities, plan.spec.left_out)
        needed = {leaf.quantity for one in self._milestones.values() for leaf in one.conditions()}
        tensors = {name: quantities[name].tensor for name in sorted(needed)}
        self._evaluate = Evaluator(self.graph, tensors) if tensors else None

    def __call__(self, parameters: Mapping[Key, Floats], *, seed: int, size: int) -> Futures:
        """Project draws with shocks and thresholds of their own.

        Parameters
        ----------
        parameters : mapping of (driver, name) to ndarray
            Of the graph; first axis draw.
        seed : int
            Of thresholds, shocks and the rejection by evidence on dates.
        size : int
            Number of draws.
        """
        if self._evaluate is None:
            return Futures(np.empty((size, 0)), np.ones(size, dtype=bool))
        reader, shocks = self._reader(parameters, seed=seed, size=size), Shocks(self.graph, seed)
        blocks: dict[str, list[Floats]] = {name: [] for name in self._milestones}
        finite = []
        for block in chunks(size):
            count = block.stop - block.start
            given = {key: parameters[key][block] for key in self.graph.parameters}
            values = self._evaluate(given, shocks.next(count), size=count)
            values = {name: on_grid(value, self.graph) for name, value in values.items()}
            finite.append(np.all([np.isfinite(x).all(axis=(1, 2)) for x in values.values()], axis=0))
            for name, found in blocks.items():
                found.append(reader.crossing(name, values, block, self.graph.decimal)[0])
        dates = {name: np.concatenate(found) for name, found in blocks.items()}
        spec, last = self.graph.spec, min(self._horizon, self.graph.decimal[-1])
        accepted = np.concatenate(finite) & not_yet_crossed(self._milestones, dates, end_of(spec.as_of))
        kept = kept_by_evidence(spec, self._milestones, dates, parameters, accepted, seed=seed, horizon=last)
        for keeps in kept.values():
            accepted = accepted & keeps
        return Futures(next(iter(dates.values())), accepted)

    def _reader(self, parameters: Mapping[Key, Floats], *, seed: int, size: int) -> MilestoneReader:
        worldview, spec = self._worldview, self.graph.spec
        drawn = draw_thresholds(worldview.thresholds, spec, parameters, seed=seed, size=size)
        return MilestoneReader(
            worldview.milestones,
            worldview.thresholds,
            self.graph.quantities,
            seed=seed,
            size=size,
            horizon=self._horizon,
            drawn=drawn,
        )
