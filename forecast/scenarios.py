"""Scenarios against a base: the same draws with another future, or other assumptions fitted again.

`intervene` projects the base's own posterior draws and shocks once more, with
terms changed after a date, so that every difference is paired. `assume` lays
the file over the base's worldview and makes a run of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import xarray as xr

from forecast.dates import end_of
from forecast.engine import Plan, Reporter, Run, execute, make_plan, reopen
from forecast.errors import ForecastError, InputError
from forecast.projection import future_graph
from forecast.results import default_milestone, existing_run, list_runs, read_run
from forecast.results.scenario_summary import Branch, summarise_scenarios
from forecast.results.summary import milestone_names
from forecast.wording import did_you_mean
from forecast.worldview import Scenario, Worldview, load_worldview


def plan_scenarios(
    base: Plan, scenarios: Sequence[Scenario], milestone: str, *, reporter: Reporter | None = None
) -> dict[str, Plan]:
    """Check scenarios against a base before anything costs time.

    Parameters
    ----------
    base : Plan
    scenarios : sequence of Scenario
    milestone : str
        That will be compared.
    reporter : Reporter, optional

    Returns
    -------
    dict of str to Plan
        The refits: a plan for each scenario that assumes something.

    Raises
    ------
    InputError
        With the file of the scenario: a change that finds nothing to change,
        an assumption that nothing reads, a milestone that is gone.
    """
    plans: dict[str, Plan] = {}
    problems: list[str] = []
    chosen_milestone(base.worldview, milestone)
    for scenario in scenarios:
        try:
            if scenario.kind == "assume":
                plan = plans[scenario.name] = _refit(base, scenario, reporter)
                future_graph(plan.spec, plan.worldview.horizon, plan.worldview.intervene)
                chosen_milestone(plan.worldview, milestone)
            else:
                changes = (*base.worldview.intervene, *scenario.intervene)
                future_graph(base.spec, base.worldview.horizon, changes)
        except InputError as error:
            problems += [_placed(scenario, problem) for problem in error.problems]
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return plans


def chosen_milestone(worldview: Worldview, wanted: str | None = None) -> str:
    """Return the milestone that is asked for, or the one that is meant where none is named.

    Raises
    ------
    InputError
        Where the worldview has none of that name.
    """
    names = list(worldview.milestones)
    if wanted is None:
        return default_milestone(names)
    if wanted not in names:
        raise InputError(
            f"worldview {worldview.name!r} has no milestone {wanted!r}{did_you_mean(wanted, names)}"
        )
    return wanted


def _placed(scenario: Scenario, problem: str) -> str:
    """Name the scenario's file, unless the problem does."""
    return problem if problem.startswith(scenario.file) else f"{scenario.file}: {problem}"


def _refit(base: Plan, scenario: Scenario, reporter: Reporter | None) -> Plan:
    return make_plan(
        load_worldview(base.worldview, scenario.given, shelf=base.host.shelf),
        plugins=base.plugins,
        loaded=base.host.loaded,
        drivers=base.drivers,
        settings=base.settings,
        prior_only=base.prior_only,
        reporter=reporter,
    )


def take_up(
    plan: Plan, folder: Path, *, reporter: Reporter | None = None, command: Sequence[str] = ()
) -> tuple[Run, Path, bool]:
    """Return the run of a plan: the saved one without a fit, or one that is made and saved now.

    Parameters
    ----------
    plan : Plan
    folder : pathlib.Path
        Holds runs.
    reporter : Reporter, optional
    command : sequence of str
        The command line, for the manifest of a run that is made.

    Returns
    -------
    run : Run
    path : pathlib.Path
        Its folder.
    existed : bool
        Whether it was there.
    """
    reporter = reporter or Reporter()
    saved = existing_run(folder, plan.id)
    if saved is not None:
        reporter.phase(f"Taking up the draws of {saved}")
        try:
            return reopen(read_run(saved), plan), saved, True
        except ForecastError as error:
            reporter.warn(
                f"{error}. The saved one stays and is not used: the draws are of a new run with the same id, "
                f"{plan.id}, made for this comparison."
            )
    elif (why := _outdated(plan, folder)) is not None:
        reporter.warn(f"{why}; it is not used: the draws are of a new run, {plan.id}, which is made now.")
    made = execute(plan, reporter=reporter)
    reporter.phase("Saving")
    return made, made.save(folder, command=command), False


def _outdated(plan: Plan, folder: Path) -> str | None:
    """Say of the newest saved run that asks the same what has changed since it was made."""
    asked = {
        "sampler": plan.fingerprint["sampler"],
        "prior_only": plan.prior_only,
        "seed": plan.worldview.seed,
    }
    worldview = sha256(plan.fingerprint["worldview"].encode()).hexdigest()
    for path in list_runs(folder):
        try:
            manifest = read_run(path).manifest
            hashes = manifest["hashes"]
            same = manifest["settings"] == asked and hashes["worldview"] == worldview
            other = hashes["evidence"] != plan.fingerprint["evidence"]
        except (ForecastError, KeyError):
            continue
        if same:
            what = "its evidence has" if other else "the code of drivers or of forecast has"
            return f"{path} has the same worldview and settings, but {what} changed since"
    return None


