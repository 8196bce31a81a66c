"""The vectorised evaluator against the graph evaluated one draw at a time."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.tensor.elemwise import Elemwise

from forecast.driver import provides
from forecast.projection import Evaluator
from forecast.projection.evaluator import chunks
from tests.toys import Boost, Line, Luck, Market, draws_of, driver, future, spec_of, worldview

SIZE = 7


def busy(self, m):
    """Every operation on trajectories that a driver may use."""
    stock = m.integral(10.0 ** (m["compute"] - 25.0), lifetime=5.0, initial=1.0)
    late = m.lagged(m.max_over_blocs(m["compute"]), 0.7)
    steady = m.at_date(m["compute"], m.as_of_date)
    return pt.log10(stock) + m.softmax(late, m.softmin(m["compute"], steady)) + m.term("part", m.after)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    toys = [Line(), Boost(), Market(), Luck(), driver("busy", busy=provides("busy", unit="FLOP")(busy))]
    changes = [
        {"limit": "supplied", "set": "off", "from": "2028-01-01"},
        {"channel": "grey", "of": "supply", "scale": 0.5},
        {"quantity": "compute", "bloc": "china", "add": -0.2, "from": "2029-01-01"},
        {"term": "part", "set": "off", "from": "2027-01-01"},
    ]
    return future(spec_of(worldview(tmp_path_factory.mktemp("toys")), *toys), *changes)


def innovations(graph, size=SIZE):
    rng = np.random.default_rng(0)
    time = len(graph.decimal)
    return {
        name: (rng.standard_normal((size, 1, time)), rng.standard_normal((size, 2, time)))
        for name in graph.shocks
    }


def test_all_draws_at_once_equal_the_graph_evaluated_draw_by_draw(graph):
    draws, shocks = draws_of(graph, SIZE), innovations(graph)
    outputs = {name: quantity.tensor for name, quantity in graph.quantities.items()}
    found = Evaluator(graph, outputs)(draws, shocks)
    for draw in (0, SIZE - 1):
        given = {symbol: draws[key][draw] for key, symbol in graph.parameters.items()}
        for name, (common, own) in graph.shocks.items():
            given |= {common: shocks[name][0][draw], own: shocks[name][1][draw]}
        given |= {symbol: values for symbol, values in graph.data.values()}
        for name, tensor in outputs.items():
            alone = np.broadcast_to(
                tensor.eval(given, on_unused_input="ignore", mode="FAST_COMPILE"), found[name][draw].shape
            )
            assert found[name][draw] == pytest.approx(alone, abs=1e-10), name
    assert np.all(found["busy"][0] != found["busy"][1])


def test_no_operation_calls_python_once_for_every_draw_or_number(graph):
    evaluate = Evaluator(graph, {name: quantity.tensor for name, quantity in graph.quantities.items()})
    operations = [node.op for node in evaluate._function.maker.fgraph.apply_nodes]
    kinds = {type(one).__name__ for one in operations}
    assert "Blockwise" not in kinds and {"Join", "AdvancedSubtensor"} <= kinds
    scalars = {type(one.scalar_op).__name__ for one in operations if isinstance(one, Elemwise)}
    assert not {"Clip", "Second"} & scalars and "_Filled" in kinds


@pytest.mark.parametrize("size", [1, 2, 3])
def test_an_output_that_no_draw_moves_has_a_draw_axis_all_the_same(tmp_path, size):
    """Two draws and two blocs must not be mistaken for each other."""
    still = driver(
        "still",
        'k = { value = 1, unit = "FLOP", source = "t" }',
        base=provides("still", unit="FLOP")(lambda self, m: m.years + np.array([[0.0], [5.0]])),
        moved=provides("moved", unit="FLOP")(lambda self, m: m["k"]),
    )
    graph = future(spec_of(worldview(tmp_path), still))
    found = Evaluator(graph, {"still": graph.quantities["still"].tensor})(draws_of(graph, size))["still"]
    assert found.shape == (size, 2, len(graph.decimal))
    assert found[-1, 1] - found[-1, 0] == pytest.approx(5.0)


@pytest.mark.parametrize("low", [24.5, 26.5], ids=["below", "above"])
def test_a_clip_is_pytensors_own_but_calls_no_python_for_each_number(tmp_path, low):
    def clipped(self, m):
        return pt.clip(pt.switch(m.after > 2.0, np.nan, m["compute"]), low, 25.5)  # bounds in either order

    odd = driver("odd", clipped=provides("clipped", unit="FLOP")(clipped))
    graph = future(spec_of(worldview(tmp_path), Line(), odd))
    tensor, draws = graph.quantities["clipped"].tensor, draws_of(graph, 20)
    evaluate = Evaluator(graph, {"clipped": tensor})
    found = evaluate(draws)["clipped"]
    given = {symbol: values for symbol, values in graph.data.values()}
    for draw in range(20):
        own = {symbol: draws[key][draw] for key, symbol in graph.parameters.items()}
        alone = tensor.eval(given | own, on_unused_input="ignore", mode="FAST_COMPILE")
        np.testing.assert_array_equal(found[draw], alone)
    assert np.isnan(found).any() and {25.5, low} <= set(np.unique(found))
    left = [str(node.op) for node in evaluate._function.maker.fgraph.apply_nodes]
    assert not [name for name in left if "Clip" in name] and [name for name in left if "Switch" in name]


def test_chunks_cover_every_draw_once():
    assert list(chunks(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(chunks(4, 2)) == [slice(0, 2), slice(2, 4)]
