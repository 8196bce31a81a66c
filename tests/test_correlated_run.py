"""Correlated priors through whole runs of toy drivers: priors alone, sampled, projected again."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from scipy import stats

from forecast.driver import provides
from forecast.engine import make_plan, run
from forecast.errors import InputError
from forecast.inference import Compiler, SamplerSettings
from forecast.streams import stream
from tests.toys import RUNS, WORLDVIEW, Boost, Line, driver, table, worldview

TINY = SamplerSettings(draws=300, tune=300, chains=2, cores=1, sampler="pymc")
MANY = dataclasses.replace(TINY, draws=2000)

# Only American runs, larger than the prior expects: nothing is known of China but by correlation.
AMERICAN = (
    RUNS.splitlines()[0]
    + """
us_allies,A,2023-07-01,5e25,FLOP,,,,2023-08-01,,made up,https://example.org,,
us_allies,B,2024-07-01,2e26,FLOP,,,,2024-08-01,,made up,https://example.org,,
us_allies,C,2025-07-01,6e26,FLOP,,,,2025-08-01,,made up,https://example.org,,
"""
)

SIDE = 'x = { distribution = "Gamma", alpha = 3, beta = 2, unit = "FLOP", source = "a test" }'

BAR = 29
LEVEL_US, LEVEL_CHINA = '"line.level[us_allies]"', '"line.level[china]"'


def entry(name, one, other, strength):
    return f'[correlations.{name}]\nbetween = [{one}, {other}]\ncorrelation = {strength}\nsource = "a test"\n'


def view_of(folder, *entries, overrides=()):
    folder.mkdir(parents=True, exist_ok=True)
    text = WORLDVIEW.replace("mu = 27,", f"mu = {BAR},")  # far enough that few draws have crossed it
    return worldview(folder, text + "".join(entries), overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("toys")


@pytest.fixture(scope="module")
def toys(folder):
    """A line with evidence for one bloc, a constant, and a number that no evidence reads."""
    side = driver("side", SIDE, base=provides("width", unit="FLOP")(lambda self, m: m["x"]))
    return [Line(table(folder / "evidence", csv=AMERICAN)), Boost(), side]


@pytest.fixture(scope="module")
def plain(folder, toys):
    return run(view_of(folder / "plain"), drivers=toys, settings=MANY, prior_only=True)


@pytest.fixture(scope="module")
def prior(folder, toys):
    view = view_of(
        folder / "prior",
        entry("pair", '"line.growth"', LEVEL_CHINA, 0.7),
        entry("wide", '"line.scatter"', '"side.x"', -0.5),
        entry("bar", '"line.growth"', '"thresholds.compute"', -0.6),
    )
    return run(view, drivers=toys, settings=MANY, prior_only=True)


@pytest.fixture(scope="module")
def compiler():
    return Compiler()


@pytest.fixture(scope="module")
def entries():
    return [
        entry("level", LEVEL_US, LEVEL_CHINA, 0.8),
        entry("width", LEVEL_US, '"side.x"', 0.9),
        entry("bar", LEVEL_US, '"thresholds.compute"', 0.5),
        entry("noise", '"line.scatter"', '"thresholds.compute"', 0.4),
    ]


@pytest.fixture(scope="module")
def sampled(folder, toys, compiler, entries):
    # With 0.8 and 0.9 to one number the other two correlate by at least 0.46.
    more = entry("rest", LEVEL_CHINA, '"side.x"', 0.7) + entry(
        "far", LEVEL_CHINA, '"thresholds.compute"', 0.4
    )
    more += entry("side", '"side.x"', '"thresholds.compute"', 0.45)
    view = view_of(folder / "sampled", *entries, more)
    return run(view, drivers=toys, settings=TINY, compiler=compiler)


def drawn(found, group, name, bloc=None):
    values = found.results[group][name]
    return (values if bloc is None else values.sel(bloc=bloc)).values.ravel()


def spearman(r):
    """Rank correlation of a Gaussian copula."""
    return 6 / np.pi * np.arcsin(r / 2)


# The priors alone --------------------------------------------------------------------------------


def test_a_run_of_the_priors_alone_has_the_asked_rank_correlations(prior):
    """4,000 draws: the standard error of a rank correlation is below 0.016; four of them."""
    growth, bar = drawn(prior, "prior", "line.growth"), drawn(prior, "prior", "thresholds.compute")
    for one, other, r in (
        (growth, drawn(prior, "prior", "line.level", "china"), 0.7),
        (drawn(prior, "prior", "line.scatter"), drawn(prior, "prior", "side.x"), -0.5),
        (growth, bar, -0.6),
        (drawn(prior, "prior", "line.level", "china"), bar, 0.0),
        (growth, drawn(prior, "prior", "side.x"), 0.0),
    ):
        assert stats.spearmanr(one, other).statistic == pytest.approx(spearman(r), abs=0.064)


def test_correlated_numbers_keep_their_own_priors(prior):
    """Kolmogorov-Smirnov at p > 10^-4 for five numbers: one false alarm in 2,000 (and the seed is fixed)."""
    for name, bloc, law in (
        ("line.growth", None, stats.norm(0.5, 0.1)),
        ("line.level", "china", stats.norm(24.5, 1)),
        ("line.scatter", None, stats.halfnorm(scale=0.3)),
        ("side.x", None, stats.gamma(3, scale=0.5)),
        ("thresholds.compute", None, stats.norm(BAR, 0.5)),
    ):
        assert stats.kstest(drawn(prior, "prior", name, bloc), law.cdf).pvalue > 1e-4, name


def test_numbers_without_correlation_have_the_draws_that_they_had(plain, prior):
    assert np.array_equal(
        drawn(plain, "prior", "line.level", "us_allies"), drawn(prior, "prior", "line.level", "us_allies")
    )
    same = [
        np.array_equal(drawn(plain, "prior", name), drawn(prior, "prior", name))
        for name in ("line.scatter", "side.x")
    ]
    assert sorted(same) == [False, True]  # of two that correlate one follows the other


def test_without_correlations_every_number_comes_from_its_own_stream(plain):
    growth = stats.norm(0.5, 0.1).rvs(4000, random_state=stream(11, "prior-only", "line", "growth", 0, 0))
    bar = stats.norm(BAR, 0.5).rvs(4000, random_state=stream(11, "threshold", "compute"))
    assert np.array_equal(drawn(plain, "prior", "line.growth"), growth)
    assert np.array_equal(drawn(plain, "prior", "thresholds.compute"), bar)


def test_a_correlation_changes_the_forecast_and_the_name_of_the_run(plain, prior, toys, folder):
    """Fast growth with low thresholds widens the dates: more draws cross by the horizon's early years."""
    assert plain.id != prior.id
    assert not np.array_equal(plain.results["crossings"]["big"], prior.results["crossings"]["big"])
    strong = view_of(folder / "a", entry("bar", '"line.growth"', '"thresholds.compute"', -0.6))
    weak = view_of(folder / "b", entry("bar", '"line.growth"', '"thresholds.compute"', -0.5))
    ids = {make_plan(one, drivers=toys, settings=MANY, prior_only=True).id for one in (strong, weak)}
    assert len(ids) == 2


