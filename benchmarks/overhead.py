"""What the host and the builder cost: beside a hand-written model of the same terms, and by the driver.

Everything is measured in turns within one run and judged by medians over the
turns, since other work on the machine then slows both sides alike. Wall and
CPU seconds stand side by side: on an idle machine they agree.
"""

from __future__ import annotations

import ctypes
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.turns import by_clock, in_turns, ratio

BOUNDS = {"density": 1.02, "build": 0.050, "build_driver": 0.005, "load": 0.5, "apart": 1e-8}
"""Ours over theirs; seconds more than theirs, and for each driver; seconds more than without the drivers;
largest relative difference of the two log densities."""

OURS, THEIRS = "ours", "by hand"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """One model twice.

    Attributes
    ----------
    name : str
    drivers : int
    ours : callable
        Loads the drivers, builds the graph, and returns it with the layout of
        its inferred parameters and the PyMC model.
    theirs : callable
        Returns the PyMC model by hand.
    points : callable
        From graph, layout and the model by hand to unconstrained points of
        both, ``(ours, theirs)``.
    same : bool
        Whether the points are of equal parameters, so that the log densities
        must differ by a constant.
    """

    name: str
    drivers: int
    ours: Callable[[], tuple[Any, Any, Any]]
    theirs: Callable[[], Any]
    points: Callable[[Any, Any, Any], tuple[list[Floats], list[Floats]]]
    same: bool


@contextmanager
def medium() -> Iterator[Pair]:
    """Six drivers, three tables, 25 numbers: compiles in seconds."""
    from benchmarks import overhead_model
    from forecast.host import load_host
    from forecast.model import Grid
    from forecast.spec import history_end

    with tempfile.TemporaryDirectory() as scratch:
        view = overhead_model.worldview()
        drivers = overhead_model.drivers(Path(scratch))

        def ours() -> tuple[Any, Any, Any]:
            return _built(view, load_host(drivers=drivers, entry_points=False))

        graph, _, _ = ours()
        rows = {
            one.label: {**one.observations.columns, "bloc": one.observations.bloc}
            for one in graph.likelihoods
        }
        years = Grid(history_end(graph.spec)).years
        yield Pair(
            name="medium",
            drivers=len(drivers),
            ours=ours,
            theirs=lambda: overhead_model.by_hand(years, rows),
            points=_equal_points,
            same=True,
        )


@contextmanager
def default() -> Iterator[Pair]:
    """The default model and the script of ``speed``, on the history alone: compiles in minutes."""
    from benchmarks.default_data import read_inputs
    from benchmarks.handwritten import build, month_starts
    from forecast.host import host_of, load_plugins
    from forecast.worldview import load_worldview

    loaded = load_plugins()
    view = load_worldview(shelf=loaded.shelf)
    inputs, years = read_inputs(), month_starts("2028-02")
    yield Pair(
        name="default",
        drivers=len(host_of(loaded, view.disabled).drivers),
        ours=lambda: _built(view, host_of(loaded, view.disabled)),
        theirs=lambda: build(inputs, "separate", years),
        points=_points_near_the_start,
        same=False,
    )


PAIRS = {"medium": medium, "default": default}


def _built(view: Any, host: Any) -> tuple[Any, Any, Any]:
    """What the engine does between loaded plugins and a compiler."""
    from forecast.model import Layout, build_graph, pymc_model
    from forecast.spec import history_end, make_spec

    spec = make_spec(view, host)
    graph = build_graph(spec, history_end(spec))
    parameters = {key: spec.parameters[key] for key in graph.parameters if key in graph.inferred}
    layout = Layout(parameters, spec.blocs, spec.correlations)
    return graph, layout, pymc_model(graph, layout)


def _equal_points(graph: Any, layout: Any, model: Any) -> tuple[list[Floats], list[Floats]]:
    """Prior draws as both models take them."""
    flat = layout.draw(5, 8)
    loc, scale, exponent = layout.hyperparameters()
    affine = flat[:, layout.affine]
    standard = (np.where(exponent, np.log(np.where(exponent, affine, 1.0)), affine) - loc) / scale
    ours = np.concatenate([standard, np.log(flat[:, layout.other])], axis=1)  # scales
    shaped = {".".join(key): values.reshape(len(flat), -1) for key, values in layout.shaped(flat).items()}
    theirs, initial = [], model.initial_point()
    for one in model.value_vars:
        name = one.name.removesuffix("_log__")
        values = shaped[name][:, : initial[one.name].size]
        theirs.append(np.log(values) if name != one.name else values)
    return list(np.ascontiguousarray(ours)), list(np.ascontiguousarray(np.concatenate(theirs, axis=1)))


def _points_near_the_start(graph: Any, layout: Any, model: Any) -> tuple[list[Floats], list[Floats]]:
    """Points near the medians of the priors, each model's own."""
    generator = np.random.default_rng(5)
    initial = model.initial_point()
    middle = np.concatenate([np.ravel(initial[one.name]) for one in model.value_vars])
    size = len(layout.affine) + len(layout.other)
    return tuple(  # type: ignore[return-value]
        [one + 0.02 * generator.standard_normal(one.size) for _ in range(8)]
        for one in (np.zeros(size), middle)
    )


