from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from forecast.inference import Compiler, SamplerSettings, sample
from tests.inference.toy import toy

QUICK = SamplerSettings(draws=300, tune=300, chains=2, cores=1)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder that all tests of this session share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_CACHE", str(cache))


@pytest.fixture(scope="session")
def compiler(cache: Path) -> Compiler:
    """Return a compiler that has compiled the toy, and nothing else, from scratch."""
    compiler = Compiler()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECAST_CACHE", str(cache))
        compiler.compiled(*toy())
    return compiler


@pytest.fixture(scope="session")
def fit(compiler: Compiler) -> tuple[NDArray[np.float64], xr.Dataset]:
    """Return draws and statistics of the toy."""
    return sample(*toy(), QUICK, seed=1, compiler=compiler)
