"""Was a model's training cost on the trend? What its capability was expected to cost at its date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import decimal_year
from forecast.results.crossing_summary import FloatArray
from forecast.results.published import one_row
from forecast.results.trajectories import NotAvailable, Trajectories, interval

if TYPE_CHECKING:
    from forecast.evidence import EvidenceTable
    from forecast.results.measure_specs import Model, OnTrend


@dataclass(frozen=True)
class ExpectedCost:
    """What the run expects a model to have cost, and what was published.

    Attributes
    ----------
    name, bloc : str
    date : datetime.date
    index : float
        Its score.
    published : float
        USD.
    draws : ndarray of float
        Predictive draws of its cost, USD.
    """

    name: str
    bloc: str
    date: date
    index: float
    published: float
    draws: FloatArray

    @property
    def quantile(self) -> float:
        """Share of the predictive distribution at or below the published cost."""
        return float(np.mean(self.draws <= self.published))

    def described(self) -> dict[str, Any]:
        """Plain types: the model, its published and its expected cost, and the quantile."""
        return {
            "model": self.name,
            "bloc": self.bloc,
            "date": self.date.isoformat(),
            "index": self.index,
            "published": self.published,
            "expected": interval(self.draws),
            "quantile": self.quantile,
        }


def expected_costs(
    measure: OnTrend,
    model: Model,
    table: EvidenceTable,
    run: Trajectories,
    generator: np.random.Generator,
) -> ExpectedCost:
    """Posterior predictive cost of a model of its capability, at its date.

    In each draw the score, less an error and the scatter of models about the
    relation, gives the effective compute by the run's own relation of both
    along the bloc's trajectory; less the algorithms of the date that is
    physical compute; times the cost of a FLOP at the date, with the scatter of
    costs about that.

    Raises
    ------
    NotAvailable
        Where the run or the table lacks something.
    """
    where = {} if model.method is None else {"method": model.method}
    found = one_row(table, where, model.name)
    row, score = found.row, found.row.extra.get("index")
    if not isinstance(score, float | int):
        raise NotAvailable(f"evidence table {table.name} has no index score of {model.name}")
    when = decimal_year(row.date)
    scatter = run.parameter(measure.index_scatter, row.bloc)
    noise = generator.standard_normal((2, scatter.size))
    sought = score + np.hypot(scatter, measure.index_error) * noise[0]
    effective = invert(
        run.values("capability_index", row.bloc), run.values("effective_compute", row.bloc), sought
    )
    physical = effective - run.at("algorithmic_efficiency", row.bloc, row.date)
    cost, compute = (
        run.interpolated(run.values(name, row.bloc), when)
        for name in ("cost_of_largest_run", "training_compute")
    )
    error = float(table.with_rows([row]).errors()[0])
    spread = np.hypot(run.parameter(measure.cost_scatter, row.bloc), error)
    expected = physical + (cost - compute) + spread * noise[1]
    return ExpectedCost(row.name, row.bloc, row.date, float(score), row.value, 10.0**expected)


LEAST_COMPARED = 3
"""Models that it takes to tell how far models of one capability lie apart."""


def unexplained_scatter(costs: Sequence[ExpectedCost]) -> float | None:
    """Spread of published costs about the expected ones beyond what their intervals allow.

    Models of one capability and date are not equally efficient, and the run
    knows the frontier only. By moments: the mean square of log10 published
    less log10 expected, less the mean variance of the predictive draws.

    Parameters
    ----------
    costs : sequence of ExpectedCost
        Models of other blocs than that of the model in question.

    Returns
    -------
    float or None
        Dex, zero where the intervals are wide enough; None of fewer than
        :data:`LEAST_COMPARED` models.
    """
    if len(costs) < LEAST_COMPARED:
        return None
    expected = [np.log10(cost.draws) for cost in costs]
    missed = [np.log10(cost.published) - np.median(one) for cost, one in zip(costs, expected, strict=True)]
    return float(np.sqrt(max(0.0, np.mean(np.square(missed)) - np.mean([one.var() for one in expected]))))


def widened(cost: ExpectedCost, scatter: float, models: int, generator: np.random.Generator) -> ExpectedCost:
    """Add a scatter that was estimated from so many models: Student-t, with as many degrees of freedom."""
    noise = generator.standard_t(models, cost.draws.size)
    return replace(cost, draws=cost.draws * 10.0 ** (scatter * noise))


def invert(x: FloatArray, y: FloatArray, sought: FloatArray) -> FloatArray:
    """Read `y` where `x` has a value, along rising trajectories.

    Parameters
    ----------
    x, y : ndarray, (draw, time)
        Both rise with time; what falls counts as level.
    sought : ndarray, (draw,)
        Values of `x`; beyond the trajectory its ends are continued straight.

    Returns
    -------
    ndarray, (draw,)
    """
    x, y = np.maximum.accumulate(x, axis=-1), np.maximum.accumulate(y, axis=-1)
    result = np.empty(len(x))
    for draw, value in enumerate(sought):
        at, there = np.unique(x[draw], return_index=True)
        if at.size < 2:
            raise NotAvailable("the capability index does not move in some draws")
        reached = y[draw][there]
        place = int(np.clip(np.searchsorted(at, value) - 1, 0, at.size - 2))
        slope = (reached[place + 1] - reached[place]) / (at[place + 1] - at[place])
        result[draw] = reached[place] + slope * (value - at[place])
    return result
