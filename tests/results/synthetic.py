"""Worldviews, crossings and whole trees for tests, made up and small."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.diagnostics import judge
from forecast.results import as_json, as_netcdf, as_text, summarise, write_run


@dataclass(frozen=True)
class Bloc:
    name: str
    title: str


@dataclass(frozen=True)
class Window:
    start: date = date(2026, 1, 1)
    end: date = date(2027, 12, 31)


@dataclass(frozen=True)
class Lead:
    leader: str = "us_allies"
    follower: str = "china"
    within_years: float = 1.0


@dataclass(frozen=True)
class Milestone:
    title: str = "AGI"
    not_yet_crossed: bool = True


@dataclass(frozen=True)
class SmallWorldview:
    """What results, report and the gate read of a worldview, and no more."""

    name: str = "default"
    title: str = "Default"
    as_of: date = date(2026, 6, 30)
    horizon: date = date(2060, 12, 31)
    seed: int = 1
    window: Window = field(default_factory=Window)
    blocs: tuple[Bloc, ...] = (Bloc("us_allies", "US & allies"), Bloc("china", "China"))
    milestones: dict[str, Milestone] = field(default_factory=lambda: {"agi": Milestone()})
    lead: Lead | None = field(default_factory=Lead)

    def to_toml(self) -> str:
        return f"title = {self.title!r}\n"


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
    tree, worldview = good_tree(), SmallWorldview()
    summary = summarise(
        tree, worldview, run_id=run_id, diagnostics=judge(tree), timings={"sampling": 1.5}
    )  # type: ignore[arg-type]
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
