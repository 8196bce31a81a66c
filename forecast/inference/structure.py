"""Which models share compiled code: those that differ in numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pytensor.graph.basic import Constant
from pytensor.graph.op import Op
from pytensor.graph.traversal import toposort

from forecast.model import Graph, Layout
from forecast.model.maths import Tensor


@dataclass(frozen=True)
class Structure:
    """The part of a model that a compiler sees; equal ones share compiled code.

    Attributes
    ----------
    key : str
        Hash of the families, dims and names of everything drawn, observed or
        given, and of every node and constant of the graph between them; the
        same in every process.
    """

    key: str

    @classmethod
    def of(cls, graph: Graph, layout: Layout) -> Structure:
        """Return the structure of a history graph and its inferred parameters."""
        arguments = [
            (likelihood.family, likelihood.label, name, getattr(likelihood, name))
            for likelihood in graph.likelihoods
            for name in ("mean", "sd", "nu", "upper")
            if getattr(likelihood, name) is not None
        ]
        inputs = {".".join(key): symbol for key, symbol in graph.parameters.items()}
        inputs |= {name: symbol for name, (symbol, _) in graph.data.items()}
        lines = [
            *(repr(entry.structure) for entry in layout.entries),
            *([] if layout.mix is None else ["correlated"]),
            *(f"{name}: {symbol.type!r}" for name, symbol in inputs.items()),
            *(f"{family} {label} {name}" for family, label, name, _ in arguments),
            *graph_lines([tensor for *_, tensor in arguments], {x: name for name, x in inputs.items()}),
        ]
        return cls(sha256("\n".join(lines).encode()).hexdigest())


def graph_lines(outputs: Sequence[Tensor], inputs: Mapping[Tensor, str]) -> list[str]:
    """Return the computation of some outputs as text: a line a node, its inputs by number.

    Parameters
    ----------
    outputs : sequence of tensor
    inputs : mapping of tensor to str
        What to call the tensors that are given.
    """
    names: dict[Any, str] = dict(inputs)

    def name_of(variable: Any) -> str:
        if variable not in names and isinstance(variable, Constant):
            data = variable.data
            content = sha256(data.tobytes()).hexdigest() if hasattr(data, "tobytes") else repr(data)
            names[variable] = f"{variable.type!r} {content}"
        return names[variable]

    lines = []
    for number, node in enumerate(toposort(outputs)):
        lines.append(f"{_text(node.op)} of {'; '.join(name_of(one) for one in node.inputs)}")
        names |= {output: f"{number}.{place}" for place, output in enumerate(node.outputs)}
    return [*lines, *(name_of(one) for one in outputs)]


def _text(value: Any) -> str:
    """Return an operation and its properties as text that is the same in every process."""
    if isinstance(value, Op):
        kind = type(value)
        properties = value._props_dict() if hasattr(value, "__props__") else {}
        return f"{kind.__module__}.{kind.__qualname__} {value!s} {_text(properties)}"
    if isinstance(value, dict):
        return _text(sorted((str(key), _text(one)) for key, one in value.items()))
    if isinstance(value, tuple | list):
        return f"({', '.join(_text(one) for one in value)})"
    return repr(value)
