"""Algorithmic progress: efficiency gains, who has them when, and how they follow compute."""

from datetime import timedelta

import numpy as np
import pytensor.tensor as pt

from forecast.driver import Driver, adds_to, load_evidence, load_parameters, observes, provides
from forecast.hookspecs import hookimpl

LN10 = np.log(10.0)


def yearly_rates(table, context):
    """Training-efficiency estimates as log10 of the rate in OOM/year."""
    kept = table.with_rows(row for row in table.filter(used_in_fit=True).rows if row.value > 1.0)
    oom = np.log10([row.value for row in kept.rows])
    # d log10(log10 x) = d log10(x) / (ln10 log10 x): the row's interval on the scale of the model
    return context.observations(kept, value=np.log10(oom), error=kept.errors() / (np.log(10) * oom))


class AlgorithmicEfficiency(Driver):
    name = "algorithmic-efficiency"
    api_version = 1
    title = "Algorithmic efficiency"
    parameters = load_parameters(__package__)
    evidence = load_evidence(__package__)

    @provides("algorithmic_efficiency", unit="OOM", title="Algorithmic efficiency since 2024")
    def progress(self, m):
        # A draw from the studies' spread, not their mean: they measure different things.
        rate = 10.0 ** (m["rate_centre"] + m["rate_spread"] * m["rate_z"])
        return m.term("progress", m.reached(rate * (m.before + self.years_of_progress(m) * self.luck(m))))

    def years_of_progress(self, m):
        """Years of the past trend since the as-of date: experiments need chips, so it follows their growth.

        Solves y' = 1 + (L - y)/relaxation, L the leader's growth of chips in years of its earlier growth.
        """
        leader = m.max_over_blocs(m["compute_stock"])
        now = m.at_date(leader, m.as_of_date)
        earlier = m.at_date(leader, m.as_of_date - timedelta(days=365))
        usual_years = pt.switch(m.after > 0, (leader - now) / (now - earlier), 0.0)
        return m.after + m.integral((usual_years - m.after) / m["relaxation"], lifetime=m["relaxation"])

    def luck(self, m):
        """Mean since the as-of date of a varying factor of mean one on the pace."""
        if not m.projecting:
            return 1.0
        scale, persistence = m["shock_scale"], m["persistence"]
        drawn = m.wandering(
            "progress", scale=scale, persistence=persistence, bloc_share=m["shock_bloc_share"]
        )
        variance = scale**2 * -pt.expm1(-2.0 * m.after / persistence)
        factor = 10.0 ** (drawn - LN10 * variance / 2)
        return 1.0 + m.integral(pt.switch(m.after > 0, factor - 1.0, 0.0)) / pt.maximum(m.after, 1 / 12)

    @provides(
        "research_effective_compute", unit="FLOP", title="Effective compute before automated research",
        grows_with="training_compute",
    )  # fmt: skip
    def run(self, m):
        return m["training_compute"]

    @adds_to("research_effective_compute", title="Algorithmic efficiency")
    def own_algorithms(self, m):
        return m.lagged(m["algorithmic_efficiency"], m["lag"])

    @provides(
        "own_effective_compute", unit="FLOP", title="Effective compute by own effort",
        grows_with="research_effective_compute",
    )  # fmt: skip
    def own_effort(self, m):
        return m["research_effective_compute"]

    @provides(
        "effective_compute", unit="FLOP", title="Effective compute (2024 algorithms)",
        grows_with="own_effective_compute", remainder="Following others",
    )  # fmt: skip
    def own_or_followed(self, m):
        own = m["own_effective_compute"]
        lag = m["follow_lag"]
        if m.projecting:  # how easy following will be is not in the data: its spread is a prior
            drift = m["follow_lag_spread"] * m["follow_lag_drift"]
            lag = lag * 10.0 ** (drift * -pt.expm1(-m.after / m["relaxation"]))
        following = m.lagged(m.max_over_blocs(own), lag)
        return m.reached(m.softmax(own, m.term("following", following)))

    @observes("algorithmic_progress", prepare=yearly_rates)
    def literature(self, m, data):
        sd = pt.sqrt(m["rate_spread"] ** 2 + data.error**2)
        m.normal(data, mean=m["rate_centre"], sd=sd)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [AlgorithmicEfficiency()]
