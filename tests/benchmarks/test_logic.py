"""The arithmetic of the benchmarks, on numbers small enough to check by hand."""

from __future__ import annotations

import sys
from datetime import date

import numpy as np
import pytest
from scipy import stats

from benchmarks import prediction, processes, seeds, shares, speed
from benchmarks.handwritten import crossings, month_starts
from benchmarks.speed import Crossings


def test_a_process_costs_wall_time_and_memory():
    cost = processes.cost_of([sys.executable, "-c", "x = bytearray(50_000_000); print(len(x))"])
    assert cost.output.strip() == "50000000"
    assert 0 < cost.cpu and 0 < cost.wall
    assert 0.05 < cost.peak < 1


def test_the_peak_is_that_of_the_process_and_not_of_the_one_that_measures():
    ballast = np.ones(150_000_000)  # 1.2 GB, in memory
    cost = processes.cost_of([sys.executable, "-c", "pass"])
    assert cost.peak < 0.1 < ballast.nbytes / 1e9


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="boom"):
        processes.cost_of([sys.executable, "-c", "raise SystemExit('boom')"])


def test_equal_weights_give_the_usual_interval():
    draws = np.random.default_rng(1).standard_normal((4000, 2))
    low, high = prediction.weighted_interval(draws, np.zeros_like(draws))
    np.testing.assert_allclose([low, high], np.quantile(draws, (0.05, 0.95), axis=0), atol=0.02)


def test_weights_move_the_interval_to_the_other_distribution():
    # Weighting N(0, 1) draws by exp(x) turns them into draws of N(1, 1).
    draws = np.random.default_rng(2).standard_normal((40_000, 1))
    low, high = prediction.weighted_interval(draws, draws)
    np.testing.assert_allclose([low[0], high[0]], 1 + stats.norm.ppf([0.05, 0.95]), atol=0.15)


def test_the_line_leaves_each_row_out():
    dates, values = np.array([0.0, 1, 2, 3, 4]), np.array([0.0, 1, 2, 3, 9])
    widths = prediction.line_widths(dates, values)
    assert widths[-1] == pytest.approx(0, abs=1e-9)  # the other four lie on a line
    x, y = dates[1:], values[1:]
    fit = stats.linregress(x, y)
    s = np.sqrt(np.sum((y - fit.intercept - fit.slope * x) ** 2) / 2)
    expected = (
        2 * stats.t.ppf(0.95, 2) * s * np.sqrt(1 + 1 / 4 + (0 - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2))
    )
    assert widths[0] == pytest.approx(expected)


def test_a_row_label_is_name_bloc_and_date():
    assert prediction.read_label("GPT-4 (0314) (us_allies, 2023-03-14)") == (
        "GPT-4 (0314)",
        "us_allies",
        "2023-03-14",
    )
    with pytest.raises(ValueError, match="name"):
        prediction.read_label("GPT-4")


def summary(p, m):
    bloc = {"p_in": p, "p_never": 0.5, "mcse": {"p_in": m, "p_never": m}}
    lead = {
        "p_unipolar": {"china": 0.2},
        "p_bipolar": 0.1,
        "mcse": {"p_unipolar": {"china": m}, "p_bipolar": m},
    }
    good = {"r_hat_max": 1.0, "ess_bulk_min": 900.0, "ess_tail_min": 500.0, "divergences": 0}
    return {"milestones": {"agi": {"blocs": {"china": bloc}, "lead": lead}}, "diagnostics": good}


def test_seeds_agree_within_four_standard_errors_of_the_difference():
    assert len(seeds.probabilities(summary(0.3, 0.01))) == 4
    close = seeds.judge([summary(0.30, 0.01), summary(0.35, 0.01)], [1, 2])
    assert close["ok"] and close["apart"] == []
    apart = seeds.judge([summary(0.30, 0.01), summary(0.36, 0.01)], [1, 2])
    assert not apart["ok"]
    assert [one["what"] for one in apart["apart"]] == ["agi.china.p_in"]


