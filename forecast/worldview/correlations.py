"""Correlations between priors: reading and merging them.

A Gaussian copula: each number keeps its own prior, and the standard normals
behind two of them (x is the quantile of its prior at Phi(z)) have the stated
correlation. Pairs that are not given have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.wording import did_you_mean, shown
from forecast.worldview.families import number
from forecast.worldview.origins import Locator, Origin, Problems, key_text
from forecast.worldview.toml_lines import Path

if TYPE_CHECKING:
    from forecast.worldview.merged import Merged
    from forecast.worldview.resolve import Key

TABLE = "correlations"
THRESHOLDS = "thresholds"
_NUMBER = re.compile(
    r"(?P<owner>[A-Za-z][A-Za-z0-9_-]*)\.(?P<name>[A-Za-z][A-Za-z0-9_-]*)(?:\[(?P<label>[^\[\]]*)\])?"
)
_EXAMPLE = '["investment.growth[china]", "thresholds.training_compute"]'


class Number(NamedTuple):
    """Which uncertain number: one of a driver's parameter, or a threshold.

    Attributes
    ----------
    owner : str
        A driver, or ``"thresholds"``.
    name : str
        The parameter's or the threshold's.
    label : str
        Bloc, epoch, or ``"bloc, epoch"``; blank where the parameter is one number.
    """

    owner: str
    name: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}[{self.label}]" if self.label else f"{self.owner}.{self.name}"


@dataclass(frozen=True)
class Correlation:
    """A correlation between two priors.

    Attributes
    ----------
    name : str
        Under which a later layer replaces it.
    between : (Number, Number)
    correlation : float
        Of the standard normals behind the two, above -1 and below 1.
    source : str
    origins : dict of str to Origin
        Where ``between`` and ``correlation`` were given; not compared.
    """

    name: str
    between: tuple[Number, Number]
    correlation: float
    source: str
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)

    def origin(self, key: str = "between") -> Origin:
        """Return where one of its keys was given."""
        return self.origins.get(key) or Origin("", None, key_text((TABLE, self.name, key)))

    def to_toml(self) -> dict[str, Any]:
        """Return the table of a prior file."""
        between = [str(one) for one in self.between]
        return {"between": between, "correlation": self.correlation, "source": self.source}


def label_of(key: Key) -> str:
    """Return what stands in brackets after a parameter's name for one of its numbers."""
    return ", ".join(part for part in (key.bloc, key.epoch) if part)


def read_correlations(data: Mapping[str, Any], where: Locator, problems: Problems) -> list[Correlation]:
    """Read ``[correlations]`` of a file or of the merged tree.

    Parameters
    ----------
    data : mapping
        With the table ``correlations`` or without.
    where : Locator
    problems : Problems
        Receives every problem; an entry with one is left out.

    Returns
    -------
    list of Correlation
    """
    tables = data.get(TABLE)
    found = []
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if isinstance(table, dict):  # else the schema says so
            entry = _read_one(name, table, where, problems)
            if entry is not None:
                found.append(entry)
    return found


def _read_one(name: str, table: dict[str, Any], where: Locator, problems: Problems) -> Correlation | None:
    path: Path = (TABLE, name)
    sound = True

    def fail(message: str, key: str) -> None:
        nonlocal sound
        sound = False
        problems.add(where.origin((*path, key) if key in table else path), message)

    between = _read_pair(table.get("between"), fail)
    strength = number(table.get("correlation"))
    if strength is None or not -1 < strength < 1:
        given = f"got {shown(table['correlation'])}" if "correlation" in table else "it is missing"
        fail(f"correlation must be a number above -1 and below 1, {given}", "correlation")
    source = table.get("source", "")
    if isinstance(source, str) and not source.strip():
        fail("source is missing: say where the correlation comes from, or why you hold it", "source")
    if not sound or between is None or strength is None or not isinstance(source, str):
        return None
    origins = {key: where.origin((*path, key)) for key in ("between", "correlation")}
    return Correlation(name, between, strength, source, origins)


