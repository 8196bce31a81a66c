"""Sections that plugins add to what is reported of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forecast.discovery import BrokenPlugin, guarded
from forecast.host import Brought
from forecast.report.text_file import saving
from forecast.results import StoredRun
from forecast.wording import shown


@dataclass(frozen=True)
class Section:
    """One section, made for one run.

    Attributes
    ----------
    name, title : str
    owner : str
        Distribution and version of the plugin.
    paragraphs : tuple of str
        Plain text, to be escaped by whoever shows it.
    picture : pathlib.Path or None
    error : str
        Why it could not be made; blank where it could.
    """

    name: str
    title: str
    owner: str
    paragraphs: tuple[str, ...] = ()
    picture: Path | None = None
    error: str = ""


def make_sections(stored: StoredRun, brought: Sequence[Brought], folder: Path | None = None) -> list[Section]:
    """Make the sections that plugins have for a run.

    Parameters
    ----------
    stored : StoredRun
    brought : sequence of Brought
        ``sections`` of the loaded plugins.
    folder : pathlib.Path, optional
        Where pictures go, as ``NAME.png``; none is drawn without it.

    Returns
    -------
    list of Section
        In their order, without those that have nothing for this run. One that
        fails is there with its error: the others are not its fault.
    """
    found = []
    for one in brought:
        section, owner = one.item, one.candidate.label
        picture = folder / f"{section.name}.png" if folder is not None and section.picture else None
        try:
            with guarded():
                text = section.text(stored)
                if not isinstance(text, str):
                    raise BrokenPlugin(f"its text is {shown(text)}, not a str")
                if text.strip() and picture is not None:
                    with saving(picture) as temporary, guarded():  # what it raises is its own fault
                        section.picture(stored, temporary)
                        if not temporary.is_file():
                            raise BrokenPlugin("its picture was not written to the path that it was given")
        except BrokenPlugin as error:
            found.append(Section(section.name, section.title, owner, error=str(error)))
            continue
        if text.strip():
            paragraphs = tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())
            found.append(Section(section.name, section.title, owner, paragraphs, picture))
    return found
