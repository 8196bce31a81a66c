"""docs/tutorial.md, word for word: its commands and edits are taken from the page and done in its order.

`uv` is a script here. It hands `uv run` to an environment that shares the packages of the one under test, and
`uv pip install` and `uv build` to uv itself, told not to fetch anything. The two commands that run the whole
kit are started in their place, on a copy of the files as they are then, and go on beside the others: each
compiles a model.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.test_packaging import working_uv

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^(`{3,})(\w+)\n(.*?)^\1$", re.S | re.M)

UV = """\
#!/bin/sh
case "$1 $2" in
    "run forecast") shift 2; UV=uv exec {python} -m forecast "$@" ;;
    "run pytest") shift 2; exec {python} -m pytest "$@" ;;
    "pip install") shift 2; exec {uv} pip install {offline} --quiet --no-deps "$@" ;;
    "build "*) shift; exec {uv} build {offline} "$@" ;;
esac
echo "not for a test: uv $*" >&2
exit 64
"""


KIT = ("uv run pytest ../forecast-data-wall", "uv run forecast plugin check data-wall")


@dataclass
class Done:
    """What the page's commands printed.

    Attributes
    ----------
    folder : Path
        Of the plugin.
    printed : dict of str to str
        Standard output and error by command.
    shown : dict of str to str
        What the page shows under a command.
    """

    folder: Path
    printed: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def finish(self, command: str, started: subprocess.Popen[str]) -> None:
        """Wait for a command, which must succeed, and keep what it printed."""
        self.printed[command], _ = started.communicate()
        assert started.returncode == 0, f"{command}\n{self.printed[command]}"

    def of(self, beginning: str) -> str:
        """What the one command that begins so printed."""
        (command,) = [one for one in self.printed if one.startswith(beginning)]
        return self.printed[command]


def steps() -> Iterator[tuple[str, str, str]]:
    """The page's code: the paragraph before it, its language and its text."""
    end = 0
    for found in FENCE.finditer(PAGE):
        before = PAGE[end : found.start()].strip().rpartition("\n\n")[2]
        yield " ".join(before.split()), found[2], found[3]
        end = found.end()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Everything on the page done, from an empty folder."""
    work = tmp_path_factory.mktemp("tutorial")
    clone, plugin = work / "forecast", work / "forecast-data-wall"
    clone.mkdir()
    shutil.copy(ROOT / "LICENSE", clone)
    environment = _environment(work)
    done, started = Done(plugin), {}
    try:
        _follow(done, clone, environment, started)
    finally:
        for process in started.values():
            process.kill()
    return done


def _follow(
    done: Done, clone: Path, environment: dict[str, str], started: dict[str, subprocess.Popen[str]]
) -> None:
    """Do what the page says, step by step."""
    plugin, last, replaced = done.folder, "", ("", "")
    for before, language, text in steps():
        if language == "bash":
            for last in text.splitlines():
                at, where = clone, environment
                if last in KIT:
                    at = clone.parent / f"then-{len(started)}" / "forecast"
                    shutil.copytree(clone, at)
                    shutil.copytree(plugin, at.parent / plugin.name, ignore=shutil.ignore_patterns("runs"))
                    where = environment | {"PYTHONPATH": str(at.parent / plugin.name / "src")}
                started[last] = subprocess.Popen(
                    ["bash", "-c", last],
                    cwd=at,
                    env=where,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                if last not in KIT:
                    done.finish(last, started[last])
        elif (said := re.search(r"\b(?:Replace|and write) `([^`]+)`(?: by this)?:$", before)) is not None:
            (plugin / said[1]).write_text(text, encoding="utf-8")
        elif (said := re.search(r"\bIn `([^`]+)`, replace$", before)) is not None:
            replaced = (said[1], text)
        elif before == "by":
            file, old = replaced
            held = (plugin / file).read_text(encoding="utf-8")
            assert held.count(old) == 1
            (plugin / file).write_text(held.replace(old, text), encoding="utf-8")
        else:
            assert language == "text", f"nothing is done with this: {before}\n{text}"
            done.shown[last] = done.shown.get(last, "") + text
    for command in KIT:
        done.finish(command, started[command])


def _environment(work: Path) -> dict[str, str]:
    uv = working_uv()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(work / "venv")], check=True)
    python = work / "venv" / "bin" / "python"
    (packages,) = (work / "venv").glob("lib/python*/site-packages")
    shared = sysconfig.get_path("purelib")
    (packages / "shared.pth").write_text(f"import site; site.addsitedir({shared!r})\n")
    shim = work / "bin" / "uv"
    shim.parent.mkdir()
    offline = f"--no-build-isolation --offline --python {python}"
    shim.write_text(UV.format(uv=uv, python=python, offline=offline))
    shim.chmod(0o755)
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("FORECAST_", "PYTEST_", "UV_", "VIRTUAL_ENV", "PYTHONPATH"))
    }
    return kept | {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"}


def test_the_scaffold_says_what_the_page_says(done):
    command = "uv run forecast plugin new data-wall --dir .."
    assert done.shown[command].startswith(done.printed[command])


def test_the_package_passes_its_own_tests_untouched(done):
    assert re.search(r"^=+ 12 passed in ", done.printed[KIT[0]], re.M)
    assert re.search(r"^=+ 1 passed, 10 deselected in ", done.printed[f"{KIT[0]} -k nobody"], re.M)


def test_the_page_shows_what_the_kit_finds(done):
    command = KIT[1]
    marks = re.findall(r"^(\S) (\S+) ", done.printed[command], re.M)
    assert {mark for mark, _ in marks} == {"✓"}
    assert re.findall(r"^(\S) (\S+) ", done.shown[command], re.M) == marks


def test_the_evidence_is_read(done):
    assert re.search(r"^5 of 5 rows; 5 known by", done.of("uv run forecast evidence datasets"), re.M)


def test_the_comparison_shows_what_the_page_says(done):
    command = next(one for one in done.printed if one.startswith("uv run forecast compare"))
    found, shown = (_table(text) for text in (done.printed[command], done.shown[command]))
    assert len(shown) == 2
    for ours, said in zip(found, shown, strict=False):
        assert ours == pytest.approx(said, abs=0.25), "a quarter of a year, or of a probability's ten"
    before, after = found[:2]
    assert before[1] < after[1] and before[4] < after[4]  # the wall makes it later, or never
    assert re.search(r"drivers\.data-wall\n +1: none\n +2: forecast-data-wall 0\.1\.0", done.printed[command])


def _table(text: str) -> list[list[float]]:
    """Rows of a comparison's first table: dates in years, probabilities times ten."""
    return [
        [
            *(int(year) + int(month) / 12 for year, month in re.findall(r"(\d{4})-(\d\d)", row)),
            *(10 * float(p) for p in re.findall(r"(0\.\d{3}) ±", row)),
        ]
        for row in re.findall(r"^ \d  default +(.*)$", text, re.M)
    ][:2]


