"""What the sampler says of itself, beside the verdict: Monte Carlo error, energy, tree depth, divergences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.diagnostics.catalogue import KINDS
from forecast.diagnostics.gate import Check
from forecast.diagnostics.numbers import FEWEST_DRAWS, Numbers, worst_chain

if TYPE_CHECKING:
    import xarray as xr

_DEPTH_FLAGS = ("reached_max_treedepth", "maxdepth_reached")
"""What PyMC (and ArviZ) and nutpie call a trajectory that was cut off."""

_FALSE_ALARM = 0.05
"""Chance that some parameter is said to separate divergent draws that lie anywhere."""


@dataclass(frozen=True)
class Separation:
    """A parameter whose values tell divergent draws from the others.

    Attributes
    ----------
    parameter : str
    distance : float
        Kolmogorov-Smirnov distance of its divergent and other draws, 0 to 1.
    divergent, others : float
        Medians.
    """

    parameter: str
    distance: float
    divergent: float
    others: float

    @property
    def words(self) -> str:
        """Such as "low tau (0.4; elsewhere 3.1)"."""
        side = "low" if self.divergent < self.others else "high"
        return f"{side} {self.parameter} ({self.divergent:.3g}; elsewhere {self.others:.3g})"


def separations(tree: xr.DataTree, numbers: Numbers | None, most: int = 3) -> list[Separation]:
    """Find where in parameter space divergences sit.

    Parameters
    ----------
    tree : xarray.DataTree
        With ``sample_stats``.
    numbers : Numbers or None
    most : int
        How many parameters to name at most.

    Returns
    -------
    list of Separation
        Those with the largest distance first; none where too few draws
        diverged to tell, or where they lie anywhere.
    """
    from scipy import stats

    marks = _marks(tree, ("diverging",))
    if numbers is None or marks is None or marks.shape != numbers.values.shape[:2]:
        return []
    if not 0 < int(marks.sum()) < marks.size:
        return []
    found = []
    for index in range(numbers.parameters):
        if not numbers.finite[index]:
            continue
        values = numbers.values[..., index]
        inside, outside = values[marks], values[~marks]
        test = stats.ks_2samp(inside, outside, method="auto" if inside.size < 50 else "asymp")
        if test.pvalue * numbers.parameters < _FALSE_ALARM:
            medians = float(np.median(inside)), float(np.median(outside))
            found.append(Separation(numbers.names[index], float(test.statistic), *medians))
    return sorted(found, key=lambda one: -one.distance)[:most]


def sampler_checks(
    tree: xr.DataTree, numbers: Numbers | None, thresholds: Mapping[str, float]
) -> list[Check]:
    """Make the checks ``mcse``, ``energy`` and ``tree_depth``.

    Parameters
    ----------
    tree : xarray.DataTree
    numbers : Numbers or None
    thresholds : mapping of str to float

    Returns
    -------
    list of Check
    """
    return [_mcse(numbers, thresholds), _energy(tree, thresholds), _tree_depth(tree, thresholds)]


def _mcse(numbers: Numbers | None, thresholds: Mapping[str, float]) -> Check:
    kind, limit = KINDS["mcse"], thresholds["mcse"]
    if numbers is None or numbers.draws < FEWEST_DRAWS:
        return kind.missing(limit, "There are too few draws (--draws 1000).")
    value, where = numbers.worst("mcse_over_sd", largest=True)
    return kind.judged(value, limit, where)


def _energy(tree: xr.DataTree, thresholds: Mapping[str, float]) -> Check:
    import arviz_stats as az

    kind, limit = KINDS["energy"], thresholds["energy"]
    statistics = tree.children.get("sample_stats")
    if statistics is None or "energy" not in statistics:
        return kind.missing(limit, "The sampler did not report energies.")
    energy = statistics["energy"].transpose("chain", "draw").to_numpy().astype(float)
    if energy.shape[0] < 2 or energy.shape[1] < FEWEST_DRAWS:
        return kind.missing(limit, "It needs two chains or more (--chains 4).")
    if not np.isfinite(energy).all():
        return kind.judged(None, limit)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(az.rhat(energy, chain_axis=0, draw_axis=1, method="rank"))
    means = energy.mean(axis=1)
    farthest = int(np.argmax(np.abs(means - np.median(means))))
    return kind.judged(value, limit, "" if value <= limit else f"chain {farthest}")


def _tree_depth(tree: xr.DataTree, thresholds: Mapping[str, float]) -> Check:
    kind, limit = KINDS["tree_depth"], thresholds["tree_depth"]
    marks = _marks(tree, _DEPTH_FLAGS)
    if marks is None:
        return kind.missing(limit, _why_no_depth(tree))
    count, where = worst_chain(marks)
    return kind.judged(float(count), limit, where)


def _why_no_depth(tree: xr.DataTree) -> str:
    statistics = tree.children.get("sample_stats")
    if statistics is not None and "tree_depth" in statistics:
        deepest = int(statistics["tree_depth"].max())
        return f"The file holds tree depths (at most {deepest}) but not which of them hit the limit."
    return "The sampler did not report which trajectories were cut off."


def _marks(tree: xr.DataTree, names: tuple[str, ...]) -> NDArray[np.bool_] | None:
    """The first of these sampler statistics, as booleans (chain, draw)."""
    statistics = tree.children.get("sample_stats")
    for name in names:
        if statistics is not None and name in statistics:
            return statistics[name].transpose("chain", "draw").to_numpy().astype(bool)
    return None
