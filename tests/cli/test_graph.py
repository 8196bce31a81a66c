"""``forecast graph``: formats, endings, and what becomes of a file when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.toys import WORLDVIEW

PLUGIN = """
from forecast.driver import Driver, adds_to, provides
from forecast.hookspecs import hookimpl

class Steps(Driver):
    name = "steps"
    api_version = 1

    @provides("compute", unit="FLOP")
    def steps(self, m):
        return 25.0

class Extra(Driver):
    name = "extra"
    api_version = 1

    @adds_to("compute")
    def more(self, m):
        return 0.5

@hookimpl
def forecast_drivers():
    return [Steps(), Extra()]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `forecast graph` on a toy worldview with one plugin of two drivers, none installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.loading.installed_plugins", list)
    Path("toys.toml").write_text(WORLDVIEW)
    Path("toys.py").write_text(PLUGIN)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["graph", "--priors", "toys.toml", "--plugin", "toys.py", *arguments])

    return invoke


def test_without_options_the_diagram_is_mermaid_on_stdout(run):
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("flowchart TB\n") and '"extra"' in result.stdout


def test_json_is_the_documented_form_and_a_driver_left_out_is_gone(run):
    found = json.loads(run("--format", "json", "--without", "extra").stdout)
    assert list(found) == ["worldview", "as_of", "drivers", "quantities", "evidence", "milestones", "edges"]
    assert [one["name"] for one in found["drivers"]] == ["steps"]
    assert found["drivers"][0]["distribution"] == "toys.py"
    assert found["edges"] == [
        {"from": "driver:steps", "to": "quantity:compute", "kind": "provides"},
        {"from": "quantity:compute", "to": "milestone:big", "kind": "condition"},
    ]


def test_the_keys_are_those_of_the_reference_page(run):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "graph.md").read_text(encoding="utf-8")
    found = json.loads(run("--format", "json").stdout)
    keys = {key for part in ("drivers", "quantities", "milestones") for one in found[part] for key in one}
    keys |= {key for one in found["quantities"] for term in one["terms"] for key in term}
    assert not {key for key in keys if f"`{key}`" not in page}


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.svg", "<svg"), ("a.mmd", "flowchart"), ("a.md", "```mermaid\nflowchart"), ("a.JSON", "{")],
)
def test_the_ending_of_the_output_says_the_format(run, name, begins):
    result = run("--output", name)
    assert result.exit_code == 0 and result.stdout == "", result.output
    assert Path(name).read_text(encoding="utf-8").startswith(begins)
    assert sorted(Path().glob("*a.*")) == [Path(name)]


def test_a_stated_format_comes_before_the_ending(run):
    assert run("--output", "a.txt", "--format", "svg").exit_code == 0
    ElementTree.parse("a.txt")


@pytest.mark.parametrize("name", ["a.png", "a", "nowhere/a.svg", "folder.svg"])
def test_a_place_where_nothing_can_be_written_is_refused_before_anything_is_loaded(run, name, monkeypatch):
    Path("folder.svg").mkdir()
    monkeypatch.setattr("forecast.host.load_plugins", None)
    result = run("--output", name)
    assert result.exit_code == 2
    assert f"--output {name}" in result.stderr or "is a directory" in result.stderr
    assert not list(Path().glob("**/.tmp-*")) and not Path("a.png").exists()


def test_a_model_that_does_not_fit_leaves_an_earlier_file_as_it_was(run):
    Path("a.svg").write_text("earlier")
    result = run("--without", "steps", "--output", "a.svg")
    assert result.exit_code == 2 and "compute" in result.stderr
    assert Path("a.svg").read_text() == "earlier"
