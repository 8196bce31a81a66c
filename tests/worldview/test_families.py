"""Families against PyMC, and fits to quantiles."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.worldview import FAMILIES, FitError, fit_quantiles
from forecast.worldview.quantile_fit import quantile_level, quantile_name

EXAMPLES = {
    "Normal": {"mu": 0.3, "sigma": 0.7},
    "LogNormal": {"mu": 0.4, "sigma": 0.6},
    "StudentT": {"nu": 4.0, "mu": 0.5, "sigma": 1.3},
    "Uniform": {"lower": -1.0, "upper": 2.5},
    "Beta": {"alpha": 2.0, "beta": 3.5},
    "Gamma": {"alpha": 2.5, "beta": 1.7},
    "InverseGamma": {"alpha": 3.0, "beta": 2.0},
    "Exponential": {"lam": 1.6},
    "HalfNormal": {"sigma": 1.4},
    "TruncatedNormal": {"mu": 0.5, "sigma": 1.1, "lower": -0.5, "upper": 3.0},
    "Triangular": {"lower": -1.0, "c": 0.4, "upper": 2.0},
    "Laplace": {"mu": 0.2, "b": 0.8},
    "Logistic": {"mu": 0.2, "s": 0.6},
    "Weibull": {"alpha": 1.8, "beta": 1.2},
    "SkewNormal": {"alpha": 2.0, "mu": 0.1, "sigma": 1.2},
    "HalfCauchy": {"beta": 0.9},
    "Cauchy": {"alpha": 0.3, "beta": 0.8},
    "Gumbel": {"mu": 0.3, "beta": 0.9},
}


def test_every_family_has_an_example():
    assert set(EXAMPLES) == set(FAMILIES)


def test_every_family_has_the_density_and_the_parameters_of_pymc():
    pm = pytest.importorskip("pymc")
    for name, params in EXAMPLES.items():
        family = FAMILIES[name]
        accepted = inspect.signature(getattr(pm, name).dist).parameters
        assert set(family.names) <= set(accepted), name
        for h in family.hyperparameters:
            if h.default is not None and math.isfinite(h.default):
                assert accepted[h.name].default == h.default, f"{name}.{h.name}"
        points = family.frozen(params).ppf([0.07, 0.4, 0.83])
        ours = family.frozen(params).logpdf(points)
        theirs = pm.logp(getattr(pm, name).dist(**params), points).eval(mode="FAST_COMPILE")
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_multiple_has_multiple_quantiles(name):
    family, params = FAMILIES[name], EXAMPLES[name]
    scaled = family.scaled(params, 60.0)
    if scaled is None:
        assert name == "Beta"
        return
    q = [0.05, 0.5, 0.95]
    np.testing.assert_allclose(family.frozen(scaled).ppf(q), 60 * family.frozen(params).ppf(q), rtol=1e-8)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_shift_shifts_quantiles(name):
    family, params = FAMILIES[name], EXAMPLES[name]
    shifted = family.shifted(params, 5.0)
    if shifted is None:
        assert not family.shifts
        return
    q = [0.05, 0.5, 0.95]
    np.testing.assert_allclose(family.frozen(shifted).ppf(q), 5 + family.frozen(params).ppf(q), rtol=1e-8)


@pytest.mark.parametrize("name", sorted(name for name, family in FAMILIES.items() if family.fits))
@pytest.mark.parametrize("scale", [1.0, 1e26, 1e-9])
def test_quantiles_of_a_member_give_that_member_back(name, scale):
    family = FAMILIES[name]
    params = family.scaled(EXAMPLES[name], scale)
    if params is None:
        pytest.skip("cannot be scaled")
    levels = {1: [0.5], 2: [0.05, 0.95], 3: [0.05, 0.25, 0.95]}[len(family.names)]
    values = family.frozen(params).ppf(levels)
    fitted = fit_quantiles(family, dict(zip(levels, values, strict=True)))
    np.testing.assert_allclose(family.frozen(fitted).ppf(levels), values, rtol=1e-5)
    q = [0.2, 0.7]
    np.testing.assert_allclose(family.frozen(fitted).ppf(q), family.frozen(params).ppf(q), rtol=1e-3)


@pytest.mark.parametrize("name", sorted(name for name, family in FAMILIES.items() if family.fits))
def test_surplus_quantiles_of_a_member_give_that_member_back(name):
    family = FAMILIES[name]
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    values = family.frozen(EXAMPLES[name]).ppf(levels)
    fitted = fit_quantiles(name, dict(zip(levels, values, strict=True)))
    np.testing.assert_allclose(family.frozen(fitted).ppf(levels), values, rtol=1e-3)


def test_a_log_normal_by_quantiles_is_exact():
    params = fit_quantiles("LogNormal", {0.05: 3e26, 0.95: 3e28})
    assert params["mu"] == pytest.approx(np.log(3e27), rel=1e-12)
    assert params["sigma"] == pytest.approx(np.log(100) / (2 * 1.6448536269514722), rel=1e-12)


def test_a_misfit_shows_the_fit_beside_what_was_given():
    with pytest.raises(FitError) as caught:
        fit_quantiles("Normal", {0.05: 0.0, 0.5: 1.0, 0.95: 10.0})
    message = str(caught.value)
    assert "p50 given 1, fitted" in message
    assert "more than 0.02" in message


def test_a_small_misfit_of_surplus_quantiles_is_accepted():
    params = fit_quantiles("LogNormal", {0.1: 0.3, 0.5: 0.6, 0.9: 1.25})
    assert math.exp(params["mu"]) == pytest.approx(0.6, rel=0.05)


@pytest.mark.parametrize(
    ("family", "quantiles", "message"),
    [
        ("Normal", {0.5: 1.0}, "2 parameters .* at least as many quantiles, got 1"),
        ("Normal", {0.05: 2.0, 0.95: 1.0}, "must increase"),
        ("Normal", {0.05: 1.0, 0.95: 1.0}, "must increase"),
        ("Normal", {0.05: 1.0, 0.95: math.inf}, "finite"),
        ("LogNormal", {0.05: -1.0, 0.95: 1.0}, "positive values only"),
        ("Beta", {0.05: 0.1, 0.95: 1.2}, "below 1"),
        ("TruncatedNormal", {0.05: 0.1, 0.95: 1.2}, "cannot be given by quantiles"),
        ("Normal", {0.05: -1.7e308, 0.95: 1.7e308}, "too far apart"),
        ("StudentT", {0.05: 0.1, 0.5: 0.3, 0.95: 0.8}, "no StudentT"),
        ("StudentT", {0.05: -1.0, 0.5: 0.0, 0.95: 1.0}, "do not determine"),
    ],
)
def test_quantiles_that_no_member_has_are_refused_in_words(family, quantiles, message):
    with pytest.raises(FitError, match=message):
        fit_quantiles(family, quantiles)


@pytest.mark.parametrize(
    ("family", "params", "message"),
    [
        ("Normal", {"mu": 0, "sigma": -0.1}, "sigma must be positive, got -0.1"),
        ("Normal", {"mu": 0, "sigma": 0}, "sigma must be positive, got 0"),
        ("Normal", {"mu": math.nan, "sigma": 1}, "mu must be a finite number, got nan"),
        ("Normal", {"mu": math.inf, "sigma": 1}, "mu must be a finite number, got inf"),
        ("Normal", {"mu": True, "sigma": 1}, "mu must be a number, got True"),
        ("Normal", {"mu": "1", "sigma": 1}, "mu must be a number, got '1'"),
        ("Normal", {"mu": 10**400, "sigma": 1}, "mu must be a number"),
        ("Normal", {"mu": 1}, "needs sigma"),
        ("Normal", {"mu": 1, "sigma": 1, "sd": 2}, "no parameter 'sd'"),
        ("Uniform", {"lower": 2, "upper": 1}, "lower must be below upper, got 2 and 1"),
        ("Triangular", {"lower": 0, "c": 3, "upper": 1}, "c must be below upper"),
        ("TruncatedNormal", {"mu": 0, "sigma": 1, "lower": 1, "upper": 1}, "lower must be below upper"),
        ("LogNormal", {"mu": 1000, "sigma": 1}, "natural log"),
    ],
)
def test_wrong_hyperparameters_are_refused_in_words(family, params, message):
    problems = FAMILIES[family].problems(params)
    assert any(message in problem for problem in problems), problems


def test_bounds_may_be_infinite():
    assert not FAMILIES["TruncatedNormal"].problems({"mu": 0, "sigma": 1, "lower": 0, "upper": math.inf})


def test_defaults_are_those_of_pymc():
    assert FAMILIES["StudentT"].complete({"nu": 4, "sigma": 2}) == {"nu": 4, "mu": 0, "sigma": 2}


def test_quantiles_are_named_by_two_digits():
    assert quantile_level("p05") == quantile_level("p5") == 0.05
    assert quantile_level("p00") is None and quantile_level("p100") is None and quantile_level("phi") is None
    assert all(quantile_level(quantile_name(i / 100)) == i / 100 for i in range(1, 100))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FAMILIES)),
    st.dictionaries(
        st.sampled_from([0.05, 0.25, 0.5, 0.9]), st.floats(allow_nan=False, width=64), min_size=1, max_size=4
    ),
)
def test_a_fit_succeeds_or_says_why_not(name, quantiles):
    try:
        params = fit_quantiles(name, quantiles)
    except FitError:
        return
    assert all(math.isfinite(x) for x in params.values())