def branch_of(base: Run, scenario: Scenario) -> Branch:
    """Project the draws of a base under the changes of a scenario.

    Parameters
    ----------
    base : Run
    scenario : Scenario
        That intervenes.

    Returns
    -------
    Branch
        Draws accepted are those of the base, and what had happened by its
        as-of date stays as it was.
    """
    found = base.project([change.to_toml() for change in scenario.intervene], keep=1)
    after = {"crossings": found.crossings, "inside": found.inside, "at_crossing": found.at_crossing}
    before = {name: base.results[name].to_dataset().load() for name in after if name in base.results.children}
    groups = unchanged_past(before, after, end_of(base.worldview.as_of))
    return Branch(
        worldview=base.worldview,
        results=xr.DataTree.from_dict({name: group for name, group in groups.items() if group.data_vars}),
        run=base.id,
        diagnostics=base.summary["diagnostics"],
        about=_about(scenario),
        paired=True,
    )


def unchanged_past(
    before: Mapping[str, xr.Dataset], after: Mapping[str, xr.Dataset], now: float
) -> dict[str, xr.Dataset]:
    """Keep crossings up to the as-of date, and which draws are accepted, as they are without a change.

    Crossings are interpolated between months, so that a jump of the first
    month after the as-of date would reach back into the one before it.

    Parameters
    ----------
    before, after : mapping of str to xarray.Dataset
        Groups ``crossings``, ``inside`` and ``at_crossing`` of the same draws
        without and with the change.
    now : float
        End of the as-of date, decimal year.

    Returns
    -------
    dict of str to xarray.Dataset
        Those of `after`. What a bloc has at a crossing that is kept, and when
        that model existed inside, are those of `before`; where a crossing is
        moved to `now`, the date inside moves with it.
    """
    kept = {name: group.copy() for name, group in after.items()}
    kept["crossings"]["accepted"] = before["crossings"]["accepted"]
    for milestone in milestone_names(before["crossings"]):
        old, new = before["crossings"][milestone], after["crossings"][milestone]
        past, early = old <= now, new < now

        def joined(was: xr.DataArray, now_is: xr.DataArray, past: xr.DataArray = past) -> xr.DataArray:
            return now_is.where(~past, was).transpose("chain", "draw", "bloc").assign_attrs(now_is.attrs)

        kept["crossings"][milestone] = joined(old, new.where(~early, now))
        if milestone in after.get("inside", ()):
            inside = after["inside"][milestone]
            moved = inside.where(~early, inside + (now - new))
            kept["inside"][milestone] = joined(before["inside"][milestone], moved)
        for name, levels in after.get("at_crossing", {}).items():
            if str(name).startswith(f"{milestone}."):
                kept["at_crossing"][name] = joined(before["at_crossing"][name], levels)
    return kept


def _about(scenario: Scenario) -> dict[str, Any]:
    return {
        "title": scenario.title,
        "kind": scenario.kind,
        "description": scenario.description,
        "source": scenario.source,
        "intervene": [
            {key: str(value) if isinstance(value, date) else value for key, value in change.to_toml().items()}
            for change in scenario.intervene
        ],
    }


def _as_branch(run: Run, about: Mapping[str, Any] | None = None) -> Branch:
    return Branch(run.worldview, run.results, run.id, run.summary["diagnostics"], about or {})


def compare(
    base: Run,
    scenarios: Sequence[Scenario],
    plans: Mapping[str, Plan],
    folder: Path,
    *,
    milestone: str,
    reporter: Reporter | None = None,
    command: Sequence[str] = (),
) -> dict[str, Any]:
    """Carry out scenarios and compare each with the base.

    Parameters
    ----------
    base : Run
    scenarios : sequence of Scenario
    plans : mapping of str to Plan
        From :func:`plan_scenarios`.
    folder : pathlib.Path
        Holds runs; refits are saved there.
    milestone : str
    reporter : Reporter, optional
    command : sequence of str

    Returns
    -------
    dict
        As ``scenarios.json`` holds it:
        :func:`forecast.results.scenario_summary.summarise_scenarios`.
    """
    reporter = reporter or Reporter()
    branches: dict[str, Branch] = {}
    for scenario in scenarios:
        if scenario.kind == "intervene":
            reporter.phase(f"Projecting {scenario.name}")
            branches[scenario.name] = branch_of(base, scenario)
            continue
        reporter.phase(f"Fitting {scenario.name}")
        run, _, _ = take_up(plans[scenario.name], folder, reporter=reporter, command=command)
        branches[scenario.name] = _as_branch(run, _about(scenario))
    return summarise_scenarios(_as_branch(base), branches, milestone, prior_only=base.plan.prior_only)