# Log density and gradient ------------------------------------------------------------------


@dataclass(frozen=True)
class Density:
    """A compiled log density with its gradient, called as the sampler calls it.

    Attributes
    ----------
    n : int
        Unconstrained numbers.
    address, data : int
        Of the C function, and of the numbers that it reads.
    kept : object
        Whatever must live as long.
    """

    n: int
    address: int
    data: int
    kept: Any

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Log density and gradient at a point."""
        gradient, value = np.zeros(self.n), np.zeros(())
        if _FUNCTION(self.address)(self.n, *(one.ctypes.data for one in (x, gradient, value)), self.data):
            raise ValueError("the log density is not finite there")
        return float(value), gradient

    def seconds(self, points: Sequence[Floats], calls: int) -> float:
        """CPU seconds of one call, on average over `calls` rounds of the points."""
        gradient, value = np.zeros(self.n), np.zeros(())
        function = _FUNCTION(self.address)
        arguments = [
            (self.n, x.ctypes.data, gradient.ctypes.data, value.ctypes.data, self.data) for x in points
        ]
        start = time.thread_time()
        for _ in range(calls):
            for one in arguments:
                function(*one)
        return (time.thread_time() - start) / (calls * len(points))


_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)


def compiled_ours(graph: Any, layout: Any) -> Density:
    """The engine's model, compiled as a fit compiles it (but in this process, and without the cache)."""
    from forecast.inference import native
    from forecast.inference.compiling import compile_entry
    from forecast.model import model_data, pymc_model

    entry, _ = compile_entry(pymc_model(graph, layout), layout, model_data(graph, layout))
    table, kept = native.fill(entry.slots, model_data(graph, layout))
    return Density(entry.n, entry.logp.address, table.ctypes.data, (entry, table, kept))


def compiled_theirs(model: Any) -> Density:
    """A PyMC model as nutpie compiles it."""
    import nutpie

    compiled = nutpie.compile_pymc_model(model)
    address, data = compiled.compiled_logp_func.address, compiled.user_data.ctypes.data
    return Density(compiled.n_dim, address, data, compiled)


def density(pair: Pair, *, rounds: int = 1500) -> dict[str, Any]:
    """Seconds of one log density with gradient, ours and theirs, in turns of some milliseconds."""
    graph, layout, _ = pair.ours()
    model = pair.theirs()
    both = {OURS: compiled_ours(graph, layout), THEIRS: compiled_theirs(model)}
    points = dict(zip(both, pair.points(graph, layout, model), strict=True))
    once = max(one.seconds(points[name], 20) for name, one in both.items())
    calls = max(1, round(0.002 / (once * len(points[OURS]))))
    times = in_turns(
        {name: lambda name=name, one=one: one.seconds(points[name], calls) for name, one in both.items()},  # type: ignore[misc]
        rounds,
    )
    found: dict[str, Any] = {"model": pair.name, "numbers": both[OURS].n}
    found |= {f"{name}, µs": 1e6 * statistics.median(values) for name, values in times.items()}
    found |= {"ratio": ratio(times[OURS], times[THEIRS]), "rounds": rounds}
    if pair.same:
        found["apart"] = apart(*([one(x)[0] for x in points[name]] for name, one in both.items()))
    return found


def apart(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Largest relative difference of two log densities, but for a constant between their scales."""
    difference = np.array(ours) - np.array(theirs)
    return float(np.max(np.abs(difference - difference[0])) / np.max(np.abs(theirs)))


# Building --------------------------------------------------------------------------------------


def build(pair: Pair, *, rounds: int = 15) -> list[dict[str, Any]]:
    """Seconds from loaded plugins to a PyMC model, and of the script's, a row a clock.

    A first round is left out.
    """
    tasks = {OURS: lambda: _seconds(pair.ours), THEIRS: lambda: _seconds(pair.theirs)}
    times = {name: values[1:] for name, values in in_turns(tasks, rounds + 1).items()}
    about = {"model": pair.name, "drivers": pair.drivers}
    return [{**about, **row} for row in by_clock(times)]


def _seconds(task: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    return time.perf_counter() - wall, time.process_time() - cpu


def verdicts(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Measured numbers beside their bounds; what was not measured is left out."""
    rows: list[dict[str, Any]] = []

    def add(what: str, value: float, bound: float) -> None:
        rows.append({"what": what, "value": value, "bound": bound, "holds": value <= bound})

    for one in result.get("density", ()):
        add(f"log density with gradient, {one['model']}: ours / by hand", one["ratio"], BOUNDS["density"])
        if "apart" in one:
            add(f"log densities apart, {one['model']}", one["apart"], BOUNDS["apart"])
    for one in result.get("build", ()):
        bound = BOUNDS["build"] + BOUNDS["build_driver"] * one["drivers"]
        add(f"building, {one['model']}: {one['clock']} seconds more than by hand", one["more"], bound)
    for one in result.get("load", ()):
        what = f"loading {one['drivers']} drivers more: {one['clock']} seconds more"
        add(what, one["more"], BOUNDS["load"])
    return rows
