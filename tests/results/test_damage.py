"""Damaged files of a run, where what is read is right by itself and wrong beside something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forecast.claims.measures import Reading
from forecast.errors import ForecastError
from forecast.results import read_run
from tests.results.synthetic import save_run


def test_a_probability_without_its_error_is_damage(tmp_path: Path) -> None:
    path = save_run(tmp_path)
    summary = json.loads((path / "summary.json").read_text())
    bloc = summary["milestones"]["agi"]["blocs"]["china"]
    bloc["p_million_chips"] = 0.5
    bloc["mcse"].pop("p_million_chips", None)
    (path / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(ForecastError, match="blocs.china.p_million_chips has no error"):
        read_run(path)


def test_claims_can_be_checked_against_a_run_whose_seed_is_not_said(tmp_path: Path) -> None:
    """Its form allows it: the draws were made elsewhere."""
    path = save_run(tmp_path)
    summary = json.loads((path / "summary.json").read_text())
    summary["sampler"]["seed"] = None
    (path / "summary.json").write_text(json.dumps(summary))
    assert Reading.of(read_run(path), {}).seed == 0
