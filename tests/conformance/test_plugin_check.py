"""``forecast plugin check``: names and paths, JSON and words, exit codes."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from forecast.cli import main
from forecast.conformance import CHECKS

DRIVER = """
from forecast import Driver, hookimpl, parameters_from_text, provides

class {kind}(Driver):
    name = "{name}"
    api_version = 1
    parameters = parameters_from_text(
        'level = {{ value = 3, unit = "FLOP", source = "{source}" }}', driver="{name}"
    )

    @provides("{quantity}", unit="FLOP")
    def level(self, m):
        return m["level"]
"""
HOOK = """
@hookimpl
def forecast_drivers():
    return [{kinds}]
"""


def text(*kinds, source="A toy of 2026, made up for a test"):
    said = "\n".join(
        DRIVER.format(kind=kind, name=kind.lower(), quantity=f"q_{kind.lower()}", source=source)
        for kind in kinds
    )
    return said + HOOK.format(kinds=", ".join(f"{kind}()" for kind in kinds))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a folder of its own, where nothing is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("forecast.loading.installed_plugins", lambda: [])
    return lambda *arguments: CliRunner().invoke(main, ["plugin", "check", *arguments])


@pytest.fixture(scope="module")
def module_name():
    """A name for each module that tests import: a second of one name would be the first."""
    numbers = iter(range(1000))
    return lambda: f"kit_toy_{next(numbers)}"


def test_a_file_with_a_good_driver_passes_with_exit_code_0_and_exact_json(run, tmp_path):
    (tmp_path / "mine.py").write_text(text("Toy"))
    result = run("mine.py", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert list(report) == ["plugin", "ok", "checks"]
    assert (report["plugin"], report["ok"]) == ("mine.py", True)
    assert [check["code"] for check in report["checks"]] == ["loads", *CHECKS]
    assert {tuple(check) for check in report["checks"]} == {("code", "state", "detail")}
    assert {check["state"] for check in report["checks"]} == {"passed", "not applicable"}


def test_people_get_a_line_a_check_with_what_to_do_and_exit_code_1(run, tmp_path):
    (tmp_path / "mine.py").write_text(text("Toy", source="a guess"))
    result = run("mine.py")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(line.startswith("✗ priors-cited") for line in lines)
    assert any(line.startswith("✓ builds") for line in lines)
    assert any(line.startswith("- calibration") and "not applicable:" in line for line in lines)
    assert "write judgement = true" in " ".join(result.stdout.split())
    assert lines[-1].startswith("mine.py: ") and "1 failed" in lines[-1]


def test_details_of_several_drivers_begin_with_the_drivers_name(run, tmp_path):
    (tmp_path / "mine.py").write_text(text("One", "Two"))
    report = json.loads(run("mine.py", "--json").stdout)
    details = [check["detail"] for check in report["checks"] if check["code"] == "builds"]
    assert [detail.partition(":")[0] for detail in details] == ["one", "two"]
    assert "it can be imported and has one, two" == report["checks"][0]["detail"]


@pytest.mark.parametrize("layout", ["src", "flat"])
@pytest.mark.parametrize("hook", ["", ":plugin"])
def test_a_project_is_imported_from_its_folder_without_being_installed(
    run, tmp_path, layout, hook, module_name
):
    module = module_name()
    package = tmp_path / "project" / ("src" if layout == "src" else "") / module
    package.mkdir(parents=True)
    inner = text("Toy")
    if hook:
        inner += (
            "\nclass Plugin:\n    forecast_drivers = staticmethod(forecast_drivers)\n\nplugin = Plugin()\n"
        )
    (package / "__init__.py").write_text(inner)
    (tmp_path / "project" / "pyproject.toml").write_text(
        f'[project]\nname = "toy"\n[project.entry-points."forecast.drivers"]\ntoy = "{module}{hook}"\n'
    )
    before = list(sys.path)
    result = run("./project", "--json")
    assert result.exit_code == 0, result.output
    assert sys.path == before


def test_a_package_folder_is_imported_by_its_name(run, tmp_path, module_name):
    package = tmp_path / module_name()
    package.mkdir()
    (package / "__init__.py").write_text(text("Toy"))
    assert run(f"{tmp_path}/{package.name}", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def f(:", "mine.py:1: SyntaxError"),
        ("import sys; sys.exit(3)", "it called sys.exit(3)"),
        ("x = 1", "has no hook"),
        (text("Toy").replace("api_version = 1", "api_version = 99"), "was written for api_version 99"),
        (text("Toy").replace("Toy()", "Toy"), "returned the class Toy"),
        (
            "from forecast import hookimpl\n@hookimpl\ndef forecast_evidence():\n    return []\n",
            "states no api_version",
        ),
        (
            text("Toy") + "\nfrom forecast import Importer\n@hookimpl\ndef forecast_importers():\n"
            "    return [Importer('A b', '', 'd', 't', list)]\n",
            "its importer is called 'A b'",
        ),
    ],
)
def test_a_broken_plugin_fails_to_load_in_words_and_with_exit_code_1(run, tmp_path, source, words):
    (tmp_path / "mine.py").write_text(source)
    result = run("mine.py", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    (check,) = report["checks"]
    assert (report["ok"], check["code"], check["state"]) == (False, "loads", "failed")
    assert words in check["detail"]


def test_a_driver_that_raises_in_a_term_fails_in_words(run, tmp_path):
    (tmp_path / "mine.py").write_text(text("Toy").replace('m["level"]', "1 / 0"))
    result = run("mine.py", "--json")
    assert result.exit_code == 1
    states = {check["code"]: check for check in json.loads(result.stdout)["checks"]}
    assert "ZeroDivisionError" in states["builds"]["detail"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nowhere.py", "there is no such file"),
        ("./nowhere", "there is no such folder"),
        (".", "no plugin is here"),
        ("invesment", "no installed driver, plugin or distribution is called 'invesment'"),
    ],
)
def test_what_is_not_there_is_the_users_mistake(run, given, words):
    result = run(given)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_installed_plugins_are_found_by_driver_entry_point_and_distribution(run, tmp_path, monkeypatch):
    from forecast.discovery import Candidate, named_plugin

    for name, kinds in (("first", ["One", "Two"]), ("second", ["Three"])):
        (tmp_path / f"{name}.py").write_text(text(*kinds))
    found = [
        Candidate(f"{name}-point", f"{name}-dist", "1.0", named_plugin(f"{tmp_path}/{name}.py").load)
        for name in ("first", "second")
    ]
    broken = Candidate("third-point", "third-dist", "1.0", lambda: 1 / 0)
    monkeypatch.setattr("forecast.loading.installed_plugins", lambda: [*found, broken])
    for given, drivers in (("two", "two"), ("first-point", "one, two"), ("second-dist", "three")):
        result = run(given, "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["checks"][0]["detail"].endswith(f"has {drivers}")
    result = run("third-dist", "--json")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in json.loads(result.stdout)["checks"][0]["detail"]
    result = run("twoo")
    assert result.exit_code == 2 and "did you mean 'two'" in " ".join(result.stderr.split())


PACK = """
from pathlib import Path
from forecast import MoreRows, hookimpl

