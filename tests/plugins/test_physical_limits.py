"""Ceilings of money, chips and power: what they bend, what they leave alone, and a model without them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from forecast.engine import run
from forecast.errors import InputError
from forecast.host import load_host
from forecast.inference import SamplerSettings
from forecast.model import build_graph
from forecast.spec import history_end, make_spec
from forecast.worldview import load_worldview
from tests.plugins.support import assert_near, prior_draws, projected, q

SIZE = 200
LIMITS = ("gdp_share", "world_production", "ai_power")


@pytest.fixture(scope="module")
def free(spec, view, draws):
    """Each limit switched off by itself."""
    return {name: projected(spec, view, draws, {"limit": name, "set": "off"}) for name in LIMITS}


# Bending -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", LIMITS)
def test_switching_a_limit_off_never_lowers_money_chips_or_compute(base, free, limit):
    past = base.graph.decimal < 2026.49
    for name in ("investment", "chip_purchases", "compute_stock", "training_compute"):
        more = q(free[limit], name) - q(base, name)
        assert np.all(more >= -2e-5), name
        assert np.all(more[..., past] == 0), name
    assert np.all(free[limit].crossings["agi"].values <= base.crossings["agi"].values)


@pytest.mark.parametrize(
    ("limit", "bent", "alone"),
    [
        ("gdp_share", "investment", "world_production"),
        ("world_production", "chip_purchases", "chip_demand"),
        ("ai_power", "compute_stock", "chip_purchases"),
    ],
)
def test_a_limit_bends_its_own_quantity_and_none_before_it(base, free, limit, bent, alone):
    late = np.searchsorted(base.graph.decimal, 2040.0)
    more = q(free[limit], bent)[:, 0, late] - q(base, bent)[:, 0, late]
    assert np.quantile(more, 0.9) > 0.1
    assert np.array_equal(q(free[limit], alone), q(base, alone))


def test_chips_in_use_are_the_soft_minimum_of_chips_owned_and_chips_that_have_power(base, free):
    ahead = base.graph.decimal > 2027.5  # a year after the as-of date the limit has set in
    powered = np.log10(10.0 ** q(base, "ai_power") * 1e6 / 10.0 ** q(base, "power_per_chip"))  # GW over kW
    owned = q(free["ai_power"], "compute_stock")
    in_use = -np.log10(10.0 ** (-4 * (owned - 8)) + 10.0 ** (-4 * (powered - 8))) / 4 + 8
    assert_near(q(base, "compute_stock")[..., ahead], in_use[..., ahead], 1e-4)


def test_where_power_is_set_low_it_decides(view):
    poor = load_worldview(
        "default",
        overrides=[
            "priors.physical-limits.by_bloc.us_allies.power.p05=9",
            "priors.physical-limits.by_bloc.us_allies.power.p95=11",
        ],
    )
    spec = make_spec(poor, load_host())
    found = projected(spec, poor, prior_draws(spec, poor, seed=6, size=SIZE))
    at = np.searchsorted(found.graph.decimal, 2028.0)
    powered = q(found, "ai_power") + 6 - q(found, "power_per_chip")
    assert 1.0 < np.median(q(found, "ai_power")[:, 0, at]) < 1.3  # some 10-20 GW
    short = powered[:, 0, at] - q(found, "compute_stock")[:, 0, at]
    assert np.all(short > -1e-4) and np.median(short) < 0.05
    gap = powered[:, 1, at] - q(found, "compute_stock")[:, 1, at]
    assert np.median(gap) > 0.4  # China's is its own


def test_a_quarter_of_the_power_makes_nobody_earlier(spec, view, base, draws):
    poor = projected(spec, view, draws, {"quantity": "ai_power", "add": -0.6})
    assert np.all(q(poor, "compute_stock") <= q(base, "compute_stock") + 1e-6)
    before, after = (found.crossings["agi"].values[0] for found in (base, poor))
    assert np.all(after >= before) and np.mean(after > before) > 0.2


# The past ----------------------------------------------------------------------------------------


def test_the_fit_reads_the_ceiling_of_money_and_nothing_of_power(spec):
    history = build_graph(spec, history_end(spec))
    assert not [key for key in history.inferred if key[0] == "physical-limits"]
    assert {("investment", "ceiling_share"), ("compute-growth", "world_production")} <= history.inferred
    assert {"ai_power", "power_per_chip"} <= set(history.quantities)


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_power_lies_well_above_what_the_chips_of_the_past_drew(spec, base, year):
    """In 98 of 100 prior draws at least 0.2 OOM, where the soft minimum takes 4% of the chips."""
    rows = load_host().evidence()["compute-growth", "compute_shipments"].filter(kind="cumulative").rows
    shipped = max(row.value for row in rows if row.date == date(year - 1, 12, 31))
    assert 1e6 < shipped < 3e7
    at = np.searchsorted(base.graph.decimal, year)
    room = (q(base, "ai_power") - q(base, "power_per_chip"))[:, 0, at] + 6 - np.log10(shipped)
    assert np.mean(room > 0.2) >= 0.96 and np.median(room) > 0.45


def test_the_limit_of_power_sets_in_over_a_year_and_no_stock_falls_for_it_in_a_month(base, free):
    at = np.searchsorted(base.graph.decimal, 2026.49)
    lost = q(free["ai_power"], "compute_stock") - q(base, "compute_stock")
    assert np.all(lost[..., at] < 1e-3) and np.quantile(lost[..., at + 12], 0.95) > 0.01
    first = np.diff(q(base, "compute_stock"), axis=-1)[..., at - 1]
    assert np.all(first > -0.02)


# Without the driver ------------------------------------------------------------------------------


def test_without_the_driver_money_buys_what_it_wants(draws):
    fewer = load_worldview("default", disable=["physical-limits"])
    found = projected(make_spec(fewer, load_host(disable=["physical-limits"])), fewer, draws)
    assert "ai_power" not in found.trajectories and "world_production" in found.trajectories
    assert np.array_equal(q(found, "chip_purchases")[:, 0], q(found, "chip_demand")[:, 0])
    level, growth = (draws["investment", name][:, 0, :] for name in ("level", "growth"))
    past = found.graph.decimal < 2026.49
    straight = level + growth * (found.graph.decimal[past] - 2025.0)
    assert_near(q(found, "investment")[:, 0, past], straight, 1e-4)


def test_a_ceiling_that_nothing_reads_is_refused_when_a_worldview_sets_it():
    settings = SamplerSettings(draws=20, chains=1)
    view = load_worldview(
        "default", overrides=["priors.investment.ceiling_share.p95=0.1"], disable=["physical-limits"]
    )
    with pytest.raises(InputError, match=r"investment\] ceiling_share: no loaded driver reads it"):
        run(view, settings=settings, prior_only=True)
