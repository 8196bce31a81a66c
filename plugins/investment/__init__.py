"""Investment in AI compute, by bloc: exponential growth, which limits bend."""

import pytensor.tensor as pt

from forecast.driver import Driver, adds_to, load_evidence, load_parameters, observes, provides
from forecast.hookspecs import hookimpl

FIRST_YEAR = 2022  # the non-AI base is a level of 2022; earlier totals would need a trend of their own


def bloc_totals(table, context):
    """Totals by bloc; guidance counts only until the period's actual figure is known."""
    rows = table.filter(used_in_fit=True).rows
    known = {(row.bloc, row.date) for row in rows if row.extra["kind"] == "actual"}
    latest = {}
    for row in rows:
        actual = row.extra["kind"] == "actual"
        if row.date.year < FIRST_YEAR or (not actual and (row.bloc, row.date) in known):
            continue
        key = (row.bloc, row.date)
        if key not in latest or row.published >= latest[key].published:
            latest[key] = row
    kept = table.with_rows(latest.values())
    guidance = [row.extra["kind"] != "actual" for row in kept.rows]
    return context.observations(kept, guidance=guidance)


class Investment(Driver):
    name = "investment"
    api_version = 1
    title = "Investment in AI compute"
    parameters = load_parameters(__package__)
    evidence = load_evidence(__package__)

    @provides("investment", unit="USD/year", sharpness=1.0, title="Investment in AI compute")
    def trend(self, m):
        return m["level"] + m["growth"] * (m.years - 1.0)  # level is that of 2025-01-01

    @adds_to("investment", title="Shocks to investment")
    def shocks(self, m):
        return m.shock(
            "investment",
            scale=m["shock_scale"],
            persistence=m["persistence"],
            bloc_share=m["shock_bloc_share"],
        )

    @observes("capex", prepare=bloc_totals)
    def company_capex(self, m, data):
        spent = m.quantity("investment")
        if (bought := m.get("chip_purchases")) is not None:
            spent = spent + bought - m["chip_demand"]  # money that finds no chips is not spent on them
        total = m.per_bloc(m["other_capex"], data) + m.per_bloc(m["coverage"], data) * 10.0 ** m.mean_over(
            10.0**spent, data
        )
        error = m["guidance_error"] * data.guidance
        m.normal(data, mean=pt.log10(total), sd=pt.sqrt(m["scatter"] ** 2 + data.error**2 + error**2))


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [Investment()]
