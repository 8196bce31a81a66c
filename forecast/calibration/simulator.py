"""Truths from the prior, rows given a truth, and what is ranked of both a truth and posterior draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.calibration.futures import Projector
from forecast.dates import end_of
from forecast.diagnostics.numbers import columns
from forecast.engine import Plan
from forecast.errors import ForecastError, InputError
from forecast.model import Graph, Layout, build_graph
from forecast.projection import Evaluator, draw_rows, law_of, log_likelihood, measurement_tensors, with_rows
from forecast.results.crossing_summary import lead_years
from forecast.results.draws import parameter_group
from forecast.spec import history_end
from forecast.streams import stream

Floats = NDArray[np.float64]

BLOCK = 1000
"""Prior draws that are projected together; each block has a seed of its own, so that the truth of a
simulation does not depend on how many there are."""

FEWEST = 0.002
"""Of the prior draws must agree with what the worldview holds for known; else there is an end to trying."""

LOG_LIKELIHOOD, LEAD = "log_likelihood", "lead"


@dataclass(frozen=True)
class Draws:
    """Accepted draws of the prior or of a posterior.

    Attributes
    ----------
    flat : ndarray, (draw, number)
        Of all parameters.
    dates : ndarray, (draw, bloc)
        Of the first milestone, ``inf`` for never.
    tried : int
        How many draws there were before the condition.
    """

    flat: Floats
    dates: Floats
    tried: int

    def thinned(self, most: int) -> Draws:
        """Return no more than so many of them, evenly spread."""
        chosen = evenly(len(self.flat), most)
        return Draws(self.flat[chosen], self.dates[chosen], self.tried)


class Simulator:
    """The model of a plan, from which truths and rows are drawn.

    Parameters
    ----------
    plan : Plan

    Attributes
    ----------
    history : Graph
        With the real rows.
    layout, inferred : Layout
        Of all parameters, and of those that rows depend on.

    Raises
    ------
    InputError
        No row depends on an uncertain number: there is nothing to calibrate.
    """

    def __init__(self, plan: Plan) -> None:
        spec, worldview = plan.spec, plan.worldview
        self._seed, self._lead = worldview.seed, worldview.lead
        self._horizon = end_of(worldview.horizon)
        self.blocs = spec.blocs
        self.milestone = next(iter(worldview.milestones), None)
        self.history = build_graph(spec, history_end(spec))
        self._project = Projector(plan)
        graph = self._project.graph
        keys = dict.fromkeys([*graph.parameters, *self.history.parameters])
        self.layout = Layout({key: spec.parameters[key] for key in keys}, spec.blocs, spec.correlations)
        self.layout.require_correlated()
        self.inferred = Layout(
            {key: spec.parameters[key] for key in self.history.parameters if key in self.history.inferred},
            spec.blocs,
            spec.correlations,
        )
        if not self.inferred.is_random or not any(len(one.observed) for one in self.history.likelihoods):
            raise InputError(
                "no row of evidence depends on an uncertain number, so there is no posterior to calibrate: "
                "load a driver with evidence, or take a later --as-of"
            )
        self._measure = Evaluator(self.history, measurement_tensors(self.history))
        self._pool: list[Draws] = []

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Name of each inferred number that is not a constant, to its place in the layout of all."""
        places = np.arange(len(self.layout.entries), dtype=float)
        group = parameter_group(self.layout, places[None], chains=1)
        named = columns(xr.DataTree.from_dict({"posterior": group}), "posterior")
        return {
            name: int(place[0, 0])
            for name, place in named
            if self.layout.entries[int(place[0, 0])].key in self.history.inferred
        }

    @property
    def dates(self) -> list[str]:
        """Names of the crossing dates that are ranked."""
        return [f"{self.milestone}[{bloc}]" for bloc in self.blocs] if self.milestone else []

    @property
    def names(self) -> list[str]:
        """Of everything that is ranked, in the order of :meth:`quantities`."""
        lead = [LEAD] if self.milestone and self._lead else []
        return [*self.numbers, *self.dates, *lead, LOG_LIKELIHOOD]

    @cached_property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Which of `numbers` are log-normal, (number,): their spread is that of the logarithm."""
        families = [self.layout.entries[place].prior.family for place in self.numbers.values()]
        return np.array([family == "LogNormal" for family in families], dtype=bool)

    def prior(self, count: int) -> Draws:
        """Return at least so many draws of the prior, conditioned as the model is.

        More of them begin with the same ones.

        Raises
        ------
        ForecastError
            Hardly any prior draw agrees with what the worldview holds for known.
        """
        while sum(len(block.flat) for block in self._pool) < count:
            number = len(self._pool)
            seed = self.seed("truths", number)
            self._pool.append(self._accepted(self.layout.draw(seed, BLOCK), seed))
            found = sum(len(block.flat) for block in self._pool)
            if found < FEWEST * BLOCK * len(self._pool):
                raise ForecastError(
                    f"only {found} of {BLOCK * len(self._pool):,} prior draws have finite trajectories and "
                    "agree with what the milestones say has not been crossed and with the evidence on "
                    "crossing dates, too few to draw truths from; look at the priors (forecast run "
                    "--prior-only)"
                )
        return Draws(
            np.concatenate([block.flat for block in self._pool]),
            np.concatenate([block.dates for block in self._pool]),
            BLOCK * len(self._pool),
        )

    def truth(self, number: int) -> Draws:
        """Return the truth of a simulation: one draw."""
        pool = self.prior(number + 1)
        one = slice(number, number + 1)
        return Draws(pool.flat[one], pool.dates[one], 1)

    def rows(self, truth: Draws, number: int) -> Graph:
        """Return the history with rows drawn from the measurement models at a truth.

        What ``prepare`` made of the real rows, ranks among them, stays.
        """
        rng = stream(self._seed, "calibration rows", number)
        values = self._measured(truth.flat, self.history)
        return with_rows(self.history, [rows[0] for rows in draw_rows(self.history, values, lambda _: rng)])

    def start(self, truth: Draws) -> Floats:
        """Return the inferred numbers of a truth, in the order of `inferred`."""
        return truth.flat[0, [self.layout.numbers[one] for one in self.inferred.numbers]]

    def posterior(self, inferred: Floats, number: int) -> Draws:
        """Return draws of a posterior with numbers and futures of their own, conditioned as the model is.

        Parameters
        ----------
        inferred : ndarray, (draw, number)
            In the order of `inferred`.
        number : int
            Of the simulation.
        """
        seed = self.seed("futures", number)
        flat = self.layout.draw(seed, len(inferred), "future", known=self.inferred, values=inferred)
        return self._accepted(flat, seed)

    def quantities(self, draws: Draws, rows: Graph) -> Floats:
        """Return everything that is ranked, (draw, name).

        The lead takes "never" for the horizon's end: a lead that goes beyond
        it ends there, and it is zero where neither bloc crosses. The log
        likelihood is that of all rows together.
        """
        columns = [draws.flat[:, list(self.numbers.values())], draws.dates]
        if self.milestone and self._lead:
            reached = np.minimum(draws.dates, self._horizon)
            leader, follower = (self.blocs.index(b) for b in (self._lead.leader, self._lead.follower))
            columns.append(lead_years(reached[:, leader], reached[:, follower])[:, None])
        values = self._measured(draws.flat, rows)
        total = np.zeros(len(draws.flat))
        for place, one in enumerate(rows.likelihoods):
            total += log_likelihood(one, law_of(values, place)).sum(axis=1)
        return np.column_stack([*columns, total])

    def seed(self, *names: object) -> int:
        """Return a seed of its own for a purpose."""
        return int(stream(self._seed, "calibration", *names).integers(2**31))

    def _measured(self, flat: Floats, rows: Graph) -> dict[str, Floats]:
        drawn = self.layout.shaped(flat)
        return self._measure({key: drawn[key] for key in self.history.parameters}, size=len(flat), rows=rows)

    def _accepted(self, flat: Floats, seed: int) -> Draws:
        futures = self._project(self.layout.shaped(flat), seed=seed, size=len(flat))
        return Draws(flat[futures.accepted], futures.dates[futures.accepted], len(flat))


def evenly(size: int, most: int) -> NDArray[np.int64]:
    """Return the places of no more than so many of some draws, evenly spread."""
    return np.linspace(0, size - 1, min(size, most)).round().astype(np.int64)
