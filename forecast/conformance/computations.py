"""Whether two graphs compute the same: the same operations on the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from forecast.inference.structure import graph_lines
from forecast.model import Graph
from forecast.model.maths import Tensor

Outputs = Mapping[str, Sequence[Tensor]]


def differing(one: Graph, one_has: Outputs, other: Graph, other_has: Outputs) -> list[str]:
    """Names of outputs that are not computed alike in two graphs.

    Those that are have the same values at any draw, to the last bit.

    Parameters
    ----------
    one, other : Graph
    one_has, other_has : mapping of str to sequence of tensor
        Under the same names.
    """
    first, second = _inputs(one), _inputs(other)
    # The whole at once is seldom different, and costs no more than one output.
    together = [x for name in one_has for x in one_has[name]]
    if graph_lines(together, first) == graph_lines(
        [x for name in one_has for x in other_has.get(name, ())], second
    ):
        return []
    return [
        name
        for name in one_has
        if graph_lines(one_has[name], first) != graph_lines(other_has.get(name, ()), second)
    ]


def trajectories(graph: Graph) -> dict[str, list[Tensor]]:
    """Every quantity's tensor and those of its channels."""
    return {name: [one.tensor, *one.channels.values()] for name, one in graph.quantities.items()}


def measurements(graph: Graph) -> dict[str, list[Tensor]]:
    """Every measurement model's arguments, by driver and method; primed where a method has several."""
    seen = [one for one in graph.built if one.observations is not None]
    methods = {id(one.observations): one.term.build.__name__ for one in seen}
    found: dict[str, list[Tensor]] = {}
    for one in graph.likelihoods:
        name = f"{one.driver}.{methods.get(id(one.observations), one.label)}"
        while name in found:
            name += "'"
        found[name] = [x for x in (one.mean, one.sd, one.nu, one.upper) if x is not None]
    return found


def _inputs(graph: Graph) -> dict[Tensor, str]:
    """What each given tensor is called: numbers by what they are, not by names that count calls."""
    names: dict[Tensor, str] = {x: ".".join(key) for key, x in graph.parameters.items()}
    for symbol, values in graph.data.values():
        names[symbol] = f"{values.dtype} {values.shape} {sha256(values.tobytes()).hexdigest()}"
    for name, pair in graph.shocks.items():
        names |= {x: f"shock {name} {place}" for place, x in enumerate(pair)}
    return names
