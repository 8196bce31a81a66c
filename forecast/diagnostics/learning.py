"""What the data did to the priors: parameters that they did not move, and priors that they contradict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.diagnostics.catalogue import KINDS
from forecast.diagnostics.gate import Check
from forecast.diagnostics.numbers import Numbers, columns

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

STILL = 0.1
"""A parameter whose standard deviation changed by less than this share of its prior's ..."""

STILL_MEAN = 0.2
"""... and whose mean moved by fewer prior standard deviations than this was not moved by the data."""

_FALSE_ALARM = 0.05
_FEWEST_PRIOR_DRAWS = 100
_NAMED = 5


@dataclass(frozen=True)
class Learnt:
    """Prior and posterior of one parameter, on the scale on which its prior is a standard normal.

    Attributes
    ----------
    parameter : str
    contraction : float
        1 - sd of the posterior; near 1 the data decide, at 0 nothing was learnt.
    shift : float
        Mean of the posterior, so in prior standard deviations.
    """

    parameter: str
    contraction: float
    shift: float

    @property
    def is_still(self) -> bool:
        """Whether the posterior is the prior, as far as draws tell."""
        return abs(self.contraction) < STILL and abs(self.shift) < STILL_MEAN

    @property
    def distance(self) -> float:
        """Shift by what a consistent prior and data would make of it.

        By the law of total variance the posterior mean varies, over data drawn
        from the prior predictive, with the prior's variance less the expected
        posterior variance. That is at least what a contraction of ``STILL`` gives.
        """
        variance = min((1 - self.contraction) ** 2, (1 - STILL) ** 2)
        return self.shift / float(np.sqrt(1 - variance))


@dataclass(frozen=True)
class Conflict:
    """A parameter whose prior and data pull apart.

    Attributes
    ----------
    parameter : str
    prior, likelihood : float
        Power-scaling sensitivities of its posterior: to its own prior, and to all evidence.
    distance : float or None
        :attr:`Learnt.distance`.
    """

    parameter: str
    prior: float
    likelihood: float
    distance: float | None

    @property
    def sensitivity(self) -> float:
        """The smaller of both: ArviZ sees a potential conflict where both reach the threshold."""
        return min(self.prior, self.likelihood)


@dataclass(frozen=True)
class Learning:
    """Findings on priors and data.

    Attributes
    ----------
    checks : list of Check
        ``shrinkage`` and ``prior_data_conflict``.
    learnt : list of Learnt
    conflicts : list of Conflict
        That fail the check, worst first.
    """

    checks: list[Check]
    learnt: list[Learnt]
    conflicts: list[Conflict]

    @property
    def unmoved(self) -> list[str]:
        """Parameters that the data did not move."""
        return [one.parameter for one in self.learnt if one.is_still]

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"unmoved": self.unmoved, "conflicts": [asdict(one) for one in self.conflicts]}


def learn(tree: xr.DataTree, numbers: Numbers | None, thresholds: Mapping[str, float]) -> Learning:
    """Compare posterior with prior, and scale both by powers.

    Parameters
    ----------
    tree : xarray.DataTree
        Groups ``posterior``; ``prior`` for the shrinkage; ``log_prior`` and
        ``log_likelihood`` for power scaling.
    numbers : Numbers or None
    thresholds : mapping of str to float

    Returns
    -------
    Learning
    """
    learnt = compare_with_prior(tree, numbers)
    shrinkage = _shrinkage(tree, learnt, thresholds["shrinkage"])
    conflict, conflicts = _conflict(tree, numbers, learnt, thresholds["prior_data_conflict"])
    return Learning([shrinkage, conflict], learnt, conflicts)


def compare_with_prior(tree: xr.DataTree, numbers: Numbers | None) -> list[Learnt]:
    """Compare the posterior of each parameter with its prior.

    Parameters
    ----------
    tree : xarray.DataTree
        With the group ``prior``; without it there is nothing to compare.
    numbers : Numbers or None

    Returns
    -------
    list of Learnt
        Of the parameters that have enough draws in that group.
    """
    if numbers is None:
        return []
    priors = {
        name: values.ravel()
        for name, values in columns(tree, "prior")
        if values.size >= _FEWEST_PRIOR_DRAWS and np.isfinite(values).all() and np.unique(values).size > 20
    }
    found = []
    for index in range(numbers.parameters):
        name = numbers.names[index]
        if name in priors and numbers.finite[index]:
            scores = _scores(numbers.values[..., index].ravel(), priors[name])
            found.append(Learnt(name, 1 - float(scores.std()), float(scores.mean())))
    return found


