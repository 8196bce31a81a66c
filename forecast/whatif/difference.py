"""How far the answer moved, with its Monte Carlo error: on the same draws, or between two fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.dates import decimal_year, end_of
from forecast.results.crossing_summary import error_of_agreement, mcse_of_mean, window_indicators
from forecast.results.summary import accepted_draws, crossing_array
from forecast.results.weighting import effective_size, least_error, weighted_share

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

Floats = NDArray[np.float64]
Side = tuple["xr.Dataset", "Worldview"]


def difference(
    before: Side,
    after: Side,
    was: Mapping[str, Any],
    now: Mapping[str, Any],
    weights: Floats | None = None,
    *,
    paired: bool = False,
) -> dict[str, Any]:
    """Say how far each bloc of each common milestone moved.

    Parameters
    ----------
    before, after : (xarray.Dataset, Worldview)
        Group ``crossings`` and what it is read by.
    was, now : mapping
        Their summaries.
    weights : ndarray, (chain, draw), optional
        Of the draws after.
    paired : bool
        Both are the same draws, so that an error common to both cancels.

    Returns
    -------
    dict
        Milestone to bloc to ``p_in`` with ``p_in_mcse``, and ``median_years``, None
        where a median is not reached; later and likelier are positive. The error is
        0 only where nothing was asked that could move it; where no draw moved, it
        is that of fewer than one draw of all.
    """
    found: dict[str, Any] = {}
    for name in (one for one in was["milestones"] if one in now["milestones"]):
        blocs = was["milestones"][name]["blocs"]
        found[name] = {}
        for bloc in (one for one in blocs if one in now["milestones"][name]["blocs"]):
            old, new = blocs[bloc], now["milestones"][name]["blocs"][bloc]
            error = float(np.hypot(old["mcse"]["p_in"], new["mcse"]["p_in"]))
            if paired:
                error = _paired_error(before, after, (name, bloc), new["p_in"], weights)
            medians = old["quantiles"]["0.5"], new["quantiles"]["0.5"]
            found[name][bloc] = {
                "p_in": new["p_in"] - old["p_in"],
                "p_in_mcse": error if np.isfinite(error) else None,
                "median_years": None if None in medians else medians[1] - medians[0],
            }
    return found


def _paired_error(
    before: Side, after: Side, which: tuple[str, str], share: float, weights: Floats | None
) -> float:
    """Error of a change on the same draws."""
    if weights is None and before[1].window == after[1].window:
        return 0.0  # a nearer horizon, or another lead: it is the same number, whatever the draws
    parts = _parts(after, *which, weights) - _parts(before, *which, None)
    if not parts.any():  # as for a share that no draw has
        accepted = accepted_draws(after[0])
        effective = float(accepted.sum()) if weights is None else effective_size(weights * accepted)
        return error_of_agreement(0, effective)
    error = mcse_of_mean(parts)
    return error if weights is None else max(error, least_error(share, weights))


def _parts(side: Side, milestone: str, bloc: str, weights: Floats | None) -> Floats:
    """What each draw adds to the share in the window, (chain, draw)."""
    crossings, worldview = side
    accepted = accepted_draws(crossings)
    index = [str(one) for one in crossings["bloc"].to_numpy()].index(bloc)
    span = decimal_year(worldview.window.start), end_of(worldview.window.end)
    inside = window_indicators(crossing_array(crossings, milestone)[..., index], *span)["p_in"]
    counted = accepted.astype(float) if weights is None else np.where(accepted, weights, 0.0)
    return weighted_share(inside, counted)[2]
