"""Run folders: whole or not at all, never replaced, found by name."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from forecast.errors import ForecastError, InputError
from forecast.results import (
    as_json,
    as_text,
    existing_run,
    find_run,
    list_runs,
    read_run,
    run_id,
    runs_folder,
)
from forecast.results.store import RUN_FILES, to_json, write_into_run, write_run
from tests.results.synthetic import save_run, small_worldview

ID = "2026-06-30-default-0a1b2c3d"


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def files_of(text: str = "{}") -> dict:
    return {name: as_text(text) for name in RUN_FILES}


def test_the_id_names_date_worldview_and_what_decides_the_result() -> None:
    worldview = small_worldview()
    first = run_id(worldview, {"seed": 1, "day": worldview.as_of, "drivers": ["a"]})
    assert first.startswith("2026-06-30-default-")
    assert len(first.rpartition("-")[2]) == 8
    assert first == run_id(worldview, {"drivers": ["a"], "day": worldview.as_of, "seed": 1})
    assert first != run_id(worldview, {"drivers": ["a"], "day": worldview.as_of, "seed": 2})


def test_the_id_of_a_worldview_with_a_very_long_name_can_name_a_folder() -> None:
    view = dataclasses.replace(small_worldview(), name="long name " * 500)
    assert len(run_id(view, {})) < 130
    assert run_id(view, {}).endswith(run_id(small_worldview(), {})[-8:])


def test_the_folder_is_the_option_then_the_environment_then_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_RUNS", "elsewhere")
    assert runs_folder("given") == Path("given")
    assert runs_folder(None) == Path("elsewhere")
    monkeypatch.delenv("FORECAST_RUNS")
    assert runs_folder(None) == Path("runs")


def test_a_run_is_written_whole_with_nothing_beside_it(tmp_path: Path) -> None:
    saved = write_run(tmp_path / "runs", ID, {**files_of(), "figures/a.png": as_text("x")})
    assert saved.path == tmp_path / "runs" / ID
    assert not saved.existed
    assert sorted(path.name for path in saved.path.iterdir()) == sorted([*RUN_FILES, "figures"])
    assert hidden(tmp_path / "runs") == []


def test_one_writer_may_fill_the_folder(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        for name in RUN_FILES:
            (folder / name).write_text("{}")

    assert existing_run(tmp_path, write_run(tmp_path, ID, fill).path.name)


def test_an_identical_run_replaces_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, ID, files_of('{"first": 1}'))
    again = write_run(tmp_path, ID, files_of('{"second": 2}'))
    assert again.existed
    assert (again.path / "summary.json").read_text() == '{"first": 1}'
    assert hidden(tmp_path) == []


def test_a_partial_folder_of_this_name_is_neither_replaced_nor_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / ID).mkdir()
    (tmp_path / ID / "summary.json").write_text("{}")
    with pytest.raises(ForecastError, match="not a whole run .*results.nc.* missing"):
        write_run(tmp_path, ID, files_of())
    assert (tmp_path / ID / "summary.json").read_text() == "{}"


def test_a_full_disk_is_said_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ForecastError, match=r"the disk is full .* nothing was left behind") as caught:
        write_run(tmp_path, ID, {"manifest.json": as_text("{}"), "results.nc": full})
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files, which is Linux's")
def test_a_disk_that_fills_up_below_hdf5_is_said_in_words_and_leaves_nothing(tmp_path: Path) -> None:
    code = """
        import resource, sys
        from pathlib import Path
        from forecast.errors import ForecastError
        from forecast.results.store import as_netcdf, write_run
        from tests.results.synthetic import good_tree
        tree = good_tree()
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            write_run(Path(sys.argv[1]), "a-run", {"results.nc": as_netcdf(tree)})
        except ForecastError as error:
            print("SAID:", error)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert "SAID:" in found.stdout, found.stderr
    assert "could not be saved" in found.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_finds_the_disk_full_names_the_folder_and_no_hidden_one(tmp_path: Path) -> None:
    def full(path: Path) -> None:
        raise ForecastError(f"{path}: the picture could not be written") from OSError(errno.ENOSPC, "full")

    (tmp_path / "run").mkdir()
    for write in (
        lambda: write_run(tmp_path, ID, {"crossings.png": full}),
        lambda: write_into_run(tmp_path / "run", {"crossings.png": full}),
    ):
        with pytest.raises(ForecastError, match=r"could not be saved, because the disk is full") as caught:
            write()
        assert ".tmp-" not in str(caught.value)


