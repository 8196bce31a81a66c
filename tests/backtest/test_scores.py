"""Scores, baselines and the placebo by themselves, against what is known of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import scoringrules
from scipy import stats

from forecast.backtest.baselines import (
    Known,
    Unavailable,
    log_linear,
    published_growth,
    published_tables,
    random_walk,
)
from forecast.backtest.dates import bucket, months_later
from forecast.backtest.outcomes import all_series, leading, outcomes
from forecast.backtest.placebo import LEVEL, growth_break, placebo
from forecast.backtest.predictive import LEVELS, Mixture
from forecast.host import load_host
from forecast.model import build_graph
from forecast.model.observations import PrepareContext
from forecast.report.backtest_figures import ecdf_band
from forecast.spec import history_end, make_spec
from forecast.worldview import load_worldview
from tests import toys


def generator(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


def known(years: list[float], values: list[float], error: float = 0.05) -> Known:
    return Known(np.array(years), np.array(values), np.full(len(years), error))


def test_the_crps_and_the_log_score_of_a_normal_are_the_known_ones() -> None:
    score = Mixture.of(1.0, 2.0).score(2.5, generator())
    assert score.crps == pytest.approx(float(scoringrules.crps_normal(2.5, 1.0, 2.0)), abs=2e-3)
    assert score.log_score == pytest.approx(stats.norm.logpdf(2.5, 1.0, 2.0))
    assert score.pit == pytest.approx(stats.norm.cdf(0.75))
    assert score.quantiles[2] == pytest.approx(1.0, abs=0.01)


def test_the_density_of_a_mixture_is_the_mean_of_its_parts_densities() -> None:
    mixture = Mixture.of([0.0, 3.0], [1.0, 0.5], [np.inf, 4.0])
    wanted = (stats.norm.pdf(2.0) + stats.t.pdf(2.0, 4, 3.0, 0.5)) / 2
    assert np.exp(mixture.log_density(2.0)) == pytest.approx(wanted)
    assert mixture.below(2.0) == pytest.approx((stats.norm.cdf(2.0) + stats.t.cdf(2.0, 4, 3.0, 0.5)) / 2)


def test_scores_are_proper_and_coverage_and_pit_are_those_of_a_right_prediction() -> None:
    """Of 600 outcomes: standard errors of 2 points in coverage; the mean score separates by far."""
    draw = generator(1)
    right = [Mixture.of(0.0, 1.0).score(y, draw) for y in draw.standard_normal(600)]
    draw = generator(1)
    narrow = [Mixture.of(0.0, 0.5).score(y, draw) for y in draw.standard_normal(600)]
    for place, level in enumerate(LEVELS):
        assert np.mean([one.covered[place] for one in right]) == pytest.approx(level, abs=0.065)
        assert np.mean([one.covered[place] for one in narrow]) < level - 0.1
    assert np.mean([one.crps for one in right]) < np.mean([one.crps for one in narrow])
    assert np.mean([one.log_score for one in right]) > np.mean([one.log_score for one in narrow])
    assert stats.kstest([one.pit for one in right], "uniform").pvalue > 0.001


def test_a_censored_number_is_scored_by_the_probability_of_at_least_that() -> None:
    mixture = Mixture.of(2.0, 1.0)
    score = mixture.score(9.0, generator(), bound=3.0)
    assert score.log_score == pytest.approx(stats.norm.logsf(1.0))
    assert stats.norm.cdf(1.0) <= score.pit <= 1.0
    assert score.crps == pytest.approx(mixture.score(3.0, generator(), bound=3.0).crps)
    assert score.covered == (False, True, True)  # 3.0 is its 84% quantile: beyond the central half
    assert max(score.quantiles) == 3.0


def test_the_log_linear_prediction_is_the_textbook_interval_of_least_squares() -> None:
    x, y = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.1, 0.9, 2.2, 3.9])
    found = log_linear(known(list(2020 + x), list(y), 1e-6), 2026.0)
    fit = stats.linregress(x, y)
    rest = y - fit.intercept - fit.slope * x
    s = np.sqrt(np.sum(rest**2) / 2)
    assert found.mean[0] == pytest.approx(fit.intercept + 6 * fit.slope)
    assert found.sd[0] == pytest.approx(
        s * np.sqrt(1 + 1 / 4 + (6 - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2))
    )
    assert found.nu[0] == 2
    with pytest.raises(Unavailable, match="2 rows known"):
        log_linear(known([2020, 2021], [0, 1]), 2022)


def test_a_random_walk_starts_at_the_last_row_and_widens() -> None:
    rows = known([2020, 2021, 2022, 2023], [0.0, 0.4, 1.2, 1.5])
    near, far = random_walk(rows, 2024.0), random_walk(rows, 2026.0)
    assert near.mean[0] == pytest.approx(2.0) and far.mean[0] == pytest.approx(3.0)
    assert far.sd[0] > near.sd[0]
    planned = known([2020, 2021, 2022, 2023, 2027], [0.0, 0.4, 1.2, 1.5, 9.0])
    assert random_walk(planned, 2026.0).mean[0] == pytest.approx(3.0)  # a plan for later is no step
    with pytest.raises(Unavailable, match="1 row of different dates known"):
        random_walk(known([2020, 2020], [0.0, 0.1]), 2022)


def test_naive_forecasts_cover_what_they_say_where_they_are_true() -> None:
    """400 lines and walks each: a standard error of 2 points at 80%."""
    draw, inside = generator(2), {"line": 0, "walk": 0}
    years = np.linspace(2020, 2024, 9)
    for _ in range(400):
        line = 0.5 * (years - 2020) + 0.2 * draw.standard_normal(9)
        truth = 0.5 * 5 + 0.2 * draw.standard_normal()
        found = log_linear(Known(years, line, np.full(9, 1e-3)), 2025.0)
        inside["line"] += abs(found.below(truth) - 0.5) <= 0.4
        steps = 0.25 + 0.3 * np.sqrt(0.5) * draw.standard_normal(11)
        walk = np.concatenate([[0.0], np.cumsum(steps)])
        found = random_walk(Known(years, walk[:9], np.full(9, 1e-6)), 2025.0)
        inside["walk"] += abs(found.below(walk[10]) - 0.5) <= 0.4
    assert inside["line"] / 400 == pytest.approx(0.8, abs=0.06)
    assert inside["walk"] / 400 == pytest.approx(0.8, abs=0.06)


def test_published_growth_is_the_last_statement_by_the_as_of_date_about_the_bloc_or_the_world() -> None:
    rows = known([2024.0, 2024.5, 2025.0], [25.0, 25.3, 25.6])

    def growth(as_of: date, bloc: str) -> float:
        said = {"series": "training_runs", "bloc": bloc, "as_of": as_of}
        near, far = (published_growth(rows, at, **said) for at in (2026.0, 2027.0))
        return float(far.mean.mean() - near.mean.mean())

    assert growth(date(2022, 6, 30), "china") == pytest.approx(np.log10(2.3), abs=1e-6)
    assert growth(date(2024, 6, 30), "china") == pytest.approx(np.log10(4.5), abs=1e-3)
    assert growth(date(2025, 6, 30), "china") == pytest.approx(np.log10(2.93), abs=1e-3)
    assert growth(date(2025, 6, 30), "us_allies") == pytest.approx(np.log10(4.78), abs=1e-3)
    with pytest.raises(Unavailable, match="no published growth rate"):
        published_growth(rows, 2026.0, series="training_runs", bloc="china", as_of=date(2021, 1, 1))


def test_every_published_growth_rate_has_a_source_and_an_address_and_names_a_table_that_there_is() -> None:
    tables = {table.name for table in load_host().evidence().values()}
    rows = [row for table in published_tables().values() for row in table.rows]
    assert len(rows) >= 10
    for row in rows:
        assert row.source and row.url.startswith("https://") and row.extra["about"] in tables


def test_the_months_ahead_of_a_row_are_the_first_distance_that_it_is_within() -> None:
    as_of = date(2024, 6, 30)
    assert [bucket(as_of, day) for day in (date(2024, 12, 31), date(2025, 1, 1), date(2025, 6, 30))] == [
        6,
        12,
        12,
    ]
    assert [bucket(as_of, day) for day in (date(2026, 6, 30), date(2026, 7, 1))] == [24, None]
    assert months_later(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_later(date(2025, 2, 28), -12) == date(2024, 2, 29)


def test_plans_are_no_outcomes_and_the_latest_vintage_is_the_truth(tmp_path: Path) -> None:
    tables = toys.TABLES.replace("default_error = 0.2", 'vintages = "row"\ndefault_error = 0.2')
    tables = tables.replace('period_months = "integer?"', 'kind = ["forecast", "actual"]')
    rows = [
        "us_allies,A,2024-12-31,1e24,FLOP,,,,2024-08-20,2024-08-20,made up,https://example.org,,forecast",
        "us_allies,A,2024-12-31,2e24,FLOP,,,,2025-02-01,2025-02-01,made up,https://example.org,,actual",
        "us_allies,A,2024-12-31,3e24,FLOP,,,,2026-02-01,2026-02-01,made up,https://example.org,,actual",
        "us_allies,B,2026-12-31,9e24,FLOP,,,,2026-02-01,2026-02-01,made up,https://example.org,,forecast",
    ]
    csv = "\n".join([toys.RUNS.splitlines()[0].replace("period_months", "kind"), *rows]) + "\n"
    found = outcomes(toys.table(tmp_path, csv, tables=tables)["runs"])
    assert [row.value for row in found.rows] == [3e24]


def test_a_row_leads_if_none_of_its_bloc_in_the_year_before_was_higher(tmp_path: Path) -> None:
    table = toys.table(tmp_path)["runs"]
    context = PrepareContext(as_of=toys.AS_OF, blocs=toys.BLOCS)
    days = [date(2024, 1, 1), date(2024, 6, 1), date(2024, 12, 1), date(2025, 5, 1), date(2025, 5, 2)]
    values = [5e24, 3e24, 4e24, 4.5e24, 1e24]
    rows = [replace(table.rows[0], date=day, value=value) for day, value in zip(days, values, strict=True)]
    assert leading(context.observations(table.with_rows(rows))).tolist() == [True, False, False, True, False]


def breaks(effect: float, seed: int) -> list[float]:
    """p of a change of growth at 2023-06-30, of 200 simulated pairs of blocs."""
    draw, found = generator(seed), []
    at = np.tile(np.linspace(2021.6, 2025.4, 25), 2)
    restricted = np.repeat([True, False], 25)
    day = date(2023, 6, 30)
    for _ in range(200):
        value = 0.6 * (at - 2021) + np.where(restricted, 0.4, 0.2) * draw.standard_normal(50)
        value = value + effect * restricted * np.maximum(at - 2023.5, 0)
        one = growth_break(at, value, restricted, day)
        assert one is not None
        found.append(one.p)
    return found


def test_fake_dates_find_nothing_about_as_often_as_the_level_says_and_a_real_break_is_found() -> None:
    """200 worlds without a break: a standard error of 2 points at 10%."""
    assert np.mean(np.array(breaks(0.0, 3)) < LEVEL) == pytest.approx(LEVEL, abs=0.065)
    assert np.mean(np.array(breaks(-1.0, 4)) < LEVEL) > 0.8


def test_a_break_needs_rows_of_both_groups_on_both_sides() -> None:
    at = np.linspace(2022, 2025, 20)
    assert growth_break(at, at, np.arange(20) % 2 == 0, date(2022, 3, 1)) is None


def test_the_placebo_of_the_shipped_evidence_tests_fake_dates_clear_of_every_event() -> None:
    host = load_host()
    spec = make_spec(load_worldview("default"), host)
    found = placebo(host, spec, all_series(host, build_graph(spec, history_end(spec))))
    events = [
        row.date for table in host.evidence().values() if table.name == "control_events" for row in table.rows
    ]
    assert len(found["fake"]) >= 8 and found["real"]
    for one in found["fake"]:
        assert min(abs((date.fromisoformat(one["date"]) - event).days) for event in events) >= 90
    assert found["fake_significant"] == sum(one["p"] < LEVEL for one in found["fake"])
    assert found["bloc"] == "china" and found["passed"] is True


def test_the_band_of_the_pit_picture_holds_uniform_samples_as_often_as_it_says() -> None:
    """1,000 samples: a standard error of 1 point at 90%."""
    grid = np.linspace(0, 1, 101)
    low, high = ecdf_band(30, grid)
    samples = np.sort(generator(9).random((1000, 30)), axis=1)
    curves = np.array([np.searchsorted(one, grid, side="right") for one in samples]) / 30 - grid
    inside = np.all((curves >= low - 1e-9) & (curves <= high + 1e-9), axis=1)
    assert inside.mean() == pytest.approx(0.9, abs=0.04)
