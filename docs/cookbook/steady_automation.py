import pytensor.tensor as pt

from forecast import Driver, adds_to, hookimpl, parameters_from_text, provides

PRIORS = """
[ceiling]
distribution = "LogNormal"
p05 = 0.1
p95 = 2
unit = "OOM"
judgement = true
source = "an example, not a claim"

[years]
distribution = "LogNormal"
p05 = 2
p95 = 10
unit = "year"
judgement = true
source = "an example, not a claim"
"""


class SteadyAutomation(Driver):
    name = "steady-automation"
    api_version = 1
    parameters = parameters_from_text(PRIORS, driver="steady-automation")

    @provides("automation_gain", unit="OOM", title="Gain from automated research")
    def gain(self, m):
        return m["ceiling"] * (1.0 - pt.exp(-m.after / m["years"]))

    @adds_to("own_effective_compute")
    def automation(self, m):
        return m["automation_gain"]


@hookimpl
def forecast_drivers():
    return [SteadyAutomation()]
