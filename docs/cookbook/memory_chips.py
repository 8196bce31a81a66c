import pytensor.tensor as pt

from forecast import Driver, hookimpl, limits, parameters_from_text

PRIORS = """
[by_bloc.us_allies.level]
distribution = "LogNormal"
p05 = 1e7
p95 = 3e7
unit = "H100e/year"
judgement = true
source = "an example, not a claim"

[by_bloc.us_allies.growth]
distribution = "Normal"
mu = 0.2
sigma = 0.05
unit = "OOM/year"
judgement = true
source = "an example, not a claim"
"""


class MemoryChips(Driver):
    name = "memory-chips"
    api_version = 1
    title = "Memory for AI chips"
    parameters = parameters_from_text(PRIORS, driver="memory-chips")

    @limits("chip_purchases")  # log10 H100e/year: the limit is in the unit of the quantity
    def memory(self, m):
        if not m.projecting:  # the past bought what it bought: this limit is about the future alone
            return 1e3
        # Two OOM of room at the as-of date, gone after a year: nothing falls in a single month.
        room = 2.0 * pt.maximum(1.0 - m.after, 0.0)
        return pt.log10(m["level"]) + m["growth"] * m.after + room


@hookimpl
def forecast_drivers():
    return [MemoryChips()]
