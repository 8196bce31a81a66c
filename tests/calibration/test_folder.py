"""A folder of simulations: what was cut short is made again, what somebody changed is told and left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forecast.calibration.folder import Folder
from forecast.errors import ForecastError

WHOLE: dict[str, Any] = {
    "simulation": 0,
    "attempts": 1,
    "reasons": [],
    "draws": 100,
    "ranks": {"growth": 0.5, "lead": 0.1},
    "contraction": {"growth": 0.9, "lead": None},
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "calibration", {"seed": 1})
    made.keep(WHOLE)
    made.keep({"simulation": 1, "attempts": 2, "reasons": ["R-hat of growth is 1.2"]})
    return made


def test_what_was_kept_is_read_again(folder: Folder) -> None:
    assert folder.simulation(0) == WHOLE and folder.simulation(1) is not None
    assert folder.simulation(2) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ranks": None}, "ranks missing"),
        ({"ranks": {}}, "ranks is empty"),
        ({"ranks": {"growth": "high", "lead": 0.1}}, "ranks.growth holds str where number belongs"),
        ({"ranks": {"growth": 1.5, "lead": 0.1}}, "ranks.growth is 1.5, which it cannot be"),
        ({"ranks": {"growth": 0.5}}, r"ranks other quantities than the simulations beside it \(lead\)"),
        ({"contraction": {"growth": 0.9}}, r"other quantities .* \(lead\)"),
        ({"reasons": "none"}, "reasons holds str where array belongs"),
        ({"attempts": None}, "attempts missing"),
        ({"draws": "many"}, "draws holds str"),
    ],
)
def test_a_simulation_that_somebody_changed_is_named_with_what_to_do(
    folder: Folder, change: dict[str, Any], words: str
) -> None:
    assert folder.simulation(0) is not None
    path = folder.path / "simulations" / "2.json"
    changed = {key: value for key, value in {**WHOLE, "simulation": 2, **change}.items() if value is not None}
    path.write_text(json.dumps(changed))
    with pytest.raises(
        ForecastError, match=rf"2.json is damaged.*{words}.*Delete it, and the simulation"
    ) as caught:
        folder.simulation(2)
    assert caught.value.exit_code == 1 and json.loads(path.read_text()) == changed
