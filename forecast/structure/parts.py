"""The parts of a model as a diagram shows them: plain descriptions, and their stable form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class DriverPart:
    """A driver.

    Attributes
    ----------
    name, title : str
    distribution : str
        And version, such as ``"agi-forecast 0.1.0"``; the path of a file.
    parameters : tuple of str
    reads : tuple of str
        Quantities of other drivers.
    reads_parameters : tuple of str
        Parameters of other drivers, as ``driver.parameter``.
    """

    name: str
    title: str
    distribution: str
    parameters: tuple[str, ...]
    reads: tuple[str, ...]
    reads_parameters: tuple[str, ...]


@dataclass(frozen=True)
class TermPart:
    """One term of a quantity.

    Attributes
    ----------
    driver : str
    kind : {"base", "addition", "channel", "limit"}
    name : str
        Of the method; an intervention names a limit by it.
    channel : str or None
    reads : tuple of str
        Quantities.
    reads_parameters : tuple of str
        The driver's own and those of others, as ``driver.parameter``.
    """

    driver: str
    kind: Literal["base", "addition", "channel", "limit"]
    name: str
    channel: str | None
    reads: tuple[str, ...]
    reads_parameters: tuple[str, ...]


@dataclass(frozen=True)
class QuantityPart:
    """A quantity, with its terms: the base first, then in the order of drivers.

    Attributes
    ----------
    name, title : str
    driver : str
        Which provides it.
    unit : str
        Of the trajectory.
    scale : str
        What its numbers are in: ``"log10 FLOP"`` for the unit ``"FLOP"``.
    states : tuple of str
        Where it is the index of a state.
    terms : tuple of TermPart
    """

    name: str
    title: str
    driver: str
    unit: str
    scale: str
    states: tuple[str, ...]
    terms: tuple[TermPart, ...]

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of its channels."""
        return tuple(term.channel for term in self.terms if term.channel)


@dataclass(frozen=True)
class EvidencePart:
    """An evidence table that some measurement model reads.

    Attributes
    ----------
    driver, table, title : str
    rows : int
        Used as of the date.
    of : int
        Rows of the table, whenever published.
    measures : tuple of str
        Quantities that its measurement models read.
    informs : tuple of str
        Where they read none: quantities with a term that reads one of the
        parameters that they read.
    dates : tuple of str
        Milestones of whose dates it is evidence.
    reads_parameters : tuple of str
        Parameters that its measurement models read, as ``driver.parameter``.
    """

    driver: str
    table: str
    title: str
    rows: int
    of: int
    measures: tuple[str, ...]
    informs: tuple[str, ...]
    dates: tuple[str, ...]
    reads_parameters: tuple[str, ...]


@dataclass(frozen=True)
class MilestonePart:
    """A milestone.

    Attributes
    ----------
    name, title : str
    condition : mapping
        The tree as prior files write it.
    lines : tuple of (int, str)
        The tree for people: depth and words.
    reads : tuple of str
        Quantities of its conditions.
    announced_after : str
        The quantity that says how long after a crossing it is announced.
    not_yet_crossed : bool
    unreachable : float
    """

    name: str
    title: str
    condition: Mapping[str, Any]
    lines: tuple[tuple[int, str], ...]
    reads: tuple[str, ...]
    announced_after: str
    not_yet_crossed: bool
    unreachable: float


@dataclass(frozen=True)
class Structure:
    """A model and its parts, each kind in the order of names (milestones as in the worldview).

    Attributes
    ----------
    worldview, title : str
        Name and title of the worldview.
    as_of : str
        ISO date.
    drivers : tuple of DriverPart
    quantities : tuple of QuantityPart
    evidence : tuple of EvidencePart
    milestones : tuple of MilestonePart
    """

    worldview: str
    title: str
    as_of: str
    drivers: tuple[DriverPart, ...]
    quantities: tuple[QuantityPart, ...]
    evidence: tuple[EvidencePart, ...]
    milestones: tuple[MilestonePart, ...]


def as_json(structure: Structure) -> dict[str, Any]:
    """Return the stable form of a structure, which docs/structure.md describes.

    Parameters
    ----------
    structure : Structure

    Returns
    -------
    dict
        Lists ``drivers``, ``quantities``, ``evidence`` and ``milestones``, each
        of whose items has an ``id``, and ``edges`` between these.
    """
    return {
        "worldview": structure.worldview,
        "as_of": structure.as_of,
        "drivers": [{"id": f"driver:{one.name}", **asdict(one)} for one in structure.drivers],
        "quantities": [
            {"id": f"quantity:{one.name}", **asdict(one), "channels": list(one.channels)}
            for one in structure.quantities
        ],
        "evidence": [
            {"id": f"evidence:{one.driver}.{one.table}", **asdict(one)} for one in structure.evidence
        ],
        "milestones": [
            {"id": f"milestone:{one.name}", **_without_lines(asdict(one))} for one in structure.milestones
        ],
        "edges": [dict(zip(("from", "to", "kind"), edge, strict=True)) for edge in edges(structure)],
    }


_BY_DRIVER = {"base": "provides", "addition": "adds_to", "channel": "adds_channel", "limit": "limits"}


def edges(structure: Structure) -> list[tuple[str, str, str]]:
    """Return all edges as (from, to, kind), each once.

    Parameters
    ----------
    structure : Structure

    Returns
    -------
    list of tuple
        Of a driver to quantities: ``provides``, ``adds_to``, ``adds_channel``,
        ``limits``; to a driver: ``reads`` (from a quantity of another) and
        ``parameter`` (from another driver, one of whose parameters it reads);
        between quantities: the kind of the term that reads, ``base``,
        ``addition``, ``channel`` or ``limit``; from evidence: ``measures``,
        ``informs`` or (to a milestone) ``dates``; to a milestone: ``condition`` or ``delay``.
    """
    found = []
    for quantity in structure.quantities:
        here = f"quantity:{quantity.name}"
        for term in quantity.terms:
            found.append((f"driver:{term.driver}", here, _BY_DRIVER[term.kind]))
            found += [(f"quantity:{name}", here, term.kind) for name in term.reads]
    for driver in structure.drivers:
        here = f"driver:{driver.name}"
        found += [(f"quantity:{name}", here, "reads") for name in driver.reads]
        owners = (parameter.partition(".")[0] for parameter in driver.reads_parameters)
        found += [(f"driver:{owner}", here, "parameter") for owner in owners]
    for table in structure.evidence:
        here = f"evidence:{table.driver}.{table.table}"
        found += [(here, f"quantity:{name}", "measures") for name in table.measures]
        found += [(here, f"quantity:{name}", "informs") for name in table.informs]
        found += [(here, f"milestone:{name}", "dates") for name in table.dates]
    for milestone in structure.milestones:
        here = f"milestone:{milestone.name}"
        found += [(f"quantity:{name}", here, "condition") for name in milestone.reads]
        if milestone.announced_after:
            found.append((f"quantity:{milestone.announced_after}", here, "delay"))
    return list(dict.fromkeys(found))


def _without_lines(milestone: dict[str, Any]) -> dict[str, Any]:
    """The condition as a tree says the same."""
    return {key: value for key, value in milestone.items() if key != "lines"}
