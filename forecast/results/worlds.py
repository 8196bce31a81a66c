"""Unipolar, bipolar or neither: how the worlds of a run hang on the lead and on the thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import end_of
from forecast.errors import ForecastError, InputError
from forecast.results.crossing_summary import (
    BoolArray,
    FloatArray,
    estimate,
    lead_years,
    quantiles,
    world_shares,
)
from forecast.results.reading import choose_milestones, default_milestone
from forecast.results.summary import accepted_draws, crossing_array, crossings_of, group_of, milestone_names
from forecast.worldview import All, Condition, Mixture
from forecast.worldview import Any as AnyOf

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

SCHEMA = "forecast.worlds/1"

WITHIN = (0.25, 0.5, 1.0, 2.0, 3.0)
"""Limits between unipolar and bipolar, in years, at which the worlds are always told."""

MIN_DRAWS = 100
"""A bin of a threshold's draws says nothing with fewer accepted draws than this."""

GROUPS = ("crossings", "posterior", "prior")
"""Groups of ``results.nc`` that :func:`describe_worlds` reads."""

_MOST_BINS = 12
_CENTRAL = (0.01, 0.99)


def describe_worlds(
    results: xr.DataTree | xr.Dataset,
    worldview: Worldview,
    *,
    run_id: str = "",
    prior_only: bool = False,
    milestone: str | None = None,
    within_years: float | None = None,
) -> dict[str, Any]:
    """Tell what worlds a run's draws are of.

    Parameters
    ----------
    results : xarray.DataTree or xarray.Dataset
        A run's tree, of which ``crossings`` and the thresholds' draws in
        ``posterior`` (``prior`` in a run of the priors alone) are read; or
        its group ``crossings``, without thresholds then.
    worldview : Worldview
    run_id : str
    prior_only : bool
        The draws are of the priors alone.
    milestone : str, optional
        ``agi`` if the run has it, else its first.
    within_years : float, optional
        Limit between unipolar and bipolar; the worldview's by default.

    Returns
    -------
    dict
        Plain types, schema ``forecast.worlds/1``: ``worlds`` at the limit and
        ``by_within`` at others; ``lead`` (quantiles in years, null where
        infinite; who is first); ``by_threshold``, for each threshold of the
        milestone the worlds in bins of its draws (null where a bin has fewer
        than ``min_draws``); ``durations`` between each two milestones.

    Raises
    ------
    InputError
        The run has no such milestone, or one bloc only.
    ForecastError
        The run has no milestone, or no draw is accepted.
    """
    crossings = crossings_of(results)
    names = milestone_names(crossings)
    if not names:
        raise ForecastError("This run tells of no worlds: its worldview names no milestone.")
    chosen = choose_milestones(crossings, milestone)[0] if milestone else default_milestone(names)
    blocs = [str(bloc) for bloc in crossings["bloc"].to_numpy()]
    if len(blocs) < 2:
        raise InputError(
            f"This run has one bloc, {blocs[0]}: worlds are unipolar or bipolar where there are two or more."
        )
    accepted = accepted_draws(crossings)
    when = crossing_array(crossings, chosen)
    horizon = end_of(worldview.horizon)
    lead = worldview.lead
    within = float(within_years if within_years is not None else lead.within_years if lead else 1.0)
    titles = {bloc.name: bloc.title for bloc in worldview.blocs}
    described = worldview.milestones.get(chosen)
    return {
        "schema": SCHEMA,
        "run": run_id,
        "worldview": worldview.name,
        "as_of": worldview.as_of.isoformat(),
        "horizon": worldview.horizon.isoformat(),
        "prior_only": prior_only,
        "milestone": chosen,
        "title": described.title if described else chosen,
        "blocs": {bloc: titles.get(bloc, bloc) for bloc in blocs},
        "draws": {"total": accepted.size, "set_aside": int((~accepted).sum())},
        "within_years": within,
        "worlds": world_shares(when, accepted, blocs, horizon, within),
        "by_within": [
            {"within_years": limit, **world_shares(when, accepted, blocs, horizon, limit)}
            for limit in sorted({*WITHIN, within})
        ],
        "lead": _lead(when, accepted, blocs, worldview),
        "min_draws": MIN_DRAWS,
        "by_threshold": _by_threshold(results, worldview, chosen, when, accepted, blocs, within),
        "durations": _durations(crossings, names, worldview, accepted, blocs),
    }


def _lead(
    when: FloatArray, accepted: BoolArray, blocs: list[str], worldview: Worldview
) -> dict[str, Any] | None:
    lead = worldview.lead
    if lead is None or lead.leader not in blocs or lead.follower not in blocs:
        return None
    leader, follower = (when[..., blocs.index(name)] for name in (lead.leader, lead.follower))
    years = lead_years(leader, follower)[accepted]
    shares = {
        "p_leader_first": estimate(leader < follower, accepted),
        "p_follower_first": estimate(follower < leader, accepted),
        "p_leader_alone": estimate(np.isfinite(leader) & np.isposinf(follower), accepted),
        "p_follower_alone": estimate(np.isfinite(follower) & np.isposinf(leader), accepted),
        "p_neither_crosses": estimate(np.isposinf(leader) & np.isposinf(follower), accepted),
    }
    return {
        "leader": lead.leader,
        "follower": lead.follower,
        "quantiles": quantiles(years[~np.isnan(years)]),
        **{key: share.p for key, share in shares.items()},
        "mcse": {key: share.mcse for key, share in shares.items()},
    }


