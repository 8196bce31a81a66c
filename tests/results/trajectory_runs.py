"""Stored runs whose trajectories are straight lines, so that every answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.diagnostics import judge
from forecast.results import StoredRun, as_json, as_netcdf, as_text, read_run, summarise, write_run
from tests.results.synthetic import crossings_from, small_worldview

BLOCS = ("us_allies", "china")
CHAINS, DRAWS = 2, 50
START, END = "2018-01", "2061-02"
ID = "2026-06-30-default-0a1b2c3d"


def months() -> Any:
    return np.arange(START, END, dtype="datetime64[M]").astype("datetime64[ns]")


def years() -> np.ndarray:
    """Decimal years of the months' beginnings."""
    days = months().astype("datetime64[D]").tolist()
    return np.array([day.year + (day - day.replace(month=1, day=1)).days / (366 if day.year % 4 == 0 else 365)
                     for day in days])  # fmt: skip


def line(level: Any, growth: Any, at: float = 2025.0) -> np.ndarray:
    """Trajectories (chain, draw, bloc, time) by level at a date and growth a year, a number or one a bloc."""
    shape = (CHAINS, DRAWS, len(BLOCS), 1)
    level, growth = (
        np.broadcast_to(np.reshape(np.asarray(x, dtype=float), (-1, 1)) if np.ndim(x) == 1 else x, shape)
        for x in (level, growth)
    )
    return level + growth * (years() - at)


def spread(values: Any) -> np.ndarray:
    """A number a draw as (chain, draw, bloc, time), in the draws' order."""
    return np.reshape(np.asarray(values, dtype=float), (CHAINS, DRAWS, 1, 1))


def projection(thinning: int = 2, **quantities: tuple[np.ndarray, str]) -> xr.Dataset:
    """The group ``projection`` of quantities given as (values, unit)."""
    shape = (CHAINS, DRAWS, len(BLOCS), months().size)
    variables = {
        name: (("chain", "draw", "bloc", "time"), np.broadcast_to(values, shape), {"unit": unit})
        for name, (values, unit) in quantities.items()
    }
    coordinates = {"chain": np.arange(CHAINS), "draw": np.arange(DRAWS) * thinning, "bloc": list(BLOCS),
                   "time": months()}  # fmt: skip
    return xr.Dataset(variables, coords=coordinates, attrs={"thinning": thinning})


def run_of(
    folder: Path,
    groups: dict[str, xr.Dataset],
    *,
    crossings: xr.Dataset | None = None,
    thinning: int = 2,
    prior_only: bool = False,
) -> StoredRun:
    """Save a run of these groups, with crossings that never happen unless given, and read it."""
    if crossings is None:
        crossings = crossings_from(np.full((CHAINS, DRAWS * thinning, len(BLOCS)), np.inf))
    tree = xr.DataTree.from_dict({**groups, "crossings": crossings})
    worldview = small_worldview()
    diagnostics = judge(tree, prior_only=True)
    summary = summarise(
        tree, worldview, run_id=ID, diagnostics=diagnostics, timings={"sampling": 1.5}, prior_only=prior_only
    )
    files = {
        "manifest.json": as_json({"created": "2026-07-01T12:00:00+00:00"}),
        "worldview.toml": as_text(worldview.to_toml()),
        "results.nc": as_netcdf(tree),
        "summary.json": as_json(summary),
    }
    return read_run(write_run(folder, ID, files).path)
