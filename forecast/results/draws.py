"""Draws as ArviZ groups: named variables with dims and coordinates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.errors import ForecastError
from forecast.model import Graph, Key, Layout
from forecast.projection import Measured, Projection, correlation_log_density
from forecast.worldview import Prior

Floats = NDArray[np.float64]


def parameter_group(layout: Layout, flat: Floats, *, chains: int) -> xr.Dataset:
    """Name the numbers of a flat vector; constants are left out.

    Parameters
    ----------
    layout : Layout
    flat : ndarray, (chain x draw, number)
    chains : int

    Returns
    -------
    xarray.Dataset
        A variable ``driver.parameter``, dims chain, draw, and bloc and epoch
        where it has them. A parameter of some blocs only has a bloc dim of
        its own.
    """
    draws = flat.reshape(chains, len(flat) // chains, flat.shape[-1])
    variables = {}
    for key in layout.parameters:
        numbers = _random_numbers(layout, key)
        if numbers:
            variables[".".join(key)] = _variable(layout, key, numbers, draws)
    coordinates = {"chain": np.arange(chains), "draw": np.arange(draws.shape[1])}
    return xr.Dataset(variables).assign_coords(coordinates) if variables else xr.Dataset(coords=coordinates)


def flat_draws(layout: Layout, group: xr.Dataset) -> Floats:
    """Undo :func:`parameter_group`.

    Parameters
    ----------
    layout : Layout
    group : xarray.Dataset
        A run's ``posterior``, in double precision.

    Returns
    -------
    ndarray, (chain x draw, number)
        With the constants.

    Raises
    ------
    ForecastError
        The group lacks a parameter, or some numbers of one.
    """
    size = group.sizes.get("chain", 0) * group.sizes.get("draw", 0)
    flat = np.empty((size, len(layout.entries)))
    flat[:, layout.constant] = layout.constants()
    for key in layout.parameters:
        numbers = _random_numbers(layout, key)
        if not numbers:
            continue
        name = ".".join(key)
        if name not in group or group[name].size != size * len(numbers):
            raise ForecastError(
                f"the stored posterior does not hold {name} as its driver declares it ({len(numbers)} a draw)"
            )
        values = group[name].transpose("chain", "draw", ...).to_numpy()
        flat[:, numbers] = values.reshape(size, len(numbers))
    return flat


def _random_numbers(layout: Layout, key: Key) -> list[int]:
    """Places in the flat vector of a parameter's numbers, without constants."""
    return [n for n, entry in enumerate(layout.entries) if entry.key == key and not entry.prior.is_constant]


def _variable(layout: Layout, key: Key, numbers: list[int], draws: Floats) -> xr.DataArray:
    resolved = layout.parameters[key]
    values = draws[:, :, numbers]
    attributes = {"unit": resolved.unit}
    if resolved.shape == "scalar":
        return xr.DataArray(values[..., 0], dims=("chain", "draw"), attrs=attributes)
    entries = [layout.entries[number] for number in numbers]
    blocs = list(dict.fromkeys(layout.blocs[entry.bloc] for entry in entries))
    own = "bloc" if blocs == list(layout.blocs) else f"{key[1]}_bloc"
    if resolved.shape == "bloc":
        return xr.DataArray(values, dims=("chain", "draw", own), coords={own: blocs}, attrs=attributes)
    labels = [resolved.epochs[entry.epoch][0] for entry in entries]
    if resolved.blocs:
        labels = [
            f"{layout.blocs[entry.bloc]}, {label}" for entry, label in zip(entries, labels, strict=True)
        ]
    dim = f"{key[1]}_epoch"
    return xr.DataArray(values, dims=("chain", "draw", dim), coords={dim: labels}, attrs=attributes)


def threshold_group(
    thresholds: Mapping[str, Prior], drawn: Mapping[str, Floats], *, chains: int
) -> xr.Dataset:
    """Name the thresholds' draws ``thresholds.<name>``, dims chain, draw; constants are left out."""
    return xr.Dataset(
        {
            f"thresholds.{name}": (
                ("chain", "draw"),
                values.reshape(chains, -1),
                {"unit": thresholds[name].unit},
            )
            for name, values in drawn.items()
            if not thresholds[name].is_constant
        }
    )