def _read_pair(given: object, fail: Any) -> tuple[Number, Number] | None:
    if not isinstance(given, list) or len(given) != 2 or not all(isinstance(one, str) for one in given):
        said = "it is missing" if given is None else f"got {shown(given)}"
        fail(f"between must name two numbers, such as {_EXAMPLE}, {said}", "between")
        return None
    pair = [_read_number(text) for text in given]
    for text, one in zip(given, pair, strict=True):
        if one is None:
            form = "driver.parameter, driver.parameter[bloc] or thresholds.name"
            fail(f"{shown(text)} names no number: write {form}", "between")
    if pair[0] is None or pair[1] is None:
        return None
    if pair[0] == pair[1]:
        fail(f"{pair[0]} cannot be correlated with itself", "between")
        return None
    return pair[0], pair[1]


def _read_number(text: str) -> Number | None:
    found = _NUMBER.fullmatch(text.strip())
    if found is None or (found["label"] is not None and not found["label"].strip()):
        return None
    label = ", ".join(part.strip() for part in (found["label"] or "").split(","))
    return Number(found["owner"], found["name"], label)


def merged_correlations(merged: Merged, blocs: Sequence[str], problems: Problems) -> list[Correlation]:
    """Read the correlations of all layers, and check what needs no driver.

    Parameters
    ----------
    merged : Merged
    blocs : sequence of str
    problems : Problems
        Receives unknown thresholds and pairs that are given twice.

    Returns
    -------
    list of Correlation
        Without those of blocs that a later layer took away.
    """
    kept: list[Correlation] = []
    first: dict[frozenset[Number], Correlation] = {}
    layers = {name: merged.layer((TABLE, name)) for name in merged.data.get(TABLE, {})}
    read = read_correlations(merged.data, merged, problems)
    for one in sorted(read, key=lambda entry: layers[entry.name]):  # the later layer is the one to blame
        parts = [part for member in one.between for part in member.label.split(", ")]
        gone = [part for part in parts if part in merged.dropped_blocs and part not in blocs]
        if gone and layers[one.name] < merged.layer(("blocs",)):
            _note(merged, one, f"{gone[0]} is no bloc any more")
            continue
        _check_thresholds(one, merged.data.get(THRESHOLDS, {}), problems)
        twin = first.setdefault(frozenset(one.between), one)
        if twin is not one:
            message = (
                f"{one.between[0]} and {one.between[1]} are correlated by [correlations.{twin.name}] of "
                f"{twin.origin().place} already; use its name to replace it"
            )
            problems.add(one.origin(), message)
        kept.append(one)
    return [one for one in read if one in kept]


def _check_thresholds(one: Correlation, thresholds: Iterable[str], problems: Problems) -> None:
    for member in one.between:
        if member.owner != THRESHOLDS:
            continue
        if member.name not in thresholds:
            near = did_you_mean(member.name, thresholds)
            problems.add(one.origin(), f"there is no threshold {shown(member.name)}{near}")
        elif member.label:
            problems.add(one.origin(), f"a threshold is one number: write {THRESHOLDS}.{member.name}")


def without_unread(
    correlations: Iterable[Correlation], thresholds: Iterable[str], merged: Merged
) -> tuple[Correlation, ...]:
    """Leave out correlations with inherited thresholds that no milestone reads any more."""
    read = list(thresholds)
    kept = []
    for one in correlations:
        unread = [member for member in one.between if member.owner == THRESHOLDS and member.name not in read]
        if unread:
            _note(merged, one, f"no milestone reads {unread[0]} any more")
        else:
            kept.append(one)
    return tuple(kept)


def _note(merged: Merged, one: Correlation, why: str) -> None:
    merged.notes.append(f"[{TABLE}.{one.name}] of {one.origin().place} is left out: {why}")


def members_of(correlations: Iterable[Correlation]) -> list[Number]:
    """Return the numbers that correlate, in the order in which they are named."""
    return list(dict.fromkeys(member for one in correlations for member in one.between))


def correlation_matrix(correlations: Iterable[Correlation], members: Sequence[Number]) -> NDArray[np.float64]:
    """Return the correlation matrix of some numbers; pairs that are not given are 0.

    Parameters
    ----------
    correlations : iterable of Correlation
        Those between numbers outside `members` are left out.
    members : sequence of Number

    Returns
    -------
    ndarray, (member, member)
    """
    place = {member: index for index, member in enumerate(members)}
    matrix = np.eye(len(members))
    for one in correlations:
        if one.between[0] in place and one.between[1] in place:
            i, j = (place[member] for member in one.between)
            matrix[i, j] = matrix[j, i] = one.correlation
    return matrix
