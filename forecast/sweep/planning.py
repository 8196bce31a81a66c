"""From cells to plans: every mistake of every cell is known before the first fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from forecast.engine import Plan, Reporter, check_plan, make_plan
from forecast.errors import InputError
from forecast.host import Loaded
from forecast.inference import SamplerSettings
from forecast.projection import future_graph
from forecast.sweep.design import NONE, Cell, cells_of, short_names
from forecast.sweep.file import SweepFile
from forecast.sweep.jobs import Job, fit_key, hashed, shape_key
from forecast.sweep.values import OWN
from forecast.wording import shown
from forecast.worldview import Intervention, Scenario, load_worldview, read_scenarios


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
        return hashed([self.sweep.asked(), self.jobs[0].plugins if self.jobs else ()])

    @property
    def decided(self) -> str:
        """Hash of everything that decides the results: worldviews, evidence, drivers and code too."""
        return hashed([(job.run, [str(one.to_toml()) for one in job.intervene]) for job in self.jobs])


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
        self.problems: dict[tuple[str, str], list[Cell]] = {}
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
                self.note(error, cell, cell)
                continue
            jobs.append(job)
            fits.setdefault(fit, []).append(cell.number)
        if self.problems:
            self.look_closer(cells, base, scenarios)
            raise InputError([self.said(*found, cells) for found, cells in self.problems.items()])
        return Planned(self.sweep, cells, jobs, fits, list(self.shapes.values()))

    def look_closer(self, cells: Sequence[Cell], base: str, scenarios: Mapping[str, Scenario]) -> None:
        """Try each value by itself: one mistake in a cell hides those behind it."""
        firsts = {
            (key, repr(value)): cell for cell in reversed(cells) for key, value in cell.settings.items()
        }
        for (key, _), cell in firsts.items():
            alone = Cell(cell.number, {key: cell.settings[key]})
            try:
                self.job(alone, base, scenarios)
            except InputError as error:
                self.note(error, alone, cell)

    def note(self, error: InputError, tried: Cell, cell: Cell) -> None:
        """Keep what is wrong with a cell, at the line of the setting that it names."""
        for problem in error.problems:
            where = self.sweep.document.file
            for key, value in tried.settings.items():
                for option in (f"--set {key}={shown(value)}: ", f"--{key.replace('_', '-')} {value}: "):
                    if problem.startswith(option):
                        where, problem = self.sweep.place(key), problem.removeprefix(option)
            found = self.problems.setdefault((where, problem), [])
            if cell not in found:
                found.append(cell)

    def said(self, where: str, problem: str, cells: Sequence[Cell]) -> str:
        """Say where a problem is, and in which cells."""
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        return f"{where}: {cells[0].label(self.short)}{more}: {problem}"

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
        shape = shape_key(plan)
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
