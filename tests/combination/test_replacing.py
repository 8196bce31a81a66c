"""A plugin in place of a built-in driver: it provides the same quantity, and the other is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import forecast as library
from forecast.host import load_host
from forecast.results import read_run
from tests.combination.support import FEW, forecast, good, listed, plugin, refused, without_pictures

STEADY = plugin(
    "steady-money",
    """
title = "Steady money"

@provides("investment", unit="USD/year", title="Steady money")
def trend(self, m):
    return m["level"] + m["growth"] * (m.years - 1.0)
""",
    """\
growth = { distribution = "Normal", mu = 0.1, sigma = 0.02, unit = "OOM/year", per = "bloc", source = "s" }
[by_bloc.us_allies]
level = { value = 11.4, unit = "log10 USD/year", source = "a test" }
[by_bloc.china]
level = { value = 10.4, unit = "log10 USD/year", source = "a test" }
""",
)

MINE = """
extends = "amodei-2025"                 # which has priors for the driver that goes
title = "Steady"
[drivers]
disable = ["investment"]
[priors.steady-money]
growth = { distribution = "Normal", mu = 0.2, sigma = 0.01, unit = "OOM/year", source = "a test" }
"""


@pytest.fixture(scope="module", autouse=True)
def steady(beside: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The replacement is installed, beside what it replaces."""
    module = tmp_path_factory.mktemp("steady") / "steady_money.py"
    module.write_text(STEADY)
    beside(module, "agi-steady", "0.3")


