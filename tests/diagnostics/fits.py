"""Fits whose posterior is known, so that nothing is sampled: a mean of normal measurements.

``y ~ N(mu, sd)`` with `sd` known and ``mu ~ N(prior, prior_sd)``; a second parameter that no data speak
of. Draws are exact and independent. Each test spoils one thing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

CHAINS, DRAWS = 4, 500


def normal_fit(
    y: Any = None,
    *,
    sd: float = 1.0,
    prior: float = 0.0,
    prior_sd: float = 2.0,
    seed: int = 1,
    draws: int = DRAWS,
) -> xr.DataTree:
    """The fit to `y`, by default to 40 rows that the model made: every check passes."""
    rng = np.random.default_rng(seed)
    data = rng.normal(0.5, sd, 40) if y is None else np.asarray(y, dtype=float)
    precision = 1 / prior_sd**2 + data.size / sd**2
    centre = (prior / prior_sd**2 + data.sum() / sd**2) / precision
    size = (CHAINS, draws)
    mu, idle = rng.normal(centre, precision**-0.5, size), rng.normal(size=size)
    pair, row = ("chain", "draw"), {"row": [f"row {place}" for place in range(data.size)]}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"mu": (pair, mu), "idle": (pair, idle)}, coords=_sample(size)),
            "prior": xr.Dataset(
                {
                    "mu": (pair, rng.normal(prior, prior_sd, (1, 1000))),
                    "idle": (pair, rng.normal(size=(1, 1000))),
                }
            ),
            "sample_stats": xr.Dataset(
                {
                    "diverging": (pair, np.zeros(size, dtype=bool)),
                    "reached_max_treedepth": (pair, np.zeros(size, dtype=bool)),
                    "energy": (pair, rng.normal(size=size)),
                }
            ),
            "observed_data": xr.Dataset({"y": ("row", data)}, coords=row),
            "posterior_predictive": xr.Dataset(
                {"y": ((*pair, "row"), rng.normal(mu[..., None], sd, (*size, data.size)))}, coords=row
            ),
            "log_likelihood": xr.Dataset(
                {"y": ((*pair, "row"), stats.norm.logpdf(data, mu[..., None], sd))}, coords=row
            ),
            "log_prior": xr.Dataset(
                {
                    "mu": (pair, stats.norm.logpdf(mu, prior, prior_sd)),
                    "idle": (pair, stats.norm.logpdf(idle)),
                }
            ),
        }
    )


def changed(tree: xr.DataTree, group: str, **variables: Any) -> xr.DataTree:
    """The tree with these variables of a group in place of its own."""
    return xr.DataTree.from_dict(
        {
            **{name: node.to_dataset() for name, node in tree.children.items()},
            group: tree[group].to_dataset().assign(variables),
        }
    )


def without(tree: xr.DataTree, *groups: str) -> xr.DataTree:
    """The tree without these groups."""
    return xr.DataTree.from_dict(
        {name: node.to_dataset() for name, node in tree.children.items() if name not in groups}
    )


def _sample(size: tuple[int, int]) -> dict[str, Any]:
    return {"chain": np.arange(size[0]), "draw": np.arange(size[1])}
