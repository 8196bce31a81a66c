"""What a diagram of a model shows: boxes and lines, chosen once for every format.

A box is a quantity, an evidence table, a milestone, or a term of a driver that
would otherwise not be seen. A line goes from what is read to what reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from forecast.structure import EvidencePart, MilestonePart, QuantityPart, Structure, TermPart

Kind = Literal["quantity", "term", "evidence", "milestone"]
Tie = Literal["base", "addition", "channel", "limit", "evidence", "condition", "delay"]

TIES: dict[Tie, str] = {
    "base": "is read by",
    "addition": "is added to",
    "channel": "is read by channels of",
    "limit": "limits",
    "evidence": "is evidence on",
    "condition": "is a condition of",
    "delay": "delays the announcement of",
}
"""Each kind of line in words: the start ... the end."""

_VERBS = {"addition": "adds", "limit": "limited by", "channel": "channels"}


@dataclass(frozen=True)
class Box:
    """A box.

    Attributes
    ----------
    id : tuple of str
        Unique; the kind comes first.
    kind : {"quantity", "term", "evidence", "milestone"}
    driver : str
        Blank for a milestone.
    title : str
    name : str
        As a prior file or an intervention writes it.
    unit : str
    lines : tuple of (int, str)
        More to say: indentation and text.
    """

    id: tuple[str, ...]
    kind: Kind
    driver: str
    title: str
    name: str
    unit: str = ""
    lines: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Line:
    """A line from what is read to what reads it: places in the list of boxes, and why."""

    start: int
    end: int
    tie: Tie


def boxes_and_lines(structure: Structure) -> tuple[list[Box], list[Line]]:
    """Choose what a diagram shows.

    A term of another driver than the quantity's is a line where it hands on a
    quantity of its own driver, and a box where it does not: every driver that
    does something is seen.

    Parameters
    ----------
    structure : Structure

    Returns
    -------
    boxes : list of Box
    lines : list of Line
        Without a circle, each once.
    """
    owner = {quantity.name: quantity.driver for quantity in structure.quantities}
    boxes: list[Box] = []
    found: list[tuple[tuple[str, ...], tuple[str, ...], Tie]] = []
    for quantity in structure.quantities:
        here = _quantity(quantity)
        boxes.append(here)
        for term in quantity.terms:
            read = [("quantity", name) for name in term.reads]
            foreign = term.driver != quantity.driver
            if foreign and all(owner[name] != term.driver for name in term.reads):
                there = _term(quantity, term)
                boxes.append(there)
                found += [(one, there.id, "base") for one in read]
                found.append((there.id, here.id, term.kind))
            else:
                found += [(one, here.id, term.kind) for one in read]
    for table in structure.evidence:
        here = _evidence(table)
        boxes.append(here)
        found += [(here.id, ("quantity", name), "evidence") for name in (*table.measures, *table.informs)]
        found += [(here.id, ("milestone", name), "evidence") for name in table.dates]
    for milestone in structure.milestones:
        here = _milestone(milestone)
        boxes.append(here)
        found += [(("quantity", name), here.id, "condition") for name in milestone.reads]
        if milestone.announced_after:
            found.append((("quantity", milestone.announced_after), here.id, "delay"))
    place = {box.id: index for index, box in enumerate(boxes)}
    return boxes, [Line(place[start], place[end], tie) for start, end, tie in dict.fromkeys(found)]


def summary(structure: Structure) -> str:
    """Say in a sentence what the diagram holds, for those who cannot see it."""
    counts = (
        _count(structure.drivers, "driver"),
        _count(structure.quantities, "quantity", "quantities"),
        _count(structure.evidence, "evidence table"),
        _count(structure.milestones, "milestone"),
    )
    drivers = ", ".join(one.name for one in structure.drivers)
    return (
        f"The model of the worldview {structure.title} as of {structure.as_of}: {', '.join(counts)}. "
        f"Drivers: {drivers or 'none'}. Arrows go from what is read to what reads it."
    )


def _count(things: Sequence[object], one: str, many: str = "") -> str:
    return f"{len(things)} {one if len(things) == 1 else many or one + 's'}"


def _quantity(quantity: QuantityPart) -> Box:
    """Terms of its own driver that read nothing have no line, and are named in the box."""
    said: dict[str, list[str]] = {}
    for term in quantity.terms:
        if term.kind == "channel" and term.channel:
            said.setdefault("channel", []).append(term.channel)
        elif term.kind != "base" and term.driver == quantity.driver and not term.reads:
            said.setdefault(term.kind, []).append(term.name)
    lines = [f"{_VERBS[kind]}: {', '.join(names)}" for kind, names in said.items()]
    if quantity.states:
        lines.append(f"states: {', '.join(quantity.states)}")
    return Box(
        id=("quantity", quantity.name),
        kind="quantity",
        driver=quantity.driver,
        title=quantity.title,
        name=quantity.name,
        unit=quantity.scale,
        lines=tuple((0, line) for line in lines),
    )


def _term(quantity: QuantityPart, term: TermPart) -> Box:
    here = ("term", term.driver, quantity.name, term.name)
    kind = {"addition": "Addition", "limit": "Limit", "channel": f"Channel {term.channel}"}[term.kind]
    return Box(id=here, kind="term", driver=term.driver, title=kind, name=term.name)


def _evidence(table: EvidencePart) -> Box:
    return Box(
        id=("evidence", table.driver, table.table),
        kind="evidence",
        driver=table.driver,
        title=table.title,
        name=table.table,
        lines=((0, f"{table.rows} of {table.of} rows used"),),
    )


def _milestone(milestone: MilestonePart) -> Box:
    return Box(
        id=("milestone", milestone.name),
        kind="milestone",
        driver="",
        title=milestone.title,
        name=milestone.name,
        lines=tuple((depth, text) for depth, text in milestone.lines),
    )
