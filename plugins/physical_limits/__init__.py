"""What bends growth from outside: chips that can be made, money that an economy can spare, electric power."""

import pytensor.tensor as pt

from forecast.driver import Driver, limits, load_evidence, load_parameters, provides
from forecast.hookspecs import hookimpl

MID_2026 = 2.5  # years since 2024 of the level priors
SLACK = 2.0  # OOM above the limit at the as-of date, fading over the first year
NONE = 1e3  # log10 of a limit that no trajectory comes near


def slowing(years, growth, decay):
    """OOM since mid-2026 of a growth that fades with an e-folding time of `decay` years."""
    return growth * decay * -pt.expm1(-pt.maximum(years - MID_2026, 0.0) / decay)


class PhysicalLimits(Driver):
    name = "physical-limits"
    api_version = 1
    title = "Physical and economic limits"
    parameters = load_parameters(__package__)
    evidence = load_evidence(__package__)

    @limits("investment", title="what the economy can spare")
    def gdp_share(self, m):
        if m.get("investment.ceiling_share") is None:  # who stands in for investment says its ceiling
            return NONE
        share = pt.log10(m["investment.ceiling_share"] * m["investment.gdp"])
        return share + pt.log10(1.0 + m["investment.gdp_growth"]) * m.years

    @limits("chip_purchases", title="world production of chips")
    def world_production(self, m):
        return m["world_production"]

    @provides("ai_power", unit="GW", title="Power that AI can draw")
    def power_to_be_had(self, m):
        past = m["power_past_growth"] * pt.minimum(m.years - MID_2026, 0.0)
        return pt.log10(m["power"]) + past + slowing(m.years, m["power_growth"], m["power_growth_decay"])

    @provides("power_per_chip", unit="kW/H100e", title="Power of a chip in use, with its data centre")
    def power_of_a_chip(self, m):
        decline = m["chip_power_decline"]
        past = decline * pt.minimum(m.years - MID_2026, 0.0)
        fallen = past + slowing(m.years, decline, m["chip_power_decline_decay"])
        return pt.log10(m["chip_power"]) + m["chip_power_disadvantage"] - fallen

    @limits("compute_stock", title="electric power")
    def ai_power(self, m):
        if not m.projecting:  # what is in use has its power, and so teaches nothing here
            return NONE
        chips = m["ai_power"] - m["power_per_chip"] + 6.0  # 1 GW is 10^6 kW
        unfelt = SLACK * pt.maximum(1.0 - m.after, 0.0)  # it sets in over a year: no stock falls in one month
        return pt.switch(m.after > 0, chips + unfelt, NONE)


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [PhysicalLimits()]
