"""`forecast run` against the hand-written script, whole processes side by side; promises about speed."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import Cost, cost_of
from forecast.results import read_run
from forecast.results.crossing_summary import estimate

TARGETS = {
    "wall": 0.3, "refit": 0.35, "help": 3.0, "peak": 2.0, "compile": 0.05, "beside": 8.0, "write": 1.0
}  # fmt: skip
"""Ours over theirs, second fit over first, `--help` over importing click, GB; with a filled cache, CPU of the
compile phase over that with an empty one, CPU seconds beside sampling, seconds of writing results.nc."""

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75)
AGREE = 4.0
MILESTONE = "agi"
OURS = "forecast run"
FORECAST = [sys.executable, "-c", "from forecast.cli import main; main()"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """Settings that all programs share."""

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    cores: int = 2
    seed: int = 20260630

    @property
    def options(self) -> list[str]:
        """As both command lines spell them."""
        return [part for name, value in vars(self).items() for part in (f"--{name}", str(value))]


@dataclass(frozen=True)
class Crossings:
    """Crossing dates (chain, draw, bloc) and which draws count (chain, draw)."""

    dates: Floats
    accepted: NDArray[np.bool_]


def compare(ours: Crossings, theirs: Crossings) -> list[dict[str, float]]:
    """Compare two programs' distributions of crossing dates at our quantiles.

    Returns
    -------
    list of dict
        A row a bloc and level: our quantile, the share of their draws before
        it and of ours, and their difference in Monte Carlo standard errors.
        Shares and not dates, since a quantile may be infinite.
    """
    rows = []
    for bloc in range(ours.dates.shape[-1]):
        for level in LEVELS:
            date = float(np.quantile(ours.dates[..., bloc][ours.accepted], level, method="lower"))
            if not np.isfinite(date):
                continue
            p, q = (estimate(one.dates[..., bloc] < date, one.accepted) for one in (ours, theirs))
            z = (q.p - p.p) / float(np.hypot(p.mcse, q.mcse))
            there = float(np.quantile(theirs.dates[..., bloc][theirs.accepted], level, method="lower"))
            rows.append({"bloc": bloc, "level": level, "ours": date, "theirs": there, "share": q.p, "z": z})
    return rows


def side_by_side(sampling: Sampling, variants: Sequence[str], *, warm_up: bool = True) -> dict[str, Any]:
    """Run our program and the variants of the script one after another, with warm caches."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        costs: dict[str, Cost] = {}
        found: dict[str, Crossings] = {}
        short = Sampling(draws=10, tune=10, chains=1, seed=sampling.seed)
        if warm_up:
            cost_of([*FORECAST, "run", "--out", str(folder / "warm"), *short.options], ok=(0, 3))
        costs[OURS] = cost_of([*FORECAST, "run", "--out", str(folder / "runs"), *sampling.options], ok=(0, 3))
        (path,) = (folder / "runs").iterdir()
        crossings = read_run(path).crossings
        found[OURS] = Crossings(
            crossings[MILESTONE].to_numpy(), crossings["accepted"].to_numpy().astype(bool)
        )
        for variant in variants:
            script = [sys.executable, "-m", "benchmarks.handwritten", "--variant", variant]
            if warm_up:
                cost_of([*script, *short.options])
            output = folder / f"{variant}.npz"
            costs[variant] = cost_of([*script, "--output", str(output), *sampling.options])
            with np.load(output) as saved:
                found[variant] = Crossings(saved["crossings"], saved["accepted"])
    return {
        "costs": {
            name: {key: getattr(cost, key) for key in ("wall", "cpu", "peak")} for name, cost in costs.items()
        },
        "said": {name: cost.output.strip().splitlines()[-1] for name, cost in costs.items() if name != OURS},
        "agreement": {name: compare(found[OURS], found[name]) for name in variants},
    }


