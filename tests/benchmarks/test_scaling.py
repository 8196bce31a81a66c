"""Benchmarks of scaling and of sweeps: what they measure is what they say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from benchmarks import __main__ as command_line
from benchmarks import processes, scaling, sweeping
from forecast.host import load_plugins
from forecast.sweep import plan_sweep, read_sweep


def test_the_power_of_growth_is_that_between_the_two_largest_sizes():
    sizes = ((1, 9.0), (10, 1.0), (100, 10.0))
    rows = [{"axis": "draws", "size": size, "build": 0.0, "project": cost} for size, cost in sizes]
    (found,) = scaling.powers(rows)
    assert (found["from"], found["to"], found["ok"]) == (10, 100, True)
    assert found["power"] == pytest.approx(1.0)
    rows[-1]["project"] = 30.0
    assert not scaling.powers(rows)[0]["ok"]


def test_a_size_is_measured_on_a_model_of_that_size(monkeypatch):
    monkeypatch.setattr(scaling, "DRAWS", 20)
    monkeypatch.setitem(scaling.SIZES, "blocs", (3,))
    (row,) = scaling.measure(["blocs"])  # raises where the model has another number of blocs
    assert row["size"] == 3
    assert row["project"] > 0 and row["draws_per_second"] == pytest.approx(20 / row["project"])
    assert 0.1 < row["peak"] < 4


def test_sweeps_are_measured_after_their_code_is_compiled(monkeypatch):
    swept = []

    def cost_of(command, **options):
        swept.append(tomllib.loads(Path(command[4]).read_text("utf-8"))["settings"])
        (folder := Path(command[-1])).mkdir()
        parquet.write_table(pa.table({"cell": [0], "seconds": [1.0]}), folder / "results.parquet")
        return processes.Cost(wall=float(len(swept)), cpu=0.0, peak=0.5, code=0, output="")

    monkeypatch.setattr(sweeping, "cost_of", cost_of)
    monkeypatch.setitem(scaling.SIZES, "cells", (4, 8))
    rows = scaling.sweeps()
    assert [(row["size"], row["seconds"]) for row in rows] == [(4, 2.0), (8, 3.0)]
    assert [len(values) for settings in swept for values in settings.values()] == [2, 4, 8]
    assert scaling.powers(rows)[0]["power"] == pytest.approx(np.log2(1.5))


def test_the_sweep_that_is_timed_makes_a_fit_for_each_cell(tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text(sweeping.sweep_file("small", 3, draws=500, tune=500, chains=4), "utf-8")
    planned = plan_sweep(read_sweep(file), load_plugins(()), plugins=())
    assert len(planned.cells) == 3
    assert len(planned.fits) == 3
    assert len(planned.shapes) == 1


def test_one_command_measures_run_refit_sweep_and_scaling(monkeypatch):
    called = []
    for command in (command_line.speed, command_line.sweep, command_line.scaling):
        keep = lambda name=command.name, **options: called.append((name, options["output"]))  # noqa: E731
        monkeypatch.setattr(command, "callback", keep)
    result = CliRunner().invoke(command_line.main, [])
    assert result.exit_code == 0, result.output
    assert called == [("speed", "speed"), ("sweep", "sweep"), ("scaling", "scaling")]
