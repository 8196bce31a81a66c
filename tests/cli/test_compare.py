"""``forecast compare``: tables, JSON, the picture, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.results.synthetic import likely_crossings
from tests.results.variants import save_variant

ONE, TWO, ALONE = "2026-06-30-one-0a1b2c3d", "2026-06-30-two-1bffffff", "2026-06-30-alone-2ccccccc"
GROWTH = """
name = "two"
[priors.investment]
growth = { distribution = "Normal", mu = 0.15, sigma = 0.1, unit = "OOM/year", source = "made up" }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    later = likely_crossings(seed=4)
    later["agi"] = later["agi"] + 3
    save_variant(folder, ONE, toml='name = "one"\n')
    save_variant(folder, TWO, toml=GROWTH, crossings=later, created="2026-07-02T00:00:00+00:00")
    alone = likely_crossings().sel(bloc=["us_allies"])
    save_variant(folder, ALONE, toml='name = "alone"\n[blocs]\nus_allies = "US & allies"\n', crossings=alone)
    return folder


def compare(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments, "--out", str(folder)])


def test_json_holds_the_runs_and_their_differences_alone_on_stdout(folder: Path, tmp_path: Path) -> None:
    result = compare(folder, "0a1b", "latest", "--json", "--output", str(tmp_path / "both.png"))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "forecast.compare/1"
    assert found["milestone"] == "agi"
    assert [row["run"] for row in found["runs"]] == [ONE, TWO]
    for row in found["runs"]:
        summary = json.loads((folder / row["run"] / "summary.json").read_text())
        assert row["blocs"] == summary["milestones"]["agi"]["blocs"]
        assert row["lead"] == summary["milestones"]["agi"]["lead"]
        assert row["worldview"] == summary["worldview"]
    assert found["differences"] == [
        {
            "key": "priors.investment.growth",
            "values": ["the driver's default", "Normal(mu=0.15, sigma=0.1) OOM/year"],
        }
    ]
    assert f"Picture written to {tmp_path / 'both.png'}" in result.stderr


def test_the_tables_show_each_run_of_each_bloc_and_the_lead(folder: Path) -> None:
    result = compare(folder, ONE, TWO)
    assert result.exit_code == 0, result.output
    text = result.stdout
    assert max(len(line) for line in text.splitlines()) <= 80
    for run in (ONE, TWO):
        assert run in text
    summary = json.loads((folder / TWO / "summary.json").read_text())["milestones"]["agi"]
    china = summary["blocs"]["china"]
    row = next(line for line in text.split("China")[1].splitlines() if "default-two" in line)
    assert f"{china['p_in']:.3f}" in row
    assert f"{china['p_never']:.3f}" in row
    bipolar = next(line for line in text.splitlines() if "P(bipolar)" in line)
    assert f"{summary['lead']['p_bipolar']:.3f}" in bipolar
    assert "P(unipolar: US & allies)" in text
    assert "lead of US & allies over China" in text
    assert f"{summary['lead']['quantiles']['0.5']:+.1f}" in text
    assert "not a prophecy" in text
    assert "priors.investment.growth\n  1: the driver's default\n  2: Normal(mu=0.15, sigma=0.1)" in text


def test_no_picture_is_written_unless_it_is_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Picture" not in compare(folder, ONE, TWO).output
    assert list(tmp_path.iterdir()) == []
    result = compare(folder, ONE, TWO, "--output", "both.png")
    assert "Picture written to both.png." in result.stdout
    assert (tmp_path / "both.png").stat().st_size > 10_000


def test_a_run_with_fewer_blocs_is_compared_as_far_as_it_goes(folder: Path) -> None:
    text = compare(folder, ONE, ALONE).stdout
    assert "Note: Only run 1 has the bloc 'china'." in text
    row = next(line for line in text.split("China")[1].splitlines() if "default-alone" in line)
    assert row.split()[2:] == ["-"] * 5
    bipolar = next(line for line in text.splitlines() if "P(bipolar)" in line)
    assert bipolar.split()[-1] == "-"


def test_a_prior_that_no_run_states_apart_is_no_difference(folder: Path, tmp_path: Path) -> None:
    again = save_variant(tmp_path, "again", toml='name = "one"\n')
    assert "The runs were told the same." in compare(folder, ONE, str(again.path)).stdout


def test_more_runs_than_fit_abreast_are_shown_in_further_tables(folder: Path, tmp_path: Path) -> None:
    paths = [str(save_variant(tmp_path, f"run{n}", toml=f'name = "n{n}"\n').path) for n in range(4)]
    text = compare(folder, *paths).stdout
    assert max(len(line) for line in text.splitlines() if "/" not in line) <= 80
    assert "run 4" in text
    assert text.count("P(bipolar)") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([ONE], "Name two or more runs"),
        ([], "Missing argument"),
        ([ONE, ONE], "is named twice"),
        ([ONE, "0a1b"], "is named twice"),
        ([ONE, "nothing-like-it"], "no such run in"),
        ([ONE, TWO, "--milestone", "asi"], "none of these runs has such a milestone (did you mean 'agi'?)"),
        ([ONE, TWO, "--output", "x.jpeg"], "must end in .png, .pdf, .svg"),
        ([ONE, TWO, "--output", "nowhere/x.png"], "there is no folder nowhere"),
    ],
)
def test_wrong_input_is_said_in_words_with_exit_code_2(
    folder: Path, arguments: list[str], words: str
) -> None:
    result = compare(folder, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_what_fails_otherwise_ends_with_exit_code_1(folder: Path, tmp_path: Path) -> None:
    result = compare(folder, ONE, TWO, "--json", "--output", str(tmp_path / f"{'x' * 300}.png"))
    assert result.exit_code == 1
    assert "could not be written" in result.stderr
    assert result.stdout == ""
    damaged = save_variant(tmp_path, "damaged").path
    (damaged / "worldview.toml").write_text("[")
    assert compare(folder, ONE, str(damaged)).exit_code == 1