def measured_groups(
    measured: Measured,
    rows: Mapping[str, list[str]],
    *,
    chains: int,
    upper: Mapping[str, Floats] | None = None,
) -> dict[str, xr.Dataset]:
    """Turn measurements into the groups log_likelihood, posterior_predictive and observed_data.

    Parameters
    ----------
    measured : Measured
    rows : mapping of str to list of str
        What to call the rows of each label.
    chains : int
    upper : mapping of str to ndarray, (row,), optional
        Bounds of the labels that are censored: an attribute of what is
        observed, by which a check knows that such a row says "at least".
    """
    groups: dict[str, dict[str, xr.DataArray]] = {
        "log_likelihood": {},
        "posterior_predictive": {},
        "observed_data": {},
    }
    for label, observed in measured.observed.items():
        dim = f"{label}_row"
        coordinates = {dim: rows[label]}
        bounds = {} if upper is None or label not in upper else {"upper": upper[label].tolist()}
        groups["observed_data"][label] = xr.DataArray(observed, dims=(dim,), coords=coordinates, attrs=bounds)
        for group, values in (
            ("log_likelihood", measured.log_likelihood),
            ("posterior_predictive", measured.predictive),
        ):
            shaped = values[label].reshape(chains, -1, len(observed))
            groups[group][label] = xr.DataArray(shaped, dims=("chain", "draw", dim), coords=coordinates)
    return {name: xr.Dataset(variables) for name, variables in groups.items()}


def assemble(
    *,
    layout: Layout,
    flat: Floats,
    prior: Floats | None,
    stats: xr.Dataset | None,
    history: Graph,
    measured: Measured,
    projection: Projection,
    thresholds: Mapping[str, Prior],
    chains: int,
) -> xr.DataTree:
    """Put together the groups of ``results.nc``.

    Parameters
    ----------
    layout : Layout
        Of all parameters.
    flat : ndarray, (chain x draw, number)
    prior : ndarray, (draw, number), or None
        Prior draws beside posterior ones; None if `flat` are prior draws.
    stats : xarray.Dataset or None
        Sampler statistics.
    history : Graph
    measured : Measured
    projection : Projection
    thresholds : mapping of str to Prior
    chains : int

    Returns
    -------
    xarray.DataTree
        Groups as ArviZ names them, with ``projection``, ``crossings`` and ``growth``. The
        group ``log_prior`` has each number's own log density, and, where
        priors correlate, what that adds as the variable ``correlations``.
    """
    drawn = threshold_group(thresholds, projection.thresholds, chains=chains)
    named = parameter_group(layout, flat, chains=chains).merge(drawn)
    rows = {
        one.label: [f"{row.name} ({row.bloc}, {row.date})" for row in one.observations.rows]
        for one in history.likelihoods
    }
    upper = {
        one.label: np.asarray(one.observations.columns[one.bound], dtype=float)
        for one in history.likelihoods
        if one.bound
    }
    predicted = measured_groups(measured, rows, chains=chains, upper=upper)
    groups: dict[str, xr.Dataset] = {}
    if prior is None:
        groups["prior"] = named
        groups["prior_predictive"] = predicted["posterior_predictive"]
        groups["observed_data"] = predicted["observed_data"]
    else:
        log_drawn = {name: thresholds[name].logpdf(values) for name, values in projection.thresholds.items()}
        groups["posterior"] = named
        if stats is not None:
            groups["sample_stats"] = stats
        groups |= predicted
        groups["log_prior"] = parameter_group(layout, layout.log_prior(flat), chains=chains).merge(
            threshold_group(thresholds, log_drawn, chains=chains)
        )
        joint = correlation_log_density(layout, flat, thresholds, projection.thresholds)
        if joint is not None:  # with it the group's sum is the joint log density
            groups["log_prior"]["correlations"] = (("chain", "draw"), joint.reshape(chains, -1))
        groups["prior"] = parameter_group(layout, prior, chains=1)
    groups["projection"] = projection.trajectories
    groups["crossings"] = projection.crossings
    if projection.growth is not None:
        groups["growth"] = projection.growth
    groups |= {
        name: group
        for name, group in (("inside", projection.inside), ("at_crossing", projection.at_crossing))
        if group.data_vars
    }
    return xr.DataTree.from_dict(dict(groups))
