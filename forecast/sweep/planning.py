"""From cells to plans: every mistake of every cell is known before the first fit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from forecast.engine import Plan, Reporter, check_plan, make_plan
from forecast.errors import ForecastError, InputError
from forecast.host import Loaded
from forecast.inference import SamplerSettings
from forecast.projection import future_graph
from forecast.sweep.design import NONE, Cell, cells_of, short_names
from forecast.sweep.file import OWN, SweepFile
from forecast.wording import shown
from forecast.worldview import Intervention, Scenario, Worldview, load_worldview, read_scenarios


@dataclass(frozen=True)
class Job:
    """What a worker needs to make one cell, wherever it runs.

    Attributes
    ----------
    cell : int
    run : str
        Id of the plan: a worker with other code, drivers or evidence is found out by it.
    worldview : Worldview
    intervene : tuple of Intervention
        Of a scenario that changes the future of the fit's own draws.
    plugins : tuple of str
    settings : SamplerSettings
    prior_only : bool
    """

    cell: int
    run: str
    worldview: Worldview
    intervene: tuple[Intervention, ...]
    plugins: tuple[str, ...]
    settings: SamplerSettings
    prior_only: bool


@dataclass(frozen=True)
class Planned:
    """A sweep that may begin.

    Attributes
    ----------
    sweep : SweepFile
    cells : list of Cell
    jobs : list of Job
        One a cell, in the same order.
    fits : dict of str to list of int
        Cells that share a fit, by what decides its draws.
    shapes : list of Plan
        One plan of each model that may need to be compiled.
    """

    sweep: SweepFile
    cells: list[Cell]
    jobs: list[Job]
    fits: dict[str, list[int]]
    shapes: list[Plan] = field(repr=False)

    @property
    def short(self) -> dict[str, str]:
        """Short names of the settings."""
        return short_names(list(self.sweep.settings))

    @property
    def asked(self) -> str:
        """Hash of what the sweep file says, and of the plugins that were named."""
        return _hash([self.sweep.asked(), self.jobs[0].plugins if self.jobs else ()])

    @property
    def decided(self) -> str:
        """Hash of everything that decides the results: worldviews, evidence, drivers and code too."""
        return _hash([(job.run, [str(one.to_toml()) for one in job.intervene]) for job in self.jobs])


def plan_sweep(
    sweep: SweepFile,
    loaded: Loaded,
    *,
    plugins: Sequence[str] = (),
    reporter: Reporter | None = None,
) -> Planned:
    """Plan every cell of a sweep.

    Parameters
    ----------
    sweep : SweepFile
    loaded : Loaded
        The plugins, `plugins` among them.
    plugins : sequence of str
        Files and modules that were named.
    reporter : Reporter, optional

    Returns
    -------
    Planned

    Raises
    ------
    InputError
        With every mistake of every cell: each once, with the first cell that has it.
    """
    return _Planner(sweep, loaded, plugins, reporter or Reporter()).plan()


class _Once(Reporter):
    """Passes each warning on once: all cells have the same plugins."""

    def __init__(self, told: Reporter) -> None:
        self.told = told
        self.said: set[str] = set()

    def warn(self, message: str) -> None:
        if message not in self.said:
            self.said.add(message)
            self.told.warn(message)


class _Planner:
    def __init__(self, sweep: SweepFile, loaded: Loaded, plugins: Sequence[str], reporter: Reporter) -> None:
        self.sweep, self.loaded, self.plugins, self.reporter = sweep, loaded, tuple(plugins), _Once(reporter)
        self.progress = reporter
        self.folder = os.path.dirname(os.fspath(sweep.path))
        self.short = short_names(list(sweep.settings))
        self.problems: dict[str, list[Cell]] = {}
        self.shapes: dict[str, Plan] = {}
        self.checked: dict[str, InputError | None] = {}

    def plan(self) -> Planned:
        base = self.located(self.sweep.base)
        seed = self.sweep.sampling.seed
        try:
            found = load_worldview(base, seed=seed, shelf=self.loaded.shelf)
        except InputError as error:
            raise InputError([f"{self.sweep.document.file}: base: {one}" for one in error.problems]) from None
        scenarios = self.scenarios()
        cells = cells_of(self.sweep, found.seed)
        said = f"{len(cells):,} cell{'s' * (len(cells) != 1)}"
        self.progress.phase(f"{self.sweep.document.file}: {said}; checking {'each' if cells[1:] else 'it'}")
        jobs: list[Job] = []
        fits: dict[str, list[int]] = {}
        for cell in cells:
            try:
                job, fit = self.job(cell, base, scenarios)
            except InputError as error:
                for problem in error.problems:
                    self.problems.setdefault(problem, []).append(cell)
                continue
            jobs.append(job)
            fits.setdefault(fit, []).append(cell.number)
        if self.problems:
            raise InputError([self.said(problem, where) for problem, where in self.problems.items()])
        return Planned(self.sweep, cells, jobs, fits, list(self.shapes.values()))

    def said(self, problem: str, cells: Sequence[Cell]) -> str:
        """Say where a problem is: at the setting's line, if it names the setting, and in which cells."""
        first, more = cells[0], len(cells) - 1
        where = self.sweep.document.file
        for key, value in first.settings.items():
            option = f"--set {key}={shown(value)}: "
            if problem.startswith(option):
                where, problem = self.sweep.place(key), problem.removeprefix(option)
        return f"{where}: {first.label(self.short)}{f' and {more} more' if more else ''}: {problem}"

    def located(self, given: str) -> str:
        """Return a name as it is, and a path from the sweep file's folder."""
        shelf = self.loaded.shelf
        path = os.path.join(self.folder, os.path.expanduser(given))
        known = given in shelf.worldviews or given in shelf.scenarios
        plain = "/" not in given and os.sep not in given and not given.endswith(".toml")
        return given if known or (plain and not os.path.lexists(path)) or "\0" in given else path

    def scenarios(self) -> dict[str, Scenario]:
        """Read the scenarios that the setting names; "none" is none."""
        values = self.sweep.settings.get("scenario", [])
        names = [name for name in values if name != NONE] if isinstance(values, list) else []
        found: dict[str, Scenario] = {}
        problems: list[str] = []
        for name in dict.fromkeys(names):
            try:
                (found[name],) = read_scenarios([self.located(name)], self.loaded.shelf)
            except InputError as error:
                problems += [f"{self.sweep.place('scenario')}: {problem}" for problem in error.problems]
        if problems:
            raise InputError(problems)
        return found

    def job(self, cell: Cell, base: str, scenarios: Mapping[str, Scenario]) -> tuple[Job, str]:
        """Plan a cell; also what decides its fit."""
        settings = dict(cell.settings)
        scenario = scenarios.get(settings.get("scenario", NONE))
        without = settings.get("without", [])
        assumed = [scenario.given] if scenario is not None and scenario.kind == "assume" else []
        sampling = self.sweep.sampling
        worldview = load_worldview(
            base,
            *assumed,
            overrides={key: value for key, value in settings.items() if key not in (*OWN, "as_of")},
            as_of=settings.get("as_of"),
            window=settings.get("window"),
            seed=None if "seed" in settings else sampling.seed,
            disable=[name for name in ([without] if isinstance(without, str) else without) if name != NONE],
            shelf=self.loaded.shelf,
        )
        plan = make_plan(
            worldview,
            plugins=self.plugins,
            loaded=self.loaded,
            # Every worker has one core; the draws do not depend on how many there are.
            settings=SamplerSettings(sampling.draws, sampling.tune, sampling.chains, cores=1),
            prior_only=sampling.prior_only,
            reporter=self.reporter,
        )
        changes = scenario.intervene if scenario is not None and scenario.kind == "intervene" else ()
        self.check(plan, changes)
        job = Job(
            cell=cell.number,
            run=plan.id,
            worldview=plan.worldview,
            intervene=changes,
            plugins=plan.plugins,
            settings=plan.settings,
            prior_only=plan.prior_only,
        )
        return job, fit_key(plan)

    def check(self, plan: Plan, changes: Sequence[Intervention]) -> None:
        """Build the model of each kind once: numbers alone cannot break it."""
        shape = _shape(plan)
        self.once(shape, lambda: check_plan(plan))
        self.shapes.setdefault(shape, plan)
        if changes:
            every = (*plan.worldview.intervene, *changes)
            self.once(f"{shape} {changes!r}", lambda: future_graph(plan.spec, plan.worldview.horizon, every))

    def once(self, key: str, look: Callable[[], object]) -> None:
        if key not in self.checked:
            try:
                look()
                self.checked[key] = None
            except InputError as error:
                self.checked[key] = error
        found = self.checked[key]
        if found is not None:
            raise found