def _by_threshold(
    results: xr.DataTree | xr.Dataset,
    worldview: Worldview,
    milestone: str,
    when: FloatArray,
    accepted: BoolArray,
    blocs: list[str],
    within: float,
) -> dict[str, Any]:
    """Worlds in bins of each threshold's own draws; a constant threshold has none."""
    described = worldview.milestones.get(milestone)
    found: dict[str, Any] = {}
    if described is None:
        return {}
    leaves = (leaf.threshold for leaf in described.conditions())
    for name in dict.fromkeys(name for name in leaves if isinstance(name, str)):
        drawn = _threshold_draws(results, name, accepted.shape)
        if drawn is None:
            continue
        values, unit = drawn
        edges = _edges(values[accepted], unit)
        if edges is None:
            continue
        bins: list[dict[str, Any]] = []
        for place, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            last = place == len(edges) - 2
            counted = accepted & (values >= low) & ((values <= high) if last else (values < high))
            draws = int(counted.sum())
            shares = None
            if draws >= MIN_DRAWS:
                shares = world_shares(when, counted, blocs, end_of(worldview.horizon), within)
            bins.append({"low": float(low), "high": float(high), "draws": draws, "worlds": shares})
        found[name] = {
            "unit": unit,
            "p_counts": probability_read(described.condition, name),
            "outside": int(accepted.sum()) - sum(int(one["draws"]) for one in bins),
            "bins": bins,
        }
    return found


def _threshold_draws(
    results: xr.DataTree | xr.Dataset, name: str, shape: tuple[int, ...]
) -> tuple[FloatArray, str] | None:
    """A threshold's draws (chain, draw) and unit, or None where it is constant or not stored."""
    for group in ("posterior", "prior"):
        named = group_of(results, group)
        if named is not None and f"thresholds.{name}" in named:
            variable = named[f"thresholds.{name}"].transpose("chain", "draw")
            if variable.shape == shape:  # a prior beside a posterior has draws of its own
                return np.asarray(variable.to_numpy(), dtype=float), str(variable.attrs.get("unit", ""))
    return None


def is_logarithmic(values: FloatArray, unit: str) -> bool:
    """Tell whether positive values in a linear unit spread over a decade or more."""
    if unit.startswith("log10 ") or values.min() <= 0:
        return False
    low, high = np.quantile(values, _CENTRAL)
    return bool(high / low >= 10)


def _edges(values: FloatArray, unit: str) -> FloatArray | None:
    """Edges of even bins over the central draws; even in the log where values spread over decades."""
    low, high = np.quantile(values, _CENTRAL)
    count = int(np.clip(values.size // (2 * MIN_DRAWS), 3, _MOST_BINS))
    if not high > low:
        return None
    if is_logarithmic(values, unit):
        return np.geomspace(low, high, count + 1)
    return np.linspace(low, high, count + 1)


def probability_read(node: object, threshold: str) -> float:
    """Probability that a draw's milestone reads a threshold: 1, or less inside a mixture."""
    if isinstance(node, Condition):
        return float(node.threshold == threshold)
    if isinstance(node, Mixture):
        return sum(weight * probability_read(part, threshold) for weight, part in node.components)
    assert isinstance(node, All | AnyOf)
    missed = np.prod([1.0 - probability_read(part, threshold) for part in node.conditions])
    return float(1.0 - missed)


def _durations(
    crossings: xr.Dataset, names: Sequence[str], worldview: Worldview, accepted: BoolArray, blocs: list[str]
) -> list[dict[str, Any]]:
    """Years from one milestone to another, for each two, the one that mostly comes first as the first."""
    when = {name: crossing_array(crossings, name) for name in names}
    middle = {name: _middle(dates[accepted]) for name, dates in when.items()}
    found = []
    for first, second in combinations(sorted(names, key=lambda name: (middle[name], names.index(name))), 2):
        found.append(
            {
                "from": first,
                "to": second,
                "titles": [
                    worldview.milestones[name].title if name in worldview.milestones else name
                    for name in (first, second)
                ],
                "blocs": {
                    bloc: _duration(when[first][..., index], when[second][..., index], accepted)
                    for index, bloc in enumerate(blocs)
                },
            }
        )
    return found


def _middle(values: FloatArray) -> float:
    """Lower median, which is defined where half of the draws are infinite."""
    return float(np.sort(values, axis=None)[(values.size - 1) // 2])


def _duration(first: FloatArray, second: FloatArray, accepted: BoolArray) -> dict[str, Any]:
    years = lead_years(first, second)[accepted]
    crossed = np.isfinite(first), np.isfinite(second)
    shares = {
        "p_both": estimate(crossed[0] & crossed[1], accepted),
        "p_first_only": estimate(crossed[0] & ~crossed[1], accepted),
        "p_second_only": estimate(crossed[1] & ~crossed[0], accepted),
        "p_neither": estimate(~crossed[0] & ~crossed[1], accepted),
    }
    return {
        "quantiles": quantiles(years[~np.isnan(years)]),
        **{key: share.p for key, share in shares.items()},
        "mcse": {key: share.mcse for key, share in shares.items()},
    }
