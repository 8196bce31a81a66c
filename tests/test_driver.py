"""What a driver reads from its own package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecast import load_evidence, load_parameters
from tests.toys import RUNS, TABLES


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An importable package with priors and a table, called as its distribution is."""
    folder = tmp_path / "forecast_hat_stands"
    (folder / "evidence").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "priors.toml").write_text('height = { value = 2, unit = "OOM", source = "a test" }\n')
    (folder / "evidence" / "tables.toml").write_text(TABLES)
    (folder / "evidence" / "runs.csv").write_text(RUNS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder.name
    sys.modules.pop(folder.name, None)


def test_a_package_called_otherwise_than_its_driver_says_the_drivers_name(package):
    (height,) = load_parameters(package, "hat-stands")
    assert height.driver == "hat-stands"
    (by_package,) = load_parameters(package)
    assert by_package.driver == "forecast-hat-stands"


def test_evidence_belongs_to_the_driver_that_is_named(package):
    assert load_evidence(package, "hat-stands")["runs"].driver == "hat-stands"
    assert load_evidence(package)["runs"].driver == "forecast-hat-stands"
