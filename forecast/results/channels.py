"""What a bloc under controls can get and buys: flows, amounts, shares, and how binding controls are."""

from __future__ import annotations

import warnings
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import decimal_year, end_of
from forecast.errors import ForecastError, InputError
from forecast.results.channel_flows import Channels
from forecast.results.crossing_summary import FloatArray, estimate, quantiles

if TYPE_CHECKING:
    from forecast.worldview import Worldview

SCHEMA = "forecast.channels/2"

FIRST_YEAR = 2022

YEARS_AHEAD = 6
"""Years after that of the as-of date that are told by default: offers have no physical bound."""

LEVELS = (0.05, 0.5, 0.95)


def describe_channels(
    channels: Channels,
    worldview: Worldview,
    *,
    run_id: str = "",
    prior_only: bool = False,
    until: int | None = None,
) -> dict[str, Any]:
    """Tell flows, amounts and shares by channel, and how far they fall short of what money could buy.

    Parameters
    ----------
    channels : Channels
    worldview : Worldview
    run_id : str
    prior_only : bool
        The draws are of the priors alone.
    until : int, optional
        The last year told; :data:`YEARS_AHEAD` after that of the as-of date by
        default, or the last that the run's trajectories cover whole.

    Returns
    -------
    dict
        Plain types, schema ``forecast.channels/2``. In each year ``offered``
        and, where the run says what is bought, ``bought`` have a ``flow``, that
        of 1 July, and a ``cumulative`` amount, added up from the beginning of
        the first year to the end of the year; nothing is retired. ``ratio`` is
        what can be had over what money could buy, ``p_binding`` the probability
        that it is below 1. ``policy`` has the shares of draws by state, after
        the as-of date.

    Raises
    ------
    InputError
        The run does not cover the year `until`.
    ForecastError
        It covers no year at all.
    """
    years = _years(channels, worldview, until)
    titles = {bloc.name: bloc.title for bloc in worldview.blocs}
    flows = {"offered": channels.flows, "bought": channels.purchases}
    amounts = {
        key: None if values is None else added_up(values, channels.time, float(years[0]))
        for key, values in flows.items()
    }

    def told(key: str, year: int, middle: float) -> dict[str, Any] | None:
        flow, amount = flows[key], amounts[key]
        if flow is None or amount is None:
            return None
        return {
            "flow": _parts(channels, flow, middle),
            "cumulative": _parts(channels, amount, year + 1.0),
        }

    return {
        "schema": SCHEMA,
        "run": run_id,
        "worldview": worldview.name,
        "as_of": worldview.as_of.isoformat(),
        "prior_only": prior_only,
        "quantity": channels.quantity,
        "title": channels.title,
        "bloc": channels.bloc,
        "bloc_title": titles.get(channels.bloc, channels.bloc),
        "channels": list(channels.names),
        "flow_unit": channels.unit,
        "amount_unit": channels.amount_unit,
        "since": date(years[0], 1, 1).isoformat(),
        "draws": {"counted": int(channels.counted.sum()), "kept": channels.counted.size},
        "states": list(channels.states),
        "years": [
            {
                "year": year,
                "past": middle <= end_of(worldview.as_of),
                "offered": told("offered", year, middle),
                "bought": told("bought", year, middle),
                **_binding(channels, middle),
                "policy": None if middle <= end_of(worldview.as_of) else _policy(channels, middle),
            }
            for year, middle in ((year, decimal_year(date(year, 7, 1))) for year in years)
        ],
    }


def _years(channels: Channels, worldview: Worldview, until: int | None) -> list[int]:
    """Years that are covered whole, up to the last that is wanted."""
    begin, end = float(channels.time[0]), float(channels.time[-1])
    whole = [year for year in range(FIRST_YEAR, int(end) + 1) if begin <= year and year + 1 <= end]
    if not whole:
        raise ForecastError(f"The trajectories of this run cover no whole year since {FIRST_YEAR}.")
    if until is not None and not whole[0] <= until <= whole[-1]:
        raise InputError(
            f"--until {until}: the trajectories of this run cover whole years from {whole[0]} to {whole[-1]}."
        )
    last = worldview.as_of.year + YEARS_AHEAD if until is None else until
    return [year for year in whole if year <= last] or whole[:1]


