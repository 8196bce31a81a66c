"""A diagram of a model as SVG: text that can be selected, on a white ground of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from forecast.report.figures import FAINT, INK, bloc_colours
from forecast.report.layered import Drawing, draw, increasing
from forecast.report.structure_nodes import TIES, Box, Line, Tie, boxes_and_lines, summary
from forecast.report.svg_shapes import (
    SANS,
    Element,
    add,
    arrow,
    bar,
    clean,
    mixed,
    number,
    plus,
    stroke,
    text_width,
    words,
)
from forecast.structure import Structure

WHITE, BLACK = "#ffffff", "#000000"
MARGIN, PAD, STRIPE, PORT = 28.0, 9.0, 5.0, 13.0
NARROWEST = 700.0
TITLE, SMALL, TAG = 11.0, 9.0, 8.5
"""Sizes of fonts."""

WRAP, WRAP_SMALL, WRAP_CONDITION = 26, 36, 64
"""Letters on one line."""


@dataclass(frozen=True)
class _Row:
    """One line of text inside a box."""

    text: str
    size: float
    mono: bool = False
    bold: bool = False
    faint: bool = False
    indent: float = 0.0

    @property
    def height(self) -> float:
        return self.size * 1.28

    @property
    def width(self) -> float:
        return self.indent + text_width(self.text, self.size, bold=self.bold, mono=self.mono)


def svg(structure: Structure) -> str:
    """Draw a model: quantities in layers, each below what it reads, with evidence and milestones.

    Parameters
    ----------
    structure : Structure

    Returns
    -------
    str
        An SVG file.
    """
    boxes, lines = boxes_and_lines(structure)
    rows = [_rows(box) for box in boxes]
    sizes = [_size(one) for one in rows]
    drawing = draw(sizes, [(line.start, line.end) for line in lines])
    colours = _colours([driver.name for driver in structure.drivers])
    inner, top = max(drawing.width, NARROWEST), MARGIN + 34.0
    width, below = inner + 2 * MARGIN, top + drawing.height + 34.0

    root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "font-family": SANS})
    heading = f"How the model fits together: {structure.title}, as of {structure.as_of}"
    add(root, "title", heading, id="title")
    add(root, "desc", summary(structure), id="desc")
    ground = add(root, "rect", width="100%", height="100%", rx=8, fill=WHITE)
    words(root, clean(heading), MARGIN, MARGIN + 10, 15.0, bold=True, fill=INK)
    shift = MARGIN + (inner - drawing.width) / 2
    picture = add(root, "g", transform=f"translate({number(shift)} {number(top)})")
    _draw_lines(picture, boxes, lines, drawing, sizes, colours)
    for index, box in enumerate(boxes):
        _draw_box(picture, box, rows[index], drawing.centres[index], sizes[index], colours)
    legend = add(root, "g", transform=f"translate({number(MARGIN)} {number(below)})")
    height = below + _draw_legend(legend, structure, lines, colours, inner) + MARGIN
    root.attrib |= {
        "viewBox": f"0 0 {number(width)} {number(height)}",
        "width": number(width),
        "height": number(height),
        "role": "img",
        "aria-labelledby": "title desc",
    }
    ground.attrib |= {"width": number(width), "height": number(height)}
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _colours(drivers: Sequence[str]) -> dict[str, str]:
    """The palette of the other pictures, then darker, then again."""
    plain = bloc_colours(drivers)
    return {
        name: plain[name] if place % 12 < 6 else mixed(plain[name], BLACK, 0.45)
        for place, name in enumerate(drivers)
    }


# Boxes -------------------------------------------------------------------------------------


def _rows(box: Box) -> list[_Row]:
    tag = {"evidence": f"{box.driver} · evidence", "term": f"{box.driver} · {box.title.lower()}"}
    rows = [_Row(clean(tag.get(box.kind, box.driver or "milestone")), TAG, faint=True)]
    if box.kind != "term":
        rows += [_Row(line, TITLE, bold=True) for line in _balanced(clean(box.title), WRAP)]
    rows += [_Row(line, SMALL, mono=True) for line in textwrap.wrap(clean(box.name), WRAP_SMALL)]
    if box.unit:
        rows.append(_Row(clean(box.unit), SMALL, faint=True))
    for depth, text in box.lines:
        wrap = WRAP_CONDITION if box.kind == "milestone" else WRAP_SMALL
        rows += [_Row(line, SMALL, indent=10.0 * depth) for line in textwrap.wrap(clean(text), wrap)]
    return rows


def _balanced(text: str, letters: int) -> list[str]:
    """Lines of about equal length, as few as that many letters a line need."""
    lines = textwrap.wrap(text, letters)
    for narrower in range(letters - 1, 0, -1):
        fewer = textwrap.wrap(text, narrower)
        if len(fewer) > len(lines):
            break
        lines = fewer
    return lines


def _size(rows: Sequence[_Row]) -> tuple[float, float]:
    width = max(row.width for row in rows) + 2 * PAD + STRIPE
    return max(width, 96.0), sum(row.height for row in rows) + 2 * PAD - 4.0


def _draw_box(
    parent: Element,
    box: Box,
    rows: Sequence[_Row],
    centre: tuple[float, float],
    size: tuple[float, float],
    colours: Mapping[str, str],
) -> None:
    colour = colours.get(box.driver, INK)
    (width, height), x, y = size, centre[0] - size[0] / 2, centre[1] - size[1] / 2
    fill = {"evidence": WHITE, "milestone": INK}.get(box.kind, mixed(colour, WHITE, 0.9))
    group = add(parent, "g")
    add(group, "title", " ".join(filter(None, (box.driver, box.kind, box.name))))
    dashes = {"stroke-dasharray": "4 2.5"} if box.kind == "evidence" else {}
    rounded = height / 2 if box.kind == "term" else 4.0
    add(
        group, "rect", x=x, y=y, width=width, height=height, rx=rounded,
        fill=fill, stroke=colour, stroke_width=1.2, **dashes,
    )  # fmt: skip
    if box.kind == "quantity":
        add(group, "rect", x=x, y=y, width=STRIPE, height=height, rx=2.0, fill=colour)
    dark = box.kind == "milestone"
    ink, faint = (WHITE, "#d0d0d0") if dark else (INK, mixed(colour, BLACK, 0.4))
    down = y + PAD - 4.0
    for row in rows:
        down += row.height
        words(
            group, row.text, x + PAD + STRIPE + row.indent, down - 0.2 * row.size, row.size,
            bold=row.bold, mono=row.mono, fill=faint if row.faint else ink,
        )  # fmt: skip


# Lines -------------------------------------------------------------------------------------


def _draw_lines(
    parent: Element,
    boxes: Sequence[Box],
    lines: Sequence[Line],
    drawing: Drawing,
    sizes: Sequence[tuple[float, float]],
    colours: Mapping[str, str],
) -> None:
    starts, ends = (_ports(lines, drawing, sizes, at_end=at_end) for at_end in (False, True))
    for index, line in enumerate(lines):
        layer, route = drawing.layers[line.start], drawing.routes[index]
        first = drawing.centres[line.start][1] + sizes[line.start][1] / 2
        last = drawing.centres[line.end][1] - sizes[line.end][1] / 2
        bands = drawing.bands[layer : layer + len(route)]
        points = [(starts[index], first), (starts[index], bands[0][1])]
        for x, (above, below) in zip(route[1:-1], bands[1:-1], strict=True):
            points += [(x, above), (x, below)]
        points += [(ends[index], bands[-1][0]), (ends[index], last)]
        start, end = boxes[line.start], boxes[line.end]
        group = add(parent, "g")
        add(group, "title", f"{start.name} {TIES[line.tie]} {end.name}")
        _draw_line(group, line.tie, points, colours.get(start.driver, INK))


def _draw_line(parent: Element, tie: Tie, points: Sequence[tuple[float, float]], colour: str) -> None:
    """A line in the colour of the driver whose quantity is read; its head says what for."""
    colour = {"evidence": FAINT, "condition": INK, "delay": INK}.get(tie, colour)
    dashes = {"evidence": "2 2.5", "channel": "7 2.5", "delay": "7 2.5"}.get(tie, "")
    stroke(parent, points, colour, 1.8 if tie == "condition" else 1.3, dashes)
    head = {"addition": plus, "limit": bar}.get(tie, arrow)
    head(parent, *points[-1], colour)


def _ports(
    lines: Sequence[Line], drawing: Drawing, sizes: Sequence[tuple[float, float]], *, at_end: bool
) -> dict[int, float]:
    """Where lines leave or enter their boxes, in x: apart, in order, and as straight as may be."""
    found: dict[int, float] = {}
    by_box: dict[int, list[int]] = {}
    for index, line in enumerate(lines):
        by_box.setdefault(line.end if at_end else line.start, []).append(index)
    for node, those in by_box.items():
        middle, half = drawing.centres[node][0], _half(sizes[node])
        nearest = {index: drawing.routes[index][-2 if at_end else 1] for index in those}
        wanted = dict(nearest)
        for index in those:
            if len(drawing.routes[index]) == 2:  # straight down where both boxes have room for it
                other = _half(sizes[lines[index].start if at_end else lines[index].end])
                low, high = (
                    max(middle - half, nearest[index] - other),
                    min(middle + half, nearest[index] + other),
                )
                wanted[index] = (low + high) / 2 if low <= high else nearest[index]
        those.sort(key=lambda index: (nearest[index], index))
        offset = np.arange(len(those)) * min(PORT, 2 * half / max(len(those) - 1, 1))
        placed = increasing(np.array([wanted[index] for index in those]) - offset, np.ones(len(those)))
        placed = np.clip(placed, middle - half, middle + half - offset[-1]) + offset
        found |= dict(zip(those, placed.tolist(), strict=True))
    return found


def _half(size: tuple[float, float]) -> float:
    """Half of the edge on which lines may end, clear of a rounded corner."""
    return size[0] / 2 - min(size[1] / 2, 18.0)


# Legend ------------------------------------------------------------------------------------


def _draw_legend(
    parent: Element, structure: Structure, lines: Sequence[Line], colours: Mapping[str, str], room: float
) -> float:
    """Drivers with their colours, then what heads and dashes say; returns its height."""
    add(parent, "path", d=f"M0 0H{number(room)}", stroke="#cccccc", stroke_width=1.0)
    y = 2.0
    by_origin: dict[str, list[str]] = {}
    for driver in structure.drivers:
        by_origin.setdefault(driver.distribution, []).append(driver.name)
    for origin, names in by_origin.items():
        y = _draw_entries(parent, origin, [(name, None, colours[name]) for name in names], room, y + 16.0)
    shown = [tie for tie in TIES if any(line.tie == tie for line in lines)]
    return _draw_entries(parent, "Lines", [(TIES[tie], tie, INK) for tie in shown], room, y + 26.0) + 5.0


def _draw_entries(
    parent: Element, title: str, said: Sequence[tuple[str, Tie | None, str]], room: float, y: float
) -> float:
    """Entries beside one another, on as many lines as they need; returns the last line's y."""
    words(parent, clean(title), 0.0, y, SMALL, fill=INK, bold=True)
    begin = x = 12.0 + text_width(clean(title), SMALL, bold=True)
    for text, tie, colour in said:
        wide = 16.0 + text_width(clean(text), SMALL)
        if x > begin and x + wide > room:
            x, y = begin, y + 16.0
        if tie is None:
            add(parent, "rect", x=x, y=y - 8.5, width=10.0, height=10.0, rx=2.0, fill=colour)
        else:
            _draw_line(parent, tie, [(x + 5, y - 18), (x + 5, y + 5)], colour)
        words(parent, clean(text), x + 15, y, SMALL, fill=INK)
        x += wide + 12.0
    return y
