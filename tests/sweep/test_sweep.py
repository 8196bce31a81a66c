"""``forecast sweep`` on Dask: the same numbers as single runs, and nothing lost whatever is killed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from distributed import LocalCluster

from forecast.cli import main
from forecast.errors import ForecastError
from forecast.host import load_plugins
from forecast.sweep import plan_sweep, read_sweep
from forecast.sweep.cluster import Workers, deaf_to_ctrl_c, told_when_idle
from forecast.sweep.journal import Journal
from tests.sweep.support import FOUR, HEAD, PRIOR, cells_in, make_folder, printed, said, sweep, written

pytestmark = pytest.mark.slow

FITTED = "[sampling]\ndraws = 60\ntune = 100\nchains = 2\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers that the tests of this file share, reached as anybody's cluster is."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as found:
        yield found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_folder(tmp_path / "folder"))
    for name in ("FORECAST_DEBUG", "FORECAST_PLUGINS", "FORECAST_RUNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "folder"


@pytest.fixture
def on(cluster: LocalCluster, here: Path) -> Callable[..., Result]:
    """Run a sweep on the shared workers."""
    return lambda *arguments: sweep(*arguments, "--scheduler", cluster.scheduler_address)


def start(*arguments: str) -> subprocess.Popen[str]:
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "forecast", "sweep", "--plugin", "toy.py", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(there: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def table(folder: str) -> pd.DataFrame:
    return pd.read_parquet(Path(folder) / "results.parquet")


# What it gives -----------------------------------------------------------------------------------


def test_cells_are_the_runs_and_scenarios_of_the_same_settings(on, no_pictures):
    """Eight cells of two fits: the numbers of `forecast run` and `forecast scenario`, to the last bit."""
    name = written(
        f"{HEAD}[settings]\n"
        '"thresholds.compute.mu" = [27, 27.5]\n"window.end" = [2027-12-31, 2028-12-31]\n'
        f'scenario = ["none", "slower.toml"]\n{FITTED}'
    )
    result = on(name, "--out", "out", "--json")
    assert result.exit_code == 3, result.output  # sixty draws are too few for the diagnostics
    assert "8 of 8 cells to make, from 1 fit" in result.stderr and "the diagnostics of 8 of 8 cells" in said(
        result
    )
    found = printed(result)
    shared = (
        "--plugin",
        "toy.py",
        "--priors",
        "toys.toml",
        "--draws",
        "60",
        "--tune",
        "100",
        "--chains",
        "2",
    )
    for cell in (found["cells"][6],):
        settings = [f"--set={key}={value}" for key, value in cell["settings"].items() if key != "scenario"]
        single = CliRunner().invoke(main, ["run", *shared, *settings, "--json"])
        summary = json.loads(single.stdout)
        assert cell["run"] == summary["run"]
        for row in cell["rows"]:
            milestone = summary["milestones"][row["milestone"]]
            bloc = milestone["blocs"][row["bloc"]]
            assert [row[key] for key in ("p_before", "p_in", "p_after", "p_never")] == [
                bloc[key] for key in ("p_before", "p_in", "p_after", "p_never")
            ]
            assert [row[f"q{q}"] for q in ("05", "50", "95")] == [
                bloc["quantiles"][q] for q in ("0.05", "0.5", "0.95")
            ]
            assert row["p_unipolar_us_allies"] == milestone["lead"]["p_unipolar"]["us_allies"]
            assert row["p_bipolar"] == milestone["lead"]["p_bipolar"]
            assert row["lead_median"] == milestone["lead"]["quantiles"]["0.5"]
        assert cell["ok"] is (summary["diagnostics"]["ok"] is True)
    settings = [
        f"--set={key}={value}" for key, value in found["cells"][7]["settings"].items() if key != "scenario"
    ]
    beside = CliRunner().invoke(main, ["scenario", "slower.toml", *shared, *settings, "--json"])
    slower = json.loads(beside.stdout)["scenarios"]["slower"]["blocs"]
    assert {row["bloc"]: row["p_in"] for row in found["cells"][7]["rows"]} == {
        bloc: told["p_in"] for bloc, told in slower.items()
    }


def test_results_are_a_tidy_table_a_tree_a_copy_of_the_file_and_a_picture(on):
    text = f"{HEAD}[settings]\nas_of = [2025-12-31, 2026-06-30]\nscenario = ['none', 'slower.toml']\n{PRIOR}"
    result = on(written(text), "--out", "out")
    assert result.exit_code == 0, result.output
    found = table("out")
    assert list(found.columns) == [
        "cell", "as_of", "scenario", "milestone", "bloc", "p_before", "p_in", "p_after", "p_never",
        "q05", "q25", "q50", "q75", "q95", "p_unipolar_us_allies", "p_unipolar_china", "p_bipolar",
        "lead_median", "ok", "seconds", "error",
    ]  # fmt: skip
    assert len(found) == 4 * 1 * 2 and found["as_of"].iloc[0] == date(2025, 12, 31)
    assert np.allclose(found[["p_before", "p_in", "p_after", "p_never"]].sum(axis=1), 1)
    assert found["ok"].isna().all() and (found["seconds"] > 0).all() and (found["error"] == "").all()
    tree = xr.open_datatree("out/sweep.zarr", engine="zarr", chunks=None)
    assert dict(tree.sizes) == {"cell": 4, "milestone": 1, "bloc": 2, "quantile": 5}
    assert tree["scenario"].dims == ("cell",) and list(tree["scenario"].values[:2]) == ["none", "slower.toml"]
    medians = tree["date"].sel(quantile=0.5, bloc="china").values.ravel()
    expected = found[found["bloc"] == "china"]["q50"].fillna(np.inf)
    assert np.array_equal(medians, expected)
    drawn = tree["crossings/date"].sel(cell=0, bloc="china", milestone="big").values
    before = found[(found["cell"] == 0) & (found["bloc"] == "china")]["p_never"].item()
    assert np.isclose(np.isposinf(drawn[~np.isnan(drawn)]).mean(), before)
    assert Path("out/sweep.toml").read_text() == text
    assert Path("out/response.png").read_bytes().startswith(b"\x89PNG")
    assert "4 cells; checking each" in result.stderr and "out: results.parquet" in result.stdout


def test_drivers_can_be_left_out_and_priors_given_whole(on):
    other = '{ distribution = "Normal", mu = 0.9, sigma = 0.1, unit = "OOM/year", source = "a test" }'
    settings = f'"priors.line.growth" = [{other}, {other}]\nwithout = ["none", []]\n'
    text = f'{HEAD}design = "list"\n[settings]\n{settings}{PRIOR}'
    assert on(written(text), "--out", "out").exit_code == 0
    found = table("out")
    assert set(found["without"]) == {"none"} and json.loads(found["priors.line.growth"][0])["mu"] == 0.9


# What goes wrong ---------------------------------------------------------------------------------


def test_a_killed_worker_loses_only_its_cell_which_is_made_again(on, here):
    (here / "kill").touch()
    result = on("four.toml", "--out", "out")
    assert result.exit_code == 0, result.output
    assert (here / "killed").exists()
    assert list(table("out")["cell"]) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_cell_that_fails_is_a_row_with_its_error_and_is_tried_again_by_resume(on, here):
    (here / "fail").touch()
    result = on("four.toml", "--out", "out", "--json")
    assert result.exit_code == 1
    found = printed(result)  # what the plugin prints in a worker is not among it
    (failed,) = [cell for cell in found["cells"] if cell["error"]]
    assert "a fault of the plugin" in failed["error"] and failed["rows"] == [] and failed["ok"] is False
    assert (
        f"Error: cell {failed['cell']} (growth.mu = {failed['settings']['priors.line.growth.mu']})"
        in result.stderr
    )
    rows = table("out")
    assert rows[rows["cell"] == failed["cell"]]["p_in"].isna().all() and rows["p_in"].notna().sum() == 6
    kept = cells_in("out")
    again = on("four.toml", "--resume", "out")
    assert again.exit_code == 0 and "1 of 4 cells to make" in again.stderr
    assert table("out")["p_in"].notna().all()
    assert {name for name, content in cells_in("out").items() if kept[name] != content} == {
        f"{failed['cell']:05d}.npz"
    }


def test_a_killed_sweep_goes_on_where_it_stopped_and_its_workers_end_with_it(on, here):
    """Killed by the system with a worker of its own at work; nobody else could have the folder meanwhile."""
    (here / "kill").touch()  # also of a worker of this machine's own cluster
    (here / "four.toml").write_text(FOUR.replace("0.7]", "0.7]\nseed = [1, 2]"))
    process = start("four.toml", "--out", "out", "--workers", "1")
    wait_for(lambda: len(cells_in("out")) >= 2)
    (here / "wait").touch()
    wait_for(lambda: (here / "waiting").exists() or process.poll() is not None)
    refused = on("four.toml", "--resume", "out")
    assert (
        refused.exit_code == 1
        and f"another process works on this sweep (process {process.pid} on" in said(refused)
    )
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    )
    workers = [int(pid) for pid in children.stdout.split()]
    process.kill()
    _, shown = process.communicate()
    assert re.search(r"Dask at tcp://127.0.0.1:\d+, dashboard http://127.0.0.1:\d+/status", shown)
    assert "8 of 8 cells to make" in shown and (here / "killed").exists() and workers
    wait_for(lambda: not any(alive(pid) for pid in workers))
    (here / "wait").unlink()
    kept = cells_in("out")
    assert 2 <= len(kept) < 8 and not (here / "out/results.parquet").exists()
    assert on("four.toml", "--out", "out").exit_code == 2  # one says that one goes on
    done = on("four.toml", "--resume", "out")
    assert done.exit_code == 0 and f"{8 - len(kept)} of 8 cells to make" in done.stderr
    now = cells_in("out")
    assert len(now) == 8 and all(now[name] == content for name, content in kept.items())
    assert list(table("out")["cell"]) == [cell for cell in range(8) for _ in range(2)]
    assert not list(here.glob("out/**/.tmp-*")) and not (here / "out/lock").exists()
    whole = on("four.toml", "--out", "whole")
    assert whole.exit_code == 0
    pd.testing.assert_frame_equal(
        table("out").drop(columns="seconds"), table("whole").drop(columns="seconds")
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
        if Path(f"/proc/{pid}").exists()
        else False
    )


def test_a_killed_scheduler_is_told_in_words_and_the_sweep_goes_on_elsewhere(on, here):
    """A scheduler and a worker as anybody starts them."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", "distributed.cli"]
    place = here / "scheduler.json"
    scheduler = subprocess.Popen(
        [*command[:2], "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
         "--no-dashboard", "--scheduler-file", str(place)], **quiet,
    )  # fmt: skip
    worker = subprocess.Popen(
        [*command[:2], "distributed.cli.dask_worker", "--scheduler-file", str(place), "--nthreads", "1",
         "--no-dashboard", "--no-nanny"], **quiet,
    )  # fmt: skip
    try:
        wait_for(lambda: place.exists() and place.read_text().strip().endswith("}"))  # it is written in place
        address = json.loads(place.read_text())["address"]
        (here / "wait").touch()
        killer = Thread(target=lambda: (wait_for((here / "waiting").exists), scheduler.kill()))
        killer.start()
        result = sweep("four.toml", "--out", "out", "--scheduler", address)
        killer.join()
    finally:
        (here / "wait").unlink(missing_ok=True)
        for one in (scheduler, worker):
            one.kill()
            one.wait()
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert f"the scheduler {address} cannot be reached any more" in said(result)
    assert "0 of 4 cells are kept; go on with --resume out" in said(result)
    assert on("four.toml", "--resume", "out").exit_code == 0
    assert len(table("out")) == 8