# Sampled -----------------------------------------------------------------------------------------


def test_a_number_without_evidence_moves_with_the_one_that_has_it(sampled, plain):
    """China's level given the American one is normal: mean r z, variance 1 - r^2, whatever the evidence."""
    american = drawn(sampled, "posterior", "line.level", "us_allies") - 25
    chinese = drawn(sampled, "posterior", "line.level", "china") - 24.5
    assert american.mean() > 0.5 and american.std() < 0.5  # the evidence speaks
    assert chinese.mean() == pytest.approx(0.8 * american.mean(), abs=0.2)
    rest = (chinese - 0.8 * american) / 0.6
    # 600 draws of which at least 120 are effective: four standard errors of a mean and a spread.
    assert rest.mean() == pytest.approx(0, abs=4 / np.sqrt(120))
    assert rest.std() == pytest.approx(1, abs=4 / np.sqrt(240))
    assert abs(drawn(plain, "prior", "line.level", "china").mean() - 24.5) < 0.1


def test_a_number_that_no_evidence_reads_and_a_threshold_are_drawn_given_the_fitted_ones(sampled):
    american = drawn(sampled, "posterior", "line.level", "us_allies") - 25
    width = stats.norm.ppf(stats.gamma(3, scale=0.5).cdf(drawn(sampled, "posterior", "side.x")))
    chinese = drawn(sampled, "posterior", "line.level", "china") - 24.5
    weights = np.linalg.solve([[1, 0.8], [0.8, 1]], [0.9, 0.7])
    left = width - weights @ [american, chinese]
    spread = np.sqrt(1 - weights @ [0.9, 0.7])
    # Its own stream adds the rest, so 600 draws are independent: four standard errors.
    assert left.mean() == pytest.approx(0, abs=4 * spread / np.sqrt(600))
    assert left.std() == pytest.approx(spread, abs=4 * spread / np.sqrt(1200))
    bar = (drawn(sampled, "posterior", "thresholds.compute") - BAR) / 0.5
    assert bar.mean() > 0.2  # its prior's is 0; the American level moved up


def test_the_group_of_prior_draws_is_correlated_as_well(sampled):
    prior = sampled.results["prior"].to_dataset()
    american, chinese = (prior["line.level"].sel(bloc=bloc).values.ravel() for bloc in ("us_allies", "china"))
    # 1,000 draws: standard error 0.011; four of them.
    assert np.corrcoef(american, chinese)[0, 1] == pytest.approx(0.8, abs=0.045)


def test_projecting_again_draws_the_same_thresholds(sampled):
    again = sampled.project()
    assert np.array_equal(again.thresholds["compute"], drawn(sampled, "posterior", "thresholds.compute"))
    assert np.array_equal(again.crossings["big"].values, sampled.results["crossings"]["big"].values)


