"""What a bloc has at the moment it crosses, how far it trails, and when the model existed inside.

All of it is about accepted draws in which the bloc crosses: a level at a
crossing that never comes is nothing, and is not counted as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.results.crossing_summary import BoolArray, FloatArray, estimate, quantiles, window_indicators
from forecast.units import UnitError, convert

if TYPE_CHECKING:
    import xarray as xr

LEVELS = {
    "training_compute": ("training_compute", "FLOP"),
    "chips_in_run": ("chips_in_run", "H100e"),
    "chips_in_bloc": ("compute_stock", "H100e"),
    "annual_spend": ("investment", "USD/year"),
}
"""Keys of ``at_crossing``: the quantity that each is, and its unit in the summary."""

EXCEEDED = {
    "p_million_chips": ("chips_in_run", "log10 H100e", 6.0),
    "p_ten_billion_usd": ("cost_of_largest_cluster", "log10 USD", 10.0),
}
"""Shares of crossing draws in which a quantity is at or above a level."""

LEVEL_QUANTILES = (0.05, 0.5, 0.95)


def bloc_levels(
    levels: xr.Dataset | None,
    milestone: str,
    blocs: Sequence[str],
    when: FloatArray,
    accepted: BoolArray,
    weights: FloatArray | None = None,
) -> list[dict[str, Any]]:
    """Describe the crossing itself, bloc by bloc.

    Parameters
    ----------
    levels : xarray.Dataset or None
        Group ``at_crossing`` of a run: a variable ``milestone.quantity``, dims
        chain, draw, bloc, its unit as an attribute. Older runs have none.
    milestone : str
    blocs : sequence of str
    when : ndarray, (chain, draw, bloc)
        Crossing dates, decimal years, inf for never.
    accepted : ndarray of bool, (chain, draw)
    weights : ndarray, (chain, draw), optional
        Importance weights.

    Returns
    -------
    list of dict
        For each bloc ``at_crossing`` (quantiles by key, in FLOP, H100e,
        USD/year and months; a key is None where the run has no such quantity,
        the whole where the bloc never crosses), the probabilities of
        :data:`EXCEEDED`, None where they are not known, and ``mcse`` of these.
    """
    first = when.min(axis=-1)
    found = []
    for index, bloc in enumerate(blocs):
        crossed = accepted & np.isfinite(when[..., index])
        if weights is not None:
            crossed &= weights > 0
        shares = {
            key: _share(_values(levels, milestone, quantity, bloc, unit), crossed, level, weights)
            for key, (quantity, unit, level) in EXCEEDED.items()
        }
        described: dict[str, Any] | None = None
        if crossed.any():
            described = {
                key: _quantiles(_values(levels, milestone, quantity, bloc, unit), crossed, weights)
                for key, (quantity, unit) in LEVELS.items()
            }
            late = 12.0 * (when[..., index][crossed] - first[crossed])
            described["lag_months"] = quantiles(late, LEVEL_QUANTILES, taken(weights, crossed))
        found.append(
            {
                "at_crossing": described,
                **{key: share[0] for key, share in shares.items()},
                "mcse": {key: share[1] for key, share in shares.items()},
            }
        )
    return found


def inside_dates(
    inside: xr.Dataset | None,
    milestone: str,
    bloc: str,
    accepted: BoolArray,
    window: tuple[float, float],
    weights: FloatArray | None = None,
) -> dict[str, Any] | None:
    """Describe when the model existed inside the laboratory, before the world saw it.

    Parameters
    ----------
    inside : xarray.Dataset or None
        Group ``inside`` of a run: a variable per milestone that says what
        passes before an announcement, dims chain, draw, bloc, decimal years,
        inf for never.
    milestone, bloc : str
    accepted : ndarray of bool, (chain, draw)
    window : (float, float)
        Decimal years; the second is the first moment after it.
    weights : ndarray, (chain, draw), optional
        Importance weights.

    Returns
    -------
    dict or None
        ``quantiles``, ``p_in`` and ``mcse``; None where the milestone is seen
        at once or the run does not say.
    """
    if inside is None or milestone not in inside:
        return None
    when = _of_bloc(inside[milestone], bloc)
    share = estimate(window_indicators(when, *window)["p_in"], accepted, weights)
    return {
        "quantiles": quantiles(when[accepted], weights=taken(weights, accepted)),
        "p_in": share.p,
        "mcse": {"p_in": share.mcse},
    }


def taken(weights: FloatArray | None, counted: BoolArray) -> FloatArray | None:
    """Weights of the draws that are counted; None where all count alike."""
    return None if weights is None else weights[counted]


def _values(
    levels: xr.Dataset | None, milestone: str, quantity: str, bloc: str, unit: str
) -> FloatArray | None:
    """A quantity at the crossing in a unit, or None where the run has no such quantity."""
    name = f"{milestone}.{quantity}"
    if levels is None or name not in levels:
        return None
    try:
        return convert(_of_bloc(levels[name], bloc), str(levels[name].attrs.get("unit", "")), unit)
    except UnitError:  # another driver's quantity of this name is about something else
        return None


def _of_bloc(variable: xr.DataArray, bloc: str) -> FloatArray:
    return np.asarray(variable.sel(bloc=bloc).transpose("chain", "draw").to_numpy(), dtype=float)


def _quantiles(
    values: FloatArray | None, crossed: BoolArray, weights: FloatArray | None
) -> dict[str, float | None] | None:
    if values is None:
        return None
    known = crossed & ~np.isnan(values)
    return quantiles(values[known], LEVEL_QUANTILES, taken(weights, known)) if known.any() else None


def _share(
    values: FloatArray | None, crossed: BoolArray, level: float, weights: FloatArray | None
) -> tuple[float, float] | tuple[None, None]:
    if values is None:
        return None, None
    known = crossed & ~np.isnan(values)
    if not known.any():
        return None, None
    # A milestone may itself be this level: what crossed it is there but for rounding.
    share = estimate(values >= level * (1.0 - 1e-9), known, weights)
    return share.p, share.mcse
