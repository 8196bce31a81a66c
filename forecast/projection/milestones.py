"""Milestones on draws: thresholds, the condition tree, and the not-yet-crossed rule."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.model.graph import Quantity
from forecast.projection import crossings
from forecast.projection.crossings import Holding
from forecast.streams import stream
from forecast.units import UnitError, convert
from forecast.wording import did_you_mean
from forecast.worldview import All, Condition, Milestone, Mixture, Prior
from forecast.worldview import Any as AnyOf

Floats = NDArray[np.float64]


class MilestoneReader:
    """Draws what milestones need beside trajectories, and finds their crossings.

    Parameters
    ----------
    milestones : mapping of str to Milestone
    thresholds : mapping of str to Prior
    quantities : mapping of str to Quantity
        Of the projection graph.
    seed : int
    size : int
        Number of draws.
    horizon : float
        Decimal year at the end of the horizon; a later crossing is never.
    drawn : mapping of str to ndarray, (draw,), optional
        Draws of the thresholds, where they correlate with parameters.

    Raises
    ------
    InputError
        A condition names a quantity that no driver provides, a threshold's
        unit does not fit, or its success rate is not the quantity's.
    """

    def __init__(
        self,
        milestones: Mapping[str, Milestone],
        thresholds: Mapping[str, Prior],
        quantities: Mapping[str, Quantity],
        *,
        seed: int,
        size: int,
        horizon: float = np.inf,
        drawn: Mapping[str, Floats] | None = None,
    ) -> None:
        self.horizon = horizon
        self.milestones, self._priors, self._quantities = milestones, thresholds, quantities
        self._seed, self._size = seed, size
        self._levels: dict[tuple[str, str], Floats] = {}
        self._choices: dict[str, NDArray[np.int64]] = {}
        self.thresholds = drawn or {
            name: prior.rvs(stream(seed, "threshold", name), size) for name, prior in thresholds.items()
        }
        check_milestones(milestones, thresholds, quantities)

    @property
    def needed(self) -> list[str]:
        """Quantities that some condition reads."""
        return sorted({leaf.quantity for one in self.milestones.values() for leaf in one.conditions()})

    def crossing(
        self, name: str, trajectories: Mapping[str, Floats], draws: slice, decimal: Floats
    ) -> tuple[Floats, list[Floats]]:
        """Crossing dates of one milestone, and of the parts of its condition apart, for a block of draws.

        Parameters
        ----------
        name : str
        trajectories : mapping of str to ndarray, (draw, bloc, time)
        draws : slice
            Which draws of the run the block holds.
        decimal : ndarray, (time,)

        Returns
        -------
        crossed : ndarray, (draw, bloc)
            Decimal years, ``inf`` for never by the horizon.
        parts : list of ndarray, (draw, bloc)
            When each part of the outermost "all" or "any" first holds on the grid, or the condition itself.
        """
        milestone = self.milestones[name]
        condition = milestone.condition
        if isinstance(condition, All | AnyOf):
            holding = [
                self._holding(part, trajectories, draws, f"{name}/{position}")
                for position, part in enumerate(condition.conditions)
            ]
        else:
            holding = [self._holding(condition, trajectories, draws, name)]
        together = crossings.some if isinstance(condition, AnyOf) else crossings.every
        parts = [crossings.first_moment(one, decimal) for one in holding]
        dates = crossings.first_moment(together(holding), decimal)
        luck = stream(self._seed, "unreachable", name).random(self._size)[draws]
        never = (luck < milestone.unreachable)[:, None] | (dates > self.horizon)
        return np.where(never, np.inf, dates), parts

    def _holding(self, node: object, trajectories: Mapping[str, Floats], draws: slice, path: str) -> Holding:
        if isinstance(node, Condition):
            return crossings.holds(trajectories[node.quantity], self._level(node, path)[draws])
        if isinstance(node, Mixture):
            weights = np.array([weight for weight, _ in node.components])
            if path not in self._choices:
                generator = stream(self._seed, "mixture", path)
                self._choices[path] = generator.choice(
                    len(weights), size=self._size, p=weights / weights.sum()
                )
            parts = [
                self._holding(part, trajectories, draws, f"{path}/{position}")
                for position, (_, part) in enumerate(node.components)
            ]
            return crossings.chosen(parts, self._choices[path][draws])
        assert isinstance(node, All | AnyOf)
        parts = [
            self._holding(part, trajectories, draws, f"{path}/{position}")
            for position, part in enumerate(node.conditions)
        ]
        return crossings.every(parts) if isinstance(node, All) else crossings.some(parts)

    def _level(self, node: Condition, path: str) -> Floats:
        """Thresholds of a condition on the scale of its quantity, (draw,)."""
        name = node.threshold if isinstance(node.threshold, str) else f"in place {path}"
        if (name, node.quantity) not in self._levels:
            prior = self._prior(node)
            drawn = (
                self.thresholds[name]
                if isinstance(node.threshold, str)
                else prior.rvs(stream(self._seed, "threshold", path), self._size)
            )
            unit = self._quantities[node.quantity].scale
            self._levels[name, node.quantity] = np.asarray(convert(drawn, prior.unit, unit), dtype=float)
        return self._levels[name, node.quantity]

    def _prior(self, node: Condition) -> Prior:
        return self._priors[node.threshold] if isinstance(node.threshold, str) else node.threshold


def check_milestones(
    milestones: Mapping[str, Milestone],
    thresholds: Mapping[str, Prior],
    quantities: Mapping[str, Quantity],
    left_out: Mapping[str, str] | None = None,
) -> None:
    """Check that every condition fits the quantities that drivers provide.

    Parameters
    ----------
    milestones, thresholds : mapping
        Of the worldview.
    quantities : mapping of str to Quantity
        Of the graph.
    left_out : mapping of str to str, optional
        Quantities of drivers that are left out, and which driver it is.

    Raises
    ------
    InputError
        A condition names a quantity that no driver provides, a threshold's
        unit does not fit, or its success rate is not the quantity's.
    """
    problems = []

    def missing(name: str) -> str:
        provider = (left_out or {}).get(name)
        why = did_you_mean(name, list(quantities))
        if provider:
            why = f": {provider}, which provides it, is left out"
        return f"no loaded driver provides the quantity {name!r}{why}"

    for leaf in (leaf for milestone in milestones.values() for leaf in milestone.conditions()):
        quantity = quantities.get(leaf.quantity)
        if quantity is None:
            problems.append(f"{leaf.origin}: {missing(leaf.quantity)}")
            continue
        prior = thresholds[leaf.threshold] if isinstance(leaf.threshold, str) else leaf.threshold
        try:
            convert(1.0, prior.unit, quantity.scale)
        except UnitError as error:
            problems.append(f"{prior.origin}: does not fit {leaf.quantity} [{quantity.unit}]: {error}")
        if prior.success != quantity.success:
            said = "states no success rate"
            if prior.success is not None:
                said = f"is about a success rate of {prior.success:g}"
            wanted = "none" if quantity.success is None else f"{quantity.success:g}"
            problems.append(f"{prior.origin}: the threshold {said}, {leaf.quantity} is about {wanted}")
    for name, milestone in milestones.items():
        delay = milestone.announced_after
        if not delay:
            continue
        where = f"[milestones.{name}] announced_after"
        if delay not in quantities:
            problems.append(f"{where}: {missing(delay)}")
        elif quantities[delay].scale != "year":
            problems.append(f"{where}: {delay} is in {quantities[delay].scale}, and must be in years")
    if problems:
        raise InputError(problems)


def not_yet_crossed(
    milestones: Mapping[str, Milestone], dates: Mapping[str, Floats], as_of: float
) -> NDArray[np.bool_]:
    """Return which draws agree with the milestones that no bloc has crossed yet.

    Parameters
    ----------
    milestones : mapping of str to Milestone
    dates : mapping of str to ndarray, (draw, bloc)
    as_of : float
        Decimal year at the end of the as-of date.

    Returns
    -------
    ndarray of bool, (draw,)
    """
    size = len(next(iter(dates.values()))) if dates else 0
    accepted = np.ones(size, dtype=bool)
    for name, milestone in milestones.items():
        if milestone.not_yet_crossed:
            accepted &= ~np.any(dates[name] <= as_of, axis=-1)
    return accepted
