"""``forecast plugin new``: what it is called, what it writes, what it refuses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.driver import API_VERSION
from forecast.errors import InputError
from forecast.scaffold import PluginNames, names_of, write_plugin

LONGEST = "abcdefghij-klmnopqrst-uvwxyz-1"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the command is given in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["plugin", "new", *arguments])


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("given", "distribution", "module", "class_name", "title"),
    [
        ("grid-queues", "forecast-grid-queues", "forecast_grid_queues", "GridQueues", "Grid queues"),
        ("forecast-energy", "forecast-energy", "forecast_energy", "Energy", "Energy"),
        ("a-1", "forecast-a-1", "forecast_a_1", "A1", "A 1"),
    ],
)
def test_everything_is_called_after_the_one_name(given, distribution, module, class_name, title):
    names = names_of(given, {})
    assert names.driver == given.removeprefix("forecast-")
    assert (names.distribution, names.module) == (distribution, module)
    assert (names.class_name, names.title) == (class_name, title)


def test_it_says_where_the_package_is_and_the_next_three_commands(here, monkeypatch):
    monkeypatch.setenv("UV", "uv")
    (here / "else where").mkdir()
    result = new("grid-queues", "--dir", "else where")
    assert result.exit_code == 0, result.output
    assert (here / "else where" / "forecast-grid-queues" / "pyproject.toml").is_file()
    where = os.path.join("else where", "forecast-grid-queues")
    assert result.output.splitlines() == [
        f"Wrote {where}: the driver 'grid-queues', an example to replace.",
        "",
        "Next:",
        f'  uv pip install -e "{where}[test]"',
        "  uv run forecast plugin check grid-queues",
        f'  uv run pytest "{where}"',
    ]


def test_outside_of_uv_run_the_commands_are_plain(here, monkeypatch):
    monkeypatch.delenv("UV", raising=False)
    commands = [line.strip() for line in new("grid-queues").output.splitlines()[3:]]
    where = os.path.join(".", "forecast-grid-queues")
    assert re.fullmatch(rf'(uv|python -m) pip install -e "{re.escape(where)}\[test\]"', commands[0])
    assert commands[1:] == ["forecast plugin check grid-queues", f"pytest {where}"]


def test_the_package_is_complete_and_nothing_in_it_waits_to_be_filled_in(here):
    assert new("grid-queues").exit_code == 0
    found = texts(here / "forecast-grid-queues")
    assert set(found) == {
        ".gitignore",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/forecast_grid_queues/__init__.py",
        "src/forecast_grid_queues/evidence/delays.csv",
        "src/forecast_grid_queues/evidence/tables.toml",
        "src/forecast_grid_queues/priors.toml",
        "tests/test_grid_queues.py",
    }
    assert not [path for path, text in found.items() if "$" in text or "template" in text or "TODO" in text]
    assert [path.name for path in here.iterdir()] == ["forecast-grid-queues"]


def test_it_is_a_distribution_of_its_own_that_cannot_be_uploaded_before_somebody_says_so(here):
    new("grid-queues")
    project = tomllib.loads((here / "forecast-grid-queues" / "pyproject.toml").read_text())["project"]
    assert project["name"] == "forecast-grid-queues"
    assert project["entry-points"] == {"forecast.drivers": {"grid-queues": "forecast_grid_queues"}}
    (needed,) = project["dependencies"]
    assert re.fullmatch(r"agi-forecast>=\d+\.\d+", needed)
    assert project["optional-dependencies"] == {"test": ["pytest>=8"]}
    assert project["classifiers"] == ["Private :: Do Not Upload"]


def test_no_figure_in_it_is_passed_off_as_a_finding(here):
    new("grid-queues")
    source = here / "forecast-grid-queues" / "src" / "forecast_grid_queues"
    for name, prior in tomllib.loads((source / "priors.toml").read_text()).items():
        assert prior["judgement"] is True, name
        assert prior["source"].startswith("An example, not a claim: replace it."), name
    header, *rows = (source / "evidence" / "delays.csv").read_text().splitlines()
    assert rows
    assert all("Invented" in row and "not a measurement: replace this row" in row for row in rows)


@pytest.mark.parametrize("name", ["a", "grid-queues", LONGEST])
def test_linters_have_nothing_to_say_about_it(name, here):
    assert new(name).exit_code == 0
    folder = here / f"forecast-{name}"
    for command in (["check"], ["check", "--select", "E4,E7,E9,F,I,UP,B,SIM"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_driver_fits_on_one_screen_and_states_the_contract_it_was_written_for(here):
    new("grid-queues")
    code = (here / "forecast-grid-queues" / "src" / "forecast_grid_queues" / "__init__.py").read_text()
    assert len(code.splitlines()) <= 60
    assert f"api_version = {API_VERSION}\n" in code


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Grid_Queues", "did you mean grid-queues?"),
        ("gridQueues", "did you mean grid-queues?"),
        ("2nd-wave", "did you mean nd-wave?"),
        ("-", "lower-case words of letters and digits joined by hyphens"),
        ("--", "Missing argument"),
        ("", "lower-case words"),
        ("forecast-", "lower-case words"),
        ("a--b", "did you mean a-b?"),
        ("../up", "did you mean up?"),
        ("a\nb", "lower-case words"),
        ("ünder", "lower-case words"),
        (f"{LONGEST}1", "31 characters; a driver's name has 30 at most"),
        ("class", "class is a word of Python"),
        ("none", "None is a word of Python"),
        ("driver", "says nothing"),
        ("driver-conformance", "says nothing"),
        ("announcement", "would provide 'announcement_delay', and an installed driver does already"),
        ("investment", "installed already (agi-forecast"),
        ("forecast-investment", "a driver called 'investment' is installed already"),
        ("plugins", "a package called forecast_plugins is installed already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_words(name, says, here):
    result = new(name)
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert not list(here.iterdir())


def test_names_of_entry_points_are_taken_even_where_drivers_cannot_be_used_together(here, monkeypatch):
    def conflict(**_: object) -> None:
        raise InputError("two drivers provide one quantity")

    monkeypatch.setattr("forecast.host.load_host", conflict)
    result = new("investment")
    assert result.exit_code == 2
    assert "installed already" in result.output
    assert new("grid-queues").exit_code == 0


def test_a_folder_with_something_in_it_is_left_alone(here):
    there = here / "forecast-grid-queues"
    there.mkdir()
    (there / "mine.txt").write_text("mine")
    result = new("grid-queues")
    assert result.exit_code == 2
    assert "exists already and is not empty" in result.output
    assert texts(here) == {"forecast-grid-queues/mine.txt": "mine"}


def test_an_empty_folder_is_filled(here):
    (here / "forecast-grid-queues").mkdir()
    assert new("grid-queues").exit_code == 0
    assert (here / "forecast-grid-queues" / "README.md").is_file()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_there_and_is_no_folder_is_left_alone(kind, here):
    there = here / "forecast-grid-queues"
    there.write_text("mine") if kind == "file" else there.symlink_to(here / "nowhere")
    result = new("grid-queues")
    assert result.exit_code == 2
    assert "is not a folder" in result.output
    assert len(list(here.iterdir())) == 1


def test_a_folder_that_does_not_exist_is_named(here):
    result = new("grid-queues", "--dir", "nowhere")
    assert result.exit_code == 2
    assert "--dir nowhere: there is no such folder" in result.output
    assert not list(here.iterdir())


def test_a_folder_that_cannot_be_written_to_is_named(here):
    # A file in place of a parent: unlike permissions this stops root as well.
    (here / "file").write_text("")
    result = new("grid-queues", "--dir", "file/below")
    assert result.exit_code == 2
    assert "file" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("failing", ["write_text", "rename"])
def test_nothing_half_written_is_left_where_it_fails(failing, here, monkeypatch):
    written = []

    def full(*_: object, **__: object) -> None:
        written.append(1)
        if failing == "rename" or len(written) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "rename", full) if failing == "rename" else (Path, "write_text", full)))
    with pytest.raises(InputError, match="No space left on device"):
        write_plugin(PluginNames("grid-queues"), here)
    assert not list(here.iterdir())


def test_an_interrupt_leaves_nothing(here, monkeypatch):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_plugin(PluginNames("grid-queues"), here)
    assert not list(here.iterdir())
