"""A graph's outputs for many draws at once.

The graph is vectorised over a leading draw axis and run by NumPy, node by
node: arrays are large, so there is nothing for a compiler to win, and it
starts at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.rewriting.basic import MergeOptimizer, SequentialGraphRewriter, in2out, node_rewriter
from pytensor.scalar.basic import Clip, Second
from pytensor.tensor.basic import Join
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.subtensor import AdvancedSubtensor
from pytensor.tensor.type import TensorType

from forecast.model.graph import Graph, Key
from forecast.model.maths import Tensor, without_traces

CHUNK = 250
"""Draws evaluated together. An array of them is two megabytes on the default grid: larger ones go through
memory with every operation, for smaller ones Python's own time counts."""


@node_rewriter([Elemwise])  # type: ignore[untyped-decorator]
def _clip_by_arrays(fgraph: Any, node: Any) -> list[Tensor] | None:
    """Write a clip in operations that NumPy has: PyTensor's own calls Python once for every number."""
    if not isinstance(node.op.scalar_op, Clip):
        return None
    x, low, high = node.inputs
    clipped = pt.switch(pt.lt(x, low), low, pt.switch(pt.gt(x, high), high, x))
    return [pt.cast(clipped, node.outputs[0].dtype)]


@node_rewriter([Blockwise])  # type: ignore[untyped-decorator]
def _all_draws_at_once(fgraph: Any, node: Any) -> list[Tensor] | None:
    """Join trajectories, or look up in them, in one call: PyTensor's own calls NumPy once for every draw."""
    op, inputs = node.op.core_op, node.inputs
    drawn = [one for one in inputs if one.type.shape[0] != 1]
    if node.op.batch_ndim(node) != 1 or not drawn:
        return None
    if isinstance(op, Join) and op.axis >= 0:
        each = drawn[0][(slice(None), *[slice(0, 1)] * (drawn[0].ndim - 1))]
        # `alloc` would do what `second` does here, and simplify graphs of shapes before.
        return [pt.join(op.axis + 1, *(one if one in drawn else pt.second(each, one) for one in inputs))]
    if isinstance(op, AdvancedSubtensor) and op.idx_list == (0,) and inputs[0].ndim == 2:
        series, places = inputs
        first = series.shape[1] * pt.arange(series.shape[0])  # of each draw, where all follow one another
        return [series.reshape((-1,))[places + first.reshape((-1, *[1] * (places.ndim - 1)))]]
    return None


class _Filled(Op):  # type: ignore[misc]
    """Its second input in the shape of both, like `second`, which calls Python for every number."""

    __props__ = ("otype",)

    def __init__(self, otype: TensorType) -> None:
        self.otype = otype

    def make_node(self, *inputs: Any) -> Apply:
        return Apply(self, list(inputs), [self.otype()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        shape = np.broadcast_shapes(*(one.shape for one in inputs))
        output_storage[0][0] = np.broadcast_to(inputs[1], shape)


@node_rewriter([Elemwise])  # type: ignore[untyped-decorator]
def _fill_by_arrays(fgraph: Any, node: Any) -> list[Tensor] | None:
    if not isinstance(node.op.scalar_op, Second):
        return None
    return [_Filled(node.outputs[0].type)(*node.inputs)]


_BY_HAND = (_clip_by_arrays, _all_draws_at_once, _fill_by_arrays)
# Of PyTensor's own rewrites only the merging of equal nodes. The others take a second on the default model,
# more than all of its draws cost in many a use, and make it no faster.
_NUMPY = Mode(linker="py", optimizer=SequentialGraphRewriter(MergeOptimizer(), *map(in2out, _BY_HAND)))


class Evaluator:
    """Evaluates named tensors of a graph for arrays of draws.

    Parameters
    ----------
    graph : Graph
    outputs : mapping of str to tensor
    """

    def __init__(self, graph: Graph, outputs: Mapping[str, Tensor]) -> None:
        self.graph, self._axes = graph, {name: tensor.ndim for name, tensor in outputs.items()}
        self.names = list(outputs)
        replace: dict[Tensor, Tensor] = {}
        self._parameters: dict[Key, Tensor] = {}
        for key, symbol in graph.parameters.items():
            self._parameters[key] = replace[symbol] = _batched(symbol)
        self._shocks: dict[str, tuple[Tensor, Tensor]] = {}
        for name, (common, own) in graph.shocks.items():
            self._shocks[name] = (_batched(common), _batched(own))
            replace[common], replace[own] = self._shocks[name]
        self._data = {name: symbol for name, (symbol, _) in graph.data.items()}
        inputs = [
            *self._parameters.values(),
            *(symbol for pair in self._shocks.values() for symbol in pair),
            *self._data.values(),
        ]
        with without_traces():
            vectorised = vectorize_graph(list(outputs.values()), replace=replace)
            self._function = pytensor.function(inputs, vectorised, mode=_NUMPY, on_unused_input="ignore")

    def __call__(
        self,
        parameters: Mapping[Key, NDArray[np.float64]],
        shocks: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] | None = None,
        *,
        size: int | None = None,
        rows: Graph | None = None,
    ) -> dict[str, NDArray[np.float64]]:
        """Evaluate the outputs.

        Parameters
        ----------
        parameters : mapping of (driver, name) to ndarray
            (draw,), (draw, bloc, 1) or (draw, bloc, epoch).
        shocks : mapping of str to pair of ndarray, optional
            Innovations (draw, 1, time) and (draw, bloc, time).
        size : int, optional
            Number of draws; needed where the graph has no parameter.
        rows : Graph, optional
            The same graph with other rows, whose values are to be read.

        Returns
        -------
        dict of str to ndarray
            Each (draw, ...); outputs that depend on no draw are broadcast.
        """
        if size is None:
            size = len(next(iter(parameters.values())))
        arguments: list[Any] = [parameters[key] for key in self._parameters]
        for name in self._shocks:
            arguments += list((shocks or {})[name])
        arguments += [(rows or self.graph).data[name][1] for name in self._data]
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            values = self._function(*arguments)
        return {
            name: value if np.ndim(value) > axes else np.broadcast_to(value, (size, *np.shape(value)))
            for (name, axes), value in zip(self._axes.items(), values, strict=True)
        }


def chunks(size: int, chunk: int = CHUNK) -> Iterator[slice]:
    """Slices that cover `size` draws."""
    for start in range(0, size, chunk):
        yield slice(start, min(start + chunk, size))


def _batched(symbol: Tensor) -> Tensor:
    return pt.tensor(name=symbol.name, dtype=symbol.dtype, shape=(None, *symbol.type.shape))


__all__: Sequence[str] = ["CHUNK", "Evaluator", "chunks"]
