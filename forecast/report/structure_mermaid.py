"""A diagram of a model in Mermaid, for Markdown pages that draw it."""

from __future__ import annotations

import re

from forecast.report.structure_nodes import Box, Tie, boxes_and_lines, summary
from forecast.report.svg_shapes import clean
from forecast.structure import Structure

_ARROWS: dict[Tie, str] = {
    "base": "-->",
    "addition": "-- adds --o",
    "channel": "-- channels -->",
    "limit": "-- limits --x",
    "evidence": "-.->",
    "condition": "==>",
    "delay": "-. delay .->",
}
_SHAPES = {
    "quantity": ("[", "]"),
    "term": ("([", "])"),
    "evidence": ("[(", ")]"),
    "milestone": ("{{", "}}"),
}
_CLASSES = """\
  classDef quantity fill:#ffffff,stroke:#0072B2,color:#222222
  classDef term fill:#ffffff,stroke:#D55E00,color:#222222
  classDef evidence fill:#f4f4f4,stroke:#8a8a8a,color:#222222
  classDef milestone fill:#222222,stroke:#222222,color:#ffffff
"""


def mermaid(structure: Structure) -> str:
    """Write a Mermaid flowchart: a frame for each driver, lines from what is read to what reads it.

    Parameters
    ----------
    structure : Structure

    Returns
    -------
    str
        Ends with a line break.
    """
    boxes, lines = boxes_and_lines(structure)
    names = [f"n{index}_{re.sub('[^A-Za-z0-9]+', '_', box.name)}" for index, box in enumerate(boxes)]
    written = ["flowchart TB", f"  accTitle: {_plain('How the model fits together: ' + structure.title)}"]
    written.append(f"  accDescr: {_plain(summary(structure))}")
    for index, driver in enumerate(structure.drivers):
        mine = [f"    {_box(box, names[at])}" for at, box in enumerate(boxes) if box.driver == driver.name]
        if mine:
            written += [f'  subgraph d{index} ["{_text(driver.name)}"]', *mine, "  end"]
    written += [f"  {_box(box, names[at])}" for at, box in enumerate(boxes) if not box.driver]
    written += [f"  {names[line.start]} {_ARROWS[line.tie]} {names[line.end]}" for line in lines]
    return "\n".join(written) + "\n" + _CLASSES


def _box(box: Box, name: str) -> str:
    opens, closes = _SHAPES[box.kind]
    said = [f"<b>{_text(box.title)}</b>", _text(f"{box.name} [{box.unit}]" if box.unit else box.name)]
    said += ["&emsp;" * depth + _text(text) for depth, text in box.lines]
    return f'{name}{opens}"{"<br>".join(said)}"{closes}:::{box.kind}'


def _text(text: str) -> str:
    """Text inside a quoted label: only letters, digits and harmless marks as they are.

    Mermaid writes the character of number N as ``#N;``; inside quotes that is
    enough for all that would end the label, begin HTML or begin Markdown.
    """
    return "".join(
        character if character.isalnum() or character in " .,:/()[]_-+=%≥'" else f"#{ord(character)};"
        for character in clean(text)
    )


def _plain(text: str) -> str:
    """Text of a line of accessibility, which ends with the line, at a semicolon or at a hash."""
    return re.sub(r"[;#{}<>]", ",", clean(text))
