"""Which half of the milestone comes later, and what free access to chips would do, on a saved run's draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.engine import reopen
from forecast.results import read_run

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


def report(path: Path) -> dict[str, Any]:
    """Shares of a saved run as JSON-able numbers."""
    stored = read_run(path)
    run = reopen(stored)
    base, free = run.project(keep=run.chains), run.project([FREE_ACCESS], keep=run.chains)
    saved = stored.crossings[MILESTONE].to_numpy()
    again = base.crossings[MILESTONE].to_numpy()
    accepted = base.crossings["accepted"].to_numpy().ravel()
    compute, capability = (base.conditions[f"{MILESTONE}.{part}"] for part in (0, 1))
    later = {
        bloc: later_shares(
            compute.sel(bloc=bloc).to_numpy().ravel(), capability.sel(bloc=bloc).to_numpy().ravel(), accepted
        )
        for bloc in run.plan.spec.blocs
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
