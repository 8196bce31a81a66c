"""What a bloc under export controls can get: four channels that add up to a limit on its purchases."""

import numpy as np
import pytensor.tensor as pt

from forecast.driver import Driver, adds_to, limits, load_evidence, load_parameters, observes, provides
from forecast.hookspecs import hookimpl

CHANNELS = ("domestic", "licensed", "smuggled", "offshore")


def purchases_by_channel(table, context):
    """Flows as they are, and cumulative figures as the mean flow over their period."""
    kept = table.filter(used_in_fit=True)
    kept = kept.with_rows(row for row in kept.rows if row.bloc in context.blocs)
    observations = context.observations(kept, series=[row.extra["channel"] for row in kept.rows])
    years = observations.columns["period"]
    cumulative = [row.extra["kind"] == "cumulative" for row in kept.rows]
    value = observations.columns["value"] - np.log10(np.where(cumulative, years, 1.0))
    return context.observations(kept, series=observations.series, value=value)


class ExportControlLeakage(Driver):
    name = "export-control-leakage"
    api_version = 1
    title = "Export controls and their leaks"
    parameters = load_parameters(__package__)
    evidence = load_evidence(__package__)

    @provides("chip_access", unit="H100e/year", channels="chip_channels", title="Chips that can be had")
    def access(self, m):
        """Sum of the channels; a bloc without channels is not restricted."""

    @adds_to("chip_access", channel="domestic")
    def domestic(self, m):
        trend = pt.log10(m["domestic"]) + m["domestic_growth"] * self.since(m, 1.5)  # level of mid-2025
        shock = m.shock("domestic", scale=m["domestic_shock"], persistence=m["domestic_shock_persistence"])
        return trend + shock + self.policy(m, "domestic")

    @adds_to("chip_access", channel="licensed")
    def licensed(self, m):
        return m.by_epoch("licensed") + self.policy(m, "licensed")

    @adds_to("chip_access", channel="smuggled")
    def smuggled(self, m):
        trend = pt.log10(m["smuggled"]) + m["smuggled_growth"] * self.since(m, 1.0)  # of 2025-01-01
        return trend + self.policy(m, "smuggled")

    @adds_to("chip_access", channel="offshore")
    def offshore(self, m):
        trend = pt.log10(m["offshore"]) + m["offshore_growth"] * self.since(m, 2.0)  # of 2026-01-01
        return trend + self.policy(m, "offshore")

    def since(self, m, start):
        """Years of growth since a date; after the as-of date they get shorter: no flow doubles for ever."""
        decay = m["growth_decay"]
        return m.before - start - decay * pt.expm1(-m.after / decay)

    def policy(self, m, channel):
        """OOM by which the state of the controls moves a channel; nothing up to the as-of date."""
        if not m.projecting or (state := m.get("policy")) is None:
            return 0.0
        loose = pt.switch(pt.eq(state, 2.0), m[f"{channel}_loose"], 0.0)
        return pt.switch(pt.eq(state, 0.0), m[f"{channel}_tight"], loose)

    @limits("chip_purchases", title="export controls")
    def chip_access(self, m):
        return m["chip_access"]

    @observes("china_channels", prepare=purchases_by_channel)
    def purchases(self, m, data):
        taken = 10.0 ** (
            m["chip_purchases"] - m["chip_access"]
        )  # what is seen is bought, not what is on offer
        flows = {name: m.channel("chip_access", name) * taken for name in CHANNELS}
        sd = pt.sqrt(m["channel_scatter"] ** 2 + data.error**2)
        m.normal(data, mean=m.mean_over(flows, data), sd=sd)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [ExportControlLeakage()]
