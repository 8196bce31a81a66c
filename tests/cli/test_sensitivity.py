"""``forecast sensitivity``: tables, JSON, picture and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.results.synthetic import save_run
from tests.sensitivity.trees import known_tree, prior_only_tree, without

ID = "2026-06-30-default-0a1b2c3d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder, ID, tree=known_tree(idle=3.0, luck=1.0, rows=(1.2, 0.3, 0.9, -2.5)))
    return folder


def sensitivity(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["sensitivity", "latest", "--out", str(folder), *arguments])


def test_json_alone_is_on_stdout_in_the_form_that_others_rely_on(folder: Path) -> None:
    result = sensitivity(folder, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["schema"], found["run"]) == ("forecast.sensitivity/1", ID)
    assert {"name", "kind", "psi", "p_in_shift", "median_shift_years"} <= set(found["components"][0])
    assert {"name", "variance_share"} <= set(found["drivers"][0])
    assert {"table", "row", "influence"} <= set(found["evidence"][0])
    assert {row["kind"] for row in found["components"]} == {"prior", "likelihood"}
    assert len(found["evidence"]) == 4


def test_the_tables_say_what_the_answer_hangs_on(folder: Path) -> None:
    result = sensitivity(folder)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "AGI: what the answer hangs on, as of 2026-06-30" in text
    assert "Conditional on worldview 'default'; not a prophecy." in text
    assert "Of the variance of the crossing date of US & allies the parameters explain" in text
    assert "two.idle prior* " in text and "measured rows " in text
    assert "luck, and the rest" in text and "Next to nothing: three." in text
    assert "measured: row 3" in text
    assert "Not moved by the data: 2 numbers, whose posterior is their prior: two.idle, three.noise." in text
    assert ID in text
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    assert "…" not in result.stdout


def test_the_picture_is_written_and_said_beside_the_json(folder: Path, tmp_path: Path) -> None:
    result = sensitivity(folder, "--json", "--output", str(tmp_path / "tornado.png"))
    assert result.exit_code == 0, result.output
    json.loads(result.stdout)
    assert "tornado.png" in result.stderr
    assert (tmp_path / "tornado.png").read_bytes()[:4] == b"\x89PNG"


def test_a_run_of_the_priors_alone_says_what_is_not_available(tmp_path: Path) -> None:
    path = save_run(tmp_path, ID, tree=prior_only_tree(idle=3.0, luck=1.0))
    summary = json.loads((path / "summary.json").read_text())
    (path / "summary.json").write_text(json.dumps(summary | {"prior_only": True}))
    result = sensitivity(tmp_path)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "Conditional on priors alone, without evidence, of worldview 'default'" in text
    assert "Not available: power scaling, evidence." in text and "Make a run with evidence" in text
    assert "without this row" not in text


def test_a_run_of_an_earlier_version_is_refused_in_words(tmp_path: Path) -> None:
    save_run(tmp_path, ID, tree=without(known_tree(), "log_prior"))
    result = sensitivity(tmp_path)
    assert result.exit_code == 1
    assert "lacks the group log_prior" in result.stderr and "Make the run again" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--milestone", "agee"), "no such milestone"),
        (("--output", "picture.doc"), "must end in"),
        (("--output", "/no/such/folder/a.png"), "no folder"),
    ],
)
def test_wrong_input_exits_with_2_and_words(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    result = sensitivity(folder, *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
