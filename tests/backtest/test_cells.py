"""Cells of a backtest that somebody changed: each is named, with what to do."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from forecast.backtest.cells import CELL_SCHEMA, METHODS, read_cell
from forecast.errors import ForecastError

SCORE = {"crps": 0.1, "log_score": -1.0, "pit": 0.4, "covered": [True] * 3, "quantiles": [1.0, 2, 3, 4, 5]}
CASE: dict[str, Any] = {
    "series": "runs",
    "bloc": "china",
    "name": "A",
    "date": "2025-01-01",
    "months_ahead": 6,
    "observed": 25.0,
    "censored": False,
    "methods": {METHODS[0]: SCORE, **{name: {"why": "no rows"} for name in METHODS[1:]}},
    "prior": SCORE,
}
CELL: dict[str, Any] = {
    "schema": CELL_SCHEMA,
    "as_of": "2024-06-30",
    "fit": {"run": "a", "rows": 5, "draws": 100, "draws_sha256": "0", "seconds": 1.5, "r_hat_max": None},
    "series": {"runs": {"rows_known": 5, "frontier": False, "unit": "FLOP"}},
    "cases": [CASE],
    "history": [],
}


def read(folder: Path, cell: Any) -> dict[str, Any] | None:
    (folder / "cells").mkdir(exist_ok=True)
    (folder / "cells" / "2024-06-30.json").write_text(json.dumps(cell))
    return read_cell(folder, date(2024, 6, 30))


def test_a_whole_cell_is_read_and_what_a_later_version_adds_is_left_alone(tmp_path: Path) -> None:
    assert read(tmp_path, CELL) == CELL
    assert read(tmp_path, CELL | {"more": 1}) == CELL | {"more": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cases": None}, "cases missing"),
        ({"cases": {}}, "cases holds dict where array belongs"),
        ({"cases": [CASE | {"series": "capex"}]}, r"cases\[0\] is of capex, which is none of its series"),
        ({"cases": [CASE | {"methods": {}}]}, r"cases\[0\] has no score of model"),
        ({"cases": [CASE | {"methods": CASE["methods"] | {"model": {"why": "?"}}}]}, "no score of model"),
        ({"cases": [CASE | {"prior": SCORE | {"covered": []}}]}, "3 intervals"),
        ({"cases": [CASE | {"prior": {"crps": 1}}]}, "prior.log_score"),
        ({"fit": {"run": "a"}}, "fit.rows, fit.draws"),
        ({"series": {"runs": {}}}, "series.runs.rows_known"),
        ({"history": [{"milestone": "agi"}]}, r"history\[0\].bloc"),
        ({"as_of": "2024-12-31"}, "as_of is 2024-12-31"),
    ],
)
def test_a_cell_that_somebody_changed_is_named_with_what_to_do(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    changed = {key: value for key, value in (CELL | change).items() if value is not None}
    with pytest.raises(ForecastError, match=rf"2024-06-30.json is damaged \(.*{words}.*: delete it, and the"):
        read(tmp_path, changed)


def test_a_cell_that_is_a_list_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match="is damaged: delete it"):
        read(tmp_path, [])
