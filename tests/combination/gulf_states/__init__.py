"""The Gulf states as a third bloc: what they may buy, a worldview, a scenario, claims and rows of evidence.

Its figures are rough and its rows of evidence made up: they serve the tests and nobody's forecast.
"""

from importlib.resources import files

import pytensor.tensor as pt

from forecast import Driver, MoreRows, adds_to, files_in, hookimpl, load_parameters


class GulfStates(Driver):
    name = "gulf-states"
    api_version = 1
    title = "Chips for the Gulf states"
    parameters = load_parameters(__package__, "gulf-states")

    @adds_to("chip_access", channel="gulf-licences")
    def licences(self, m):
        fade = m["fade"]
        since = m.before - 2.0 - fade * pt.expm1(-m.after / fade)  # level of 2026-01-01
        return pt.log10(m["licensed"]) + m["licensed_growth"] * since


@hookimpl
def forecast_drivers():
    return [GulfStates()]


@hookimpl
def forecast_worldviews():
    return files_in(__package__, "worldviews")


@hookimpl
def forecast_scenarios():
    return files_in(__package__, "scenarios")


@hookimpl
def forecast_claims():
    return files_in(__package__, "claims")


@hookimpl
def forecast_evidence():
    rows = files(__package__) / "evidence"
    return [
        MoreRows("investment", "capex", rows / "capex.csv"),
        MoreRows("compute-growth", "training_runs", rows / "training_runs.csv"),
    ]