def test_a_bug_in_a_writer_is_not_taken_for_a_full_disk_and_leaves_nothing(tmp_path: Path) -> None:
    def wrong(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        write_run(tmp_path, ID, {"results.nc": wrong})
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_run(tmp_path, ID, {"results.nc": interrupted})
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    for folder in (tmp_path / "runs", tmp_path / "runs" / "deeper"):
        with pytest.raises(InputError, match="not a folder"):
            write_run(folder, ID, files_of())
        with pytest.raises(InputError, match=r"because .*runs is not a folder"):
            existing_run(folder, ID)  # which is asked before a run is made
    with pytest.raises(InputError, match="File name too long"):
        existing_run(tmp_path / ("x" * 300), ID)
    assert existing_run(tmp_path / "not" / "yet" / "there", ID) is None
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_said_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for save in (lambda: write_run(tmp_path, ID, files_of()), lambda: existing_run(tmp_path, ID)):
        with pytest.raises(ForecastError, match="no permission"):
            save()


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_killed_run_leaves_nothing_that_looks_like_a_run_and_the_next_one_tidies_up(tmp_path: Path) -> None:
    code = """
        import sys, time
        from pathlib import Path
        from forecast.results.store import write_run
        def slow(path):
            path.write_text("half")
            print("writing", flush=True)
            time.sleep(60)
        write_run(Path(sys.argv[1]), "killed", {"summary.json": slow})
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    assert len(hidden(tmp_path)) == 1
    write_run(tmp_path, "other", files_of())
    assert len(hidden(tmp_path)) == 1  # its process lives
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert [path.name for path in list_runs(tmp_path)] == ["other"]
    write_run(tmp_path, ID, files_of())
    assert hidden(tmp_path) == []


def test_a_hidden_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".tmp-mine").mkdir()
    (tmp_path / f".tmp-{os.getpid()}-elsewhere-ab").mkdir()  # another machine's, and fresh
    write_run(tmp_path, ID, files_of())
    assert len(hidden(tmp_path)) == 2


def test_an_old_hidden_folder_of_another_machine_is_removed(tmp_path: Path) -> None:
    old = tmp_path / ".tmp-1-elsewhere-ab"
    old.mkdir()
    os.utime(old, (0, 0))
    write_run(tmp_path, ID, files_of())
    assert hidden(tmp_path) == []


def test_of_two_that_write_one_run_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    barrier = threading.Barrier(2)

    def meet(path: Path) -> None:
        path.write_text("{}")
        barrier.wait(timeout=20)

    results = []

    def write() -> None:
        results.append(write_run(tmp_path, ID, {**files_of(), "manifest.json": meet}))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(saved.existed for saved in results) == [False, True]
    assert {saved.path for saved in results} == {tmp_path / ID}
    assert hidden(tmp_path) == []


def test_processes_that_write_at_once_do_not_remove_one_anothers_work(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from forecast.results.store import RUN_FILES, as_text, write_run
        for index in range(20):
            write_run(Path(sys.argv[1]), f"run-{index}", {name: as_text("{}") for name in RUN_FILES})
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert len(list_runs(tmp_path)) == 20
    assert hidden(tmp_path) == []


def test_json_refuses_what_other_readers_cannot_read() -> None:
    assert json.loads(to_json({"day": small_worldview().as_of, "path": Path("a")})) == {
        "day": "2026-06-30",
        "path": "a",
    }
    with pytest.raises(ValueError, match="JSON"):
        to_json({"p": float("nan")})
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        to_json({"p": object()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two whole runs and one broken one."""
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder, "2026-06-30-default-0a1b2c3d", created="2026-07-02T00:00:00+00:00")
    save_run(folder, "2026-06-30-mine-0affffff", created="2026-07-01T00:00:00")
    (folder / "broken").mkdir()
    (folder / "broken" / "summary.json").write_text("{")
    (folder / "notes").mkdir()
    (folder / "README.md").write_text("Runs go here.")
    return folder


