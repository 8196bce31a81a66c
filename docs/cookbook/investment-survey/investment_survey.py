from pathlib import Path

import numpy as np
import pytensor.tensor as pt

from forecast import Driver, hookimpl, observes, parameters_from_text
from forecast.evidence import read_tables

NAME = "investment-survey"
PRIORS = """
[bias]
distribution = "Normal"
mu = 0
sigma = 0.1
unit = "dex"
judgement = true
source = "an example, not a claim"

[scatter]
distribution = "HalfNormal"
sigma = 0.15
unit = "dex"
judgement = true
source = "an example, not a claim"
"""


def spent_on_ai(table, context):
    """Answers at first hand: all capex times the share that respondents put on AI, in log10."""
    kept = table.filter(hearsay=False)
    return context.observations(
        kept,
        value=[np.log10(row.value * row.extra["ai_share"]) for row in kept.rows],
        guessed=[row.extra["guessed"] for row in kept.rows],
    )


class InvestmentSurvey(Driver):
    name = NAME
    api_version = 1
    parameters = parameters_from_text(PRIORS, driver=NAME)
    evidence = read_tables(Path(__file__).parent / "evidence", NAME)

    @observes("answers", prepare=spent_on_ai)
    def answered(self, m, data):
        spent = m.mean_over(10.0 ** m["investment"], data)  # over the period that ends at the row's date
        sd = pt.sqrt(m["scatter"] ** 2 + data.error**2 + 0.1**2 * data.guessed)
        m.normal(data, mean=spent + m["bias"], sd=sd)


@hookimpl
def forecast_drivers():
    return [InvestmentSurvey()]
