"""All checks of a fit together: what ``forecast diagnose`` says.

The verdict ``ok`` is that of :func:`forecast.diagnostics.judge`; what is added
here informs it and never changes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.diagnostics.catalogue import KINDS, REFERENCES, without_options
from forecast.diagnostics.gate import Check, judge
from forecast.diagnostics.learning import Learning, learn
from forecast.diagnostics.numbers import Numbers
from forecast.diagnostics.predictive import examine_tables, influential_rows, table_checks
from forecast.diagnostics.sampler import sampler_checks, separations

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = "forecast.diagnosis/1"

GROUPS = (
    "posterior",
    "sample_stats",
    "log_likelihood",
    "log_prior",
    "posterior_predictive",
    "observed_data",
    "prior",
    "crossings",
)
"""The groups that are looked at."""

_GATHERED = (
    "They gather at the values named: if that is a scale near zero, write what it scales non-centred; if it "
    "is the edge of a prior, ask whether the evidence wants to go beyond it."
)

_PRIOR_ONLY = "These are draws of the priors alone: no sampler was run, so there is nothing to judge."


def diagnosis_schema() -> dict[str, Any]:
    """JSON schema of what :func:`diagnose` returns."""
    text = (resources.files("forecast.diagnostics") / "diagnosis.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def diagnose(
    tree: xr.DataTree,
    *,
    run: str,
    ours: bool = True,
    prior_only: bool = False,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Make every check of a fit.

    Parameters
    ----------
    tree : xarray.DataTree
        Any of :data:`GROUPS`, with dims chain and draw as ArviZ has them. A
        check whose group is missing is "not-available", with the reason.
    run : str
        What to call it: a run's id, or a file.
    ours : bool
        Made by ``forecast run``: accepted draws count, and advice names its options.
    prior_only : bool
        Draws of the priors alone.
    thresholds : mapping of str to float, optional
        By code, in place of the defaults.

    Returns
    -------
    dict
        Plain types, valid under :func:`diagnosis_schema`: ``schema``, ``run``,
        ``ok`` (None where a check that decides could not be made), ``checks``,
        and details beside them.
    """
    given = dict(thresholds or {})
    limits = {code: kind.threshold for code, kind in KINDS.items() if kind.threshold is not None} | given
    numbers = None if prior_only else Numbers.of(tree)
    verdict = judge(tree, int(limits["accepted"]), prior_only=prior_only, limits=limits, numbers=numbers)
    decided = {check["code"]: Check(**check) for check in verdict["checks"]}
    if not ours:
        decided.pop("accepted", None)
    divergent = [] if prior_only else separations(tree, numbers)
    results = [] if prior_only else examine_tables(tree, numbers)
    if prior_only:
        learning = Learning([], [], [])
        checks = [
            decided.get(code) or kind.missing(kind.threshold, _PRIOR_ONLY) for code, kind in KINDS.items()
        ]
    else:
        learning = learn(tree, numbers, limits)
        checks = [
            *_located(decided, divergent),
            *sampler_checks(tree, numbers, limits),
            *table_checks(results, limits, without=_no_tables(tree)),
            *learning.checks,
        ]
    if numbers is None and not prior_only:
        checks = [_nothing_varies(check) for check in checks]
    if not ours:
        checks = [replace(check, advice=without_options(check.advice)) for check in checks]
    ok = _ok(checks)
    return {
        "schema": SCHEMA,
        "run": run,
        "ok": ok,
        "checks": [asdict(check) for check in checks],
        "verdict": _PRIOR_ONLY if prior_only else _verdict(checks, ok),
        "deciding": [check.code for check in checks if KINDS[check.code].decides],
        "thresholds_set": given,
        "draws": None if numbers is None else {"chains": numbers.chains, "draws": numbers.draws},
        "parameters": _parameters(numbers, learning),
        "tables": [one.as_plain() for one in results],
        "influential": influential_rows(results, given.get("pareto_k")),
        "divergent": [asdict(one) for one in divergent],
        **learning.as_plain(),
        "references": {
            check.code: [REFERENCES[key] for key in KINDS[check.code].references] for check in checks
        },
    }


def _ok(checks: Sequence[Check]) -> bool | None:
    states = [check.state for check in checks if KINDS[check.code].decides]
    if "fail" in states:
        return False
    return None if "not-available" in states else True


def _verdict(checks: Sequence[Check], ok: bool | None) -> str:
    deciding = [check for check in checks if KINDS[check.code].decides]
    others = [check for check in checks if not KINDS[check.code].decides]
    failed, missing = _titles(deciding, "fail"), _titles(deciding, "not-available")
    if ok:
        words = "The draws may be relied on: every check of convergence passed."
    elif ok is None:
        words = f"Whether the draws may be relied on is not known: not available are {missing}."
    else:
        words = f"Do not rely on these draws: failed {failed}."
        words += f" Not available: {missing}." if missing else ""
    failed, missing = _titles(others, "fail"), _titles(others, "not-available")
    if failed:
        words += f" Of the model and its evidence, to look at: {failed}."
    elif len(missing) < len(others):
        words += " Nothing else stands out."
    if missing:
        words += f" Could not be checked: {missing}."
    return words


def _titles(checks: Iterable[Check], state: str) -> str:
    return ", ".join(check.title for check in checks if check.state == state)


def _located(decided: Mapping[str, Check], divergent: Sequence[Any]) -> list[Check]:
    """Checks of the verdict; the one on divergences says where in parameter space they sit."""
    check = decided["divergences"]
    if divergent:
        words = "; ".join(one.words for one in divergent)
        check = replace(check, where=f"{check.where}; at {words}")
        if check.advice:
            check = replace(check, advice=f"{check.advice} {_GATHERED}")
    elif check.value:
        check = replace(check, where=f"{check.where}; no parameter tells them from the others")
    return list((dict(decided) | {"divergences": check}).values())


def _nothing_varies(check: Check) -> Check:
    if check.code in ("r_hat", "ess_bulk", "ess_tail", "mcse"):
        return replace(check, advice="No parameter of its posterior varies.")
    return check


def _no_tables(tree: xr.DataTree) -> str:
    missing = [
        group
        for group in ("log_likelihood", "posterior_predictive", "observed_data")
        if group not in tree.children or not tree[group].data_vars
    ]
    return f"The file has no group {' or '.join(missing)}." if missing else ""


def _parameters(numbers: Numbers | None, learning: Learning) -> list[dict[str, Any]]:
    if numbers is None:
        return []
    learnt = {one.parameter: one for one in learning.learnt}
    few = numbers.chains < 2
    found = []
    for at, name in enumerate(numbers.names):
        values = numbers.values[..., at]
        one = learnt.get(name)
        found.append(
            {
                "name": name,
                "mean": _number(values.mean()),
                "sd": _number(values.std()),
                "r_hat": None if few else _number(numbers.r_hat[at]),
                "ess_bulk": _number(numbers.ess_bulk[at]),
                "ess_tail": _number(numbers.ess_tail[at]),
                "mcse_over_sd": _number(numbers.mcse_over_sd[at]),
                "contraction": None if one is None else one.contraction,
                "shift": None if one is None else one.shift,
            }
        )
    return found


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
