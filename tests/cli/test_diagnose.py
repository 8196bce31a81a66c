"""``forecast diagnose``: words first, then tables; JSON; exit codes; and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.diagnostics import diagnosis_schema
from forecast.results import write_tree
from tests.diagnostics.fits import changed, normal_fit
from tests.results.synthetic import good_tree, save_run
from tests.results.variants import save_variant

ID = "2026-06-30-default-0a1b2c3d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ours with evidence; its draws are good."""
    folder = tmp_path_factory.mktemp("runs")
    fit = {name: node.to_dataset() for name, node in normal_fit().items() if name != "posterior"}
    ours = good_tree()
    for name, data in fit.items():
        ours[name] = xr.DataTree(data)
    ours["posterior"] = xr.DataTree(
        ours["posterior"].to_dataset().merge(normal_fit()["posterior"].to_dataset())
    )
    save_run(folder, ID, tree=ours)
    return folder


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fit of another's: an outlier, and a chain elsewhere."""
    y = np.random.default_rng(2).normal(0.5, 1.0, 20)
    y[7] = 22.0
    tree = normal_fit(y)
    mu = tree["posterior"]["mu"].to_numpy().copy()
    mu[0] += 1
    path = tmp_path_factory.mktemp("fits") / "[bold]bad.nc"
    write_tree(changed(tree, "posterior", mu=(("chain", "draw"), mu)), path)
    return path


def diagnose(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["diagnose", *map(str, arguments)])


def test_a_good_run_passes_in_words_with_code_0(folder: Path):
    result = diagnose("latest", "--out", folder)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert text.startswith(
        "Diagnostics passed. The draws may be relied on: every check of convergence passed."
    )
    assert "accepted draws pass" in text
    assert "Not moved by the data: 1 of 2 parameters, whose posterior is their prior: idle." in text
    assert "Thresholds: Vehtari et al. 2021 (R-hat, bulk ESS, tail ESS" in text
    assert "What to do" not in text
    assert ID in text
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_a_bad_fit_of_anothers_fails_in_words_with_code_3(bad: Path):
    result = diagnose(bad)
    assert result.exit_code == 3, result.output
    text = " ".join(result.stdout.split())
    assert text.startswith("Diagnostics FAILED. Do not rely on these draws: failed R-hat")
    assert "R-hat: The chains disagree: sample longer, and look at the prior" in text
    assert "accepted" not in text and "--draws" not in text
    assert "row 7 y" in text  # among the influential rows
    assert result.stdout.splitlines()[-1] == f"Diagnosed: {bad}"  # as it is: brackets are no markup


def test_json_alone_is_on_stdout_and_is_the_published_form(folder: Path, bad: Path):
    result = diagnose(ID[:12], "--out", folder, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    jsonschema.validate(found, diagnosis_schema())
    assert (found["schema"], found["run"], found["ok"]) == ("forecast.diagnosis/1", ID, True)
    for check in found["checks"]:
        assert set(check) == {"code", "title", "state", "value", "threshold", "where", "advice"}
    result = diagnose(bad, "--json")
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    jsonschema.validate(found, diagnosis_schema())
    assert (found["run"], found["ok"]) == (str(bad), False)


def test_the_results_of_a_run_are_judged_as_a_file_too(folder: Path):
    result = diagnose(folder / ID / "results.nc", "--json")
    assert result.exit_code == 0, result.output
    assert "accepted" in json.loads(result.stdout)["deciding"]


def test_a_threshold_that_is_set_is_used_and_said(folder: Path):
    result = diagnose("latest", "--out", folder, "--threshold", "ess_bulk=1e6", "--threshold", "r_hat = 1.02")
    assert result.exit_code == 3
    text = " ".join(result.stdout.split())
    assert "failed bulk ESS" in text
    assert "Thresholds that were set for this diagnosis: ess_bulk=1e+06, r_hat=1.02." in text


def test_a_run_that_cannot_be_judged_has_code_3_and_says_why(tmp_path: Path):
    save_variant(tmp_path, "2026-06-30-priors-0a1b2c3d", prior_only=True)
    result = diagnose("latest", "--out", tmp_path)
    assert result.exit_code == 3
    text = " ".join(result.stdout.split())
    assert text.startswith("Diagnostics not available. These are draws of the priors alone")
    without_stats = good_tree()
    del without_stats["sample_stats"]
    save_run(tmp_path, ID, tree=without_stats)
    result = diagnose(ID, "--out", tmp_path, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["ok"] is None


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        ("rhat=1.01", "there is no check 'rhat' (did you mean 'r_hat'?)"),
        ("r_hat", "write CODE=VALUE"),
        ("r_hat=high", "the threshold of r_hat is a number"),
        ("r_hat=nan", "the threshold of r_hat is a number"),
        ("loo_pit=5", "from 0 to 1"),
    ],
)
def test_a_wrong_threshold_is_refused_before_anything_is_read(tmp_path: Path, threshold: str, words: str):
    result = diagnose("latest", "--out", tmp_path / "nowhere", "--threshold", threshold)
    assert result.exit_code == 2
    assert words in result.stderr and "nowhere" not in result.stderr
    assert result.stdout == ""


def test_what_is_no_fit_is_refused_in_a_paragraph(tmp_path: Path, folder: Path):
    text = tmp_path / "notes.txt"
    text.write_text("not a fit")
    for argument, words in (
        (text, "cannot be read as NetCDF-4 or Zarr"),
        (tmp_path / "missing.nc", "there is no such run, file or Zarr store"),
        ("no-such-run", "no such run in"),
        (tmp_path, "no such run in"),
    ):
        result = diagnose(argument, "--out", folder)
        assert result.exit_code == 2, result.output
        assert words in result.stderr and "Traceback" not in result.stderr
        assert result.stdout == ""