def test_it_says_that_all_workers_are_gone_and_says_it_once(monkeypatch):
    monkeypatch.setattr("forecast.sweep.cluster.LOOK", 0.01)
    there = iter([{"w": 1}, {}, {"w": 1}, *({} for _ in range(1000))])
    client = SimpleNamespace(scheduler_info=lambda n_workers: {"workers": next(there)})
    told: list[str] = []
    with told_when_idle(Workers(client, "tcp://toy", "", False), told.append):
        wait_for(lambda: told)
        time.sleep(0.1)
    assert len(told) == 1 and "no worker is left at tcp://toy" in told[0]


def test_a_full_disk_stops_it_in_words_and_what_was_kept_stays(on, here, monkeypatch):
    whole, written = np.savez, []

    def full(file, **arrays):
        if len(written) == 2:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(1)
        whole(file, **arrays)

    monkeypatch.setattr(np, "savez", full)
    result = on("four.toml", "--out", "out")
    assert result.exit_code == 1
    assert "the disk is full" in said(result) and "go on with --resume out" in said(result)
    assert len(cells_in("out")) == 2 and not list(here.glob("out/**/.tmp-*"))
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert "2 of 4 cells to make" in on("four.toml", "--resume", "out").stderr
    assert len(table("out")) == 8


