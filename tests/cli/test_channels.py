"""``forecast channels``: tables, JSON, picture and exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.results.synthetic import full_tree, save_run, steps_worldview

ID = "2026-06-30-steps-0a1b2c3d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder, ID, tree=full_tree(), worldview=steps_worldview())
    return folder


def channels(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["channels", "latest", "--out", str(folder), *arguments])


def test_json_alone_is_on_stdout_and_holds_what_the_trajectories_say(folder: Path) -> None:
    result = channels(folder, "--json", "--bloc", "china")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["schema"], found["run"], found["bloc"]) == ("forecast.channels/2", ID, "china")
    tree = full_tree()
    accepted = tree["crossings"]["accepted"].to_numpy()[:, ::4]
    flows = tree["projection"]["chip_channels"].sel(bloc="china", time="2030-07-01", channel="smuggled")
    row = next(row for row in found["years"] if row["year"] == 2030)
    assert row["offered"]["flow"]["channels"]["smuggled"]["0.5"] == pytest.approx(
        np.median(flows.to_numpy()[accepted]) / 1e6, rel=1e-5
    )
    assert found["draws"] == {"counted": int(accepted.sum()), "kept": 500}


def test_the_tables_say_flows_amounts_shares_binding_and_policy(folder: Path) -> None:
    result = channels(folder)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "Chips that can be had: China, as of 2026-06-30" in text
    assert "Conditional on worldview 'steps'; not a prophecy." in text
    assert re.search(
        r"Smuggled: \d+% \(\d+-\d+\) of what was bought from 2022 to the end of 2025; "
        r"\d+% \(\d+-\d+\) on 1 July 2026\.",
        text,
    )
    assert "Bought on 1 July, million H100e/year" in text and "On offer on 1 July, million H100e/year" in text
    assert "Bought, added up since 2022 to the end of the year, million H100e" in text
    assert "Shares of what is bought: on 1 July / of all since 2022" in text
    assert "domestic licensed smuggled total" in text
    assert "below 1 the controls bind" in text and "P(below 1) smuggled, % since 2022, %" in text
    assert "Shares of draws in each state of the controls" in text and "today tight" in text
    rows = [line.split()[0] for line in result.stdout.splitlines() if line.startswith(" 20")]
    assert rows.count("2032") == 6 and "2033" not in rows
    assert rows.count("2025") == 5  # the past has no state of the future
    assert ID in text
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    assert "…" not in result.stdout


def test_more_years_are_shown_where_they_are_asked_for(folder: Path) -> None:
    found = json.loads(channels(folder, "--json", "--until", "2035").stdout)
    assert [row["year"] for row in found["years"]] == list(range(2022, 2036))


def test_a_run_that_does_not_say_what_is_bought_tells_offers_alone(tmp_path: Path) -> None:
    tree = full_tree()
    projection = tree["projection"].to_dataset().drop_vars(["chip_purchases"])
    save_run(tmp_path, ID, tree=tree.assign(projection=xr.DataTree(projection)), worldview=steps_worldview())
    result = channels(tmp_path)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "What is bought is not in this run." in text and "Smuggled: " not in text
    assert "On offer, added up since 2022" in text and "Shares of what is on offer" in text


def test_a_picture_is_written_and_said_on_stderr_beside_json(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "channels.png"
    result = channels(folder, "--json", "--output", str(path))
    assert result.exit_code == 0, result.output
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert str(path) in result.stderr
    json.loads(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bloc", "us_allies"], "--bloc us_allies: has no channels of chip_access in this run; china has"),
        (
            ["--until", "2099"],
            "--until 2099: the trajectories of this run cover whole years from 2022 to 2036",
        ),
        (["--quantity", "chips"], "--quantity chips: is no sum of channels"),
        (["--output", "channels.doc"], "must end in .png"),
    ],
)
def test_wrong_input_is_said_in_words_with_exit_code_2(folder: Path, arguments: list[str], said: str) -> None:
    result = channels(folder, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr and result.stdout == "" and "Traceback" not in result.stderr


def test_a_run_without_channels_says_so_in_words(tmp_path: Path) -> None:
    save_run(tmp_path, ID)
    result = channels(tmp_path)
    assert result.exit_code == 2
    assert "This run has no channels" in result.stderr and "Traceback" not in result.stderr
