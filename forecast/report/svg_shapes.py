"""Elements of an SVG picture: text, boxes, lines and the heads of lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

SANS = "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
MONO = "Menlo, Consolas, Liberation Mono, DejaVu Sans Mono, monospace"

Element = ElementTree.Element


def add(parent: Element, tag: str, text: str = "", **attributes: Any) -> Element:
    """Add an element; underscores in names of attributes stand for hyphens, numbers are rounded.

    Parameters
    ----------
    parent : Element
    tag, text : str
    **attributes : str or float
    """
    written = {name.replace("_", "-"): number(value) for name, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, written)
    element.text = clean(text) or None
    return element


def words(
    parent: Element,
    text: str,
    x: float,
    y: float,
    size: float,
    *,
    fill: str,
    bold: bool = False,
    mono: bool = False,
) -> None:
    """Write a line of text that begins at (x, y)."""
    style = {"font-weight": "bold"} if bold else {}
    style |= {"font-family": MONO} if mono else {}
    add(parent, "text", text, x=x, y=y, font_size=size, fill=fill, **style)


def text_width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """Room for a text in any of the fonts; no font is read, so it is the widest of them, about."""
    total = 0.0
    for character in text:
        if unicodedata.east_asian_width(character) in "WF":
            total += 1.0
        elif mono:
            total += 0.605
        elif character in "mwMW@%≥":
            total += 0.88
        elif character in " ijlt.,:;|'!()[]fIr-·":
            total += 0.37
        else:
            total += 0.7 if character.isupper() else 0.61
    return total * size * (1.12 if bold else 1.0)


def stroke(
    parent: Element, points: Sequence[tuple[float, float]], colour: str, width: float, dashes: str = ""
) -> None:
    """Draw a smooth line through points, which leaves and enters every one of them vertically."""
    (x, y), *_ = points
    path = f"M{number(x)} {number(y)}"
    for (x0, y0), (x1, y1) in pairwise(points):
        if (x0, y0) == (x1, y1):
            continue
        middle = (y0 + y1) / 2
        curve = f"C{number(x0)} {number(middle)} {number(x1)} {number(middle)} {number(x1)} {number(y1)}"
        path += curve if abs(x0 - x1) > 0.05 else f"V{number(y1)}"
    style = {"stroke-dasharray": dashes} if dashes else {}
    add(parent, "path", d=path, fill="none", stroke=colour, stroke_width=width, **style)


def arrow(parent: Element, x: float, y: float, colour: str) -> None:
    """Head of a line that ends at (x, y) from above."""
    points = f"{number(x - 3.4)},{number(y - 7)} {number(x + 3.4)},{number(y - 7)} {number(x)},{number(y)}"
    add(parent, "polygon", points=points, fill=colour)


def plus(parent: Element, x: float, y: float, colour: str) -> None:
    """Circle with a plus on a line that ends at (x, y) from above."""
    add(parent, "circle", cx=x, cy=y - 5, r=4.6, fill="#ffffff", stroke=colour, stroke_width=1.3)
    cross = f"M{number(x - 2.6)} {number(y - 5)}h5.2M{number(x)} {number(y - 7.6)}v5.2"
    add(parent, "path", d=cross, stroke=colour, stroke_width=1.3)


def bar(parent: Element, x: float, y: float, colour: str) -> None:
    """Bar across a line that ends at (x, y) from above."""
    add(parent, "path", d=f"M{number(x - 5.5)} {number(y - 2.5)}h11", stroke=colour, stroke_width=2.8)


def mixed(colour: str, other: str, share: float) -> str:
    """Colour between two, each ``#rrggbb``; `share` is the other's."""
    parts = [
        round((1 - share) * int(colour[place : place + 2], 16) + share * int(other[place : place + 2], 16))
        for place in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def clean(text: str) -> str:
    """Text on one line, without what XML cannot hold."""
    one_line = " ".join(text.split())
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co") else "�" for c in one_line)


def number(value: Any) -> str:
    """A number with at most one decimal; anything else as it is."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 0.05 else "0"
