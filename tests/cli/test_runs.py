"""``forecast runs list|show`` and ``forecast rerun``."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.results import summary_schema
from tests.results.synthetic import full_tree, likely_crossings, save_run, steps_worldview

ID = "2026-06-30-default-0a1b2c3d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder, ID, created="2026-07-02T00:00:00+00:00")
    save_run(folder, "2026-06-30-mine-0bffffff", created="2026-07-01T00:00:00+00:00")
    return folder


def forecast(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def shown(folder: Path, *arguments: str) -> dict[str, Any]:
    result = forecast("runs", "show", "latest", "--out", str(folder), "--json", *arguments)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    jsonschema.Draft202012Validator(summary_schema()).validate(summary)
    return summary


def test_runs_are_listed_newest_first_with_verdict_and_median(folder: Path) -> None:
    result = forecast("runs", "list", "--out", str(folder))
    assert result.exit_code == 0
    assert result.stdout.index(ID) < result.stdout.index("2026-06-30-mine-0bffffff")
    assert "passed" in result.stdout
    assert "2031-01" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_the_folder_may_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_RUNS", str(folder))
    found = json.loads(forecast("runs", "list", "--json").stdout)
    assert [run["run"] for run in found] == [ID, "2026-06-30-mine-0bffffff"]
    assert found[0]["ok"] is True
    assert set(found[0]["medians"]["agi"]) == {"us_allies", "china"}


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    result = forecast("runs", "list", "--out", str(tmp_path))
    assert result.exit_code == 0
    assert "`forecast run`" in result.output
    assert json.loads(forecast("runs", "list", "--out", str(tmp_path), "--json").stdout) == []


def test_one_damaged_run_does_not_hide_the_others(tmp_path: Path) -> None:
    save_run(tmp_path, ID)
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "results.nc").write_bytes(b"")
    result = forecast("runs", "list", "--out", str(tmp_path))
    assert result.exit_code == 0
    assert ID in result.stdout
    assert "half is not a whole run" in result.stderr
    assert "half" not in result.stdout


def test_show_gives_back_the_stored_summary(folder: Path) -> None:
    assert shown(folder) == json.loads((folder / ID / "summary.json").read_text())
    text = forecast("runs", "show", "0a1b", "--out", str(folder)).stdout
    assert "US & allies" in text
    assert f"{folder / ID}" in text


def test_the_same_window_and_limit_read_again_give_the_same_numbers(folder: Path) -> None:
    again = shown(folder, "--window", "2026-01-01:2027-12-31", "--within", "1")
    assert again == shown(folder)


def test_another_window_and_limit_are_read_without_a_refit(folder: Path) -> None:
    crossings = likely_crossings()
    accepted = crossings["accepted"].to_numpy()
    when = crossings["agi"].to_numpy()[accepted]
    summary = shown(folder, "--window", "2030-01-01:2034-12-31", "--within", "3")
    agi = summary["milestones"]["agi"]
    assert summary["window"] == {"start": "2030-01-01", "end": "2034-12-31"}
    assert agi["blocs"]["china"]["p_in"] == pytest.approx(((when[:, 1] >= 2030) & (when[:, 1] < 2035)).mean())
    both = np.isfinite(when).all(axis=1)
    assert agi["lead"]["p_bipolar"] == pytest.approx(
        (np.abs(when[both, 0] - when[both, 1]) < 3).sum() / len(when)
    )


def test_levels_at_the_crossing_are_read_again_to_the_last_bit(tmp_path: Path) -> None:
    path = save_run(tmp_path, ID, tree=full_tree(), worldview=steps_worldview())
    stored = json.loads((path / "summary.json").read_text())
    assert shown(tmp_path, "--window", "2026-01-01:2027-12-31") == stored
    other = shown(tmp_path, "--window", "2030-01-01:2034-12-31")["milestones"]["agi"]["blocs"]["china"]
    before = stored["milestones"]["agi"]["blocs"]["china"]
    assert other["at_crossing"] == before["at_crossing"] and other["p_million_chips"] is not None
    assert other["inside"]["quantiles"] == before["inside"]["quantiles"]
    assert other["inside"]["p_in"] > before["inside"]["p_in"]


@pytest.mark.parametrize(
    ("text", "day", "moment"),
    [
        ("2030", "2030-12-31", 2031.0),
        ("2030-06", "2030-06-30", 2030 + 181 / 365),
        ("2030-01-01", "2030-01-01", 2030 + 1 / 365),
    ],
)
def test_crossed_by_counts_to_the_end_of_year_month_or_day(
    folder: Path, text: str, day: str, moment: float
) -> None:
    crossings = likely_crossings()
    when = crossings["agi"].to_numpy()[crossings["accepted"].to_numpy()]
    found = shown(folder, "--crossed-by", text)["milestones"]["agi"]["blocs"]["us_allies"]["crossed_by"]
    assert found[day]["p"] == pytest.approx((when[:, 0] < moment).mean())
    assert found[day]["mcse"] > 0
    assert (
        f"P(by the end of {day})"
        in forecast("runs", "show", ID, "--out", str(folder), "--crossed-by", text).stdout
    )


def test_curves_are_written_and_json_stays_alone_on_stdout(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    shown(folder, "--curves", str(path), "--milestone", "agi")
    rows = list(csv.DictReader(path.open()))
    assert list(rows[0]) == ["milestone", "bloc", "date", "p_crossed"]
    assert {row["bloc"] for row in rows} == {"us_allies", "china"}
    assert rows[0]["date"] == "2026-06-30"
    assert rows[-1]["date"] == "2060-12-31"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing-like-it"], "no such run in"),
        (["2026-06-30"], "2 runs in"),
        ([ID, "--window", "2027-12-31:2026-01-01"], "it ends before it begins"),
        ([ID, "--window", "2026"], "must be START:END"),
        ([ID, "--window", ""], "must be START:END"),
        ([ID, "--window", "2059-01-01:2061-01-01"], "after the horizon of this run, 2060-12-31"),
        ([ID, "--window", "2026-02-30:2027-01-01"], "--window 2026-02-30:2027-01-01"),
        ([ID, "--within", "-1"], "--within -1: must be a number of years"),
        ([ID, "--within", "nan"], "--within nan"),
        ([ID, "--within", "1e308"], "from 0 to 1000"),
        ([ID, "--crossed-by", "soon"], "must be a year, a month or a day"),
        ([ID, "--crossed-by", "2030-13"], "must be a year, a month or a day"),
        ([ID, "--crossed-by", "2090"], "no further than its horizon, 2060-12-31"),
        ([ID, "--milestone", "asi"], "it has agi"),
    ],
)
def test_wrong_input_is_said_in_words_with_exit_code_2(
    folder: Path, arguments: list[str], words: str
) -> None:
    result = forecast("runs", "show", "--out", str(folder), *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_damaged_run_is_said_in_words_with_exit_code_1(tmp_path: Path) -> None:
    path = save_run(tmp_path, ID)
    (path / "results.nc").write_bytes((path / "results.nc").read_bytes()[:500])
    result = forecast("runs", "show", ID, "--out", str(tmp_path), "--crossed-by", "2030")
    assert result.exit_code == 1
    assert "cut short" in result.stderr
    (path / "summary.json").write_text("{")
    assert "damaged" in forecast("runs", "show", ID, "--out", str(tmp_path)).stderr


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An engine whose rerun returns the stored summary with these changes."""
    changes: dict[str, Any] = {}
    module = types.ModuleType("forecast.engine")

    def rerun(stored: Any) -> Any:
        return types.SimpleNamespace(summary={**stored.summary, "timings": {"sampling": 99.0}, **changes})

    module.rerun = rerun  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "forecast.engine", module)
    import forecast as package

    monkeypatch.setattr(package, "engine", module, raising=False)
    return changes