def test_what_is_built_is_the_plugin_and_can_be_published(done):
    built = {path.name for path in (done.folder / "dist").iterdir()} - {".gitignore"}
    assert built == {"forecast_data_wall-0.1.0.tar.gz", "forecast_data_wall-0.1.0-py3-none-any.whl"}
    assert all(f"`{name}`" in PAGE for name in built)
    with zipfile.ZipFile(done.folder / "dist" / "forecast_data_wall-0.1.0-py3-none-any.whl") as archive:
        names = set(archive.namelist())
        info = "forecast_data_wall-0.1.0.dist-info"
        about = archive.read(f"{info}/METADATA").decode()
        points = archive.read(f"{info}/entry_points.txt").decode()
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    package = "forecast_data_wall"
    assert {name for name in names if not name.startswith(info)} == {
        f"{package}/__init__.py",
        f"{package}/priors.toml",
        f"{package}/evidence/datasets.csv",
        f"{package}/evidence/tables.toml",
    }
    assert points.split() == ["[forecast.drivers]", "data-wall", "=", "forecast_data_wall"]
    assert "Do Not Upload" not in about and "License-Expression: Apache-2.0" in about
    assert licence == (ROOT / "LICENSE").read_text()


def test_no_example_is_left(done):
    for path in done.folder.rglob("*"):
        if path.suffix in (".py", ".toml", ".csv", ".md") and "dist" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"invented|an example|replace", text, re.I), path


def test_linters_have_nothing_to_say_about_the_pages_code(done):
    for command in (["check"], ["format", "--check"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", str(done.folder)],
            cwd=done.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout


def test_only_what_needs_an_index_is_left_undone():
    left = [line for _, language, text in steps() if language == "text" for line in text.splitlines()]
    assert [line for line in left if re.match(r"(\w+=\S+ )?(uv|pip|forecast) ", line)] == [
        "UV_PUBLISH_TOKEN=... uv publish ../forecast-data-wall/dist/*",
        "uv pip install forecast-data-wall",
        "uv pip install git+https://example.org/you/forecast-data-wall",
        "uv pip install forecast_data_wall-0.1.0-py3-none-any.whl",
    ]
