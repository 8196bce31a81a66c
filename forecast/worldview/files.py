"""Reading a TOML file: bytes to a document that knows its lines."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Protocol

from forecast.errors import InputError
from forecast.wording import did_you_mean, printable
from forecast.worldview.origins import Origin, key_text
from forecast.worldview.shipped import Kind, Shelf, shipped_shelf
from forecast.worldview.toml_lines import Path, key_lines, line_of

LARGEST = 4_000_000
"""Bytes of the largest prior file that is read; the shipped ones have some thousand."""


class Readable(Protocol):
    """A path, or a resource inside a package."""

    def read_bytes(self) -> bytes:
        """Return the contents."""


@dataclass(frozen=True)
class Document:
    """A TOML file as read.

    Attributes
    ----------
    file : str
        As people call it in messages.
    data : dict
    lines : dict
        Path of a key to its line.
    stem : str
        Name without folder and suffix.
    folder : Path or None
        Where relative paths in it start; None for a shipped file.
    identity : str
        The same for the same file however it was named.
    shipped : bool
        Whether it travels inside the package: such a worldview says itself what it lies over.
    """

    file: str
    data: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict, repr=False)
    stem: str = ""
    folder: FilePath | None = None
    identity: str = ""
    shipped: bool = False

    def origin(self, path: Path) -> Origin:
        """Return where the key at `path` stands."""
        return Origin(self.file, line_of(self.lines, path), key_text(path))


def parse_document(content: bytes | str, file: str, **where: Any) -> Document:
    """Parse TOML.

    Parameters
    ----------
    content : bytes or str
    file : str
        Name for messages.
    **where
        Further fields of the document.

    Raises
    ------
    InputError
        If it is binary, empty or not TOML.
    """
    if isinstance(content, bytes):
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{file}: not a text file in UTF-8 (byte {error.start} is 0x{content[error.start]:02x})"
            ) from None
    else:
        text = content
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = found[1] if found else text.count("\n", 0, len(text.rstrip())) + 1  # "at end of document"
        place = f"{file}:{line}"
        raise InputError(f"{place}: not valid TOML: {_one_line(str(error))}") from None
    except RecursionError:
        raise InputError(f"{file}: not readable: its brackets are nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"{file}: not valid TOML: {_one_line(str(error))}") from None
    if not data:
        raise InputError(f"{file}: the file is empty: a prior file has at least one key")
    return Document(file, data, key_lines(text), **where)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:299] + "…"


def read_path(path: str | os.PathLike[str]) -> Document:
    """Read a prior file.

    Raises
    ------
    InputError
        If it is missing, unreadable, a folder, binary, empty or not TOML.
    """
    file = printable(os.fspath(path))
    try:
        with open(path, "rb") as stream:
            content = stream.read(LARGEST + 1)
        where = FilePath(path).resolve()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{file}: is a folder, not a prior file") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{file}: cannot be read: {_one_line(reason)}") from None
    if len(content) > LARGEST:
        raise InputError(f"{file}: is larger than {LARGEST // 1_000_000} MB: not a prior file")
    return parse_document(content, file, stem=where.stem, folder=where.parent, identity=str(where))


def read_shelved(name: str, kind: Kind, shelf: Shelf) -> Document:
    """Read a file by its name.

    Parameters
    ----------
    name : str
    kind : {"worldviews", "scenarios", "claims"}
    shelf : Shelf
        Has it.

    Raises
    ------
    InputError
        As :func:`parse_document`, or where a plugin's file cannot be read.
    """
    found = getattr(shelf, kind)[name]
    try:
        content = found.file.read_bytes()
    except OSError as error:
        raise InputError(f"{found.label}: cannot be read: {error.strerror or error}") from None
    identity = f"{kind} {name}"
    return parse_document(content, found.label, stem=name, identity=identity, shipped=not found.owner)


def read_named(
    name: str | os.PathLike[str], folder: FilePath | None = None, shelf: Shelf | None = None
) -> Document:
    """Read a worldview by its name, or a file by its path.

    Parameters
    ----------
    name : str or path-like
        A word without a slash and without ``.toml`` is the name of a
        worldview, or else of a scenario, if there is one; anything else is a
        path.
    folder : Path, optional
        Where a relative path starts.
    shelf : Shelf, optional
        The files that have a name; the shipped ones by default.

    Raises
    ------
    InputError
        If there is neither, with the nearest name.
    """
    shelf = shelf or shipped_shelf()
    if not isinstance(name, str):
        return read_path(name)
    if not name.strip():
        raise InputError("the name of a worldview is empty")
    if name in shelf.worldviews:
        return read_shelved(name, "worldviews", shelf)
    if name in shelf.scenarios:
        return read_shelved(name, "scenarios", shelf)
    path = os.path.join(folder, name) if folder is not None else name
    plain = "/" not in name and os.sep not in name and not name.endswith(".toml") and len(name) < 100
    if plain and "\0" not in name and not os.path.lexists(path):
        raise InputError(
            f"{printable(name)}: there is no worldview and no file of this name"
            f"{did_you_mean(name, [*shelf.worldviews, *shelf.scenarios])}"
        )
    return read_path(path)
