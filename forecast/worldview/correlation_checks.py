"""Correlations checked against the drivers' parameters, and whether all of them can hold at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from forecast.wording import did_you_mean, shown
from forecast.worldview.correlations import (
    TABLE,
    THRESHOLDS,
    Correlation,
    Number,
    correlation_matrix,
    label_of,
    members_of,
)
from forecast.worldview.origins import Problems
from forecast.worldview.priors import Prior

if TYPE_CHECKING:
    from forecast.worldview.defaults import ParameterPriors
    from forecast.worldview.resolve import ResolvedParameter
    from forecast.worldview.worldview import Worldview

    Resolved = Mapping[tuple[str, str], ResolvedParameter]

SMALLEST_EIGENVALUE = 1e-8
"""Below it a matrix counts as not positive definite: one number would be a function of the others."""


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
