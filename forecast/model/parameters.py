"""Parameters as arrays: which numbers are drawn, and where each one goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.model.copula import Copula
from forecast.model.graph import Key
from forecast.streams import stream
from forecast.worldview import Correlation, Number, Prior, ResolvedParameter, correlation_matrix
from forecast.worldview import Key as Which
from forecast.worldview.correlations import THRESHOLDS, label_of

AFFINE = ("Normal", "LogNormal")
"""Families that are a standard normal, shifted and scaled (and exponentiated)."""


@dataclass(frozen=True)
class Entry:
    """One number of one parameter.

    Attributes
    ----------
    key : (driver, name)
    bloc : int
        Index along the bloc axis; 0 for a scalar.
    epoch : int
        Index along the epoch axis; 0 without epochs.
    prior : Prior
    """

    key: Key
    bloc: int
    epoch: int
    prior: Prior

    @property
    def structure(self) -> tuple[object, ...]:
        """What decides compiled code: all but the numbers."""
        families = tuple(component.family for _, component in self.prior.components)
        return (self.key, self.bloc, self.epoch, self.prior.family, families)


def parameter_shape(resolved: ResolvedParameter, blocs: Sequence[str]) -> tuple[int, ...]:
    """Shape of a parameter in the graph: (), (bloc, 1), (bloc, epoch) or (1, epoch)."""
    if resolved.shape == "scalar":
        return ()
    rows = len(blocs) if resolved.shape == "bloc" or resolved.blocs else 1
    return (rows, len(resolved.epochs) if resolved.shape == "epoch" else 1)


def entries_of(key: Key, resolved: ResolvedParameter, blocs: Sequence[str]) -> list[Entry]:
    """Return the numbers of a parameter; blocs without a prior have none."""
    epochs = {label: position for position, (label, _) in enumerate(resolved.epochs)}
    places = {bloc: position for position, bloc in enumerate(blocs)}
    absent = absent_blocs(resolved, blocs)
    return [
        Entry(key, places[where.bloc] if where.bloc else 0, epochs.get(where.epoch, 0), prior)
        for where, prior in resolved.entries.items()
        if where.bloc not in absent
    ]


def absent_blocs(resolved: ResolvedParameter, blocs: Sequence[str]) -> list[str]:
    """Blocs for which a parameter that differs by bloc has no prior, or lacks one of its epochs."""
    if not (resolved.shape == "bloc" or resolved.blocs):
        return []
    needed = max(1, len(resolved.epochs)) if resolved.shape == "epoch" else 1
    counts = Counter(where.bloc for where in resolved.entries)
    return [bloc for bloc in blocs if counts[bloc] < needed]


@dataclass(frozen=True)
class Layout:
    """The numbers of some parameters as one flat vector per draw.

    Attributes
    ----------
    parameters : mapping of (driver, name) to ResolvedParameter
    blocs : tuple of str
    correlations : tuple of Correlation
        Those of numbers that are not among the parameters have no effect here.
    """

    parameters: Mapping[Key, ResolvedParameter]
    blocs: tuple[str, ...]
    correlations: tuple[Correlation, ...] = ()

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All numbers, in the order of the flat vector."""
        return tuple(
            entry
            for key, resolved in self.parameters.items()
            for entry in entries_of(key, resolved, self.blocs)
        )

    @cached_property
    def affine(self) -> NDArray[np.int64]:
        """Indices of numbers that are transforms of a standard normal."""
        return self._where([entry.prior.family in AFFINE for entry in self.entries])

    @cached_property
    def constant(self) -> NDArray[np.int64]:
        """Indices of constants."""
        return self._where([entry.prior.is_constant for entry in self.entries])

    @cached_property
    def other(self) -> NDArray[np.int64]:
        """Indices of numbers of any other family, each a random variable of its own."""
        return np.setdiff1d(np.arange(len(self.entries)), np.concatenate([self.affine, self.constant]))

    @property
    def is_random(self) -> bool:
        """Whether any number is not a constant."""
        return len(self.constant) < len(self.entries)

    def hyperparameters(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Location, scale and whether to exponentiate, of the affine numbers."""
        priors = [self.entries[index].prior for index in self.affine]
        loc = np.array([prior.params["mu"] for prior in priors], dtype=float)
        scale = np.array([prior.params["sigma"] for prior in priors], dtype=float)
        exponent = np.array([prior.family == "LogNormal" for prior in priors], dtype=bool)
        return loc, scale, exponent

    def constants(self) -> NDArray[np.float64]:
        """Values of the constants."""
        return np.array([self.entries[index].prior.params["value"] for index in self.constant], dtype=float)

    def shaped(self, flat: NDArray[np.float64]) -> dict[Key, NDArray[np.float64]]:
        """Flat draws as one array a parameter, as the graph wants them.

        Parameters
        ----------
        flat : ndarray, (draw, number)

        Returns
        -------
        dict of (driver, name) to ndarray
            (draw,), (draw, bloc, 1) or (draw, bloc, epoch); blocs that a
            parameter does not have hold the value of one that it has, which
            nothing uses.
        """
        result = {}
        for key, resolved in self.parameters.items():
            indices = self.indices[key]
            if not self.entries:  # a parameter of a bloc that the worldview does not have, and no other
                result[key] = np.zeros((len(flat), *parameter_shape(resolved, self.blocs)))
                continue
            result[key] = flat[:, indices[0, 0]] if resolved.shape == "scalar" else flat[:, indices]
        return result

    @cached_property
    def indices(self) -> dict[Key, NDArray[np.int64]]:
        """Place in the flat vector of each (bloc, epoch) of each parameter."""
        result = {}
        for key, resolved in self.parameters.items():
            own = [(number, entry) for number, entry in enumerate(self.entries) if entry.key == key]
            shape = parameter_shape(resolved, self.blocs) or (1, 1)
            indices = np.full(shape, -1, dtype=np.int64)
            for number, entry in own:
                indices[entry.bloc, entry.epoch] = number
            present = indices[indices[:, 0] >= 0]
            indices[indices[:, 0] < 0] = present[0] if len(present) else 0
            result[key] = indices
        return result

    @cached_property
    def numbers(self) -> dict[Number, int]:
        """Place in the flat vector of each number, by its name in prior files."""
        result = {}
        for place, entry in enumerate(self.entries):
            resolved = self.parameters[entry.key]
            bloc = self.blocs[entry.bloc] if resolved.shape == "bloc" or resolved.blocs else ""
            epoch = resolved.epochs[entry.epoch][0] if resolved.shape == "epoch" else ""
            result[Number(*entry.key, label_of(Which(bloc, epoch)))] = place
        return result

    @cached_property
    def priors(self) -> dict[Number, Prior]:
        """Priors of the numbers, by their names in prior files."""
        return {number: self.entries[place].prior for number, place in self.numbers.items()}

    @cached_property
    def copula(self) -> Copula | None:
        """Correlations between the numbers; None if no two of them correlate."""
        return Copula.among(self.correlations, self.priors)

    @cached_property
    def mix(self) -> NDArray[np.float64] | None:
        """Lower factor of the correlation matrix of the affine numbers; None if no two of them correlate.

        Raises
        ------
        InputError
            A number that is not affine correlates with another: only the
            standard normals behind the affine ones are free in the sampler.
        """
        copula = Copula.among(self.correlations, self.priors)
        if copula is None:
            return None
        problems = [
            f"{one.origin()}: {member} is a {self.priors[member].family}; fitted to the evidence, as it and "
            "what it correlates with are, only Normal and LogNormal numbers can be correlated. Give it one "
            f"of these (by quantiles, perhaps), set correlations.{one.name}.correlation to 0, or run with "
            "--prior-only"
            for one in self.correlations
            for member in one.between
            if one.correlation and all(other in self.priors for other in one.between)
            if self.priors[member].family not in AFFINE
        ]
        if problems:
            raise InputError(problems)
        names = {place: number for number, place in self.numbers.items()}
        affine = [names[place] for place in self.affine.tolist()]
        if Copula.among(self.correlations, {number: self.priors[number] for number in affine}) is None:
            return None
        return np.linalg.cholesky(correlation_matrix(self.correlations, affine))

    def require_correlated(self) -> None:
        """Refuse correlations of parameters that are not in this layout: nothing reads them.

        Raises
        ------
        InputError
        """
        problems = [
            f"{one.origin()}: no loaded driver reads {member}, so its correlation would change nothing"
            for one in self.correlations
            for member in one.between
            if member.owner != THRESHOLDS and member not in self.numbers
        ]
        if problems:
            raise InputError(problems)

    def draw(
        self,
        seed: int,
        size: int,
        purpose: str = "prior",
        *,
        known: Layout | None = None,
        values: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Prior draws, (size, number).

        A number's stream depends on seed, purpose and its own name alone, so
        that another driver changes nobody's draws; what correlates is drawn
        from these streams as well.

        Parameters
        ----------
        seed, size, purpose
        known : Layout, optional
            Of numbers whose draws are given, such as the inferred ones.
        values : ndarray, (size, number of `known`), optional
            Their draws; numbers that correlate with them are drawn given them.
        """
        flat = np.empty((size, len(self.entries)))
        for number, entry in enumerate(self.entries):
            names = (purpose, *entry.key, entry.bloc, entry.epoch)
            flat[:, number] = entry.prior.rvs(stream(seed, *names), size)
        given: list[Number] = []
        if known is not None and values is not None:
            given = list(known.numbers)
            flat[:, [self.numbers[one] for one in given]] = values[:, list(known.numbers.values())]
        if self.copula is not None:
            columns = {one: flat[:, self.numbers[one]] for one in self.copula.members}
            for one, drawn in self.copula.draw(columns, known=given).items():
                flat[:, self.numbers[one]] = drawn
        return flat

    def column(self, shaped: Mapping[Key, NDArray[np.float64]], number: Number) -> NDArray[np.float64]:
        """Return the draws of one number, (draw,), from arrays as :meth:`shaped` returns them."""
        entry = self.entries[self.numbers[number]]
        draws = shaped[entry.key]
        return draws if draws.ndim == 1 else draws[:, entry.bloc, entry.epoch]

    def log_prior(self, flat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density of each number's own prior at each draw, (draw, number); 0 for constants."""
        result = np.zeros_like(flat)
        for number, entry in enumerate(self.entries):
            if not entry.prior.is_constant:
                result[:, number] = entry.prior.logpdf(flat[:, number])
        return result

    def subset(self, keys: Iterable[Key]) -> Layout:
        """Return the layout of some of the parameters, in the order of this one."""
        wanted = set(keys)
        parameters = {key: value for key, value in self.parameters.items() if key in wanted}
        return Layout(parameters, self.blocs, self.correlations)

    def _where(self, condition: list[bool]) -> NDArray[np.int64]:
        return np.flatnonzero(condition).astype(np.int64)
