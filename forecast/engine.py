"""One forecast from end to end: plan, fit, project, summarise, save.

Each step is one call of the library; the command line only parses arguments
and prints.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.diagnostics import judge
from forecast.driver import Driver
from forecast.errors import ForecastError, InputError
from forecast.host import Host, Loaded, host_of, load_plugins
from forecast.inference import Compiler, SamplerSettings, sample
from forecast.model import Graph, Key, Layout, Spec, build_graph
from forecast.projection import (
    Evaluator,
    Projection,
    check_milestones,
    check_quantities,
    crossing_terms,
    future_graph,
    measure,
    project,
    quantity_evaluator,
)
from forecast.results import (
    StoredRun,
    as_json,
    as_netcdf,
    as_text,
    run_id,
    runs_folder,
    summarise,
    write_run,
)
from forecast.results.draws import assemble, flat_draws
from forecast.results.inputs import describe_inputs
from forecast.results.manifest import fingerprint, manifest, versions
from forecast.results.mixtures import mixture_weights
from forecast.results.netcdf import read_group
from forecast.spec import history_end, make_spec
from forecast.worldview import Worldview, load_worldview, read_interventions

CHECK_DRAWS = 20
"""Prior draws on which every quantity must be finite before anything is compiled."""

PRIOR_DRAWS = 1000
"""Draws in the group ``prior`` of a run."""

_COMPILER = Compiler()
"""Compiled models of this process: a second fit of one structure compiles nothing."""

Floats = NDArray[np.float64]


class Reporter:
    """What a long job says of itself; this one says nothing."""

    def phase(self, name: str) -> None:
        """Say that a phase begins."""

    def progress(self, done: int, total: int) -> None:
        """Say how many draws are done, warm-up included, over all chains."""

    def warn(self, message: str) -> None:
        """Say something that the user should know."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides a run, before it costs anything.

    Attributes
    ----------
    worldview : Worldview
    host : Host
    spec : Spec
    settings : SamplerSettings
    prior_only : bool
    fingerprint : dict
        What the run's id is a hash of.
    plugins : tuple of str
        Files and modules that were named for this run.
    drivers : tuple of Driver or None
        Drivers given in Python; None for those that are installed.
    """

    worldview: Worldview
    host: Host
    spec: Spec
    settings: SamplerSettings
    prior_only: bool
    fingerprint: Mapping[str, Any]
    plugins: tuple[str, ...] = ()
    drivers: tuple[Driver, ...] | None = None

    @property
    def id(self) -> str:
        """Name of the run's folder."""
        return run_id(self.worldview, self.fingerprint)


