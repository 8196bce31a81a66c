"""``forecast calibrate``: table, JSON, picture and exit codes, of fits that are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner

from forecast import calibration
from forecast.calibration import FIT, Calibration, calibration_schema
from forecast.calibration.calibrating import judged
from forecast.cli import main
from forecast.inference import SamplerSettings

NAMES = ["line.level[china]", "line.growth", "big[china]", "log_likelihood"]
VIEW = {"name": "toys", "title": "Toys", "as_of": "2026-06-30", "seed": 11}


def record(number: int, ranks: Any, reasons: tuple[str, ...] = ()) -> dict[str, Any]:
    """A simulation as its folder keeps it."""
    contraction = dict(zip(NAMES, [0.9, 0.0, 0.2, None], strict=True))
    return {
        "simulation": number,
        "attempts": 1 + len(reasons),
        "reasons": list(reasons),
        "draws": 100,
        "ranks": dict(zip(NAMES, ranks, strict=True)),
        "contraction": contraction,
    }


def made(ranks: Any, failed: int = 0) -> Calibration:
    records = [record(number, row) for number, row in enumerate(ranks)]
    records += [record(len(ranks) + n, [0.5] * 4, ("R-hat of line.growth is 1.200",)) for n in range(failed)]
    summary = judged(records, NAMES, 2) | {"worldview": VIEW, "settings": {}}
    return Calibration(summary, dict(zip(NAMES, np.transpose(ranks), strict=True)))


def row_of(found: Any, name: str) -> str:
    """The row of a number, which stands below its driver."""
    (row,) = [one for one in found.stdout.splitlines() if one.split()[:1] == [name.rpartition(".")[2]]]
    return row


RIGHT = np.random.default_rng(4).random((150, 4))
WRONG = np.column_stack([RIGHT[:, 0] ** 3, RIGHT[:, 1:]])


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Run the command on what a calibration is said to have given; also returns what it asked for."""
    asked: dict[str, Any] = {}

    def run(given: Calibration, *arguments: str) -> Any:
        def calibrate(plan: Any, out: Path, **options: Any) -> Calibration:
            asked.update(options, out=out, seed=plan.worldview.seed)
            out.mkdir()
            return given

        monkeypatch.setattr(calibration, "calibrate", calibrate)
        found = CliRunner().invoke(main, ["calibrate", "--out", str(tmp_path / "out"), *arguments])
        return found, asked

    return run


def test_a_calibrated_worldview_exits_with_0_and_its_table_names_every_number(invoke, tmp_path):
    found, asked = invoke(made(RIGHT), "--priors", "small", "--seed", "5")
    assert found.exit_code == 0, found.output
    words = " ".join(found.stdout.split())
    assert "Calibration passed. Over 150 simulated data sets all 4 curves of ranks are inside" in words
    for name in NAMES:
        row = row_of(found, name)
        assert "yes" in row and "%" in row
    assert (tmp_path / "out" / "calibration.png").stat().st_size > 10_000
    assert (asked["simulations"], asked["settings"], asked["seed"]) == (200, FIT, 5)


def test_json_is_alone_on_stdout_and_has_the_keys_that_others_rely_on(invoke):
    found, asked = invoke(
        made(RIGHT, failed=3), "--json", "--simulations", "153", "--draws", "700", "--workers", "3"
    )
    assert found.exit_code == 0
    summary = json.loads(found.stdout)
    assert {"schema", "simulations", "failed", "parameters", "ok"} <= set(summary)
    assert (summary["schema"], summary["simulations"], summary["failed"]) == (
        "forecast.calibration/1",
        153,
        3,
    )
    jsonschema.validate(summary, calibration_schema())
    for one in summary["parameters"].values():
        assert isinstance(one["inside_band"], bool)
        assert set(one["coverage"]) == {"0.5", "0.8", "0.9"}
    assert summary["parameters"]["big[china]"]["derived"] is True
    assert summary["parameters"]["line.growth"]["derived"] is False
    assert asked["settings"] == SamplerSettings(draws=700, tune=300, chains=2, cores=1)
    assert asked["workers"] == 3


def test_a_number_outside_its_band_exits_with_3_and_is_named(invoke):
    found, _ = invoke(made(WRONG))
    assert found.exit_code == 3
    words = " ".join(found.stdout.split())
    assert "Calibration FAILED" in words and "1 of 4 curves of ranks are outside" in words
    assert "NO" in row_of(found, "line.level[china]")
    assert "yes" in row_of(found, "line.growth")


def test_many_failed_fits_exit_with_3_though_the_others_are_right(invoke):
    found, _ = invoke(made(RIGHT[:60], failed=9))
    assert found.exit_code == 3
    assert "More than 10% of the fits failed" in found.stdout
    assert "simulation 60: R-hat of line.growth is 1.200" in found.stdout


def test_where_every_fit_failed_there_is_still_an_answer(invoke):
    found, _ = invoke(made(np.empty((0, 4)), failed=2), "--json")
    assert found.exit_code == 3
    assert json.loads(found.stdout)["parameters"]["line.growth"]["coverage"]["0.5"] is None


def test_no_simulations_are_wrong_input():
    assert CliRunner().invoke(main, ["calibrate", "--simulations", "0"]).exit_code == 2
