"""Weights of a mixture's components, before and after the evidence."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from forecast.model import Layout
from forecast.results.mixtures import mixture_weights
from tests.toys import constant, driver, spec_of, worldview

SHAPES = """\
[bend]
unit = "share"
source = "a test"
mixture = [
    { label = "straight", weight = 0.25, distribution = "Normal", mu = 0, sigma = 0.1 },
    { label = "bent", weight = 0.75, distribution = "Normal", mu = 1, sigma = 0.1 },
]
[plain]
unit = "share"
source = "a test"
mixture = [{ weight = 1.0, distribution = "Normal", mu = 0, sigma = 0.1 }]
"""


@pytest.fixture
def layout(tmp_path):
    spec = spec_of(worldview(tmp_path), driver("shapes", SHAPES, base=constant("compute", 27.0)))
    return Layout(spec.parameters, spec.blocs)


def column(layout, name):
    return next(number for number, entry in enumerate(layout.entries) if entry.key[1] == name)


def test_draws_of_the_prior_return_its_weights_and_only_labelled_mixtures_are_reported(layout):
    flat = layout.draw(1, 8000)
    (found,) = mixture_weights(layout, flat, np.ones((4, 2000), bool)).items()
    assert found[0] == "shapes.bend"
    straight, bent = found[1]
    assert (straight["label"], straight["prior"], bent["prior"]) == ("straight", 0.25, 0.75)
    # 8,000 draws: standard error 0.0048; four of them.
    assert straight["posterior"] == pytest.approx(0.25, abs=0.02)
    assert straight["posterior"] + bent["posterior"] == pytest.approx(1)
    assert straight["mcse"] == pytest.approx(0.0048, rel=0.15)


def test_where_every_draw_was_set_aside_there_is_nothing_to_say_and_no_warning(layout):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mixture_weights(layout, layout.draw(1, 20), np.zeros((2, 10), bool)) == {}


def test_draws_that_were_set_aside_do_not_count(layout):
    flat = np.zeros((20, len(layout.entries)))
    flat[:, column(layout, "bend")] = np.repeat([0.0, 1.0], 10)
    accepted = np.repeat([True, False], 10).reshape(2, 10)
    (straight, bent) = mixture_weights(layout, flat, accepted)["shapes.bend"]
    ratio = 0.25 * stats.norm.pdf(0, 0, 0.1) / (0.75 * stats.norm.pdf(0, 1, 0.1))
    assert straight["posterior"] == pytest.approx(ratio / (1 + ratio))
    assert bent["posterior"] == pytest.approx(1 / (1 + ratio), abs=1e-12)
