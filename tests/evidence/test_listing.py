"""What tables say about themselves."""

from __future__ import annotations

import json
from datetime import date

from forecast.evidence import row_to_json, summarize
from tests.evidence.support import Folder


def test_a_summary_counts_rows_blocs_sources_and_what_is_known(folder: Folder) -> None:
    table = folder.rows(
        {},
        {"bloc": "china", "source": "B", "date": "2023-01-01"},
        {"published": "2025-01-01"},
        {"bloc": "china"},
    ).read()
    summary = summarize(table, date(2024, 12, 31))
    assert (summary.table, summary.driver, summary.rows, summary.known) == ("runs", "compute-growth", 4, 3)
    assert summary.by_bloc == {"us_allies": 2, "china": 2}
    assert (summary.first_date, summary.last_date) == (date(2023, 1, 1), date(2024, 6, 1))
    assert (summary.first_published, summary.last_published) == (date(2024, 7, 1), date(2025, 1, 1))
    assert summary.sources == 2
    assert json.loads(json.dumps(summary.to_json()))["as_of"] == "2024-12-31"


def test_an_empty_table_has_no_range_of_dates(folder: Folder) -> None:
    summary = summarize(folder.rows().read().with_rows(()), date(2024, 12, 31))
    assert (summary.rows, summary.first_date, summary.last_published) == (0, None, None)


def test_a_row_as_json_has_every_column_and_no_nan(folder: Folder) -> None:
    folder.declare('[runs.columns]\nseen = "date?"\n')
    (row,) = folder.rows({"seen": "2024-01-02", "low": "", "high": "", "level": ""}).read().rows
    content = row_to_json(row)
    assert (content["value"], content["low"], content["level"], content["vintage"]) == (
        4e26,
        None,
        None,
        None,
    )
    assert (content["date"], content["seen"], content["name"]) == ("2024-06-01", "2024-01-02", "GPT-0")
