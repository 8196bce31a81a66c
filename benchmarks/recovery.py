"""Can the model find a truth that is known? Simulate evidence from prior draws, fit it, and compare.

A model that ignores its data covers the truth as often as one that uses them, so intervals must also shrink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.engine import Plan
from forecast.errors import PluginError
from forecast.inference import Compiler, SamplerSettings, sample
from forecast.model import Graph, Key, Layout, build_graph
from forecast.projection import (
    Evaluator,
    draw_rows,
    future_graph,
    measurement_tensors,
    project,
    with_rows,
)
from forecast.spec import history_end
from forecast.streams import stream

Floats = NDArray[np.float64]
Fit = Callable[[Graph, Layout, int], Floats]
"""``fit(graph, layout, seed)`` returns draws (chain, draw, number) of the layout's numbers."""

COVERAGE, MASS, CONTRACTION = 0.85, 0.90, 0.7
CONTRACTED = (
    "investment.level (us_allies)",
    "investment.level (china)",
    "investment.growth (us_allies)",
    "investment.growth (china)",
    "compute-growth.price_performance",
    "compute-growth.allocation",
    "capability.horizon_level",
    "capability.horizon_growth",
    "capability.index_level",
    "capability.index_growth",
    "algorithmic-efficiency.rate_centre",
    "algorithmic-efficiency.follow_lag (china)",
)
"""Numbers about which the evidence must say something."""


@dataclass(frozen=True)
class Recovery:
    """What came of a set of simulations.

    Attributes
    ----------
    names : tuple of str
        Of the inferred numbers that are not constant.
    inside : ndarray of bool, (simulation, number)
        Whether the central 90% interval holds the truth.
    contraction : ndarray, (simulation, number)
        Posterior over prior standard deviation; of the logarithm for a
        log-normal number, so that it does not depend on how large the truth is.
    accepted : ndarray, (simulation,)
        Draws of each posterior that agree with what had not been crossed.
    """

    names: tuple[str, ...]
    inside: NDArray[np.bool_]
    contraction: Floats
    accepted: NDArray[np.int64]

    @property
    def coverage(self) -> float:
        """Share of (simulation, number) pairs whose interval holds the truth."""
        return float(self.inside.mean())

    def failures(self, contracted: Sequence[str] = CONTRACTED, least: float = COVERAGE) -> list[str]:
        """Say what is not good enough; empty when all is."""
        found = []
        if self.coverage < least:
            found.append(
                f"{self.coverage:.0%} of truths lie in their {MASS:.0%} interval, fewer than {least:.0%}"
            )
        mean = dict(zip(self.names, self.contraction.mean(axis=0), strict=True))
        found += [
            f"{name}: posterior sd is {mean[name]:.2f} of the prior's, not below {CONTRACTION}"
            for name in contracted
            if mean[name] >= CONTRACTION
        ]
        return found

    def table(self) -> list[dict[str, Any]]:
        """One row a number: coverage and contraction."""
        return [
            {"parameter": name, "inside": float(inside.mean()), "contraction": float(shrunk.mean())}
            for name, inside, shrunk in zip(self.names, self.inside.T, self.contraction.T, strict=True)
        ]


class Simulator:
    """Truths and simulated evidence of a plan.

    Parameters
    ----------
    plan : Plan

    Attributes
    ----------
    graph : Graph
        On the history grid, with the real evidence.
    layout, inferred : Layout
        Of all parameters of the history, and of those that evidence reads.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.graph = build_graph(plan.spec, history_end(plan.spec))
        # A milestone crossed by the as-of date shows on a grid that ends there: no need to go to the horizon.
        self._now = future_graph(plan.spec, plan.spec.as_of)
        keys = [
            key for key in plan.spec.parameters if key in self._now.parameters or key in self.graph.parameters
        ]
        self.layout = Layout(
            {key: plan.spec.parameters[key] for key in keys}, plan.spec.blocs, plan.spec.correlations
        )
        self.inferred = Layout(
            {key: plan.spec.parameters[key] for key in self.graph.parameters if key in self.graph.inferred},
            plan.spec.blocs,
            plan.spec.correlations,
        )
        self._evaluate = Evaluator(self.graph, measurement_tensors(self.graph))

    def accepted(self, flat: Floats, seed: int) -> NDArray[np.bool_]:
        """Which draws (draw, number) have no milestone crossed that is said not to be, and are finite."""
        parameters = self.layout.shaped(flat)
        try:
            projection = project(
                self._now,
                {key: parameters[key] for key in self._now.parameters},
                chains=1,
                milestones=self._plan.worldview.milestones,
                thresholds=self._plan.worldview.thresholds,
                seed=seed,
                keep=1,
            )
        except PluginError:  # a quantity of some draw is not finite: find which by halves
            if len(flat) == 1:
                return np.zeros(1, dtype=bool)
            half = len(flat) // 2
            return np.concatenate([self.accepted(flat[:half], seed), self.accepted(flat[half:], seed + 1)])
        return projection.crossings["accepted"].to_numpy().ravel()

    def truths(self, count: int, seed: int) -> Floats:
        """Prior draws under the same condition as a run's, by rejection; (draw, number)."""
        kept = np.empty((0, len(self.layout.entries)))
        attempt = 0
        while len(kept) < count:
            flat = self.layout.draw(seed, 4 * count, f"truth {attempt}")
            kept = np.concatenate([kept, flat[self.accepted(flat, seed + attempt)]])
            attempt += 1
            if attempt > 100:
                raise ValueError("hardly any prior draw agrees with what has not been crossed yet")
        return kept[:count]

    def simulate(self, truth: Floats, seed: int) -> Graph:
        """Replace the evidence by draws from the measurement models at a truth (number,).

        Rows keep their dates, errors and computed covariates (ranks, suites); censoring applies as to real
        rows.
        """
        parameters = self.layout.shaped(truth[None])
        values = self._evaluate({key: parameters[key] for key in self.graph.parameters})
        labels = [one.label for one in self.graph.likelihoods]
        drawn = draw_rows(self.graph, values, lambda place: stream(seed, "simulated", labels[place]))
        return with_rows(self.graph, [rows[0] for rows in drawn])


