from forecast import Driver, adds_to, hookimpl, parameters_from_text

PRIORS = """
[spread]
distribution = "HalfNormal"
sigma = 0.1
unit = "OOM/year"
judgement = true
source = "an example, not a claim"

[years]
value = 3
unit = "year"
judgement = true
source = "an example: discoveries come in waves of some years"

[own]
value = 0.3
unit = "share"
judgement = true
source = "an example: the rest is shared by all blocs"
"""


class Discoveries(Driver):
    name = "discoveries"
    api_version = 1
    parameters = parameters_from_text(PRIORS, driver="discoveries")

    @adds_to("price_performance")
    def luck(self, m):
        return m.shock("discoveries", scale=m["spread"], persistence=m["years"], bloc_share=m["own"])


@hookimpl
def forecast_drivers():
    return [Discoveries()]
