"""One toy model, compiled once, whose driver counts its rows once or twice: a number says which."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytensor.tensor as pt
import pytest

from forecast.calibration import FIT, calibrate
from forecast.driver import observes
from forecast.engine import make_plan
from forecast.inference import Compiler
from tests import toys

SIMULATIONS = 40
QUICK = replace(FIT, draws=200, tune=200)


def counting(evidence, times):
    """A line whose rows count `times` over in the log density: a residual r enters as r times its root."""

    def counted(table, context):
        return context.observations(table, read_from_row=np.full(len(table.rows), 1 - np.sqrt(times)))

    class Counting(toys.Line):
        @observes("runs", prepare=counted)
        def measured(self, m, data):
            line = m.at(m["compute"], data)
            mean = line + data["read_from_row"] * (data.value - line)
            m.normal(data, mean=mean, sd=pt.sqrt(m["scatter"] ** 2 + data.error**2))

    return Counting(evidence)


@pytest.fixture(scope="session")
def plan_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    tables = toys.table(folder / "evidence")

    @cache  # a plan holds a hash of the code, and somebody may be editing it
    def plan(times=1.0, overrides=()):
        view = toys.worldview(folder, overrides=overrides)
        return make_plan(view, drivers=[counting(tables, times), toys.Boost(), toys.Luck()])

    return plan


@pytest.fixture(scope="session")
def compiler():
    return Compiler()


@pytest.fixture(scope="session")
def calibrated(plan_of, compiler, tmp_path_factory):
    """The right model: what came of it, and its folder."""
    folder = tmp_path_factory.mktemp("right")
    return calibrate(plan_of(), folder, simulations=SIMULATIONS, settings=QUICK, compiler=compiler), folder
