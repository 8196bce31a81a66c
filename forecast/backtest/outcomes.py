"""What came after an as-of date, and what a fit at that date predicted of it.

The rows of evidence that were published later go through their own measurement
models, on the fitted draws and the projected trajectories: the same terms as in
the fit, so that a prediction is of the number as it was to be measured, scatter
and all. Later rows enter no fit: they are read after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from forecast.backtest.predictive import Mixture
from forecast.driver import Term
from forecast.errors import PluginError
from forecast.evidence import EvidenceTable, Row
from forecast.host import Host
from forecast.model import Graph, Key, Likelihood, Spec, build_graph
from forecast.model.observations import Observations, PrepareContext, prepared
from forecast.projection import Evaluator
from forecast.projection.evaluator import chunks
from forecast.projection.projection import Shocks
from forecast.worldview import Intervention

Floats = NDArray[np.float64]

FRONTIER = frozenset({"training_compute", "time_horizon", "capability_index"})
"""Quantities that are about a bloc's leading model: only its leading rows are predicted."""

LEADS_FOR = timedelta(days=365)
"""A model leads its bloc if none of this long before it was higher."""


@dataclass(frozen=True)
class Case:
    """A row that came later, and the model's prediction of it.

    Attributes
    ----------
    series : str
        The evidence table; with the measurement model where a table has several.
    bloc : str
    part : str
        Which of a table's several trajectories (a channel); empty where there is one.
    row : Row
    observed : float
        As the measurement model compares it; log10 unless the table is linear.
    bound : float
        Where it is censored; infinite where it is not.
    at : float
        Its date in decimal years.
    prediction : Mixture
    """

    series: str
    bloc: str
    part: str
    row: Row
    observed: float
    bound: float
    at: float
    prediction: Mixture


@dataclass(frozen=True)
class Series:
    """A measurement model that reads a trajectory, and so predicts what comes.

    Attributes
    ----------
    name : str
        As `Case.series`.
    term : Term
    table : EvidenceTable
        All of its rows, of any date.
    frontier : bool
        Whether only leading rows are predicted.
    quantities : tuple of str
        What the term reads.
    """

    name: str
    term: Term
    table: EvidenceTable
    frontier: bool
    quantities: tuple[str, ...]

    @property
    def unit(self) -> str:
        """Of CRPS and predictions."""
        return self.table.spec.unit if self.table.spec.linear else "OOM"


def all_series(host: Host, graph: Graph) -> dict[str, Series]:
    """Return what can be predicted, by name.

    Parameters
    ----------
    host : Host
    graph : Graph
        Of the model, on any grid.
    """
    tables = host.evidence()
    found = [one for one in graph.built if one.term.kind == "observation" and one.quantities]
    targets = [one.term.target for one in found]
    series = {}
    for one in found:
        name = one.term.target
        if targets.count(name) > 1:
            name = f"{name}.{one.term.build.__name__}"
        if name in series:
            name = f"{one.term.driver}.{name}"
        quantities = tuple(sorted(one.quantities))
        table = tables[one.term.driver, one.term.target]
        series[name] = Series(name, one.term, table, set(quantities) <= FRONTIER, quantities)
    return series


def outcomes(table: EvidenceTable) -> EvidenceTable:
    """Return a table's measurements, latest vintages; what was published before its date is a plan."""
    latest = table.known_by(date.max)
    return latest.with_rows(row for row in latest.rows if row.published >= row.date)


def leading(rows: Observations) -> NDArray[np.bool_]:
    """Say which rows none of their bloc surpassed in the year before them; (row,)."""
    found = np.ones(len(rows), dtype=bool)
    for place, row in enumerate(rows.rows):
        found[place] = not any(
            rows.columns["value"][other] > rows.columns["value"][place]
            for other, earlier in enumerate(rows.rows)
            if earlier.bloc == row.bloc and row.date - LEADS_FOR < earlier.date <= row.date
        )
    return found


def known_rows(one: Series, spec: Spec) -> tuple[Observations, NDArray[np.bool_]]:
    """Return what a fit knew of a series, and which of it baselines may use; (row,)."""
    context = PrepareContext(as_of=spec.as_of, blocs=spec.blocs)
    rows = prepared(one.term, spec.evidence[one.term.driver, one.term.target], context)
    return rows, leading(rows) if one.frontier else np.ones(len(rows), dtype=bool)