@dataclass
class Run:
    """One forecast.

    Attributes
    ----------
    plan : Plan
    summary : dict
        As in ``summary.json``.
    results : xarray.DataTree
        As in ``results.nc``.
    parameters : mapping of (driver, name) to ndarray
        All draws, as the graph takes them; first axis chain x draw.
    kept_by : mapping of str to ndarray of bool, (draw,), or None
        Draws that evidence on crossing dates keeps; None where that has not been worked out.
    inputs : dict or None
        As in ``inputs.json``; None where the model of the past was not built.
    """

    plan: Plan
    summary: dict[str, Any]
    results: xr.DataTree
    parameters: Mapping[Key, Floats] = field(repr=False)
    chains: int = 1
    kept_by: Mapping[str, NDArray[np.bool_]] | None = field(default=None, repr=False)
    cpu: Mapping[str, float] = field(default_factory=dict, repr=False)
    inputs: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """Name of the run's folder."""
        return self.plan.id

    @property
    def worldview(self) -> Worldview:
        """The worldview that was run."""
        return self.plan.worldview

    def project(self, intervene: Sequence[Mapping[str, Any]] = (), *, keep: int = 500) -> Projection:
        """Project the same draws and shocks again, with changes to the future.

        Parameters
        ----------
        intervene : sequence of mapping
            Such as ``{"limit": "chip_access", "bloc": "china", "set": "off"}``;
            from the as-of date unless it says ``from``.
        keep : int
            Trajectories to keep at most.

        Returns
        -------
        Projection
            Draw by draw comparable with the run's own.
        """
        changes = (*self.worldview.intervene, *read_interventions(intervene))
        graph = future_graph(self.plan.spec, self.worldview.horizon, changes)
        if self.kept_by is None:  # of a run that was taken up
            self.kept_by = _kept_by_evidence(self.plan, self.parameters, self.chains)
        return _project(self.plan, graph, self.parameters, self.chains, keep=keep, kept_by=self.kept_by)

    def save(self, folder: str | Path | None = None, *, command: Sequence[str] = ()) -> Path:
        """Write the run's folder.

        Parameters
        ----------
        folder : path, optional
            The folder that holds runs; FORECAST_RUNS or ``runs`` without it.
        command : sequence of str
            The command line, for the manifest.

        Returns
        -------
        pathlib.Path
            Of the run; an identical earlier one is left as it is.
        """
        from forecast.report.run_pictures import draw_channels, draw_crossings, draw_worlds

        return write_run(
            runs_folder(folder),
            self.id,
            {
                "manifest.json": as_json(self._manifest(command)),
                "worldview.toml": as_text(self.worldview.to_toml()),
                "results.nc": as_netcdf(self.results),
                "summary.json": as_json(self.summary),
                "inputs.json": as_json(self.inputs or _inputs(self.plan)),
                "crossings.png": lambda path: draw_crossings(self.results, *self._drawn(path)),
                "worlds.png": lambda path: draw_worlds(self.results, *self._drawn(path)),
                "channels.png": lambda path: draw_channels(self.results, *self._drawn(path)),
            },
        ).path

    def _drawn(self, path: Path) -> tuple[Worldview, Path, str, bool]:
        return self.worldview, path, self.id, self.plan.prior_only

    def _manifest(self, command: Sequence[str]) -> dict[str, Any]:
        plan = self.plan
        return manifest(
            run=self.id,
            worldview=plan.worldview,
            host=plan.host,
            spec=plan.spec,
            settings=plan.settings,
            prior_only=plan.prior_only,
            prints=plan.fingerprint,
            timings=self.summary["timings"],
            cpu=self.cpu,
            command=command,
            plugins=plan.plugins,
        )


def make_plan(
    worldview: Worldview | str | Path | None = None,
    *,
    as_of: date | str | None = None,
    seed: int | None = None,
    drivers: Sequence[Driver] | None = None,
    plugins: Sequence[str] = (),
    loaded: Loaded | None = None,
    settings: SamplerSettings | None = None,
    prior_only: bool = False,
    reporter: Reporter | None = None,
) -> Plan:
    """Load drivers and evidence for a worldview, and check that they fit.

    Parameters are those of :func:`run`, and `loaded`: the plugins, where they
    have been loaded already, `plugins` among them.
    """
    if loaded is None:
        loaded = load_plugins(plugins, entry_points=drivers is None, drivers=drivers or ())
    if worldview is None or isinstance(worldview, str | Path):
        worldview = load_worldview(*([] if worldview is None else [worldview]), shelf=loaded.shelf)
    if as_of is not None:
        worldview = worldview.replace(as_of=as_of)
    if seed is not None:
        worldview = worldview.replace(seed=seed)
    host = host_of(loaded, worldview.disabled)
    for warning in host.warnings():
        (reporter or Reporter()).warn(warning)
    spec = make_spec(worldview, host)
    for term in spec.terms:
        if term.kind == "crossing" and term.milestone not in worldview.milestones:
            (reporter or Reporter()).warn(
                f"the evidence {term.driver}/{term.target} speaks of the milestone {term.milestone!r}, which "
                f"the worldview {worldview.name!r} does not have; it is not used"
            )
    settings = settings or SamplerSettings()
    return Plan(
        worldview=worldview,
        host=host,
        spec=spec,
        settings=settings,
        prior_only=prior_only,
        fingerprint=fingerprint(worldview, host, spec, settings, prior_only),
        plugins=tuple(str(Path(name).resolve()) if name.endswith(".py") else name for name in plugins),
        drivers=None if drivers is None else tuple(drivers),
    )


