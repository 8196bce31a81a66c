"""The hand-written script has the engine's equations: same parameters and shocks, same trajectories."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytensor
import pytest
from scipy.special import ndtr

from benchmarks import equations, handwritten
from benchmarks.default_data import read_inputs
from benchmarks.equations import since_2024, trajectories
from forecast.engine import make_plan
from forecast.model import Layout, build_graph
from forecast.projection import Evaluator, future_graph, measure
from forecast.spec import history_end

SIZE = 6
YEARS = handwritten.month_starts("2061-02")
SOLVED = {"automation_gain", "effective_compute", "capability_clock"} | {
    "time_horizon", "time_horizon_80", "capability_index"
}  # fmt: skip
"""What comes of a differential equation, which the script and the engine solve in different ways."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plan():
    return make_plan()


@pytest.fixture(scope="module")
def future(plan):
    return future_graph(plan.spec, plan.worldview.horizon)


@pytest.fixture(scope="module")
def layout(plan, future):
    return Layout({key: plan.spec.parameters[key] for key in future.parameters}, plan.spec.blocs)


@pytest.fixture(scope="module")
def flat(layout):
    return layout.draw(3, SIZE)


@pytest.fixture(scope="module")
def inputs():
    return read_inputs()


@pytest.fixture(scope="module")
def parameters(layout, flat, inputs):
    """Draws in the shapes of the script: (draw, bloc or epoch or 1, 1)."""
    result = {"export-control-leakage.epoch_starts": inputs.epoch_starts}
    for key, values in layout.shaped(flat).items():
        rows = len(inputs.priors[".".join(key)])
        if values.ndim == 1:
            values = values[:, None, None]
        elif values.shape[-1] > 1:  # epochs, of China
            values = values[:, 1, :, None]
        result[".".join(key)] = values[:, -rows:]
    return result


@pytest.fixture(scope="module")
def futures(plan, future, layout, flat, parameters):
    """The engine's quantities and the script's, and the shocks of both as the script has them."""
    rng = np.random.default_rng(5)
    normal = {name: rng.standard_normal((SIZE, 3, YEARS.size)) for name in (*handwritten.SHOCKS, "policy")}
    shocks = {name: (x[:, :1], x[:, 1:]) for name, x in normal.items()}
    evaluate = Evaluator(future, {name: quantity.tensor for name, quantity in future.quantities.items()})
    ours = evaluate(layout.shaped(flat), shocks)
    normal["policy"] = ndtr(normal["policy"][:, :1])
    shocks["policy"] = normal["policy"]
    written = trajectories(parameters, YEARS, plan.worldview.as_of, np, shocks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equations, "STEPS", 32)  # the engine's solution of the same equation has no steps
        finely = trajectories(parameters, YEARS, plan.worldview.as_of, np, shocks)
    return SimpleNamespace(ours=ours, written=vars(written), finely=vars(finely), drawn=normal)


def free_numbers(variable, parameters, inputs, draw):
    """One draw of a PyMC variable of the script, which has no constants."""
    free = [not one.is_constant for one in inputs.priors[variable.name]]
    return parameters[variable.name][draw][free]


def test_trajectories_of_the_script_are_the_engines(futures):
    for name, theirs in futures.finely.items():
        if name == "channels":  # no quantity of its own: chip_access is their sum
            continue
        expected = futures.ours[name][:, slice(1, None) if name == "chip_access" else slice(None)]
        theirs = np.broadcast_to(theirs, expected.shape)
        near = {"rtol": 0.0, "atol": 3e-4} if name in SOLVED else {"rtol": 1e-9, "atol": 1e-12}
        np.testing.assert_allclose(theirs, expected, **near, err_msg=name)


def test_the_compared_draws_reach_what_the_future_alone_knows(futures):
    assert set(np.unique(futures.ours["policy"])) == {0, 1, 2}
    assert np.all(futures.ours["automation_gain"].max(axis=(1, 2)) > 0.1)
    chips = futures.ours["ai_power"] - futures.ours["power_per_chip"] + 6.0
    assert np.any(futures.ours["compute_stock"] > chips - 0.1)


def test_trajectories_inside_the_model_are_those_in_numpy(futures, parameters, inputs):
    model = handwritten.build(inputs, "inside", YEARS)
    later = YEARS[0] > since_2024(inputs.view.as_of)
    function = pytensor.function(
        model.free_RVs, model.deterministics, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    for draw in range(SIZE):
        values = [
            futures.drawn[one.name.removeprefix("shock ")][draw][:, later]
            if one.name.startswith("shock ")
            else free_numbers(one, parameters, inputs, draw)
            for one in model.free_RVs
        ]
        for variable, inside in zip(model.deterministics, function(*values), strict=True):
            expected = futures.written[variable.name][draw]
            np.testing.assert_allclose(inside, expected, rtol=1e-9, err_msg=variable.name)


def test_prior_and_likelihood_of_the_script_are_the_engines(plan, layout, flat, parameters, inputs):
    history = build_graph(plan.spec, history_end(plan.spec))
    shaped = layout.shaped(flat)
    measured = measure(history, {key: shaped[key] for key in history.parameters}, seed=0)
    likelihood = sum(values.sum(axis=1) for values in measured.log_likelihood.values())
    model = handwritten.build(inputs, "separate", handwritten.month_starts("2028-02"))
    names = {one.name for one in model.free_RVs}
    sampled = [".".join(entry.key) in names for entry in layout.entries]
    prior = layout.log_prior(flat)[:, sampled].sum(axis=1)
    function = model.compile_fn(
        [
            *model.logp(vars=model.observed_RVs, sum=False),
            *model.logp(vars=model.free_RVs, sum=False, jacobian=False),
        ],
        mode="FAST_COMPILE",
    )
    for draw in range(SIZE):
        point = {}
        for variable in model.free_RVs:
            values = free_numbers(variable, parameters, inputs, draw)
            value_variable = model.rvs_to_values[variable]
            log = value_variable.name.endswith("_log__")
            point[value_variable.name] = np.log(values) if log else values
        terms = [np.sum(term) for term in function(point)]
        observed = len(model.observed_RVs)
        np.testing.assert_allclose(sum(terms[:observed]), likelihood[draw], rtol=1e-8)
        np.testing.assert_allclose(sum(terms[observed:]), prior[draw], rtol=1e-8)


def test_what_the_script_leaves_to_the_future_is_what_no_row_reads(plan, future, inputs):
    history = build_graph(plan.spec, history_end(plan.spec))
    model = handwritten.build(inputs, "separate", handwritten.month_starts("2028-02"))
    constant = {name for name, priors in inputs.priors.items() if all(one.is_constant for one in priors)}
    left_out = inputs.priors.keys() - constant - {one.name for one in model.free_RVs}
    unread = {".".join(key) for key in future.parameters.keys() - history.inferred} - constant
    # The engine samples scales of shocks too; its likelihood is flat in them.
    scales = {"investment.shock_scale", "export-control-leakage.domestic_shock"}
    assert left_out == unread | scales


def test_the_script_knows_no_correlations(plan):
    assert plan.spec.correlations == ()
