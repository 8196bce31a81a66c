"""Flows by channel out of a run: what a bloc under controls can get and what it buys, draw by draw.

A quantity that is a sum of channels is stored with the flows of its channels
in a variable of its own, whose attribute ``of`` names it. What follows holds
for any such quantity; for some it is known what the bloc could pay for and
what it buys (:data:`BESIDE`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import decimal_year
from forecast.errors import ForecastError, InputError
from forecast.results.crossing_summary import BoolArray, FloatArray
from forecast.results.summary import accepted_draws, crossings_of
from forecast.units import UnitError, convert
from forecast.wording import did_you_mean

if TYPE_CHECKING:
    import xarray as xr

GROUPS = ("projection", "crossings")
"""Groups of ``results.nc`` that are read."""

BESIDE = {"chip_access": ("chip_demand", "chip_purchases")}
"""For a sum of channels, the quantities that say what money could buy and what is bought."""


@dataclass(frozen=True)
class Channels:
    """One bloc's flows by channel in the kept draws of a run.

    Attributes
    ----------
    quantity, title : str
        The sum of channels, and what it is called.
    bloc : str
    names : tuple of str
        Of the channels that the bloc has.
    unit : str
        Of the flows, such as "million H100e/year".
    time : ndarray, (time,)
        Decimal years.
    flows : ndarray, (chain, draw, channel, time)
        On offer.
    offered, demand, bought : ndarray, (chain, draw, time), or None
        log10 of the quantity itself, of what money could buy and of what is
        bought, in the flows' unit; the latter two None where the run does not
        say.
    states : tuple of str
    policy : ndarray, (chain, draw, time), or None
        Index of the state of each moment; None without such a quantity.
    counted : ndarray of bool, (chain, draw)
        Kept draws that are accepted.
    thinning : int
        Every so many-th draw is kept.
    """

    quantity: str
    title: str
    bloc: str
    names: tuple[str, ...]
    unit: str
    time: FloatArray = field(repr=False)
    flows: FloatArray = field(repr=False)
    offered: FloatArray = field(repr=False)
    demand: FloatArray | None = field(repr=False)
    bought: FloatArray | None = field(repr=False)
    states: tuple[str, ...]
    policy: FloatArray | None = field(repr=False)
    counted: BoolArray = field(repr=False)
    thinning: int

    @property
    def total(self) -> FloatArray:
        """Sum of the flows, (chain, draw, time), in the flows' unit."""
        return np.asarray(self.flows.sum(axis=2))

    @property
    def purchases(self) -> FloatArray | None:
        """What is bought by channel, (chain, draw, channel, time); None where the run does not say.

        Each channel delivers the same part of what it offers, as the likelihood
        of seen flows has it, and never more than that: what a bloc whose limit
        is lifted buys beyond its channels comes by none of them.
        """
        if self.bought is None:
            return None
        total = self.total
        with np.errstate(invalid="ignore", divide="ignore"):
            taken = np.where(total > 0, np.minimum(10.0**self.bought / total, 1.0), 0.0)
        return self.flows * taken[:, :, None, :]

    @property
    def amount_unit(self) -> str:
        """Unit of a flow added up over time."""
        return self.unit.removesuffix("/year") if self.unit.endswith("/year") else f"{self.unit} x year"


