"""Values of parameters and points on the sampler's scale are one another's inverse."""

from __future__ import annotations

import numpy as np

from forecast.inference.compiling import jittered
from forecast.inference.points import unconstrained
from forecast.model import flat_draws
from tests.model.test_correlated_model import BETWEEN, built


def test_correlated_values_come_back_from_the_independent_normals_behind_them(tmp_path):
    _, layout = built(tmp_path / "toy", BETWEEN)
    assert layout.mix is not None
    flat = layout.draw(3, 50)
    names = ["standard", *(f"number.{place}" for place in layout.other)]  # without a transform of theirs
    points = unconstrained(names, layout, flat)
    count = len(layout.affine)
    draws = {"standard": points[:, :count]}
    draws |= {f"number.{n}": points[:, count + at] for at, n in enumerate(layout.other)}
    np.testing.assert_allclose(flat_draws(layout, draws), flat, rtol=1e-9)
    loc, scale, _ = layout.hyperparameters()
    assert not np.allclose(points[:, :count], (flat[:, layout.affine] - loc) / scale)


def test_a_chain_starts_at_the_best_of_many_points_near_the_medians_and_its_seed_repeats_it():
    start = np.array([1.0, -2.0, 0.5])

    def cliff(point):  # no density below, and less the farther from 1.5
        return float("nan") if point[0] < 1.0 else -1e3 * abs(point[0] - 1.5)

    best, any_one = jittered(start, cliff), jittered(start)
    for seed in range(20):
        assert np.all(np.abs(best(seed) - start) <= 1.0) and np.array_equal(best(seed), best(seed))
        assert abs(best(seed)[0] - 1.5) < 0.2  # 50 points on a line of length 2: 0.04 between them
    assert len({float(best(seed)[1]) for seed in range(20)}) == 20
    assert any(any_one(seed)[0] < 1.0 for seed in range(20))
