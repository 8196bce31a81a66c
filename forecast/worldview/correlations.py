"""Correlations between priors: reading them, and checking that they can all hold at once.

A Gaussian copula: each number keeps its own prior, and the standard normals
behind two of them (x is the quantile of its prior at Phi(z)) have the stated
correlation. Pairs that are not given have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.wording import did_you_mean, shown
from forecast.worldview.families import number
from forecast.worldview.origins import Locator, Origin, Problems, key_text
from forecast.worldview.priors import Prior
from forecast.worldview.toml_lines import Path

if TYPE_CHECKING:
    from forecast.worldview.defaults import ParameterPriors
    from forecast.worldview.merged import Merged
    from forecast.worldview.resolve import Key, ResolvedParameter
    from forecast.worldview.worldview import Worldview

    Resolved = Mapping[tuple[str, str], ResolvedParameter]

TABLE = "correlations"
THRESHOLDS = "thresholds"
KEYS = ("between", "correlation", "source")
SMALLEST_EIGENVALUE = 1e-8
"""Below it a matrix counts as not positive definite: one number would be a function of the others."""

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


def check_correlations(
    worldview: Worldview, defaults: Sequence[ParameterPriors], resolved: Resolved, problems: Problems
) -> None:
    """Check correlations against the drivers' parameters, and whether they can all hold.

    Parameters
    ----------
    worldview : Worldview
    defaults : sequence of ParameterPriors
        Of all loaded drivers.
    resolved : mapping of (driver, name) to ResolvedParameter
    problems : Problems
        Receives unknown drivers and parameters, missing or wrong brackets,
        constants, and sets that are not positive definite.
    """
    sound = []
    for one in _of_loaded(worldview):
        messages = [_member_problem(member, one, worldview, defaults, resolved) for member in one.between]
        for message in filter(None, messages):
            problems.add(one.origin(), message)
        if not any(messages) and not _is_idle(one, worldview, resolved):
            sound.append(one)
    for group in _groups(sound):
        _check_definite(group, problems)


def correlations_in_force(worldview: Worldview, resolved: Resolved) -> tuple[Correlation, ...]:
    """Return a checked worldview's correlations, without those of disabled drivers or (at 0) constants."""
    return tuple(one for one in _of_loaded(worldview) if not _is_idle(one, worldview, resolved))


def _of_loaded(worldview: Worldview) -> Iterator[Correlation]:
    for one in worldview.correlations:
        if not any(member.owner in worldview.disabled for member in one.between):
            yield one


def _is_idle(one: Correlation, worldview: Worldview, resolved: Resolved) -> bool:
    """Whether it is 0 and of a constant: set to 0, a correlation stands in nobody's way."""
    priors = [_prior_of(member, worldview, resolved) for member in one.between]
    return one.correlation == 0 and any(prior is not None and prior.is_constant for prior in priors)


def _prior_of(member: Number, worldview: Worldview, resolved: Resolved) -> Prior | None:
    if member.owner == THRESHOLDS:
        return worldview.thresholds.get(member.name)
    found = resolved.get((member.owner, member.name))
    entries = found.entries if found else {}
    return next((prior for key, prior in entries.items() if label_of(key) == member.label), None)


def _member_problem(
    member: Number,
    one: Correlation,
    worldview: Worldview,
    defaults: Sequence[ParameterPriors],
    resolved: Resolved,
) -> str:
    """Say what is wrong with one side of a correlation; blank if nothing is."""
    whole = f"{member.owner}.{member.name}"
    if member.owner != THRESHOLDS:
        names = [default.name for default in defaults if default.driver == member.owner]
        if not names:
            drivers = {default.driver for default in defaults} | {THRESHOLDS}
            return f"there is no driver {shown(member.owner)}{did_you_mean(member.owner, drivers)}"
        if member.name not in names:
            near = did_you_mean(member.name, names)
            return f"driver {member.owner!r} has no parameter {shown(member.name)}{near}"
        found = resolved.get((member.owner, member.name))
        if found is None:
            return ""  # its prior is a problem, which has been said
        labels = [label_of(key) for key in found.entries]
        if not labels:
            return f"{whole} exists for none of this worldview's blocs"
        if member.label not in labels:
            if found.shape == "scalar":
                return f"{whole} is one number: write it without brackets"
            what = "bloc" if found.shape == "bloc" else "bloc and epoch" if found.blocs else "epoch"
            choices = [f"{whole}[{label}]" for label in labels]
            said = did_you_mean(member.label, labels) if member.label and len(labels) > 8 else ""
            wrong = f"{member} is none of them; " if member.label else ""
            return f"{whole} has one number per {what}: {wrong}write {' or '.join(choices[:8])}{said}"
    prior = _prior_of(member, worldview, resolved)
    if prior is not None and prior.is_constant and one.correlation != 0:
        return (
            f"{member} is a constant, and a constant correlates with nothing: give it a distribution, or "
            f"set {TABLE}.{one.name}.correlation to 0"
        )
    return ""


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


def _groups(correlations: Iterable[Correlation]) -> list[list[Correlation]]:
    """Split correlations into those that share numbers, directly or through others."""
    groups: list[tuple[set[Number], list[Correlation]]] = []
    for one in correlations:
        members, entries = set(one.between), [one]
        for group in [group for group in groups if group[0] & members]:
            groups.remove(group)
            members, entries = group[0] | members, [*group[1], *entries]
        groups.append((members, entries))
    return [entries for _, entries in groups]


def _check_definite(group: list[Correlation], problems: Problems) -> None:
    members = members_of(group)
    smallest = float(np.linalg.eigvalsh(correlation_matrix(group, members))[0])
    if smallest > SMALLEST_EIGENVALUE:
        return
    given = {frozenset(one.between) for one in group}
    missing = [f"{a} with {b}" for a, b in combinations(members, 2) if frozenset((a, b)) not in given]
    named = ", and ".join(missing) if len(missing) <= 2 else f"the {len(missing)} missing pairs"
    also = f"give {named} a correlation too, or " if missing else ""
    # The eigenvalues of the matrix with all correlations times f are 1 + f (eigenvalue - 1).
    factor = np.floor(100 / (1 - smallest)) / 100
    entries = ", ".join(f"[{TABLE}.{one.name}]" for one in group)
    problems.add(
        group[-1].origin("correlation"),
        f"the correlations between {', '.join(map(str, members))} ({entries}) cannot all hold: their matrix "
        f"is not positive definite, its smallest eigenvalue is {smallest:.3g} and must be above 0. A pair "
        f"that is not given counts as uncorrelated: {also}weaken them, such as all of them times "
        f"{factor if factor < 1 else 0.99:.2g}",
    )
