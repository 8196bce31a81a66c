"""What a plugin may bring beside drivers: rows, importers, report sections, named files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.results import StoredRun


@dataclass(frozen=True)
class MoreRows:
    """Further rows for an evidence table of a driver, whoever made that.

    The driver's measurement model reads them like its own; they have the
    table's columns and pass its checks.

    Attributes
    ----------
    driver, table : str
        Whose table it is, such as ``"compute-growth"`` and ``"training_runs"``.
    file : path or package resource
        A CSV with the header of that table.
    """

    driver: str
    table: str
    file: Path | Traversable


@dataclass(frozen=True)
class Importer:
    """Turns a file of another's format into rows of an evidence table.

    Attributes
    ----------
    name : str
        On the command line: ``forecast import NAME FILE``.
    title : str
        One line of help.
    driver, table : str
        Whose rows it makes.
    read : callable
        ``read(path) -> iterable of mapping``: for each row, column to value
        (text, number, date or None). Columns that are not named are blank.
    """

    name: str
    title: str
    driver: str
    table: str
    read: Callable[[Path], Iterable[Mapping[str, object]]]


@dataclass(frozen=True)
class ReportSection:
    """A section that a plugin adds to what is reported of a run.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens; of its picture's file too.
    title : str
    text : callable
        ``text(run) -> str``: paragraphs of plain text, parted by blank lines;
        blank where the run has nothing for it. `run` is a
        :class:`forecast.results.StoredRun`.
    picture : callable, optional
        ``picture(run, path)`` draws a PNG.
    """

    name: str
    title: str
    text: Callable[[StoredRun], str]
    picture: Callable[[StoredRun, Path], object] | None = None


def files_in(package: str, folder: str) -> list[Traversable]:
    """TOML files in a folder of a package, in the order of their names.

    Parameters
    ----------
    package : str
        Usually ``__package__``.
    folder : str
        Such as ``"scenarios"``.

    Returns
    -------
    list of Traversable
        For the hooks of worldviews, scenarios and claims.

    Raises
    ------
    FileNotFoundError
        There is no such folder: its files did not get into the package.
    """
    found = resources.files(package) / folder
    if not found.is_dir():
        raise FileNotFoundError(f"the package {package} has no folder {folder!r}")
    return sorted((file for file in found.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
