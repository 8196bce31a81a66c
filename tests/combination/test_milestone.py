"""A plugin that adds a milestone: through its worldview alone, and on a quantity of its own driver."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.results import StoredRun, read_run
from tests.combination.support import (
    FEW,
    good,
    line,
    listed,
    plugin,
    refused,
    without_pictures,
)
from tests.toys import WORLDVIEW

DRIVER = """
@provides("robots", unit="count", title="Robots in use")
def stock(self, m):
    return m["robots"] + 0.5 * (m["compute"] - 25.0)
"""
PRIORS = """\
[by_bloc.us_allies]
robots = { distribution = "Normal", mu = 5, sigma = 0.3, unit = "log10 count", source = "a test" }
[by_bloc.china]
robots = { distribution = "Normal", mu = 5.5, sigma = 0.3, unit = "log10 count", source = "a test" }
"""
HOOKS = """

@hookimpl
def forecast_worldviews():
    return sorted((Path(__file__).parent / "robots_files").glob("*.toml"))


@hookimpl
def forecast_claims():
    return [Path(__file__).parent / "robots_files/claims/robots-claims.toml"]
"""
MILESTONES = """
[milestones.million_robots]
title = "A million robots"
quantity = "robots"
at_least = "thresholds.robots"

[milestones.factory]
title = "A big run, with robots"
all = [
    { quantity = "compute", at_least = { value = 1e26, unit = "FLOP" } },
    { quantity = "robots", at_least = { value = 6, unit = "log10 count" } },
]

[thresholds.robots]
distribution = "LogNormal"
p05 = 0.5
p95 = 2
unit = "million count"
source = "a test"
"""
# No quantity of its own, and no code: two lines over the default.
OVER_DEFAULT = """
title = "Stations"
[milestones.hundred_gigawatts]
title = "100 GW for AI"
quantity = "ai_power"
at_least = "thresholds.ai_power"
[thresholds.ai_power]
distribution = "LogNormal"
p05 = 80
p95 = 120
unit = "GW"
source = "a test"
"""
CLAIMS = """
[source]
title = "A test"
date = 2026-01-31
url = "https://example.org/essay"
[claims.robots_by_2029]
statement = "China has a million robots by the end of 2029."
[claims.robots_by_2029.measure]
kind = "crossing"
milestone = "million_robots"
bloc = "china"
from = 2026-01-01
to = 2029-12-31
"""


@pytest.fixture(scope="module", autouse=True)
def robots(beside: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The plugin and the toy that it reads are installed beside the built-in drivers."""
    folder = tmp_path_factory.mktemp("robots")
    (folder / "lines.py").write_text(line())
    (folder / "robots.py").write_text(plugin("robots", DRIVER, PRIORS) + HOOKS)
    for module in ("lines", "robots"):
        beside(folder / f"{module}.py", f"agi-{module}")
    import robots as installed

    site = Path(installed.__file__).parent
    (site / "robots_files/claims").mkdir(parents=True)
    (site / "robots_files/robots.toml").write_text(toys(WORLDVIEW) + MILESTONES)
    (site / "robots_files/stations.toml").write_text(OVER_DEFAULT)
    (site / "robots_files/claims/robots-claims.toml").write_text(CLAIMS)


def toys(text: str) -> str:
    """The toy worldview beside the built-in drivers, which it leaves out."""
    from forecast.host import load_plugins

    ours = [one.driver.name for one in load_plugins().drivers if one.distribution == "agi-forecast"]
    return text.replace("[window]", f"[drivers]\ndisable = {json.dumps(ours)}\n[window]", 1)


