"""``forecast backtest``: what it prints and writes, exit codes, and what wrong input looks like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.backtest.worlds import runs
from tests.cli.test_run import PLUGIN
from tests.toys import TABLES, WORLDVIEW

PRIOR = ("--prior-only", "--draws", "100", "--chains", "2", "--from", "2024-06-30", "--to", "2025-06-30")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin with its evidence and a worldview to stand in; nothing else is installed."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORECAST_DEBUG", "FORECAST_BACKTESTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("forecast.loading.installed_plugins", list)
    (tmp_path / "evidence").mkdir()
    files = {
        "toy.py": PLUGIN,
        "toys.toml": WORLDVIEW,
        "evidence/tables.toml": TABLES,
        "evidence/runs.csv": runs(),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def backtest(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["backtest", "--plugin", "toy.py", "--priors", "toys.toml", *arguments])


def test_a_backtest_prints_scores_and_writes_its_folder_and_goes_on_at_the_second_call(toy: Path) -> None:
    result = backtest(*PRIOR, "--every", "6")
    assert result.exit_code == 0, result.output
    (folder,) = (toy / "backtests").iterdir()
    assert {file.name for file in folder.iterdir()} == {
        "backtest.json", "cells", "settings.json", "scores.png", "pit.png", "history.png",
    }  # fmt: skip
    text = " ".join(result.stdout.split())
    for words in ("3 fits", "runs 7-12", "Models tried: 1", "3 of 3 dates fitted now", "above 1 the model"):
        assert words in text, text
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    again = backtest(*PRIOR, "--every", "6", "--json")
    found = json.loads(again.stdout)
    assert found["schema"] == "forecast.backtest/1" and "fitting" not in again.stderr.lower()
    assert set(found["scores"][0]) >= {
        "series", "bloc", "as_of", "months_ahead", "method", "n", "crps", "log_score", "coverage",
    }  # fmt: skip
    assert set(found["scores"][0]["coverage"]) == {"0.5", "0.8", "0.9"}
    assert set(found["history"][0]) >= {"as_of", "milestone", "bloc", "quantiles"}
    more = backtest(*PRIOR, "--every", "3", "--out", str(folder))
    assert more.exit_code == 0 and "(2 of 5 dates fitted now)" in " ".join(more.stdout.split()), more.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "last year"), "--from: must be a date such as 2026-06-30"),
        (("--from", "2025-12-31", "--to", "2024-12-31"), "there is no as-of date between them"),
        (("--from", "2020-12-31", "--to", "2024-12-31"), "no evidence had been published by then"),
        (("--to", "2026-06-30", "--from", "2026-06-30"), "there is nothing to predict"),
        (("--set", "priors.toy.growht.mu=1"), "growht"),
    ],
)
def test_wrong_input_is_one_paragraph_and_leaves_nothing(
    toy: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = backtest("--prior-only", *arguments)
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.stderr.split())
    assert result.stdout == "" and "Traceback" not in result.output
    assert not (toy / "backtests").exists()


def test_a_damaged_cell_is_named_with_what_to_do(toy: Path) -> None:
    assert backtest(*PRIOR, "--every", "12", "--out", "here").exit_code == 0
    cell = sorted((toy / "here" / "cells").iterdir())[0]
    cell.write_text(cell.read_text()[:100])
    result = backtest(*PRIOR, "--every", "12", "--out", "here")
    assert result.exit_code == 1
    assert f"{cell.name} is damaged: delete it, and the date is fitted again" in " ".join(
        result.stderr.split()
    )
    cell.unlink()
    assert backtest(*PRIOR, "--every", "12", "--out", "here").exit_code == 0


@pytest.mark.parametrize("text", ["[]", "3", "null"])
def test_settings_that_are_no_table_are_damaged(toy: Path, text: str) -> None:
    (toy / "here").mkdir()
    (toy / "here" / "settings.json").write_text(text)
    result = backtest(*PRIOR, "--out", "here")
    assert result.exit_code == 1 and "settings.json is damaged" in " ".join(result.stderr.split())
    (toy / "letter").write_text("mine")
    result = backtest(*PRIOR, "--out", "letter")
    assert result.exit_code == 2 and "--out letter: is not a folder" in " ".join(result.stderr.split())


def test_other_settings_in_the_same_folder_are_refused_in_words(toy: Path) -> None:
    assert backtest(*PRIOR, "--every", "12", "--out", "here").exit_code == 0
    result = backtest(*PRIOR, "--every", "12", "--out", "here", "--draws", "200")
    assert result.exit_code == 2
    text = " ".join(result.stderr.split())
    assert "here: holds a backtest that was made with other settings" in text and "--draws" in text
