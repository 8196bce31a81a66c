"""Runs whose sensitivity is known, so that nothing is sampled.

``pace ~ N(0, 1)`` with rows ``y ~ N(pace, 1)``; ``idle`` and ``noise``, of which no row speaks, have their
prior N(0, 1). Draws are exact and independent. What the date is made of is the test's choice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

CHAINS, DRAWS = 4, 1000
ROWS = (1.2, 0.3, 0.9, -0.4, 0.8, 0.6)


def known_tree(
    *, pace: float = 2.0, idle: float = 0.0, luck: float = 0.0, rows: Any = ROWS, seed: int = 0,
    centre: float = 2026.5, draws: int = DRAWS, accepted: float = 1.0,
) -> xr.DataTree:  # fmt: skip
    """A run in which US & allies cross at `centre` plus these multiples of N(0, 1) parameters and luck.

    China crosses a year later, with luck of its own and later by what `idle` says; after 2061 never.
    """
    rng = np.random.default_rng(seed)
    size, y = (CHAINS, draws), np.asarray(rows, dtype=float)
    precision = 1 + y.size
    values = {
        "one.pace": rng.normal(y.sum() / precision, precision**-0.5, size),
        "two.idle": rng.normal(size=size),
        "three.noise": rng.normal(size=size),
    }
    date = centre + pace * values["one.pace"] + idle * values["two.idle"] + luck * rng.normal(size=size)
    when = np.stack([date, date + 1 + 0.5 * values["two.idle"] + 0.2 * rng.normal(size=size)], axis=-1)
    when = np.where(when < 2061, when, np.inf)
    pair = ("chain", "draw")
    coords = {"chain": np.arange(CHAINS), "draw": np.arange(draws)}
    row = {"measured_row": [f"row {at}" for at in range(y.size)]}
    likelihood = stats.norm.logpdf(y, values["one.pace"][..., None], 1)
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({name: (pair, one) for name, one in values.items()}, coords=coords),
            "log_prior": xr.Dataset({name: (pair, stats.norm.logpdf(one)) for name, one in values.items()}),
            "prior": xr.Dataset({name: (pair, rng.normal(size=(1, 1000))) for name in values}),
            "log_likelihood": xr.Dataset({"measured": ((*pair, "measured_row"), likelihood)}, coords=row),
            "crossings": xr.Dataset(
                {
                    "agi": ((*pair, "bloc"), when),
                    "accepted": (pair, rng.random(size) < accepted),
                },
                coords={**coords, "bloc": ["us_allies", "china"]},
            ),
        }
    )


def prior_only_tree(**choices: Any) -> xr.DataTree:
    """The same of the priors alone, as such a run stores it."""
    tree = known_tree(rows=(), **choices)
    return xr.DataTree.from_dict(
        {"prior": tree["posterior"].to_dataset(), "crossings": tree["crossings"].to_dataset()}
    )


def without(tree: xr.DataTree, *groups: str) -> xr.DataTree:
    """The tree without these groups."""
    return xr.DataTree.from_dict(
        {name: node.to_dataset() for name, node in tree.children.items() if name not in groups}
    )