@pytest.fixture(scope="module")
def run(robots: None, tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    folder = tmp_path_factory.mktemp("runs")
    with without_pictures():
        good(
            "run",
            "--priors",
            "robots",
            "--prior-only",
            "--draws",
            "100",
            "--chains",
            "2",
            "--out",
            str(folder),
        )
    return read_run(next(folder.iterdir()))


def of(run: StoredRun, command: str, *arguments: str) -> tuple[str, ...]:
    return (*command.split(), run.id, *arguments, "--out", str(run.path.parent))


def test_the_run_has_the_milestones_beside_the_others(run):
    assert list(run.summary["milestones"]) == ["big", "million_robots", "factory"]
    found = run.summary["milestones"]["million_robots"]["blocs"]
    assert found["china"]["quantiles"]["0.5"] < found["us_allies"]["quantiles"]["0.5"]
    assert run.tree["projection"]["robots"].attrs == {
        "unit": "log10 count",
        "long_name": "Robots in use",
        "driver": "robots",
    }
    thresholds = run.tree["prior"]["thresholds.robots"]
    assert thresholds.attrs["unit"] == "million count" and 0.5 < float(thresholds.median()) < 2


def test_what_reads_a_run_knows_the_milestone(run):
    assert good(*of(run, "runs show", "--milestone", "million_robots")).count("A million robots") >= 2
    shown = listed(*of(run, "runs show"))
    assert shown["milestones"]["million_robots"]["title"] == "A million robots"
    answer = good(*of(run, "query", "P(china.million_robots before us_allies.million_robots)"))
    assert float(answer.partition(" = ")[2].split()[0]) > 0.5
    worlds = listed(*of(run, "worlds", "--milestone", "million_robots"))
    assert worlds["title"] == "A million robots" and "robots" in worlds["by_threshold"]
    (claim,) = listed(*of(run, "claims", "--claims", "robots-claims"))["claims"]
    assert claim["id"] == "robots_by_2029" and 0 < claim["p"] < 1


def test_two_runs_are_compared_by_it(run):
    with without_pictures():
        good(
            "run",
            "--priors",
            "robots",
            *FEW,
            "--set",
            "thresholds.robots.p95=8",
            "--out",
            str(run.path.parent),
        )
    (other,) = (path for path in run.path.parent.iterdir() if path != run.path)
    found = listed(*of(run, "compare", other.name, "--milestone", "million_robots"))
    assert found["milestone"] == "million_robots" and len(found["runs"]) == 2
    assert "thresholds.robots" in {row["key"] for row in found["differences"]}


def test_the_diagram_has_it_on_the_plugins_quantity():
    graph = json.loads(good("graph", "--priors", "robots", "--format", "json"))
    milestones = {one["name"]: one for one in graph["milestones"]}
    assert milestones["million_robots"]["reads"] == ["robots"]
    assert milestones["factory"]["reads"] == ["compute", "robots"]


def test_a_milestone_alone_lies_over_the_default(monkeypatch):
    monkeypatch.setenv("FORECAST_PLUGINS", "agi-robots")  # and not the toy that it reads
    assert good("priors", "check", "stations") == "stations: good\n"
    graph = json.loads(good("graph", "--priors", "stations", "--without", "robots", "--format", "json"))
    names = [one["name"] for one in graph["milestones"]]
    assert "agi" in names and names[-1] == "hundred_gigawatts"


def test_without_the_plugin_the_worldview_says_which_quantity_nobody_provides(monkeypatch):
    words = refused("run", "--priors", "robots", *FEW, "--without", "robots", code=2)
    assert (
        "[milestones.million_robots] quantity: no loaded driver provides the quantity 'robots': robots, "
        "which provides it, is left out"
    ) in words
    Path("mine.toml").write_text(toys(WORLDVIEW) + MILESTONES)
    monkeypatch.setenv("FORECAST_PLUGINS", "agi-lines")
    for command in (("run", "--priors", "mine.toml", *FEW), ("graph", "--priors", "mine.toml")):
        words = refused(*command, code=2)
        assert (
            "[milestones.million_robots] quantity: no loaded driver provides the quantity 'robots'" in words
        )
        assert "mine.toml:" in words
    assert "no driver provides 'robots'" in refused("priors", "check", "mine.toml", code=2)