def predict(
    spec: Spec,
    series: Mapping[str, Series],
    parameters: Mapping[Key, Floats],
    *,
    until: date,
    seed: int,
    size: int,
    interventions: tuple[Intervention, ...] = (),
) -> list[Case]:
    """Predict the rows dated after the as-of date and up to `until`.

    Parameters
    ----------
    spec : Spec
        Of the fit: with the evidence and the as-of date that it had.
    series : mapping of str to Series
    parameters : mapping of (driver, name) to ndarray
        Draws of the fit; first axis draw.
    until : datetime.date
    seed : int
        Of the shocks after the as-of date.
    size : int
        Number of draws.
    interventions : tuple of Intervention
        Of the worldview.
    """
    later = dict(spec.evidence)
    for one in series.values():
        later[one.term.driver, one.term.target] = outcomes(one.table).for_blocs(spec.blocs)
    dates = [row.date for table in later.values() for row in table.rows]
    end = max([spec.as_of, until, *dates]) + timedelta(days=62)
    graph = build_graph(replace(spec, evidence=later), end, projecting=True, interventions=interventions)
    terms = {id(one.observations): one.term for one in graph.built if one.observations is not None}
    chosen: list[tuple[Series, Likelihood, NDArray[np.int64]]] = []
    for likelihood in graph.likelihoods:
        term = terms[id(likelihood.observations)]
        for one in series.values():
            if (one.term.driver, one.term.target, one.term.build.__name__) == (
                term.driver, term.target, term.build.__name__,
            ):  # fmt: skip
                places = _to_predict(one, likelihood.observations, spec, until)
                if len(places):
                    chosen.append((one, likelihood, places))
    values = _evaluated(graph, [one for _, one, _ in chosen], parameters, seed=seed, size=size)
    cases = []
    for number, (one, likelihood, places) in enumerate(chosen):
        rows = likelihood.observations
        _check_finite(one, spec, number, values)
        for place in places:
            laws = {
                name: values[f"{number}|{name}"][:, place]
                for name in ("mean", "sd", "nu")
                if f"{number}|{name}" in values
            }
            bound = rows.columns[likelihood.bound][place] if likelihood.bound else np.inf
            cases.append(
                Case(
                    series=one.name,
                    bloc=rows.rows[place].bloc,
                    part=rows.series[place] if rows.series else "",
                    row=rows.rows[place],
                    observed=float(likelihood.observed[place]),
                    bound=float(bound),
                    at=float(rows.columns["date"][place]),
                    prediction=Mixture.of(**laws),
                )
            )
    return cases


def _check_finite(one: Series, spec: Spec, number: int, values: Mapping[str, Floats]) -> None:
    mean, sd = values[f"{number}|mean"], values[f"{number}|sd"]
    if not (np.all(np.isfinite(mean)) and np.all(sd > 0)):
        raise PluginError(
            f"its measurement model of {one.term.target!r} gives no finite mean and positive spread for rows "
            f"after {spec.as_of}",
            driver=one.term.driver,
            distribution=spec.distributions.get(one.term.driver),
        )


def _to_predict(one: Series, rows: Observations, spec: Spec, until: date) -> NDArray[np.int64]:
    leads = leading(rows) if one.frontier else np.ones(len(rows), dtype=bool)
    return np.flatnonzero(
        [
            leads[place] and spec.as_of < row.date <= until and row.published > spec.as_of
            for place, row in enumerate(rows.rows)
        ]
    )


def _evaluated(
    graph: Graph,
    likelihoods: list[Likelihood],
    parameters: Mapping[Key, Floats],
    *,
    seed: int,
    size: int,
) -> dict[str, Floats]:
    outputs = {
        f"{number}|{name}": tensor
        for number, one in enumerate(likelihoods)
        for name in ("mean", "sd", "nu")
        if (tensor := getattr(one, name)) is not None
    }
    if not outputs:
        return {}
    evaluate, shocks = Evaluator(graph, outputs), Shocks(graph, seed)
    blocks = [
        evaluate(
            {key: draws[part] for key, draws in parameters.items()},
            shocks.next(part.stop - part.start),
            size=part.stop - part.start,
        )
        for part in chunks(size)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in outputs}