def test_the_log_prior_sums_to_the_joint_density(folder, toys, compiler):
    """Beside each number's own log density one variable holds what the correlation adds."""
    view = view_of(folder / "joint", entry("level", LEVEL_US, LEVEL_CHINA, 0.8))
    found = run(view, drivers=toys, settings=dataclasses.replace(TINY, draws=20, tune=20), compiler=compiler)
    log_prior = found.results["log_prior"].to_dataset()
    assert log_prior["correlations"].dims == ("chain", "draw")
    level = found.results["posterior"]["line.level"].values
    joint = stats.multivariate_normal([25, 24.5], [[1, 0.8], [0.8, 1]]).logpdf(level)
    total = log_prior["line.level"].sum("bloc") + log_prior["correlations"]
    assert total.values == pytest.approx(joint)


def test_without_correlations_nothing_is_mixed_and_nothing_is_added(folder, toys, compiler, sampled):
    before = compiler.compilations
    found = run(view_of(folder / "none"), drivers=toys, settings=TINY, compiler=compiler)
    assert compiler.compilations == before + 1  # another structure than the correlated ones
    assert "correlations" not in found.results["log_prior"].to_dataset()
    code = compiler._kept[-1].code
    assert "prior.mix" not in code.named_vars and "prior.loc" in code.named_vars
    chinese = drawn(found, "posterior", "line.level", "china")
    assert chinese.mean() == pytest.approx(24.5, abs=4 / np.sqrt(120))


def test_other_correlations_compile_nothing_more(folder, toys, compiler, sampled):
    before = compiler.compilations
    view = view_of(folder / "more", entry("level", LEVEL_US, LEVEL_CHINA, -0.3))
    few = dataclasses.replace(TINY, draws=20, tune=20)
    run(view, drivers=toys, settings=few, compiler=compiler)
    run(
        view_of(folder / "more", entry("g", '"line.growth"', LEVEL_US, 0.2)),
        drivers=toys,
        settings=few,
        compiler=compiler,
    )
    assert compiler.compilations == before


# What goes wrong ---------------------------------------------------------------------------------


def test_a_fitted_number_of_another_family_is_refused_before_anything_is_compiled(folder, toys):
    view = view_of(folder / "half", entry("x", '"line.scatter"', '"line.growth"', 0.3))
    compiler = Compiler()
    with pytest.raises(InputError, match=r"line.scatter is a HalfNormal; fitted to the evidence"):
        run(view, drivers=toys, settings=TINY, compiler=compiler)
    assert compiler.compilations == 0
    found = run(view, drivers=toys, settings=TINY, prior_only=True)
    rank = stats.spearmanr(drawn(found, "prior", "line.scatter"), drawn(found, "prior", "line.growth"))
    assert rank.statistic == pytest.approx(spearman(0.3), abs=4 / np.sqrt(600))


def test_a_correlation_with_a_number_that_no_driver_reads_is_refused(folder, toys):
    idle = driver(
        "idle",
        SIDE + "\n" + SIDE.replace("x =", "y ="),
        base=provides("idle", unit="FLOP")(lambda self, m: m["x"]),
    )
    view = view_of(folder / "idle", entry("x", '"idle.y"', '"line.growth"', 0.3))
    with pytest.raises(InputError, match=r"\[correlations.x\] between: no loaded driver reads idle.y"):
        run(view, drivers=[*toys, idle], settings=TINY, prior_only=True)


def test_correlations_that_cannot_all_hold_stop_the_plan(folder, toys):
    view = view_of(
        folder / "bad",
        entry("x", LEVEL_US, LEVEL_CHINA, 0.9),
        entry("y", LEVEL_US, '"line.growth"', 0.9),
    )
    with pytest.raises(InputError, match="not positive definite"):
        make_plan(view, drivers=toys, settings=TINY)


# The other sampler -------------------------------------------------------------------------------


def test_the_default_sampler_compiles_correlations_once_and_gives_the_same_answer(folder, toys, sampled):
    settings = dataclasses.replace(TINY, sampler="nutpie")
    compiler = Compiler()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # a model that could not be kept is warned of
        found = run(sampled.worldview, drivers=toys, settings=settings, compiler=compiler)
    made = compiler.compilations + compiler.loads
    view = view_of(folder / "nutpie", entry("level", LEVEL_US, LEVEL_CHINA, -0.8))
    other = run(view, drivers=toys, settings=settings, compiler=compiler)
    assert compiler.compilations + compiler.loads == made == 1
    mine, theirs = (drawn(one, "posterior", "line.level", "china") for one in (found, sampled))
    # At least 100 effective draws each: five standard errors of a difference.
    assert abs(mine.mean() - theirs.mean()) < 5 * np.hypot(mine.std(), theirs.std()) / 10
    assert drawn(other, "posterior", "line.level", "china").mean() < 24.5 - 0.3
