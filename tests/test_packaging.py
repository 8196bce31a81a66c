"""The wheel: everything that a forecast needs is inside, and nothing lands where it should not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS: dict[str, str] = PROJECT["tool"]["setuptools"]["package-dir"]
DATA = {".toml", ".csv", ".json", ".md", ".typed", ".template"}


def importable(path: Path) -> str:
    """Import path of a folder: ``plugins/capability`` is ``forecast_plugins.capability``."""
    top, *rest = path.relative_to(ROOT).parts
    return ".".join([{folder: name for name, folder in FOLDERS.items()}[top], *rest])


def source_files() -> list[Path]:
    """Code and data of the packages, as paths inside the wheel."""
    return [
        Path(name, *path.relative_to(ROOT / folder).parts)
        for name, folder in FOLDERS.items()
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", *DATA} and "__pycache__" not in path.parts
    ]


def working_uv() -> str:
    # Inside `uv run` the variable UV holds the path of uv itself. A version manager may offer a `uv`
    # that does not run.
    for candidate in (os.environ.get("UV"), shutil.which("uv")):
        if (
            candidate
            and subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0
        ):
            return candidate
    pytest.skip("uv is not installed")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel built from a copy, so that no build folder is left in the repository."""
    uv = working_uv()
    tree = tmp_path_factory.mktemp("tree") / "source"
    anywhere = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")

    def unwanted(folder: str, names: list[str]) -> set[str]:
        at_the_top = {"runs", "tests", "docs"} if Path(folder) == ROOT else set()
        return anywhere(folder, names) | at_the_top

    shutil.copytree(ROOT, tree, ignore=unwanted)
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [
            uv,
            "build",
            "--wheel",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "--out-dir",
            str(out),
            str(tree),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_the_list_of_packages_is_what_is_on_disk():
    on_disk = {
        importable(path.parent)
        for folder in FOLDERS.values()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == on_disk


def test_every_built_in_driver_has_an_entry_point_and_the_other_way_round():
    points = PROJECT["project"]["entry-points"]["forecast.drivers"]
    drivers = {path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")}
    assert points == {name.replace("_", "-"): f"forecast_plugins.{name}" for name in drivers}


def test_packages_are_fetched_from_no_index_in_particular():
    for path in ("pyproject.toml", ".ci/run"):
        assert not re.search(r"index|find-links|file:", (ROOT / path).read_text()), path
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    missing = [str(path) for path in source_files() if path.as_posix() not in inside]
    assert not missing


def test_the_wheel_carries_priors_evidence_and_licence(wheel):
    inside = zipfile.ZipFile(wheel).namelist()
    assert any(re.fullmatch(r"forecast_priors/default\.toml", name) for name in inside)
    assert any(re.fullmatch(r"forecast_priors/claims/amodei-2025\.toml", name) for name in inside)
    assert any(re.fullmatch(r"forecast_plugins/\w+/evidence/\w+\.csv", name) for name in inside)
    assert any(re.fullmatch(r"forecast_plugins/\w+/priors\.toml", name) for name in inside)
    assert any(name.endswith("/licenses/LICENSE") for name in inside)
    assert any(name.endswith("/licenses/ATTRIBUTION.md") for name in inside)
    assert "forecast/py.typed" in inside


def test_no_module_of_a_common_name_reaches_site_packages(wheel):
    top = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == set(FOLDERS)


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment_from_another_folder(wheel, tmp_path):
    uv = working_uv()
    environment = tmp_path / "environment"
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("\n".join(PROJECT["tool"]["uv"]["constraint-dependencies"]))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    folder = "Scripts" if os.name == "nt" else "bin"
    python = environment / folder / "python"
    subprocess.run(
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            "--constraints",
            str(constraints),
            str(wheel),
        ],
        check=True,
        cwd=tmp_path,
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def forecast(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(environment / folder / "forecast"), *arguments],
            capture_output=True,
            text=True,
            cwd=elsewhere,
            env=clean,
            check=False,
        )

    version = forecast("--version")
    assert version.returncode == 0, version.stderr
    assert version.stdout == f"forecast {PROJECT['project']['version']}\n"
    listing = forecast("drivers", "--json")
    assert listing.returncode == 0, listing.stderr
    found = json.loads(listing.stdout)
    assert found["problems"] == []
    assert {d["name"] for d in found["drivers"]} == set(
        PROJECT["project"]["entry-points"]["forecast.drivers"]
    )
    assert not list(elsewhere.iterdir())
