"""A built graph as one PyMC model whose numbers are all data.

Every Normal and LogNormal parameter is a transform of one vector of standard
normals: one node for the compiler, and a sampler that starts within a
standard deviation or so of every prior. Where some of them correlate, the
vector is multiplied by the lower factor of their correlation matrix first,
which is data like everything else. Rows of one likelihood family form one node as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.graph.replace import graph_replace

from forecast.model.graph import Graph, Key, Likelihood
from forecast.model.maths import Tensor
from forecast.model.parameters import Entry, Layout

if TYPE_CHECKING:
    import pymc as pm

# PyMC takes seconds to import, and a compiled model from the cache needs none of it: it is imported where
# a model is built.

STANDARD = "standard"
"""Name of the vector of standard normals."""


def model_data(graph: Graph, layout: Layout) -> dict[str, NDArray[Any]]:
    """Return the numbers that :func:`pymc_model` takes, under its names.

    Parameters
    ----------
    graph : Graph
    layout : Layout
        Of the inferred parameters.

    Returns
    -------
    dict of str to ndarray
    """
    loc, scale, _ = layout.hyperparameters()
    numbers: dict[str, NDArray[Any]] = {
        "prior.loc": loc,
        "prior.scale": scale,
        "prior.constant": layout.constants(),
    }
    if layout.mix is not None:
        numbers["prior.mix"] = layout.mix
    for index in layout.other:
        numbers |= _hyperdata(int(index), layout.entries[index])
    numbers |= {name: values for name, (_, values) in graph.data.items()}
    for family, group in by_family(graph).items():
        numbers[f"{family}.observed"] = np.concatenate([one.observed for one in group])
    return numbers


def pymc_model(graph: Graph, layout: Layout) -> pm.Model:
    """Turn a history graph into a PyMC model.

    Parameters
    ----------
    graph : Graph
        On the history grid.
    layout : Layout
        Of the inferred parameters.

    Returns
    -------
    pymc.Model
        With one free vector ``standard``, one free variable for every number
        of another family, and one observed variable a likelihood family.
    """
    import pymc as pm

    numbers = model_data(graph, layout)
    with pm.Model() as model:
        shapes = {name: symbol.type.shape for name, (symbol, _) in graph.data.items()}
        data = {
            name: pm.Data(name, values, shape=shapes.get(name, _shape(name, values)))
            for name, values in numbers.items()
        }
        parameters = _parameters(layout, data)
        replace: dict[Any, Any] = {symbol: data[name] for name, (symbol, _) in graph.data.items()}
        replace |= {graph.parameters[key]: parameters[key] for key in layout.parameters}
        for family, columns in _joined(graph, replace).items():
            _observe(family, columns, data[f"{family}.observed"])
    return model


def _shape(name: str, values: NDArray[Any]) -> tuple[int | None, ...]:
    """Hyperparameters belong to the structure; the number of rows does not."""
    return (None,) if name.endswith(".observed") else values.shape


def by_family(graph: Graph) -> dict[str, list[Likelihood]]:
    """Group likelihoods by family, in the order in which they were declared."""
    groups: dict[str, list[Likelihood]] = {}
    for likelihood in graph.likelihoods:
        groups.setdefault(likelihood.family, []).append(likelihood)
    return groups


def flat_draws(layout: Layout, draws: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Turn draws of the PyMC model's variables into draws of the layout's flat vector.

    Parameters
    ----------
    layout : Layout
    draws : dict of str to ndarray
        ``standard`` (draw, number) and the variables of other families (draw,).

    Returns
    -------
    ndarray, (draw, number)
    """
    size = len(next(iter(draws.values())))
    flat = np.zeros((size, len(layout.entries)))
    loc, scale, exponent = layout.hyperparameters()
    if len(layout.affine):
        standard = draws[STANDARD] if layout.mix is None else draws[STANDARD] @ layout.mix.T
        moved = loc + scale * standard
        flat[:, layout.affine] = np.where(exponent, np.exp(np.where(exponent, moved, 0.0)), moved)
    flat[:, layout.constant] = layout.constants()
    for index in layout.other:
        flat[:, index] = draws[_variable(int(index))]
    return flat


