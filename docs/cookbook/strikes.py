from forecast import Driver, adds_to, hookimpl, parameters_from_text

PRIORS = """
[cost]
distribution = "HalfNormal"
sigma = 0.1
unit = "OOM"
judgement = true
source = "an example, not a claim"
"""


class Strikes(Driver):
    name = "strikes"
    api_version = 1
    parameters = parameters_from_text(PRIORS, driver="strikes")

    @adds_to("investment")  # log10 USD/year: an addition is a factor
    def lost_years(self, m):
        return -m["cost"] * (m.after > 0)  # m.after: years since the as-of date


@hookimpl
def forecast_drivers():
    return [Strikes()]