api_version = 1
HERE = Path(__file__).parent

@hookimpl
def forecast_scenarios():
    return [HERE / "bust.toml"]

@hookimpl
def forecast_evidence():
    return [MoreRows("line", "runs", HERE / "more.csv")]
"""


def test_files_that_a_plugin_brings_are_read_and_what_is_wrong_with_them_is_told(run, tmp_path):
    (tmp_path / "pack.py").write_text(PACK)
    (tmp_path / "more.csv").write_text("bloc\nchina\n")
    (tmp_path / "bust.toml").write_text(
        'kind = "intervene"\nintervene = [{ quantity = "investment", add = -1 }]\n'
    )
    result = run("pack.py", "--json")
    loads, files = json.loads(result.stdout)["checks"]
    assert (loads["state"], files["code"], files["state"]) == ("passed", "files", "failed")
    assert "it has rows for line/runs, and no installed driver has that table" in files["detail"]
    assert result.exit_code == 1
    pack = PACK.replace('[MoreRows("line", "runs", HERE / "more.csv")]', "[]")
    (tmp_path / "pack.py").write_text(pack)
    assert run("pack.py").exit_code == 0
    (tmp_path / "bust.toml").write_text('kind = "intervene"\nintervene = []\n')
    result = run("pack.py", "--json")
    assert (
        "bust.toml:2: intervene: there is nothing to change"
        in json.loads(result.stdout)["checks"][1]["detail"]
    )
