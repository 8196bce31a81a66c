"""Saved runs of other worldviews and draws than small.toml's, for comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from forecast.diagnostics import judge
from forecast.results import StoredRun, as_json, as_netcdf, as_text, read_run, summarise, write_run
from forecast.worldview import load_worldview
from tests.results.synthetic import good_tree, likely_crossings

SMALL = Path(__file__).with_name("small.toml")


def save_variant(
    folder: Path,
    run_id: str,
    *,
    toml: str = "",
    overrides: Sequence[str] = (),
    crossings: xr.Dataset | None = None,
    prior_only: bool = False,
    ok: bool | None = True,
    **manifest: Any,
) -> StoredRun:
    """Write a run of small.toml with `toml` over it, and read it back.

    The worldview is called default-RUN_ID, or by the name in `toml`. The rest
    of the tree is that of :func:`good_tree`; `manifest` goes into the manifest.
    """
    folder.mkdir(exist_ok=True)
    over = folder / f"{run_id}.toml"
    over.write_text(toml or 'description = "As it is."', encoding="utf-8")
    worldview = load_worldview(SMALL, over, overrides=overrides)
    over.unlink()
    crossings = likely_crossings() if crossings is None else crossings
    tree = good_tree(chains=crossings.sizes["chain"], draws=crossings.sizes["draw"])
    tree["crossings"] = xr.DataTree(crossings)
    summary = summarise(
        tree,
        worldview,
        run_id=run_id,
        diagnostics=judge(tree) | {"ok": ok},
        timings={"sampling": 1.5},
        prior_only=prior_only,
    )
    saved = write_run(
        folder,
        run_id,
        {
            "manifest.json": as_json({"created": "2026-07-01T12:00:00+00:00", **manifest}),
            "worldview.toml": as_text(worldview.to_toml()),
            "results.nc": as_netcdf(tree),
            "summary.json": as_json(summary),
        },
    )
    return read_run(saved.path)
