"""What training costs: the largest run, and a model as capable as DeepSeek-V3 was at its release."""

from datetime import date

import numpy as np
import pytensor.tensor as pt

from forecast.driver import Driver, load_evidence, load_parameters, observes, provides
from forecast.hookspecs import hookimpl

RELEASE = date(2024, 12, 26)  # of DeepSeek-V3, whose capability is the fixed one


def dollars_per_flop(table, context):
    """Published costs that say what a FLOP costs on chips that are sold: log10 USD per FLOP."""
    kept = table.filter(used_in_fit=True)
    return context.observations(
        kept, value=[np.log10(row.value / row.extra["training_flop"]) for row in kept.rows]
    )


class TrainingCost(Driver):
    name = "training-cost"
    api_version = 1
    title = "Training cost"
    parameters = load_parameters(__package__)
    evidence = load_evidence(__package__)

    def usd_per_flop(self, m):
        """A chip's price over what it computes in its life, times the overhead; no trend of its own."""
        return pt.log10(m["overhead"] / m["flop_per_h100e"]) - m["price_performance"]

    @provides("cost_of_largest_run", unit="USD", title="Cost of the largest run")
    def largest_run(self, m):
        return m["training_compute"] + self.usd_per_flop(m)

    @provides("cost_of_fixed_capability", unit="USD", title="Cost of a model as capable as DeepSeek-V3")
    def fixed_capability(self, m):
        algorithms, automated = m["algorithmic_efficiency"], m.get("automation_gain")
        if automated is not None:
            algorithms = algorithms + automated
        since = algorithms - m.at_date(algorithms, RELEASE)
        return pt.log10(m["fixed_capability_flop"]) - since + self.usd_per_flop(m)

    @observes("training_costs", prepare=dollars_per_flop)
    def costs(self, m, data):
        sd = pt.sqrt(m["cost_scatter"] ** 2 + data.error**2)
        m.normal(data, mean=m.at(self.usd_per_flop(m), data), sd=sd)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [TrainingCost()]
