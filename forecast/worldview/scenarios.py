"""Scenario files: named overlays on a worldview, and what each kind of them may say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from forecast.errors import InputError
from forecast.wording import did_you_mean, printable, shown
from forecast.worldview.files import Document, read_named, read_path, read_shelved
from forecast.worldview.interventions import Intervention
from forecast.worldview.load import name_of
from forecast.worldview.origins import Origin, Problems
from forecast.worldview.schema import check_file, check_interventions
from forecast.worldview.shipped import Shelf, shipped_shelf

Kind = Literal["intervene", "assume"]

_ABOUT = ("name", "title", "description", "source", "kind")
"""What a scenario says of itself; nothing of it changes a number."""


@dataclass(frozen=True)
class Scenario:
    """A named change on top of a worldview.

    Attributes
    ----------
    name, title, description, source : str
        `source` says why these numbers.
    kind : {"intervene", "assume"}
        Whether the future of the base's own draws is changed, or the file is
        laid over the base and fitted again.
    intervene : tuple of Intervention
    given : str or path-like
        What :func:`forecast.load_worldview` takes to lay it over a worldview.
    file : str
        As people call it in messages.
    """

    name: str
    title: str
    description: str
    source: str
    kind: Kind
    intervene: tuple[Intervention, ...]
    given: str | os.PathLike[str] = field(compare=False)
    file: str = field(compare=False)


def read_scenarios(names: Sequence[str | os.PathLike[str]], shelf: Shelf | None = None) -> list[Scenario]:
    """Read scenarios by their names, or from files.

    Parameters
    ----------
    names : sequence of str or path-like
    shelf : Shelf, optional
        The files that have a name; the shipped ones by default.

    Returns
    -------
    list of Scenario
        In the order given; one that is named twice is there once.

    Raises
    ------
    InputError
        With all problems of all files, each naming file, line and key; for an
        unknown name with the nearest ones; for two files of one name.
    """
    shelf = shelf or shipped_shelf()
    problems: list[str] = []
    found: dict[str, Scenario] = {}
    identities: dict[str, str] = {}
    for given in names:
        try:
            document = _document(given, shelf)
            scenario = _scenario(given, document)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
            continue
        if identities.setdefault(scenario.name, document.identity) != document.identity:
            problems.append(
                f"{document.file}: another scenario is called {scenario.name!r} as well "
                f"({found[scenario.name].file}); give one of them another name (key: name)"
            )
        found.setdefault(scenario.name, scenario)
    if problems:
        raise InputError(problems)
    return list(found.values())


def _document(given: str | os.PathLike[str], shelf: Shelf) -> Document:
    if not isinstance(given, str):
        return read_path(given)
    if given in shelf.scenarios:
        return read_shelved(given, "scenarios", shelf)
    plain = "/" not in given and os.sep not in given and not given.endswith(".toml")
    if plain and given.strip() and "\0" not in given and not os.path.lexists(given):
        if given in shelf.worldviews:
            raise InputError(f"{given}: is a worldview, not a scenario; name it with --priors")
        raise InputError(
            f"{printable(given)}: there is no scenario and no file of this name"
            f"{did_you_mean(given, shelf.scenarios)}"
        )
    return read_named(given, shelf=shelf)


def _scenario(given: str | os.PathLike[str], document: Document) -> Scenario:
    problems = Problems()
    check_file(document, problems)
    problems.raise_any()
    data = document.data
    kind = data.get("kind")
    if kind is None:
        problems.add(
            Origin(document.file, None, "kind"),
            'is missing: a scenario is of kind "intervene" (the draws of the base, another future) or '
            '"assume" (other assumptions, fitted again)',
        )
    if "extends" in data:
        problems.add(
            document.origin(("extends",)),
            "a scenario lies over whatever worldview --priors names; leave this key out",
        )
    others = [key for key in data if key not in (*_ABOUT, "intervene", "extends")]
    if kind == "intervene":
        _check_intervene(document, others, problems)
    elif kind == "assume" and not any(data[key] not in ({}, []) for key in others):
        hint = '; with intervene alone its kind is "intervene"' if data.get("intervene") else ""
        problems.add(
            document.origin(("kind",)),
            f"there is nothing to assume: the file sets no prior, threshold or other key{hint}",
        )
    problems.raise_any()
    name = name_of(document)
    return Scenario(
        name=name,
        title=data.get("title", name),
        description=data.get("description", ""),
        source=data.get("source", ""),
        kind=data["kind"],
        intervene=tuple(check_interventions(data, document, problems)),
        given=given,
        file=document.file,
    )


def _check_intervene(document: Document, others: Sequence[str], problems: Problems) -> None:
    if not document.data.get("intervene"):
        problems.add(
            document.origin(("intervene" if "intervene" in document.data else "kind",)),
            "there is nothing to change: give intervene = [{ ... }]",
        )
    for key in others:
        problems.add(
            document.origin((key,)),
            f'a scenario of kind "intervene" keeps the draws of the base, and {shown(key)} needs a run of '
            'its own (a refit); leave it out, or make the kind "assume"',
        )
