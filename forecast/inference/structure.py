"""Which models share compiled code: those that differ in numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytensor.graph.basic import equal_computations

from forecast.model import Graph, Layout
from forecast.model.maths import Tensor


@dataclass(frozen=True)
class Structure:
    """The part of a model that a compiler sees.

    Attributes
    ----------
    signature : tuple
        Families, dims and names of everything drawn, observed or given.
    inputs, outputs : list of tensor
        Symbolic inputs and the likelihoods' arguments.
    """

    signature: tuple[Any, ...]
    inputs: list[Tensor]
    outputs: list[Tensor]

    @classmethod
    def of(cls, graph: Graph, layout: Layout) -> Structure:
        """Return the structure of a history graph and its inferred parameters."""
        arguments = [
            (likelihood.family, likelihood.label, name, getattr(likelihood, name))
            for likelihood in graph.likelihoods
            for name in ("mean", "sd", "nu", "upper")
            if getattr(likelihood, name) is not None
        ]
        symbols = {".".join(key): symbol for key, symbol in graph.parameters.items()}
        symbols |= {name: symbol for name, (symbol, _) in graph.data.items()}
        signature = (
            tuple(entry.structure for entry in layout.entries),
            tuple((name, str(symbol.type)) for name, symbol in symbols.items()),
            tuple((family, label, name) for family, label, name, _ in arguments),
        )
        return cls(signature, list(symbols.values()), [tensor for *_, tensor in arguments])

    def same_as(self, other: Structure) -> bool:
        """Whether code compiled for one serves the other."""
        return self.signature == other.signature and equal_computations(
            self.outputs, other.outputs, self.inputs, other.inputs
        )