def test_a_folder_that_was_begun_on_a_full_disk_can_be_begun_again(here, monkeypatch):
    """Nothing of the sweep is there yet, or its name alone."""
    for allowed in (0, 1):
        count, replace = iter(range(9)), os.replace

        def full(source, target, count=count, allowed=allowed, replace=replace):
            if next(count) >= allowed:
                raise OSError(errno.ENOSPC, "No space left on device")
            replace(source, target)

        planned = plan_sweep(read_sweep(here / "four.toml"), load_plugins(["toy.py"]), plugins=["toy.py"])
        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", full)
            with (
                pytest.raises(ForecastError, match="the disk is full"),
                Journal(here / "out", planned, resume=False),
            ):
                pass
        (here / "out/.tmp-1-of-a-killed-one").touch()
        with Journal(here / "out", planned, resume=False) as journal:
            assert journal.done() == {}
        assert {path.name for path in (here / "out").iterdir()} == {"cells", "sweep.json", "sweep.toml"}
        shutil.rmtree(here / "out")


def test_a_damaged_cell_is_made_again(on, here):
    assert on("four.toml", "--out", "out").exit_code == 0
    before = table("out")
    cell = here / "out/cells/00002.npz"
    cell.write_bytes(cell.read_bytes()[:200])
    assert "1 of 4 cells to make" in on("four.toml", "--resume", "out").stderr
    pd.testing.assert_frame_equal(table("out").drop(columns="seconds"), before.drop(columns="seconds"))
    whole = (here / "out/results.parquet").read_bytes()
    (here / "out/results.parquet").write_bytes(whole[:100])
    (here / "out/sweep.zarr/.zmetadata").unlink()
    (here / "out/response.png").unlink()
    existing = on("four.toml", "--out", "out")  # its cells are whole: none is made, and the rest is theirs
    assert (
        existing.exit_code == 0 and "to make" not in existing.stderr and "results.parquet" in existing.stdout
    )
    assert (here / "out/results.parquet").read_bytes() == whole and (here / "out/response.png").exists()
    assert xr.open_datatree(here / "out/sweep.zarr", engine="zarr")["crossings"]["date"].sizes["cell"] == 4


