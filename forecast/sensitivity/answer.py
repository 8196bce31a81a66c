"""All of it together: what ``forecast sensitivity`` says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.diagnostics.learning import compare_with_prior
from forecast.diagnostics.numbers import Numbers, number_name
from forecast.errors import ForecastError
from forecast.sensitivity.outcomes import Answers, Floats, read_answers
from forecast.sensitivity.power import SPAN, STEP, THRESHOLD, power_scale, read_components
from forecast.sensitivity.rows import row_influences
from forecast.sensitivity.shapley import make_folds, shapley_effects
from forecast.sensitivity.tornado import now, side_share, tornado
from forecast.sensitivity.weights import good_k
from forecast.sensitivity.words import headline

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

SCHEMA = "forecast.sensitivity/1"

GROUPS = ("posterior", "log_prior", "log_likelihood", "crossings", "prior")
"""The groups of ``results.nc`` that are read."""

_PRIOR_ONLY = (
    "These are draws of the priors alone: no evidence was used, and the run does not keep the densities of "
    "its priors. Make a run with evidence."
)


def sensitivity_schema() -> dict[str, Any]:
    """JSON schema of what :func:`sensitivity` returns."""
    text = (resources.files("forecast.sensitivity") / "sensitivity.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def sensitivity(
    tree: xr.DataTree,
    worldview: Worldview,
    *,
    run: str = "",
    prior_only: bool = False,
    milestone: str | None = None,
    still: Mapping[str, bool] | None = None,
) -> dict[str, Any]:
    """Say what the answer of a run hangs on. Nothing is fitted, and no plugin is needed.

    Parameters
    ----------
    tree : xarray.DataTree
        A run's tree, of which :data:`GROUPS` are read.
    worldview : Worldview
    run : str
        Id of the run.
    prior_only : bool
        The draws are of the priors alone: then there are no components, no evidence, and nothing that data
        could have moved, and ``why`` says so.
    milestone : str, optional
        By default ``agi`` where there is one, else the first.
    still : mapping of str to bool, optional
        Whether the data left each number as its prior has it (:func:`still_of`), where that is known already.

    Returns
    -------
    dict
        Plain types, valid under :func:`sensitivity_schema`: ``components``, ``drivers``, ``evidence``, and
        ``tornado``, ``not_moved``, ``unexplained`` and a ``headline`` beside them.

    Raises
    ------
    InputError
        The run has no such milestone.
    ForecastError
        It has no milestone, lacks a group, or has too few accepted draws.
    """
    answers = read_answers(tree, worldview, milestone)
    _check_groups(tree, prior_only)
    names, owners, values = _numbers(tree, "prior" if prior_only else "posterior", answers)
    components = [] if prior_only else power_scale(read_components(tree, answers), answers)
    still = {} if prior_only else _still(tree) if still is None else still
    for row in components:
        row["moved"] = _moved(row, still)
    drivers, unexplained = _attribute(values, owners, answers)
    found = {
        "schema": SCHEMA,
        "run": run,
        "worldview": worldview.name,
        "as_of": worldview.as_of.isoformat(),
        "window": {"start": worldview.window.start.isoformat(), "end": worldview.window.end.isoformat()},
        "horizon": worldview.horizon.isoformat(),
        "prior_only": prior_only,
        "milestone": answers.milestone,
        "title": answers.title,
        "bloc": answers.first,
        "blocs": answers.blocs,
        "lead": None
        if answers.lead_of is None
        else dict(zip(("leader", "follower"), answers.lead_of, strict=True)),
        "draws": {"total": answers.accepted.size, "set_aside": answers.accepted.size - answers.size},
        "outcomes": [{"name": one.name, "title": one.title} for one in answers.outcomes],
        "answer": now(answers),
        "components": components,
        "drivers": drivers,
        "unexplained": unexplained,
        "evidence": [] if prior_only else row_influences(tree, answers),
        "tornado": tornado(names, values, answers),
        "side_share": side_share(answers.size),
        "not_moved": None if prior_only else [name for name, is_still in still.items() if is_still],
        "thresholds": {"psi": THRESHOLD, "k": good_k(answers.size)},
        "powers": {"psi": list(STEP), "shift": list(SPAN)},
        "why": dict.fromkeys(("components", "evidence", "not_moved"), _PRIOR_ONLY) if prior_only else {},
    }
    return found | {"headline": headline(found)}


def _check_groups(tree: xr.DataTree, prior_only: bool) -> None:
    needed = ("prior",) if prior_only else ("posterior", "log_prior", "log_likelihood")
    missing = [group for group in needed if group not in tree.children]
    if missing:
        raise ForecastError(
            f"This run lacks the group {' and '.join(missing)} of results.nc, without which it cannot be "
            "told what its answer hangs on: it was made by an earlier version, or is damaged. Make the run "
            "again."
        )


def _numbers(tree: xr.DataTree, group: str, answers: Answers) -> tuple[list[str], list[str], Floats]:
    """Numbers of the parameters with the driver of each, and their accepted draws, (draw, number)."""
    names, owners, blocks = [], [], []
    for name, variable in tree[group].data_vars.items():
        if not {"chain", "draw"} <= set(variable.dims) or not variable.size:
            continue
        ordered = variable.transpose("chain", "draw", ...)
        values = answers.take(ordered.to_numpy())
        if not np.isfinite(values).all():
            continue
        for index in np.ndindex(values.shape[1:]):
            names.append(number_name(str(name), ordered, index))
            owners.append(str(name).partition(".")[0])
        blocks.append(values.reshape(answers.size, -1))
    if not blocks:
        raise ForecastError(f"This run has no parameters in the group {group} of its results.nc.")
    return names, owners, np.concatenate(blocks, axis=1)


def _still(tree: xr.DataTree) -> dict[str, bool]:
    """Whether each number's posterior is its prior, as ``forecast diagnose`` has it."""
    return {one.parameter: one.is_still for one in compare_with_prior(tree, Numbers.of(tree))}


