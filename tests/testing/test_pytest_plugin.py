"""The pytest plugin in the repository of somebody's driver: its fixtures, and the base class."""

from __future__ import annotations

import subprocess
import sys

import pytest

import forecast
from forecast.conformance import run_check, subject_of
from forecast.testing import worldview_about
from tests import toys

pytest_plugins = ["pytester"]

GOOD = f'''
from forecast import Driver, load_evidence, observes, parameters_from_text, provides
from forecast.evidence import read_tables
from pathlib import Path
import pytensor.tensor as pt

class Line(Driver):
    name = "line"
    api_version = 1
    parameters = parameters_from_text("""{toys.LINE}""".replace('"a test"', '"A toy of 2026"'), driver="line")
    evidence = read_tables(Path(__file__).parent / "evidence", "line")

    @provides("compute", unit="FLOP")
    def line(self, m):
        return m["level"] + m["growth"] * m.years

    @observes("runs")
    def measured(self, m, data):
        sd = pt.sqrt(m["scatter"] ** 2 + data.error**2)
        m.normal(data, mean=m.at(m["compute"], data), sd=sd)
'''

TESTS = """
from forecast.testing import DriverConformance
from mine import Line

class TestLine(DriverConformance):
    driver = Line()
    company = []
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The same model, compiled while this process still has its home: an inner run finds it."""
    line = toys.Line(toys.table(tmp_path_factory.mktemp("evidence")))
    assert run_check("gradient", subject_of(line, [])).state == "passed"


@pytest.fixture
def repository(compiled, pytester):
    """A repository apart from ours, with a driver, its evidence and a test."""
    toys.table(pytester.path / "evidence")
    pytester.makepyfile(mine=GOOD, test_mine=TESTS)
    pytester.syspathinsert()
    return pytester


def test_a_good_driver_passes_in_its_own_repository_a_test_a_check(repository):
    result = repository.runpytest_inprocess("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=9, skipped=1)  # alone, it can be removed from nothing
    result.stdout.fnmatch_lines(["*TestLine::test_the_gradient_is_finite_at_100_prior_draws PASSED*"])
    result.stdout.fnmatch_lines(["*TestLine::test_ranks_of_simulation_based_calibration_are_uniform PASSED*"])


def test_a_bad_driver_fails_with_the_words_of_the_kit_and_a_class_without_one_says_so(repository):
    bad = GOOD.replace("A toy of 2026", "a guess").replace("return m[", "return 0 / m.undefined + m[")
    (repository.path / "mine.py").write_text(bad)
    bare = "from forecast.testing import DriverConformance\n\nclass TestBare(DriverConformance):\n    pass\n"
    repository.makepyfile(test_bare=bare)
    result = repository.runpytest_inprocess("-p", "no:cacheprovider", "-rs")
    result.assert_outcomes(failed=12, skipped=8)
    result.stdout.fnmatch_lines(["*TestBare needs a line `driver = MyDriver()`: an instance*"])
    result.stdout.fnmatch_lines(["*line, priors-cited: growth: the source 'a guess' has neither*"])
    result.stdout.fnmatch_lines(
        ["*line, builds: driver 'line'*line (base of compute) failed: AttributeError*"]
    )
    result.stdout.fnmatch_lines(["*SKIPPED*the model cannot be built with the driver*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_fixtures_are_there_without_being_imported(pytester):
    pytester.makepyfile(
        """
        from pathlib import Path

        def test_host(forecast_host):
            assert forecast_host.owner("investment") in forecast_host.drivers

        def test_worldview(tiny_worldview):
            assert len(tiny_worldview.blocs) == 2 and list(tiny_worldview.milestones) == ["crossed"]
            assert tiny_worldview.horizon.year < 2040

        def test_cli(run_cli):
            assert Path.cwd() == run_cli_folder() and not list(Path.cwd().iterdir())
            good = run_cli("runs", "list", "--json")
            assert (good.exit_code, good.stdout.strip()) == (0, "[]")
            bad = run_cli("runs", "show", "nothing")
            assert bad.exit_code == 2 and "nothing" in bad.stderr

        def run_cli_folder():
            import os
            return Path(os.environ["FORECAST_RUNS"]).parent
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)


def test_a_small_worldview_can_be_about_the_drivers_own_quantity(tmp_path):
    view = worldview_about("compute", 1e26, "FLOP", "priors.line.growth.mu=0.6")
    run = forecast.run(
        view,
        drivers=[toys.Line(toys.table(tmp_path))],
        prior_only=True,
        settings=forecast.SamplerSettings(draws=50, chains=1),
    )
    assert 0 < run.summary["milestones"]["crossed"]["blocs"]["us_allies"]["p_before"] < 1


def test_the_plugin_imports_nothing_heavy_into_every_run_of_pytest():
    heavy = "{'numpy', 'pytensor', 'click', 'pluggy', 'forecast.host'}"
    code = (
        "import sys, pytest; before = set(sys.modules); import forecast.testing.plugin; "
        f"print({heavy} & (set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
