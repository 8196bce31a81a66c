"""The driver training-cost: what it puts together, and what its evidence says of the overhead."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from forecast.dates import decimal_year
from forecast.host import load_host
from forecast.model import Layout, build_graph
from forecast.projection import Evaluator, future_graph, project
from forecast.spec import history_end, make_spec
from forecast.worldview import load_worldview

SIZE = 100
DRIVER = "training-cost"
NAMES = (
    "cost_of_largest_run",
    "cost_of_fixed_capability",
    "training_compute",
    "algorithmic_efficiency",
    "price_performance",
)


@pytest.fixture(scope="module")
def graph(spec):
    return build_graph(spec, history_end(spec))


@pytest.fixture(scope="module")
def draws(spec, graph):
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    return layout.shaped(layout.draw(4, SIZE))


@pytest.fixture(scope="module")
def values(graph, draws):
    """The quantities at prior draws, (draw, bloc, time)."""
    found = Evaluator(graph, {name: graph.quantities[name].tensor for name in NAMES})(draws)
    shape = (SIZE, 2, len(graph.decimal))
    return {name: np.broadcast_to(value, shape) for name, value in found.items()}


@pytest.fixture(scope="module")
def costs(graph):
    (likelihood,) = (one for one in graph.likelihoods if one.label.startswith("training_costs"))
    return likelihood


def at(values, graph, day):
    """Values on a day, (draw, bloc)."""
    return np.apply_along_axis(lambda x: np.interp(decimal_year(day), graph.decimal, x), -1, values)


def test_both_costs_are_the_drivers_in_log_dollars(graph):
    for name in ("cost_of_largest_run", "cost_of_fixed_capability"):
        assert (graph.quantities[name].owner, graph.quantities[name].scale) == (DRIVER, "log10 USD")


def test_a_flop_costs_a_chips_price_over_its_lifes_work_times_the_overhead(values, draws):
    per_flop = values["cost_of_largest_run"] - values["training_compute"]
    constant = np.log10(draws[DRIVER, "overhead"] / draws[DRIVER, "flop_per_h100e"])
    assert per_flop == pytest.approx(constant[:, None, None] - values["price_performance"], abs=1e-9)


def test_the_fixed_capability_costs_its_own_compute_at_its_release(values, graph, draws):
    day = date(2024, 12, 26)
    per_flop = at(values["cost_of_largest_run"] - values["training_compute"], graph, day)
    expected = np.log10(3.4e24) + per_flop
    assert at(values["cost_of_fixed_capability"], graph, day) == pytest.approx(expected, abs=1e-6)


def test_the_fixed_capability_falls_by_algorithms_times_chips_per_dollar(values, graph):
    def change(name):
        return at(values[name], graph, date(2025, 12, 26)) - at(values[name], graph, date(2023, 12, 26))

    fall = -change("cost_of_fixed_capability")
    gained = change("algorithmic_efficiency") + change("price_performance")
    assert fall == pytest.approx(gained, abs=1e-6)
    assert np.median(fall) > 0.5  # more than threefold in two years


def test_in_the_future_automated_research_makes_the_fixed_capability_cheaper_too(spec, view):
    graph = future_graph(spec, view.horizon)
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    parameters = layout.shaped(layout.draw(4, 20))
    found = project(graph, parameters, chains=1, milestones={}, thresholds={}, seed=1, keep=20)
    q = {name: found.trajectories[name].values[0].astype(float) for name in (*NAMES, "automation_gain")}
    algorithms = q["algorithmic_efficiency"] + q["automation_gain"]
    since = algorithms - at(algorithms, graph, date(2024, 12, 26))[..., None]
    expected = np.log10(3.4e24) - since + q["cost_of_largest_run"] - q["training_compute"]
    assert q["cost_of_fixed_capability"] == pytest.approx(expected, abs=1e-3)
    assert np.max(q["automation_gain"]) > 0.1


def test_one_cost_falls_and_the_other_rises_in_nearly_every_prior_draw(values, graph):
    early, late = date(2023, 1, 1), date(2026, 1, 1)
    fixed, largest = (values[name] for name in ("cost_of_fixed_capability", "cost_of_largest_run"))
    assert np.mean(at(fixed, graph, late) < at(fixed, graph, early)) > 0.95
    assert np.mean(at(largest, graph, late) > at(largest, graph, early)) > 0.95


def test_china_pays_more_for_a_flop_by_its_price_disadvantage(values, draws):
    per_flop = values["cost_of_largest_run"] - values["training_compute"]
    dearer = draws["compute-growth", "price_disadvantage"][:, 1, 0]
    assert per_flop[:, 1, 0] - per_flop[:, 0, 0] == pytest.approx(dearer, abs=1e-9)


def test_the_fit_reads_costs_of_sold_chips_and_not_those_it_is_to_be_compared_with(costs):
    rows = costs.observations.rows
    names = {row.name for row in rows}
    assert len(rows) >= 10 and "GPT-4" in names
    assert all(row.bloc == "us_allies" and row.extra["chip"] == "GPU" for row in rows)
    assert all(row.extra["flop_confidence"] in ("Confident", "Likely") for row in rows)
    assert not names & {"DeepSeek-V3", "DeepSeek-R1", "Claude 3.5 Sonnet"}


def test_fitted_costs_lie_within_the_priors_reach(costs, graph, draws):
    mean = Evaluator(graph, {"mean": costs.mean})(draws)["mean"]
    assert np.abs(np.median(mean, axis=0) - costs.observed).max() < 0.4
    assert np.mean(np.abs(mean - costs.observed) < 1.5) > 0.99


def test_the_rows_alone_agree_on_an_overhead_inside_its_prior(costs, graph, draws):
    """Nothing but the overhead: the others at their medians, least squares over the rows."""
    mean = Evaluator(graph, {"mean": costs.mean})(draws)["mean"]
    off = costs.observed - (mean - np.log10(draws[DRIVER, "overhead"])[:, None])
    found = 10.0 ** np.median(off, axis=0)
    assert 1.5 < np.median(found) < 6
    assert np.std(np.log10(found)) < 0.2


def test_costs_of_every_row_give_a_plausible_price_of_a_flop():
    table = load_host().evidence()[DRIVER, "training_costs"]
    assert 15 <= len(table) <= 30
    for row in table.rows:
        assert 3e-19 < row.value / row.extra["training_flop"] < 1e-17, row.name
        assert row.extra["index"] is None or 100 < row.extra["index"] < 160, row.name


@pytest.mark.parametrize("day", ["2024-06-30", "2025-01-29"])
def test_an_earlier_as_of_date_knows_fewer_costs_and_builds(view, day):
    earlier = make_spec(view.replace(as_of=day), load_host())
    graph = future_graph(earlier, view.horizon)
    assert "cost_of_fixed_capability" in graph.quantities
    rows = earlier.evidence[DRIVER, "training_costs"].rows
    assert "GPT-4" in {row.name for row in rows}
    assert all(row.published <= date.fromisoformat(day) for row in rows)


def test_the_driver_can_be_left_out(view):
    fewer = load_worldview("default", disable=[DRIVER])
    graph = build_graph(make_spec(fewer, load_host(disable=[DRIVER])), date(2028, 1, 1))
    assert "cost_of_largest_run" not in graph.quantities and "training_compute" in graph.quantities
