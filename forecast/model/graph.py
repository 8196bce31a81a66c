"""What building a model yields: plain descriptions, no PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forecast.driver import Term
from forecast.evidence import EvidenceTable
from forecast.model.maths import Tensor
from forecast.model.observations import Observations
from forecast.units import scale_of
from forecast.worldview import Correlation, ResolvedParameter

Key = tuple[str, str]
"""(driver, name) of a parameter or of an evidence table."""


@dataclass(frozen=True)
class Spec:
    """Everything that decides a model, before any tensor exists.

    Attributes
    ----------
    blocs : tuple of str
    as_of : datetime.date
    terms : tuple of Term
    parameters : mapping of (driver, name) to ResolvedParameter
    evidence : mapping of (driver, table) to EvidenceTable
        Filtered by the as-of date and the blocs.
    distributions : mapping of str to str
        Driver to its distribution and version, for messages.
    correlations : tuple of Correlation
        Between priors of `parameters`, and of thresholds.
    disabled : tuple of str
        Drivers that were left out, for messages.
    left_out : mapping of str to str
        Quantities, and parameters as ``driver.parameter``, of drivers that are
        loaded and not in use; to that driver, for messages.
    """

    blocs: tuple[str, ...]
    as_of: date
    terms: tuple[Term, ...]
    parameters: Mapping[Key, ResolvedParameter]
    evidence: Mapping[Key, EvidenceTable]
    distributions: Mapping[str, str]
    correlations: tuple[Correlation, ...] = ()
    disabled: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """One step in which a quantity comes about: its base, an addition, a limit, an intervention.

    Attributes
    ----------
    kind : {"base", "addition", "limit", "intervention"}
    driver : str
        Whose term it is; empty for interventions.
    name : str
        The term's method, as interventions know it.
    title : str
    tensor : tensor, (bloc, time)
        The quantity after this step.
    grows_with : tuple of str
        Quantities whose growth the step hands on one for one.
    present : ndarray of bool, (bloc,)
        Blocs that the step reaches.
    """

    kind: Literal["base", "addition", "limit", "intervention"]
    driver: str
    name: str
    title: str
    tensor: Tensor
    grows_with: tuple[str, ...]
    present: NDArray[np.bool_]


@dataclass
class Quantity:
    """A trajectory on (bloc, time).

    Attributes
    ----------
    tensor : tensor, (bloc, time)
        In log10 of `unit`, or in `unit` where `linear`.
    channels : dict of str to tensor
        Linear flows, zero for a bloc without the channel.
    channels_name : str
        Under which a run stores them.
    states : tuple of str
        Names of the states of which the trajectory is the index.
    present : ndarray of bool, (bloc,)
        False where no channel exists for a bloc: such a quantity limits
        nothing there.
    success : float or None
        The success rate that a time horizon is about.
    reads : set of (driver, name)
        Parameters it depends on, also through other quantities.
    needs : set of str
        Quantities that its terms read.
    stages : list of Stage
        The steps in which it came about, the last of which is `tensor`; for
        projections only.
    """

    name: str
    tensor: Tensor
    unit: str
    linear: bool
    title: str
    owner: str
    present: NDArray[np.bool_]
    success: float | None = None
    channels: dict[str, Tensor] = field(default_factory=dict)
    channels_name: str = ""
    states: tuple[str, ...] = ()
    reads: set[Key] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    stages: list[Stage] = field(default_factory=list)

    @property
    def scale(self) -> str:
        """The unit in which the trajectory's numbers are."""
        return scale_of(self.unit, self.linear)


@dataclass
class Likelihood:
    """One measurement model: rows and the distribution that they are draws of.

    Attributes
    ----------
    label : str
        Table name, with the part after a dot where a table has several.
    family : {"normal", "student_t", "censored_normal"}
    mean, sd : tensor, (row,)
    nu : tensor or None
        Degrees of freedom of the Student-t.
    upper : tensor or None, bound : str
        Censoring bound and its column: a row at or above it says only "at
        least that".
    """

    label: str
    driver: str
    family: Literal["normal", "student_t", "censored_normal"]
    observations: Observations
    value: str
    mean: Tensor
    sd: Tensor
    nu: Tensor | None = None
    upper: Tensor | None = None
    bound: str = ""

    @property
    def observed(self) -> NDArray[np.float64]:
        """Observed values, shape (row,); a censored one is its bound."""
        columns = self.observations.columns
        return np.minimum(columns[self.value], columns[self.bound]) if self.bound else columns[self.value]


@dataclass(frozen=True)
class BuiltTerm:
    """A term, and what it asked for while it was built.

    Attributes
    ----------
    term : Term
    quantities : frozenset of str
        Trajectories that it read.
    parameters : frozenset of (driver, name)
        Parameters that it read itself, not through a quantity.
    observations : Observations or None
        Of an observation: the rows that it uses.
    """

    term: Term
    quantities: frozenset[str]
    parameters: frozenset[Key]
    observations: Observations | None = None


@dataclass
class Graph:
    """A built model: symbolic inputs, quantities and likelihoods.

    Attributes
    ----------
    parameters : dict of (driver, name) to tensor
        Inputs; (), (bloc, 1) or (bloc, epoch).
    data : dict of str to (tensor, ndarray)
        Inputs that are numbers: grid, rows, epochs.
    shocks : dict of str to (tensor (1, time), tensor (bloc, time))
        Inputs: common and own innovations, standard normal.
    inferred : set of (driver, name)
        Parameters that some likelihood reads.
    built : list of BuiltTerm
        Every term, in the order in which they were finished.
    """

    spec: Spec
    months: NDArray[np.datetime64]
    decimal: NDArray[np.float64]
    quantities: dict[str, Quantity] = field(default_factory=dict)
    likelihoods: list[Likelihood] = field(default_factory=list)
    parameters: dict[Key, Tensor] = field(default_factory=dict)
    data: dict[str, tuple[Tensor, NDArray[Any]]] = field(default_factory=dict)
    shocks: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    inferred: set[Key] = field(default_factory=set)
    built: list[BuiltTerm] = field(default_factory=list)

    @property
    def needs(self) -> dict[str, set[str]]:
        """Quantities that the terms of each driver read."""
        found: dict[str, set[str]] = {}
        for one in self.built:
            found.setdefault(one.term.driver, set()).update(one.quantities)
        return found
