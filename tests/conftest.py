"""What tests of several folders need: distributions that are installed for one test."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that parallel processes end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, where runs are written and files are named from."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORECAST_DEBUG", "FORECAST_RUNS", "FORECAST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a distribution with one plugin; such distributions are then all that is installed."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delenv("FORECAST_PLUGINS", raising=False)
    modules: list[str] = []

    def entry_points(*, group: str) -> list[metadata.EntryPoint]:
        distributions = metadata.distributions(path=[str(site)])
        return [point for d in distributions for point in d.entry_points if point.group == group]

    def make(
        plugin: str,
        text: str,
        distribution: str,
        version: str = "1.0",
        *,
        group: str = "forecast.drivers",
        attribute: str = "",
        summary: str = "",
    ) -> Path:
        module = f"fake_{plugin.replace('-', '_')}"
        modules.append(module)
        (site / f"{module}.py").write_text(text)
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        about = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(about + (f"Summary: {summary}\n" if summary else ""))
        with (info / "entry_points.txt").open("a") as stream:
            stream.write(f"[{group}]\n{plugin} = {module}{attribute}\n")
        return info

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    yield make
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save runs without their pictures: to draw those of one run takes longer than to make a toy's run."""
    for name in ("run_pictures.draw_crossings", "run_pictures.draw_worlds", "run_pictures.draw_channels"):
        monkeypatch.setattr(f"forecast.report.{name}", lambda *_, **__: None)
