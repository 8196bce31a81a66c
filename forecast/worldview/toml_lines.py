"""Where the keys of a TOML text are: the standard library's reader does not say.

The text is scanned after (or before) ``tomllib`` has judged it, so this scanner
never refuses anything: a text that it cannot follow has lines up to that point.
"""

from __future__ import annotations

from collections.abc import Iterator

Path = tuple[str | int, ...]

_BLANK = " \t"
_SPACE = " \t\r\n"
_DEPTH = 60


class _Lost(Exception):
    """The scanner cannot follow the text any further."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._line = 1
        self._counted = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def line(self) -> int:
        """Line of the present position; counts on from where it last counted."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def skip(self, characters: str) -> None:
        while self.peek() and self.peek() in characters:
            self.at += 1

    def skip_space_and_comments(self) -> None:
        self.skip(_SPACE)
        while self.peek() == "#":
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
            self.skip(_SPACE)

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise _Lost
        self.at += 1

    def string(self) -> str:
        """Skip a string of any of TOML's four kinds; its raw contents."""
        quote = self.peek()
        fence = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(fence)
        start = self.at
        while self.at < len(self.text):
            if self.peek() == "\\" and quote == '"':
                self.at += 2
            elif self.text.startswith(fence, self.at):
                end = self.at
                self.at += len(fence)
                while len(fence) == 3 and self.peek() == quote:  # up to two quotes may stand before the fence
                    self.at += 1
                return self.text[start:end]
            else:
                self.at += 1
        raise _Lost

    def key(self) -> Path:
        """Read a key, dotted or quoted or both."""
        parts: list[str] = []
        while True:
            self.skip(_BLANK)
            if self.peek() in ('"', "'"):
                parts.append(self.string())
            else:
                start = self.at
                while self.peek().isalnum() or (self.peek() and self.peek() in "_-"):
                    self.at += 1
                if start == self.at:
                    raise _Lost
                parts.append(self.text[start : self.at])
            self.skip(_BLANK)
            if self.peek() != ".":
                return tuple(parts)
            self.at += 1

    def note(self, path: Path, line: int) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def pair(self, table: Path, depth: int) -> None:
        line = self.line()
        path = table + self.key()
        self.note(path, line)
        self.expect("=")
        self.skip(_BLANK)
        self.value(path, depth)

    def value(self, path: Path, depth: int) -> None:
        if depth > _DEPTH:
            raise _Lost
        first = self.peek()
        if first in ('"', "'"):
            self.string()
        elif first == "[":
            self.at += 1
            for index in self.items("]"):
                self.note((*path, index), self.line())
                self.value((*path, index), depth + 1)
        elif first == "{":
            self.at += 1
            for _ in self.items("}"):
                self.pair(path, depth + 1)
        else:
            start = self.at
            while self.peek() and self.peek() not in ",]}#\r\n":
                self.at += 1
            if start == self.at:
                raise _Lost

    def items(self, close: str) -> Iterator[int]:
        """Yield the index of each item up to the closing bracket; the caller reads the item."""
        index = 0
        while True:
            self.skip_space_and_comments()
            if self.peek() == close:
                self.at += 1
                return
            yield index
            index += 1
            self.skip_space_and_comments()
            if self.peek() != close:
                self.expect(",")

    def header(self, counts: dict[Path, int]) -> Path:
        """Read ``[table]`` or ``[[array of tables]]``."""
        line = self.line()
        double = self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        path: Path = ()
        key = self.key()
        for part in key:
            path = (*path, part)
            if path in counts and not (double and len(path) == len(key)):
                path = (*path, counts[path])
        if double:
            counts[path] = counts.get(path, -1) + 1
            self.note(path, line)
            path = (*path, counts[path])
        self.note(path, line)
        self.expect("]")
        if double:
            self.expect("]")
        return path

    def document(self) -> None:
        table: Path = ()
        counts: dict[Path, int] = {}
        while True:
            self.skip_space_and_comments()
            if not self.peek():
                return
            if self.peek() == "[":
                table = self.header(counts)
            else:
                self.pair(table, 0)


def key_lines(text: str) -> dict[Path, int]:
    """Find the line on which each key of a TOML text first appears.

    Parameters
    ----------
    text : str
        Valid TOML, or any other text: what cannot be followed is left out.

    Returns
    -------
    dict
        Path to line, counted from 1. A path has keys as text and positions in
        arrays as integers: ``("milestones", "agi", "all", 0, "quantity")``.
    """
    scanner = _Scanner(text)
    try:
        scanner.document()
    except (_Lost, RecursionError):
        pass
    return scanner.lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of a path, or of its nearest parent that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None
