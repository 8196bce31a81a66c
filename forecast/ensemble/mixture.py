"""A mixture of crossing dates: shares and quantiles of several runs' draws, weighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.results.crossing_summary import lead_years, quantiles
from forecast.results.summary import accepted_draws, crossing_array

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

SHARES = ("p_before", "p_in", "p_after", "p_never")


def mix(
    name: str,
    crossings: Sequence[xr.Dataset],
    summaries: Sequence[Mapping[str, Any]],
    weights: Floats,
) -> dict[str, Any]:
    """Mix one milestone.

    Parameters
    ----------
    name : str
    crossings : sequence of xarray.Dataset
        Groups ``crossings`` of the members.
    summaries : sequence of mapping
        What :func:`forecast.results.summarise` says of this milestone for each, read by the
        same window, lead and horizon.
    weights : ndarray, (member,)
        On the simplex; every accepted draw of a member has the same part of its weight.

    Returns
    -------
    dict
        As in ``summary.json``: ``title``, ``blocs`` (with ``title``, ``quantiles``,
        ``p_before`` ... ``p_never`` and ``mcse``), ``lead``, ``draws``.
    """
    first = summaries[0]
    dates, shares = _pooled(name, crossings, list(first["blocs"]), weights)
    blocs = {
        bloc: {
            "title": described["title"],
            "quantiles": quantiles(dates[:, index], weights=shares),
            **_mixed([summary["blocs"][bloc] for summary in summaries], SHARES, weights),
        }
        for index, (bloc, described) in enumerate(first["blocs"].items())
    }
    counts = [summary["draws"] for summary in summaries]
    return {
        "title": first["title"],
        "blocs": blocs,
        "lead": _lead([summary["lead"] for summary in summaries], list(blocs), dates, shares, weights),
        "draws": {key: sum(count[key] for count in counts) for key in ("total", "set_aside")},
    }


def _pooled(
    name: str, crossings: Sequence[xr.Dataset], blocs: list[str], weights: Floats
) -> tuple[Floats, Floats]:
    """Accepted draws of all members, (draw, bloc), and the weight of each."""
    dates, shares = [], []
    for group, weight in zip(crossings, weights, strict=True):
        found = crossing_array(group.sel(bloc=blocs), name)[accepted_draws(group)]
        dates.append(found)
        shares.append(np.full(len(found), weight / len(found)))
    return np.concatenate(dates), np.concatenate(shares)


def _mixed(parts: Sequence[Mapping[str, Any]], keys: Sequence[str], weights: Floats) -> dict[str, Any]:
    """Probabilities and their errors; the members' draws are independent."""
    found: dict[str, Any] = {key: _mean([part[key] for part in parts], weights) for key in keys}
    return found | {"mcse": {key: _error([part["mcse"][key] for part in parts], weights) for key in keys}}


def _mean(values: Sequence[float], weights: Floats) -> float:
    return min(float(np.dot(weights, values)), 1.0)


def _error(errors: Sequence[float], weights: Floats) -> float:
    return float(np.linalg.norm(weights * np.asarray(errors)))


def _lead(
    leads: Sequence[Mapping[str, Any] | None],
    blocs: list[str],
    dates: Floats,
    shares: Floats,
    weights: Floats,
) -> dict[str, Any] | None:
    found = [lead for lead in leads if lead is not None]
    if not found or len(found) < len(leads):
        return None
    first = found[0]
    years = lead_years(dates[:, blocs.index(first["leader"])], dates[:, blocs.index(first["follower"])])
    known = ~np.isnan(years)
    worlds = _mixed(found, ("p_bipolar", "p_neither"), weights)
    alone = {bloc: _mean([lead["p_unipolar"][bloc] for lead in found], weights) for bloc in blocs}
    errors = {bloc: _error([lead["mcse"]["p_unipolar"][bloc] for lead in found], weights) for bloc in blocs}
    return {
        **{key: first[key] for key in ("leader", "follower", "within_years")},
        "quantiles": quantiles(years[known], weights=shares[known]),
        "p_unipolar": alone,
        **worlds,
        "mcse": {"p_unipolar": errors, **worlds["mcse"]},
    }