def nutpie_fit(settings: SamplerSettings, compiler: Compiler) -> Fit:
    """Fit with the engine's sampler; new numbers compile nothing."""

    def fit(graph: Graph, layout: Layout, seed: int) -> Floats:
        draws, _ = sample(graph, layout, settings, seed=seed, compiler=compiler)
        return draws

    return fit


def prior_fit(size: int) -> Fit:
    """Ignore the data: the fit that a test of recovery must refuse."""
    return lambda graph, layout, seed: layout.draw(seed, size, "ignored")[None]


def recover(
    plan: Plan,
    fit: Fit,
    *,
    simulations: int = 20,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Recovery:
    """Simulate, fit and compare.

    Parameters
    ----------
    plan : Plan
        From :func:`forecast.engine.make_plan`.
    fit : callable
    simulations : int
    seed : int
    progress : callable, optional
        Called with simulations done and in all.

    Returns
    -------
    Recovery
    """
    simulator = Simulator(plan)
    layout, inferred = simulator.layout, simulator.inferred
    numbers = [n for n, entry in enumerate(inferred.entries) if not entry.prior.is_constant]
    place = {(e.key, e.bloc, e.epoch): n for n, e in enumerate(layout.entries)}
    where = np.array([place[e.key, e.bloc, e.epoch] for e in inferred.entries])
    logs = np.array([inferred.entries[n].prior.family == "LogNormal" for n in numbers])
    prior = simulator.truths(2000, seed + 10_000)[:, where[numbers]]
    prior_sd = _scale(prior, logs).std(axis=0)
    inside, contraction, accepted = [], [], []
    for number, truth in enumerate(simulator.truths(simulations, seed)):
        draws = fit(simulator.simulate(truth, seed + number), inferred, seed + number)
        draws = draws.reshape(-1, draws.shape[-1])
        flat = layout.draw(seed + number, len(draws), "not inferred", known=inferred, values=draws)
        kept = simulator.accepted(flat, seed + number)
        posterior = draws[kept][:, numbers]
        low, high = np.quantile(posterior, (0.5 - MASS / 2, 0.5 + MASS / 2), axis=0)
        at = truth[where[numbers]]
        inside.append((low <= at) & (at <= high))
        contraction.append(_scale(posterior, logs).std(axis=0) / prior_sd)
        accepted.append(int(kept.sum()))
        if progress is not None:
            progress(number + 1, simulations)
    return Recovery(
        names=tuple(_name(inferred, n) for n in numbers),
        inside=np.array(inside),
        contraction=np.array(contraction),
        accepted=np.array(accepted),
    )


def _scale(values: Floats, logs: NDArray[np.bool_]) -> Floats:
    return np.where(logs, np.log(np.where(logs, values, 1.0)), values)


def _name(layout: Layout, number: int) -> str:
    entry = layout.entries[number]
    resolved: Mapping[Key, Any] = layout.parameters
    one = resolved[entry.key]
    parts = [layout.blocs[entry.bloc]] if one.shape == "bloc" or one.blocs else []
    parts += [one.epochs[entry.epoch][0]] if one.shape == "epoch" else []
    return ".".join(entry.key) + (f" ({', '.join(parts)})" if parts else "")
