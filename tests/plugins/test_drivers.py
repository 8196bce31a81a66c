"""The built-in drivers on the default worldview, at prior draws and without a compiler."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from scipy.integrate import solve_ivp

from forecast.host import load_host
from forecast.model import Graph, Layout, build_graph, pymc_model
from forecast.projection import Evaluator, future_graph
from forecast.spec import history_end, make_spec
from forecast.worldview import load_worldview
from tests.plugins.support import assert_near, q
from tests.plugins.support import projected as changed

SIZE = 200
UNITS = {
    "investment": "log10 USD/year",
    "price_performance": "log10 H100e/USD",
    "chip_demand": "log10 H100e/year",
    "chip_purchases": "log10 H100e/year",
    "world_production": "log10 H100e/year",
    "chip_access": "log10 H100e/year",
    "compute_stock": "log10 H100e",
    "training_compute": "log10 FLOP",
    "chips_in_run": "log10 H100e",
    "cost_of_largest_cluster": "log10 USD",
    "cost_of_largest_run": "log10 USD",
    "cost_of_fixed_capability": "log10 USD",
    "ai_power": "log10 GW",
    "power_per_chip": "log10 kW/H100e",
    "algorithmic_efficiency": "OOM",
    "automation_gain": "OOM",
    "research_effective_compute": "log10 FLOP",
    "own_effective_compute": "log10 FLOP",
    "effective_compute": "log10 FLOP",
    "time_horizon": "log10 minute",
    "time_horizon_80": "log10 minute",
    "capability_index": "index point",
}
OWNERS = {
    "investment": "investment",
    "compute_stock": "compute-growth",
    "chip_access": "export-control-leakage",
    "effective_compute": "algorithmic-efficiency",
    "time_horizon_80": "capability",
    "cost_of_largest_run": "training-cost",
    "automation_gain": "automated-rnd",
    "ai_power": "physical-limits",
    "world_production": "compute-growth",
}
PLAIN = Mode(linker="py", optimizer="fast_compile")


@pytest.fixture(scope="module")
def graph(spec, view) -> Graph:
    return future_graph(spec, view.horizon)


@pytest.fixture(scope="module")
def free(spec, view, draws):
    """China has what chips it wants."""
    return changed(spec, view, draws, {"limit": "chip_access", "bloc": "china", "set": "off"})


def at(found, name, day):
    """Its values at a month start, (draw, bloc)."""
    return found.trajectories[name].sel(time=np.datetime64(day)).values[0]


# What there is -----------------------------------------------------------------------------------


def test_the_quantities_of_the_issue_are_there_with_their_units(base):
    for name, unit in UNITS.items():
        assert base.trajectories[name].attrs["unit"] == unit, name
        assert base.trajectories[name].dims == ("chain", "draw", "bloc", "time"), name
    assert base.trajectories["bloc"].values.tolist() == ["us_allies", "china"]
    assert str(base.trajectories["time"].values[-1])[:10] == "2061-01-01"


def test_quantities_have_the_owners_of_the_design(graph):
    assert {name: graph.quantities[name].owner for name in OWNERS} == OWNERS
    assert graph.quantities["time_horizon"].success == 0.5
    assert graph.quantities["time_horizon_80"].success == 0.8


def test_every_parameter_of_every_driver_is_read(spec, graph):
    assert set(spec.parameters) == set(graph.parameters)


def test_there_are_at_most_seventy_sampled_numbers(spec):
    history = build_graph(spec, history_end(spec))
    layout = Layout({key: spec.parameters[key] for key in history.inferred}, spec.blocs)
    assert 35 <= len(layout.entries) - len(layout.constant) <= 70


def test_only_china_has_channels(graph):
    assert graph.quantities["chip_access"].present.tolist() == [False, True]
    assert list(graph.quantities["chip_access"].channels) == ["domestic", "licensed", "smuggled", "offshore"]


# Scale -------------------------------------------------------------------------------------------


def test_prior_training_runs_are_within_five_orders_of_the_evidence(spec):
    history = build_graph(spec, history_end(spec))
    (runs,) = (one for one in history.likelihoods if one.label.startswith("training_runs"))
    layout = Layout({key: spec.parameters[key] for key in history.parameters}, spec.blocs)
    mean = Evaluator(history, {"mean": runs.mean})(layout.shaped(layout.draw(2, SIZE)))["mean"]
    assert len(runs.observed) >= 30
    assert np.abs(np.median(mean, axis=0) - runs.observed).max() < 2.5
    assert np.mean(np.abs(mean - runs.observed) < 5) > 0.999


@pytest.mark.parametrize(
    ("name", "bloc", "low", "high"),
    [
        ("investment", 0, 11.0, 12.5),  # 100 billion to 3 trillion USD a year
        ("investment", 1, 10.0, 11.7),
        ("price_performance", 0, -5.0, -3.5),
        ("compute_stock", 0, 6.3, 8.3),  # 2 to 200 million H100e
        ("training_compute", 0, 25.5, 28.0),
        ("training_compute", 1, 24.0, 27.5),
        ("time_horizon", 0, 2.0, 4.0),
        ("capability_index", 0, 150.0, 185.0),
    ],
)
def test_prior_medians_of_mid_2026_are_on_the_right_scale(base, name, bloc, low, high):
    assert low < np.median(at(base, name, "2026-07-01")[:, bloc]) < high


def test_the_us_lead_in_the_prior_median_of_mid_2026(base):
    for name in ("investment", "compute_stock", "training_compute", "effective_compute"):
        us, china = np.median(at(base, name, "2026-07-01"), axis=0)
        assert us > china, name


# What must hold in every draw ----------------------------------------------------------------------


def test_effective_compute_is_never_below_ones_own(base):
    assert np.all(q(base, "effective_compute") >= q(base, "own_effective_compute") - 1e-5)


def test_purchases_are_below_demand_access_and_world_production(base):
    bought = q(base, "chip_purchases")
    assert np.all(bought <= q(base, "chip_demand") + 1e-5)
    assert np.all(bought <= q(base, "world_production") + 1e-5)
    assert np.all(bought[:, 1] <= q(base, "chip_access")[:, 1] + 1e-5)


def test_investment_stays_below_its_share_of_gdp_before_shocks(base, draws, graph):
    years = graph.decimal - 2024
    past = graph.decimal <= 2026.4
    share = draws["investment", "ceiling_share"][:, None, None]
    gdp = draws["investment", "gdp"] * (1 + draws["investment", "gdp_growth"]) ** years
    ceiling = np.log10(share * gdp)
    assert np.all(q(base, "investment")[..., past] < ceiling[..., past] + 1e-5)


def test_the_80_percent_horizon_is_mostly_the_shorter(base):
    longer = q(base, "time_horizon_80") > q(base, "time_horizon")
    assert np.mean(longer[..., 60:103]) < 0.01


def test_algorithmic_efficiency_is_straight_up_to_the_as_of_date_and_zero_at_2024(base, graph, draws):
    past = graph.decimal < 2026.49  # the month that begins on 2026-07-01 is after it
    found = q(base, "algorithmic_efficiency")[..., past]
    key = "algorithmic-efficiency"
    rate = 10.0 ** (draws[key, "rate_centre"] + draws[key, "rate_spread"] * draws[key, "rate_z"])
    assert found == pytest.approx(
        np.broadcast_to(rate[:, None, None] * (graph.decimal[past] - 2024), found.shape), rel=1e-4, abs=1e-4
    )


def test_the_stock_solves_its_differential_equation(spec, view, graph, draws):
    """dS/du = purchases - S / 5 years, from the stock of 2018; purchases linear between months."""
    base = changed(spec, view, draws, {"limit": "ai_power", "set": "off"})  # chips without power count too
    years = graph.decimal[:121] - 2018
    for draw in (0, 99):
        for bloc in (0, 1):
            flow = 10.0 ** q(base, "chip_purchases")[draw, bloc, :121]
            start = 10.0 ** draws["compute-growth", "stock_2018"][draw, bloc, 0]
            exact = solve_ivp(
                lambda t, stock, flow=flow: np.interp(t, years, flow) - stock / 5,
                (0, years[-1]),
                [start],
                t_eval=years,
                rtol=1e-8,
                max_step=1 / 12,
            ).y[0]
            assert q(base, "compute_stock")[draw, bloc, :121] == pytest.approx(np.log10(exact), abs=1e-3)


def test_chips_flop_and_dollars_of_the_largest_run_follow_from_one_another(base, draws):
    chips = q(base, "chips_in_run")
    flop = np.log10(draws["compute-growth", "flop_per_h100e_run"])[:, None, None]
    assert_near(q(base, "training_compute"), chips + flop, 1e-4)
    share = np.log10(draws["compute-growth", "chip_share"])[:, None, None]
    dollars = chips - q(base, "price_performance") - share
    assert_near(q(base, "cost_of_largest_cluster"), dollars, 1e-4)
    assert np.all(chips < q(base, "compute_stock"))


# Interventions -----------------------------------------------------------------------------------


def test_unrestricted_access_never_delays_china_and_is_earlier_in_the_median(base, free):
    before, after = (found.crossings["agi"].values[0, :, 1] for found in (base, free))
    assert np.all(after <= before)
    assert np.median(after) < np.median(before) and np.isfinite(np.median(before))
    ahead = np.asarray(base.graph.decimal) > 2026.49
    gain = q(free, "chip_purchases")[:, 1] - q(base, "chip_purchases")[:, 1]
    assert np.all(gain[:, ahead] >= -1e-6)
    # In the prior median access does not bind; in a tenth of the draws it does, and well.
    assert np.quantile(gain[:, np.searchsorted(base.graph.decimal, 2031.0)], 0.9) > 0.05
    assert np.all(gain[:, ~ahead] == 0)


def test_unrestricted_access_leaves_the_leaders_chips_alone(base, free):
    assert np.array_equal(q(free, "chip_purchases")[:, 0], q(base, "chip_purchases")[:, 0])


def test_an_end_of_following_never_advances_anybody(spec, view, base, draws):
    alone = changed(spec, view, draws, {"term": "following", "set": "off"})
    before, after = (found.crossings["agi"].values[0] for found in (base, alone))
    assert np.all(after >= before)
    assert np.mean(after[:, 1] > before[:, 1]) > 0.2  # China follows, and would miss it
    past = base.graph.decimal < 2026.49
    before, after = (q(found, "effective_compute") for found in (base, alone))
    assert np.array_equal(after[..., past], before[..., past])
    # Mid-2028, the median of what China loses; by then it has only its own.
    lost = before[:, 1] - after[:, 1]
    assert np.median(lost[:, np.searchsorted(base.graph.decimal, 2029.0)]) > 0.05


def test_less_smuggling_never_helps_china(spec, view, base, draws):
    shut = changed(spec, view, draws, {"channel": "smuggled", "of": "chip_access", "scale": 0})
    assert np.all(q(shut, "chip_access")[:, 1] <= q(base, "chip_access")[:, 1] + 1e-6)
    assert np.all(shut.crossings["agi"].values[0, :, 1] >= base.crossings["agi"].values[0, :, 1])


def test_more_money_never_delays_the_bloc_that_has_it(spec, view, base, draws):
    richer = changed(spec, view, draws, {"quantity": "investment", "bloc": "us_allies", "add": 0.5})
    before, after = (found.crossings["agi"].values[0, :, 0] for found in (base, richer))
    assert np.all(after <= before) and np.median(after) < np.median(before)


# Model -------------------------------------------------------------------------------------------


def test_the_gradient_of_the_log_density_is_finite_at_twenty_prior_draws(spec):
    history = build_graph(spec, history_end(spec))
    layout = Layout(
        {key: spec.parameters[key] for key in history.parameters if key in history.inferred}, spec.blocs
    )
    model = pymc_model(history, layout)
    gradient, logp = model.compile_dlogp(mode=PLAIN), model.compile_logp(mode=PLAIN)
    rng = np.random.default_rng(3)
    start = model.initial_point(random_seed=1)
    assert 35 <= start["standard"].size <= 70
    (mixture,) = set(start) - {"standard"}  # of the two shapes of the horizon
    for _ in range(20):
        point = {"standard": rng.standard_normal(start["standard"].size), mixture: rng.uniform(-0.02, 0.2)}
        assert np.isfinite(logp(point)) and np.all(np.isfinite(gradient(point)))


@pytest.mark.parametrize("day", ["2025-01-29", "2023-12-31"])
def test_an_earlier_as_of_date_builds_with_fewer_rows_and_the_same_quantities(view, graph, spec, day):
    earlier = make_spec(view.replace(as_of=day), load_host())
    now, then = (sum(len(table) for table in one.evidence.values()) for one in (spec, earlier))
    assert 20 < then < now
    for table in earlier.evidence.values():
        assert all(row.published <= date.fromisoformat(day) for row in table.rows)
    assert set(build_graph(earlier, history_end(earlier)).quantities) == set(graph.quantities)


@pytest.mark.parametrize(
    "driver",
    ["export-control-leakage", "capability", "training-cost", "automated-rnd", "physical-limits"],
)
def test_a_driver_that_no_other_needs_can_be_left_out(view, driver):
    fewer = load_worldview("default", disable=[driver])
    built = build_graph(make_spec(fewer, load_host(disable=[driver])), date(2028, 1, 1))
    assert driver not in {quantity.owner for quantity in built.quantities.values()}
    assert "effective_compute" in built.quantities