def test_a_rerun_that_comes_out_the_same_says_so(folder: Path, engine: dict[str, Any]) -> None:
    result = forecast("rerun", ID, "--out", str(folder))
    assert result.exit_code == 0, result.output
    assert "to the last bit" in result.stderr


def test_a_rerun_that_comes_out_otherwise_lists_what_changed_and_fails(
    folder: Path, engine: dict[str, Any]
) -> None:
    engine["horizon"] = "2070-12-31"
    result = forecast("rerun", ID, "--out", str(folder), "--json")
    assert result.exit_code == 1
    assert "horizon: '2060-12-31' became '2070-12-31'" in result.stderr
    assert json.loads(result.stdout)["horizon"] == "2070-12-31"


def test_a_rerun_of_a_run_whose_diagnostics_failed_exits_with_3(
    tmp_path: Path, engine: dict[str, Any]
) -> None:
    path = save_run(tmp_path, ID)
    summary = json.loads((path / "summary.json").read_text())
    summary["diagnostics"]["ok"] = False
    (path / "summary.json").write_text(json.dumps(summary))
    assert forecast("rerun", ID, "--out", str(tmp_path)).exit_code == 3


@pytest.mark.parametrize("text", ["{}", '{"settings": 5}', '{"settings": {"sampler": {"x": 1}}}'])
def test_a_rerun_from_a_damaged_manifest_says_so(folder: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(folder / ID, tmp_path / ID)
    (tmp_path / ID / "manifest.json").write_text(text)
    result = forecast("rerun", ID, "--out", str(tmp_path))
    assert result.exit_code == 1
    assert "manifest.json is damaged: its settings cannot be read" in result.stderr
