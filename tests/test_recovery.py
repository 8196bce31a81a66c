"""Recovery of known truths, on a toy model; the default model's is `python -m benchmarks recovery`."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.recovery import Simulator, nutpie_fit, prior_fit, recover
from forecast.engine import make_plan
from forecast.inference import Compiler, SamplerSettings
from tests import toys

SIMULATIONS = 8
CONTRACTED = ("line.level (us_allies)", "line.level (china)")


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recovery")
    # The drivers of test_engine.py, whose compiled model is taken; the market is so large that none feels it.
    drivers = [toys.Line(toys.table(folder / "evidence")), toys.Boost(), toys.Market(), toys.Luck()]
    return make_plan(toys.worldview(folder, overrides=["priors.market.home.value=36"]), drivers=drivers)


@pytest.fixture(scope="module")
def recovered(plan):
    compiler = Compiler()
    settings = SamplerSettings(draws=400, tune=400, chains=2, cores=2)
    found = recover(plan, nutpie_fit(settings, compiler), simulations=SIMULATIONS, seed=4)
    return found, compiler


def test_the_truth_lies_in_its_interval_and_intervals_shrink(recovered):
    # 8 simulations of 4 numbers. For a right model, whose intervals hold 90% of truths, fewer than 24 of 32
    # has probability 0.3% if numbers are independent and 1.7% if those of a simulation stand and fall in
    # pairs. The seed is fixed, so this is the chance that a change of the draws fails a right model.
    found, _ = recovered
    assert found.inside.shape == (SIMULATIONS, 4)
    assert found.failures(CONTRACTED, least=24 / 32) == []


def test_simulated_evidence_compiles_nothing(recovered):
    _, compiler = recovered
    assert compiler.compilations + compiler.loads == 1


def test_a_fit_that_ignores_the_data_fails(plan):
    found = recover(plan, prior_fit(500), simulations=SIMULATIONS, seed=4)
    failures = found.failures(CONTRACTED, least=24 / 32)
    assert len(failures) == len(CONTRACTED)
    assert all("of the prior's" in failure for failure in failures)


def test_truths_have_not_crossed(plan):
    simulator = Simulator(plan)
    flat = simulator.layout.draw(2, 400)
    accepted = simulator.accepted(flat, seed=2)
    assert 0 < accepted.sum() < 400  # the toy's milestone does set some prior draws aside
    truths = simulator.truths(30, seed=2)
    assert truths.shape == (30, flat.shape[1])
    assert np.isfinite(truths).all()


def test_simulated_evidence_keeps_all_but_the_values(plan):
    simulator = Simulator(plan)
    (before,) = simulator.graph.likelihoods
    (after,) = simulator.simulate(simulator.truths(1, seed=2)[0], seed=3).likelihoods
    assert after.observations.rows == before.observations.rows
    np.testing.assert_array_equal(after.observations.columns["error"], before.observations.columns["error"])
    assert not np.any(after.observed == before.observed)