def read_channels(results: xr.DataTree, *, bloc: str | None = None, quantity: str | None = None) -> Channels:
    """Take one bloc's flows by channel out of a run.

    Parameters
    ----------
    results : xarray.DataTree
        With the groups ``projection`` and ``crossings``.
    bloc, quantity : str, optional
        The first that has channels by default.

    Raises
    ------
    InputError
        The run has no sum of channels, or not of this name or bloc.
    ForecastError
        No kept draw is accepted.
    """
    projection = results["projection"].to_dataset() if "projection" in results.children else None
    sums = {} if projection is None else _sums(projection)
    if projection is None or not sums:
        raise InputError(
            "This run has no channels: none of its quantities is a sum of channels. A driver that provides "
            "one, such as chip_access, must be loaded when the run is made."
        )
    if quantity is not None and quantity not in sums:
        hint = did_you_mean(quantity, list(sums))
        raise InputError(f"--quantity {quantity}: is no sum of channels{hint}; there is {', '.join(sums)}.")
    chosen = quantity or next(
        (name for name in sums if _blocs_with(projection, sums[name])), next(iter(sums))
    )
    flows = projection[sums[chosen]]
    present = _blocs_with(projection, sums[chosen])
    if not present:
        raise InputError(f"No bloc of this run has channels of {chosen}: none is restricted.")
    if bloc is not None and bloc not in present:
        raise InputError(f"--bloc {bloc}: has no channels of {chosen} in this run; {', '.join(present)} has.")
    chosen_bloc = bloc or present[0]
    counted = kept_and_accepted(projection, crossings_of(results))
    if not counted.any():
        raise ForecastError(
            "No draw that is kept with its trajectories was accepted, so nothing can be said."
        )
    dim = _channel_dim(flows)
    unit = str(flows.attrs.get("unit", ""))
    shown = f"million {unit}" if unit.startswith("H100e") else unit
    mine = flows.sel(bloc=chosen_bloc).transpose(dim, "chain", "draw", "time").fillna(0.0)
    mine = mine[(mine > 0).any(["chain", "draw", "time"]).to_numpy()]  # another bloc's channel is not its own
    values = mine.transpose("chain", "draw", dim, "time").to_numpy()
    scaled = convert(np.asarray(values, dtype=float), unit, shown)
    offered = _log_of(projection, chosen, chosen_bloc, shown)
    if offered is None:
        with np.errstate(divide="ignore"):
            offered = np.log10(scaled.sum(axis=2))
    demand, bought = (_log_of(projection, name, chosen_bloc, shown) for name in BESIDE.get(chosen, ("", "")))
    policy = projection.get("policy")
    states = str(policy.attrs.get("states", "")) if policy is not None else ""
    return Channels(
        quantity=chosen,
        title=str(projection[chosen].attrs.get("long_name") or chosen) if chosen in projection else chosen,
        bloc=chosen_bloc,
        names=tuple(str(name) for name in mine[dim].to_numpy()),
        unit=shown,
        time=_decimal(projection["time"].to_numpy()),
        flows=scaled,
        offered=offered,
        demand=demand,
        bought=bought,
        states=tuple(states.split(", ")) if states else (),
        policy=policy.transpose("chain", "draw", "time").to_numpy()
        if policy is not None and states
        else None,
        counted=counted,
        thinning=int(projection.attrs.get("thinning", 1)),
    )


def kept_and_accepted(projection: xr.Dataset, crossings: xr.Dataset) -> BoolArray:
    """Tell which kept draws are accepted, (chain, draw), by the projection's attribute ``thinning``."""
    thinning = int(projection.attrs.get("thinning", 1))
    kept: BoolArray = accepted_draws(crossings)[:, ::thinning]
    return kept[:, : projection.sizes["draw"]]


def _sums(projection: xr.Dataset) -> dict[str, str]:
    """Quantities that are sums of channels, and the variables that hold their channels."""
    return {
        str(one.attrs["of"]): str(name) for name, one in projection.data_vars.items() if "of" in one.attrs
    }


def _channel_dim(flows: xr.DataArray) -> str:
    return next(str(dim) for dim in flows.dims if dim not in ("chain", "draw", "bloc", "time"))


def _blocs_with(projection: xr.Dataset, name: str) -> list[str]:
    """Blocs that have any of the channels."""
    flows = projection[name]
    some = (flows.fillna(0.0) > 0).any([dim for dim in flows.dims if dim != "bloc"])
    return [str(bloc) for bloc in flows["bloc"].to_numpy()[some.to_numpy()]]


def _log_of(projection: xr.Dataset, name: str, bloc: str, unit: str) -> FloatArray | None:
    """log10 of a bloc's quantity in a unit, (chain, draw, time); None where the run has no such quantity."""
    if name not in projection:
        return None
    values = projection[name].sel(bloc=bloc).transpose("chain", "draw", "time")
    try:
        return convert(
            np.asarray(values.to_numpy(), dtype=float),
            str(projection[name].attrs.get("unit", "")),
            f"log10 {unit}",
        )
    except UnitError:  # another driver's quantity of this name is about something else
        return None


def _decimal(months: Any) -> FloatArray:
    return np.array([decimal_year(month) for month in months.astype("datetime64[D]").tolist()])
