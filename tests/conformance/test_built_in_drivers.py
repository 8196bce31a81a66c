"""Every built-in driver passes the conformance kit; the drivers are found, not listed."""

from __future__ import annotations

import pytest

from forecast.conformance import CHECKS, Setting, run_check, subject_of
from forecast.discovery import OURS
from forecast.engine import make_plan
from forecast.host import load_host
from forecast.inference.structure import Structure
from forecast.model import Layout, build_graph
from forecast.spec import history_end

pytestmark = pytest.mark.slow

BUILT_IN = {name: one.driver for name, one in load_host().drivers.items() if one.distribution == OURS}


@pytest.fixture(scope="module")
def setting():
    """All of them together: one model, which is the default run's."""
    return Setting(list(BUILT_IN.values()))


@pytest.mark.parametrize("code", CHECKS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_driver_passes_every_check(name, code, setting):
    driver = BUILT_IN[name]
    check = run_check(code, subject_of(driver, setting))
    assert check.state != "failed", check.detail
    if check.state == "not applicable":
        # What has no say in the fit has no gradient and no posterior; everything else applies to everybody.
        inferred = {owner for owner, _ in setting.main.history.inferred}
        assert code in ("gradient", "calibration") and name not in inferred


def test_there_are_built_in_drivers_and_most_have_a_posterior(setting):
    inferred = {owner for owner, _ in setting.main.history.inferred}
    assert len(BUILT_IN) >= 9
    assert len(inferred & set(BUILT_IN)) >= 6


def test_the_kit_compiles_what_a_default_run_compiles_and_no_other_model(setting):
    spec = make_plan(drivers=list(BUILT_IN.values())).spec
    graph = build_graph(spec, history_end(spec))
    keys = [key for key in graph.parameters if key in graph.inferred]
    layout = Layout({key: spec.parameters[key] for key in keys}, spec.blocs, spec.correlations)
    built = setting.main
    assert Structure.of(graph, layout) == Structure.of(built.history, built.inferred)
