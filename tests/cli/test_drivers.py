"""``forecast drivers``: the listing, its JSON, and what happens when a plugin is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.errors import PluginError

PLUGIN = """
from forecast.driver import Driver, adds_to, limits, parameters_from_text, provides
from forecast.hookspecs import hookimpl

class Toy(Driver):
    name = "toy"
    title = "A toy"
    api_version = 1
    parameters = parameters_from_text(
        'level = { value = 3, unit = "FLOP", source = "a test" }', "toy"
    )

    @provides("toys", unit="FLOP")
    def toys(self, m):
        return m["level"]

    @provides("toy_points", unit="index point", linear=True)
    def points(self, m):
        return m["toys"]

    @provides("toy_supply", unit="FLOP", channels=True)
    def supply(self, m):
        return None

    @adds_to("toy_supply", channel="home")
    def home(self, m):
        return m["level"]

    @adds_to("toys")
    def more(self, m):
        return 0.0

    @limits("toys")
    def cap(self, m):
        return m["toy_supply"]

@hookimpl
def forecast_drivers():
    return [Toy()]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `forecast drivers` beside a toy plugin, with no plugin installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORECAST_DEBUG", raising=False)
    monkeypatch.setattr("forecast.loading.installed_plugins", list)
    monkeypatch.setattr("forecast.spec.needs_of", lambda worldview, host: {"toy": {"outside"}})
    Path("toy.py").write_text(PLUGIN)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["drivers", *arguments])

    return invoke


def test_the_listing_says_where_a_driver_is_from_and_what_it_does(run):
    result = run("--plugin", "toy.py")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    assert words.startswith("toy (toy.py)")
    assert "provides toys [log10 FLOP], toy_points [index point], toy_supply [log10 FLOP]" in words
    assert "adds to toys, toy_supply (channel home)" in words
    assert "limits toys" in words
    assert "parameters 1" in words
    assert "needs outside" in words
    assert result.stderr == ""


def test_the_json_holds_the_same_and_nothing_else_is_on_stdout(run):
    result = run("--plugin", "toy.py", "--json")
    listing = json.loads(result.stdout)
    (driver,) = listing["drivers"]
    assert driver["name"] == "toy" and driver["title"] == "A toy"
    assert driver["distribution"] == "toy.py" and driver["source"] == "toy.py"
    assert driver["provides"][0] == {"quantity": "toys", "unit": "FLOP", "linear": False, "channels": False}
    assert driver["adds_to"] == [
        {"quantity": "toys", "channel": None},
        {"quantity": "toy_supply", "channel": "home"},
    ]
    assert driver["limits"] == ["toys"] and driver["observes"] == []
    assert driver["parameters"] == 1 and driver["needs"] == ["outside"]
    assert listing["disabled"] == [] and listing["problems"] == []


def test_a_unit_that_is_a_log_already_is_not_called_a_log_again(run):
    Path("toy.py").write_text(PLUGIN.replace('"toys", unit="FLOP"', '"toys", unit="OOM since 2024-01"'))
    assert "toys [OOM since 2024-01]" in " ".join(run("--plugin", "toy.py").stdout.split())


def test_a_driver_left_out_is_said_to_be(run):
    result = run("--plugin", "toy.py", "--without", "toy")
    assert result.exit_code == 0
    assert "Left out: toy" in result.stdout and "provides" not in result.stdout


def test_no_driver_at_all_is_said(run):
    assert "No driver is loaded." in run().stdout


def test_an_unknown_driver_to_leave_out_is_wrong_input(run):
    result = run("--plugin", "toy.py", "--without", "tory")
    assert result.exit_code == 2 and "did you mean 'toy'" in result.stderr


def test_a_worldview_leaves_its_disabled_drivers_out(run):
    Path("mine.toml").write_text('title = "Mine"\n[drivers]\ndisable = ["toy"]\n')
    result = run("--plugin", "toy.py", "--priors", "mine.toml")
    assert result.exit_code == 0, result.output
    assert "Left out: toy" in result.stdout


def test_a_broken_plugin_that_was_named_stops_with_one_and_prints_nothing(run):
    Path("toy.py").write_text("raise RuntimeError('kaputt')\n")
    result = run("--plugin", "toy.py")
    assert result.exit_code == 1 and result.stdout == ""
    assert "plugin 'toy.py': toy.py:1: RuntimeError: kaputt" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_broken_installed_plugin_is_one_line_on_stderr(run, monkeypatch):
    from forecast.discovery import Candidate

    def load() -> None:
        raise RuntimeError("kaputt")

    monkeypatch.setattr(
        "forecast.loading.installed_plugins", lambda: [Candidate("bad", "agi-bad", "0.3", load)]
    )
    result = run("--plugin", "toy.py", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["problems"][0]["plugin"] == "bad"
    (line,) = result.stderr.splitlines()
    assert line.startswith("Warning: plugin 'bad' of agi-bad 0.3: ") and line.endswith("RuntimeError: kaputt")


def test_where_the_model_cannot_be_traced_the_listing_comes_first_and_then_the_error(run, monkeypatch):
    def needs_of(worldview: object, host: object) -> None:
        raise PluginError("asks for 'nowhere', which nobody provides", driver="toy")

    monkeypatch.setattr("forecast.spec.needs_of", needs_of)
    result = run("--plugin", "toy.py")
    assert result.exit_code == 1
    assert "provides" in result.stdout and "needs" not in result.stdout
    assert result.stderr == "Error: driver 'toy': asks for 'nowhere', which nobody provides\n"
