"""Truths obey the worldview's condition, rows the likelihood's, and ranks are what they claim."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast.calibration.ranks import randomised_ranks, spreads
from forecast.calibration.simulator import Draws, Simulator
from forecast.dates import end_of
from forecast.driver import observes, observes_crossing
from forecast.engine import make_plan
from tests import toys


@pytest.fixture
def tables(tmp_path):
    return toys.table(tmp_path / "evidence")


def simulator(folder, *drivers, overrides=()):
    return Simulator(make_plan(toys.worldview(folder, overrides=overrides), drivers=drivers))


def test_truths_have_not_crossed_and_do_not_depend_on_how_many_there_are(tmp_path, tables):
    made = simulator(tmp_path, toys.Line(tables), toys.Luck(), overrides=["thresholds.compute.mu=26.5"])
    few = made.truth(2)
    many = made.prior(1500)
    assert len(many.flat) >= 1500
    assert len(many.flat) < many.tried  # some had crossed, and are no truths
    assert (many.dates > end_of(toys.AS_OF)).all()
    np.testing.assert_array_equal(many.flat[2], few.flat[0])
    np.testing.assert_array_equal(made.truth(1400).flat[0], many.flat[1400])


def test_evidence_on_crossing_dates_conditions_truths_and_posterior_draws_alike(tmp_path, tables):
    def late(self, x, data):  # experts who rule out a crossing before 2030
        return np.where(x.first > 2030, 0.0, -np.inf)

    opinions = toys.table(tmp_path / "opinions", owner="said")
    said = toys.driver("said", evidence=opinions, late=observes_crossing("runs", milestone="big")(late))
    made = simulator(tmp_path, toys.Line(tables), toys.Luck(), said)
    assert (made.prior(100).dates.min(axis=1) > 2030).all()
    inferred = np.tile(made.start(made.truth(0)), (300, 1))
    posterior = made.posterior(inferred, 0)
    assert 0 < len(posterior.flat) < 300
    assert (posterior.dates.min(axis=1) > 2030).all()
    np.testing.assert_array_equal(posterior.flat[0, list(made.numbers.values())], inferred[0])


def test_simulated_rows_are_censored_as_real_ones_and_so_is_their_likelihood(tmp_path, tables):
    def bounded(table, context):
        return context.observations(table, most=np.full(len(table.rows), 24.5))

    class Capped(toys.Line):
        @observes("runs", prepare=bounded)
        def measured(self, m, data):
            m.censored_normal(data, mean=m.at(m["compute"], data), sd=m["scatter"], upper="most")

    made = simulator(tmp_path, Capped(tables))
    truth = made.truth(3)
    rows = made.rows(truth, 3)
    (after,), (before,) = rows.likelihoods, made.history.likelihoods
    assert after.observed.max() == 24.5 and after.observed.min() < 24.5
    np.testing.assert_array_equal(after.observations.columns["error"], before.observations.columns["error"])
    np.testing.assert_array_equal(rows.data["runs.value"][1], after.observed)
    place = made.numbers
    level = truth.flat[0, [place["line.level[us_allies]"], place["line.level[china]"]]]
    years = after.observations.columns["date"] - 2024.0
    mean = level[after.observations.bloc] + truth.flat[0, place["line.growth"]] * years
    law = stats.norm(mean, truth.flat[0, place["line.scatter"]])
    expected = np.where(after.observed == 24.5, law.logsf(24.5), law.logpdf(after.observed)).sum()
    names = made.names
    found = made.quantities(truth, rows)[0, names.index("log_likelihood")]
    assert found == pytest.approx(expected, rel=1e-3)  # trajectories are linear between months


def test_a_lead_beyond_the_horizon_ends_there(tmp_path, tables):
    made = simulator(tmp_path, toys.Line(tables))
    flat = made.prior(1).flat[:3]
    dates = np.array([[2030.0, np.inf], [np.inf, 2031.5], [np.inf, np.inf]])
    found = made.quantities(Draws(flat, dates, 3), made.history)
    lead = found[:, made.names.index("lead")]
    np.testing.assert_allclose(lead, [3.0, -1.5, 0.0])  # the horizon is the end of 2032
    np.testing.assert_array_equal(found[:, made.names.index("big[china]")], dates[:, 1])


def test_ranks_of_a_truth_among_draws_of_its_own_law_are_uniform_ties_and_infinities_too():
    rng = np.random.default_rng(1)
    ranks = []
    for _ in range(2000):
        draws = rng.integers(3, size=(rng.integers(5, 30), 2)).astype(float)
        draws[draws == 2] = np.inf
        ranks.append(randomised_ranks(draws[0], draws[1:], rng))
    for column in np.array(ranks).T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3


def test_spread_of_dates_is_that_of_their_place_among_prior_dates():
    prior = np.sort(np.append(np.linspace(2030, 2050, 99), np.inf))
    values = np.column_stack([np.append(np.linspace(2030, 2050, 99), np.inf), np.full(100, np.e)])
    found = spreads(values, np.array([False, True]), {0: prior})
    assert found[0] == pytest.approx(1 / 12, rel=0.01)
    assert found[1] == 0
