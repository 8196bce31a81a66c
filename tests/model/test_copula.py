"""The Gaussian copula against scipy's multivariate normal, and numbers drawn through it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.model import Copula, Layout
from forecast.model.copula import draw_given, log_density, score, value
from forecast.worldview import Correlation, Number, Prior
from tests.toys import BLOCS, constant, driver, spec_of, worldview

MATRIX = np.array([[1.0, 0.6, -0.3, 0.1], [0.6, 1.0, 0.2, 0.0], [-0.3, 0.2, 1.0, 0.5], [0.1, 0.0, 0.5, 1.0]])
SIZE = 20_000

PRIORS = {
    "Normal": Prior("Normal", {"mu": 3.0, "sigma": 2.0}),
    "LogNormal": Prior("LogNormal", {"mu": -1.0, "sigma": 0.7}),
    "HalfNormal": Prior("HalfNormal", {"sigma": 0.3}),
    "Beta": Prior("Beta", {"alpha": 2.0, "beta": 5.0}),
    "StudentT": Prior("StudentT", {"nu": 3.0, "mu": 1.0, "sigma": 2.0}),
    "Triangular": Prior("Triangular", {"lower": 1.0, "c": 2.0, "upper": 4.0}),
    "Mixture": Prior(
        "Mixture",
        components=(
            (0.3, Prior("Normal", {"mu": -2.0, "sigma": 0.5})),
            (0.7, Prior("LogNormal", {"mu": 0.5, "sigma": 0.2})),
        ),
    ),
}
NAMES = {name: Number("d", name.lower()) for name in PRIORS}


def correlation(one, other, strength):
    return Correlation(f"{one}-{other}", (NAMES[one], NAMES[other]), strength, "a test")


def independent(names, seed=1, size=SIZE):
    rng = np.random.default_rng(seed)
    return {NAMES[name]: PRIORS[name].rvs(rng, size) for name in names}


# The maths ---------------------------------------------------------------------------------------


def test_the_log_density_is_the_joint_one_less_the_marginal_ones():
    z = np.random.default_rng(2).standard_normal((50, 4))
    joint = stats.multivariate_normal(np.zeros(4), MATRIX).logpdf(z)
    assert log_density(MATRIX, z) == pytest.approx(joint - stats.norm.logpdf(z).sum(axis=1))
    assert log_density(np.eye(4), z) == pytest.approx(np.zeros(50), abs=1e-12)


@pytest.mark.parametrize("known", [[], [0], [3], [0, 2], [1, 2, 3], [0, 1, 2, 3]])
def test_draws_given_some_have_the_conditional_mean_and_covariance(known):
    """Given fixed values, by the textbook; 20,000 draws: five standard errors of a mean and a covariance."""
    rest = [index for index in range(4) if index not in known]
    mask = np.isin(np.arange(4), known)
    z = np.random.default_rng(3).standard_normal((SIZE, 4))
    z[:, known] = [0.5, -1.0, 2.0, 0.3][: len(known)]
    found = draw_given(MATRIX, mask, z)
    assert np.array_equal(found[:, known], z[:, known])
    weights = MATRIX[np.ix_(rest, known)] @ np.linalg.inv(MATRIX[np.ix_(known, known)])
    mean = weights @ z[0, known]
    covariance = MATRIX[np.ix_(rest, rest)] - weights @ MATRIX[np.ix_(known, rest)]
    if rest:
        assert found[:, rest].mean(axis=0) == pytest.approx(mean, abs=5 / np.sqrt(SIZE))
        assert np.atleast_2d(np.cov(found[:, rest].T)) == pytest.approx(covariance, abs=5 * np.sqrt(2 / SIZE))


def test_known_and_drawn_together_are_the_joint_normal():
    z = np.random.default_rng(4).standard_normal((SIZE, 4))
    known = np.array([True, True, False, False])
    z[:, :2] = z[:, :2] @ np.linalg.cholesky(MATRIX[:2, :2]).T  # the known are draws of their own joint law
    found = draw_given(MATRIX, known, z)
    # Standard error of a correlation at most 0.0071; five of them.
    assert np.corrcoef(found.T) == pytest.approx(MATRIX, abs=0.036)


@pytest.mark.parametrize("name", PRIORS)
def test_scores_and_values_are_each_others_inverse(name):
    prior = PRIORS[name]
    z = np.linspace(-4, 4, 41)
    assert score(prior, value(prior, z)) == pytest.approx(z, abs=1e-6)


@pytest.mark.parametrize("name", PRIORS)
def test_no_score_is_infinite_however_far_out(name):
    prior = PRIORS[name]
    ends = value(prior, np.array([-60.0, 60.0]))
    assert np.all(np.isfinite(ends))
    if name not in ("Normal", "LogNormal"):
        assert np.all(np.isfinite(score(prior, np.array(prior.support()))))


# Numbers -----------------------------------------------------------------------------------------


def test_numbers_of_any_family_keep_their_priors_and_have_the_asked_rank_correlation():
    """Kolmogorov-Smirnov at p > 10^-4 for seven families: a false alarm in 1,400 (and the seed is fixed)."""
    names = list(PRIORS)
    pairs = [correlation(*pair, 0.5) for pair in zip(names, names[1:], strict=False)]
    copula = Copula.among(pairs, {NAMES[name]: PRIORS[name] for name in names})
    drawn = copula.draw(independent(names))
    for name in names:
        assert stats.kstest(drawn[NAMES[name]], PRIORS[name].cdf).pvalue > 1e-4, name
    for one, other in zip(names, names[1:], strict=False):
        rank = stats.spearmanr(drawn[NAMES[one]], drawn[NAMES[other]]).statistic
        # Spearman's of a Gaussian copula is 6/pi asin(r/2); standard error below 0.0071, five of them.
        assert rank == pytest.approx(6 / np.pi * np.arcsin(0.25), abs=0.036), (one, other)


def test_given_draws_stay_and_the_others_follow_them():
    pairs = [correlation("Beta", "Normal", 0.7), correlation("Normal", "Mixture", -0.4)]
    copula = Copula.among(pairs, PRIORS_BY_NUMBER)
    before = independent(["Beta", "Normal", "Mixture"])
    drawn = copula.draw(before, known=[NAMES["Normal"]])
    assert set(drawn) == {NAMES["Beta"], NAMES["Mixture"]}
    normal = score(PRIORS["Normal"], before[NAMES["Normal"]])
    for name, expected in (("Beta", 0.7), ("Mixture", -0.4)):
        found = np.corrcoef(score(PRIORS[name], drawn[NAMES[name]]), normal)[0, 1]
        assert found == pytest.approx(expected, abs=0.036)


PRIORS_BY_NUMBER = {NAMES[name]: prior for name, prior in PRIORS.items()}


def test_the_first_member_keeps_its_independent_draws_and_zero_changes_nobodys():
    before = independent(["Beta", "Normal"])
    drawn = Copula.among([correlation("Beta", "Normal", 0.7)], PRIORS_BY_NUMBER).draw(before)
    first, second = Copula.among([correlation("Beta", "Normal", 0.7)], PRIORS_BY_NUMBER).members
    assert np.array_equal(drawn[first], before[first]) and not np.array_equal(drawn[second], before[second])
    still = Copula.among([correlation("Beta", "Normal", 0.0)], PRIORS_BY_NUMBER).draw(before)
    assert all(np.array_equal(still[number], before[number]) for number in before)


def test_the_joint_density_of_two_numbers_is_that_of_the_copula_and_integrates_to_one():
    """Marginal densities times the copula's, on a grid over a Beta and a Triangular."""
    copula = Copula.among([correlation("Beta", "Triangular", 0.6)], PRIORS_BY_NUMBER)
    x, y = np.linspace(0, 1, 401)[1:-1], np.linspace(1, 4, 401)[1:-1]
    points = {NAMES["Beta"]: np.repeat(x, len(y)), NAMES["Triangular"]: np.tile(y, len(x))}
    density = np.exp(
        PRIORS["Beta"].logpdf(points[NAMES["Beta"]])
        + PRIORS["Triangular"].logpdf(points[NAMES["Triangular"]])
        + copula.log_density(points)
    )
    assert density.sum() * (x[1] - x[0]) * (y[1] - y[0]) == pytest.approx(1, abs=0.01)


