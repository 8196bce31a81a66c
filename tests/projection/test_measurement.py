"""Pointwise log-likelihood and predictions against scipy."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from forecast.driver import observes, provides
from forecast.model import build_graph
from forecast.projection import measure
from tests.toys import Line, draws_of, driver, spec_of, table, worldview

END = date(2028, 1, 1)
PRIORS = """\
k = { distribution = "Normal", mu = 25, sigma = 0.5, unit = "log10 FLOP", source = "t" }
s = { distribution = "LogNormal", mu = -1.5, sigma = 0.2, unit = "dex", source = "t" }
"""
VALUE = np.log10([5e24, 2e25, 6e25, 3e24, 1e25])


def observer(folder, method, prepare=None):
    return driver(
        "d",
        PRIORS,
        table(folder, owner="d"),
        base=provides("x", unit="FLOP")(lambda self, m: m["k"]),
        seen=observes("runs", prepare=prepare)(method),
    )


def measured(tmp_path, method, size=4000, prepare=None):
    graph = build_graph(spec_of(worldview(tmp_path), observer(tmp_path / "e", method, prepare)), END)
    draws = draws_of(graph, size)
    return measure(graph, draws, seed=2), draws["d", "k"][:, None], draws["d", "s"][:, None]


def test_normal_rows_have_the_log_density_of_scipy(tmp_path):
    found, k, s = measured(
        tmp_path, lambda self, m, data: m.normal(data, mean=m.at(m["x"], data), sd=m["s"]), size=50
    )
    assert found.log_likelihood["runs"] == pytest.approx(stats.norm(k, s).logpdf(VALUE))
    assert found.mean["runs"] == pytest.approx(np.tile(k, 5)) and found.sd["runs"] == pytest.approx(
        np.tile(s, 5)
    )
    assert found.observed["runs"] == pytest.approx(VALUE)


def test_student_rows_have_the_log_density_of_scipy(tmp_path):
    found, k, s = measured(
        tmp_path,
        lambda self, m, data: m.student_t(data, mean=m.at(m["x"], data), sd=m["s"], nu=3.0),
        size=50,
    )
    assert found.log_likelihood["runs"] == pytest.approx(stats.t(3, loc=k, scale=s).logpdf(VALUE))


def test_a_censored_row_has_the_probability_of_at_least_its_bound(tmp_path):
    found, k, s = measured(
        tmp_path,
        lambda self, m, data: m.censored_normal(data, mean=m.at(m["x"], data), sd=m["s"]),
        size=50,
        prepare=lambda rows, context: context.observations(rows, limit=np.full(5, 25.2)),
    )
    law = stats.norm(k, s)
    expected = np.where(VALUE >= 25.2, law.logsf(25.2), law.logpdf(np.minimum(VALUE, 25.2)))
    assert found.log_likelihood["runs"] == pytest.approx(expected)
    assert found.observed["runs"].max() == 25.2 and np.sum(VALUE >= 25.2) == 2


def test_predictions_have_the_models_mean_and_standard_deviation(tmp_path):
    found, k, s = measured(tmp_path, lambda self, m, data: m.normal(data, mean=m.at(m["x"], data), sd=m["s"]))
    drawn = (found.predictive["runs"] - k) / s
    # 4,000 draws: standard errors 0.016 and 0.011; four of each, one false alarm in 10^4 a number.
    assert drawn.mean(axis=0) == pytest.approx(np.zeros(5), abs=0.064)
    assert drawn.std(axis=0) == pytest.approx(np.ones(5), abs=0.045)
    # Rows are independent given the parameters: the same standard error.
    assert np.corrcoef(drawn.T)[0, 1:] == pytest.approx(np.zeros(4), abs=0.064)


def test_student_predictions_have_wider_tails(tmp_path):
    found, k, s = measured(
        tmp_path, lambda self, m, data: m.student_t(data, mean=m.at(m["x"], data), sd=m["s"], nu=3.0)
    )
    drawn = ((found.predictive["runs"] - k) / s)[:, 0]
    assert stats.kstest(drawn, stats.t(3).cdf).pvalue > 1e-4  # one false alarm in 10^4
    assert stats.kstest(drawn, stats.norm.cdf).pvalue < 1e-4


def test_the_same_seed_gives_the_same_predictions_and_another_others(tmp_path):
    graph = build_graph(spec_of(worldview(tmp_path), Line(table(tmp_path / "e"))), END)
    draws = draws_of(graph, 20)
    one, two, other = (measure(graph, draws, seed=seed).predictive["runs"] for seed in (1, 1, 2))
    assert np.array_equal(one, two) and not np.any(one == other)


@pytest.mark.parametrize("size", [5, 2005])
def test_as_many_draws_as_rows_in_a_block_are_no_trouble(tmp_path, size):
    """An error that no parameter moves has one axis, and may be as long as a block of draws."""
    found, k, _ = measured(
        tmp_path,
        lambda self, m, data: m.normal(data, mean=m.at(m["x"], data) + 0.0 * m["s"], sd=data.error),
        size=size,
    )
    error = np.array([0.2, np.log10(4) / (2 * stats.norm.ppf(0.95)), 0.2, 0.2, 0.2])
    assert found.log_likelihood["runs"] == pytest.approx(stats.norm(k, error).logpdf(VALUE))


def test_a_table_without_rows_is_left_out(tmp_path):
    spec = spec_of(worldview(tmp_path), Line(table(tmp_path / "e")))
    empty = {key: rows.with_rows([]) for key, rows in spec.evidence.items()}
    graph = build_graph(spec.__class__(**{**vars(spec), "evidence": empty}), END)
    assert measure(graph, draws_of(graph, 3), seed=1).log_likelihood == {}