def fit_key(plan: Plan) -> str:
    """Return what decides the draws of a fit: cells that differ elsewhere are projections of one."""
    view = plan.worldview
    decides = {key: value for key, value in plan.fingerprint.items() if key != "worldview"}
    return _hash(
        [
            decides,
            view.as_of,
            view.horizon,
            view.bloc_names,
            view.disabled,
            repr(plan.spec.correlations),
            repr(view.intervene),  # what its future reads
        ]
    )


def _shape(plan: Plan) -> str:
    """What decides whether a model can be built: names, families and forms, without the numbers."""
    view = plan.worldview
    priors = [
        (key, value.shape, [(str(which), prior.family) for which, prior in value.entries.items()])
        for key, value in plan.spec.parameters.items()
    ]
    return _hash(
        [
            priors,
            view.disabled,
            view.bloc_names,
            view.horizon,
            {driver: sorted(given) for driver, given in view.driver_priors.items()},
            {name: repr(one.condition) for name, one in view.milestones.items()},
            {name: prior.unit for name, prior in view.thresholds.items()},
            repr(view.intervene),
            repr(plan.spec.correlations),
        ]
    )


def _hash(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def remake(job: Job, loaded: Loaded) -> Plan:
    """Make the plan of a job anew, where it is carried out.

    Raises
    ------
    ForecastError
        Drivers, evidence or code are not those of the process that planned the sweep.
    """
    plan = make_plan(
        job.worldview,
        plugins=job.plugins,
        loaded=loaded,
        settings=job.settings,
        prior_only=job.prior_only,
    )
    if plan.id != job.run:
        raise ForecastError(
            "this worker has other drivers, evidence or code than the sweep was planned with (the run would "
            f"be {plan.id}, not {job.run}); install the same versions on every machine"
        )
    return plan