def test_correlations_of_numbers_that_are_not_there_make_no_copula():
    pair = [correlation("Beta", "Normal", 0.7)]
    assert Copula.among(pair, {NAMES["Beta"]: PRIORS["Beta"]}) is None
    assert Copula.among([], PRIORS_BY_NUMBER) is None


# In a layout -------------------------------------------------------------------------------------

TEXT = """\
mean = { distribution = "Normal", mu = 1, sigma = 0.5, unit = "OOM", source = "t" }
size = { distribution = "LogNormal", mu = 0.2, sigma = 0.4, unit = "year", per = "bloc", source = "t" }
rest = { distribution = "Gamma", alpha = 2, beta = 3, unit = "share", source = "t" }
free = { distribution = "Normal", mu = 5, sigma = 1, unit = "OOM", source = "t" }
[epochs]
early = 2018-01-01
late = 2025-01-01
[by_epoch.early]
step = { distribution = "Normal", mu = 5, sigma = 1, unit = "OOM", blocs = ["china"], source = "t" }
[by_epoch.late]
step = { distribution = "Normal", mu = 6, sigma = 1, unit = "OOM", blocs = ["china"], source = "t" }
"""


def pair(one, other, strength):
    return Correlation("x", (one, other), strength, "t")


MEAN, REST, FREE = Number("d", "mean"), Number("d", "rest"), Number("d", "free")
CHINA, LATE = Number("d", "size", "china"), Number("d", "step", "china, late")


