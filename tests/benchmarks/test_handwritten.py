"""The hand-written script has the engine's equations: same parameters and shocks, same trajectories."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import handwritten
from benchmarks.default_data import read_inputs
from forecast.engine import make_plan
from forecast.model import Layout, build_graph
from forecast.projection import Evaluator, future_graph, measure
from forecast.spec import history_end

SIZE = 6
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plan():
    return make_plan()


@pytest.fixture(scope="module")
def layout(plan):
    future = future_graph(plan.spec, plan.worldview.horizon)
    return Layout({key: plan.spec.parameters[key] for key in future.parameters}, plan.spec.blocs)


@pytest.fixture(scope="module")
def inputs():
    return read_inputs()


def as_written(layout, flat, inputs):
    """Draws in the shapes of the script: (draw, bloc or epoch or 1, 1)."""
    parameters = layout.shaped(flat)
    result = {"export-control-leakage.epoch_starts": inputs.epoch_starts}
    for key, values in parameters.items():
        rows = len(inputs.priors[".".join(key)])
        if values.ndim == 1:
            values = values[:, None, None]
        elif values.shape[-1] > 1:  # epochs, of China
            values = values[:, 1, :, None]
        result[".".join(key)] = values[:, -rows:]
    return result


def test_trajectories_of_the_script_are_the_engines(plan, layout, inputs):
    graph = future_graph(plan.spec, plan.worldview.horizon)
    flat = layout.draw(3, SIZE)
    rng = np.random.default_rng(5)
    years = handwritten.month_starts("2061-02")
    shocks = {name: rng.standard_normal((SIZE, 3, years.size)) for name in handwritten.SHOCKS}
    pairs = {name: (x[:, :1], x[:, 1:]) for name, x in shocks.items()}
    evaluate = Evaluator(graph, {name: quantity.tensor for name, quantity in graph.quantities.items()})
    ours = evaluate(layout.shaped(flat), pairs)
    written = handwritten.trajectories(
        as_written(layout, flat, inputs), years, plan.worldview.as_of, np, pairs
    )
    for name, theirs in vars(written).items():
        ours_name = {
            "money": "investment",
            "demand": "chip_demand",
            "price": "price_performance",
            "purchases": "chip_purchases",
            "access": "chip_access",
        }.get(name, name)
        if name == "channels":
            continue
        rows = slice(1, None) if name == "access" else slice(None)
        np.testing.assert_allclose(
            np.broadcast_to(theirs, ours[ours_name][:, rows].shape),
            ours[ours_name][:, rows],
            rtol=1e-9,
            err_msg=name,
        )


def test_likelihood_of_the_script_is_the_engines(plan, layout, inputs):
    flat = layout.draw(3, SIZE)
    history = build_graph(plan.spec, history_end(plan.spec))
    shaped = layout.shaped(flat)
    measured = measure(history, {key: shaped[key] for key in history.parameters}, seed=0)
    ours = sum(values.sum(axis=1) for values in measured.log_likelihood.values())
    years = handwritten.month_starts("2028-02")
    model = handwritten.build(inputs, "separate", years)
    written = as_written(layout, flat, inputs)
    function = model.compile_fn(model.logp(vars=model.observed_RVs), mode="FAST_COMPILE")
    theirs = []
    for draw in range(SIZE):
        point = {}
        for variable in model.free_RVs:
            values = written[variable.name][draw]
            free = [not one.is_constant for one in inputs.priors[variable.name]]
            value_variable = model.rvs_to_values[variable]
            log = value_variable.name.endswith("_log__")
            point[value_variable.name] = np.log(values[free]) if log else values[free]
        theirs.append(float(function(point)))
    np.testing.assert_allclose(theirs, ours, rtol=1e-8)