def still_of(diagnosis: Mapping[str, Any]) -> dict[str, bool]:
    """The same from what :func:`forecast.diagnostics.diagnose` found."""
    unmoved = set(diagnosis["unmoved"])
    return {
        row["name"]: row["name"] in unmoved
        for row in diagnosis["parameters"]
        if row["contraction"] is not None
    }


def _moved(row: dict[str, Any], still: Mapping[str, bool]) -> bool | None:
    """Whether the data moved any number of a prior's parameter; None where it is not known or no question."""
    own = [is_still for name, is_still in still.items() if name.partition("[")[0] == row["name"]]
    return None if row["kind"] != "prior" or not own else not all(own)


def _attribute(
    values: Floats, owners: list[str], answers: Answers
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Shapley effects by driver, and what is left to luck.

    Outcomes that are there in the same draws share their regressions.
    """
    by_outcome: dict[str, Floats] = {}
    left: dict[str, float] = {}
    folds, names = make_folds(answers.chains()), list(dict.fromkeys(owners))
    together: dict[bytes, list[Any]] = {}
    for outcome in answers.outcomes:
        together.setdefault(outcome.there.tobytes(), []).append(outcome)
    for some in together.values():
        there = some[0].there
        scores = np.stack([one.scores[there] for one in some], axis=1)
        shares = shapley_effects(values[there], owners, scores, folds[there])
        for at, one in enumerate(some):
            by_outcome[one.name] = shares.values[:, at]
            left[one.name] = 1 - float(shares.explained[at])
    asked = _asked(answers)
    rows = [
        {
            "name": name,
            "variance_share": float(by_outcome[asked][at]),
            "by_outcome": {outcome: float(by_outcome[outcome][at]) for outcome in left},
        }
        for at, name in enumerate(names)
    ]
    unexplained = {"variance_share": left[asked], "by_outcome": left}
    return sorted(rows, key=lambda row: -row["variance_share"]), unexplained


def _asked(answers: Answers) -> str:
    """The outcome on which drivers are ranked: the date of the bloc asked about, if it varies."""
    names = [one.name for one in answers.outcomes]
    date = f"date.{answers.first}"
    return date if date in names else names[0]
