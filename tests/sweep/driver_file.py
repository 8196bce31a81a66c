"""A plugin: a line a bloc. In a worker it is killed, fails or waits where a file beside it says so."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytensor.tensor as pt
from distributed import get_worker

from forecast.driver import API_VERSION, Driver, observes, parameters_from_text, provides
from forecast.evidence import read_tables
from forecast.hookspecs import hookimpl

HERE = Path(__file__).parent

PRIORS = """\
growth = { distribution = "Normal", mu = 0.5, sigma = 0.1, unit = "OOM/year", source = "a test" }
scatter = { distribution = "HalfNormal", sigma = 0.3, unit = "dex", source = "a test" }
slowness = { value = 0, unit = "OOM", source = "a test" }
[by_bloc.us_allies]
level = { distribution = "Normal", mu = 25, sigma = 1, unit = "log10 FLOP", source = "a test" }
[by_bloc.china]
level = { distribution = "Normal", mu = 24.5, sigma = 1, unit = "log10 FLOP", source = "a test" }
"""


def misbehave() -> None:
    """In a worker: be killed once by a file "kill", fail once by "fail", wait while there is "wait"."""
    try:
        get_worker()
    except ValueError:
        return
    print("a plugin prints")
    if (HERE / "kill").exists():
        (HERE / "kill").rename(HERE / "killed")
        os.kill(os.getpid(), signal.SIGKILL)
    if (HERE / "fail").exists():
        (HERE / "fail").rename(HERE / "failed")
        raise RuntimeError("a fault of the plugin")
    while (HERE / "wait").exists():
        (HERE / "waiting").touch()
        time.sleep(0.02)


class Line(Driver):
    """Observed by the table of runs."""

    name = "line"
    api_version = API_VERSION
    parameters = parameters_from_text(PRIORS, "line")
    evidence = read_tables(HERE / "evidence", "line")

    @provides("compute", unit="FLOP", title="Largest run")
    def line(self, m: Any) -> Any:
        misbehave()
        return m["level"] + m["growth"] * m.years - m["slowness"]

    @observes("runs")
    def measured(self, m: Any, data: Any) -> None:
        m.normal(data, mean=m.at(m["compute"], data), sd=pt.sqrt(m["scatter"] ** 2 + data.error**2))


@hookimpl
def forecast_drivers() -> list[Driver]:
    return [Line()]
