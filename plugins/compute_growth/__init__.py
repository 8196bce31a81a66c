"""From money to training compute: chips bought, stocked, and put into one run."""

from datetime import timedelta

import numpy as np
import pytensor.tensor as pt

from forecast.driver import Driver, limits, load_evidence, load_parameters, observes, provides
from forecast.hookspecs import hookimpl

# Dex, beside the row's own error: what Epoch's words add. Its later revisions of such estimates are wider
# (nine in ten within 0.4 and 1.5 dex), but the largest runs are better known, and the scatter is estimated.
EXTRA_ERROR = {"Confident": 0.0, "Likely": 0.1, "Speculative": 0.25, "Unstated": 0.25}
FIRST_YEAR = 2021  # before, the largest runs were small parts of chips bought for other work


def frontier_runs(table, context):
    """Runs of rank 1-3 within their bloc over the 12 months to release, ranked as of the date."""
    kept, ranks = [], []
    for row in table.rows:
        if row.date.year < FIRST_YEAR:
            continue
        year = [
            other.value
            for other in table.rows
            if other.bloc == row.bloc and row.date - timedelta(days=365) < other.date <= row.date
        ]
        rank = 1 + sum(value > row.value for value in year)
        if rank <= 3:
            kept.append(row)
            ranks.append(rank)
    chosen = table.with_rows(kept)
    error = np.hypot(chosen.errors(), [EXTRA_ERROR[row.extra["confidence"]] for row in kept])
    return context.observations(chosen, steps=np.array(ranks) - 1.0, error=error)


def yearly_flows(table, context):
    """Shipments by calendar year; cumulative quarters are autocorrelated and left out."""
    return context.observations(table.filter(used_in_fit=True))


def release_prices(table, context):
    """H100e per dollar of data-centre chips with 8-bit hardware, at release."""
    kept = table.with_rows(row for row in table.filter(used_in_fit=True).rows if row.bloc in context.blocs)
    value = [np.log10(row.extra["h100e"] / row.value) for row in kept.rows]
    return context.observations(kept, value=value)


class ComputeGrowth(Driver):
    name = "compute-growth"
    api_version = 1
    title = "Compute growth"
    parameters = load_parameters(__package__)
    evidence = load_evidence(__package__)

    @provides("price_performance", unit="H100e/USD", title="Chips per dollar")
    def chips_per_dollar(self, m):
        trend = m["price_performance"] + m["price_performance_growth"] * (m.years - 1.0)
        return trend - m["price_disadvantage"]

    @provides(
        "chip_demand", unit="H100e/year", title="Chips that the money would buy",
        grows_with=("investment", "price_performance"),
    )  # fmt: skip
    def affordable(self, m):
        return m["investment"] + m.quantity("price_performance") + pt.log10(m["chip_share"])

    @provides("world_production", unit="H100e/year", title="World production of AI chips")
    def world(self, m):
        since, decay = m.years - 2.5, m["world_production_growth_decay"]  # level is that of mid-2026
        past = m["world_production_past_growth"] * pt.minimum(since, 0.0)
        slowing = decay * -pt.expm1(-pt.maximum(since, 0.0) / decay)
        return pt.log10(m["world_production"]) + past + m["world_production_growth"] * slowing

    @provides("chip_purchases", unit="H100e/year", title="Chips bought", grows_with="chip_demand")
    def wanted(self, m):
        return m["chip_demand"]

    @provides(
        "compute_stock", unit="H100e", title="Chips in use",
        grows_with="chip_purchases", remainder="Accumulation of chips",
    )  # fmt: skip
    def stock(self, m):
        bought = 10.0 ** m["chip_purchases"]
        return pt.log10(m.integral(bought, lifetime=m["lifetime"], initial=10.0 ** m["stock_2018"]))

    @provides(
        "largest_run_share", unit="share", title="Share of a bloc's chips in its largest run",
        remainder="Allocation to the largest run",
    )  # fmt: skip
    def allocated(self, m):
        fade = m["allocation_trend_decay"]
        since = m.before - 1.0 - fade * pt.expm1(-m.after / fade)  # two trends kept for ever put China first
        first = np.arange(len(m.blocs))[:, None] == 0  # against all others: a third bloc changes no second
        contrast = np.where(first, 1.0, -1.0) if len(m.blocs) > 1 else 0.0
        trend = m["allocation_trend"] + m["allocation_half_difference"] * contrast
        return m["allocation"] + trend * since

    @limits("largest_run_share", title="all chips in one run")
    def whole_fleet(self, m):
        return m["allocation_bound"]

    @provides(
        "chips_in_run", unit="H100e", title="Chips in the largest run",
        grows_with=("compute_stock", "largest_run_share"),
    )  # fmt: skip
    def largest_run(self, m):
        return m["compute_stock"] + m["largest_run_share"]

    @provides(
        "training_compute", unit="FLOP", title="Training compute of the largest run",
        grows_with="chips_in_run",
    )  # fmt: skip
    def run_flop(self, m):
        return m["chips_in_run"] + pt.log10(m["flop_per_h100e_run"])

    @provides("cost_of_largest_cluster", unit="USD", title="Cost of the largest run's cluster")
    def cluster_cost(self, m):
        return m["chips_in_run"] - m.quantity("price_performance") - pt.log10(m["chip_share"])

    @observes("training_runs", prepare=frontier_runs)
    def runs(self, m, data):
        mean = m.at(m["training_compute"], data) - m["rank_step"] * data.steps
        sd = pt.sqrt(m.per_bloc(m["run_scatter"], data) ** 2 + data.error**2)
        m.student_t(data, mean=mean, sd=sd, nu=m["run_nu"])

    @observes("compute_shipments", prepare=yearly_flows)
    def shipments(self, m, data):
        flow = m.mean_over(10.0 ** m["chip_purchases"], data)
        m.normal(data, mean=flow, sd=pt.sqrt(m["flow_scatter"] ** 2 + data.error**2))

    @observes("accelerators", prepare=release_prices)
    def prices(self, m, data):
        sd = pt.sqrt(m["price_scatter"] ** 2 + data.error**2)
        m.normal(data, mean=m.at(m.quantity("price_performance"), data), sd=sd)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [ComputeGrowth()]
