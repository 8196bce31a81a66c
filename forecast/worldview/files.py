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
from forecast.worldview.shipped import shipped_files, shipped_scenarios
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
    """

    file: str
    data: dict[str, Any]
    lines: dict[Path, int] = field(default_factory=dict, repr=False)
    stem: str = ""
    folder: FilePath | None = None
    identity: str = ""

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


def read_shipped(name: str) -> Document:
    """Read a shipped worldview by its name."""
    content = shipped_files()[name].read_bytes()
    return parse_document(content, f"priors/{name}.toml", stem=name, identity=f"shipped {name}")


def read_shipped_scenario(name: str) -> Document:
    """Read a shipped scenario by its name."""
    content = shipped_scenarios()[name].read_bytes()
    return parse_document(
        content, f"priors/scenarios/{name}.toml", stem=name, identity=f"shipped scenario {name}"
    )


def read_named(name: str | os.PathLike[str], folder: FilePath | None = None) -> Document:
    """Read a shipped worldview by its name, or a file by its path.

    Parameters
    ----------
    name : str or path-like
        A word without a slash and without ``.toml`` is the name of a shipped
        worldview, or else of a shipped scenario, if there is one; anything
        else is a path.
    folder : Path, optional
        Where a relative path starts.

    Raises
    ------
    InputError
        If there is neither, with the nearest name.
    """
    if not isinstance(name, str):
        return read_path(name)
    if not name.strip():
        raise InputError("the name of a worldview is empty")
    shipped = shipped_files()
    if name in shipped:
        return read_shipped(name)
    scenarios = shipped_scenarios()
    if name in scenarios:
        return read_shipped_scenario(name)
    path = os.path.join(folder, name) if folder is not None else name
    plain = "/" not in name and os.sep not in name and not name.endswith(".toml") and len(name) < 100
    if plain and "\0" not in name and not os.path.lexists(path):
        raise InputError(
            f"{printable(name)}: there is no shipped worldview and no file of this name"
            f"{did_you_mean(name, [*shipped, *scenarios])}"
        )
    return read_path(path)
