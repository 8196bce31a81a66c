"""Shares of variance where the true ones are known. Seeds are fixed; tolerances are over four errors."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.sensitivity import shapley
from forecast.sensitivity.shapley import make_folds, shapley_effects

N = 4000
CHAINS = np.repeat(np.arange(4), N // 4)


def effects(values, groups, outcome):
    return shapley_effects(values, groups, outcome[:, None], make_folds(CHAINS))


def test_independent_parameters_share_the_variance_as_their_coefficients_say() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(N, 4))
    found = effects(x, ["a", "a", "b", "noise"], x @ [3, 1, 2, 0] + rng.normal(size=N))
    assert found.names == ["a", "b", "noise"]
    assert found.values[:, 0] == pytest.approx([10 / 15, 4 / 15, 0], abs=0.02)
    assert found.values[:, 0].sum() == pytest.approx(found.explained[0], abs=1e-12)
    assert found.explained[0] == pytest.approx(14 / 15, abs=0.02)


def test_what_two_dependent_drivers_explain_alike_is_halved() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=N)
    b = 0.8 * a + 0.6 * rng.normal(size=N)  # b itself does nothing
    found = effects(np.stack([a, b], axis=1), ["a", "b"], a)
    assert found.values[:, 0] == pytest.approx([1 - 0.8**2 / 2, 0.8**2 / 2], abs=0.02)


def test_an_interaction_is_shared_by_the_drivers_that_make_it() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(N, 3))
    found = effects(x, ["a", "b", "noise"], x[:, 0] + x[:, 1] + 2 * x[:, 0] * x[:, 1])
    assert found.values[:, 0] == pytest.approx([0.5, 0.5, 0], abs=0.03)


def test_a_bent_effect_is_seen_although_it_has_no_slope() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(N, 2))
    found = effects(x, ["a", "noise"], x[:, 0] ** 2)
    assert found.values[:, 0] == pytest.approx([1, 0], abs=0.05)


def test_a_parameter_that_matters_only_beside_another_is_kept() -> None:
    rng = np.random.default_rng(5)
    truth, nuisance = rng.normal(size=(2, N))
    seen = truth + 10 * nuisance
    found = effects(np.stack([seen, nuisance], axis=1), ["a", "a"], truth)
    assert found.explained[0] > 0.95


def test_pure_noise_explains_nothing_however_many_parameters_there_are() -> None:
    rng = np.random.default_rng(6)
    found = effects(rng.normal(size=(N, 120)), [str(at % 11) for at in range(120)], rng.normal(size=N))
    assert np.abs(found.values).max() < 0.005
    assert abs(found.explained[0]) < 0.01


def test_with_too_many_drivers_for_every_set_random_orders_agree_with_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(N, 6)) @ np.linalg.cholesky(0.5 * np.eye(6) + 0.5).T
    y = x @ [3, 2, 1, 1, 0.5, 0.2] + rng.normal(size=N)
    exact = effects(x, list("abcdef"), y)
    monkeypatch.setattr(shapley, "_EXACT", 3)
    sampled = effects(x, list("abcdef"), y)
    assert sampled.values == pytest.approx(exact.values, abs=0.015)
    assert sampled.values.sum() == pytest.approx(exact.explained[0])


def test_folds_are_whole_chains_or_blocks_of_neighbours() -> None:
    assert (make_folds(CHAINS) == CHAINS).all()
    single = make_folds(np.zeros(1000, dtype=int))
    assert np.unique(single).size == 5 and (np.diff(single) >= 0).all()
