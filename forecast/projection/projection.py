"""From draws of parameters to trajectories on the future grid and crossing dates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.dates import end_of
from forecast.errors import PluginError
from forecast.model import Graph, Key, Spec, build_graph
from forecast.model.maths import Tensor
from forecast.projection.crossing_evidence import kept_by_evidence
from forecast.projection.crossings import values_at
from forecast.projection.evaluator import Evaluator, chunks
from forecast.projection.growth import GrowthAccounts, stage_tensors
from forecast.projection.milestones import MilestoneReader, not_yet_crossed
from forecast.projection.thresholds import draw_thresholds
from forecast.streams import stream
from forecast.worldview import Intervention, Milestone, Prior

CROSSED = "crossed"
"""Why a draw is set aside in which a bloc had crossed by the as-of date."""

KEPT_DRAWS = 500
"""Trajectories stored of a run; all of them would be 100 MB and cost seconds."""


@dataclass(frozen=True)
class Projection:
    """Trajectories and crossings of a set of draws.

    Attributes
    ----------
    trajectories : xarray.Dataset
        A variable per quantity, dims chain, draw, bloc, time; thinned, the
        step in the attribute ``thinning``; units as attributes.
    crossings : xarray.Dataset
        A variable per milestone, dims chain, draw, bloc, in decimal years with
        ``inf`` for never by the horizon; and ``accepted``, dims chain, draw,
        whose attribute ``set_aside`` says in JSON how many draws each reason
        ruled out.
    inside : xarray.Dataset
        A variable per milestone that says what passes between a model's
        existence inside a laboratory and its announcement: the former date,
        in decimal years as in `crossings`.
    at_crossing : xarray.Dataset
        A variable ``milestone.quantity`` for each of either: the quantity when
        the bloc crosses, dims chain, draw, bloc; NaN where it never does.
    conditions : xarray.Dataset
        Crossing dates of the parts of each milestone, dims chain, draw, bloc.
    thresholds : mapping of str to ndarray, (draw,)
    graph : Graph
    kept_by : mapping of str to ndarray of bool, (draw,)
        Which draws each piece of evidence on crossing dates keeps.
    growth : xarray.Dataset or None
        What made the growth, a variable per quantity that is accounted for,
        dims part, bloc, time: mean OOM since the attribute ``since``, over the
        accepted ones of the trajectories kept.
    """

    trajectories: xr.Dataset
    crossings: xr.Dataset
    inside: xr.Dataset
    at_crossing: xr.Dataset
    conditions: xr.Dataset
    thresholds: Mapping[str, NDArray[np.float64]]
    graph: Graph
    kept_by: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    growth: xr.Dataset | None = None


def future_graph(spec: Spec, horizon: date, interventions: Sequence[Intervention] = ()) -> Graph:
    """Build the graph on the monthly grid to the horizon, with shocks after the as-of date."""
    return build_graph(spec, horizon, projecting=True, interventions=interventions)


def project(
    graph: Graph,
    parameters: Mapping[Key, NDArray[np.float64]],
    *,
    chains: int,
    milestones: Mapping[str, Milestone],
    thresholds: Mapping[str, Prior],
    seed: int,
    keep: int = KEPT_DRAWS,
    size: int | None = None,
    horizon: date | None = None,
    evaluate: Evaluator | None = None,
    kept_by: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Projection:
    """Project draws to the horizon.

    Parameters
    ----------
    graph : Graph
        From :func:`future_graph`.
    parameters : mapping of (driver, name) to ndarray
        One entry for each parameter of the graph, and for any other with which
        a threshold correlates; first axis chain x draw.
    chains : int
        The first axis is this many chains, one after another.
    milestones, thresholds : mapping
        Of the worldview.
    seed : int
        Of shocks and thresholds: the same seed and draws give the same
        futures, so that projections with and without an intervention are pairs.
    keep : int
        Trajectories to keep at most.
    size : int, optional
        Number of draws; needed where the graph has no parameter.
    horizon : datetime.date, optional
        Last day on which a crossing counts; the grid's end by default.
    evaluate : Evaluator, optional
        From :func:`quantity_evaluator` of the same graph, with its stages.
    kept_by : mapping of str to ndarray of bool, (draw,), optional
        Draws that evidence on crossing dates keeps, where that is known: none
        for draws of the priors alone, and with an intervention those of the
        projection without it, for experts spoke of the world as it is.

    Returns
    -------
    Projection

    Raises
    ------
    PluginError
        A quantity is not finite; names the driver.
    InputError
        A milestone does not fit the quantities.
    """
    if size is None:
        size = len(next(iter(parameters.values())))
    last = end_of(horizon) if horizon else np.inf
    drawn = draw_thresholds(thresholds, graph.spec, parameters, seed=seed, size=size)
    reader = MilestoneReader(
        milestones, thresholds, graph.quantities, seed=seed, size=size, horizon=last, drawn=drawn
    )
    evaluate = evaluate or quantity_evaluator(graph, stages=True)
    accounts, stored = GrowthAccounts(graph, milestones), quantity_tensors(graph)
    shocks = Shocks(graph, seed)
    thinning = max(1, -(-(size // chains) // max(1, keep // chains)))
    kept: dict[str, list[NDArray[np.float32]]] = {name: [] for name in stored}
    dates: dict[str, list[NDArray[np.float64]]] = {name: [] for name in milestones}
    inside: dict[str, list[NDArray[np.float64]]] = {
        name: [] for name, one in milestones.items() if one.announced_after
    }
    levels: dict[str, list[NDArray[np.float64]]] = {
        f"{name}.{quantity}": [] for name in milestones for quantity in graph.quantities
    }
    parts: dict[str, list[list[NDArray[np.float64]]]] = {name: [] for name in milestones}
    for block in chunks(size):
        count = block.stop - block.start
        values = evaluate(
            {key: draws[block] for key, draws in parameters.items()}, shocks.next(count), size=count
        )
        values = {name: on_grid(value, graph) for name, value in values.items()}
        _check_finite(values, graph)
        for name, milestone in milestones.items():
            crossed, apart = reader.crossing(name, values, block, graph.decimal)
            dates[name].append(crossed)
            parts[name].append(apart)
            there = values_at({one: values[one] for one in graph.quantities}, crossed, graph.decimal)
            for quantity, level in there.items():
                level[:, ~graph.quantities[quantity].present] = np.nan  # no channels, no such quantity
                levels[f"{name}.{quantity}"].append(level)
            if milestone.announced_after:
                delay = there[milestone.announced_after]
                inside[name].append(np.where(np.isfinite(crossed), crossed - delay, np.inf))
        chosen = np.flatnonzero(np.arange(block.start, block.stop) % (size // chains) % thinning == 0)
        for name in stored:
            kept[name].append(values[name][chosen].astype(np.float32))
        accounts.keep(values, chosen)
    crossing = {name: np.concatenate(blocks) for name, blocks in dates.items()}
    accepted = (
        not_yet_crossed(milestones, crossing, end_of(graph.spec.as_of)) if milestones else np.ones(size, bool)
    )
    set_aside = {CROSSED: int(np.sum(~accepted))}
    if kept_by is None:
        last = min(last, graph.decimal[-1])
        kept_by = kept_by_evidence(
            graph.spec, milestones, crossing, parameters, accepted, seed=seed, horizon=last
        )
    for label, keeps in kept_by.items():
        set_aside[label] = int(np.sum(accepted & ~keeps))
        accepted = accepted & keeps
    return Projection(
        trajectories=_trajectories(graph, kept, chains, thinning),
        crossings=_per_draw(graph, crossing, chains, size).assign(
            accepted=(("chain", "draw"), accepted.reshape(chains, -1), {"set_aside": json.dumps(set_aside)})
        ),
        inside=_per_draw(
            graph, {name: np.concatenate(found) for name, found in inside.items()}, chains, size
        ),
        at_crossing=_per_draw(
            graph, {name: np.concatenate(found) for name, found in levels.items()}, chains, size, levels=True
        ),
        conditions=_conditions(graph, parts, chains),
        thresholds=reader.thresholds,
        graph=graph,
        kept_by=kept_by,
        growth=accounts.dataset(accepted.reshape(chains, -1)[:, ::thinning].ravel()),
    )


def quantity_tensors(graph: Graph) -> dict[str, Tensor]:
    """Return the tensors of all quantities of a graph, and of their channels as ``quantity/channel``."""
    outputs = {name: quantity.tensor for name, quantity in graph.quantities.items()}
    for name, quantity in graph.quantities.items():
        outputs |= {f"{name}/{channel}": flow for channel, flow in quantity.channels.items()}
    return outputs


def quantity_evaluator(graph: Graph, *, stages: bool = False) -> Evaluator:
    """Return an evaluator of :func:`quantity_tensors`; with `stages` of the steps of quantities too."""
    return Evaluator(graph, quantity_tensors(graph) | (stage_tensors(graph) if stages else {}))


def check_quantities(
    graph: Graph, evaluate: Evaluator, parameters: Mapping[Key, NDArray[np.float64]], *, seed: int, size: int
) -> None:
    """Check that every quantity is finite on some draws, before anything costly is done.

    Raises
    ------
    PluginError
        Naming the quantity's driver and distribution.
    """
    values = evaluate(parameters, Shocks(graph, seed).next(size), size=size)
    _check_finite({name: on_grid(value, graph) for name, value in values.items()}, graph)


class Shocks:
    """Innovations of each named shock, block by block, the same for the same seed."""

    def __init__(self, graph: Graph, seed: int) -> None:
        self._streams = {name: stream(seed, "shock", name) for name in graph.shocks}
        self._blocs = len(graph.spec.blocs)
        self._time = len(graph.decimal)
        self._future = int(np.sum(graph.decimal >= end_of(graph.spec.as_of) - 1e-9))

    def next(self, size: int) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return the next `size` draws: (draw, 1, time) and (draw, bloc, time)."""
        result = {}
        for name, generator in self._streams.items():
            drawn = generator.standard_normal((size, 1 + self._blocs, self._future))
            padded = np.zeros((size, 1 + self._blocs, self._time))
            padded[..., self._time - self._future :] = drawn
            result[name] = (padded[:, :1], padded[:, 1:])
        return result