def run(
    worldview: Worldview | str | Path | None = None,
    *,
    as_of: date | str | None = None,
    seed: int | None = None,
    drivers: Sequence[Driver] | None = None,
    plugins: Sequence[str] = (),
    settings: SamplerSettings | None = None,
    prior_only: bool = False,
    reporter: Reporter | None = None,
    compiler: Compiler | None = None,
) -> Run:
    """Make a forecast.

    Parameters
    ----------
    worldview : Worldview, str or path, optional
        From :func:`forecast.load_worldview`, or what that takes (a name, of a
        plugin's worldview too, or a path); `default` without it.
    as_of : date or str, optional
        Only evidence published by this day counts; the worldview's by default.
    seed : int, optional
        The worldview's by default; the same seed gives the same run.
    drivers : sequence of Driver, optional
        These drivers and no others; installed ones by default.
    plugins : sequence of str
        Files or modules that add drivers.
    settings : SamplerSettings, optional
    prior_only : bool
        Draw from the priors alone.
    reporter : Reporter, optional
    compiler : Compiler, optional
        Keeps compiled models; this process's own by default.

    Returns
    -------
    Run

    Raises
    ------
    InputError, PluginError, ForecastError
        In words, naming file and key, or driver and distribution.
    """
    plan = make_plan(
        worldview,
        as_of=as_of,
        seed=seed,
        drivers=drivers,
        plugins=plugins,
        settings=settings,
        prior_only=prior_only,
        reporter=reporter,
    )
    return execute(plan, reporter=reporter, compiler=compiler)


def execute(plan: Plan, *, reporter: Reporter | None = None, compiler: Compiler | None = None) -> Run:
    """Carry out a plan; see :func:`run`."""
    reporter, compiler = reporter or Reporter(), compiler or _COMPILER
    clock = _Clock()
    seed, settings = plan.worldview.seed, plan.settings
    chains, size = settings.chains, settings.chains * settings.draws
    with clock.phase("build"):
        reporter.phase("Building the model")
        built = _build(plan)
        history, future, layout, inferred = built.history, built.future, built.layout, built.inferred
        evaluate = quantity_evaluator(future, stages=True)
        tried = layout.shaped(layout.draw(seed, CHECK_DRAWS, "check"))
        check_quantities(future, evaluate, tried, seed=seed, size=CHECK_DRAWS)
    flat = layout.draw(seed, size, "prior-only" if plan.prior_only else "future")
    stats: xr.Dataset | None = None
    if built.is_fitted:
        with clock.phase("compile"):
            if not compiler.is_ready(history, inferred, settings.sampler):
                reporter.phase("Compiling the model (a minute or two the first time; kept afterwards)")
            compiler.compiled(history, inferred, settings.sampler)
        with clock.phase("sample"):
            reporter.phase("Sampling")
            draws, stats = sample(
                history, inferred, settings, seed=seed, compiler=compiler, progress=reporter.progress
            )
        flat = layout.draw(seed, size, "future", known=inferred, values=draws.reshape(size, -1))
    parameters = layout.shaped(flat)
    with clock.phase("measure"):
        reporter.phase("Comparing with the evidence")
        measured = measure(
            history, {key: parameters[key] for key in history.parameters}, seed=seed, size=size
        )
    with clock.phase("project"):
        reporter.phase("Projecting to the horizon")
        apart = plan.prior_only or plan.worldview.intervene  # else this projection tells
        kept_by = _kept_by_evidence(plan, parameters, chains) if apart else None
        projection = _project(plan, future, parameters, chains, evaluate=evaluate, kept_by=kept_by)
    with clock.phase("summarise"):
        reporter.phase("Summarising")
        tree = assemble(
            layout=layout,
            flat=flat,
            prior=None if plan.prior_only else layout.draw(seed, PRIOR_DRAWS),
            stats=stats,
            history=history,
            measured=measured,
            projection=projection,
            thresholds=plan.worldview.thresholds,
            chains=chains,
        )
        diagnostics = judge(tree, prior_only=plan.prior_only, horizon=None)
    summary = summarise(
        tree,
        plan.worldview,
        run_id=plan.id,
        diagnostics=diagnostics,
        timings=clock.seconds,
        sampler={"tune": settings.tune, "seed": seed, "sampler": settings.sampler},
        prior_only=plan.prior_only,
        mixtures=mixture_weights(layout, flat, projection.crossings["accepted"].values),
    )
    return Run(
        plan=plan,
        summary=summary,
        results=tree,
        parameters=parameters,
        chains=chains,
        kept_by=projection.kept_by,
        cpu=clock.cpu,
        inputs=_inputs(plan, history),
    )


