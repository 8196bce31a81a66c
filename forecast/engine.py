"""One forecast from end to end: plan, fit, project, summarise, save.

Each step is one call of the library; the command line only parses arguments
and prints.
"""

from __future__ import annotations

import inspect
import platform
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.diagnostics import judge
from forecast.driver import Driver
from forecast.errors import InputError
from forecast.host import Host, load_host
from forecast.inference import Compiler, SamplerSettings, sample
from forecast.model import Graph, Key, Layout, Spec, build_graph, read_interventions
from forecast.projection import Projection, future_graph, measure, project
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
from forecast.results.draws import measured_groups, parameter_group, threshold_group
from forecast.spec import history_end, make_spec
from forecast.worldview import Worldview, load_worldview

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
    """

    worldview: Worldview
    host: Host
    spec: Spec
    settings: SamplerSettings
    prior_only: bool
    fingerprint: Mapping[str, Any]

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
    """

    plan: Plan
    summary: dict[str, Any]
    results: xr.DataTree
    parameters: Mapping[Key, Floats] = field(repr=False)
    chains: int = 1

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
        graph = future_graph(self.plan.spec, self.worldview.horizon, read_interventions(intervene))
        return _project(self.plan, graph, self.parameters, self.chains, keep=keep)

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
        from forecast.report.figures import crossings_figure

        crossings = self.results["crossings"].to_dataset()
        return write_run(
            runs_folder(folder),
            self.id,
            {
                "manifest.json": as_json(_manifest(self, command)),
                "worldview.toml": as_text(self.worldview.to_toml()),
                "results.nc": as_netcdf(self.results),
                "summary.json": as_json(self.summary),
                "crossings.png": lambda path: _draw(
                    crossings_figure, crossings, self.worldview, path, self.id
                ),
            },
        ).path


