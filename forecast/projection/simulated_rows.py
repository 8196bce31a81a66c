"""Rows drawn from the measurement models, in place of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from forecast.model import Graph
from forecast.model.maths import Tensor

Floats = NDArray[np.float64]


def measurement_tensors(graph: Graph) -> dict[str, Tensor]:
    """Return what the distributions of a graph's rows depend on, as ``place|argument``."""
    return {
        f"{place}|{name}": tensor
        for place, one in enumerate(graph.likelihoods)
        for name in ("mean", "sd", "nu", "upper")
        if (tensor := getattr(one, name)) is not None
    }


def law_of(values: Mapping[str, Floats], place: int) -> stats.distributions.rv_frozen:
    """Return the distribution of a measurement model's rows, before censoring.

    Parameters
    ----------
    values : mapping of str to ndarray, (draw, row)
        Of :func:`measurement_tensors`.
    place : int
        Of the measurement model among the graph's.
    """
    mean, sd, nu = values[f"{place}|mean"], values[f"{place}|sd"], values.get(f"{place}|nu")
    return stats.norm(mean, sd) if nu is None else stats.t(nu, loc=mean, scale=sd)


def draw_rows(
    graph: Graph, values: Mapping[str, Floats], generator: Callable[[int], np.random.Generator]
) -> list[Floats]:
    """Draw the values of all rows, for each draw of the parameters.

    Parameters
    ----------
    graph : Graph
        On the history grid.
    values : mapping of str to ndarray, (draw, row)
        Of :func:`measurement_tensors`, at the draws.
    generator : callable
        From the place of a measurement model to its random stream.

    Returns
    -------
    list of ndarray, (draw, row)
        One for each measurement model. A censored row gets what the
        measurement would be: :func:`with_rows` censors it like a real one.
    """
    return [
        np.asarray(
            law_of(values, place).rvs(size=values[f"{place}|mean"].shape, random_state=generator(place))
        )
        for place in range(len(graph.likelihoods))
    ]


def with_rows(graph: Graph, values: Sequence[Floats]) -> Graph:
    """Return a history graph with other observed values, wherever its terms read them.

    Rows keep their dates, errors and other columns, and censoring applies as
    to real rows.

    Parameters
    ----------
    graph : Graph
    values : sequence of ndarray, (row,)
        One for each measurement model.
    """
    likelihoods, data = [], dict(graph.data)
    for one, observed in zip(graph.likelihoods, values, strict=True):
        columns = {**one.observations.columns, one.value: observed}
        likelihoods.append(replace(one, observations=replace(one.observations, columns=columns)))
        name = f"{one.label}.{one.value}"
        data[name] = (data[name][0], likelihoods[-1].observed)
    return replace(graph, likelihoods=likelihoods, data=data)
