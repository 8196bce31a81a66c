"""Parameters as flat vectors: which numbers there are, their draws and where they go."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.model import Layout, absent_blocs
from forecast.streams import stream
from tests.toys import BLOCS, constant, driver, spec_of, worldview

TEXT = """\
mean = { distribution = "Normal", mu = 1, sigma = 0.5, unit = "OOM", source = "t" }
size = { distribution = "LogNormal", mu = 0.2, sigma = 0.4, unit = "year", per = "bloc", source = "t" }
rest = { distribution = "Gamma", alpha = 2, beta = 3, unit = "share", source = "t" }
fixed = { value = 7, unit = "year", source = "t" }
only = { distribution = "Normal", mu = 5, sigma = 1, unit = "OOM", blocs = ["china"], source = "t" }
both = { mixture = [ { weight = 0.3, distribution = "Normal", mu = -2, sigma = 0.1 }, { weight = 0.7, distribution = "Normal", mu = 2, sigma = 0.1 } ], unit = "OOM", source = "t" }
[epochs]
early = 2018-01-01
late = 2025-01-01
[by_epoch.early]
step = { value = 10, unit = "OOM", source = "t" }
[by_epoch.late]
step = { value = 20, unit = "OOM", source = "t" }
"""  # noqa: E501


@pytest.fixture(scope="module")
def parameters(tmp_path_factory):
    view = worldview(tmp_path_factory.mktemp("toys"))
    return spec_of(view, driver("d", TEXT, base=constant("a", 1.0))).parameters


@pytest.fixture(scope="module")
def layout(parameters):
    return Layout(parameters, BLOCS)


def of(layout, name):
    return [n for n, entry in enumerate(layout.entries) if entry.key == ("d", name)]


def test_every_number_is_affine_constant_or_other_and_in_one_group_only(layout):
    assert [len(of(layout, name)) for name in ("mean", "size", "rest", "fixed", "only", "both", "step")] == [
        1, 2, 1, 1, 1, 1, 2,
    ]  # fmt: skip
    assert sorted([*layout.affine, *layout.constant, *layout.other]) == list(range(9))
    assert list(layout.affine) == sorted(of(layout, "mean") + of(layout, "size") + of(layout, "only"))
    assert list(layout.constant) == sorted(of(layout, "fixed") + of(layout, "step"))
    assert list(layout.other) == sorted(of(layout, "rest") + of(layout, "both"))


def test_hyperparameters_are_those_of_the_priors_in_the_order_of_the_vector(layout):
    loc, scale, exponent = layout.hyperparameters()
    assert loc.tolist() == [1.0, 0.2, 0.2, 5.0]
    assert scale.tolist() == [0.5, 0.4, 0.4, 1.0]
    assert exponent.tolist() == [False, True, True, False]
    assert layout.constants().tolist() == [7.0, 10.0, 20.0]


def test_shapes_are_scalar_by_bloc_and_by_epoch(layout):
    shaped = layout.shaped(layout.draw(1, 5))
    assert shaped["d", "mean"].shape == (5,)
    assert shaped["d", "size"].shape == (5, 2, 1)
    assert shaped["d", "only"].shape == (5, 2, 1)
    assert shaped["d", "step"].shape == (5, 1, 2)
    assert shaped["d", "step"][0].tolist() == [[10.0, 20.0]]
    assert not np.any(shaped["d", "size"][:, 0] == shaped["d", "size"][:, 1])


def test_the_vector_and_the_shapes_hold_the_same_numbers(layout):
    flat = np.arange(9.0)[None, :]
    shaped = layout.shaped(flat)
    assert shaped["d", "size"][0, :, 0].tolist() == of(layout, "size")
    assert shaped["d", "rest"][0] == of(layout, "rest")[0]
    assert shaped["d", "step"][0, 0].tolist() == of(layout, "step")


def test_blocs_without_a_prior_are_said_to_be_absent(parameters):
    assert absent_blocs(parameters["d", "only"], BLOCS) == ["us_allies"]
    assert absent_blocs(parameters["d", "size"], BLOCS) == []
    assert absent_blocs(parameters["d", "mean"], BLOCS) == []


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("mean", stats.norm(1, 0.5)),
        ("size", stats.lognorm(0.4, scale=np.exp(0.2))),
        ("rest", stats.gamma(2, scale=1 / 3)),
    ],
)
def test_prior_draws_have_the_priors_law(layout, name, law):
    drawn = layout.draw(4, 4000)[:, of(layout, name)[0]]
    # Kolmogorov-Smirnov at p > 10^-4: one false alarm in 10^4 (and the seed is fixed).
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-4


def test_a_mixture_is_drawn_by_its_weights(layout):
    drawn = layout.draw(4, 4000)[:, of(layout, "both")[0]]
    # Standard error 0.0072; four of them.
    assert np.mean(drawn > 0) == pytest.approx(0.7, abs=0.029)
    assert np.all(np.abs(np.abs(drawn) - 2) < 0.6)


def test_the_log_prior_is_the_log_density_of_each_number(layout):
    flat = layout.draw(4, 3)
    found = layout.log_prior(flat)
    gamma, size, mixture = (of(layout, name)[0] for name in ("rest", "size", "both"))
    assert found[:, gamma] == pytest.approx(stats.gamma(2, scale=1 / 3).logpdf(flat[:, gamma]))
    assert found[:, size] == pytest.approx(stats.lognorm(0.4, scale=np.exp(0.2)).logpdf(flat[:, size]))
    mixed = 0.3 * stats.norm(-2, 0.1).pdf(flat[:, mixture]) + 0.7 * stats.norm(2, 0.1).pdf(flat[:, mixture])
    assert found[:, mixture] == pytest.approx(np.log(mixed))
    assert np.all(found[:, of(layout, "fixed")] == 0)


def test_draws_depend_on_seed_purpose_and_own_name_alone(layout):
    whole, part = layout.draw(9, 10), layout.subset([("d", "rest"), ("d", "size")])
    assert [entry.key[1] for entry in part.entries] == ["size", "size", "rest"]
    kept = [*of(layout, "size"), *of(layout, "rest")]
    assert np.array_equal(part.draw(9, 10), whole[:, kept])
    assert np.array_equal(layout.draw(9, 10), whole)
    assert not np.any(layout.draw(10, 10)[:, kept] == whole[:, kept])
    assert not np.any(layout.draw(9, 10, "future")[:, kept] == whole[:, kept])


def test_streams_differ_by_every_part_of_their_name():
    names = [("a", "b"), ("a", "c"), ("ab",), ("b", "a"), ("a", "b", 0)]
    first = {stream(1, *name).random() for name in names}
    assert len(first) == 5 and stream(1, "a", "b").random() in first
    assert stream(2, "a", "b").random() not in first
