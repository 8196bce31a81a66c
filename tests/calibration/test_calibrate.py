"""Calibration of a toy: a right model passes, a wrong one does not, and a folder goes on where it stopped."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest

from forecast.calibration import calibrate, calibration_schema, running
from forecast.calibration.calibrating import judged
from forecast.engine import Reporter
from forecast.errors import InputError
from tests.calibration.conftest import QUICK, SIMULATIONS


def test_a_right_model_passes_and_learns_from_its_data(calibrated):
    # The chance that a right model fails is 5% by construction; the seed is fixed.
    summary = calibrated[0].summary
    assert summary["ok"] is True, summary["outside"]
    assert summary["schema"] == "forecast.calibration/1"
    assert summary["simulations"] == SIMULATIONS
    names = {"line.level[us_allies]", "line.level[china]", "line.growth", "line.scatter"}
    derived = {"big[us_allies]", "big[china]", "lead", "log_likelihood"}
    assert set(summary["parameters"]) == names | derived
    assert {name for name, one in summary["parameters"].items() if one["derived"]} == derived
    for name, one in summary["parameters"].items():
        assert one["inside_band"] is True
        assert one["coverage"]["0.5"] < one["coverage"]["0.8"] < one["coverage"]["0.9"]
        assert 0.3 < one["coverage"]["0.5"] < 0.7
        assert (one["contraction"] is None) == (name == "log_likelihood")
    assert summary["parameters"]["line.level[china]"]["contraction"] > 0.7  # the rows say where it is


def test_a_model_that_counts_its_rows_twice_fails(plan_of, compiler, tmp_path):
    found = calibrate(
        plan_of(times=2.0), tmp_path / "twice", simulations=SIMULATIONS, settings=QUICK, compiler=compiler
    )
    assert compiler.compilations + compiler.loads == 1  # the wrong model differs in numbers alone
    assert found.summary["ok"] is False
    assert {"line.level[us_allies]", "log_likelihood"} <= set(found.summary["outside"])


def test_a_model_that_ignores_its_data_is_told_by_its_contraction(plan_of, compiler, tmp_path):
    found = calibrate(
        plan_of(times=1e-8), tmp_path / "none", simulations=15, settings=QUICK, compiler=compiler
    ).summary
    names = ["line.level[us_allies]", "line.level[china]", "line.growth"]
    assert all(found["parameters"][name]["inside_band"] for name in names)
    assert all(found["parameters"][name]["contraction"] < 0.2 for name in names)


def test_what_is_missing_is_made_again_to_the_last_digit_whatever_the_workers(calibrated, plan_of, compiler):
    _, folder = calibrated
    before = {path.name: path.read_bytes() for path in (folder / "simulations").iterdir()}
    assert len(before) == SIMULATIONS
    (folder / "simulations" / "3.json").unlink()  # as if it had been under way when the process was killed
    (folder / "simulations" / "11.json").write_text('{"simulation": 11, "ran')
    settled = (folder / "simulations" / "4.json").stat().st_mtime_ns
    calibrate(plan_of(), folder, simulations=SIMULATIONS, settings=QUICK, workers=1, compiler=compiler)
    assert {path.name: path.read_bytes() for path in (folder / "simulations").iterdir()} == before
    assert (folder / "simulations" / "4.json").stat().st_mtime_ns == settled


def test_who_stops_it_is_told_what_is_kept(calibrated, plan_of, compiler):
    class Stopping(Reporter):
        told = ""

        def progress(self, done, total):
            raise KeyboardInterrupt

        def warn(self, message):
            self.told = message

    reporter, wanted = Stopping(), SIMULATIONS + 1
    with pytest.raises(KeyboardInterrupt):
        calibrate(
            plan_of(), calibrated[1], simulations=wanted, settings=QUICK, compiler=compiler, reporter=reporter
        )
    assert f"{SIMULATIONS} of {wanted} simulations are kept in {calibrated[1]}" in reporter.told


def test_fewer_simulations_are_read_from_the_same_folder(calibrated, plan_of, compiler):
    found = calibrate(plan_of(), calibrated[1], simulations=10, settings=QUICK, compiler=compiler)
    assert found.summary["simulations"] == 10
    assert len(found.ranks["lead"]) == 10 - found.summary["failed"]
    jsonschema.validate(json.loads((calibrated[1] / "calibration.json").read_text()), calibration_schema())


def test_simulations_of_other_settings_are_not_counted_together(calibrated, plan_of, compiler):
    other = plan_of(overrides=("priors.line.growth.mu=0.6", "seed=12"))
    with pytest.raises(InputError, match=r"other settings \(.*priors, the seed, the worldview\)") as caught:
        calibrate(other, calibrated[1], simulations=10, settings=QUICK, compiler=compiler)
    assert "\n" not in str(caught.value)


def test_a_folder_of_something_else_is_left_alone(plan_of, compiler, tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files and no calibration"):
        calibrate(plan_of(), tmp_path, simulations=1, settings=QUICK, compiler=compiler)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("text", ["[]", "3", "x"])
def test_settings_that_are_no_table_are_told_and_left_alone(plan_of, compiler, tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(InputError, match=r"settings.json cannot be read"):
        calibrate(plan_of(), tmp_path, simulations=1, settings=QUICK, compiler=compiler)
    assert (tmp_path / "settings.json").read_text() == text


def test_a_fit_that_has_not_converged_is_tried_once_more_and_then_listed(
    plan_of, compiler, tmp_path, monkeypatch
):
    monkeypatch.setattr(running, "LARGEST_R_HAT", 0.5)
    found = calibrate(plan_of(), tmp_path / "bad", simulations=2, settings=QUICK, compiler=compiler).summary
    assert found["ok"] is False
    assert found["failed"] == 2 and found["second_attempts"] == 2
    assert [one["simulation"] for one in found["failures"]] == [0, 1]
    assert all("R-hat of line." in one["reasons"][0] for one in found["failures"])
    assert found["parameters"]["lead"]["coverage"] == {"0.5": None, "0.8": None, "0.9": None}


def test_with_nothing_to_fit_it_says_so(tmp_path):
    from forecast.engine import make_plan
    from tests import toys

    plan = make_plan(toys.worldview(tmp_path), drivers=[toys.Line(), toys.Luck()])
    with pytest.raises(InputError, match="no row of evidence depends on an uncertain number"):
        calibrate(plan, tmp_path / "out", simulations=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", [1, 3, 4])
def test_so_few_simulations_that_none_could_fail_do_not_pass(count):
    names = [f"line.number[{place}]" for place in range(60)]
    even, worst = np.random.default_rng(4).random((count, 60)), np.zeros((count, 60))
    for ranks in (even, worst):
        records = [
            {
                "simulation": at,
                "reasons": [],
                "attempts": 1,
                "draws": 100,
                "ranks": dict(zip(names, row, strict=True)),
                "contraction": dict.fromkeys(names, 0.5),
            }
            for at, row in enumerate(ranks.tolist())
        ]
        found = judged(records, names, 60)
        assert found["outside"] == []
        assert found["ok"] is found["enough"] is False
