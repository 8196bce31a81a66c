import pytensor.tensor as pt

from forecast import Driver, adds_to, hookimpl, parameters_from_text

PRIORS = """
[by_bloc.china.level]
distribution = "LogNormal"
p05 = 5e4
p95 = 4e5
unit = "H100e/year"
judgement = true
source = "an example, not a claim"

[by_bloc.china.growth]
distribution = "Normal"
mu = 0.2
sigma = 0.1
unit = "OOM/year"
judgement = true
source = "an example, not a claim"
"""


class LeasedAbroad(Driver):
    name = "leased-abroad"
    api_version = 1
    parameters = parameters_from_text(PRIORS, driver="leased-abroad")

    @adds_to("chip_access", channel="leased")  # log10 of a flow, which is added to the other channels
    def leased(self, m):
        return pt.log10(m["level"]) + m["growth"] * (m.before - 2.0)  # level of 2026-01-01; steady later


@hookimpl
def forecast_drivers():
    return [LeasedAbroad()]
