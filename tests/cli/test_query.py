"""``forecast query``: the sentence, the JSON, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.results.synthetic import likely_crossings, save_run

ID = "2026-06-30-default-0a1b2c3d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder, ID)
    return folder


def ask(folder: Path, expression: str, *arguments: str, run: str = "latest") -> Result:
    return CliRunner().invoke(main, ["query", run, expression, "--out", str(folder), *arguments])


def known() -> tuple[np.ndarray, np.ndarray]:
    crossings = likely_crossings()
    when = crossings["agi"].to_numpy()[crossings["accepted"].to_numpy()]
    return when[:, 0], when[:, 1]


def test_json_holds_p_mcse_and_draws_alone_on_stdout(folder: Path) -> None:
    us, china = known()
    expression = "P(china before 2033 | us_allies before 2030)"
    result = ask(folder, expression, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["p"] == pytest.approx((china[us < 2030] < 2033).mean())
    assert found["draws"] == (us < 2030).sum()
    assert 0 < found["mcse"] < 0.05
    assert set(found) - {"run", "expression"} == {"p", "mcse", "draws"}
    assert (found["run"], found["expression"]) == (ID, expression)


def test_the_answer_is_a_sentence_that_says_what_it_rests_on(folder: Path) -> None:
    us, china = known()
    left = int((us < 2030).sum())
    said = ask(folder, "P(china before 2033 | us_allies before 2030)").stdout
    share = (china[us < 2030] < 2033).mean()
    assert said.startswith(f"P(china before 2033 | us_allies before 2030) = {share:.3f} ±0.0")
    assert f"from the {left:,} of {len(us):,} accepted draws that satisfy the condition" in said
    assert "conditional on worldview 'default' as of 2026-06-30, not a prophecy" in said
    assert ID in said
    assert said.count("\n") == 1
    assert f"from {len(us):,} accepted draws;" in ask(folder, "P(china before 2033)").stdout


@pytest.mark.parametrize("run", [ID, "0a1b", "2026-06", "latest"])
def test_a_run_goes_by_id_beginning_hash_or_latest(folder: Path, run: str) -> None:
    assert ask(folder, "P(china never)", run=run).exit_code == 0


def test_a_path_needs_no_folder_and_the_plugins_of_the_run_are_not_needed(tmp_path: Path) -> None:
    path = save_run(tmp_path, ID, plugins=["not_installed_anywhere"])
    (path / "worldview.toml").write_text('name = "of a plugin that is gone"\n')
    result = CliRunner().invoke(main, ["query", str(path), "P(china never)", "--json"])
    assert result.exit_code == 0
    assert 0 < json.loads(result.stdout)["p"] < 1


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("P(chna never)", "position 3"),
        ("P(china by 2070)", "no further than its horizon, 2060-12-31"),
        ("china never", "expected P(EVENT)"),
        ("", "found the end"),
        ("P(china\n\x00 never)", "position 9"),
    ],
)
def test_a_question_that_cannot_be_read_ends_with_exit_code_2(
    folder: Path, expression: str, words: str
) -> None:
    result = ask(folder, expression)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_an_unknown_run_ends_with_exit_code_2(folder: Path) -> None:
    result = ask(folder, "P(china never)", run="nothing-like-it")
    assert result.exit_code == 2
    assert "no such run" in result.stderr


def test_too_few_draws_end_with_exit_code_1_unless_the_limit_is_lowered(folder: Path) -> None:
    us, _ = known()
    left = int((us < 2027).sum())
    expression = "P(china before 2033 | us_allies before 2027)"
    result = ask(folder, expression, "--json")
    assert result.exit_code == 1
    assert f"{left} of" in result.stderr
    assert result.stdout == ""
    lowered = ask(folder, expression, "--json", "--min-draws", "1")
    assert json.loads(lowered.stdout)["draws"] == left
    assert ask(folder, expression, "--min-draws", "0").exit_code == 2


def test_a_run_whose_diagnostics_failed_is_answered_with_a_warning(tmp_path: Path) -> None:
    path = save_run(tmp_path, ID)
    summary = json.loads((path / "summary.json").read_text())
    summary["diagnostics"]["ok"] = False
    (path / "summary.json").write_text(json.dumps(summary))
    result = ask(tmp_path, "P(china never)", "--json")
    assert result.exit_code == 0
    assert "diagnostics failed" in result.stderr
    assert set(json.loads(result.stdout)) >= {"p", "mcse", "draws"}


def test_help_explains_after_never_and_not_by() -> None:
    text = CliRunner().invoke(main, ["query", "--help"]).output
    assert "never is not after" in text
    assert '"china not by 2030" includes never' in text
    assert max(len(line) for line in text.splitlines()) <= 100
