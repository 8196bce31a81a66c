"""What the hand-written script reads: priors and chosen rows of the default worldview, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.dates import decimal_year
from forecast.host import load_host
from forecast.worldview import Prior, Worldview, load_worldview, resolve_priors
from forecast_plugins import (
    algorithmic_efficiency,
    capability,
    compute_growth,
    export_control_leakage,
    investment,
    training_cost,
)

BLOCS = ("us_allies", "china")


@dataclass(frozen=True)
class Inputs:
    """Everything but the equations.

    Attributes
    ----------
    view : Worldview
        Its thresholds and dates.
    priors : dict of str to list of Prior
        ``driver.parameter`` to one prior a bloc (or epoch), constants included.
    epoch_starts : ndarray, (epoch,)
        Years since 2024, of the licensed channel.
    rows : dict of str to namespace
        Columns ``value``, ``error``, ``date``, ``period``, ``bloc`` and what the drivers prepare.
    """

    view: Worldview
    priors: dict[str, list[Prior]]
    epoch_starts: NDArray[np.float64]
    rows: dict[str, Any]


def read_inputs() -> Inputs:
    """Read the default worldview, its priors and its evidence by the drivers' own choice of rows."""
    view, host = load_worldview(), load_host()
    resolved = resolve_priors(view, host.defaults())
    priors = {".".join(key): list(one.entries.values()) for key, one in resolved.items()}
    licensed = resolved["export-control-leakage", "licensed"]
    starts = np.array([-np.inf, *(decimal_year(day) - 2024 for _, day in licensed.epochs[1:])])

    def observations(table: Any, *, series: Any = (), **extra: Any) -> SimpleNamespace:
        value = np.array([row.value for row in table.rows])
        period = [(row.extra.get("period_months") or 0) / 12 for row in table.rows]
        columns = {
            "value": value if table.spec.linear else np.log10(value),
            "error": table.errors(),
            "date": [decimal_year(row.date) for row in table.rows],
            "period": period,
        }
        columns = {name: np.asarray(values, dtype=float) for name, values in (columns | extra).items()}
        bloc = np.array([BLOCS.index(row.bloc) if row.bloc in BLOCS else -1 for row in table.rows])
        return SimpleNamespace(columns=columns, bloc=bloc, series=series, **columns)

    context = SimpleNamespace(as_of=view.as_of, blocs=BLOCS, observations=observations)
    tables = {
        name: t.known_by(view.as_of).for_blocs(BLOCS)
        for (_, name), t in host.evidence().items()
        if t.spec.used
    }
    prepare = {
        "capex": ("capex", investment.bloc_totals),
        "runs": ("training_runs", compute_growth.frontier_runs),
        "shipments": ("compute_shipments", compute_growth.yearly_flows),
        "prices": ("accelerators", compute_growth.release_prices),
        "costs": ("training_costs", training_cost.dollars_per_flop),
        "channels": ("china_channels", export_control_leakage.purchases_by_channel),
        "rates": ("algorithmic_progress", algorithmic_efficiency.yearly_rates),
        "horizons": ("time_horizons", capability.one_horizon_a_model),
        "suites": ("time_horizons", capability.measured_in_both_suites),
        "pairs": ("time_horizons", capability.both_success_rates),
        "index": ("capability_index", capability.frontier_index),
    }
    rows = {name: choose(tables[table], context) for name, (table, choose) in prepare.items()}
    return Inputs(view, priors, starts, rows)
