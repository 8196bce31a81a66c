"""Which half of the milestone comes later, and what free access to chips would do, on a saved run's draws."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.engine import Plan, make_plan
from forecast.model import Key, Layout
from forecast.worldview import read_interventions
from forecast.projection import Projection, future_graph, project
from forecast.results import StoredRun, read_run

Floats = NDArray[np.float64]

MILESTONE, BLOC = "agi", "china"
FREE_ACCESS = {"limit": "chip_access", "bloc": BLOC, "set": "off"}
SAME = 1e-9  # years; the same draw projected twice may round differently


def later_shares(first: Floats, second: Floats, counts: NDArray[np.bool_]) -> dict[str, float]:
    """Shares of draws by which of two conditions is met later.

    Parameters
    ----------
    first, second : ndarray, (draw,)
        Dates, inf for never.
    counts : ndarray of bool, (draw,)
        Draws that count.

    Returns
    -------
    dict of str to float
        ``first``, ``second``, ``same`` (one moment) and ``neither`` (both never by the horizon), which sum
        to one.
    """
    never = np.isinf(first) & np.isinf(second)
    parts = {
        "first": first > second,
        "second": second > first,
        "same": (first == second) & ~never,
        "neither": never,
    }
    return {name: float(part[counts].mean()) for name, part in parts.items()}


def earlier(base: Floats, free: Floats, counts: NDArray[np.bool_]) -> dict[str, float]:
    """What an intervention does to the same draws' crossing dates.

    Parameters
    ----------
    base, free : ndarray, (draw,)
        Dates without and with it, inf for never.
    counts : ndarray of bool, (draw,)
        Draws that count.

    Returns
    -------
    dict of str to float
        ``later``: draws that cross later, of all; ``median_years``: by how much the median moves forward;
        ``median_of_pairs``: the median of the draws' own gains, among those that cross both times;
        ``gained``: share of draws that cross at all only with it.
    """
    both = counts & np.isfinite(base) & np.isfinite(free)
    return {
        "later": float(np.sum(free > base + SAME)),
        "median_years": float(np.median(base[counts]) - np.median(free[counts])),
        "median_of_pairs": float(np.median(base[both] - free[both])) if both.any() else float("nan"),
        "gained": float((np.isinf(base) & np.isfinite(free))[counts].mean()),
    }


def stored_parameters(stored: StoredRun, plan: Plan) -> tuple[dict[Key, Floats], int]:
    """All draws of a saved run as the projection takes them, and the number of chains."""
    graph = future_graph(plan.spec, plan.worldview.horizon)
    layout = Layout({key: plan.spec.parameters[key] for key in graph.parameters}, plan.spec.blocs)
    posterior = stored.tree["posterior"].to_dataset()
    chains, size = posterior.sizes["chain"], posterior.sizes["chain"] * posterior.sizes["draw"]
    flat = layout.draw(0, size)
    for key in layout.parameters:
        numbers = [
            n for n, entry in enumerate(layout.entries) if entry.key == key and not entry.prior.is_constant
        ]
        if numbers:  # in the file they stand in the layout's order
            flat[:, numbers] = posterior[".".join(key)].to_numpy().reshape(size, -1)
    return layout.shaped(flat), chains


def report(path: Path) -> dict[str, Any]:
    """Shares of a saved run as JSON-able numbers."""
    stored = read_run(path)
    plan = make_plan(stored.worldview)
    parameters, chains = stored_parameters(stored, plan)
    base = _project(plan, parameters, chains)
    free = _project(plan, parameters, chains, FREE_ACCESS)
    saved = stored.crossings[MILESTONE].to_numpy()
    again = base.crossings[MILESTONE].to_numpy()
    accepted = base.crossings["accepted"].to_numpy().ravel()
    compute, capability = (base.conditions[f"{MILESTONE}.{part}"] for part in (0, 1))
    later = {
        bloc: later_shares(
            compute.sel(bloc=bloc).to_numpy().ravel(), capability.sel(bloc=bloc).to_numpy().ravel(), accepted
        )
        for bloc in plan.spec.blocs
    }
    access = earlier(
        base.crossings[MILESTONE].sel(bloc=BLOC).to_numpy().ravel(),
        free.crossings[MILESTONE].sel(bloc=BLOC).to_numpy().ravel(),
        accepted,
    )
    return {
        "run": path.name,
        "same_as_saved": bool(np.allclose(saved, again, rtol=0, atol=1e-6)),
        "later": {
            bloc: {"compute": s.pop("first"), "capability": s.pop("second"), **s} for bloc, s in later.items()
        },
        "access": access,
        "ok": access["later"] == 0 and access["median_years"] > 0,
    }


def _project(
    plan: Plan, parameters: Mapping[Key, Floats], chains: int, *changes: Mapping[str, Any]
) -> Projection:
    graph = future_graph(plan.spec, plan.worldview.horizon, read_interventions(changes))
    return project(
        graph,
        {key: parameters[key] for key in graph.parameters},
        chains=chains,
        milestones=plan.worldview.milestones,
        thresholds=plan.worldview.thresholds,
        seed=plan.worldview.seed,
        keep=chains,
    )