def on_grid(value: NDArray[np.float64], graph: Graph) -> NDArray[np.float64]:
    """Return a quantity's values with its whole axes: (draw, bloc, time)."""
    return np.broadcast_to(value, (len(value), len(graph.spec.blocs), len(graph.decimal)))


def _check_finite(values: Mapping[str, NDArray[np.float64]], graph: Graph) -> None:
    for name in graph.quantities:  # in the order in which quantities closed: causes come first
        value = values[name]
        finite = np.isfinite(value)
        if not finite.all():
            owner = graph.quantities[name].owner
            draw, bloc, time = np.argwhere(~finite)[0]
            where = f"{graph.spec.blocs[bloc]} in {str(graph.months[time])[:7]}"
            share = np.mean(~finite.all(axis=(1, 2)))
            raise PluginError(
                f"quantity {name!r} is not finite in {share:.1%} of draws, first for {where}; "
                "a prior allows values that its equation does not",
                driver=owner,
                distribution=graph.spec.distributions.get(owner),
            )


def _trajectories(
    graph: Graph, kept: Mapping[str, list[NDArray[np.float32]]], chains: int, thinning: int
) -> xr.Dataset:
    def stacked(name: str) -> NDArray[np.float32]:
        value = np.concatenate(kept[name])
        return value.reshape(chains, -1, *value.shape[1:])

    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for name, quantity in graph.quantities.items():
        value = stacked(name)
        attributes = {"unit": quantity.scale, "long_name": quantity.title, "driver": quantity.owner}
        if quantity.states:  # one for all blocs
            attributes["states"] = ", ".join(quantity.states)
            variables[name] = (("chain", "draw", "time"), value[:, :, 0], attributes)
            continue
        value[..., ~quantity.present, :] = np.nan  # a bloc without channels has no such quantity
        variables[name] = (("chain", "draw", "bloc", "time"), value, attributes)
        if quantity.channels:
            flows = np.stack([stacked(f"{name}/{channel}") for channel in quantity.channels], axis=3)
            dim = "channel" if "channel" not in coordinates else f"{quantity.channels_name}_channel"
            coordinates[dim] = list(quantity.channels)
            attributes = {"unit": quantity.unit, "long_name": f"{quantity.title}, by channel", "of": name}
            variables[quantity.channels_name] = (("chain", "draw", "bloc", dim, "time"), flows, attributes)
    n_draw = next(iter(variables.values()))[1].shape[1] if variables else 0
    return xr.Dataset(
        variables,
        coords=coordinates
        | {
            "chain": np.arange(chains),
            "draw": np.arange(n_draw) * thinning,
            "bloc": list(graph.spec.blocs),
            "time": graph.months.astype("datetime64[ns]"),
        },
        attrs={"thinning": thinning},
    )