def _parameters(layout: Layout, data: dict[str, Tensor]) -> dict[Key, Tensor]:
    """Tensors of the parameters, in the shapes of the graph's inputs."""
    import pymc as pm

    parts = []
    order: list[int] = []
    if len(layout.affine):
        standard = pm.Normal(STANDARD, 0.0, 1.0, shape=len(layout.affine))
        if layout.mix is not None:  # a sum of products: what BLAS would win is lost in calling it
            standard = (data["prior.mix"] * standard).sum(axis=1)
        moved = data["prior.loc"] + data["prior.scale"] * standard
        _, _, exponent = layout.hyperparameters()
        for chosen, values in ((exponent, pt.exp), (~exponent, lambda x: x)):
            where = np.flatnonzero(chosen)
            if len(where):
                parts.append(values(moved[where]))
                order += list(layout.affine[where])
    for index in layout.other:
        parts.append(_random(int(index), layout.entries[index], data)[None])
        order.append(int(index))
    if len(layout.constant):
        parts.append(data["prior.constant"])
        order += list(layout.constant)
    flat = pt.concatenate(parts)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    gather, sizes = [], []
    for key in layout.parameters:
        indices = layout.indices[key]
        gather.append(place[indices.ravel()][: 1 if layout.parameters[key].shape == "scalar" else None])
        sizes.append(len(gather[-1]))
    pieces = (
        pt.split(flat[np.concatenate(gather)], sizes, n_splits=len(sizes))
        if len(sizes) > 1
        else [flat[gather[0]]]
    )
    result = {}
    for key, piece in zip(layout.parameters, pieces, strict=True):
        shape = layout.indices[key].shape
        result[key] = piece[0] if layout.parameters[key].shape == "scalar" else piece.reshape(shape)
    return result


def _variable(index: int) -> str:
    return f"number.{index}"


def _hyperdata(index: int, entry: Entry) -> dict[str, NDArray[np.float64]]:
    """Hyperparameters of a number that is not affine, as data."""
    prior = entry.prior
    if not prior.components:
        return {f"prior.{index}.{name}": np.asarray(float(x)) for name, x in prior.params.items()}
    result = {f"prior.{index}.w": np.asarray(prior.weights)}
    for position, (_, component) in enumerate(prior.components):
        result |= {f"prior.{index}.{position}.{n}": np.asarray(float(x)) for n, x in component.params.items()}
    return result


def _random(index: int, entry: Entry, data: dict[str, Tensor]) -> Tensor:
    import pymc as pm

    prior, name = entry.prior, _variable(index)
    if not prior.components:
        family = getattr(pm, prior.family)
        return family(name, **{key: data[f"prior.{index}.{key}"] for key in prior.params})
    components = [
        getattr(pm, part.family).dist(**{key: data[f"prior.{index}.{position}.{key}"] for key in part.params})
        for position, (_, part) in enumerate(prior.components)
    ]
    return pm.Mixture(name, w=data[f"prior.{index}.w"], comp_dists=components)


def _joined(graph: Graph, replace: dict[Any, Any]) -> dict[str, dict[str, Tensor]]:
    """Concatenated arguments of each family's distribution, replaced in one go so that they share nodes."""
    columns = {
        (family, argument): pt.concatenate([getattr(one, argument) for one in group])
        for family, group in by_family(graph).items()
        for argument in ("mean", "sd", "nu", "upper")
        if getattr(group[0], argument) is not None
    }
    cloned = graph_replace(list(columns.values()), replace, strict=False)
    result: dict[str, dict[str, Tensor]] = {}
    for (family, argument), tensor in zip(columns, cloned, strict=True):
        result.setdefault(family, {})[argument] = tensor
    return result


def _observe(family: str, columns: dict[str, Tensor], observed: Tensor) -> None:
    import pymc as pm

    mean, sd = columns["mean"], columns["sd"]
    if family == "normal":
        pm.Normal(family, mu=mean, sigma=sd, observed=observed)
    elif family == "student_t":
        pm.StudentT(family, nu=columns["nu"], mu=mean, sigma=sd, observed=observed)
    else:
        latent = pm.Normal.dist(mu=mean, sigma=sd)
        pm.Censored(family, latent, lower=None, upper=columns["upper"], observed=observed)