def test_a_seed_that_did_not_converge_or_is_too_noisy_is_no_good():
    bad = summary(0.3, 0.01)
    bad["diagnostics"] |= {"ess_tail_min": 399.0, "r_hat_max": None}
    assert seeds.judge([bad], [1])["seeds"][0]["unconverged"] == ["r_hat_max", "ess_tail_min"]
    assert not seeds.judge([summary(0.3, 0.016)], [1])["ok"]


def test_shares_of_the_later_condition_sum_to_one():
    inf = np.inf
    first, second = np.array([2030.0, 2031, inf, inf, 2030]), np.array([2031.0, 2030, 2030, inf, 2030])
    found = shares.later_shares(first, second, np.ones(5, dtype=bool))
    assert found == {"first": 0.4, "second": 0.2, "same": 0.2, "neither": 0.2}


def test_an_intervention_is_compared_draw_by_draw():
    inf = np.inf
    base, free = np.array([2030.0, 2032, 2034, inf, inf]), np.array([2030.0, 2031, 2032, 2050, inf])
    counts = np.array([True, True, True, True, False])
    found = shares.earlier(base, free, counts)
    assert found["later"] == 0
    assert found["median_of_pairs"] == 1
    assert found["gained"] == 0.25
    assert shares.earlier(free, base, counts)["later"] == 3


def test_programs_are_compared_by_shares_at_our_quantiles():
    rng = np.random.default_rng(3)
    accepted = np.ones((4, 1000), dtype=bool)
    one, same, other = (
        Crossings(2030 + rng.gamma(2, 3 + shift, (4, 1000, 1)), accepted) for shift in (0, 0, 1)
    )
    assert max(abs(row["z"]) for row in speed.compare(one, same)) < 4
    assert max(abs(row["z"]) for row in speed.compare(one, other)) > 4


def test_verdicts_take_what_was_measured():
    assert speed.verdicts({"start": {"help": 0.2, "click": 0.1}}) == [
        {"what": "--help / import click", "value": 2.0, "target": 3.0, "ok": True}
    ]
    rows = speed.verdicts({"refits": {"cold": {"first": 10.0, "second": 5.0, "compilations": 1, "loads": 0}}})
    assert [row["ok"] for row in rows] == [False, True]
    fit = {"first": 10.0, "second": 1.0, "compilations": 1, "loads": 0, "write": 0.5, "draws": "a"}
    cold = fit | {"cpu": {"start": 2.0, "compile": 90.0, "sample": 60.0, "project": 4.0}}
    warm = fit | {"cpu": {"start": 2.0, "compile": 0.9, "sample": 60.0, "project": 4.0}, "draws": "b"}
    rows = {row["what"]: row for row in speed.verdicts({"refits": {"cold": cold, "warm": warm}})}
    assert rows["compile phase, CPU, warm / cold cache"]["value"] == pytest.approx(0.01)
    assert rows["CPU seconds beside sampling, warm cache"]["value"] == pytest.approx(6.9)
    assert [what for what, row in rows.items() if not row["ok"]] == ["fits whose draws the cache changed"]


def test_a_milestone_needs_both_conditions_at_one_moment():
    class Fixed:
        def __init__(self, value):
            self.value = value

        def rvs(self, rng, size):
            return np.full(size, self.value)

    years = month_starts("2031-02")
    thresholds = {
        "training_compute": Fixed(27.0),
        "effective_compute": Fixed(28.0),
        "time_horizon": Fixed(10 / 60),
    }
    agi = type("Milestone", (), {"unreachable": 0.0})()
    known = {"thresholds": thresholds, "milestones": {"agi": agi}, "as_of": date(2026, 6, 30)}
    view = type("View", (), known)()
    inputs = type("Inputs", (), {"view": view})()
    rising = 20 + years[None] * np.ones((3, 2, 1))  # 27 at 2031.0, capability long before
    q = {"training_compute": rising, "effective_compute": rising + 9, "time_horizon_80": rising}
    found = crossings(inputs, q, years, np.random.default_rng(0))
    np.testing.assert_allclose(found, 2031.0)
    low = {**q, "training_compute": rising - 1}
    assert np.isinf(crossings(inputs, low, years, np.random.default_rng(0))).all()
