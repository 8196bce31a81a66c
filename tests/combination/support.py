"""Plugins as text, commands as a user types them, and packages that are installed for a while."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.results import open_tree
from tests.toys import WORLDVIEW

PLUGIN = """\
from pathlib import Path

from forecast import Driver, MoreRows, adds_to, hookimpl, limits, observes, parameters_from_text, provides
from forecast.evidence import read_tables


class Toy(Driver):
    name = {name!r}
    api_version = 1
    parameters = parameters_from_text({priors!r}, {name!r}) if {priors!r} else ()

{body}

@hookimpl
def forecast_drivers():
    return [Toy()]
"""

LINE = """\
level = { distribution = "Normal", mu = 25, sigma = 1, unit = "log10 FLOP", per = "bloc", source = "a test" }
growth = { distribution = "Normal", mu = 0.5, sigma = 0.1, unit = "OOM/year", source = "a test" }
"""

FEW = ("--prior-only", "--draws", "30", "--chains", "2")


def plugin(name: str, body: str, priors: str = "") -> str:
    """A plugin of one driver whose methods are `body`."""
    lines = "\n".join(f"    {line}" if line else "" for line in body.strip().splitlines())
    return PLUGIN.format(name=name, body=lines, priors=priors)


def base(name: str, quantity: str = "compute", said: str = 'unit="FLOP"', reads: str = "0.0") -> str:
    """A plugin whose driver provides one quantity."""
    return plugin(name, f'@provides("{quantity}", {said})\ndef base(self, m):\n    return 25.0 + ({reads})')


def line() -> str:
    """A straight line of compute with two priors."""
    body = 'def base(self, m):\n    return m["level"] + m["growth"] * m.years'
    return plugin("line", f'@provides("compute", unit="FLOP")\n{body}', LINE)


def write(*plugins: tuple[str, str], worldview: str = WORLDVIEW) -> None:
    """Write plugins as files beside a prior file ``toys.toml``."""
    for name, text in plugins:
        Path(name).write_text(text)
    Path("toys.toml").write_text(worldview)


def forecast(*arguments: str) -> Result:
    """A command as a user types it."""
    return CliRunner(env={"COLUMNS": "110"}).invoke(main, list(arguments))


def good(*arguments: str) -> str:
    """Standard output of a command that works."""
    result = forecast(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str, code: int = 1) -> str:
    """What a command says that fails, as one line."""
    result = forecast(*arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output and "bug in forecast" not in result.output
    return " ".join(result.stderr.split())


def listed(*arguments: str) -> Any:
    """JSON that a command prints."""
    return json.loads(good(*arguments, "--json"))


@contextmanager
def without_pictures() -> Iterator[None]:
    """Runs are saved with blank pictures: they take a third of the time, and another test looks at them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("run_pictures.draw_crossings", "run_pictures.draw_worlds", "run_pictures.draw_channels"):
            patch.setattr(f"forecast.report.{name}", _blank)
        yield


def _blank(*arguments: Any, **others: Any) -> None:
    next(one for one in arguments if isinstance(one, Path)).write_bytes(b"")


def run_folder(*arguments: str, out: str = "runs") -> Path:
    """The folder of a run of the priors of ``toys.toml``, or of what is named instead."""
    named = () if "--priors" in arguments else ("--priors", "toys.toml")
    good("run", *named, *FEW, "--out", out, *arguments)
    return max(Path(out).iterdir(), key=lambda path: path.stat().st_mtime_ns)


def run_tree(*arguments: str, out: str = "runs") -> xr.DataTree:
    """The results of such a run."""
    return open_tree(run_folder(*arguments, out=out) / "results.nc")


class Installed:
    """Packages in a folder on Python's path, with metadata, as an installer leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._modules = folder, list[str]()
        sys.path.insert(0, str(folder))

    def add(self, package: Path, distribution: str, version: str = "0.1.0", *, plugin: str = "") -> None:
        """Install a package, or a module of one file, with one entry point."""
        module = package.stem
        self._modules.append(module)
        if package.is_dir():
            shutil.copytree(package, self.folder / module, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(package, self.folder)
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        name = plugin or module.replace("_", "-")
        (info / "entry_points.txt").write_text(f"[forecast.drivers]\n{name} = {module}\n")
        importlib.invalidate_caches()

    def remove(self) -> None:
        """Uninstall everything."""
        sys.path.remove(str(self.folder))
        for name in [one for one in sys.modules if one.partition(".")[0] in self._modules]:
            del sys.modules[name]
        importlib.invalidate_caches()