def test_runs_are_listed_newest_first_and_other_folders_are_not_runs(folder: Path) -> None:
    names = [path.name for path in list_runs(folder)]
    assert sorted(names) == ["2026-06-30-default-0a1b2c3d", "2026-06-30-mine-0affffff", "broken"]
    assert names.index("2026-06-30-default-0a1b2c3d") < names.index("2026-06-30-mine-0affffff")
    assert list_runs(folder / "nowhere") == []


@pytest.mark.parametrize(
    "ref",
    ["2026-06-30-default-0a1b2c3d", "2026-06-30-def", "0a1b", "latest"],
    ids=["id", "prefix", "hash", "latest"],
)
def test_a_run_is_found_by(ref: str, folder: Path) -> None:
    assert find_run(ref, folder).name == "2026-06-30-default-0a1b2c3d"


def test_a_run_is_found_by_its_path_wherever_it_is(folder: Path, tmp_path: Path) -> None:
    path = folder / "2026-06-30-mine-0affffff"
    assert find_run(str(path), tmp_path) == path


def test_an_ambiguous_beginning_lists_the_runs(folder: Path) -> None:
    with pytest.raises(InputError, match="2 runs .* begin like this: 2026-06-30-default.*2026-06-30-mine"):
        find_run("2026", folder)


def test_an_unknown_run_is_answered_with_the_nearest(folder: Path) -> None:
    with pytest.raises(InputError, match="The nearest: 2026-06-30-default-0a1b2c3d"):
        find_run("2026-06-30-defalt-0a1b2c3d", folder)
    with pytest.raises(InputError, match="There are: "):
        find_run("zzz", folder)
    for ref in ("", "x" * 5000, "~nobody-of-this-name/runs", "a\0b"):
        with pytest.raises(InputError, match="no such run"):
            find_run(ref, folder)
    for name in ("x" * 5000, "~nobody-of-this-name/runs"):
        with pytest.raises(InputError, match="there are no runs in"):
            find_run("latest", runs_folder(name))


def test_no_runs_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Make one with `forecast run`"):
        find_run("latest", tmp_path)


def test_a_stored_run_gives_back_what_was_saved(folder: Path) -> None:
    run = read_run(find_run("0a1b", folder))
    assert run.id == "2026-06-30-default-0a1b2c3d"
    assert run.manifest["created"] == "2026-07-02T00:00:00+00:00"
    assert run.worldview == small_worldview()
    assert "agi" in run.crossings
    assert run.tree["projection"]["training_compute"].attrs["unit"] == "log10 FLOP"


