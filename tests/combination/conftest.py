"""An empty folder to stand in, and distributions that are installed beside the built-in drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.combination.support import Installed


@pytest.fixture(autouse=True)
def _standing_there(here: Path) -> None:
    """Every test here is in an empty folder."""


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., None]]:
    """Install packages beside the built-in drivers, for one module of tests."""
    site = Installed(tmp_path_factory.mktemp("site"))
    yield site.add
    site.remove()
