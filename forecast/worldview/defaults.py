"""A driver's own priors: what its ``priors.toml`` says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from forecast.dates import parse_date
from forecast.errors import InputError
from forecast.units import UnitError
from forecast.wording import shown
from forecast.worldview.files import Document, Readable, parse_document
from forecast.worldview.origins import SLOT_TABLES, Origin, Problems
from forecast.worldview.prior_tables import read_prior
from forecast.worldview.priors import Prior
from forecast.worldview.schema import LABEL, NAME, check_name
from forecast.worldview.toml_lines import Path

EPOCHS = "epochs"


@dataclass(frozen=True)
class ParameterPriors:
    """A parameter of a driver and its default priors.

    Attributes
    ----------
    driver, name : str
    unit : str
        That of the parameter; all its priors are in it.
    per_bloc : bool
        Each bloc draws its own value from the general prior.
    general : Prior or None
    by_bloc : dict of str to Prior
    by_epoch : dict of str to Prior
    epochs : tuple of (str, date)
        Label and first day, in order of time; empty unless it differs by epoch.
    origin : Origin
    """

    driver: str
    name: str
    unit: str
    per_bloc: bool
    general: Prior | None
    by_bloc: dict[str, Prior] = field(default_factory=dict)
    by_epoch: dict[str, Prior] = field(default_factory=dict)
    epochs: tuple[tuple[str, date], ...] = ()
    origin: Origin = field(default=Origin(""), compare=False)

    def restricted_to(self) -> tuple[str, ...] | None:
        """Return the blocs for which the parameter exists; None if for all."""
        epochs = list(self.by_epoch.values())
        if self.general is not None and self.general.blocs is None:
            return None
        if any(prior.blocs is None for prior in epochs):
            return None
        if self.general is None and not epochs:
            return tuple(self.by_bloc)
        named = [b for prior in [self.general, *epochs] if prior for b in prior.blocs or ()]
        return tuple(dict.fromkeys([*named, *self.by_bloc]))


def read_driver_priors(source: str | Readable, driver: str, file: str | None = None) -> list[ParameterPriors]:
    """Read a driver's priors.

    Parameters
    ----------
    source : str or path-like
        TOML text, or a path or package resource to read.
    driver : str
        Its name, as in prior files.
    file : str, optional
        Name of the file for messages; ``<driver>/priors.toml`` unless told.

    Returns
    -------
    list of ParameterPriors
        In the order of the file.

    Raises
    ------
    InputError
        With every problem, each naming file, line and key.
    """
    file = file or f"{driver}/priors.toml"
    try:
        content = source if isinstance(source, str) else source.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    problems = Problems()
    reader = _Reader(parse_document(content, file), driver, problems)
    parameters = reader.read()
    problems.raise_any()
    return parameters


class _Reader:
    def __init__(self, document: Document, driver: str, problems: Problems) -> None:
        self.document, self.driver, self.problems = document, driver, problems

    def fail(self, path: Path, message: str) -> None:
        self.problems.add(self.document.origin(path), message)

    def read(self) -> list[ParameterPriors]:
        data = self.document.data
        epochs = self.epochs(data.get(EPOCHS, {}))
        general = {
            name: self.prior((name,), table)
            for name, table in data.items()
            if name not in (*SLOT_TABLES, EPOCHS)
        }
        by_bloc = self.slots("by_bloc", data.get("by_bloc", {}))
        by_epoch = self.slots("by_epoch", data.get("by_epoch", {}))
        labels = [label for label, _ in epochs]
        for label in {label: None for slots in by_epoch.values() for label in slots if label not in labels}:
            self.fail(("by_epoch", label), f"is no epoch: [epochs] has {', '.join(labels) or 'none'}")
        names = list(dict.fromkeys([*general, *by_bloc, *by_epoch]))
        if self.problems:
            return []
        found = [
            self.parameter(n, general.get(n), by_bloc.get(n, {}), by_epoch.get(n, {}), epochs) for n in names
        ]
        return [parameter for parameter in found if parameter is not None]

    def epochs(self, table: object) -> tuple[tuple[str, date], ...]:
        if not isinstance(table, dict):
            self.fail((EPOCHS,), f"must be a table of labels and first days, got {shown(table)}")
            return ()
        found: list[tuple[str, date]] = []
        for label, day in table.items():
            if not LABEL.fullmatch(label):
                self.fail((EPOCHS, label), "a label has letters, digits, - and _")
            try:
                found.append((label, parse_date(day)))
            except ValueError as error:
                self.fail((EPOCHS, label), str(error))
        days = [day for _, day in found]
        if len(set(days)) < len(days):
            self.fail((EPOCHS,), "two epochs begin on one day")
        return tuple(sorted(found, key=lambda epoch: epoch[1]))

    def prior(self, path: Path, table: object) -> Prior | None:
        check_name(path, self.document, self.problems)
        return read_prior(table, path, self.document, self.problems, "driver")

    def slots(self, kind: str, table: object) -> dict[str, dict[str, Prior]]:
        """Read ``by_bloc`` or ``by_epoch``: parameter to label to prior."""
        found: dict[str, dict[str, Prior]] = {}
        if not isinstance(table, dict):
            self.fail((kind,), f"must be a table, got {shown(table)}")
            return found
        for label, parameters in table.items():
            if not isinstance(parameters, dict):
                self.fail((kind, label), f"must be a table of parameters, got {shown(parameters)}")
                continue
            if not (NAME if kind == "by_bloc" else LABEL).fullmatch(label):
                self.fail((kind, label), "a label has letters, digits, - and _")
            for name, inner in parameters.items():
                prior = self.prior((kind, label, name), inner)
                if prior is None:
                    continue
                if kind == "by_bloc" and (prior.blocs is not None or prior.per_bloc):
                    self.fail((kind, label, name), "blocs and per have no meaning inside by_bloc")
                found.setdefault(name, {})[label] = prior
        return found

    def parameter(
        self,
        name: str,
        general: Prior | None,
        by_bloc: dict[str, Prior],
        by_epoch: dict[str, Prior],
        epochs: tuple[tuple[str, date], ...],
    ) -> ParameterPriors | None:
        first = general or next(iter([*by_bloc.values(), *by_epoch.values()]))
        path: Path = (
            (name,)
            if general
            else ("by_bloc" if by_bloc else "by_epoch", next(iter(by_bloc or by_epoch)), name)
        )
        if by_bloc and by_epoch:
            self.fail(
                path, f"{name} differs by bloc and by epoch: choose one (by_epoch with blocs restricts it)"
            )
            return None
        if by_epoch and general is None:
            missing = [label for label, _ in epochs if label not in by_epoch]
            if missing:
                self.fail(
                    path, f"{name} has no prior for the epochs {', '.join(missing)}, and no general one"
                )
        unit = first.unit
        return ParameterPriors(
            driver=self.driver,
            name=name,
            unit=unit,
            per_bloc=any(prior.per_bloc for prior in [general, *by_epoch.values()] if prior),
            general=general,
            by_bloc={
                label: self.restated(prior, unit, ("by_bloc", label, name))
                for label, prior in by_bloc.items()
            },
            by_epoch={
                label: self.restated(prior, unit, ("by_epoch", label, name))
                for label, prior in by_epoch.items()
            },
            epochs=epochs if by_epoch else (),
            origin=first.origin,
        )

    def restated(self, prior: Prior, unit: str, path: Path) -> Prior:
        try:
            return prior.converted(unit)
        except UnitError as error:
            self.fail(path, str(error))
            return prior


def known_drivers(defaults: Any) -> list[str]:
    """Return the names of the drivers that have parameters, in order."""
    return list(dict.fromkeys(parameter.driver for parameter in defaults))