@pytest.fixture(scope="module")
def parameters(tmp_path_factory):
    view = worldview(tmp_path_factory.mktemp("toys"))
    return spec_of(view, driver("d", TEXT, base=constant("a", 1.0))).parameters


def layout_of(parameters, *pairs):
    return Layout(parameters, BLOCS, tuple(pairs))


def test_every_number_goes_by_its_name_in_prior_files(parameters):
    numbers = layout_of(parameters).numbers
    assert [str(number) for number in numbers] == [
        "d.mean",
        "d.size[us_allies]",
        "d.size[china]",
        "d.rest",
        "d.free",
        "d.step[china, early]",
        "d.step[china, late]",
    ]
    assert list(numbers.values()) == list(range(7))


def test_only_numbers_that_correlate_are_drawn_otherwise_than_today(parameters):
    plain = layout_of(parameters).draw(9, 500)
    layout = layout_of(parameters, pair(MEAN, CHINA, 0.8), pair(CHINA, LATE, -0.3))
    drawn = layout.draw(9, 500)
    moved = {layout.numbers[CHINA], layout.numbers[LATE]}
    for place in range(7):
        assert np.array_equal(plain[:, place], drawn[:, place]) == (place not in moved), place
    assert np.corrcoef(drawn[:, 0], np.log(drawn[:, layout.numbers[CHINA]]))[0, 1] == pytest.approx(
        0.8, abs=0.1
    )


def test_draws_given_others_keep_those_and_follow_them(parameters):
    layout = layout_of(parameters, pair(MEAN, REST, 0.9), pair(FREE, LATE, 0.9))
    known = layout.subset([("d", "mean")])
    values = np.full((4000, 1), 2.0)  # two standard deviations up
    drawn = layout.draw(5, 4000, known=known, values=values)
    assert np.all(drawn[:, 0] == 2.0)
    scores = score(layout.priors[REST], drawn[:, layout.numbers[REST]])
    # Given z = 2 the other is N(1.8, 0.19): standard errors 0.0069 and 0.0049; five of each.
    assert scores.mean() == pytest.approx(1.8, abs=0.035)
    assert scores.std() == pytest.approx(np.sqrt(0.19), abs=0.025)


def test_the_mixing_matrix_is_the_lower_factor_over_the_affine_numbers(parameters):
    layout = layout_of(parameters, pair(MEAN, CHINA, 0.6))
    matrix = layout.mix @ layout.mix.T
    names = [list(layout.numbers)[place] for place in layout.affine]
    expected = np.eye(6)
    expected[names.index(MEAN), names.index(CHINA)] = expected[names.index(CHINA), names.index(MEAN)] = 0.6
    assert matrix == pytest.approx(expected) and np.array_equal(layout.mix, np.tril(layout.mix))


def test_there_is_no_mixing_matrix_where_no_two_numbers_of_the_layout_correlate(parameters):
    assert layout_of(parameters).mix is None
    assert layout_of(parameters, pair(MEAN, Number("thresholds", "t"), 0.5)).mix is None
    assert layout_of(parameters, pair(MEAN, FREE, 0.5)).subset([("d", "mean")]).mix is None