@dataclass(frozen=True)
class _Built:
    """The graphs of a plan, checked as far as names go."""

    history: Graph
    future: Graph
    layout: Layout
    inferred: Layout
    is_fitted: bool


def _build(plan: Plan) -> _Built:
    """Build the model of the past and of the future, and refuse what names nothing in them."""
    history = build_graph(plan.spec, history_end(plan.spec))
    future = future_graph(plan.spec, plan.worldview.horizon, plan.worldview.intervene)
    layout = _layout(plan, future)
    inferred = Layout(
        {key: plan.spec.parameters[key] for key in history.parameters if key in history.inferred},
        plan.spec.blocs,
        plan.spec.correlations,
    )
    _check_all_read(plan, future)
    layout.require_correlated()
    check_milestones(
        plan.worldview.milestones, plan.worldview.thresholds, future.quantities, plan.spec.left_out
    )
    fitted = not plan.prior_only and inferred.is_random and bool(history.likelihoods)
    return _Built(history, future, layout, inferred, fitted)


def check_plan(plan: Plan) -> None:
    """Refuse a plan whose model cannot be built, or that names what is not in it, without a fit.

    Raises
    ------
    InputError, PluginError
        As :func:`execute` would after its start.
    """
    _build(plan)


def compile_plan(plan: Plan, *, compiler: Compiler | None = None) -> bool:
    """Compile the model of a plan, so that this process or another one finds it in the cache.

    Parameters
    ----------
    plan : Plan
    compiler : Compiler, optional
        This process's own by default.

    Returns
    -------
    bool
        Whether there was anything to compile or to load: draws of the priors alone need nothing.
    """
    built, compiler = _build(plan), compiler or _COMPILER
    if built.is_fitted:
        compiler.compiled(built.history, built.inferred, plan.settings.sampler)
    return built.is_fitted


def rerun(stored: StoredRun, *, reporter: Reporter | None = None) -> Run:
    """Repeat a stored run from its manifest and worldview.

    Parameters
    ----------
    stored : StoredRun
    reporter : Reporter, optional

    Returns
    -------
    Run
        With the same draws, on the same platform and versions.
    """
    return execute(_planned_again(stored, reporter), reporter=reporter)


def reopen(stored: StoredRun, plan: Plan | None = None) -> Run:
    """Take up a stored run as if it had just been made: its draws, without a fit.

    Parameters
    ----------
    stored : StoredRun
    plan : Plan, optional
        Of the same run; made from the run's manifest and worldview by default.

    Returns
    -------
    Run
        Its ``project`` gives bit for bit what the run's own would have given.

    Raises
    ------
    ForecastError
        Drivers, evidence or code are no longer those of the run, or the
        platform does not repeat its draws.
    """
    plan = plan or _planned_again(stored)
    if plan.id != stored.id:
        raise ForecastError(
            f"{stored.path}: drivers, evidence or code have changed since this run was made (it would be "
            f"{plan.id} now), so its draws cannot be projected again; make the run anew"
        )
    chains, size = plan.settings.chains, plan.settings.chains * plan.settings.draws
    graph = future_graph(plan.spec, plan.worldview.horizon, plan.worldview.intervene)
    layout = _layout(plan, graph)
    if plan.prior_only:  # stored in single precision, but drawn again in no time
        flat = layout.draw(plan.worldview.seed, size, "prior-only")
    else:
        flat = flat_draws(layout, read_group(stored.path / "results.nc", "posterior"))
    crossings = stored.crossings
    found = Run(
        plan=plan,
        summary=stored.summary,
        results=stored.tree,
        parameters=layout.shaped(flat),
        chains=chains,
    )
    same = stored.manifest.get("versions") == versions()
    if not same and not crossings.equals(found.project(keep=1).crossings):
        raise ForecastError(
            f"{stored.path}: other versions of Python or its packages, or another platform, give other draws "
            "than those of this run; make the run anew"
        )
    return found


