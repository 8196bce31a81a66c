"""Capability against effective compute: METR's time horizon and Epoch's index."""

from datetime import date, timedelta

import numpy as np
import pytensor.tensor as pt

from forecast.dates import decimal_year
from forecast.driver import Driver, load_evidence, load_parameters, observes, provides
from forecast.hookspecs import hookimpl

LEVEL_DATE = date(2025, 4, 1)  # the date that the level priors speak of
PACE_CHANGE = date(2024, 4, 1)  # Epoch AI and METR both see faster progress since about then
CENSORED_AT = np.log10(16 * 60)  # METR does not trust horizons beyond 16 hours of its suites
LOG2 = np.log10(2.0)
HORIZON_BOUND = (
    10.0  # OOM above the anchor: some two million years of work, where a horizon means nothing any more
)
PAIR_ERROR = 0.1  # dex: the two horizons of a pair come from the same runs and share most of their error


def _by_model(table, **wanted):
    return {(row.bloc, row.name): row for row in table.filter(**wanted).rows}


def one_horizon_a_model(table, context):
    """50% horizons, the newer suite where a model was measured in both."""
    newer, older = _by_model(table, success=0.5, suite="1.1"), _by_model(table, success=0.5, suite="1.0")
    rows = [row for row in {**older, **newer}.values() if row.extra["sota"] or row.bloc != context.blocs[0]]
    kept = table.with_rows(sorted(rows, key=lambda row: (row.date, row.name)))
    old = [row.extra["suite"] == "1.0" for row in kept.rows]
    return context.observations(kept, old_suite=old, limit=np.full(len(kept.rows), CENSORED_AT))


def measured_in_both_suites(table, context):
    """log10 ratio of the 50% horizons of suites 1.0 and 1.1, a row a model."""
    newer, older = _by_model(table, success=0.5, suite="1.1"), _by_model(table, success=0.5, suite="1.0")
    kept = table.with_rows(row for key, row in older.items() if key in newer)
    ratio = [np.log10(row.value / newer[row.bloc, row.name].value) for row in kept.rows]
    return context.observations(kept, value=ratio, error=np.full(len(ratio), PAIR_ERROR))


def both_success_rates(table, context):
    """log10 ratio of the 50% to the 80% horizon of a model, a row a model and suite."""
    pairs = {
        (row.bloc, row.name, row.extra["suite"]): row for row in table.filter(success=0.8, sota=True).rows
    }
    kept = table.with_rows(
        row
        for row in table.filter(success=0.5).rows
        if (row.bloc, row.name, row.extra["suite"]) in pairs and np.log10(row.value) < CENSORED_AT
    )
    gap = [np.log10(row.value / pairs[row.bloc, row.name, row.extra["suite"]].value) for row in kept.rows]
    horizon = np.log10([row.value for row in kept.rows])
    return context.observations(kept, value=gap, horizon=horizon, error=np.full(len(gap), PAIR_ERROR))


def frontier_index(table, context):
    """Models that were a running maximum of their bloc at release, in one snapshot."""
    return context.observations(table.filter(running_max=True))


class Capability(Driver):
    name = "capability"
    api_version = 1
    title = "Capability"
    parameters = load_parameters(__package__)
    evidence = load_evidence(__package__)

    @provides("capability_clock", unit="year", linear=True, title="Years of the leader's growth")
    def clock(self, m):
        """OOM of effective compute in years of the leader's growth over the year before the anchor date.

        Level and growth per year are sampled and slopes follow from them: sampled directly, slope and
        intercept correlate at 0.94.
        """
        anchor = min(LEVEL_DATE, m.as_of_date - timedelta(days=183))
        leader = m.max_over_blocs(m["effective_compute"])
        now = m.at_date(leader, anchor)
        year = now - m.at_date(leader, anchor - timedelta(days=365))
        return (
            m.since_2024(anchor) - (decimal_year(LEVEL_DATE) - 2024) + (m["effective_compute"] - now) / year
        )

    @provides("time_horizon", unit="minute", success=0.5, title="50% time horizon")
    def horizon(self, m):
        straight = m["horizon_growth"] * self.paced(m, m["horizon_earlier_pace"])
        return m["horizon_level"] + self.bent(m, straight)

    def paced(self, m, earlier):
        """The clock, running at another pace up to where the leader stood when the pace changed."""
        clock = m["capability_clock"]
        change = m.at_date(m.max_over_blocs(clock), PACE_CHANGE)
        known = m.as_of >= m.since_2024(PACE_CHANGE) + 0.5  # half a year of evidence of the new pace
        return clock + pt.switch(known, (earlier - 1.0) * pt.minimum(clock - change, 0.0), 0.0)

    def bent(self, m, straight):
        """OOM of horizon where each doubling takes a share `horizon_acceleration` less growth than the last.

        With n0 the doublings at a constant pace and a = -log(1 - share), n = -log(1 - a n0)/a: without
        bound as a n0 comes to 1, hence HORIZON_BOUND.
        """
        a = -pt.log1p(-m["horizon_acceleration"])
        x = a * straight / LOG2
        small = pt.abs(x) < 1e-4  # there the closed form is 0/0
        series = straight * (1.0 + x / 2.0 + x**2 / 3.0)
        inside = pt.clip(x, -np.inf, 1.0 - 1e-12)
        closed = -LOG2 * pt.log1p(-pt.switch(small, 0.5, inside)) / pt.switch(small, 1.0, a)
        return pt.minimum(pt.switch(small, series, closed), HORIZON_BOUND)

    @provides("time_horizon_80", unit="minute", success=0.8, title="80% time horizon")
    def horizon_80(self, m):
        half = m["time_horizon"]
        return half - m["horizon_80_gap"] - m["horizon_80_gap_slope"] * (half - 2.0)  # gap at 100 minutes

    @provides("capability_index", unit="index point", linear=True, title="Epoch Capabilities Index")
    def index(self, m):
        return m["index_level"] + m["index_growth"] * self.paced(m, m["index_earlier_pace"])

    @provides(
        "announcement_delay", unit="year", linear=True, title="From a model's existence to its announcement"
    )
    def delay(self, m):
        return m["announcement_delay"]

    @observes("time_horizons", prepare=one_horizon_a_model)
    def horizons(self, m, data):
        mean = m.at(m["time_horizon"], data) + m["suite_1_0_offset"] * data.old_suite
        suite = m["suite_scatter"] * data.old_suite  # how far a model's own offset is from the mean one
        sd = pt.sqrt(m.per_bloc(m["horizon_scatter"], data) ** 2 + suite**2 + data.error**2)
        m.censored_normal(data, mean=mean, sd=sd, upper="limit")

    @observes("time_horizons", prepare=measured_in_both_suites)
    def suites(self, m, data):
        m.normal(data, mean=m["suite_1_0_offset"], sd=pt.sqrt(m["suite_scatter"] ** 2 + data.error**2))

    @observes("time_horizons", prepare=both_success_rates)
    def success_rates(self, m, data):
        gap = m["horizon_80_gap"] + m["horizon_80_gap_slope"] * (data.horizon - 2.0)
        m.normal(data, mean=gap, sd=data.error)

    @observes("capability_index", prepare=frontier_index)
    def indices(self, m, data):
        sd = pt.sqrt(m.per_bloc(m["index_scatter"], data) ** 2 + data.error**2)
        m.normal(data, mean=m.at(m["capability_index"], data), sd=sd)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [Capability()]
