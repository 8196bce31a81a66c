"""docs/sweep.md says what there is, and its examples work."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from forecast.host import Loaded, load_plugins
from forecast.sweep import Planned, plan_sweep, read_sweep
from forecast.sweep.tables import arrow_table, sweep_tree, tidy_rows, write_parquet, write_zarr
from forecast.sweep.work import LEVELS, Outcome
from tests.docs.markdown import blocks

PAGE = "docs/sweep.md"
(GROWTH, HYPERCUBE) = (block.text for block in blocks(PAGE, "toml"))
(PYTHON,) = (block.text for block in blocks(PAGE, "python"))


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_plugins()


@pytest.fixture(scope="module")
def growth(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """The page's first sweep, from the priors alone: whatever is fitted, its cells are these."""
    file = tmp_path_factory.mktemp("page") / "growth.toml"
    file.write_text(GROWTH, encoding="utf-8")
    return plan_sweep(read_sweep(file), loaded)


def made(planned: Planned) -> dict[int, Outcome]:
    """Cells with numbers by their place, as if they had been made."""
    outcomes = {}
    for job in planned.jobs:
        rows: list[dict[str, Any]] = []
        for milestone in job.worldview.milestones:
            for bloc in job.worldview.bloc_names:
                shares = {
                    "p_before": 0.0,
                    "p_in": job.cell / 100,
                    "p_after": 0.5,
                    "p_never": 0.5 - job.cell / 100,
                }
                dates = {f"q{level[2:]:<02}": 2030.0 + job.cell for level in LEVELS}
                rows.append({"milestone": milestone, "bloc": bloc, **shares, **dates})
        outcomes[job.cell] = Outcome(job.cell, job.run, ok=True, rows=rows)
    return outcomes


def test_the_first_sweep_has_the_cells_and_fits_that_the_page_shows(growth: Planned):
    (shown,) = (block.text for block in blocks(PAGE, "text"))
    cells = re.findall(r"^ +(\d+)  (0\.\d)  +([\d-]+)  (\S+) ", shown, re.M)
    assert cells == [
        (str(cell.number), *(f"{value}" for value in cell.settings.values())) for cell in growth.cells
    ]
    assert f"{len(growth.cells)} of {len(growth.cells)} cells to make, from {len(growth.fits)} fits" in shown


def test_the_hypercube_is_one(loaded: Loaded, tmp_path: Path):
    file = tmp_path / "cube.toml"
    file.write_text(HYPERCUBE.replace("samples = 64", "samples = 6"), encoding="utf-8")
    assert len(plan_sweep(read_sweep(file), loaded).cells) == 6
    assert "samples = 64" in HYPERCUBE


def test_its_tables_are_read_as_the_page_reads_them(growth: Planned, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (name,) = set(re.findall(r"sweeps/(growth-[0-9a-f]{8})/", PYTHON))
    folder = tmp_path / "sweeps" / name
    folder.mkdir(parents=True)
    outcomes = made(growth)
    rows = tidy_rows(growth, outcomes)
    write_parquet(arrow_table(rows, list(growth.sweep.settings)), folder / "results.parquet")
    write_zarr(sweep_tree(growth, outcomes, rows), folder / "sweep.zarr")
    names: dict[str, Any] = {}
    *steps, selected = [ast.unparse(one) for one in ast.parse(PYTHON).body]
    exec("\n".join(steps), names)
    medians = eval(selected, names)
    assert medians.sel(milestone="agi").values.tolist() == [2030.0 + cell for cell in range(12)]
    pivoted = eval(next(line for line in steps if line.startswith("table[")), names)
    assert pivoted.shape == (6, 4)
    columns = pq.read_schema(folder / "results.parquet").names
    told = next(
        line
        for line in Path(__file__).parents[2].joinpath(PAGE).read_text().splitlines()
        if "results.parquet` |" in line
    )
    named = [word.replace("BLOC", "us_allies") for word in re.findall(r"`(\w+)`", told)]
    assert set(named) <= set(columns)
    unnamed = set(columns) - set(named) - {"p_unipolar_china", "milestone", "bloc", *growth.sweep.settings}
    assert not unnamed
