"""``forecast cache``: what is kept on disk is shown, a damaged file too, and deleted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.inference.cache import write_entry

ONE, OTHER, BROKEN = "ab12" + 28 * "0", "ab34" + 28 * "0", "cd56" + 28 * "0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models and a damaged file, beside a file that is not ours."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("FORECAST_CACHE", str(folder))
    for name, numbers in ((ONE, 62), (OTHER, 4)):
        slots = [{"name": "capex.value"}, {"name": "capex.error"}, {"name": "as_of"}]
        meta = {"n": numbers, "names": ["standard"], "slots": slots}
        write_entry(folder / f"model-{name}.npz", meta, {"code": np.zeros(10)})
    (folder / f"model-{BROKEN}.npz").write_bytes(b"PK no more")
    (folder / "notes.txt").write_text("mine")
    return folder


def cache(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cache", *arguments])


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_list_says_what_each_model_is_of_and_which_is_damaged(folder: Path) -> None:
    result = cache("list")
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    assert "62" in lines["ab120000"] and "capex" in lines["ab120000"]
    assert "damaged" in lines["cd560000"]
    assert "3 compiled models" in " ".join(result.stdout.split())
    models = json.loads(cache("list", "--json").stdout)["models"]
    assert {one["model"]: one["numbers"] for one in models} == {ONE: 62, OTHER: 4, BROKEN: None}
    assert models[-1]["bytes"] > 0 and len(left(folder)) == 4


def test_clear_deletes_what_is_named_and_nothing_else(folder: Path) -> None:
    result = cache("clear", "ab12", "cd")
    assert result.exit_code == 0, result.output
    assert left(folder) == {f"model-{OTHER}.npz", "notes.txt"}


def test_clear_deletes_all_models_and_what_was_left_half_written(folder: Path) -> None:
    (folder / ".writing-x.npz").write_bytes(b"half")
    result = cache("clear", "--json")
    assert {one["model"] for one in json.loads(result.stdout)["deleted"]} == {ONE, OTHER, BROKEN}
    assert left(folder) == {"notes.txt"}
    assert "No compiled models in" in cache("list").stdout


def test_a_name_that_no_model_has_is_said_and_nothing_is_deleted(folder: Path) -> None:
    for wrong in ("ef", ""):
        result = cache("clear", "ab12", wrong)
        assert result.exit_code == 2, result.output
        assert "no compiled model begins like this" in result.stderr
    assert len(left(folder)) == 4


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path / "nowhere"))
    assert "No compiled models in" in cache("list").stdout
    assert "Deleted 0 compiled models" in cache("clear").stdout


def test_a_file_in_place_of_the_folder_is_no_empty_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("FORECAST_CACHE", str(tmp_path / "file"))
    for command in ("list", "clear"):
        result = cache(command)
        assert result.exit_code == 2
        assert "is a file; name a folder" in result.stderr
