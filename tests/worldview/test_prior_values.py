"""A prior as a distribution, and as a table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.units import UnitError
from forecast.worldview import FAMILIES, Origin
from forecast.worldview.origins import Problems
from forecast.worldview.prior_tables import read_prior


class Anywhere:
    def origin(self, path):
        return Origin("test")


def read(place="threshold", **table):
    problems = Problems()
    prior = read_prior({"unit": "FLOP", "source": "s", **table}, ("x",), Anywhere(), problems, place)
    problems.raise_any()
    return prior


MIXTURE = {
    "mixture": [
        {"weight": 0.25, "distribution": "Normal", "mu": 0.0, "sigma": 1.0, "source": "a"},
        {"weight": 0.75, "distribution": "Normal", "mu": 10.0, "sigma": 2.0, "note": "b"},
    ]
}


def test_a_constant_is_a_number():
    prior = read(value=3)
    assert prior.is_constant and prior.centre() == 3 and prior.support() == (3, 3)
    np.testing.assert_array_equal(prior.rvs(np.random.default_rng(0), (2, 3)), np.full((2, 3), 3.0))
    np.testing.assert_array_equal(prior.logpdf([3, 4]), [0, -np.inf])


def test_a_family_draws_from_itself():
    prior = read(distribution="LogNormal", p05=1, p95=100)
    draws = prior.rvs(np.random.default_rng(0), 20_000)
    assert np.quantile(draws, [0.05, 0.95]) == pytest.approx([1, 100], rel=0.1)
    assert prior.centre() == pytest.approx(10)
    assert prior.support() == (0, np.inf)


def test_the_same_seed_gives_the_same_draws():
    prior = read(**MIXTURE)
    first, second = (prior.rvs(np.random.default_rng(5), 10) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_mixture_has_the_quantiles_and_the_density_of_its_parts():
    prior = read(**MIXTURE)
    q = np.array([0.01, 0.2, 0.25, 0.5, 0.99])
    np.testing.assert_allclose(prior.cdf(prior.ppf(q)), q, atol=1e-9)
    parts = [component for _, component in prior.components]
    expected = np.log(0.25 * np.exp(parts[0].logpdf(1.0)) + 0.75 * np.exp(parts[1].logpdf(1.0)))
    assert prior.logpdf(1.0) == pytest.approx(expected)
    share = np.mean(prior.rvs(np.random.default_rng(1), 20_000) < 4)
    assert share == pytest.approx(0.25, abs=0.02)  # six standard errors


def test_extreme_quantiles_of_a_mixture_are_those_of_its_support():
    prior = read(**MIXTURE)
    np.testing.assert_array_equal(prior.ppf([0.0, 1.0]), [-np.inf, np.inf])


@pytest.mark.parametrize(
    "table", [MIXTURE, {"value": 3.0}, {"distribution": "LogNormal", "p05": 1.0, "p95": 9.0}]
)
def test_a_prior_converts_with_its_quantiles(table):
    prior = read(**table, place="parameter", unit="work month")
    converted = prior.converted("minute")
    q = [0.05, 0.4, 0.9]
    np.testing.assert_allclose(converted.ppf(q), 167 * 60 * prior.ppf(q), rtol=1e-9)
    assert converted.unit == "minute"
    for level, value in converted.quantiles.items():
        assert converted.ppf(level) == pytest.approx(value)


def test_a_log_converts_by_a_shift():
    prior = read(place="parameter", distribution="Normal", mu=2.0, sigma=0.3, unit="log10 hour")
    converted = prior.converted("log10 minute")
    assert converted.params == pytest.approx({"mu": 2 + np.log10(60), "sigma": 0.3})
    with pytest.raises(UnitError, match="give the values, not their logs"):
        prior.converted("minute")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"mixture": []}, "mixture must be a list"),
        ({"mixture": [3]}, "must be a table with weight"),
        ({"mixture": [{"weight": 1}]}, "distribution is missing"),
        ({"mixture": [{"distribution": "Normal", "mu": 0, "sigma": 1}]}, "weight must be a share"),
        (
            {"mixture": [{"weight": -1, "distribution": "Normal", "mu": 0, "sigma": 1}]},
            "weight must be a share",
        ),
        (
            {"mixture": [{"weight": 0.5, "distribution": "Normal", "mu": 0, "sigma": 1}]},
            "must sum to 1, these sum to 0.5",
        ),
        (
            {"mixture": [{"weight": 1, "distribution": "Normal", "mu": 0, "sigma": -1}]},
            r"mixture\[0\]: sigma must be positive",
        ),
        (
            {"mixture": [{"weight": 1, "distribution": "Normal", "mu": 0, "sigma": 1, "unit": "FLOP"}]},
            "no parameter 'unit'",
        ),
        (
            {"mixture": [{"weight": 1, "distribution": "Normal", "mu": 0, "sigma": 1}], "mu": 3},
            "nothing reads the key 'mu'",
        ),
    ],
)
def test_a_wrong_mixture_is_refused(table, message):
    with pytest.raises(Exception, match=message):
        read(**table)


finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-3, 1e3)


@st.composite
def laws(draw):
    family = FAMILIES[draw(st.sampled_from(sorted(FAMILIES)))]
    params = {h.name: draw(positive if h.positive else finite) for h in family.hyperparameters}
    ends = sorted([draw(finite), draw(finite), draw(finite)])
    params |= {name: end for name, end in zip(("lower", "c", "upper"), ends, strict=True) if name in params}
    if family.problems(params):
        params = {h.name: 1.0 for h in family.hyperparameters} | {
            name: x for name, x in (("lower", 0.0), ("c", 0.5)) if name in params
        }
    return {"distribution": family.name, **params}


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        finite.map(lambda x: {"value": x}),
        laws(),
        st.lists(st.floats(0.1, 100), min_size=2, max_size=2, unique=True).map(
            lambda xs: {"distribution": "LogNormal", "p10": min(xs), "p90": max(xs) + 1}
        ),
        st.lists(laws(), min_size=2, max_size=3).map(
            lambda found: {"mixture": [{"weight": 1 / len(found), **law} for law in found]}
        ),
    ),
    st.booleans(),
    st.sampled_from(["", "a note"]),
)
def test_the_table_of_a_prior_reads_back_as_the_same_prior(law, judgement, note):
    prior = read(place="driver", **law, judgement=judgement, note=note, per="bloc", blocs=["china"])
    again = read(place="driver", **prior.to_toml_table())
    assert again == prior
    assert prior.summary()


def test_the_shares_of_a_mixture_are_bayes_rule_and_return_its_weights():
    parts = [
        {"label": "low", "weight": 0.3, "distribution": "Normal", "mu": 0, "sigma": 1},
        {"label": "high", "weight": 0.7, "distribution": "Normal", "mu": 3, "sigma": 1},
    ]
    prior = read(mixture=parts, unit="number")
    assert [component.label for _, component in prior.components] == ["low", "high"]
    x = np.array([-1.0, 0.0, 1.5, 6.0])
    low, high = 0.3 * stats.norm.pdf(x), 0.7 * stats.norm.pdf(x, 3)
    assert prior.shares(x) == pytest.approx(np.stack([low, high], axis=-1) / (low + high)[:, None])
    # Over draws of the prior itself the mean share is the weight: 20,000 draws, standard error below 0.004.
    drawn = prior.rvs(np.random.default_rng(1), 20_000)
    assert prior.shares(drawn).mean(axis=0) == pytest.approx([0.3, 0.7], abs=0.016)
