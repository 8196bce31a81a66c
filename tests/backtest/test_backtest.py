"""Backtests where the truth is known: what enters a fit, what is scored, and how a stopped one goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from forecast.backtest import Backtest, as_of_dates, backtest
from forecast.backtest import running as running_module
from forecast.engine import Reporter, make_plan
from forecast.errors import InputError
from tests import toys
from tests.backtest import worlds

DATES = as_of_dates(date(2026, 6, 30), date(2023, 6, 30), date(2025, 6, 30), 6)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    """A backtest of the right model."""
    folder = tmp_path_factory.mktemp("right")
    return backtest(worlds.plan(folder, worlds.runs()), DATES, folder / "out")


def pooled(result: dict[str, Any], method: str, months: int, bloc: str = "all") -> dict[str, Any]:
    """Scores over all dates."""
    return next(
        one
        for one in result["pooled"]
        if (one["method"], one["months_ahead"], one["bloc"]) == (method, months, bloc)
    )


def test_the_model_that_is_right_beats_one_that_is_wrong_and_naive_forecasts(
    done: Backtest, tmp_path: Path
) -> None:
    flat = ["priors.line.growth.mu=0", "priors.line.growth.sigma=0.02"]
    wrong = backtest(worlds.plan(tmp_path, worlds.runs(), flat), DATES, tmp_path / "out").result
    for months in (12, 24):
        right = pooled(done.result, "model", months)
        assert right["crps"] < 0.7 * pooled(wrong, "model", months)["crps"]
        assert right["log_score"] > pooled(wrong, "model", months)["log_score"] + 0.3
        walk = pooled(done.result, "random-walk", months)
        assert walk["model_crps"] == pytest.approx(right["crps"]) and walk["crps"] > 1.3 * right["crps"]


def test_coverage_of_the_right_model_is_near_what_its_intervals_say(done: Backtest) -> None:
    cases = [case["methods"]["model"] for case in done.result["cases"]]
    # 96 cases of 52 rows: a standard error of at most 7 points; three of them.
    for place, level in enumerate((0.5, 0.8, 0.9)):
        share = sum(case["covered"][place] for case in cases) / len(cases)
        assert share == pytest.approx(level, abs=0.21 if level == 0.5 else 0.17)
    assert len(cases) == 96 and len(done.result["pit"]["runs"]) == 96


def test_rows_that_were_published_later_change_no_fit(done: Backtest, tmp_path: Path) -> None:
    other = worlds.runs().splitlines()
    changed = [
        line.replace("e+2", "e+1") if line.split(",")[8] > DATES[0].isoformat() else line for line in other
    ]
    assert changed != other
    again = backtest(worlds.plan(tmp_path, "\n".join(changed) + "\n"), DATES[:1], tmp_path / "out").result
    first, second = done.result["fits"][0], again["fits"][0]
    assert first["draws_sha256"] == second["draws_sha256"]
    assert first["rows"] == second["rows"] == 18
    before = {
        case["name"]: case["methods"] for case in done.result["cases"] if case["as_of"] == first["as_of"]
    }
    for case in again["cases"]:
        for method in ("model", "log-linear", "random-walk"):
            mine = case["methods"][method]["quantiles"]
            assert mine == before[case["name"]][method]["quantiles"]
        assert case["methods"]["model"]["crps"] > 5  # what came is another number, and is scored


def test_only_rows_dated_and_published_after_the_as_of_date_are_predicted(done: Backtest) -> None:
    for case in done.result["cases"]:
        assert case["as_of"] < case["date"] and case["as_of"] < case["published"]
    late = [case for case in done.result["cases"] if case["as_of"] == "2024-06-30"]
    assert {case["months_ahead"] for case in late} == {6, 12, 24}
    assert max(case["date"] for case in late) <= "2026-06-30"


def test_scores_of_single_dates_add_up_to_the_pooled_ones(done: Backtest) -> None:
    for one in done.result["pooled"]:
        if one["bloc"] == "all":
            continue
        key = ("series", "bloc", "months_ahead", "method")
        parts = [x for x in done.result["scores"] if all(x[name] == one[name] for name in key)]
        assert sum(x["n"] for x in parts) == one["n"] >= 3
        assert sum(x["n"] * x["crps"] for x in parts) / one["n"] == pytest.approx(one["crps"])
        assert sum(x["n"] * x["coverage"]["0.8"] for x in parts) / one["n"] == pytest.approx(
            one["coverage"]["0.8"]
        )


def test_every_series_and_distance_is_scored_or_listed_with_a_reason(done: Backtest) -> None:
    for months in (6, 12, 24):
        for bloc in ("us_allies", "china"):
            for method in ("model", "log-linear", "random-walk", "published"):
                wanted = {"series": "runs", "bloc": bloc, "months_ahead": months, "method": method}
                scored = [x for x in done.result["scores"] if wanted.items() <= x.items()]
                missing = [x for x in done.result["not_available"] if wanted.items() <= x.items()]
                assert bool(scored) != bool(missing)
                assert all(x["why"] for x in missing)
    assert done.result["known_by"]["runs"]["decides"] == "release dates"
    assert done.result["known_by"]["runs"]["rows_known"]["2023-06-30"] == 18
    assert done.result["placebo"] == {"not_available": "no loaded driver has a timeline of controls"}


def test_a_plan_that_was_known_enters_the_fit_and_is_no_outcome(tmp_path: Path) -> None:
    plan = "us_allies,plan,2026-12-31,1e26,FLOP,,,,2025-06-01,,made up,https://example.org,,forecast"
    tables = toys.TABLES.replace('period_months = "integer?"', 'kind = ["forecast", ""]')
    csv = worlds.runs(extra=[plan]).replace("period_months", "kind")
    line = toys.Line(toys.table(tmp_path / "evidence", csv, tables=tables))
    made = make_plan(toys.worldview(tmp_path), drivers=[line], settings=worlds.QUICK, prior_only=True)
    result = backtest(made, [date(2025, 6, 30)], tmp_path / "out").result
    assert result["fits"][0]["rows"] == 43  # 42 runs and the plan
    assert result["cases"] and "plan" not in {case["name"] for case in result["cases"]}


def test_what_was_said_of_the_crossing_at_each_date_is_kept(done: Backtest) -> None:
    history = done.result["history"]
    assert [one["as_of"] for one in history if one["bloc"] == "china"] == [str(day) for day in DATES]
    assert all(one["quantiles"]["0.5"] > 2025 for one in history)
    assert json.loads((done.folder / "backtest.json").read_text()) == done.result


def test_a_backtest_that_was_stopped_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, real, fitted = worlds.plan(tmp_path, worlds.runs()), running_module.fit_cell, []

    def stopping(one: Any, reporter: Any) -> Any:
        if len(fitted) == 1:
            raise KeyboardInterrupt
        fitted.append(one.worldview.as_of)
        return real(one, reporter)

    monkeypatch.setattr(running_module, "fit_cell", stopping)
    told: list[str] = []
    reporter = Reporter()
    monkeypatch.setattr(reporter, "warn", told.append)
    with pytest.raises(KeyboardInterrupt):
        backtest(plan, DATES[:2], tmp_path / "out", reporter=reporter)
    assert told == [f"1 of 2 dates are kept in {tmp_path / 'out'}; the same command goes on"]
    kept = (tmp_path / "out" / "cells" / f"{DATES[0]}.json").read_bytes()
    assert not (tmp_path / "out" / "backtest.json").exists()
    assert [file.name for file in (tmp_path / "out" / "cells").iterdir()] == [f"{DATES[0]}.json"]
    monkeypatch.setattr(running_module, "fit_cell", real)
    after = backtest(plan, DATES[:2], tmp_path / "out")
    assert after.fitted == 1 and len(after.result["fits"]) == 2
    assert (tmp_path / "out" / "cells" / f"{DATES[0]}.json").read_bytes() == kept


def test_another_model_in_the_same_folder_is_refused_and_beside_it_is_counted(
    done: Backtest, tmp_path: Path
) -> None:
    other = worlds.plan(tmp_path, worlds.runs(), ["priors.line.growth.mu=0.4"])
    with pytest.raises(InputError, match=r"other settings: the worldview \(priors.* differ"):
        backtest(other, DATES[:1], done.folder)
    assert done.result["variants"]["tried"] == 1
    beside = backtest(other, DATES[:1], done.folder.parent / "other").result
    assert beside["variants"]["tried"] == 2


@pytest.mark.parametrize(
    ("first", "last", "every", "says"),
    [
        (date(2025, 1, 1), date(2024, 1, 1), 3, "--from 2025-01-01 is after --to 2024-01-01"),
        (None, date(2024, 1, 1), 0, "--every 0"),
    ],
)
def test_dates_that_make_no_backtest_are_refused(
    first: date | None, last: date, every: int, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        as_of_dates(date(2026, 6, 30), first, last, every)


def test_years_long_past_and_steps_of_any_length_make_dates() -> None:
    last = date(2024, 3, 31)
    assert as_of_dates(last, date(1, 1, 1), last, 10**30) == (last,)
    found = as_of_dates(last, date(1, 1, 1), last, 1)
    assert found[0] == date(1, 1, 31) and found[-1] == last and len(found) == 12 * 2023 + 3


def test_dates_before_all_evidence_or_after_it_are_refused_before_anything_is_fitted(tmp_path: Path) -> None:
    plan = worlds.plan(tmp_path, worlds.runs())
    with pytest.raises(InputError, match="no evidence had been published by then"):
        backtest(plan, [date(2021, 6, 30)], tmp_path / "early")
    with pytest.raises(InputError, match="so there is nothing to predict"):
        backtest(plan, [date(2026, 6, 30)], tmp_path / "late")
    assert not (tmp_path / "early").exists() and not (tmp_path / "late").exists()


def test_as_of_dates_are_ends_of_months_counted_back_from_the_last() -> None:
    assert as_of_dates(date(2026, 6, 30))[0] == date(2022, 12, 31)
    assert as_of_dates(date(2026, 6, 30))[-2:] == (date(2025, 12, 31), date(2026, 3, 31))
    assert len(as_of_dates(date(2026, 6, 30))) == 14
    assert as_of_dates(date(2026, 6, 15), date(2026, 1, 1), date(2026, 3, 15), 1) == (
        date(2026, 1, 15),
        date(2026, 2, 15),
        date(2026, 3, 15),
    )


def test_the_priors_alone_are_scored_on_the_same_cases_as_the_fit(done: Backtest, tmp_path: Path) -> None:
    pooled_model = pooled(done.result, "model", 24)
    assert pooled_model["prior_crps"] > 1.5 * pooled_model["crps"]  # levels are a priori known to an OOM
    plan = replace(worlds.plan(tmp_path, worlds.runs()), prior_only=True)
    alone = backtest(plan, DATES[:1], tmp_path / "out").result
    assert "prior_crps" not in pooled(alone, "model", 24)
    beside = {case["name"]: case["prior"] for case in done.result["cases"] if case["as_of"] == str(DATES[0])}
    for case in alone["cases"]:
        assert beside[case["name"]]["quantiles"] == case["methods"]["model"]["quantiles"]
