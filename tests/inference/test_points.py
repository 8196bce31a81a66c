"""Values of parameters and points on the sampler's scale are one another's inverse."""

from __future__ import annotations

import numpy as np

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
