"""The Markdown files that people read, and what is in them: blocks of code, headings, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

FILES = sorted(
    file.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "plugins/*/README.md", "benchmarks/*.md", "examples/*/README.md")
    for file in ROOT.glob(pattern)
    if "_build" not in file.parts
)

_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=fence)[ \t]*$", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)", re.M)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)
_TARGET = re.compile(r"^\(([\w-]+)\)=$", re.M)


class Block(NamedTuple):
    """A fenced block: the page, its first line, its language and its text."""

    page: str
    line: int
    language: str
    text: str


def read(page: str) -> str:
    """Text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, *languages: str) -> list[Block]:
    """Fenced blocks of a page in these languages."""
    text = read(page)
    every = [
        Block(page, text.count("\n", 0, m.start()) + 1, m["info"].strip(), m["text"])
        for m in _FENCE.finditer(text)
    ]
    return [one for one in every if not languages or one.language in languages]


def prose(page: str) -> str:
    """A page without its blocks and without code in a line."""
    return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", read(page)))


def links(page: str) -> list[str]:
    """Targets of the links and pictures of a page."""
    return [first or second for first, second in _LINK.findall(prose(page))]


def anchors(page: str) -> set[str]:
    """What a link to this page may have behind its #, as forges and the site make it of headings."""
    text = _FENCE.sub("", read(page))
    slugs: set[str] = set(_TARGET.findall(text))
    for heading in _HEADING.findall(text):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in slugs:
            number += 1
        slugs.add(unique)
    return slugs


def commands(page: str) -> Iterator[tuple[int, list[str]]]:
    """Arguments of each ``forecast ...`` in the shell blocks of a page, with the line it stands on."""
    for block in blocks(page, "bash", "sh", "console"):
        for number, line in enumerate(block.text.replace("\\\n", "  ").splitlines(), block.line + 1):
            for part in re.split(r"&&|\|\|?(?![^\"]*\")|;", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True)
                while words and (words[0] in ("uv", "run") or "=" in words[0]):
                    words = words[1:]
                if words and words[0] == "forecast":
                    yield number, words[1:]
