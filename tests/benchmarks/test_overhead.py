"""The overhead benchmark: turns and verdicts, fifty packages, and that both models are one."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytensor
import pytest
from pytensor.compile.mode import Mode

from benchmarks import overhead, overhead_load, turns
from forecast.host import load_host


def test_tasks_take_turns_in_either_order():
    order: list[str] = []
    tasks = {name: lambda name=name: order.append(name) or len(order) for name in "ab"}
    assert turns.in_turns(tasks, 3) == {"a": [1, 4, 5], "b": [2, 3, 6]}
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_pairs_of_a_round_are_compared_and_not_medians_of_each():
    assert turns.ratio([1.0, 20.0, 3.0], [1.0, 10.0, 2.0]) == 1.5
    assert turns.excess([1.0, 20.0, 3.0], [1.0, 10.0, 2.0]) == 1.0
    wall, cpu = turns.by_clock({"with": [(3.0, 1.0), (5.0, 2.0)], "without": [(1.0, 1.0), (1.0, 1.0)]})
    assert wall == {"clock": "wall", "with": 4.0, "without": 1.0, "more": 3.0}
    assert cpu["clock"] == "CPU" and cpu["more"] == 0.5


def test_every_bound_is_judged_and_what_was_not_measured_is_not():
    result = {
        "density": [{"model": "medium", "ratio": 1.03, "apart": 1e-12}, {"model": "default", "ratio": 0.9}],
        "build": [{"model": "medium", "drivers": 6, "clock": "CPU", "more": 0.079}],
        "load": [{"drivers": 50, "clock": "wall", "more": 0.6}],
    }
    rows = overhead.verdicts(result)
    assert [(row["value"], row["bound"], row["holds"]) for row in rows] == [
        (1.03, 1.02, False),
        (1e-12, 1e-8, True),
        (0.9, 1.02, True),
        (0.079, pytest.approx(0.08), True),
        (0.6, 0.5, False),
    ]
    assert overhead.verdicts({"build": []}) == []


def test_densities_that_differ_by_a_constant_are_not_apart():
    assert overhead.apart([3.0, 5.0], [1.0, 3.0]) == 0.0
    assert overhead.apart([3.0, 5.0], [1.0, 4.0]) == pytest.approx(0.25)


def test_trivial_packages_are_found_and_loaded_like_installed_ones(tmp_path, monkeypatch):
    overhead_load.write_trivial(tmp_path, 2)
    without = load_host()
    monkeypatch.syspath_prepend(tmp_path)
    found = load_host()
    for name in [name for name in sys.modules if name.startswith("trivial_")]:
        monkeypatch.delitem(sys.modules, name)
    assert not found.problems
    assert found.drivers.keys() - without.drivers.keys() == {"trivial-0", "trivial-1"}
    assert found.distribution_of("trivial-1") == "trivial-1 1.0"


def test_a_density_is_called_as_the_sampler_calls_it():
    @overhead._FUNCTION
    def square(n, x, gradient, value, data):
        at = np.ctypeslib.as_array(ctypes.cast(x, ctypes.POINTER(ctypes.c_double)), (n,))
        np.ctypeslib.as_array(ctypes.cast(gradient, ctypes.POINTER(ctypes.c_double)), (n,))[:] = 2 * at
        ctypes.cast(value, ctypes.POINTER(ctypes.c_double))[0] = at @ at
        return int(not np.isfinite(at).all())

    density = overhead.Density(2, ctypes.cast(square, ctypes.c_void_p).value, 0, square)
    value, gradient = density(np.array([1.0, 3.0]))
    assert value == 10.0 and gradient.tolist() == [2.0, 6.0]
    assert density.seconds([np.ones(2)], 10) > 0
    with pytest.raises(ValueError, match="not finite"):
        density(np.array([np.nan, 0.0]))


def test_the_script_by_hand_is_the_model_of_the_drivers():
    with overhead.medium() as pair:
        graph, layout, model = pair.ours()
        script = pair.theirs()
        points = pair.points(graph, layout, script)
    found = []
    for one, where in zip((model, script), points, strict=True):
        # In Python: two points are worth no compilation.
        density = pytensor.function(one.value_vars, one.logp(), mode=Mode(linker="py", optimizer=None))
        initial = one.initial_point()
        shapes = [np.shape(initial[variable.name]) for variable in one.value_vars]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        parts = [zip(np.split(point, ends), shapes, strict=True) for point in where[:4]]
        found.append([float(density(*(x.reshape(shape) for x, shape in part))) for part in parts])
    assert len(graph.inferred) == len(graph.parameters) == 20
    assert overhead.apart(*found) < overhead.BOUNDS["apart"]