def refit(sampling: Sampling) -> dict[str, Any]:
    """Fit twice in this process: the default worldview, then other priors at an earlier as-of date.

    Imports count towards the first, as they do for a user.

    Returns
    -------
    dict
        ``first`` and ``second`` in seconds; ``compilations`` and ``loads`` of compiled models; of the first
        fit ``cpu``, the CPU seconds of each phase, ``write``, seconds of writing its results, and ``draws``,
        a digest of its posterior.
    """
    start = time.perf_counter()
    from forecast.engine import run
    from forecast.inference import Compiler, SamplerSettings
    from forecast.results.netcdf import write_tree
    from forecast.worldview import load_worldview

    compiler = Compiler()
    settings = SamplerSettings(
        draws=sampling.draws, tune=sampling.tune, chains=sampling.chains, cores=sampling.cores
    )
    made = run(load_worldview(), seed=sampling.seed, settings=settings, compiler=compiler)
    first = time.perf_counter() - start
    digest = hashlib.sha256()
    for name, values in sorted(made.results["posterior"].data_vars.items()):
        digest.update(name.encode() + values.to_numpy().tobytes())
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        write_tree(made.results, Path(scratch) / "results.nc")
        write = time.perf_counter() - start
    changed = load_worldview(
        overrides=["priors.compute-growth.allocation.mu=-1.7", "priors.capability.index_level.sigma=6"]
    )
    start = time.perf_counter()
    run(changed, as_of="2025-07-31", seed=sampling.seed, settings=settings, compiler=compiler)
    second = time.perf_counter() - start
    return {
        "first": first,
        "second": second,
        "compilations": compiler.compilations,
        "loads": compiler.loads,
        "write": write,
        "cpu": dict(made.cpu),
        "draws": digest.hexdigest(),
    }


def refits(sampling: Sampling) -> dict[str, Any]:
    """:func:`refit` in processes of its own: with empty caches, PyTensor's too, and then with filled ones."""
    command = [sys.executable, "-m", "benchmarks", "refit", *sampling.options]
    with tempfile.TemporaryDirectory() as scratch:
        flags = ",".join(
            part for part in (os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={scratch}") if part
        )
        env = {"FORECAST_CACHE": scratch, "PYTENSOR_FLAGS": flags}
        return {
            name: json.loads(cost_of(command, env=env).output.strip().splitlines()[-1])
            for name in ("cold", "warm")
        }


def start_up(times: int = 10) -> dict[str, float]:
    """Median seconds of ``forecast --help`` and of importing click, taken in turns."""
    commands = {"help": [*FORECAST, "--help"], "click": [sys.executable, "-c", "import click"]}
    walls: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            walls[name].append(cost_of(command).wall)
    return {name: statistics.median(all_walls) for name, all_walls in walls.items()}


def verdicts(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Measured ratios beside their targets; what was not measured is left out."""
    rows: list[dict[str, Any]] = []

    def add(what: str, value: float, target: float) -> None:
        rows.append({"what": what, "value": value, "target": target, "ok": value <= target})

    costs = result.get("costs", {})
    for name in costs:
        if name != OURS:
            add(f"wall, {OURS} / {name}", costs[OURS]["wall"] / costs[name]["wall"], TARGETS["wall"])
            worst = max(abs(row["z"]) for row in result["agreement"][name])
            add(f"largest difference from {name}, standard errors", worst, AGREE)
    if costs:
        add("peak memory, GB", costs[OURS]["peak"], TARGETS["peak"])
    for name, times in result.get("refits", {}).items():
        if name == "cold":  # with a filled cache the first fit compiles nothing either
            add("second fit / first, cold cache", times["second"] / times["first"], TARGETS["refit"])
        add(f"models made, {name} cache", times["compilations"] + times["loads"], 1)
    found = result.get("refits", {})
    if {"cold", "warm"} <= set(found):
        cold, warm = found["cold"], found["warm"]
        add("compile phase, CPU, warm / cold cache", warm["cpu"]["compile"] / cold["cpu"]["compile"],
            TARGETS["compile"])  # fmt: skip
        beside = sum(warm["cpu"].values()) - warm["cpu"]["sample"]
        add("CPU seconds beside sampling, warm cache", beside, TARGETS["beside"])
        add("seconds of writing results.nc", warm["write"], TARGETS["write"])
        add("fits whose draws the cache changed", float(warm["draws"] != cold["draws"]), 0.0)
    if "start" in result:
        add("--help / import click", result["start"]["help"] / result["start"]["click"], TARGETS["help"])
    return rows