@pytest.fixture(scope="module")
def runs(steady: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run under a prior file that leaves the built-in driver out."""
    folder = tmp_path_factory.mktemp("runs")
    mine = folder / "mine.toml"
    mine.write_text(MINE)
    with without_pictures():
        good("run", "--priors", str(mine), *FEW, "--out", str(folder / "runs"))
    mine.unlink()
    return folder / "runs"


def file(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


@pytest.fixture
def mine(here: Path) -> str:
    (here / "mine.toml").write_text(MINE)
    return "mine.toml"


def test_without_leaving_one_out_the_conflict_says_what_to_type():
    for command in ("run", "drivers", "graph"):
        words = refused(command)
        assert "quantity 'investment' is provided by two drivers" in words
        assert "'investment' of agi-forecast" in words and "'steady-money' of agi-steady 0.3" in words
        assert "--without investment or --without steady-money" in words
        assert "[drivers] disable in a prior file" in words


def test_what_asks_for_no_model_works_beside_the_conflict(runs, mine):
    assert "capex" in good("evidence")
    assert "steady-money" in good("priors", "show")
    assert good("priors", "check", mine) == "mine.toml: good\n"
    assert "Steady" in good("priors", "show", mine) and "[priors.investment]" not in good(
        "priors", "show", mine
    )
    assert "agi_date" in good("claims", "latest", "--out", str(runs), "--json")
    told = forecast("plugins")
    assert told.exit_code == 0 and "--without investment" in " ".join(told.stderr.split())
    words = refused("priors", "check", file("both.toml", 'extends = "default"\n'))
    assert "quantity 'investment' is provided by two drivers" in words


def test_the_run_is_of_the_replacement_under_its_own_priors(runs):
    run = read_run(next(runs.iterdir()))
    assert run.manifest["drivers"]["steady-money"] == "agi-steady 0.3"
    assert "investment" not in run.manifest["drivers"] and "agi-steady==0.3" in run.manifest["install"]
    assert "investment/capex" not in run.manifest["evidence"]
    money = run.tree["projection"]["investment"]
    assert money.attrs["driver"] == "steady-money" and money.attrs["long_name"] == "Steady money"
    growth = run.tree["prior"]["steady-money.growth"].to_numpy()[..., None]
    assert abs(float(growth.mean()) - 0.2) < 0.01  # the prior file's, not the driver's
    level = np.array([11.4, 10.4])[:, None]
    years = (money["time"].dt.year + (money["time"].dt.month - 1) / 12 - 2025).to_numpy()
    assert money.to_numpy() == pytest.approx(level + growth * years, abs=0.02)  # a straight line, unbent


def test_listings_and_diagram_show_the_replacement():
    drivers = {one["name"]: one for one in listed("drivers", "--without", "investment")["drivers"]}
    assert "investment" not in drivers
    assert drivers["steady-money"]["provides"][0]["quantity"] == "investment"
    assert "investment" in drivers["compute-growth"]["needs"]
    graph = json.loads(good("graph", "--without", "investment", "--format", "json"))
    (owner,) = (one["driver"] for one in graph["quantities"] if one["name"] == "investment")
    assert owner == "steady-money"
    plugins = listed("plugins", "--without", "investment")
    (entry,) = (one for one in plugins if one["distribution"] == "agi-steady")
    assert entry["status"] == "ok" and entry["drivers"][0]["provides"] == ["investment"]
    (gone,) = (one for one in plugins if one["status"] == "disabled")
    assert [one["name"] for one in gone["drivers"]] == ["investment"]


def test_from_python_it_is_the_same(mine):
    view = library.load_worldview(mine)
    host = load_host(disable=view.disabled)
    assert host.owner("investment") == "steady-money" and host.warnings() == []


# What is missing, or goes round --------------------------------------------------------------------


def named(text: str, *without: str) -> list[str]:
    """Options that name a plugin and leave drivers out, the installed replacement among them."""
    return ["--plugin", file("other.py", text), *(f"--without={name}" for name in ("steady-money", *without))]


def test_a_replacement_without_a_quantity_that_others_need_says_who_needs_it_and_who_had_it():
    flop = plugin("flop", '@provides("training_compute", unit="FLOP")\ndef base(self, m):\n    return 26.0')
    words = refused("run", *FEW, *named(flop, "compute-growth"), code=2)
    assert "driver 'algorithmic-efficiency' of agi-forecast " in words
    assert (
        ": it asks for 'compute_stock', which belongs to "
        "the driver 'compute-growth', and that is left out. Keep compute-growth, or load another driver that "
        "provides 'compute_stock' (--plugin), or leave out algorithmic-efficiency as well (--without "
        "algorithmic-efficiency)"
    ) in words


def test_a_parameter_of_a_driver_that_is_left_out_is_named_with_it():
    nosy = plugin("nosy", '@provides("cost", unit="USD")\ndef base(self, m):\n    return m["investment.gdp"]')
    words = refused("drivers", "--plugin", file("nosy.py", nosy), "--without=investment", code=2)
    assert (
        "it asks for 'investment.gdp', which belongs to the driver 'investment', and that is left out"
        in words
    )


def test_a_milestone_on_what_was_left_out_names_the_driver_that_had_it():
    words = refused("run", *FEW, "--without=steady-money", "--without=capability", code=2)
    assert (
        "priors/default.toml:49: [milestones.work_month] quantity: no loaded driver provides the quantity "
        "'time_horizon_80': capability, which provides it, is left out"
    ) in words


def test_a_replacement_that_reads_what_it_replaces_goes_round():
    again = plugin(
        "again", '@provides("investment", unit="USD/year")\ndef base(self, m):\n    return m["investment"]'
    )
    words = refused("run", *FEW, *named(again, "investment"))
    assert "in a circle: investment -> investment: 'base' of driver 'again' (base of investment)" in words
    assert "--without again" in words


def test_a_replacement_in_another_unit_is_told():
    other = plugin(
        "billions",
        '@provides("investment", unit="billion USD/year", linear=True)\ndef base(self, m):\n    return 300.0',
    )
    host = load_host([file("other.py", other)], disable=("investment", "steady-money"))
    assert host.warnings() == [
        "driver 'billions' of other.py provides 'investment' in billion USD/year, and steady-money, which it "
        "replaces, in log10 USD/year: other drivers that read it may take it for the latter"
    ]


def test_a_limit_in_the_unit_of_what_was_replaced_is_refused():
    body = '@provides("investment", unit="billion USD/year")\ndef base(self, m):\n    return 2.5\n\n'
    owner = plugin("billions", body)
    cap = plugin("cap", '@limits("investment", unit="USD/year")\ndef top(self, m):\n    return 12.0')
    Path("cap.py").write_text(cap)
    words = refused("drivers", *named(owner, "investment"), "--plugin", "cap.py")
    assert (
        "driver 'cap' of cap.py: 'top' limits 'investment' in USD/year, and 'investment' of driver "
        "'billions' of other.py is in billion USD/year; or leave it out with --without cap"
    ) in words
