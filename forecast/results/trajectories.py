"""A stored run's trajectories, draw by draw, without its plugins or its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import decimal_year, from_decimal_year
from forecast.errors import ForecastError
from forecast.results.crossing_summary import BoolArray, FloatArray
from forecast.results.summary import accepted_draws

if TYPE_CHECKING:
    import xarray as xr

    from forecast.results.stored import StoredRun

LEADER = "leader"
"""In place of a bloc: whichever bloc has most of a quantity, draw by draw and date by date."""

INTERVAL = (0.05, 0.5, 0.95)


class NotAvailable(ForecastError):
    """A run, or what is installed, lacks something that a reading needs; says what."""


@dataclass(frozen=True)
class Trajectories:
    """The stored trajectories of the accepted draws.

    Attributes
    ----------
    tree : xarray.DataTree
        A run's ``results.nc``; groups are read when they are asked for.
    """

    tree: xr.DataTree

    @classmethod
    def of(cls, run: StoredRun) -> Trajectories:
        """Trajectories of a stored run."""
        return cls(run.tree)

    @cached_property
    def projection(self) -> xr.Dataset:
        """The group ``projection``; its values are read lazily."""
        if "projection" not in self.tree.children:
            raise NotAvailable("this run has no trajectories (group 'projection'); make it again")
        return self.tree["projection"].to_dataset()

    @cached_property
    def accepted(self) -> Any:
        """Boolean vector over the stored draws, chain by chain."""
        crossings = self.tree["crossings"].to_dataset() if "crossings" in self.tree.children else None
        shape = (self.projection.sizes["chain"], self.projection.sizes["draw"])
        if crossings is None or "accepted" not in crossings:
            return np.ones(shape, dtype=bool).ravel()
        marks = crossings["accepted"].copy(data=accepted_draws(crossings))
        kept = marks.sel(draw=self.projection["draw"]).to_numpy().ravel()
        if not kept.any():
            raise NotAvailable("none of the stored trajectories belongs to an accepted draw")
        return kept

    @cached_property
    def blocs(self) -> tuple[str, ...]:
        """Names along the bloc axis."""
        return tuple(str(bloc) for bloc in self.projection["bloc"].to_numpy())

    @cached_property
    def years(self) -> FloatArray:
        """Decimal years of the stored dates."""
        days = self.projection["time"].to_numpy().astype("datetime64[D]")
        return np.array([decimal_year(day.item()) for day in days])

    def unit(self, quantity: str) -> str:
        """Unit of a trajectory, ``log10 USD`` for one."""
        return str(self._variable(quantity).attrs.get("unit", ""))

    def long_name(self, quantity: str) -> str:
        """What a trajectory is, in its provider's words; its name where the run has none."""
        return str(self._variable(quantity).attrs.get("long_name") or quantity)

    def by_chain(self, draws: BoolArray) -> tuple[BoolArray, BoolArray]:
        """Put what holds in the accepted draws, (draw,), back beside the others.

        Returns
        -------
        (ndarray of bool, ndarray of bool)
            What holds, and the accepted draws; dims (chain, draw).
        """
        accepted: BoolArray = np.asarray(self.accepted, dtype=bool)
        holds = np.zeros_like(accepted)
        holds[accepted] = draws
        shape = (self.projection.sizes["chain"], self.projection.sizes["draw"])
        return holds.reshape(shape), accepted.reshape(shape)

    def values(self, quantity: str, bloc: str | None = None, channel: str | None = None) -> FloatArray:
        """A quantity's accepted draws.

        Parameters
        ----------
        quantity : str
        bloc : str, optional
            One bloc, or :data:`LEADER`; all of them without it.
        channel : str, optional
            One channel of a sum of channels.

        Returns
        -------
        ndarray of float
            Dims (draw, bloc, time), or (draw, time) for one bloc; in the
            quantity's unit.

        Raises
        ------
        NotAvailable
            Where the run has no such quantity, bloc or channel, or the bloc has no such quantity.
        """
        variable = self._variable(quantity)
        if channel is not None:
            dim = next((name for name in variable.dims if str(name).endswith("channel")), None)
            if dim is None or channel not in variable[dim]:
                raise NotAvailable(f"in this run {quantity} has no channel {channel!r}{self._with(channel)}")
            variable = variable.sel({dim: channel})
        if "bloc" not in variable.dims or set(variable.dims) - {"chain", "draw", "bloc", "time"}:
            raise NotAvailable(f"{quantity} is no trajectory of a bloc in this run")
        if bloc not in (None, LEADER):
            if bloc not in self.blocs:
                raise NotAvailable(f"this run has no bloc {bloc!r}; it has {', '.join(self.blocs)}")
            variable = variable.sel(bloc=bloc)
        order = [dim for dim in ("chain", "draw", "bloc", "time") if dim in variable.dims]
        stored = variable.transpose(*order).to_numpy().astype(float)
        found: FloatArray = stored.reshape(-1, *stored.shape[2:])[self.accepted]
        if bloc == LEADER:
            found = np.nanmax(found, axis=1)
        elif bloc is not None and np.isnan(found).all():
            raise NotAvailable(f"in this run {bloc} has no {quantity}")
        return found

    def at(self, quantity: str, bloc: str, day: date) -> FloatArray:
        """Value of a quantity on a day, interpolated between months; (draw,).

        Raises
        ------
        NotAvailable
            As :meth:`values`, or where the day lies outside the stored dates.
        """
        return self.interpolated(self.values(quantity, bloc), decimal_year(day))

    def interpolated(self, values: FloatArray, when: float) -> FloatArray:
        """Trajectories (..., time) at one moment in decimal years."""
        years = self.years
        if not years[0] <= when <= years[-1]:
            day, first, last = (from_decimal_year(year) for year in (when, years[0], years[-1]))
            raise NotAvailable(f"{day} is outside the run's dates, {first} to {last}")
        left = min(int(np.searchsorted(years, when, side="right")) - 1, years.size - 2)
        part = (when - years[left]) / (years[left + 1] - years[left])
        result: FloatArray = values[..., left] * (1.0 - part) + values[..., left + 1] * part
        return result

    def parameter(self, name: str, bloc: str | None = None) -> FloatArray:
        """A parameter's draws beside the accepted trajectories; (draw,).

        Parameters
        ----------
        name : str
            ``driver.parameter`` of the group ``posterior``, or ``prior`` of a run of the priors alone.
        bloc : str, optional
            For a parameter per bloc.

        Raises
        ------
        NotAvailable
            Where there are no such draws.
        """
        group = "posterior" if "posterior" in self.tree.children else "prior"
        if group not in self.tree.children or name not in self.tree[group].data_vars:
            raise NotAvailable(f"this run has no parameter {name}")
        variable = self.tree[group].to_dataset()[name]
        own = [dim for dim in variable.dims if dim == "bloc" or str(dim).endswith("_bloc")]
        if own:
            if bloc not in variable[own[0]]:
                raise NotAvailable(f"{name} has no draws for bloc {bloc!r} in this run")
            variable = variable.sel({own[0]: bloc})
        if set(variable.dims) != {"chain", "draw"}:
            raise NotAvailable(f"{name} is not one number a draw in this run")
        chosen = self.projection["draw"]
        beside = variable.sizes["chain"] == self.projection.sizes["chain"]
        if not beside or not chosen.isin(variable["draw"]).all():
            # Such as the prior's own draws in a fitted run without its posterior.
            raise NotAvailable(f"this run has no draws of {name} beside its trajectories")
        drawn = variable.sel(draw=chosen).transpose("chain", "draw").to_numpy()
        result: FloatArray = drawn.astype(float).ravel()[self.accepted]
        return result

    def _with(self, channel: str) -> str:
        """Say which quantities have a channel of this name: a sum of channels is stored without them."""
        having = [
            str(name)
            for name, variable in self.projection.data_vars.items()
            for dim in variable.dims
            if str(dim).endswith("channel") and channel in variable[dim]
        ]
        return f"; {', '.join(having)} has" if having else ""

    def _variable(self, quantity: str) -> xr.DataArray:
        if quantity not in self.projection.data_vars:
            raise NotAvailable(
                f"this run has no quantity {quantity}: it was made without a driver that provides it"
            )
        return self.projection[quantity]


def interval(draws: FloatArray, levels: Sequence[float] = INTERVAL) -> dict[str, float]:
    """Quantiles of draws, keyed by the level as text: ``{"0.05": ..., "0.5": ..., "0.95": ...}``."""
    found = np.quantile(draws, levels)
    return {format(level, "g"): float(value) for level, value in zip(levels, found, strict=True)}
