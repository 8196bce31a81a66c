"""Was a model's training cost on the trend? What its capability was expected to cost at its date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.claims.published import TableRow, one_row, rows_of, table_of
from forecast.dates import decimal_year
from forecast.results.crossing_summary import FloatArray
from forecast.results.trajectories import NotAvailable, Trajectories, interval

if TYPE_CHECKING:
    from forecast.claims.measure_specs import Model, OnTrend
    from forecast.evidence import EvidenceTable

REPEATS = 20
"""Draws of errors and scatter beside each draw of the run: a quantile in a tail needs many."""

LEAST_COMPARED = 3
"""Models that it takes to tell how far models of one capability lie apart."""


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
    alone : ndarray of float
        Predictive draws of its cost, USD.
    draws : ndarray of float
        The same with the scatter of models added.
    scatter : float or None
        What was added, dex; None where too few models tell it.
    compared : int
        Models that it was estimated from.
    """

    name: str
    bloc: str
    date: date
    index: float
    published: float
    alone: FloatArray
    draws: FloatArray
    scatter: float | None = None
    compared: int = 0

    @property
    def quantile(self) -> float:
        """Share of the predictive distribution at or below the published cost."""
        return float(np.mean(self.draws <= self.published))

    @property
    def quantile_alone(self) -> float:
        """The same without the scatter of models."""
        return float(np.mean(self.alone <= self.published))

    def described(self) -> dict[str, Any]:
        """Plain types: the model, its published and its expected cost, and the quantiles."""
        return {
            "model": self.name,
            "bloc": self.bloc,
            "date": self.date.isoformat(),
            "index": self.index,
            "published": self.published,
            "expected": interval(self.draws),
            "quantile": self.quantile,
            "expected_alone": interval(self.alone),
            "quantile_alone": self.quantile_alone,
            "scatter": self.scatter,
            "compared": self.compared,
        }


def costs_on_trend(
    measure: OnTrend,
    run: Trajectories,
    tables: Mapping[tuple[str, str], EvidenceTable],
    generator: Callable[..., np.random.Generator],
) -> list[ExpectedCost]:
    """Expected costs of the subject and of the models beside it, each with the scatter of models.

    Models of one capability and date are not equally efficient, and the run
    knows the frontier only. How far they lie apart is estimated from the rows
    of `scatter_where` that have a score, without the model in question; so a
    model has one interval wherever it stands.

    Parameters
    ----------
    measure : OnTrend
    run : Trajectories
    tables : mapping of (driver, table) to EvidenceTable
    generator : callable
        Gives a random stream of a name.

    Raises
    ------
    NotAvailable
        Where the run or the table lacks something.
    """
    table = table_of(measure.table, tables)

    def expected(found: TableRow) -> ExpectedCost:
        stream = generator("on_trend", found.row.name, str(found.row.extra.get("method")))
        return expected_cost(measure, found, run, stream)

    compared: list[ExpectedCost] = []
    if measure.scatter_where is not None:
        rows = rows_of(table, measure.scatter_where)
        compared = [expected(one) for one in rows if one.has_index and one.row.bloc in run.blocs]
    costs = []
    for model in (measure.subject, *measure.beside):
        cost = expected(_row(table, model))
        others = [one for one in compared if one.name != cost.name]
        scatter = unexplained_scatter(others)
        cost = replace(cost, scatter=scatter, compared=len(others))
        costs.append(widened(cost, generator("efficiency", cost.name)) if scatter else cost)
    return costs


def _row(table: EvidenceTable, model: Model) -> TableRow:
    return one_row(table, {} if model.method is None else {"method": model.method}, model.name)


