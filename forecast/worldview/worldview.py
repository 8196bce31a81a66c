"""A worldview: everything that a prior file says, merged and checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from forecast.worldview.correlations import Correlation
from forecast.worldview.interventions import Intervention
from forecast.worldview.milestones import Condition, Milestone
from forecast.worldview.origins import Origin
from forecast.worldview.priors import Prior

SlotKind = Literal["", "by_bloc", "by_epoch"]
Slot = tuple[SlotKind, str]
GENERAL: Slot = ("", "")
"""The slot of a general prior; the others are ("by_bloc", bloc) and ("by_epoch", label)."""


@dataclass(frozen=True)
class Window:
    """The years asked about; both days inclusive."""

    start: date
    end: date


@dataclass(frozen=True)
class Bloc:
    """A bloc: its name in files and code, its title in tables and pictures."""

    name: str
    title: str


@dataclass(frozen=True)
class Lead:
    """Whose lead over whom is reported, and the time within which a follower makes the world bipolar.

    Attributes
    ----------
    leader, follower : str
        Blocs.
    within_years : float
    """

    leader: str
    follower: str
    within_years: float


@dataclass(frozen=True)
class Override:
    """What a worldview says about one parameter of a driver.

    Attributes
    ----------
    priors : dict
        Slot to a whole prior, which replaces the driver's.
    edits : dict
        Slot to single keys to change in the driver's prior, in order.
    origins : dict
        Slot to where it was said; not compared.
    """

    priors: dict[Slot, Prior] = field(default_factory=dict)
    edits: dict[Slot, dict[str, Any]] = field(default_factory=dict)
    origins: dict[Slot, Origin] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Worldview:
    """Drivers, priors, milestones, blocs, window, as-of date and horizon.

    Attributes
    ----------
    name, title, description : str
    as_of : date
        Only evidence published by this day counts.
    horizon : date
        The projection's last day.
    seed : int
    window : Window
    blocs : tuple of Bloc
        In the order given.
    disabled : tuple of str
        Drivers that are left out.
    driver_priors : dict
        Driver to parameter to :class:`Override`; for ``resolve_priors``.
    milestones : dict of str to Milestone
    thresholds : dict of str to Prior
        Every one is read by a milestone.
    lead : Lead or None
        None with a single bloc.
    intervene : tuple of Intervention
        Changes to the future: the fit does not see them.
    correlations : tuple of Correlation
        Between priors; pairs that are not named have none.
    provenance : dict of str to Origin
        Dotted key to where it was given; not compared.
    notes : tuple of str
        What a layer cleared or dropped; not compared.
    """

    name: str
    title: str
    description: str
    as_of: date
    horizon: date
    seed: int
    window: Window
    blocs: tuple[Bloc, ...]
    disabled: tuple[str, ...]
    driver_priors: dict[str, dict[str, Override]]
    milestones: dict[str, Milestone]
    thresholds: dict[str, Prior]
    lead: Lead | None
    intervene: tuple[Intervention, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    provenance: dict[str, Origin] = field(default_factory=dict, compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def bloc_names(self) -> tuple[str, ...]:
        """Names of the blocs, in order."""
        return tuple(bloc.name for bloc in self.blocs)

    def conditions(self) -> list[Condition]:
        """Return the conditions of all milestones."""
        return [condition for milestone in self.milestones.values() for condition in milestone.conditions()]

    def replace(self, **changes: Any) -> Worldview:
        """Return a copy with other settings, checked again.

        Parameters
        ----------
        as_of, horizon : date or str, optional
            ISO; `as_of` may be ``"today"``.
        window : Window, (date, date) or str, optional
            ``"START:END"``, both inclusive.
        seed : int, optional
        disabled : sequence of str, optional
            Replaces the list of drivers that are left out.

        Raises
        ------
        InputError
            If a setting is wrong, or wrong beside the others.
        """
        from forecast.worldview.checks import checked_settings

        return dataclasses.replace(self, **checked_settings(self, changes))

    def to_toml(self) -> str:
        """Write one self-contained prior file that reads back as an equal worldview."""
        from forecast.worldview.writer import worldview_toml

        return worldview_toml(self)


def slot_path(driver: str, parameter: str, slot: Slot) -> tuple[str, ...]:
    """Return the path in a prior file of one slot of a parameter."""
    kind, label = slot
    return ("priors", driver, kind, label, parameter) if kind else ("priors", driver, parameter)


def dotted(path: Mapping[str, Any] | tuple[str | int, ...]) -> str:
    """Write a path with dots."""
    return ".".join(str(part) for part in path)
