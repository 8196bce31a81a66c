"""Sweep files: which settings vary, how, and how each cell is sampled."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from forecast.errors import InputError
from forecast.sweep.values import Range, Values, read_settings
from forecast.wording import did_you_mean, shown
from forecast.worldview.files import Document, read_path
from forecast.worldview.origins import Problems
from forecast.worldview.schema import LARGEST_SEED
from forecast.worldview.toml_lines import Path

Design = Literal["grid", "latin-hypercube", "list"]

MOST_SAMPLES = 10_000
"""Cells of one sweep, however they come about; a grid of more is a slip."""


@dataclass(frozen=True)
class Sampling:
    """``[sampling]``: what `forecast run` has as options.

    Attributes
    ----------
    draws, tune, chains : int
    seed : int or None
        None for the base's.
    prior_only : bool
    """

    draws: int = 1500
    tune: int = 1000
    chains: int = 4
    seed: int | None = None
    prior_only: bool = False


@dataclass(frozen=True)
class SweepFile:
    """A sweep file as read and checked by itself.

    Attributes
    ----------
    document : Document
        Knows the lines.
    path : Path
        As the user named it.
    base : str
        A worldview by its name, or a path that starts at the sweep file's folder.
    design : {"grid", "latin-hypercube", "list"}
    samples : int
        Cells of a hypercube; 0 of the other designs.
    settings : dict of str to (list or Range)
        By dotted key, in the order of the file.
    sampling : Sampling
    places : dict of str to path
        Where in the file each setting stands.
    """

    document: Document = field(repr=False)
    path: FilePath
    base: str
    design: Design
    samples: int
    settings: dict[str, Values]
    sampling: Sampling
    places: dict[str, Path] = field(repr=False)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.document.stem

    def place(self, setting: str) -> str:
        """File, line and key of a setting, for messages."""
        return f"{self.document.origin(self.places[setting]).place}: [settings] {setting}"

    def asked(self) -> dict[str, Any]:
        """Everything that the file says, as plain types: what tells two sweeps apart."""
        return {
            "base": self.base,
            "design": self.design,
            "samples": self.samples,
            "settings": {key: repr(values) for key, values in self.settings.items()},
            "sampling": vars(self.sampling),
        }


def _whole(low: int, high: int) -> BeforeValidator:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            top = "2^63 - 1" if high == LARGEST_SEED else f"{high}"
            raise ValueError(f"must be a whole number from {low} to {top}, got {shown(value)}")
        return value

    return BeforeValidator(check)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SamplingTable(_Table):
    """``[sampling]``."""

    draws: Annotated[int, _whole(10, 1_000_000)] = 1500
    tune: Annotated[int, _whole(10, 1_000_000)] = 1000
    chains: Annotated[int, _whole(1, 64)] = 4
    seed: Annotated[int, _whole(0, LARGEST_SEED)] | None = None
    prior_only: bool = False


class SweepTable(_Table):
    """The file; settings are read one by one."""

    base: str = "default"
    design: Design = "grid"
    samples: Annotated[int, _whole(1, MOST_SAMPLES)] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    sampling: SamplingTable = Field(default_factory=SamplingTable)


_SENTENCES = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}


def read_sweep(path: str | os.PathLike[str]) -> SweepFile:
    """Read a sweep file, and check all that can be said of it by itself.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    SweepFile

    Raises
    ------
    InputError
        With all problems, each naming file, line and key.
    """
    try:
        document = read_path(path)
    except InputError as error:
        raise InputError([one.replace("a prior file", "a sweep file") for one in error.problems]) from None
    problems = Problems()
    table = _table(document, problems)
    settings, places = read_settings(document, problems)
    design = document.data.get("design", "grid")
    _check_design(document, design, settings, places, problems)
    problems.raise_any()
    assert table is not None
    return SweepFile(
        document=document,
        path=FilePath(path),
        base=table.base,
        design=table.design,
        samples=table.samples or 0,
        settings=settings,
        sampling=Sampling(**table.sampling.model_dump()),
        places=places,
    )


def _table(document: Document, problems: Problems) -> SweepTable | None:
    try:
        return SweepTable.model_validate(document.data)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            where: Path = tuple(found["loc"])
            kind, value = str(found["type"]), found.get("input")
            if kind == "extra_forbidden":
                model = SamplingTable if where[0] == "sampling" else SweepTable
                near = did_you_mean(str(where[-1]), model.model_fields)
                said = f"nothing reads this key{near}"
            elif kind == "value_error":
                said = str(found["ctx"]["error"])
            elif kind == "literal_error":
                said = f"must be {found['ctx']['expected']}, got {shown(value)}"
            else:
                said = f"{_SENTENCES.get(kind, found['msg'])}, got {shown(value)}"
            problems.add(document.origin(where), said)
    return None


def _check_design(
    document: Document,
    design: Any,
    settings: Mapping[str, Values],
    places: Mapping[str, Path],
    problems: Problems,
) -> None:
    """Check that the settings and `samples` are such as the design takes."""
    samples = document.data.get("samples")
    if design == "latin-hypercube":
        if samples is None:
            problems.add(
                document.origin(("design",)), "a latin-hypercube needs samples, such as samples = 64"
            )
        return
    if samples is not None:
        problems.add(document.origin(("samples",)), f"only a latin-hypercube has samples, not a {design}")
    for key, values in settings.items():
        if isinstance(values, Range):
            problems.add(
                document.origin(places[key]),
                f'a range is for design = "latin-hypercube"; a {design} takes a list of values',
            )
    lengths = {key: len(values) for key, values in settings.items() if isinstance(values, list)}
    if design == "list" and len(set(lengths.values())) > 1:
        said = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        problems.add(document.origin(("settings",)), f'the lists of design = "list" are equally long: {said}')
    if design != "grid":
        return
    size = 1
    for key, values in settings.items():
        if isinstance(values, list):
            size *= len(values)
            counted = Counter(map(repr, values))
            if twice := sorted(text for text, count in counted.items() if count > 1):
                problems.add(
                    document.origin(places[key]), f"has {twice[0]} twice: the same cells would be made twice"
                )
    if size > MOST_SAMPLES:
        problems.add(
            document.origin(("settings",)), f"the grid has {size:,} cells; {MOST_SAMPLES:,} is the most"
        )
