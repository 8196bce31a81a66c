"""The two distributions in examples/: built, installed into a fresh environment, run there, taken out again.

The environment has wheels of agi-forecast and of both examples. What they depend on comes by a path file from
the environment that runs these tests: to install it again would test the package index, not the examples.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.test_packaging import working_uv

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {"energy": "forecast-energy", "expert-survey": "forecast-expert-survey"}
IGNORED = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "docs", "benchmarks"
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a folder to be in that holds nothing of the repository."""

    uv: str
    scripts: Path
    folder: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        return subprocess.run(
            [str(self.scripts / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=clean,
            check=False,
        )

    def forecast(self, *arguments: str) -> str:
        done = self.run("forecast", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pip(self, *arguments: str) -> None:
        python = str(self.scripts / "python")
        subprocess.run([self.uv, "pip", *arguments, "--quiet", "--python", python], check=True)


def built(uv: str, source: Path, out: Path, scratch: Path) -> None:
    """Build a wheel from a copy, so that no build folder is left in the repository."""
    tree = scratch / source.name
    shutil.copytree(source, tree, ignore=IGNORED)
    done = subprocess.run(
        [uv, "build", "--wheel", "--no-build-isolation", "--python", sys.executable]
        + ["--out-dir", str(out), str(tree)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    uv, base = working_uv(), tmp_path_factory.mktemp("examples")
    wheels, scratch, folder = base / "wheels", base / "trees", base / "elsewhere"
    for made in (scratch, folder):
        made.mkdir()
    for source in (ROOT, *(ROOT / "examples" / name for name in EXAMPLES.values())):
        built(uv, source, wheels, scratch)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(base / "venv")], check=True)
    scripts = base / "venv" / ("Scripts" if os.name == "nt" else "bin")
    found = Environment(uv, scripts, folder)
    found.pip("install", "--no-deps", *(str(wheel) for wheel in sorted(wheels.glob("*.whl"))))
    asked = found.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    (Path(asked.stdout.strip()) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return found


def test_both_are_found_and_bring_what_they_say(environment: Environment) -> None:
    entries = {
        entry["distribution"]: entry for entry in json.loads(environment.forecast("plugins", "--json"))
    }
    for driver, distribution in EXAMPLES.items():
        entry = entries[distribution]
        assert (entry["status"], entry["version"], entry["api_version"]) == ("ok", "0.1.0", 1), entry
        assert [one["name"] for one in entry["drivers"]] == [driver]
    hooks = {name: set(entries[distribution]["hooks"]) for name, distribution in EXAMPLES.items()}
    assert hooks["energy"] == {"forecast_drivers", "forecast_scenarios"}
    assert hooks["expert-survey"] == {"forecast_drivers", "forecast_importers", "forecast_report_sections"}


def test_drivers_lists_them_beside_the_built_in_ones(environment: Environment) -> None:
    listing = json.loads(environment.forecast("drivers", "--json"))
    drivers = {entry["name"]: entry for entry in listing["drivers"]}
    assert not listing["problems"] and {*EXAMPLES, "compute-growth", "physical-limits"} <= set(drivers)
    assert drivers["energy"]["limits"] == ["training_compute"]
    for name in (*EXAMPLES, "compute-growth"):  # and not the repository's
        assert "site-packages" in drivers[name]["source"], drivers[name]


def test_their_own_tests_pass_where_they_are_installed(environment: Environment) -> None:
    folders = []
    for name in EXAMPLES.values():
        target = environment.folder / "tests" / name
        shutil.copytree(ROOT / "examples" / name / "tests", target, ignore=IGNORED)
        folders.append(str(target))
    done = environment.run(
        "python", "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", *folders
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_with_both_and_the_run_without_the_plugins_that_made_it(environment: Environment) -> None:
    """The last: it takes the examples out again."""
    settings = ("--prior-only", "--draws", "50", "--horizon", "2035-12-31", "--out", "runs")
    environment.forecast("run", *settings)
    (saved,) = (environment.folder / "runs").iterdir()
    manifest = json.loads((saved / "manifest.json").read_text())
    assert {name: manifest["drivers"][name].partition(" ")[0] for name in EXAMPLES} == EXAMPLES
    assert all(name in manifest["install"] for name in EXAMPLES.values())
    told = environment.forecast("runs", "show", "latest", "--out", "runs")
    assert "set aside by the evidence" not in told  # which draws of the priors alone are not weighed by
    sections = environment.forecast("runs", "sections", "latest", "--out", "runs", "--output", ".")
    assert "Metaculus 5121" in sections and list(environment.folder.glob("*expert-survey*.png"))

    environment.pip("uninstall", *EXAMPLES.values())
    left = {entry["distribution"] for entry in json.loads(environment.forecast("plugins", "--json"))}
    assert not left & set(EXAMPLES.values())
    assert environment.forecast("runs", "show", "latest", "--out", "runs") == told