def expected_cost(
    measure: OnTrend, found: TableRow, run: Trajectories, generator: np.random.Generator
) -> ExpectedCost:
    """Posterior predictive cost of a model of its capability, at its date.

    In each draw the score, less an error and the scatter of models about the
    relation, gives the effective compute by the run's own relation of both
    along the bloc's trajectory; less the algorithms of the date, which are the
    frontier's whatever the bloc, that is physical compute; times the cost of a
    FLOP at the date, with the scatter of costs about that.

    Raises
    ------
    NotAvailable
        Where the run or the table lacks something.
    """
    row, score = found.row, found.index
    when = decimal_year(row.date)
    scatter = run.parameter(measure.index_scatter, row.bloc)[:, None]
    noise = generator.standard_normal((2, scatter.size, REPEATS))
    sought = score + np.hypot(scatter, measure.index_error) * noise[0]
    effective = invert(
        run.values("capability_index", row.bloc), run.values("effective_compute", row.bloc), sought
    )
    cost, compute = (
        run.interpolated(run.values(name, row.bloc), when)
        for name in ("cost_of_largest_run", "training_compute")
    )
    other = cost - compute - run.at("algorithmic_efficiency", row.bloc, row.date)
    error = float(found.table.with_rows([row]).errors()[0])
    spread = np.hypot(run.parameter(measure.cost_scatter, row.bloc), error)[:, None]
    draws = (10.0 ** (effective + other[:, None] + spread * noise[1])).ravel()
    return ExpectedCost(row.name, row.bloc, row.date, score, row.value, draws, draws)


def unexplained_scatter(costs: Sequence[ExpectedCost]) -> float | None:
    """Spread of published costs about the expected ones beyond what their intervals allow.

    By moments: the mean square of log10 published less log10 expected, less
    the mean variance of the predictive draws.

    Returns
    -------
    float or None
        Dex, zero where the intervals are wide enough; None of fewer than
        :data:`LEAST_COMPARED` models.
    """
    if len(costs) < LEAST_COMPARED:
        return None
    expected = [np.log10(cost.alone) for cost in costs]
    missed = [np.log10(cost.published) - np.median(one) for cost, one in zip(costs, expected, strict=True)]
    return float(np.sqrt(max(0.0, np.mean(np.square(missed)) - np.mean([one.var() for one in expected]))))


def widened(cost: ExpectedCost, generator: np.random.Generator) -> ExpectedCost:
    """Add the scatter: Student-t, with as many degrees of freedom as models that it was estimated from."""
    noise = generator.standard_t(cost.compared, cost.alone.size)
    return replace(cost, draws=cost.alone * 10.0 ** ((cost.scatter or 0.0) * noise))


def place_in_words(cost: ExpectedCost) -> str:
    """Say where the published cost lies in what was expected, with and without the scatter of models."""
    said = f"The published cost is at the {ordinal(100 * cost.quantile)} percentile of what was expected"
    others = f"{cost.compared} other model{'' if cost.compared == 1 else 's'}"
    if cost.scatter is None:
        return (
            f"{said}. No scatter between models of one capability is added: that takes {LEAST_COMPARED} "
            f"other models to compare, and there are {cost.compared}."
        )
    if not cost.scatter:
        return f"{said}. The costs of {others} scatter no more than their intervals allow, so none is added."
    return (
        f"{said}, and at the {ordinal(100 * cost.quantile_alone)} without the scatter between models, "
        f"{cost.scatter:.2g} dex by {others}."
    )


def ordinal(value: float) -> str:
    """Write a rank: 1st, 22nd, 95th; <1st of what rounds to nothing."""
    number = round(value)
    if number < 1:
        return "<1st"
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def invert(x: FloatArray, y: FloatArray, sought: FloatArray) -> FloatArray:
    """Read `y` where `x` has a value, along rising trajectories.

    Parameters
    ----------
    x, y : ndarray, (draw, time)
        Both rise with time; what falls counts as level.
    sought : ndarray, (draw,) or (draw, repeat)
        Values of `x`; beyond the trajectory its ends are continued straight.

    Returns
    -------
    ndarray
        Dims as `sought`.
    """
    x, y = np.maximum.accumulate(x, axis=-1), np.maximum.accumulate(y, axis=-1)
    rises = np.diff(x, axis=-1, prepend=-np.inf) > 0
    result = np.empty(sought.shape)
    for draw, values in enumerate(sought):
        at, reached = x[draw][rises[draw]], y[draw][rises[draw]]
        if at.size < 2:
            raise NotAvailable("the capability index does not move in some draws")
        place = np.clip(np.searchsorted(at, values) - 1, 0, at.size - 2)
        slope = (reached[place + 1] - reached[place]) / (at[place + 1] - at[place])
        result[draw] = reached[place] + slope * (values - at[place])
    return result
