"""Parameters as arrays: which numbers are drawn, and where each one goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.model.graph import Key
from forecast.streams import stream
from forecast.worldview import Prior, ResolvedParameter

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
    """

    parameters: Mapping[Key, ResolvedParameter]
    blocs: tuple[str, ...]

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

    def draw(self, seed: int, size: int, purpose: str = "prior") -> NDArray[np.float64]:
        """Independent prior draws, (size, number).

        A number's stream depends on seed, purpose and its own name alone, so
        that another driver changes nobody's draws.
        """
        flat = np.empty((size, len(self.entries)))
        for number, entry in enumerate(self.entries):
            names = (purpose, *entry.key, entry.bloc, entry.epoch)
            flat[:, number] = entry.prior.rvs(stream(seed, *names), size)
        return flat

    def log_prior(self, flat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density of each number of each draw, (draw, number); 0 for constants."""
        result = np.zeros_like(flat)
        for number, entry in enumerate(self.entries):
            if not entry.prior.is_constant:
                result[:, number] = entry.prior.logpdf(flat[:, number])
        return result

    def subset(self, keys: Iterable[Key]) -> Layout:
        """Return the layout of some of the parameters, in the order of this one."""
        wanted = set(keys)
        return Layout({key: value for key, value in self.parameters.items() if key in wanted}, self.blocs)

    def _where(self, condition: list[bool]) -> NDArray[np.int64]:
        return np.flatnonzero(condition).astype(np.int64)
