"""Predictions of a backtest are of the draws that the forecast itself counts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from forecast.backtest.cells import fit_cell
from forecast.engine import Reporter, make_plan
from tests import toys
from tests.backtest import worlds

LOW = ["thresholds.compute.mu=25", "thresholds.compute.sigma=0.1", "milestones.big.unreachable=0"]


def highest(folder: Path, not_yet_crossed: str) -> float:
    """The 95% quantile of what the priors say of the first row after 2024."""
    folder.mkdir()
    line = toys.Line(toys.table(folder / "evidence", worlds.runs()))
    worldview = toys.worldview(folder, overrides=[*LOW, f"milestones.big.not_yet_crossed={not_yet_crossed}"])
    plan = make_plan(
        worldview, as_of=date(2024, 12, 31), drivers=[line], settings=worlds.QUICK, prior_only=True
    )
    case = min(fit_cell(plan, Reporter())["cases"], key=lambda case: (case["bloc"] == "china", case["date"]))
    assert case["bloc"] == "us_allies"
    return float(case["methods"]["model"]["quantiles"][-1])


def test_draws_in_which_a_bloc_had_crossed_predict_nothing(tmp_path: Path) -> None:
    """Nobody had a run of 10^25 FLOP by then, so that no draw far above it may speak of the year after."""
    assert highest(tmp_path / "conditioned", "true") < 26.0
    assert highest(tmp_path / "any", "false") > 26.5