def damaged(tmp_path: Path, name: str, text: str | None) -> Path:
    path = write_run(
        tmp_path, ID, {**files_of(), "summary.json": as_json({"schema": "forecast.summary/1"})}
    ).path
    if text is None:
        (path / name).unlink()
    else:
        (path / name).write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("results.nc", None, "results.nc missing"),
        ("manifest.json", "{", r"manifest.json is damaged: it is not JSON"),
        ("manifest.json", '{"drivers": 3}', r"manifest.json is damaged: drivers is no table"),
        ("manifest.json", '{"plugins": "a.py"}', r"manifest.json is damaged: plugins is no list"),
        (
            "manifest.json",
            '{"plugins": [1]}',
            r"manifest.json is damaged: plugins holds 1 where text belongs",
        ),
        ("manifest.json", '{"timings": {"build": "long"}}', r"timings.build is 'long'"),
        ("manifest.json", '{"settings": {"prior_only": "no"}}', r"settings.prior_only is 'no'"),
        ("manifest.json", '{"settings": {"sampler": {"draws": "many"}}}', r"sampler.draws is 'many'"),
        ("manifest.json", '{"settings": {"sampler": {"sampler": 3}}}', r"sampler.sampler is 3"),
        ("manifest.json", '{"settings": {"sampler": {"target_accept": 95}}}', r"target_accept is 95"),
        ("manifest.json", "[]", "holds a list"),
        ("summary.json", "\x00", "summary.json is damaged"),
        ("summary.json", '{"schema": "forecast.summary/9"}', "this version reads 'forecast.summary/1'"),
        ("summary.json", '{"schema": "forecast.summary/1"}', "summary.json is damaged: run, worldview"),
        ("summary.json", '{"schema": NaN}', "summary.json is damaged: it is not JSON .NaN is no number"),
        ("summary.json", "[" * 100_000, "summary.json is damaged"),
    ],
)
def test_a_damaged_run_is_said_in_words(tmp_path: Path, name: str, text: str | None, words: str) -> None:
    with pytest.raises(ForecastError, match=words) as caught:
        read_run(damaged(tmp_path, name, text))
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        ((), {}, "run, worldview, as_of, window"),
        (("diagnostics",), None, "diagnostics holds NoneType where object belongs"),
        (("diagnostics",), {}, "diagnostics.ok"),
        (("prior_only",), 1, "prior_only holds int where boolean belongs"),
        (("horizon",), "2060-02-30", "horizon is no date"),
        (("window",), {"start": "2026-01-01"}, "window.end missing"),
        (("milestones",), [], "milestones holds list where object belongs"),
        (("milestones", "agi"), {}, "milestones.agi.title, milestones.agi.blocs"),
        (("milestones", "agi", "lead"), 5, "milestones.agi.lead holds int where object belongs"),
        (("milestones", "agi", "blocs", "china", "quantiles"), {"0.5": 1}, "china.quantiles.0.05"),
        (("milestones", "agi", "blocs", "china", "p_in"), "x", "p_in holds str where number belongs"),
        (("milestones",), {}, "milestones is empty"),
        (("run",), "", "run is empty"),
        (("sampler", "seed"), -1, "sampler.seed is -1, which it cannot be"),
        (("milestones", "agi", "blocs", "china", "p_in"), 1.5, "p_in is 1.5, which it cannot be"),
        (("milestones", "agi", "blocs", "china", "quantiles", "0.5"), "x", "quantiles.0.5 holds str where"),
        (("milestones", "agi", "blocs", "china", "quantiles", "0.5"), 1e300, "which is no year"),
        (
            ("milestones", "agi", "lead", "leader"),
            "gulf",
            "lead.leader is 'gulf', which is none of its blocs",
        ),
        (("milestones", "agi", "lead", "p_unipolar"), {}, "p_unipolar is not about its blocs"),
        (("diagnostics", "checks", 0, "state"), "maybe", "state is 'maybe' where pass or fail or"),
    ],
)
def test_a_summary_without_what_its_form_requires_is_damaged(
    tmp_path: Path, where: tuple[Any, ...], value: Any, words: str
) -> None:
    path = save_run(tmp_path)
    summary = json.loads((path / "summary.json").read_text())
    assert read_run(path).summary == summary
    table = summary
    for key in where[:-1]:
        table = table[key]
    if where:
        table[where[-1]] = value
    else:
        summary = {"schema": summary["schema"]}
    (path / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(ForecastError, match=re.escape(words)) as caught:
        read_run(path)
    assert caught.value.exit_code == 1


def test_what_a_later_version_of_the_form_adds_is_left_alone(tmp_path: Path) -> None:
    path = save_run(tmp_path)
    summary = json.loads((path / "summary.json").read_text()) | {"new": [1, {"x": None}]}
    (path / "summary.json").write_text(json.dumps(summary))
    assert read_run(path).summary == summary


def test_a_damaged_worldview_is_not_the_users_mistake(tmp_path: Path) -> None:
    path = save_run(tmp_path)
    (path / "worldview.toml").write_text("as_of = [")
    with pytest.raises(ForecastError, match="its worldview cannot be read") as caught:
        _ = read_run(path).worldview
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("read", ["crossings", "tree", "worldview", "groups"])
def test_files_that_are_not_of_one_run_are_told_apart(tmp_path: Path, read: str) -> None:
    """A summary that was copied from another run, or that lost a milestone."""
    path = save_run(tmp_path)
    text = (path / "summary.json").read_text()
    (path / "summary.json").write_text(text.replace('"agi": {', '"asi": {'))
    file = "worldview.toml" if read == "worldview" else "results.nc"
    with pytest.raises(
        ForecastError, match=rf"summary.json and {file} are not of one run.* agi, asi"
    ) as caught:
        stored = read_run(path)
        _ = stored.groups("crossings", "inside") if read == "groups" else getattr(stored, read)
    assert caught.value.exit_code == 1
    (path / "summary.json").write_text(text.replace("china", "gulf"))
    with pytest.raises(ForecastError, match=rf"{file} are not of one run.* has (china, )?gulf"):
        stored = read_run(path)
        _ = stored.groups("crossings") if read == "groups" else getattr(stored, read)
