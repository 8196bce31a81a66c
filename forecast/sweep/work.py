"""What a worker does: fit, and read a cell off the fit's draws."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.diagnostics import judge
from forecast.engine import Plan, Run, compile_plan, execute
from forecast.errors import ForecastError
from forecast.host import Loaded, load_plugins
from forecast.model import Key
from forecast.results import summarise
from forecast.results.draws import threshold_group
from forecast.results.summary import milestone_names
from forecast.scenarios import branch_of
from forecast.sweep.jobs import Job, remake
from forecast.worldview import Scenario

THINNED = 500
"""Crossing dates of a cell that are kept at most, evenly over its draws."""

_READ = ("crossings", "inside", "at_crossing")


@dataclass
class Outcome:
    """What came of a cell.

    Attributes
    ----------
    cell : int
    run : str
        Id of the run that its draws are of.
    ok : bool or None
        Verdict of the diagnostics; None where there is none.
    seconds : float
        It took, on its worker; of a fit that cells share, in the first of them.
    error : str
        Why there are no rows; blank where there are.
    rows : list of dict
        One a milestone and bloc.
    dates : dict of str to ndarray, (draw, bloc)
        Thinned crossing dates of accepted draws by milestone, decimal years.
    """

    cell: int
    run: str
    ok: bool | None = None
    seconds: float = 0.0
    error: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    dates: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass
class Fit:
    """Draws that cells share, as plain arrays: they travel between machines.

    Attributes
    ----------
    job : Job
        Of the cell that it was made for.
    error : str
        Why there are none; blank where there are.
    """

    job: Job
    seconds: float
    error: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, xr.Dataset] = field(default_factory=dict)
    parameters: Mapping[Key, NDArray[np.float64]] = field(default_factory=dict)
    chains: int = 1


@lru_cache(maxsize=4)
def _loaded(plugins: tuple[str, ...]) -> Loaded:
    return load_plugins(plugins)


_SEEN: dict[tuple[str, ...], Any] = {}
"""Code as it was when this process loaded it."""


def _plan(job: Job) -> Plan:
    """Make the plan of a job, unless this process runs older code than is on its disk.

    Raises
    ------
    ForecastError
        A worker that outlives a sweep would go on with what it imported, and nothing would show it.
    """
    plan = remake(job, _loaded(job.plugins))
    prints = plan.fingerprint
    now = {("forecast",): prints["code"]}
    now |= {(*job.plugins, name): code for name, code in prints["drivers"].items()}
    for name, code in now.items():
        if _SEEN.setdefault(name, code) != code:
            raise ForecastError(
                f"the code of {name[-1]} has changed since this worker loaded it; restart the workers"
            )
    return plan


def warm(job: Job) -> None:
    """Compile the model of a job, or find it compiled, for all workers of this machine."""
    with redirect_stdout(sys.stderr):
        compile_plan(_plan(job))


def make_fit(job: Job) -> Fit:
    """Fit the model of a job, without the changes of its scenario."""
    start = time.perf_counter()
    # Standard output is the command's answer, and workers share it.
    with redirect_stdout(sys.stderr):
        try:
            run = execute(_plan(job))
        except Exception as error:  # a cell that fails is a row with its error; the others go on
            return Fit(job, time.perf_counter() - start, error=_said(error))
    groups = {
        name: run.results[name].to_dataset().load()
        for name in (*_READ, "posterior", "sample_stats")
        if name in run.results.children
    }
    return Fit(job, time.perf_counter() - start, "", run.summary, groups, run.parameters, run.chains)


def read_cell(fit: Fit, job: Job) -> Outcome:
    """Read a cell off the draws of a fit."""
    start = time.perf_counter()
    made = fit.seconds if fit.job.cell == job.cell else 0.0
    if fit.error:
        return Outcome(job.cell, job.run, seconds=made, error=fit.error)
    with redirect_stdout(sys.stderr):
        try:
            found = _read(fit, job)
        except Exception as error:
            found = Outcome(job.cell, job.run, error=_said(error))
    found.seconds = round(made + time.perf_counter() - start, 3)
    return found


def make_cell(job: Job) -> Outcome:
    """Make a cell whose fit no other cell shares."""
    return read_cell(make_fit(job), job)


def _read(fit: Fit, job: Job) -> Outcome:
    plan = _plan(job)
    run = _as_run(fit, plan)
    summary, tree = run.summary, run.results
    if job.intervene:
        branch = branch_of(run, Scenario("", "", "", "", "intervene", job.intervene, "", ""))
        summary, tree = _summary(branch.results, plan, run.summary["diagnostics"]), branch.results
    return Outcome(
        job.cell,
        run=run.id,
        ok=None if plan.prior_only else bool(summary["diagnostics"]["ok"]),
        rows=rows_of(summary),
        dates=thinned(tree["crossings"].to_dataset()),
    )


def _as_run(fit: Fit, plan: Plan) -> Run:
    """The run of a plan from the draws of a fit that it shares."""
    same = plan.id == fit.job.run
    groups = {name: fit.groups[name] for name in _READ if same and name in fit.groups}
    run = Run(plan, fit.summary, xr.DataTree.from_dict(groups), fit.parameters, fit.chains)
    if same:
        return run
    found = run.project(keep=1)
    read = {"crossings": found.crossings, "inside": found.inside, "at_crossing": found.at_crossing}
    thresholds = threshold_group(plan.worldview.thresholds, found.thresholds, chains=fit.chains)
    judged = {name: one for name, one in read.items() if one.data_vars}
    if "posterior" in fit.groups:
        own = [name for name in fit.groups["posterior"].data_vars if not str(name).startswith("thresholds.")]
        judged["posterior"] = fit.groups["posterior"][own].merge(thresholds)
    if "sample_stats" in fit.groups:
        judged["sample_stats"] = fit.groups["sample_stats"]
    tree = xr.DataTree.from_dict(judged)
    diagnostics = judge(tree, prior_only=plan.prior_only)
    return replace(run, results=tree, summary=_summary(tree, plan, diagnostics))


def _summary(tree: xr.DataTree, plan: Plan, diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    return summarise(
        tree,
        plan.worldview,
        run_id=plan.id,
        diagnostics=diagnostics,
        timings={},
        prior_only=plan.prior_only,
    )


def rows_of(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row a milestone and bloc from a summary.

    Returns
    -------
    list of dict
        ``milestone``, ``bloc``, probabilities, quantiles as decimal years (None
        for never), and ``p_unipolar_<bloc>``, ``p_bipolar`` and ``lead_median``,
        which are of the milestone.
    """
    rows = []
    for name, milestone in summary["milestones"].items():
        lead = milestone["lead"]
        worlds: dict[str, Any] = {}
        if lead is not None:
            worlds = {f"p_unipolar_{bloc}": p for bloc, p in lead["p_unipolar"].items()}
            worlds |= {"p_bipolar": lead["p_bipolar"], "lead_median": lead["quantiles"]["0.5"]}
        for bloc, found in milestone["blocs"].items():
            rows.append(
                {
                    "milestone": name,
                    "bloc": bloc,
                    **{key: found[key] for key in ("p_before", "p_in", "p_after", "p_never")},
                    **{f"q{level[2:]:<02}": found["quantiles"][level] for level in LEVELS},
                    **worlds,
                }
            )
    return rows


LEVELS = ("0.05", "0.25", "0.5", "0.75", "0.95")
"""Quantiles of a row, by their names in a summary."""


def thinned(crossings: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """Return some crossing dates of accepted draws, (draw, bloc), by milestone."""
    accepted = crossings["accepted"].transpose("chain", "draw").to_numpy().astype(bool).ravel()
    kept = np.flatnonzero(accepted)
    if len(kept) > THINNED:
        kept = kept[np.linspace(0, len(kept) - 1, THINNED).astype(int)]
    return {
        name: crossings[name].transpose("chain", "draw", "bloc").to_numpy().reshape(accepted.size, -1)[kept]
        for name in milestone_names(crossings)
    }


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, ForecastError) else f"{type(error).__name__}: {text}".rstrip(": ")
