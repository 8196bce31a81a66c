"""A folder with a plugin, a worldview, scenarios and the few lines that run a sweep there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from forecast.cli import main
from tests.toys import RUNS, TABLES, WORLDVIEW

BUILT_IN = (
    "investment", "compute-growth", "export-control-leakage", "export-policy", "algorithmic-efficiency",
    "capability", "automated-rnd", "physical-limits", "training-cost",
)  # fmt: skip
ALONE = f"[drivers]\ndisable = {list(BUILT_IN)}\n[window]\n"
LESS = '{ quantity = "compute", add = -1, from = 2027-01-01 }'
SLOWER = f'kind = "intervene"\nsource = "a test"\nintervene = [{LESS}]\n'
STEEPER = 'kind = "assume"\nsource = "a test"\n[set]\n"priors.line.growth.mu" = 0.9\n'

HEAD = 'base = "toys.toml"\n'
PRIOR = "[sampling]\ndraws = 50\nchains = 2\nprior_only = true\n"
FOUR = f'{HEAD}[settings]\n"priors.line.growth.mu" = [0.4, 0.5, 0.6, 0.7]\n{PRIOR}'


def make_folder(folder: Path) -> Path:
    """Fill a folder with all that sweeps of tests name."""
    (folder / "evidence").mkdir(parents=True)
    for name, text in {
        "toy.py": (Path(__file__).parent / "driver_file.py").read_text("utf-8"),
        "toys.toml": WORLDVIEW.replace("[window]\n", ALONE, 1),
        "evidence/tables.toml": TABLES,
        "evidence/runs.csv": RUNS,
        "slower.toml": SLOWER,
        "steeper.toml": STEEPER,
        "four.toml": FOUR,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def sweep(*arguments: str) -> Result:
    """Run the command with the plugin."""
    return CliRunner().invoke(main, ["sweep", "--plugin", "toy.py", *arguments])


def written(text: str, name: str = "sweep.toml") -> str:
    """Write a sweep file here."""
    Path(name).write_text(text, encoding="utf-8")
    return name


def cells_in(folder: Path | str) -> dict[str, bytes]:
    """Contents of the cells that are kept, by file name."""
    return {path.name: path.read_bytes() for path in sorted(Path(folder, "cells").glob("[0-9]*.npz"))}


def printed(result: Result) -> Any:
    """What --json printed."""
    assert result.exit_code in (0, 1, 3), result.output
    return json.loads(result.stdout)


def said(result: Result) -> str:
    """Standard error in one line."""
    return " ".join(result.stderr.split())
