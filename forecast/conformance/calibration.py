"""Simulation-based calibration: whether posteriors are right over data that the model itself gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from forecast.conformance.density import Density, compiled, name_of, own_numbers
from forecast.conformance.report import Failed, NotApplicable, count
from forecast.conformance.setting import Setting
from forecast.conformance.subject import Subject
from forecast.inference.compiling import Entry
from forecast.inference.points import unconstrained
from forecast.projection import draw_rows, with_rows
from forecast.streams import stream

Floats = NDArray[np.float64]

PILOTS = 200
"""Simulated data sets from which the sampler's metric and step are taken; no rank is of them."""

SIMULATIONS = 200
STATES = 20
"""Posterior draws beside the truth, of each simulated data set."""

SQUARES = tuple((rank - STATES // 2) ** 2 for rank in range(STATES + 1))
"""Squared distance of each rank from the middle one."""

FALSE_ALARM = 1e-3
"""Probability that a right driver fails, over all of its numbers and both statistics."""

STEPS = (0.8, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
ACCEPTED = 0.7
TRAJECTORY = 1.5
"""Length of a trajectory, where one is the scale of the posterior."""


@dataclass(frozen=True)
class Ranks:
    """Ranks of true values among posterior draws.

    Attributes
    ----------
    ranks : ndarray of int, (simulation, number)
        Of 0 to STATES.
    accepted : float
        Mean acceptance probability of the sampler.
    """

    ranks: NDArray[np.int64]
    accepted: float


def calibration(subject: Subject) -> str:
    """Ranks of the driver's inferred parameters are uniform over simulated data sets.

    Two hundred times, parameters are drawn from the priors and all rows of the
    company from its measurement models, with the dates, errors and further
    columns of the real rows. Then the compiled log density of these rows is
    sampled, and each true value is ranked among 20 posterior draws. If priors,
    transforms, measurement models and their compiled form agree, every rank is
    equally likely.

    The sampler need not converge for this to be exact: the truth is itself a
    draw from the posterior, so a chain that leaves its distribution unchanged
    and runs from there, forwards and backwards in time by a random number of
    steps in all, has it at a place that is uniform among its states (Gandy and
    Scott, Unit testing for MCMC and other Monte Carlo methods, 2020,
    https://arxiv.org/abs/2001.06465). A slow chain loses power, not validity.
    The steps are of Hamiltonian Monte Carlo, whose metric is the mean outer
    product of gradients at draws from the joint distribution, and whose step
    is chosen on simulations of which no rank is taken.

    For each number the mean rank (is the posterior shifted?) and the mean
    squared distance of ranks from the middle (too narrow, too wide?) are tested
    against their exact distributions, two-sided, with Bonferroni's correction:
    a right driver fails with a probability of at most 0.001.

    It finds a measurement model that reads the rows' own values (and so counts
    them twice), a compiled graph that differs from the evaluated one, a wrong
    prior or transform. It cannot find a measurement model that is wrong about
    the world, or rows that are picked by their values: those are the same in
    the simulation.
    """
    setting = subject.setting
    entry = compiled(setting)
    own = own_numbers(setting, subject.driver.name)
    if not own:
        raise NotApplicable("no row depends on a parameter of the driver, so it has no posterior of its own")
    found = setting.kept("ranks", lambda: simulated_ranks(setting, entry))
    tested = {place: p_values(found.ranks[:, place]) for place in own}
    smallest, tests = min(min(both) for both in tested.values()), 2 * len(own)
    wrong = [
        f"{name_of(setting, place)} ({_how(found.ranks[:, place])}, p = {min(both):.1g})"
        for place, both in tested.items()
        if min(both) < FALSE_ALARM / tests
    ]
    if wrong:
        raise Failed(
            f"over {SIMULATIONS} simulated data sets the posterior of {', '.join(wrong)} misses the truth: "
            "the log density is not that of how the rows were drawn. Does a mean or sd read the rows' own "
            "values?"
        )
    return (
        f"ranks of {count(len(own), 'number')} over {SIMULATIONS} simulated data sets are uniform (smallest "
        f"of {tests} p-values {smallest:.2g}; false alarms: {FALSE_ALARM:g})"
    )


def simulated_ranks(setting: Setting, entry: Entry) -> Ranks:
    """Draw truths and rows, sample from each truth and rank it."""
    setting.say(f"sampling {SIMULATIONS} simulated data sets")
    points, densities = simulated(setting, entry, PILOTS, "pilot")
    metric = _metric(points, densities)
    step = _step(points[:40], densities[:40], metric, setting.seed)
    ranks, accepted = [], []
    points, densities = simulated(setting, entry, SIMULATIONS, "truth")
    for number, (truth, density) in enumerate(zip(points, densities, strict=True)):
        rng = stream(setting.seed, "chain", number)
        before = int(rng.integers(STATES + 1))
        states = []
        for length in (before, STATES - before):  # the chain is reversible: backwards is forwards
            state = truth
            for _ in range(length):
                state, probability = _transition(state, density, metric, step, rng)
                states.append(state)
                accepted.append(probability)
        chain = np.array(states)
        below = (chain < truth).sum(axis=0)
        ties = (chain == truth).sum(axis=0)
        ranks.append(below + rng.integers(ties + 1))
    return Ranks(np.array(ranks), float(np.mean(accepted)))


def simulated(setting: Setting, entry: Entry, size: int, purpose: str) -> tuple[Floats, list[Density]]:
    """Draw truths from the priors, and rows given them.

    Returns
    -------
    points : ndarray, (simulation, unconstrained number)
    densities : list of Density
        Of the simulated rows.
    """
    built = setting.main
    flat = built.layout.draw(setting.seed, size, f"calibration {purpose}")
    drawn = built.layout.shaped(flat)
    inferred = [built.layout.numbers[number] for number in built.inferred.numbers]
    points = unconstrained(entry.names, built.inferred, flat[:, inferred])
    values = built.history_at(drawn, size)
    noise = draw_rows(
        built.history, values, lambda place: stream(setting.seed, "calibration rows", purpose, place)
    )
    densities = [
        Density.of(entry, with_rows(built.history, [rows[number] for rows in noise]), built.inferred)
        for number in range(size)
    ]
    for truth, density in zip(points, densities, strict=True):
        if not np.isfinite(density(truth)[0]):
            raise Failed(
                "the log density of simulated rows is not finite at the parameters that they were drawn from"
            )
    return points, densities


def p_values(ranks: NDArray[np.int64]) -> tuple[float, float]:
    """Two-sided exact p-values of the ranks of one number: of their mean, and of their spread.

    Parameters
    ----------
    ranks : ndarray of int, (simulation,)
        Of 0 to STATES.
    """
    shift, spread = (_p_value(scores, ranks) for scores in (range(STATES + 1), SQUARES))
    return shift, spread


def _p_value(scores: Sequence[int], ranks: NDArray[np.int64]) -> float:
    law = _sum_of(tuple(scores), len(ranks))
    total = int(np.array(scores)[ranks].sum())
    return float(min(1.0, 2 * min(law[: total + 1].sum(), law[total:].sum())))


@cache
def _sum_of(scores: tuple[int, ...], number: int) -> Floats:
    """Probabilities of the sum of a score of independent uniform ranks, from 0 to its largest."""
    one = np.bincount(scores) / len(scores)
    law = np.ones(1)
    for _ in range(number):
        law = np.convolve(law, one)
    return law


def _how(ranks: NDArray[np.int64]) -> str:
    shifted, spread = p_values(ranks)
    if shifted < spread:
        return "too high" if ranks.mean() < STATES / 2 else "too low"
    wide = ((ranks - STATES / 2) ** 2).mean() > ((STATES + 1) ** 2 - 1) / 12
    return "too narrow" if wide else "too wide"


def _metric(points: Floats, densities: list[Density]) -> Floats:
    """Matrix whose columns are directions of about the posterior's length.

    The mean outer product of gradients over draws of parameters and rows is
    the expected precision; gradients far out count less.
    """
    slopes = np.array([density(point)[1] for point, density in zip(points, densities, strict=True)])
    slopes = slopes[np.isfinite(slopes).all(axis=1)]
    size = points.shape[1]
    precision = np.eye(size)
    for _ in range(30):
        length = np.einsum("ij,jk,ik->i", slopes, np.linalg.inv(precision), slopes)
        weight = (size + 5) / (length + 5)
        precision = (slopes * weight[:, None]).T @ slopes / len(slopes) + 0.1 * np.eye(size)
    inverse: Floats = np.linalg.inv(np.linalg.cholesky(precision)).T
    return inverse


def _step(points: Floats, densities: list[Density], metric: Floats, seed: int) -> float:
    """The largest step whose transitions are mostly accepted."""
    for step in STEPS:
        rng = stream(seed, "step", step)
        tried = [_transition(p, d, metric, step, rng)[1] for p, d in zip(points, densities, strict=True)]
        if np.mean(tried) >= ACCEPTED:
            return step
    return STEPS[-1]


def _transition(
    point: Floats, density: Density, metric: Floats, step: float, rng: np.random.Generator
) -> tuple[Floats, float]:
    """One transition of Hamiltonian Monte Carlo; returns the state and the acceptance probability."""
    length = step * rng.uniform(0.5, 1.0)
    value, slope = density(point)
    momentum = rng.standard_normal(len(point))
    energy = value - momentum @ momentum / 2
    state = point
    for _ in range(round(TRAJECTORY / step)):
        momentum = momentum + length / 2 * (metric.T @ slope)
        state = state + length * (metric @ momentum)
        value, slope = density(state)
        if not np.isfinite(value):
            return point, 0.0
        momentum = momentum + length / 2 * (metric.T @ slope)
    gained = float(value - momentum @ momentum / 2 - energy)
    probability = float(np.exp(min(0.0, gained))) if np.isfinite(gained) else 0.0
    return (state if rng.random() < probability else point), probability