def _planned_again(stored: StoredRun, reporter: Reporter | None = None) -> Plan:
    try:
        asked = stored.manifest["settings"]
        settings, prior_only = SamplerSettings(**asked["sampler"]), asked["prior_only"]
    except (KeyError, TypeError) as error:
        raise ForecastError(
            f"{stored.path / 'manifest.json'} is damaged: its settings cannot be read. Make the run again."
        ) from error
    return make_plan(
        stored.worldview,
        plugins=stored.manifest.get("plugins", ()),
        settings=settings,
        prior_only=prior_only,
        reporter=reporter,
    )


def _inputs(plan: Plan, history: Graph | None = None) -> dict[str, Any]:
    """What ``inputs.json`` holds; of a run that was taken up again the past is built anew."""
    history = history or build_graph(plan.spec, history_end(plan.spec))
    return describe_inputs(history, plan.worldview.milestones, plan.worldview.thresholds)


def _layout(plan: Plan, graph: Graph) -> Layout:
    """All parameters of a projecting graph."""
    parameters = {key: plan.spec.parameters[key] for key in graph.parameters}
    return Layout(parameters, plan.spec.blocs, plan.spec.correlations)


def _project(
    plan: Plan,
    graph: Graph,
    parameters: Mapping[Key, Floats],
    chains: int,
    *,
    keep: int = 500,
    evaluate: Evaluator | None = None,
    kept_by: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Projection:
    return project(
        graph,
        parameters,
        chains=chains,
        milestones=plan.worldview.milestones,
        thresholds=plan.worldview.thresholds,
        seed=plan.worldview.seed,
        keep=keep,
        size=chains * plan.settings.draws,
        horizon=plan.worldview.horizon,
        evaluate=evaluate,
        kept_by=kept_by,
    )


def _kept_by_evidence(
    plan: Plan, parameters: Mapping[Key, Floats], chains: int
) -> Mapping[str, NDArray[np.bool_]]:
    """Draws that evidence on crossing dates keeps, none of them weighed for the priors alone.

    What was said of the dates was said of the world as it is, and interventions leave the fit alone.
    """
    if plan.prior_only or not crossing_terms(plan.spec, plan.worldview.milestones):
        return {}
    as_it_is = future_graph(plan.spec, plan.worldview.horizon)
    return _project(plan, as_it_is, parameters, chains, keep=1).kept_by


def _check_all_read(plan: Plan, graph: Graph) -> None:
    """Refuse a prior that no term reads: a user would turn it and nothing would move."""
    given = plan.worldview.driver_priors
    dead = [
        key for key in plan.spec.parameters if key not in graph.parameters and key[1] in given.get(key[0], {})
    ]
    if dead:
        raise InputError(
            [
                f"[priors.{driver}] {name}: no loaded driver reads it, so it would change nothing"
                for driver, name in dead
            ]
        )


class _Clock:
    """Seconds by phase, on the wall and of CPU over all threads; `start` is what came before them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu = {"start": round(time.process_time(), 3)}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start, used = time.perf_counter(), _cpu()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
        self.cpu[name] = round(_cpu() - used, 3)


def _cpu() -> float:
    """CPU seconds of this process and of those that it waited for, such as the one that compiles."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
