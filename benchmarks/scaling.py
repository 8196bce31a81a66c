"""What a projection of the default model costs as blocs, draws, months and drivers grow; a sweep as cells do.

Each size is a process of its own that draws from the priors and projects: all that a run does but sampling,
which grows with the evidence and not with the future.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from benchmarks.overhead_load import write_trivial
from benchmarks.processes import cost_of
from benchmarks.sweeping import swept

DRAWS = 2000
SIZES: dict[str, tuple[int, ...]] = {
    "blocs": (2, 4, 8, 16),
    "draws": (1_000, 3_000, 10_000, 30_000, 100_000),
    "months": (12 * 35, 12 * 70, 12 * 140),
    "drivers": (0, 10, 30, 100),
    "cells": (8, 16, 48),
}
"""Of each axis; the others stay as in the default model (2 blocs, 420 months after 2025, no driver more)."""

LINEAR = 1.15
"""Bound on the power of the last doubling or so: linear, and what a noisy machine adds."""

_CHILD = """
import json, sys
from forecast.engine import execute, make_plan
from forecast.inference import SamplerSettings
view, draws = sys.argv[1], int(sys.argv[2])
plan = make_plan(view, settings=SamplerSettings(draws=draws, chains=1), prior_only=True)
made = execute(plan)
print(json.dumps({"cpu": dict(made.cpu), "blocs": len(plan.worldview.blocs)}))
"""


def measure(axes: Sequence[str]) -> list[dict[str, Any]]:
    """CPU seconds and peak memory of each size of some axes.

    Returns
    -------
    list of dict
        ``axis``, ``size``, ``build`` and ``project`` in CPU seconds, ``draws_per_second`` of the projection,
        ``peak`` in GB.
    """
    return [row for axis in axes for size in SIZES[axis] for row in [_point(axis, size)]]


def sweeps() -> list[dict[str, Any]]:
    """Seconds of sweeps of more and more cells, a short fit of the worldview `small` each, on one worker."""
    rows = []
    for cells in (2, *SIZES["cells"]):  # the first sees to it that compiled code is there
        cost, _ = swept("small", cells, 1, draws=50, tune=100, chains=1)
        rows.append({"axis": "cells", "size": cells, "seconds": cost.wall, "peak": cost.peak})
    return rows[1:]


def powers(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Power with which the cost grows between the two largest sizes of an axis: 1 is linear."""
    found = []
    for axis in dict.fromkeys(row["axis"] for row in rows):
        own = [row for row in rows if row["axis"] == axis]
        before, last = own[-2], own[-1]
        cost = [row.get("seconds") or row["build"] + row["project"] for row in (before, last)]
        power = float(np.log(cost[1] / cost[0]) / np.log(last["size"] / before["size"]))
        found.append(
            {"axis": axis, "from": before["size"], "to": last["size"], "power": power, "ok": power <= LINEAR}
        )
    return found


def _point(axis: str, size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        file = folder / "view.toml"
        file.write_text(tomli_w.dumps(dict(_worldview(axis, size))), encoding="utf-8")
        env = {}
        if axis == "drivers":
            write_trivial(folder, size)
            env["PYTHONPATH"] = os.pathsep.join([scratch, *filter(None, [os.environ.get("PYTHONPATH")])])
        draws = size if axis == "draws" else DRAWS
        cost = cost_of([sys.executable, "-c", _CHILD, str(file), str(draws)], env=env)
    said = json.loads(cost.output.strip().splitlines()[-1])
    if axis == "blocs" and said["blocs"] != size:
        raise RuntimeError(f"the worldview has {said['blocs']} blocs, not {size}")
    phases = said["cpu"]
    return {
        "axis": axis,
        "size": size,
        "build": phases["build"],
        "project": phases["project"],
        "draws_per_second": draws / phases["project"],
        "peak": cost.peak,
    }


def _worldview(axis: str, size: int) -> Iterator[tuple[str, Any]]:
    """Keys of a prior file: the default model, larger along one axis."""
    yield "title", f"{axis} {size}"
    yield "extends", "default"
    if axis == "months":
        yield "horizon", f"{2025 + size // 12}-12-31"
    if axis == "blocs":
        more = [f"bloc_{number}" for number in range(2, size)]
        names = {"us_allies": "US & allies", "china": "China", **{name: name for name in more}}
        yield "blocs", names
        yield (
            "priors",
            {driver: {"by_bloc": {name: own for name in more}} for driver, own in _first_bloc() if more},
        )


def _first_bloc() -> Iterator[tuple[str, dict[str, Any]]]:
    """Priors of the default model's first bloc, by driver, where a further bloc would have none."""
    for folder in resources.files("forecast_plugins").iterdir():
        priors = folder / "priors.toml"
        if priors.is_file():
            own = tomllib.loads(priors.read_text("utf-8")).get("by_bloc", {}).get("us_allies")
            if own:
                yield folder.name.replace("_", "-"), own
