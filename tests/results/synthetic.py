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


def steps_worldview() -> Worldview:
    """The worldview of steps.toml: two milestones, and thresholds with draws of their own."""
    return load_worldview(Path(__file__).with_name("steps.toml"))


CHANNELS = ("domestic", "licensed", "smuggled")


def full_tree(seed: int = 0, chains: int = 4, draws: int = 500, thinning: int = 4) -> xr.DataTree:
    """A tree for steps.toml with every group: levels, dates inside, thresholds, channels and policy.

    A harder threshold makes AGI later and the lead longer. China alone has
    channels; what they sum to falls short of demand in about half of the draws.
    """
    rng = np.random.default_rng(seed)
    size, blocs = (chains, draws), ["us_allies", "china"]
    tree = good_tree(seed, chains, draws)
    hardness = rng.normal(size=size)
    crossings = likely_crossings(seed, chains, draws)
    later = crossings["agi"].to_numpy() + np.exp(hardness)[..., None] * np.array([1.0, 2.5])
    crossings["agi"] = (("chain", "draw", "bloc"), np.where(later < 2061, later, np.inf))
    crossings["big_run"] = (("chain", "draw", "bloc"), 2025.5 + rng.exponential([1.0, 3.0], (*size, 2)))
    crossings["big_run"] = crossings["big_run"].where(rng.random((*size, 2)) > 0.05, np.inf)
    crossings = crossings[["agi", "big_run", "accepted"]]
    posterior = tree["posterior"].to_dataset()
    for name, values, unit in (
        ("training_compute", 28 + hardness, "log10 FLOP"),
        ("effective_compute", 30 + 2 * rng.normal(size=size), "log10 FLOP"),
        ("time_horizon", 10 ** (3 + 0.8 * rng.normal(size=size)), "work hour"),
    ):
        posterior[f"thresholds.{name}"] = (("chain", "draw"), values, {"unit": unit})
    levels, inside = xr.Dataset(coords={"bloc": blocs}), xr.Dataset(coords={"bloc": blocs})
    for milestone in ("agi", "big_run"):
        never = np.isposinf(crossings[milestone].to_numpy())
        for quantity, centre, unit in (
            ("training_compute", 28.0, "log10 FLOP"),
            ("chips_in_run", 6.2, "log10 H100e"),
            ("compute_stock", 7.5, "log10 H100e"),
            ("investment", 11.5, "log10 USD/year"),
            ("cost_of_largest_cluster", 10.3, "log10 USD"),
        ):
            level = np.where(never, np.nan, centre + 0.6 * rng.normal(size=(*size, 2)))
            levels[f"{milestone}.{quantity}"] = (("chain", "draw", "bloc"), level, {"unit": unit})
    delay = rng.lognormal(np.log(0.3), 0.4, (*size, 1))
    inside["agi"] = (("chain", "draw", "bloc"), crossings["agi"].to_numpy() - delay, {"unit": "decimal year"})
    return xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "sample_stats": tree["sample_stats"].to_dataset(),
            "projection": channel_projection(rng, chains, draws, thinning),
            "crossings": crossings,
            "at_crossing": levels,
            "inside": inside,
            "growth": growth_account(),
        }
    )


def growth_account() -> xr.Dataset:
    """Group ``growth``: money adds, and a limit of another driver takes a third of it away."""
    time = np.arange("2021-01", "2037-02", 3, dtype="datetime64[M]").astype("datetime64[ns]")
    money = (np.arange(time.size) / 4 - 1) * np.array([[0.6], [0.5]])  # OOM since 2022-01-01
    return xr.Dataset(
        {"effective_compute": (("part", "bloc", "time"), np.stack([money, -money / 3]), {"unit": "OOM"})},
        coords={
            "part": ["money", "money.ceilings.room"],
            "driver": ("part", ["money", "ceilings"]),
            "kind": ("part", ["base", "limit"]),
            "title": ("part", ["Money", "Limit: room"]),
            "bloc": ["us_allies", "china"],
            "time": time,
        },
        attrs={"since": "2022-01-01", "as_of": "2026-06-30", "draws": 490},
    )


def channel_projection(rng: np.random.Generator, chains: int, draws: int, thinning: int) -> xr.Dataset:
    """Group ``projection`` with a sum of channels that China alone has, its demand, and a policy."""
    time = np.arange("2021-01", "2037-02", dtype="datetime64[M]").astype("datetime64[ns]")
    years = np.arange(time.size) / 12
    kept = np.arange(draws)[::thinning]
    flows = np.zeros((chains, kept.size, 2, len(CHANNELS), time.size))
    for index, (level, growth) in enumerate(((4.5, 0.2), (5.0, 0.0), (4.7, 0.1))):
        logs = level + 0.3 * rng.normal(size=(chains, kept.size, 1)) + growth * years
        flows[:, :, 1, index] = 10**logs
    with np.errstate(divide="ignore"):
        access = np.log10(flows.sum(axis=3))
    demand = access + 0.5 * rng.normal(size=(chains, kept.size, 1, 1))
    access[:, :, 0] = np.nan  # a bloc without channels is not restricted
    demand[:, :, 0] = 6.0
    bought = np.where(np.isnan(access), 6.0, np.minimum(access, demand))
    switch = rng.integers(66, 160, size=(chains, kept.size, 1))
    dims = ("chain", "draw", "bloc", "time")
    return xr.Dataset(
        {
            "chip_access": (dims, access, {"unit": "log10 H100e/year", "long_name": "Chips that can be had"}),
            "chip_channels": (
                ("chain", "draw", "bloc", "channel", "time"),
                flows,
                {"unit": "H100e/year", "long_name": "Chips, by channel", "of": "chip_access"},
            ),
            "chip_demand": (dims, demand, {"unit": "log10 H100e/year"}),
            "chip_purchases": (dims, bought, {"unit": "log10 H100e/year"}),
            "policy": (
                ("chain", "draw", "time"),
                (np.arange(time.size) >= switch).astype(float),
                {"unit": "state", "states": "today, tight", "long_name": "Export controls"},
            ),
        },
        coords={
            "chain": np.arange(chains),
            "draw": kept,
            "bloc": ["us_allies", "china"],
            "channel": list(CHANNELS),
            "time": time,
        },
        attrs={"thinning": thinning},
    )


def save_run(
    folder: Path,
    run_id: str = "2026-06-30-default-0a1b2c3d",
    *,
    tree: xr.DataTree | None = None,
    worldview: Worldview | None = None,
    **changes: Any,
) -> Path:
    """Write a whole run, of :func:`good_tree` if no other is given; `changes` go into its manifest."""
    tree = good_tree() if tree is None else tree
    worldview = worldview or small_worldview()
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
