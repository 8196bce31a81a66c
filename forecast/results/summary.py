"""``summary.json``: what one forecast says, in a published, versioned form.

The form is ``summary.schema.json`` beside this file. Probabilities of a bloc
sum to 1 (`p_never` is "not by the horizon"), quantiles count "never" as
infinity and are null there, and every probability has its Monte Carlo error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import decimal_year, end_of, from_decimal_year
from forecast.errors import ForecastError
from forecast.results.crossing_levels import bloc_levels, inside_dates, taken
from forecast.results.crossing_summary import (
    BoolArray,
    FloatArray,
    estimate,
    lead_years,
    quantiles,
    window_indicators,
    world_shares,
)

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

SCHEMA = "forecast.summary/1"
"""Version of the form; it changes when a key changes its name or meaning."""


def summary_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``summary.json``."""
    text = (resources.files("forecast.results") / "summary.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def summarise(
    results: xr.DataTree | xr.Dataset,
    worldview: Worldview,
    *,
    run_id: str,
    diagnostics: Mapping[str, Any],
    timings: Mapping[str, float],
    sampler: Mapping[str, Any] | None = None,
    prior_only: bool = False,
    window: tuple[date, date] | None = None,
    within_years: float | None = None,
    mixtures: Mapping[str, Any] | None = None,
    weights: FloatArray | None = None,
) -> dict[str, Any]:
    """Summarise crossing dates as ``summary.json`` holds them.

    Parameters
    ----------
    results : xarray.DataTree or xarray.Dataset
        A run's tree, or its group ``crossings``: a variable per milestone,
        dims (chain, draw, bloc), decimal years with inf for never, and
        ``accepted`` (chain, draw). Of a tree also the groups ``at_crossing``
        and ``inside`` are read, where it has them.
    worldview : Worldview
    run_id : str
    diagnostics : mapping
        From :func:`forecast.diagnostics.judge`.
    timings : mapping of str to float
        Seconds by phase.
    sampler : mapping, optional
        Tune, seed and sampler's name, beside draws and chains.
    prior_only : bool
        The draws are of the priors alone.
    window : (date, date), optional
        First and last day of another window than the worldview's.
    within_years : float, optional
        Another setting than the worldview's for unipolar and bipolar, in years.
    mixtures : mapping, optional
        From :func:`forecast.results.mixtures.mixture_weights`.
    weights : ndarray, (chain, draw), optional
        Importance weights of the draws, not negative; all count alike by default.

    Returns
    -------
    dict
        Plain types only; valid under :func:`summary_schema`.

    Raises
    ------
    ForecastError
        Where every draw was set aside, so that there is nothing to summarise.
    """
    crossings = crossings_of(results)
    first, last = window or (worldview.window.start, worldview.window.end)
    accepted = accepted_draws(crossings)
    chains, draws = accepted.shape
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "run": run_id,
        "worldview": worldview.name,
        "as_of": worldview.as_of.isoformat(),
        "window": {"start": first.isoformat(), "end": last.isoformat()},
        "window_left_at_as_of": window_left(worldview.as_of, first, last),
        "horizon": worldview.horizon.isoformat(),
        "prior_only": prior_only,
        "sampler": {"draws": draws, "chains": chains, **(sampler or {})},
        "milestones": {
            name: _milestone(results, name, worldview, (first, last), within_years, weights)
            for name in milestone_names(crossings)
        },
        "mixtures": dict(mixtures or {}),
        "diagnostics": dict(diagnostics),
        "timings": {phase: float(seconds) for phase, seconds in timings.items()},
    }
    summary["citation"] = citation(summary)
    return summary


def crossings_of(results: xr.DataTree | xr.Dataset) -> xr.Dataset:
    """Return the ``crossings`` dataset of a tree, or the dataset itself.

    Raises
    ------
    ForecastError
        Where a tree has none.
    """
    import xarray as xr

    if not isinstance(results, xr.DataTree):
        return results
    if "crossings" not in results.children:
        raise ForecastError(
            "This run has no crossing dates (group 'crossings'): its results.nc is damaged; make it again."
        )
    return results["crossings"].to_dataset()


def group_of(results: xr.DataTree | xr.Dataset, name: str) -> xr.Dataset | None:
    """Return a group of a tree; None where it has none, as a dataset of crossings alone has none."""
    import xarray as xr

    if not isinstance(results, xr.DataTree) or name not in results.children:
        return None
    return results[name].to_dataset()


def milestone_names(crossings: xr.Dataset) -> list[str]:
    """Names of the milestones in a ``crossings`` dataset, in its order."""
    return [str(name) for name in crossings.data_vars if name != "accepted"]


def accepted_draws(crossings: xr.Dataset) -> BoolArray:
    """Boolean (chain, draw): the draws that every summary uses.

    Raises
    ------
    ForecastError
        Where none is left.
    """
    if "accepted" in crossings:
        accepted = crossings["accepted"].transpose("chain", "draw").to_numpy().astype(bool)
    else:
        accepted = np.ones((crossings.sizes["chain"], crossings.sizes["draw"]), dtype=bool)
    if not accepted.any():
        by_evidence = [
            label for label, count in set_aside_by(crossings).items() if label != "crossed" and count
        ]
        if by_evidence:
            raise ForecastError(
                f"No draw of {accepted.size} agrees with what has not happened yet and with "
                f"{' and '.join(by_evidence)} together: no draw is left to summarise. Leave one of those "
                "drivers out (--without), or widen its errors."
            )
        raise ForecastError(
            f"In all {accepted.size} draws a bloc had already crossed by the as-of date, which a milestone "
            "marked not_yet_crossed rules out: no draw is left to summarise. The priors or thresholds "
            "contradict it; look at them with `forecast priors show`."
        )
    return accepted