def test_ctrl_c_is_for_the_sweep_and_not_for_its_workers():
    """It comes while they start; another process that starts afterwards, in a worker's place, is deaf too."""
    start, asks = (
        Event(),
        "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))",
    )
    heard = []

    def starts() -> None:
        start.wait()
        heard.append(subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True).stdout)

    with pytest.raises(KeyboardInterrupt):
        with deaf_to_ctrl_c():
            starter = Thread(target=starts)
            starter.start()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
            begun = True
        pytest.fail("nothing came")
    start.set()
    starter.join()
    assert begun and heard == ["True\n"]


def test_a_folder_of_another_sweep_is_refused_in_words(on, here):
    assert on("four.toml", "--out", "out").exit_code == 0
    other = written(FOUR.replace("0.4", "0.3"))
    for option in ("--resume", "--out"):
        result = on(other, option, "out")
        assert result.exit_code == 2 and "holds the cells of another sweep" in said(result)
    (here / "toys.toml").write_text((here / "toys.toml").read_text().replace("sigma = 0.5", "sigma = 0.6"))
    changed = on("four.toml", "--resume", "out")
    assert changed.exit_code == 2 and "have changed since this sweep was begun" in said(changed)
    assert "there is no sweep to go on with" in said(on("four.toml", "--resume", "nowhere"))
    (here / "full").mkdir()
    (here / "full/mine.txt").touch()
    assert "is in the way" in said(on("four.toml", "--out", "full"))


@pytest.mark.parametrize(
    ("address", "code", "word"),
    [("tcp:/nowhere", 2, "is no address"), ("tcp://127.0.0.1:1", 1, "no Dask scheduler answers there")],
)
def test_a_scheduler_that_is_none_is_told(here, monkeypatch, address, code, word):
    monkeypatch.setattr("forecast.sweep.cluster.WAIT", 1.0)
    result = sweep("four.toml", "--out", "out", "--scheduler", address)
    assert result.exit_code == code and word in said(result) and "Traceback" not in result.output
