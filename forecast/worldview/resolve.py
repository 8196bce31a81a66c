"""A worldview's priors applied to the drivers' defaults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

from forecast.units import UnitError
from forecast.wording import did_you_mean, shown
from forecast.worldview.correlation_checks import check_correlations
from forecast.worldview.defaults import ParameterPriors, known_drivers
from forecast.worldview.edits import edited_prior
from forecast.worldview.origins import Origin, Problems, key_text
from forecast.worldview.priors import Prior
from forecast.worldview.worldview import GENERAL, Override, Slot, SlotKind, Worldview, slot_path


class Key(NamedTuple):
    """Which number of a parameter: empty text where it does not differ.

    ``Key()`` for a scalar, ``Key("china")``, ``Key(epoch="to-2022")`` or
    ``Key("china", "to-2022")``.
    """

    bloc: str = ""
    epoch: str = ""


@dataclass(frozen=True)
class ResolvedParameter:
    """A parameter as one worldview has it.

    Attributes
    ----------
    driver, name : str
    unit : str
        That of every prior in `entries`.
    shape : {"scalar", "bloc", "epoch"}
        An epoch parameter may differ by bloc too (`blocs` is then not empty).
    epochs : tuple of (str, date)
        Label and first day, in order of time; for shape "epoch".
    entries : dict of Key to Prior
        One independent draw each; blocs without a prior are absent. In the
        order of epochs, then of the worldview's blocs.
    blocs : tuple of str
        Blocs for which it exists, in the worldview's order; empty if it does not differ by bloc.
    notes : tuple of str
        Default priors by bloc or epoch that the worldview's general prior cleared.
    """

    driver: str
    name: str
    unit: str
    shape: Literal["scalar", "bloc", "epoch"]
    epochs: tuple[tuple[str, date], ...]
    entries: dict[Key, Prior]
    blocs: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)


def resolve_priors(
    worldview: Worldview, defaults: Sequence[ParameterPriors]
) -> dict[tuple[str, str], ResolvedParameter]:
    """Apply a worldview's priors to the drivers' defaults.

    Parameters
    ----------
    worldview : Worldview
    defaults : sequence of ParameterPriors
        Of all loaded drivers, those disabled included.

    Returns
    -------
    dict
        (driver, parameter) to :class:`ResolvedParameter`, in the order of
        `defaults`, without disabled drivers.

    Raises
    ------
    InputError
        With every unknown driver and parameter, misplaced slot, unit that
        does not convert and correlation that cannot be, each with file and line.
    """
    problems = Problems()
    _check_names(worldview, defaults, problems)
    found: dict[tuple[str, str], ResolvedParameter] = {}
    for default in defaults:
        if default.driver in worldview.disabled:
            continue
        override = worldview.driver_priors.get(default.driver, {}).get(default.name, Override())
        resolved = _Resolver(worldview, default, override, problems).resolve()
        if resolved is not None:
            found[default.driver, default.name] = resolved
    check_correlations(worldview, defaults, found, problems)
    problems.raise_any()
    return found


def _check_names(worldview: Worldview, defaults: Iterable[ParameterPriors], problems: Problems) -> None:
    defaults = list(defaults)
    drivers = known_drivers(defaults)
    for driver, parameters in worldview.driver_priors.items():
        if driver in worldview.disabled:
            continue
        names = [default.name for default in defaults if default.driver == driver]
        for parameter, override in parameters.items():
            origin = next(iter(override.origins.values()), Origin(worldview.name))
            if driver not in drivers:
                problems.add(origin, f"there is no driver {shown(driver)}{did_you_mean(driver, drivers)}")
            elif parameter not in names:
                problems.add(
                    origin,
                    f"driver {driver!r} has no parameter {shown(parameter)}{did_you_mean(parameter, names)}",
                )


class _Resolver:
    """Resolves one parameter."""

    def __init__(
        self, worldview: Worldview, default: ParameterPriors, override: Override, problems: Problems
    ) -> None:
        self.worldview, self.default, self.override, self.problems = worldview, default, override, problems
        self.notes: list[str] = []

    def origin(self, slot: Slot) -> Origin:
        path = slot_path(self.default.driver, self.default.name, slot)
        return self.override.origins.get(slot) or Origin(self.worldview.name, None, key_text(path))

    def fail(self, slot: Slot, message: str) -> None:
        self.problems.add(self.origin(slot), message)

    def resolve(self) -> ResolvedParameter | None:
        if not self.slots_fit():
            return None
        general = self.chosen(GENERAL, self.default.general)
        cleared = GENERAL in self.override.priors
        by_bloc = self.labelled("by_bloc", self.default.by_bloc, cleared)
        by_epoch = self.labelled("by_epoch", self.default.by_epoch, cleared)
        restricted = self.default.restricted_to()
        if general is not None and general.blocs is not None:
            restricted = tuple(dict.fromkeys([*general.blocs, *by_bloc]))
        elif restricted is not None:
            restricted = tuple(dict.fromkeys([*restricted, *by_bloc]))
        blocs = [b for b in self.worldview.bloc_names if restricted is None or b in restricted]
        if self.default.by_epoch:
            return self.by_epoch(general, by_epoch, blocs, restricted is not None)
        if not (self.default.per_bloc or self.default.by_bloc or restricted is not None):
            return self.result("scalar", {Key(): general} if general else {})
        entries = {Key(bloc): by_bloc.get(bloc, general) for bloc in blocs}
        self.check_read(by_bloc, blocs, "by_bloc")
        return self.result("bloc", {key: prior for key, prior in entries.items() if prior is not None})

    def by_epoch(
        self, general: Prior | None, by_epoch: dict[str, Prior], blocs: list[str], restricted: bool
    ) -> ResolvedParameter:
        labels = [label for label, _ in self.default.epochs]
        self.check_read(by_epoch, labels, "by_epoch")
        entries: dict[Key, Prior] = {}
        for label in labels:
            prior = by_epoch.get(label, general)
            if prior is None:
                continue
            if not restricted and not self.default.per_bloc:
                entries[Key(epoch=label)] = prior
                continue
            for bloc in blocs:
                if prior.blocs is None or bloc in prior.blocs:
                    entries[Key(bloc, label)] = prior
        return self.result("epoch", entries)

    def check_read(self, found: Iterable[str], labels: Sequence[str], kind: SlotKind) -> None:
        """Refuse keys set on the parameter itself where each bloc or epoch has another prior."""
        shadowing = set(found)
        if (
            self.default.general is None
        ):  # then they are set on each prior that the worldview does not replace
            shadowing = {label for label in labels if (kind, label) in self.override.priors}
        if GENERAL in self.override.edits and labels and shadowing.issuperset(labels):
            what = kind.removeprefix("by_")
            message = f"nothing reads this: every {what} has a prior of its own; write {kind}.<{what}>"
            self.fail(GENERAL, message)

    def result(
        self, shape: Literal["scalar", "bloc", "epoch"], entries: dict[Key, Prior]
    ) -> ResolvedParameter:
        present = {key.bloc for key in entries if key.bloc}
        return ResolvedParameter(
            driver=self.default.driver,
            name=self.default.name,
            unit=self.default.unit,
            shape=shape,
            epochs=self.default.epochs,
            entries=entries,
            blocs=tuple(b for b in self.worldview.bloc_names if b in present),
            notes=tuple(self.notes),
        )

    def slots_fit(self) -> bool:
        """Check that by_bloc and by_epoch are used where the parameter differs so."""
        fits = True
        name, labels = self.default.name, [label for label, _ in self.default.epochs]
        per_bloc = self.default.per_bloc or self.default.by_bloc or self.default.restricted_to() is not None
        for slot in {**self.override.priors, **self.override.edits}:
            kind, label = slot
            message = ""
            if kind == "by_bloc" and labels:
                message = f"{name} differs by epoch: write by_epoch.<label>, with one of {', '.join(labels)}"
            elif kind == "by_bloc" and not per_bloc:
                message = f"{name} is one number for all blocs and cannot differ by bloc"
            elif kind == "by_epoch" and not labels:
                message = f"{name} does not differ by epoch"
            elif kind == "by_epoch" and label not in labels:
                message = f"{shown(label)} is no epoch of {name}{did_you_mean(label, labels)}"
            elif kind == "" and not per_bloc and not labels and slot in self.override.priors:
                if self.override.priors[slot].blocs is not None:
                    message = f"{name} is one number for all blocs: blocs has no meaning"
            if message:
                fits = False
                self.fail(slot, message)
        return fits

    def labelled(
        self, kind: Literal["by_bloc", "by_epoch"], defaults: dict[str, Prior], cleared: bool
    ) -> dict[str, Prior]:
        """Return the priors of one kind of slot: the worldview's, else the driver's unless cleared."""
        lower = {} if cleared else defaults
        if cleared and defaults:
            self.notes.append(
                f"{self.origin(GENERAL)} clears the driver's {kind} priors of {', '.join(defaults)}"
            )
        own = [
            label for slot_kind, label in {**self.override.priors, **self.override.edits} if slot_kind == kind
        ]
        found: dict[str, Prior] = {}
        for label in dict.fromkeys([*lower, *own]):
            prior = self.chosen((kind, label), lower.get(label))
            if prior is not None:
                found[label] = prior
        return found

    def chosen(self, slot: Slot, default: Prior | None) -> Prior | None:
        """Return the worldview's prior of a slot, or the driver's with the worldview's edits."""
        prior = self.override.priors.get(slot)
        edits = self.edits(slot)
        if prior is None and edits:
            prior = self.edited(slot, default, edits)
        if prior is None:
            return default
        try:
            return prior.converted(self.default.unit)
        except UnitError as error:
            self.fail(slot, str(error))
            return default

    def edits(self, slot: Slot) -> dict[str, Any]:
        """Return the keys to change in the driver's prior of a slot.

        Where the driver has no general prior, keys set on the parameter itself
        are set on each of its priors.
        """
        own = self.override.edits.get(slot, {})
        if self.default.general is not None or GENERAL in self.override.priors:
            return own
        return {} if slot == GENERAL else self.override.edits.get(GENERAL, {}) | own

    def edited(self, slot: Slot, default: Prior | None, edits: dict[str, Any]) -> Prior | None:
        said = slot if slot in self.override.edits else GENERAL
        if default is None:
            what, instead = " and ".join(edits), self.changeable()
            self.fail(said, f"there is no such prior whose {what} could be changed: give it whole{instead}")
            return None
        path = slot_path(self.default.driver, self.default.name, slot)
        try:
            return edited_prior(default, edits, path, self.origin(said))
        except ValueError as error:
            for problem in str(error).splitlines():
                self.fail(said, problem)
            return None

    def changeable(self) -> str:
        """Name the driver's priors whose single keys can be changed."""
        slots: list[Slot] = [GENERAL] if self.default.general else []
        slots += [("by_bloc", bloc) for bloc in self.default.by_bloc]
        slots += [("by_epoch", label) for label in self.default.by_epoch]
        names = [".".join(slot_path(self.default.driver, self.default.name, slot)) for slot in slots]
        return f"; the driver has {', '.join(names)}" if names else ""
