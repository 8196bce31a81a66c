"""Electric power for one training run: what sites can be supplied with, and the chips that they feed."""

import numpy as np
import pytensor.tensor as pt

from forecast import Driver, files_in, hookimpl, limits, load_evidence, load_parameters, observes, provides

MID_2026 = 2.5  # years since 2024 of the levels
LINKED_SINCE = 0.0  # runs over several sites are known since about 2024
KW_IN_GW = 6.0  # log10
SLACK = 2.0  # OOM above the limit at the as-of date, fading over the first year
NONE = 1e3  # log10 of a limit that no run comes near


def slowing(m, growth, decay):
    """OOM since mid-2026 of a growth that fades with an e-folding time of `decay` years."""
    return growth * decay * -pt.expm1(-pt.maximum(m.years - MID_2026, 0.0) / decay)


def records(table, context):
    """Sites with more power than any site of their bloc before them, as of the date."""
    best, kept = {}, []
    for row in sorted(table.rows, key=lambda row: (row.date, row.value)):
        if row.value > best.get(row.bloc, 0.0):
            best[row.bloc] = row.value
            kept.append(row)
    return context.observations(table.with_rows(kept))


def chips_counted(table, context):
    """Sites whose chips are known: kW per H100e, cooling and losses included."""
    kept = table.with_rows(row for row in table.rows if row.extra["h100e"])
    value = [np.log10(row.value / row.extra["h100e"]) + KW_IN_GW for row in kept.rows]
    return context.observations(kept, value=value)


class Energy(Driver):
    name = "energy"
    title = "Power for one training run"
    api_version = 1
    parameters = load_parameters(__package__, driver="energy")
    evidence = load_evidence(__package__, driver="energy")

    @provides("site_power", unit="GW", title="Power that one site can be supplied with")
    def power_of_a_site(self, m):
        past = m["past_growth"] * pt.minimum(m.years - MID_2026, 0.0)
        return m["site_level"] + past + slowing(m, m["growth"], m["growth_decay"])

    @provides("run_power", unit="GW", title="Power that one training run can be supplied with")
    def power_of_linked_sites(self, m):
        begun = -pt.expm1(-pt.maximum(m.years - LINKED_SINCE, 0.0) / m["linking_time"])
        return m["site_power"] + m.term("linking", m["linking"] * begun)

    @provides("site_chip_power", unit="kW/H100e", title="Power of a chip at the newest sites")
    def power_of_a_chip(self, m):
        past = m["chip_power_decline"] * pt.minimum(m.years - MID_2026, 0.0)
        fallen = past + slowing(m, m["chip_power_decline"], m["chip_power_decline_decay"])
        return pt.log10(m["chip_power"]) + m["chip_power_disadvantage"] - fallen

    @limits("training_compute")
    def power_of_one_run(self, m):
        if not m.projecting:  # what ran had its power, and so teaches nothing here
            return NONE
        chips = m["run_power"] - m["site_chip_power"] + KW_IN_GW + pt.log10(m["run_share"])
        unfelt = SLACK * pt.maximum(1.0 - m.after, 0.0)  # it sets in over a year: no run shrinks in one month
        return pt.switch(m.after > 0, chips + pt.log10(m["run_flop"]) + unfelt, NONE)

    @observes("ai_sites", prepare=records)
    def largest_sites(self, m, data):
        mean = m.at(m["site_power"], data) - m.per_bloc(m["headroom"], data)
        sd = pt.sqrt(m.per_bloc(m["record_scatter"], data) ** 2 + data.error**2)
        m.normal(data, mean=mean, sd=sd)

    @observes("ai_sites", prepare=chips_counted)
    def chips_of_sites(self, m, data):
        sd = pt.sqrt(m["chip_scatter"] ** 2 + data.error**2)
        m.normal(data, mean=m.at(m["site_chip_power"], data), sd=sd)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [Energy()]


@hookimpl
def forecast_scenarios():
    """Scenarios by name: no-site-limit, no-linked-sites."""
    return files_in(__package__, "scenarios")