def _per_draw(
    graph: Graph, values: Mapping[str, NDArray[np.float64]], chains: int, size: int, *, levels: bool = False
) -> xr.Dataset:
    """Numbers of every draw and bloc: dates, or levels of the quantity after the name's dot."""
    variables: dict[str, Any] = {}
    for name, value in values.items():
        unit = graph.quantities[name.rpartition(".")[2]].scale if levels else "decimal year"
        shaped = value.reshape(chains, -1, value.shape[-1])
        variables[name] = (("chain", "draw", "bloc"), shaped, {"unit": unit})
    return xr.Dataset(
        variables,
        coords={
            "chain": np.arange(chains),
            "draw": np.arange(size // chains),
            "bloc": list(graph.spec.blocs),
        },
    )


def _conditions(
    graph: Graph, parts: Mapping[str, list[list[NDArray[np.float64]]]], chains: int
) -> xr.Dataset:
    variables = {}
    for name, blocks in parts.items():
        for position in range(len(blocks[0])):
            value = np.concatenate([block[position] for block in blocks])
            value = value.reshape(chains, -1, value.shape[-1])
            variables[f"{name}.{position}"] = (("chain", "draw", "bloc"), value)
    return xr.Dataset(variables, coords={"chain": np.arange(chains), "bloc": list(graph.spec.blocs)})
