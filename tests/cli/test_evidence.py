"""`forecast evidence`, with a small host in place of the shipped drivers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from forecast.cli.evidence import evidence
from forecast.errors import InputError
from forecast.evidence import EvidenceTable, read_tables

DECLARED = """
[runs]
title = "Training runs"
description = "The largest runs of each bloc, by training compute, and nothing else besides them at all."
units = ["FLOP"]
default_error = 0.15
default_error_source = "a guess"
licence = "CC-BY 4.0, Nobody"

[scores]
title = "Scores"
description = "Points."
units = ["index point"]
linear = true
used = false
vintages = "row"
key = ["suite"]
columns.suite = "text"
"""
HEADER = "bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note"
TITLE = "A very long title of a source that has to be folded"
RUNS = f"""{HEADER}
us_allies,GPT-9 [turbo],2024-06-01,4e26,FLOP,2e26,8e26,0.9,2024-07-01,,{TITLE},https://a.org/1,
china,Qwen-9,2025-06-01,1234.5,FLOP,,,,2025-07-01,,Card,https://a.org/2,
"""
SCORES = f"""{HEADER},suite
world,Someone,2024-01-01,-12.5,index point,,,,2024-01-01,2024-02-01,Paper,https://a.org/3,,1.0
"""


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], EvidenceTable]:
    """Stand in for the host and the default worldview: neither is what these tests are about."""
    for name, text in (("tables.toml", DECLARED), ("runs.csv", RUNS), ("scores.csv", SCORES)):
        (tmp_path / name).write_text(text)
    tables = {
        ("compute-growth", name): table for name, table in read_tables(tmp_path, "compute-growth").items()
    }

    host = ModuleType("forecast.host")
    host.load_host = lambda plugins=(), check=True: SimpleNamespace(  # type: ignore[attr-defined]
        evidence=lambda: tables, problems=[f"{plugin} was left out" for plugin in plugins]
    )
    worldview = ModuleType("forecast.worldview")
    worldview.load_worldview = lambda: SimpleNamespace(as_of=date(2025, 6, 30))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "forecast.host", host)
    monkeypatch.setitem(sys.modules, "forecast.worldview", worldview)
    return tables


def run(*arguments: str) -> Result:
    return CliRunner().invoke(evidence, arguments)


def printed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    if "--json" not in arguments:
        assert max(len(line) for line in result.stdout.splitlines()) <= 100
    return result.stdout


def test_the_list_has_every_table_with_counts_dates_and_sources() -> None:
    text = printed()
    assert "compute-growth" in text and "2025-06-30" in text
    line = next(line for line in text.splitlines() if "runs" in line)
    assert line.split() == ["runs", "2", "us_allies", "1", "2024-06-01", "2024-07-01", "1", "2"]
    assert "china 1" in text and "2025-07-01" in text
    assert "scores *" in text and "no likelihood reads it" in text


def test_the_list_as_json_is_the_same_for_programs() -> None:
    runs, scores = json.loads(printed("--json", "--as-of", "2026-01-01"))
    assert (runs["table"], runs["driver"], runs["rows"], runs["known"]) == ("runs", "compute-growth", 2, 2)
    assert runs["by_bloc"] == {"us_allies": 1, "china": 1} and runs["as_of"] == "2026-01-01"
    assert (scores["used"], scores["default_error"], scores["last_date"]) == (False, None, "2024-01-01")


def test_a_table_shows_value_interval_publication_and_source() -> None:
    text = printed("runs")
    assert "GPT-9 [turbo]" in text and "4e26 FLOP" in text and "2e26 to 8e26 (0.9)" in text
    assert "1,234 FLOP" in text or "1,235 FLOP" in text
    assert "2025-07-01" in text and "Card" in text
    assert "2 of 2 rows; 1 known by 2025-06-30" in text
    assert "0.15 dex (a guess)" in text and "CC-BY 4.0, Nobody" in text


def test_key_columns_and_vintages_are_shown() -> None:
    text = printed("scores")
    assert "suite 1.0" in text and "(2024-02-01)" in text and "-12.5 index point" in text


def test_an_as_of_date_leaves_out_what_was_published_later() -> None:
    text = printed("runs", "--as-of", "2024-12-31")
    assert "GPT-9" in text and "Qwen-9" not in text
    assert "1 of 2 rows; 1 known by 2024-12-31" in text
    assert len(json.loads(printed("runs", "--json", "--as-of", "today"))["data"]) == 2


def test_a_table_as_json_has_its_rows() -> None:
    content = json.loads(printed("runs", "--json"))
    assert content["title"] == "Training runs"
    assert [row["name"] for row in content["data"]] == ["GPT-9 [turbo]", "Qwen-9"]
    assert content["data"][1]["low"] is None


def test_a_plugin_that_was_left_out_is_a_warning_beside_the_output() -> None:
    result = run("--json", "--plugin", "mine.py")
    assert result.stderr == "Warning: mine.py was left out\n"
    assert len(json.loads(result.stdout)) == 2


def test_an_unknown_table_is_an_error_with_the_nearest_name() -> None:
    error = run("run").exception
    assert isinstance(error, InputError)
    assert str(error) == "there is no evidence table 'run' (did you mean 'runs'?)"


def test_a_table_of_two_drivers_is_named_with_its_driver(host: dict[tuple[str, str], EvidenceTable]) -> None:
    host["toy", "runs"] = replace(host["compute-growth", "runs"], driver="toy")
    error = run("runs").exception
    assert isinstance(error, InputError) and "say compute-growth/runs or toy/runs" in str(error)
    assert "(toy/runs)" in printed("toy/runs")


@pytest.mark.parametrize("day", ["yesterday", "2024-02-30", "20240101"])
def test_a_wrong_as_of_date_is_an_error(day: str) -> None:
    error = run("--as-of", day).exception
    assert isinstance(error, InputError) and str(error).startswith("--as-of: ")
