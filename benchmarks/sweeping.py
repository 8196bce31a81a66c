"""Fits a minute of `forecast sweep` on one worker and on two, beside a loop over ``pm.sample``.

Cells differ in a prior, so each is a fit of its own of one structure. The loop does what one would write
without an engine that keeps compiled code: for each cell the PyMC model, and ``pm.sample`` with nutpie on
both cores, which compiles it anew; it projects nothing. Rates are of cells after the first of each worker: a
sweep's start (planning, workers) and a loop's imports are paid once.

Two cores of a shared machine do less than twice the work of one. How much that is, is measured with plain
processes, which make the same fits by the engine without Dask: one of them, and two at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyarrow import parquet

from benchmarks.processes import ROOT, Cost, cost_of

TARGETS = {
    "times the loop": 8.0,
    "efficiency of two workers": 0.8,
    "efficiency of two workers, beside two processes without Dask": 0.8,
}

TURNS, CELLS = 2, 4
"""Sweeps of each number of workers, and cells of each worker."""

LOOPED, PLAIN = 3, 6
"""Cells of the loop, and of each process without Dask; the first of them warms up."""

_SWEEP = """
base = "{base}"
design = "list"

[settings]
"priors.investment.by_bloc.us_allies.growth.mu" = {values}

[sampling]
draws = {draws}
tune = {tune}
chains = {chains}
"""

_LOOP = """
import json, sys, time
import pymc as pm
from forecast.engine import make_plan, execute, reopen
from forecast.model import Layout, build_graph, model_data, pymc_model
from forecast.spec import history_end
from forecast.worldview import load_worldview
base, draws, tune, chains, cells = sys.argv[1], *map(int, sys.argv[2:6])
spans = []
for number in range(cells):
    start = time.perf_counter()
    prior = f"priors.investment.by_bloc.us_allies.growth.mu={0.3 + 0.001 * number}"
    view = load_worldview(base, overrides=[prior])
    plan = make_plan(view)
    history = build_graph(plan.spec, history_end(plan.spec))
    keys = [key for key in history.parameters if key in history.inferred]
    layout = Layout({key: plan.spec.parameters[key] for key in keys}, plan.spec.blocs, plan.spec.correlations)
    with pymc_model(history, layout):
        pm.sample(draws=draws, tune=tune, chains=chains, cores=2, nuts_sampler="nutpie", progressbar=False,
                  random_seed=number, compute_convergence_checks=False)
    spans.append(time.perf_counter() - start)
print(json.dumps(spans))
"""


_PROCESS = """
import json, sys, time
from forecast.engine import execute, make_plan
from forecast.inference import SamplerSettings
from forecast.worldview import load_worldview
base, (draws, tune, chains, cells) = sys.argv[1], map(int, sys.argv[2:6])
settings = SamplerSettings(draws, tune, chains, cores=1)
spans = []
for number in range(cells):
    start = time.perf_counter()
    prior = f"priors.investment.by_bloc.us_allies.growth.mu={0.3 + 0.001 * number}"
    execute(make_plan(load_worldview(base, overrides=[prior]), settings=settings))
    spans.append(time.perf_counter() - start)
print(json.dumps(spans))
"""


def plain_rate(processes: int, arguments: Sequence[str]) -> float:
    """Fits a minute of so many processes at once, each making fits one after another without Dask."""
    command = [sys.executable, "-c", _PROCESS, *arguments, str(PLAIN)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(processes)
    ]
    spans = []
    for one in running:
        output, _ = one.communicate()
        if one.returncode:
            raise RuntimeError(f"a process without Dask exited with {one.returncode}")
        spans += json.loads(output.strip().splitlines()[-1])[1:]
    return 60 * processes * len(spans) / sum(spans)


def sweep_file(base: str, cells: int, **sampling: int) -> str:
    """A sweep of cells that differ in a prior."""
    return _SWEEP.format(base=base, values=[round(0.3 + 0.001 * n, 4) for n in range(cells)], **sampling)


def swept(base: str, cells: int, workers: int, **sampling: int) -> tuple[Cost, list[float]]:
    """Sweep so many cells; what it cost, and the seconds of each cell on its worker, in order."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "sweep.toml"
        file.write_text(sweep_file(base, cells, **sampling), "utf-8")
        command = [sys.executable, "-m", "forecast", "sweep", str(file), "--workers", str(workers)]
        cost = cost_of([*command, "--out", str(file.with_suffix(""))], ok=(0, 3))
        rows = parquet.read_table(file.with_suffix("") / "results.parquet").to_pylist()
    spans = {row["cell"]: row["seconds"] for row in rows}
    return cost, [spans[cell] for cell in sorted(spans)]


def measure(base: str, *, draws: int = 500, tune: int = 500, chains: int = 4) -> dict[str, Any]:
    """Fits a minute by each way, and what the targets say.

    Parameters
    ----------
    base : str
        A worldview.
    draws, tune, chains : int
        Of every fit.

    Returns
    -------
    dict
        ``rows`` with seconds of sweeps and fits a minute, ``verdicts``.
    """
    numbers = [str(one) for one in (draws, tune, chains)]
    seconds: dict[int, list[float]] = {1: [], 2: []}
    starts: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(TURNS):  # in turns: a shared machine is faster in one minute than in another
        for workers in (1, 2):
            cost, found = swept(base, CELLS * workers, workers, draws=draws, tune=tune, chains=chains)
            later = found[workers:]  # the first cell of each worker warms up
            seconds[workers] += later
            starts[workers].append(cost.wall - CELLS * sum(later) / len(later))
    plain = {processes: plain_rate(processes, [base, *numbers]) for processes in (1, 2)}
    spans = json.loads(
        cost_of([sys.executable, "-c", _LOOP, base, *numbers, str(LOOPED)]).output.strip().splitlines()[-1]
    )
    rates = {workers: 60 * workers * len(found) / sum(found) for workers, found in seconds.items()}
    loop = 60 / (sum(spans[1:]) / (LOOPED - 1))
    rows: list[dict[str, Any]] = [
        {
            "by": f"sweep, {n} worker{'s' if n > 1 else ''}",
            "start": sum(starts[n]) / TURNS,
            "fits_a_minute": rate,
        }
        for n, rate in rates.items()
    ]
    rows += [
        {
            "by": f"{n} process{'es at once' if n > 1 else ''} without Dask",
            "start": None,
            "fits_a_minute": rate,
        }
        for n, rate in plain.items()
    ]
    rows.append({"by": "a loop over pm.sample", "start": spans[0] - 60 / loop, "fits_a_minute": loop})
    efficiency, possible = rates[2] / rates[1] / 2, plain[2] / plain[1] / 2
    values = (rates[2] / loop, efficiency, efficiency / possible)
    reached = dict(zip(TARGETS, values, strict=True))
    verdicts = [
        {"what": what, "value": value, "target": TARGETS[what], "ok": value >= TARGETS[what]}
        for what, value in reached.items()
    ]
    return {"base": base, "rows": rows, "verdicts": verdicts}
