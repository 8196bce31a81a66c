"""``forecast worlds``: tables, JSON, picture and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.results.synthetic import crossings_from, full_tree, good_tree, save_run, steps_worldview

ID = "2026-06-30-steps-0a1b2c3d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder, ID, tree=full_tree(), worldview=steps_worldview())
    return folder


def worlds(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["worlds", "latest", "--out", str(folder), *arguments])


def test_json_alone_is_on_stdout_and_holds_what_the_draws_say(folder: Path) -> None:
    result = worlds(folder, "--json", "--within", "2")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    when = full_tree()["crossings"]["agi"].to_numpy()[full_tree()["crossings"]["accepted"].to_numpy()]
    both = np.isfinite(when).all(axis=1)
    assert found["worlds"]["p_bipolar"] == pytest.approx((np.abs(np.diff(when[both])) < 2).sum() / len(when))
    assert (found["schema"], found["run"], found["within_years"]) == ("forecast.worlds/1", ID, 2)
    assert list(found["by_threshold"]) == ["training_compute", "effective_compute", "time_horizon"]


def test_the_tables_say_worlds_lead_thresholds_and_durations(folder: Path) -> None:
    result = worlds(folder)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "AGI: worlds as of 2026-06-30" in text
    assert "Conditional on worldview 'steps'; not a prophecy." in text
    assert "limit US & allies alone China alone bipolar neither" in text
    assert "0.25 years" in text and "3 years" in text
    assert "Lead of US & allies over China" in text
    assert "-inf" in text and "+inf" in text
    assert "By the threshold effective_compute, which counts in 25% of draws" in text
    assert "fewer than 100 of them says nothing" in text
    assert "A big run to AGI US & allies" in text
    assert ID in text
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    assert "…" not in result.stdout


def test_another_milestone_without_uncertain_thresholds_says_so(folder: Path) -> None:
    text = worlds(folder, "--milestone", "big_run").stdout
    assert "A big run: worlds" in text
    assert "No threshold of this milestone is uncertain" in text


def test_a_picture_is_written_and_said_on_stderr_beside_json(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "worlds.png"
    result = worlds(folder, "--json", "--output", str(path))
    assert result.exit_code == 0, result.output
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert str(path) in result.stderr
    json.loads(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--within", "-1"], "--within -1: must be a number of years"),
        (["--within", "nan"], "--within nan"),
        (["--within", "1e308"], "from 0 to 1000"),
        (["--milestone", "asi"], "it has agi, big_run"),
        (["--output", "worlds.doc"], "must end in .png"),
    ],
)
def test_wrong_input_is_said_in_words_with_exit_code_2(folder: Path, arguments: list[str], said: str) -> None:
    result = worlds(folder, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr and result.stdout == "" and "Traceback" not in result.stderr


def test_a_run_of_one_bloc_says_that_it_has_no_worlds(tmp_path: Path) -> None:
    from tests.results.synthetic import small_worldview

    tree = good_tree()
    tree["crossings"] = crossings_from(np.full((4, 500, 1), 2030.0), blocs=("a",))
    save_run(tmp_path, ID, tree=tree, worldview=small_worldview("a"))
    result = worlds(tmp_path)
    assert result.exit_code == 2
    assert "This run has one bloc, a" in result.stderr


def test_an_old_run_without_draws_of_thresholds_still_has_its_worlds(tmp_path: Path) -> None:
    save_run(tmp_path, ID)
    result = worlds(tmp_path)
    assert result.exit_code == 0, result.output
    assert "US & allies alone" in result.stdout
