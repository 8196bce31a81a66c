"""The pytest plugin: fixtures for tests of drivers.

It is loaded in every run of pytest in an environment with this package, and so
imports nothing at the top but pytest.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from forecast.host import Host
    from forecast.worldview import Worldview


@pytest.fixture(scope="session")
def forecast_host() -> Host:
    """The installed drivers, as ``forecast`` loads them."""
    from forecast.host import load_host

    return load_host()


@pytest.fixture(scope="session")
def tiny_worldview() -> Worldview:
    """A small worldview: two blocs, to the end of 2032, one milestone on training compute.

    For ``forecast.run(tiny_worldview, prior_only=True)`` with the installed
    drivers. Where a driver is tried without those,
    :func:`forecast.testing.worldview_about` makes one about its own quantity.
    """
    from forecast.testing.worldviews import worldview_about

    return worldview_about()


@pytest.fixture
def run_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run ``forecast`` in an empty folder of its own: ``run_cli("run", "--prior-only")``.

    Runs are written below that folder. Returns click's result, with
    ``exit_code``, ``stdout`` and ``stderr``.
    """
    from click.testing import CliRunner

    from forecast.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECAST_RUNS", str(tmp_path / "runs"))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, [str(one) for one in arguments])

    return run
