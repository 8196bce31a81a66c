"""How far a bloc, or one model of it, is behind another bloc's frontier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.claims.measure_specs import INDEX_ERROR
from forecast.claims.on_trend import REPEATS
from forecast.claims.published import one_row, table_of
from forecast.dates import decimal_year
from forecast.results.crossing_summary import FloatArray
from forecast.results.trajectories import NotAvailable, Trajectories
from forecast.units import convert

if TYPE_CHECKING:
    from forecast.claims.measure_specs import Lag, Model
    from forecast.evidence import EvidenceTable


@dataclass(frozen=True)
class Behind:
    """How far behind.

    Attributes
    ----------
    months : ndarray of float
        Negative where the follower is ahead, -inf where the leader never gets there.
    details : dict
        Plain types, for readers.
    """

    months: FloatArray
    details: dict[str, Any]


def months_behind(
    measure: Lag,
    run: Trajectories,
    tables: Mapping[tuple[str, str], EvidenceTable],
    generator: np.random.Generator,
) -> Behind:
    """Months since the leader had what the follower has on a day.

    Without a `subject` two frontiers are compared. With one it is a model
    among models: its own score, less a draw of its error and of the scatter of
    models about the leader's frontier, is sought on that frontier.

    Raises
    ------
    NotAvailable
        Where the run or the table lacks something.
    """
    path = np.maximum.accumulate(run.values(measure.quantity, measure.leader), axis=-1)
    details: dict[str, Any] = {}
    if measure.subject is None or measure.index_scatter is None:
        sought = run.at(measure.quantity, measure.follower, measure.on)
    else:
        score, error = _score(measure, measure.subject, tables, run.unit(measure.quantity))
        scatter = np.repeat(run.parameter(measure.index_scatter, measure.leader), REPEATS)
        path = np.repeat(path, REPEATS, axis=0)
        sought = score + np.hypot(scatter, error) * generator.standard_normal(scatter.size)
        details = {"subject": measure.subject.name, "index": score, "index_error": error}
    months = (decimal_year(measure.on) - first_reached(path, sought, run.years)) * 12
    return Behind(months, {"never": float(np.mean(~np.isfinite(months))), **details})


def _score(
    measure: Lag, model: Model, tables: Mapping[tuple[str, str], EvidenceTable], unit: str
) -> tuple[float, float]:
    """A model's score and its error: of a column `index`, else the row's own value."""
    table = table_of(measure.table, tables)
    found = one_row(table, {} if model.method is None else {"method": model.method}, model.name)
    if found.row.bloc != measure.follower:
        raise NotAvailable(
            f"{model.name} is of {found.row.bloc}, and what is asked is how far {measure.follower} is behind"
        )
    if "index" in table.spec.columns:
        score, error = found.index, INDEX_ERROR
    else:
        score = convert(found.row.value, found.row.unit, unit)
        error = float(table.with_rows([found.row]).errors()[0])
    return score, error if measure.index_error is None else measure.index_error


def first_reached(path: FloatArray, level: FloatArray, years: FloatArray) -> FloatArray:
    """When rising paths first reach a level.

    Parameters
    ----------
    path : ndarray, (draw, time)
    level : ndarray, (draw,)
    years : ndarray, (time,)

    Returns
    -------
    ndarray, (draw,)
        Decimal years: the first date at the earliest, inf for never.
    """
    met = path >= level[:, None]
    right = np.argmax(met, axis=1)
    left = np.maximum(right - 1, 0)
    row = np.arange(len(path))
    rise = path[row, right] - path[row, left]
    part = np.where(rise > 0, (level - path[row, left]) / np.where(rise > 0, rise, 1.0), 0.0)
    when = years[left] + part * (years[right] - years[left])
    result: FloatArray = np.where(met.any(axis=1), when, np.inf)
    return result
