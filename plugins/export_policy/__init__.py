"""The future of export controls: a state that switches at random after the as-of date."""

from forecast.driver import Driver, load_parameters, provides
from forecast.hookspecs import hookimpl

STATES = ("tight", "as now", "loose")
NOW = STATES.index("as now")


class ExportPolicy(Driver):
    name = "export-policy"
    api_version = 1
    title = "Future of export controls"
    parameters = load_parameters(__package__)

    @provides("policy", states=STATES, title="State of the export controls")
    def controls(self, m):
        # Yearly rates from the row's state to the column's; tight and loose are two steps apart.
        hazards = [
            [0.0, m["tight_to_now"], 0.0],
            [m["now_to_tight"], 0.0, m["now_to_loose"]],
            [0.0, m["loose_to_now"], 0.0],
        ]
        return m.switching("policy", hazards, start=NOW)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [ExportPolicy()]
