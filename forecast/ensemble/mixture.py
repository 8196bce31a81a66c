"""A mixture of crossing dates: shares and quantiles of several runs' draws, weighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.dates import decimal_year, end_of
from forecast.results.crossing_summary import lead_years, polarity, quantiles, window_indicators
from forecast.results.summary import accepted_draws, crossing_array

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHARES = ("p_before", "p_in", "p_after", "p_never")


def mix(
    name: str,
    crossings: Sequence[xr.Dataset],
    summaries: Sequence[Mapping[str, Any]],
    weights: Floats,
    worldview: Worldview,
    seeds: Sequence[int],
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
    worldview : Worldview
        Whose window, lead and horizon they were read by.
    seeds : sequence of int
        Of the members. Those of one seed share luck and thresholds, draw by draw, so that their errors
        do not cancel.

    Returns
    -------
    dict
        As in ``summary.json``: ``title``, ``blocs`` (with ``title``, ``quantiles``,
        ``p_before`` ... ``p_never`` and ``mcse``), ``lead``, ``draws``.
    """
    first = summaries[0]
    dates, shares = _pooled(name, crossings, list(first["blocs"]), weights)
    members = _Members(name, crossings, list(first["blocs"]), weights, seeds)
    span = decimal_year(worldview.window.start), end_of(worldview.window.end)
    blocs = {}
    for index, (bloc, described) in enumerate(first["blocs"].items()):
        held = [window_indicators(dates[..., index], *span) for dates in members.dates]
        parts = [summary["blocs"][bloc] for summary in summaries]
        blocs[bloc] = {
            "title": described["title"],
            "quantiles": quantiles(dates[:, index], weights=shares),
            **{key: _mean([part[key] for part in parts], weights) for key in SHARES},
            "mcse": {
                key: members.error([part["mcse"][key] for part in parts], [one[key] for one in held])
                for key in SHARES
            },
        }
    counts = [summary["draws"] for summary in summaries]
    return {
        "title": first["title"],
        "blocs": blocs,
        "lead": _lead([summary["lead"] for summary in summaries], members, worldview, dates, shares),
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


def _mean(values: Sequence[float], weights: Floats) -> float:
    return min(float(np.dot(weights, values)), 1.0)


class _Members:
    """The members' draws, and how far their Monte Carlo errors go together.

    Parameters
    ----------
    name : str
        Milestone.
    crossings : sequence of xarray.Dataset
    blocs : list of str
    weights : ndarray, (member,)
    seeds : sequence of int
    """

    def __init__(
        self,
        name: str,
        crossings: Sequence[xr.Dataset],
        blocs: list[str],
        weights: Floats,
        seeds: Sequence[int],
    ) -> None:
        self.blocs, self.weights, self.seeds = blocs, weights, seeds
        self.dates = [crossing_array(group.sel(bloc=blocs), name) for group in crossings]
        self.accepted = [accepted_draws(group) for group in crossings]

    def error(self, errors: Sequence[float], holds: Sequence[Bools]) -> float:
        """Monte Carlo error of the weighted mean of shares.

        Parameters
        ----------
        errors : sequence of float
            Of each member's share.
        holds : sequence of ndarray of bool, (chain, draw)
            What it is the share of.
        """
        parts = [self._part(one, accepted) for one, accepted in zip(holds, self.accepted, strict=True)]
        together = np.eye(len(parts))
        for one, other in combinations(range(len(parts)), 2):
            if self.seeds[one] == self.seeds[other]:
                together[one, other] = together[other, one] = _correlation(parts[one], parts[other])
        moved = self.weights * np.asarray(errors)
        return float(np.sqrt(max(moved @ together @ moved, 0.0)))

    @staticmethod
    def _part(holds: Bools, accepted: Bools) -> Floats:
        return np.where(accepted, holds - holds[accepted].mean(), 0.0)


def _correlation(one: Floats, other: Floats) -> float:
    """Of what draws of the same place add; 1, the worst case, where that cannot be told."""
    if one.shape != other.shape:
        return 1.0
    scale = float(np.sqrt(np.sum(one**2) * np.sum(other**2)))
    return float(np.sum(one * other)) / scale if scale > 0 else 1.0


def _lead(
    leads: Sequence[Mapping[str, Any] | None],
    members: _Members,
    worldview: Worldview,
    dates: Floats,
    shares: Floats,
) -> dict[str, Any] | None:
    found = [lead for lead in leads if lead is not None]
    if not found or len(found) < len(leads):
        return None
    first, blocs, weights = found[0], members.blocs, members.weights
    years = lead_years(dates[:, blocs.index(first["leader"])], dates[:, blocs.index(first["follower"])])
    known = ~np.isnan(years)
    horizon = end_of(worldview.horizon)
    kinds = [polarity(one, horizon, first["within_years"]) for one in members.dates]
    held: dict[str, list[Bools]] = {
        "p_bipolar": [one.bipolar for one in kinds],
        "p_neither": [one.neither for one in kinds],
    }
    alone = {bloc: _mean([lead["p_unipolar"][bloc] for lead in found], weights) for bloc in blocs}
    errors = {
        bloc: members.error(
            [lead["mcse"]["p_unipolar"][bloc] for lead in found],
            [one.unipolar[..., index] for one in kinds],
        )
        for index, bloc in enumerate(blocs)
    }
    return {
        **{key: first[key] for key in ("leader", "follower", "within_years")},
        "quantiles": quantiles(years[known], weights=shares[known]),
        "p_unipolar": alone,
        **{key: _mean([lead[key] for lead in found], weights) for key in held},
        "mcse": {
            "p_unipolar": errors,
            **{key: members.error([lead["mcse"][key] for lead in found], one) for key, one in held.items()},
        },
    }
