"""Shares, quantiles and errors of draws that do not count alike."""

from __future__ import annotations

import json

import numpy as np
import pytest

from forecast.diagnostics import judge
from forecast.results import estimate, quantiles, summarise
from forecast.results.weighting import effective_size, least_error, weighted_quantile
from tests.results.synthetic import full_tree, steps_worldview

INF = np.inf


@pytest.mark.parametrize("level", [0.0, 0.05, 0.1, 0.333, 0.5, 0.9, 1.0])
def test_weights_that_are_all_alike_give_numpys_quantile(level):
    values = np.random.default_rng(1).normal(size=57)
    assert weighted_quantile(values, np.full(57, 0.3), level) == pytest.approx(np.quantile(values, level))


def test_draws_of_weight_zero_are_as_if_they_were_not_there():
    values = np.array([5.0, 1.0, INF, 2.0, 3.0])
    weights = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    assert quantiles(values, weights=weights) == quantiles([1.0, 2.0, 3.0])


def test_a_quantile_of_weighted_draws_is_never_where_enough_of_the_weight_is():
    values, weights = np.array([1.0, 2.0, 3.0, INF]), np.array([1.0, 1.0, 1.0, 9.0])
    found = quantiles(values, (0.05, 0.5), weights)
    assert found["0.5"] is None and found["0.05"] is not None


def test_many_weighted_draws_have_the_quantiles_of_the_distribution_they_are_weighted_to():
    draws = np.random.default_rng(2).normal(size=200_000)
    weights = np.exp(draws - 0.5)  # from N(0, 1) to N(1, 1)
    found = quantiles(draws, (0.1, 0.5), weights)
    assert found["0.5"] == pytest.approx(1.0, abs=0.02)
    assert found["0.1"] == pytest.approx(1 - 1.2816, abs=0.02)


def test_a_weighted_share_has_the_error_that_repetitions_show():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(300):
        draws = rng.normal(size=(4, 100))
        found.append(estimate(draws > 1, np.ones_like(draws, dtype=bool), np.exp(0.7 * draws)))
    spread = np.std([one.p for one in found])
    # 300 repetitions give the spread within 4% (one standard error); the check fails by chance in 1 of 10^4.
    assert np.mean([one.mcse for one in found]) == pytest.approx(spread, rel=0.18)
    assert np.mean([one.p for one in found]) == pytest.approx(0.382, abs=0.01)  # P(N(0.7, 1) > 1)


def test_a_share_on_which_all_of_the_weight_agrees_still_has_an_error():
    weights = np.array([[4.0, 1.0, 0.0, 0.0]])
    found = estimate([[True, True, False, False]], np.ones((1, 4), dtype=bool), weights)
    assert found.p == 1.0 and found.mcse > 0.1  # of 1.5 effective draws
    assert effective_size(weights) == pytest.approx(25 / 17)


def test_a_summary_with_equal_weights_is_the_summary_without_any():
    tree, view = full_tree(), steps_worldview()
    plain, weighted = (
        summarise(tree, view, run_id="r", diagnostics=judge(tree), timings={}, weights=weights)
        for weights in (None, np.full((4, 500), 0.25))
    )
    assert flat(weighted) == pytest.approx(flat(plain), rel=1e-9)
    assert flat(plain)  # there is something to compare


def test_a_summary_under_weights_is_that_of_the_draws_that_have_them():
    """Weights of 0 and 1 are a selection: every share and every quantile is then of those draws alone."""
    tree, view = full_tree(), steps_worldview()
    chosen = np.random.default_rng(4).random((4, 500)) < 0.6
    marked = tree.copy()
    crossings = tree["crossings"].to_dataset()
    crossings["accepted"] = crossings["accepted"].copy(data=crossings["accepted"].to_numpy() & chosen)
    marked["crossings"] = crossings
    arguments = {"run_id": "r", "diagnostics": judge(tree), "timings": {}}
    weighted = summarise(tree, view, weights=chosen.astype(float), **arguments)
    selected = summarise(marked, view, **arguments)
    assert flat(weighted) == pytest.approx(flat(selected), rel=1e-9)
    assert weighted["milestones"] != summarise(tree, view, **arguments)["milestones"]


def flat(summary):
    """All numbers of the milestones by their place; counts of draws apart, None as -1."""
    found = {}

    def walk(value, place):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key != "draws":
                    walk(inner, f"{place}/{key}")
        elif value is None or isinstance(value, (int, float)):
            found[place] = -1.0 if value is None else float(value)

    walk(json.loads(json.dumps(summary["milestones"])), "")
    return found


def test_errors_under_weights_that_few_draws_carry_are_not_too_small():
    """A probability of 0.14 under weights worth a tenth of the draws: the linearised ratio alone is more than
    three errors off in 3 of 100 cases."""
    rng = np.random.default_rng(0)
    off = []
    for _ in range(300):
        weights, holds = np.exp(rng.normal(0, 1.5, (4, 250))), rng.random((4, 250)) < 0.14
        found = estimate(holds, np.ones_like(holds), weights)
        off.append(abs(found.p - 0.14) / found.mcse)
    assert np.mean(np.array(off) > 2) < 0.05 and max(off) < 3.5
    assert least_error(0.14, np.full((4, 250), 0.3)) < 1e-8
    assert least_error(0.5, [1, 1, 0, 0]) == 0
    assert least_error(0.5, [3, 1]) == pytest.approx(np.sqrt(0.25 * (10 / 16 - 1 / 2)))