def shown_flows(channels: Channels) -> FloatArray:
    """Return flows by channel of what is bought, or of what is on offer where the run does not say."""
    purchases = channels.purchases
    return channels.flows if purchases is None else purchases


def _parts(channels: Channels, values: FloatArray, moment: float) -> dict[str, Any]:
    """Quantiles of the total, of each channel and of its share at one moment."""
    now = at_moment(values, channels.time, moment)
    total = now.sum(axis=2)
    return {
        "total": _spread(total, channels),
        "channels": {name: _spread(now[..., index], channels) for index, name in enumerate(channels.names)},
        "shares": {
            name: _spread(share_of(now, index), channels) for index, name in enumerate(channels.names)
        },
    }


def share_of(values: FloatArray, index: int) -> FloatArray:
    """Return one channel's share, third axis channel; NaN where there is nothing to share."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(values[:, :, index] / values.sum(axis=2))


def _binding(channels: Channels, moment: float) -> dict[str, Any]:
    gap = log_ratio(channels)
    if gap is None:
        return {"ratio": None, "p_binding": None, "mcse": {"p_binding": None}}
    now = at_moment(gap, channels.time, moment)
    share = estimate(now < 0, channels.counted)
    return {
        "ratio": _spread(10.0**now, channels),
        "p_binding": share.p,
        "mcse": {"p_binding": share.mcse},
    }


def log_ratio(channels: Channels) -> FloatArray | None:
    """log10 of what can be had over what money could buy, (chain, draw, time); None where unknown."""
    return None if channels.demand is None else channels.offered - channels.demand


def _policy(channels: Channels, moment: float) -> dict[str, Any] | None:
    """Share of draws in each state; a state holds from the month in which it is first seen."""
    if channels.policy is None:
        return None
    month = int(np.searchsorted(channels.time, moment + 1e-9, side="right")) - 1
    shares = {
        state: estimate(np.round(channels.policy[..., month]) == index, channels.counted)
        for index, state in enumerate(channels.states)
    }
    return {state: {"p": share.p, "mcse": share.mcse} for state, share in shares.items()}


def at_moment(values: FloatArray, time: FloatArray, moment: float) -> FloatArray:
    """Return values, last axis time, at a moment in decimal years; linear between months."""
    left = int(np.clip(np.searchsorted(time, moment + 1e-9, side="right") - 1, 0, len(time) - 2))
    part = float(np.clip((moment - time[left]) / (time[left + 1] - time[left]), 0.0, 1.0))
    if part < 1e-6:  # the month's own value, and no other that may be infinite
        return values[..., left]
    return np.asarray(values[..., left] * (1.0 - part) + values[..., left + 1] * part)


def added_up(flows: FloatArray, time: FloatArray, start: float) -> FloatArray:
    """Amounts since a moment, last axis time: flows are linear between months."""
    pieces = 0.5 * (flows[..., 1:] + flows[..., :-1]) * np.diff(time)
    amounts = np.concatenate([np.zeros((*flows.shape[:-1], 1)), np.cumsum(pieces, axis=-1)], axis=-1)
    return np.asarray(amounts - at_moment(amounts, time, start)[..., None])


def _spread(values: FloatArray, channels: Channels) -> dict[str, float | None]:
    known = values[channels.counted]
    return quantiles(known[~np.isnan(known)], LEVELS)


def bands(values: FloatArray, channels: Channels) -> FloatArray:
    """Quantiles :data:`LEVELS` over counted draws at every moment, (level, time)."""
    counted = values[channels.counted]
    unknown = np.isnan(counted).any(axis=0)
    found = np.empty((len(LEVELS), counted.shape[1]))
    found[:, ~unknown] = np.quantile(counted[:, ~unknown], LEVELS, axis=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)  # a share of nothing: NaN
        # Moment by moment in Python: only where there is something to leave out.
        found[:, unknown] = np.nanquantile(counted[:, unknown], LEVELS, axis=0)
    return found