def _scores(values: Floats, prior: Floats) -> Floats:
    """Normal scores under a prior given by its draws; beyond them the line through their outer 5% goes on."""
    from scipy import stats

    ordered = np.sort(prior)
    scores = stats.norm.ppf((np.arange(1, ordered.size + 1) - 0.375) / (ordered.size + 0.25))
    result = np.interp(values, ordered, scores)
    inner = ordered.size // 20
    for beyond, end, inside in ((values < ordered[0], 0, inner), (values > ordered[-1], -1, -1 - inner)):
        width = ordered[end] - ordered[inside]
        if width != 0:
            slope = (scores[end] - scores[inside]) / width
            result[beyond] = scores[end] + slope * (values[beyond] - ordered[end])
    return np.asarray(result)


def _shrinkage(tree: xr.DataTree, learnt: list[Learnt], threshold: float) -> Check:
    kind = KINDS["shrinkage"]
    if not learnt:
        there = "prior" in tree.children
        why = "No parameter has enough draws in its group prior." if there else "The file has no group prior."
        return kind.missing(threshold, why)
    still = [one.parameter for one in learnt if one.is_still]
    where = f"{len(still)} of {len(learnt)} parameters" + (f": {_listed(still)}" if still else "")
    return kind.judged(len(still) / len(learnt), threshold, where)


def _conflict(
    tree: xr.DataTree, numbers: Numbers | None, learnt: list[Learnt], threshold: float
) -> tuple[Check, list[Conflict]]:
    kind = KINDS["prior_data_conflict"]
    missing = [group for group in ("log_prior", "log_likelihood") if not _has_draws(tree, group)]
    if missing:
        return kind.missing(threshold, f"Power scaling needs the group {' and '.join(missing)}."), []
    if numbers is None or not numbers.parameters:
        return kind.missing(threshold, "There are no parameters to scale."), []
    distances = _improbable(learnt) if learnt else dict.fromkeys(numbers.names[: numbers.parameters])
    wanted = [at for at in range(numbers.parameters) if numbers.names[at] in distances and numbers.finite[at]]
    try:
        found = _sensitivities(tree, numbers, wanted, threshold)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        what = " ".join(str(error).split())[:200]
        return kind.missing(threshold, f"Power scaling could not be computed ({what})."), []
    conflicts = [Conflict(name, prior, data, distances[name]) for name, (prior, data) in found.items()]
    conflicts = sorted(conflicts, key=lambda one: -one.sensitivity)
    value = conflicts[0].sensitivity if conflicts else 0.0
    failing = [one for one in conflicts if one.sensitivity > threshold]
    where = _listed(
        [f"{one.parameter} (prior {one.prior:.2f}, evidence {one.likelihood:.2f})" for one in failing]
    )
    if failing and not learnt:
        where += " (without prior draws their distance from the prior is unknown)"
    return kind.judged(value, threshold, where), failing


def _improbable(learnt: list[Learnt]) -> dict[str, float | None]:
    """Parameters that lie farther from their prior than data from that prior would put any of them."""
    from scipy import stats

    return {
        one.parameter: one.distance
        for one in learnt
        if 2 * stats.norm.sf(abs(one.distance)) * len(learnt) < _FALSE_ALARM
    }


def _sensitivities(
    tree: xr.DataTree, numbers: Numbers, wanted: list[int], threshold: float
) -> dict[str, tuple[float, float]]:
    """Power-scaling sensitivity of each number to its own prior and to all evidence, by ArviZ.

    Draws are rank-normalised: the diagnostic's threshold is gauged on normal
    posteriors, and on heavy tails its noise exceeds it. Where the evidence
    does not reach the threshold the prior is not scaled, for then there is no conflict.
    """
    import arviz_stats as az
    import xarray as xr

    if not wanted:
        return {}
    names = [numbers.names[at] for at in wanted]
    scores = np.stack([_rank_normalised(numbers.values[..., at]) for at in wanted], axis=-1)
    own = dict(columns(tree, "log_prior"))
    joint = np.sum(list(own.values()), axis=0)
    priors = np.stack([own.get(name, joint) for name in names], axis=-1)
    dims = ("chain", "draw", "number")
    small = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"score": (dims, scores)}),
            "log_prior": xr.Dataset({"score": (dims, priors)}),
            "log_likelihood": xr.Dataset({"total": (dims[:2], _total(tree))}),
        }
    )
    data = az.psense(small, group="likelihood")["score"].to_numpy()
    found = {}
    for at, name in enumerate(names):
        if data[at] > threshold:
            prior = az.psense(small, coords={"number": [at]}, group="prior", group_coords={"number": [at]})
            found[name] = float(prior["score"][0]), float(data[at])
    return found


def _rank_normalised(values: Floats) -> Floats:
    """Normal scores of ranks, as Vehtari et al. (2021) take them for R-hat."""
    from scipy import stats

    ranks = stats.rankdata(values, method="average").reshape(values.shape)
    return np.asarray(stats.norm.ppf((ranks - 0.375) / (values.size + 0.25)))


def _has_draws(tree: xr.DataTree, group: str) -> bool:
    return any(True for _ in columns(tree, group))


def _total(tree: xr.DataTree) -> Floats:
    return np.asarray(np.sum([values for _, values in columns(tree, "log_likelihood")], axis=0))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