def make_plan(
    worldview: Worldview | str | Path | None = None,
    *,
    as_of: date | str | None = None,
    seed: int | None = None,
    drivers: Sequence[Driver] | None = None,
    plugins: Sequence[str] = (),
    settings: SamplerSettings | None = None,
    prior_only: bool = False,
    reporter: Reporter | None = None,
) -> Plan:
    """Load drivers and evidence for a worldview, and check that they fit.

    Parameters are those of :func:`run`.
    """
    if worldview is None or isinstance(worldview, str | Path):
        worldview = load_worldview(*([] if worldview is None else [worldview]))
    if as_of is not None:
        worldview = worldview.replace(as_of=as_of)
    if seed is not None:
        worldview = worldview.replace(seed=seed)
    host = load_host(plugins, worldview.disabled, entry_points=drivers is None, drivers=drivers or ())
    for problem in host.problems:
        (reporter or Reporter()).warn(str(problem))
    host.check()
    spec = make_spec(worldview, host)
    settings = settings or SamplerSettings()
    return Plan(
        worldview=worldview,
        host=host,
        spec=spec,
        settings=settings,
        prior_only=prior_only,
        fingerprint=_fingerprint(worldview, host, spec, settings, prior_only),
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
        From :func:`forecast.load_worldview`, or what that takes; `default`
        without it.
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
        history = build_graph(plan.spec, history_end(plan.spec))
        future = future_graph(plan.spec, plan.worldview.horizon)
        layout = Layout({key: plan.spec.parameters[key] for key in future.parameters}, plan.spec.blocs)
        inferred = Layout(
            {key: plan.spec.parameters[key] for key in history.parameters if key in history.inferred},
            plan.spec.blocs,
        )
        _check_all_read(plan, future)
    flat = layout.draw(seed, size, "prior-only" if plan.prior_only else "future")
    groups: dict[str, xr.Dataset] = {}
    if not plan.prior_only and inferred.entries and history.likelihoods:
        with clock.phase("compile"):
            if not compiler.is_ready(history, inferred, settings.sampler):
                reporter.phase("Compiling the model (a minute or two the first time; kept afterwards)")
            compiler.compiled(history, inferred, settings.sampler)
        with clock.phase("sample"):
            reporter.phase("Sampling")
            draws, groups["sample_stats"] = sample(
                history, inferred, settings, seed=seed, compiler=compiler, progress=reporter.progress
            )
        flat = _insert(layout, inferred, flat, draws.reshape(size, -1))
    parameters = layout.shaped(flat)
    with clock.phase("measure"):
        reporter.phase("Comparing with the evidence")
        measured = measure(history, {key: parameters[key] for key in history.parameters}, seed=seed)
    with clock.phase("project"):
        reporter.phase("Projecting to the horizon")
        projection = _project(plan, future, parameters, chains)
    with clock.phase("summarise"):
        reporter.phase("Summarising")
        tree = _tree(plan, layout, flat, history, measured, projection, groups)
        diagnostics = judge(tree, prior_only=plan.prior_only, horizon=None)
    summary = summarise(
        tree,
        plan.worldview,
        run_id=plan.id,
        diagnostics=diagnostics,
        timings=clock.seconds,
        sampler={"tune": settings.tune, "seed": seed, "sampler": settings.sampler},
        prior_only=plan.prior_only,
    )
    return Run(plan=plan, summary=summary, results=tree, parameters=parameters, chains=chains)


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
    asked = stored.manifest["settings"]
    return run(
        stored.worldview,
        plugins=stored.manifest.get("plugins", ()),
        settings=SamplerSettings(**asked["sampler"]),
        prior_only=asked["prior_only"],
        reporter=reporter,
    )


def _project(
    plan: Plan, graph: Graph, parameters: Mapping[Key, Floats], chains: int, keep: int = 500
) -> Projection:
    return project(
        graph,
        {key: parameters[key] for key in graph.parameters},
        chains=chains,
        milestones=plan.worldview.milestones,
        thresholds=plan.worldview.thresholds,
        seed=plan.worldview.seed,
        keep=keep,
    )


def _insert(layout: Layout, inferred: Layout, flat: Floats, draws: Floats) -> Floats:
    """Put draws of the inferred parameters into the flat vector of all."""
    place = {(entry.key, entry.bloc, entry.epoch): number for number, entry in enumerate(layout.entries)}
    for number, entry in enumerate(inferred.entries):
        flat[:, place[entry.key, entry.bloc, entry.epoch]] = draws[:, number]
    return flat


def _tree(
    plan: Plan,
    layout: Layout,
    flat: Floats,
    history: Graph,
    measured: Any,
    projection: Projection,
    groups: dict[str, xr.Dataset],
) -> xr.DataTree:
    """Assemble the groups of ``results.nc``."""
    chains, thresholds = plan.settings.chains, plan.worldview.thresholds
    drawn = threshold_group(thresholds, projection.thresholds, chains=chains)
    posterior = parameter_group(layout, flat, chains=chains).merge(drawn)
    if plan.prior_only:
        groups["prior"] = posterior
    else:
        groups["posterior"] = posterior
        log_thresholds = {
            name: thresholds[name].logpdf(values) for name, values in projection.thresholds.items()
        }
        groups["log_prior"] = parameter_group(layout, layout.log_prior(flat), chains=chains).merge(
            threshold_group(thresholds, log_thresholds, chains=chains)
        )
        prior = layout.draw(plan.worldview.seed, PRIOR_DRAWS, "prior")
        groups["prior"] = parameter_group(layout, prior, chains=1)
    rows = {
        one.label: [f"{row.name} ({row.bloc}, {row.date})" for row in one.observations.rows]
        for one in history.likelihoods
    }
    predicted = measured_groups(measured, rows, chains=chains)
    if plan.prior_only:
        groups |= {
            "prior_predictive": predicted["posterior_predictive"],
            "observed_data": predicted["observed_data"],
        }
    else:
        groups |= predicted
    groups["projection"] = projection.trajectories
    groups["crossings"] = projection.crossings
    return xr.DataTree.from_dict({name: group for name, group in groups.items()})


def _check_all_read(plan: Plan, graph: Graph) -> None:
    """A parameter that no term reads is a dead input: say so rather than let a user turn it."""
    dead = [
        f"{driver}.{name}" for driver, name in plan.spec.parameters if (driver, name) not in graph.parameters
    ]
    set_by_user = [
        name
        for name in dead
        if name.split(".")[1] in plan.worldview.driver_priors.get(name.split(".")[0], {})
    ]
    if set_by_user:
        raise InputError(
            [
                f"[priors.{name.replace('.', '] ', 1)}: no loaded driver reads it, so its prior would change nothing"
                for name in set_by_user
            ]
        )


def _fingerprint(
    worldview: Worldview, host: Host, spec: Spec, settings: SamplerSettings, prior_only: bool
) -> dict[str, Any]:
    rows = [
        (
            *key,
            str(row.date),
            row.bloc,
            row.name,
            row.value,
            row.low,
            row.high,
            row.level,
            str(sorted(row.extra.items())),
        )
        for key, table in spec.evidence.items()
        for row in table.rows
    ]
    sources = {
        name: sha256(inspect.getsource(sys.modules[type(loaded.driver).__module__]).encode()).hexdigest()
        if type(loaded.driver).__module__ in sys.modules and _has_source(loaded.driver)
        else ""
        for name, loaded in host.drivers.items()
    }
    return {
        "worldview": worldview.to_toml(),
        "priors": {".".join(key): repr(value.entries) for key, value in spec.parameters.items()},
        "evidence": sha256(repr(rows).encode()).hexdigest(),
        "drivers": {name: [host.distribution_of(name), sources[name]] for name in host.drivers},
        "seed": worldview.seed,
        "sampler": _sampler(settings),
        "prior_only": prior_only,
        "version": _version("agi-forecast"),
    }


def _has_source(driver: Driver) -> bool:
    try:
        inspect.getsource(sys.modules[type(driver).__module__])
    except (OSError, TypeError):
        return False
    return True


def _sampler(settings: SamplerSettings) -> dict[str, Any]:
    """Settings that decide the draws; the number of cores does not."""
    return {
        "draws": settings.draws,
        "tune": settings.tune,
        "chains": settings.chains,
        "sampler": settings.sampler,
        "target_accept": settings.target_accept,
    }


def _manifest(run: Run, command: Sequence[str]) -> dict[str, Any]:
    plan = run.plan
    distributions = sorted({plan.host.distribution_of(name) for name in plan.host.drivers} - {""})
    return {
        "schema": "forecast.manifest/1",
        "run": run.id,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "as_of": plan.worldview.as_of.isoformat(),
        "command": list(command),
        "settings": {
            "sampler": _sampler(plan.settings),
            "prior_only": plan.prior_only,
            "seed": plan.worldview.seed,
        },
        "plugins": [loaded.source for loaded in plan.host.drivers.values() if loaded.source.endswith(".py")],
        "drivers": {name: plan.host.distribution_of(name) for name in plan.host.drivers},
        "install": [f"uv pip install '{name.replace(' ', '==')}'" for name in distributions],
        "evidence": {
            f"{driver}/{table}": len(known) for (driver, table), known in plan.spec.evidence.items()
        },
        "hashes": {
            "evidence": plan.fingerprint["evidence"],
            "worldview": sha256(plan.fingerprint["worldview"].encode()).hexdigest(),
        },
        "versions": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{
                name: _version(name)
                for name in (
                    "agi-forecast",
                    "pymc",
                    "pytensor",
                    "nutpie",
                    "numba",
                    "arviz",
                    "numpy",
                    "scipy",
                    "xarray",
                )
            },
        },
        "timings": run.summary["timings"],
    }


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _draw(figure: Any, crossings: xr.Dataset, worldview: Worldview, path: Path, identity: str) -> None:
    if worldview.milestones:
        figure(crossings, worldview, path, run_id=identity)


class _Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