def set_aside_by(crossings: xr.Dataset) -> dict[str, int]:
    """Count the draws that each reason ruled out, those before it apart.

    Returns
    -------
    dict of str to int
        ``crossed`` (by the as-of date), then ``driver/table`` of evidence on
        crossing dates; empty in a run that does not tell.
    """
    told = crossings["accepted"].attrs.get("set_aside") if "accepted" in crossings else None
    try:
        return {str(reason): int(count) for reason, count in json.loads(told or "{}").items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def crossing_array(crossings: xr.Dataset, milestone: str) -> FloatArray:
    """Crossing dates of a milestone as float64 with dims (chain, draw, bloc), decimal years.

    Raises
    ------
    ForecastError
        Where there are none of a milestone that the summary has.
    """
    if milestone not in crossings:
        raise ForecastError(
            f"This run has no crossing dates of {milestone}: its results.nc is damaged; make it again."
        )
    values = crossings[milestone].transpose("chain", "draw", "bloc").to_numpy()
    return np.asarray(values, dtype=float)


def window_left(as_of: date, first: date, last: date) -> dict[str, float]:
    """How much of a window was still to come at the end of the as-of date.

    Returns
    -------
    dict
        ``days``, and ``share`` of the window's days (both ends included).
    """
    total = (last - first).days + 1
    left = (last - max(as_of, first - timedelta(days=1))).days
    days = min(max(left, 0), total)
    return {"share": days / total, "days": days}


def _milestone(
    results: xr.DataTree | xr.Dataset,
    name: str,
    worldview: Worldview,
    window: tuple[date, date],
    within_years: float | None,
    weights: FloatArray | None,
) -> dict[str, Any]:
    crossings = crossings_of(results)
    accepted = accepted_draws(crossings)
    when = crossing_array(crossings, name)
    blocs = [str(bloc) for bloc in crossings["bloc"].to_numpy()]
    span = decimal_year(window[0]), end_of(window[1])
    titles = {bloc.name: bloc.title for bloc in worldview.blocs}
    described = worldview.milestones.get(name)
    levels = bloc_levels(group_of(results, "at_crossing"), name, blocs, when, accepted, weights)
    inside = group_of(results, "inside")
    blocs_described = {}
    for index, bloc in enumerate(blocs):
        dates, there = _bloc(when[..., index], accepted, span, weights), levels[index]
        blocs_described[bloc] = {
            "title": titles.get(bloc, bloc),
            **dates,
            **there,
            "inside": inside_dates(inside, name, bloc, accepted, span, weights),
            "mcse": dates["mcse"] | there["mcse"],
        }
    return {
        "title": described.title if described is not None else name,
        "blocs": blocs_described,
        "lead": _lead(when, accepted, blocs, worldview, within_years, weights),
        "draws": {
            "total": accepted.size,
            "set_aside": int((~accepted).sum()),
            "set_aside_by": set_aside_by(crossings),
        },
    }


def _bloc(
    when: FloatArray, accepted: BoolArray, span: tuple[float, float], weights: FloatArray | None
) -> dict[str, Any]:
    shares = {
        key: estimate(indicator, accepted, weights)
        for key, indicator in window_indicators(when, *span).items()
    }
    return {
        "quantiles": quantiles(when[accepted], weights=taken(weights, accepted)),
        **{key: share.p for key, share in shares.items()},
        "mcse": {key: share.mcse for key, share in shares.items()},
    }


def _lead(
    when: FloatArray,
    accepted: BoolArray,
    blocs: list[str],
    worldview: Worldview,
    within_years: float | None,
    weights: FloatArray | None,
) -> dict[str, Any] | None:
    """Lead and polarity, or None in a world without both of the blocs that the lead names."""
    lead = worldview.lead
    if lead is None or lead.leader not in blocs or lead.follower not in blocs:
        return None
    within = lead.within_years if within_years is None else within_years
    years = lead_years(when[..., blocs.index(lead.leader)], when[..., blocs.index(lead.follower)])
    known = accepted & ~np.isnan(years)
    return {
        "leader": lead.leader,
        "follower": lead.follower,
        "within_years": float(within),
        "quantiles": quantiles(years[known], weights=taken(weights, known)),
        **world_shares(when, accepted, blocs, end_of(worldview.horizon), within, weights),
    }


def month_or_never(value: float | None, horizon: str) -> str:
    """Write a date as ISO year and month, or as ">2060" for never by the horizon.

    Parameters
    ----------
    value : float or None
        Decimal year; None for never.
    horizon : str
        ISO date.
    """
    return f">{horizon[:4]}" if value is None else from_decimal_year(value).isoformat()[:7]


def citation(summary: Mapping[str, Any]) -> str:
    """One line to cite a summary by: statistic, number, conditions and run."""
    try:
        version = f"agi-forecast {metadata.version('agi-forecast')}"
    except metadata.PackageNotFoundError:
        version = "agi-forecast"
    window, horizon = summary["window"], summary["horizon"]
    parts = []
    for milestone in list(summary["milestones"].values())[:1]:
        for bloc in milestone["blocs"].values():
            median = month_or_never(bloc["quantiles"]["0.5"], horizon)
            parts.append(
                f"{milestone['title']}, {bloc['title']}: median {median}, "
                f"P({window['start']} to {window['end']}) = {bloc['p_in']:.3f}"
            )
    basis = "priors alone of worldview" if summary["prior_only"] else "worldview"
    return (
        f"{'; '.join(parts)}. Conditional on {basis} {summary['worldview']!r} as of {summary['as_of']}, "
        f"not a prophecy ({version}, run {summary['run']})."
    )
