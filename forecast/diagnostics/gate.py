"""The verdict on whether draws may be relied on.

It rests on R-hat, effective sample sizes, divergences, E-BFMI and the number
of accepted draws, and on nothing else. Crossing dates are judged beside the
parameters, on all draws, with "never" as a date after every other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecast.diagnostics.numbers import FEWEST_DRAWS, Numbers, worst_chain

if TYPE_CHECKING:
    import xarray as xr

R_HAT_MAX = 1.01
ESS_MIN = 400.0
E_BFMI_MIN = 0.3
ACCEPTED_MIN = 1000

LIMITS: Mapping[str, float] = {
    "r_hat": R_HAT_MAX,
    "ess_bulk": ESS_MIN,
    "ess_tail": ESS_MIN,
    "divergences": 0.0,
    "e_bfmi": E_BFMI_MIN,
    "accepted": float(ACCEPTED_MIN),
}
"""Thresholds of the verdict: R-hat and divergences at most, the others at least."""

TITLES = {
    "r_hat": "R-hat",
    "ess_bulk": "bulk ESS",
    "ess_tail": "tail ESS",
    "divergences": "divergences",
    "e_bfmi": "E-BFMI",
    "accepted": "accepted draws",
}
"""The checks of the verdict, and what they are called."""

ADVICE = {
    "r_hat": "The chains disagree: sample longer (--tune, --draws), and look at the prior of this parameter; "
    "the evidence may not identify it, or it may have two peaks.",
    "ess_bulk": "The draws of this number carry too little information: draw more (--draws).",
    "ess_tail": "The draws say too little about the tails of this number: draw more (--draws).",
    "divergences": "The sampler could not follow the posterior there and the draws may be biased: tune "
    "longer (--tune), or narrow a very wide prior.",
    "e_bfmi": "The sampler explores heavy tails too slowly: tune longer (--tune), or give the widest priors "
    "lighter tails.",
    "accepted": "In those a bloc had crossed by the as-of date, or evidence on crossing dates ruled them "
    "out: draw more (--draws), and ask whether priors or thresholds contradict what has not happened yet, or "
    "what that evidence says.",
}
"""What to do about a failed check."""

State = Literal["pass", "fail", "not-available"]


@dataclass(frozen=True)
class Check:
    """One check of the verdict.

    Attributes
    ----------
    code, title : str
    state : {"pass", "fail", "not-available"}
    value : float or None
        The worst value; None where it is not a number.
    threshold : float or None
        None where it depends on what could not be computed.
    where : str
        The parameter, crossing or chain with the worst value.
    advice : str
        What to do; empty when the check passes.
    """

    code: str
    title: str
    state: State
    value: float | None
    threshold: float | None
    where: str = ""
    advice: str = ""


def judge(
    tree: xr.DataTree,
    accepted_min: int = ACCEPTED_MIN,
    *,
    prior_only: bool = False,
    horizon: float | None = None,
    limits: Mapping[str, float] = LIMITS,
    numbers: Numbers | None = None,
) -> dict[str, Any]:
    """Judge the draws of a run.

    Parameters
    ----------
    tree : xarray.DataTree
        Groups ``posterior``, ``sample_stats`` and ``crossings``; a check whose
        group is missing is "not available".
    accepted_min : int
        The fewest draws that must be left once those that had crossed by the
        as-of date are set aside.
    prior_only : bool
        The draws are of the priors alone: there is no sampler to judge.
    horizon : float, optional
        Decimal year that stands for "never" among crossing dates; by default
        the latest crossing. Only its place in the order matters much.
    limits : mapping of str to float
        Thresholds by code, in place of those of the verdict.
    numbers : Numbers, optional
        Those of the tree, where they have been collected already.

    Returns
    -------
    dict
        ``diagnostics`` of ``summary.json``: ``ok`` (True; False where a check
        failed; None where one could not be made, or for prior draws),
        ``verdict`` in words, ``r_hat_max``, ``ess_bulk_min``,
        ``ess_tail_min``, ``divergences``, ``e_bfmi_min``, ``accepted`` and
        ``checks``, a list of :class:`Check` as dicts.
    """
    accepted = _accepted(tree, accepted_min)
    if prior_only:
        return _verdict([accepted], None, "prior draws only: no sampler was run, so there is no verdict")
    draws = numbers or Numbers.of(tree, horizon)
    checks = [
        _r_hat(draws, limits["r_hat"]),
        _ess(draws, "ess_bulk", limits["ess_bulk"]),
        _ess(draws, "ess_tail", limits["ess_tail"]),
        _divergences(tree, limits["divergences"]),
        _e_bfmi(tree, limits["e_bfmi"]),
        accepted,
    ]
    failed = [check.title for check in checks if check.state == "fail"]
    missing = [check.title for check in checks if check.state == "not-available"]
    if failed:
        return _verdict(checks, False, f"failed: {', '.join(failed)}")
    if missing:
        return _verdict(checks, None, f"not available: {', '.join(missing)}")
    return _verdict(checks, True, "passed")


def _verdict(checks: list[Check], ok: bool | None, verdict: str) -> dict[str, Any]:
    values = {check.code: check.value for check in checks}

    def whole(code: str) -> int | None:
        value = values.get(code)
        return None if value is None else int(value)

    return {
        "ok": ok,
        "verdict": verdict,
        "r_hat_max": values.get("r_hat"),
        "ess_bulk_min": values.get("ess_bulk"),
        "ess_tail_min": values.get("ess_tail"),
        "divergences": whole("divergences"),
        "e_bfmi_min": values.get("e_bfmi"),
        "accepted": whole("accepted"),
        "checks": [asdict(check) for check in checks],
    }


def _result(
    code: str, value: float | None, threshold: float, passed: bool, where: str = "", advice: str = ""
) -> Check:
    if passed:
        return Check(code, TITLES[code], "pass", value, threshold, where)
    return Check(code, TITLES[code], "fail", value, threshold, where, advice or ADVICE[code])


def _not_available(code: str, threshold: float, advice: str) -> Check:
    return Check(code, TITLES[code], "not-available", None, threshold, advice=advice)


def _not_a_number(where: str) -> str:
    return f"The draws of {where} include NaN or infinity, or a chain that never moved: look at its prior."


def _r_hat(draws: Numbers | None, limit: float) -> Check:
    if draws is None or draws.chains < 2 or draws.draws < FEWEST_DRAWS:
        return _not_available("r_hat", limit, "It needs two chains or more (--chains 4).")
    value, where = draws.worst("r_hat", largest=True)
    if value is None:
        return _result("r_hat", None, limit, False, where, _not_a_number(where))
    return _result("r_hat", value, limit, value <= limit, where)


def _ess(draws: Numbers | None, code: Literal["ess_bulk", "ess_tail"], limit: float) -> Check:
    if draws is None or draws.draws < FEWEST_DRAWS:
        return _not_available(code, limit, "There are too few draws (--draws 1000).")
    value, where = draws.worst(code, largest=False)
    if value is None:
        return _result(code, None, limit, False, where, _not_a_number(where))
    return _result(code, value, limit, value >= limit, where)


def _divergences(tree: xr.DataTree, limit: float) -> Check:
    statistics = tree.children.get("sample_stats")
    if statistics is None or "diverging" not in statistics:
        return _not_available("divergences", limit, "The sampler did not report divergences.")
    count, where = worst_chain(statistics["diverging"].transpose("chain", "draw").to_numpy().astype(bool))
    return _result("divergences", float(count), limit, count <= limit, where)


def _e_bfmi(tree: xr.DataTree, limit: float) -> Check:
    import arviz_stats as az

    statistics = tree.children.get("sample_stats")
    if statistics is None or "energy" not in statistics or statistics.sizes["draw"] < FEWEST_DRAWS:
        return _not_available("e_bfmi", limit, "The sampler did not report energies.")
    energy = statistics["energy"].transpose("chain", "draw").to_numpy().astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_chain = np.asarray(az.bfmi(energy, chain_axis=0, draw_axis=1), dtype=float)
    finite = np.isfinite(per_chain)
    if not finite.all():
        where = f"chain {int(np.argmin(finite))}"
        advice = "The energy of this chain never moved or is NaN: sample again with another --seed."
        return _result("e_bfmi", None, limit, False, where, advice)
    worst = int(np.argmin(per_chain))
    value = float(per_chain[worst])
    return _result("e_bfmi", value, limit, value >= limit, f"chain {worst}")


def _accepted(tree: xr.DataTree, accepted_min: int) -> Check:
    crossings = tree.children.get("crossings")
    if crossings is None or "accepted" not in crossings:
        return _not_available("accepted", float(accepted_min), "No crossings were computed.")
    marks = crossings["accepted"].to_numpy().astype(bool)
    count = int(marks.sum())
    advice = "There are too few draws (--draws 1000 --chains 4)."
    if count < marks.size:
        advice = f"{marks.size - count} of {marks.size} draws were set aside. {ADVICE['accepted']}"
    return _result("accepted", float(count), float(accepted_min), count >= accepted_min, advice=advice)
