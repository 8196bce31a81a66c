"""Worldviews, crossings and whole trees for tests, made up and small."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.diagnostics import judge
from forecast.results import as_json, as_netcdf, as_text, summarise, write_run
from forecast.worldview import Bloc, Lead, Worldview, load_worldview


def small_worldview(*blocs: str) -> Worldview:
    """The worldview of small.toml; `blocs` in place of its two, led by the first over the second."""
    worldview = load_worldview(Path(__file__).with_name("small.toml"))
    if not blocs:
        return worldview
    lead = Lead(blocs[0], blocs[1], 1.0) if len(blocs) > 1 else None
    return dataclasses.replace(worldview, blocs=tuple(Bloc(name, name.title()) for name in blocs), lead=lead)


def crossings_from(
    dates: Any, accepted: Any = None, blocs: tuple[str, ...] = ("us_allies", "china"), name: str = "agi"
) -> xr.Dataset:
    """Crossings of one milestone from an array (chain, draw, bloc) of decimal years."""
    when = np.asarray(dates, dtype=float)
    marks = np.ones(when.shape[:2], dtype=bool) if accepted is None else np.asarray(accepted, dtype=bool)
    return xr.Dataset(
        {name: (("chain", "draw", "bloc"), when), "accepted": (("chain", "draw"), marks)},
        coords={
            "chain": np.arange(when.shape[0]),
            "draw": np.arange(when.shape[1]),
            "bloc": list(blocs),
        },
    )


def likely_crossings(seed: int = 0, chains: int = 4, draws: int = 500) -> xr.Dataset:
    """Two blocs with skewed dates, a tenth never, two per cent set aside."""
    rng = np.random.default_rng(seed)
    wait = rng.lognormal(np.log([4.0, 7.5]), 0.8, size=(chains, draws, 2))
    when = 2026.5 + wait
    when[rng.random(when.shape) < 0.1] = np.inf
    when[when > 2061] = np.inf
    return crossings_from(when, rng.random((chains, draws)) > 0.02)


def good_tree(seed: int = 0, chains: int = 4, draws: int = 500) -> xr.DataTree:
    """A tree that passes every check."""
    rng = np.random.default_rng(seed)
    size = (chains, draws)
    posterior = xr.Dataset(
        {
            "investment.growth": (("chain", "draw", "bloc"), rng.normal(size=(*size, 2))),
            "algorithmic-efficiency.rate_centre": (("chain", "draw"), rng.normal(size=size)),
            "fixed": (("chain", "draw"), np.ones(size)),
        },
        coords={"bloc": ["us_allies", "china"]},
    )
    statistics = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros(size, dtype=bool)),
            "energy": (("chain", "draw"), rng.normal(size=size)),
        }
    )
    time = np.arange("2026-07", "2027-01", dtype="datetime64[M]").astype("datetime64[ns]")
    projection = xr.Dataset(
        {"training_compute": (("chain", "draw", "bloc", "time"), 26 + rng.random((*size, 2, time.size)))},
        coords={"bloc": ["us_allies", "china"], "time": time},
        attrs={"thinning": 8},
    )
    projection["training_compute"].attrs["unit"] = "log10 FLOP"
    return xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "sample_stats": statistics,
            "projection": projection,
            "crossings": likely_crossings(seed, chains, draws),
        }
    )


def save_run(folder: Path, run_id: str = "2026-06-30-default-0a1b2c3d", **changes: Any) -> Path:
    """Write a whole run of :func:`good_tree`; `changes` go into its manifest."""
    tree, worldview = good_tree(), small_worldview()
    summary = summarise(tree, worldview, run_id=run_id, diagnostics=judge(tree), timings={"sampling": 1.5})
    manifest = {"created": "2026-07-01T12:00:00+00:00", **changes}
    return write_run(
        folder,
        run_id,
        {
            "manifest.json": as_json(manifest),
            "worldview.toml": as_text(worldview.to_toml()),
            "results.nc": as_netcdf(tree),
            "summary.json": as_json(summary),
        },
    ).path
