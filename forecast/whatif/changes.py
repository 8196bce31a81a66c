"""What a change of settings is to a saved run: a matter of reading, of weights, or of a new fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forecast.units import UnitError
from forecast.worldview.correlations import THRESHOLDS, Number, label_of

if TYPE_CHECKING:
    from forecast.model import Key
    from forecast.worldview import Prior, ResolvedParameter, Worldview

STRUCTURE = {
    "as_of": "the as-of date decides which evidence is known",
    "blocs": "the blocs are part of the model",
    "disabled": "which drivers are used is part of the model",
    "milestones": "what counts as a crossing has changed, and the dates in the run are of the old definition",
    "intervene": "a change to the future changes the trajectories",
    "seed": "another seed gives other draws",
}
"""Fields of a worldview that no weights can change, and why."""

READING = ("window", "lead")
"""Fields of a worldview that only say how crossing dates are read."""


@dataclass(frozen=True)
class Changed:
    """One number with another prior.

    Attributes
    ----------
    number : Number
    before, after : Prior
        In the same unit.
    """

    number: Number
    before: Prior
    after: Prior

    def to_json(self) -> dict[str, Any]:
        """Return name, unit and both priors in words."""
        return {
            "name": str(self.number),
            "unit": self.before.unit,
            "before": self.before.summary(),
            "after": self.after.summary(),
        }


@dataclass
class Changes:
    """What a change of settings comes to.

    Attributes
    ----------
    priors : list of Changed
    correlated : bool
        Correlations have changed.
    read : list of str
        Settings that only say how crossing dates are read.
    refit : list of str
        Why weights cannot answer; empty where they can.
    """

    priors: list[Changed] = field(default_factory=list)
    correlated: bool = False
    read: list[str] = field(default_factory=list)
    refit: list[str] = field(default_factory=list)

    @property
    def weighs(self) -> bool:
        """Whether draws count for more or less than they did."""
        return bool(self.priors) or self.correlated

    @property
    def any(self) -> bool:
        """Whether anything has changed."""
        return self.weighs or bool(self.read or self.refit)


def touches_priors(before: Worldview, after: Worldview) -> bool:
    """Whether what the drivers declare has to be known to tell what has changed."""
    return before.driver_priors != after.driver_priors or before.correlations != after.correlations


def compare_settings(before: Worldview, after: Worldview, *, weighed: bool) -> Changes:
    """Compare everything but the drivers' priors.

    Parameters
    ----------
    before, after : Worldview
    weighed : bool
        Evidence on crossing dates set draws of the run aside, by the old horizon.
    """
    found = Changes()
    for name, why in STRUCTURE.items():
        if getattr(before, name) != getattr(after, name):
            key = "drivers.disable" if name == "disabled" else name
            found.refit.append(f"{key}: {why}")
    for name in READING:
        if getattr(before, name) != getattr(after, name):
            found.read.append(name)
    if after.horizon > before.horizon:
        found.refit.append(f"horizon: the run looks no further than {before.horizon}")
    elif after.horizon < before.horizon:
        if weighed:
            found.refit.append("horizon: evidence on crossing dates was weighed by the old one")
        else:
            found.read.append("horizon")
    for name in {**before.thresholds, **after.thresholds}:
        old, new = before.thresholds.get(name), after.thresholds.get(name)
        if old is not None and new is not None:
            if old.success != new.success:
                found.refit.append(f"thresholds.{name}: the success rate that it is about has changed")
            else:
                _compare_prior(found, Number(THRESHOLDS, name), old, new)
    return found


def compare_parameters(
    found: Changes,
    before: Mapping[Key, ResolvedParameter],
    after: Mapping[Key, ResolvedParameter],
) -> None:
    """Add the numbers of drivers that have another prior.

    Parameters
    ----------
    found : Changes
        Added to.
    before, after : mapping of (driver, name) to ResolvedParameter
        Under the worldviews before and after.
    """
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            continue  # its driver is left out, which is said already
        if old.entries.keys() != new.entries.keys() or old.shape != new.shape:
            found.refit.append(f"{'.'.join(key)}: it has another set of numbers, by bloc or epoch")
            continue
        for which, prior in old.entries.items():
            _compare_prior(found, Number(*key, label_of(which)), prior, new.entries[which])


def _compare_prior(found: Changes, number: Number, before: Prior, after: Prior) -> None:
    if after.unit != before.unit:
        try:
            after = after.converted(before.unit)
        except UnitError as error:
            found.refit.append(f"{number}: {error}")
            return
    if _law(before) == _law(after):
        return
    if before.is_constant or after.is_constant:
        found.refit.append(
            f"{number}: a fixed number is part of every trajectory of the run"
            if before.is_constant
            else f"{number}: no draw of the run has exactly the value that it is fixed at"
        )
        return
    low, high = before.support()
    new_low, new_high = after.support()
    if new_low < low or new_high > high:
        found.refit.append(
            f"{number}: {after.summary()} allows values that {before.summary()} ruled out, of which the run "
            "has no draws"
        )
        return
    found.priors.append(Changed(number, before, after))


def _law(prior: Prior) -> tuple[Any, ...]:
    """What a prior is as a distribution, without where it comes from."""
    return (prior.family, prior.params, [(weight, _law(one)) for weight, one in prior.components])


def sentences(changes: Changes) -> Iterator[str]:
    """Say what has changed, one line each."""
    for one in changes.priors:
        yield f"{one.number}: {one.before.summary()} becomes {one.after.summary()} ({one.before.unit})"
    if changes.correlated:
        yield "correlations between priors"
    yield from changes.read
    yield from changes.refit
