"""How wide and how right the leave-one-out predictions of a saved run are, against straight lines.

Leaving a row out is done by importance sampling (PSIS): the row's predictive draws are weighted by the
inverse of its likelihood. The yardstick is the prediction interval of least squares through the other rows of
the bloc.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from forecast.engine import make_plan
from forecast.model import Likelihood, build_graph
from forecast.results import StoredRun, read_run
from forecast.spec import history_end

Floats = NDArray[np.float64]

COMPARED = ("training_runs", "time_horizons.horizons", "capability_index")
"""Tables of one figure against time, for which a straight line is a rival."""

SHARE, WIDTH_RATIO = (0.80, 0.97), 1.1
MASS = 0.90
_LABEL = re.compile(r"^(?P<name>.*) \((?P<bloc>\w+), (?P<date>[\d-]+)\)$", re.DOTALL)


@dataclass(frozen=True)
class Predicted:
    """Leave-one-out predictions of one table in one bloc.

    Attributes
    ----------
    table, bloc : str
    rows, censored, bad_k : int
        Rows, those of them that say only "at least that", and those whose
        Pareto k is above 0.7.
    inside : float
        Share of rows inside their 90% interval; a censored row is inside if
        the interval reaches its bound.
    width : float
        Mean width over rows that are not censored, in the table's scale.
    line_width : float or None
        The same of the least-squares line, where there is one.
    raw_line_width : float or None
        Of a line that knows nothing of ranks or suites.
    """

    table: str
    bloc: str
    rows: int
    censored: int
    bad_k: int
    inside: float
    width: float
    line_width: float | None = None
    raw_line_width: float | None = None

    @property
    def ratio(self) -> float | None:
        """Our mean width over the line's."""
        return None if self.line_width is None else self.width / self.line_width

    @property
    def raw_ratio(self) -> float | None:
        """Our mean width over that of the line through unadjusted values."""
        return None if self.raw_line_width is None else self.width / self.raw_line_width


def weighted_interval(draws: Floats, log_weights: Floats, mass: float = MASS) -> tuple[Floats, Floats]:
    """Central intervals of weighted draws.

    Parameters
    ----------
    draws, log_weights : ndarray, (draw, row)
    mass : float

    Returns
    -------
    low, high : ndarray, (row,)
    """
    order = np.argsort(draws, axis=0)
    ordered = np.take_along_axis(draws, order, axis=0)
    weights = np.exp(log_weights - log_weights.max(axis=0))
    weights = np.take_along_axis(weights / weights.sum(axis=0), order, axis=0)
    middle = np.cumsum(weights, axis=0) - weights / 2
    tails = (0.5 - mass / 2, 0.5 + mass / 2)
    low, high = (
        np.array([np.interp(p, middle[:, row], ordered[:, row]) for row in range(draws.shape[1])])
        for p in tails
    )
    return low, high


def line_widths(dates: Floats, values: Floats, mass: float = MASS) -> Floats:
    """Widths of leave-one-out prediction intervals of a least-squares line, (row,).

    Each row is predicted from the line through the others:
    2 t s sqrt(1 + 1/n + (x - mean)^2 / Sxx), with n - 2 degrees of freedom.
    """
    widths = np.empty(len(dates))
    for row in range(len(dates)):
        x, y = np.delete(dates, row), np.delete(values, row)
        slope, intercept = np.polyfit(x - dates[row], y, 1)
        n = len(x)
        s = np.sqrt(np.sum((y - intercept - slope * (x - dates[row])) ** 2) / (n - 2))
        spread = 1 + 1 / n + (dates[row] - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
        widths[row] = 2 * stats.t.ppf(0.5 + mass / 2, n - 2) * s * np.sqrt(spread)
    return widths


def read_label(label: str) -> tuple[str, str, str]:
    """Name, bloc and date of a row as ``results.nc`` calls it."""
    found = _LABEL.match(label)
    if found is None:
        raise ValueError(f"the row label {label!r} is not 'name (bloc, date)'")
    return found["name"], found["bloc"], found["date"]


def predict(stored: StoredRun) -> list[Predicted]:
    """Leave-one-out predictions of every table of a run, by bloc.

    Parameters
    ----------
    stored : StoredRun
        Of the present model: ranks and censoring bounds are prepared again.

    Returns
    -------
    list of Predicted
    """
    plan = make_plan(stored.worldview)
    graph = build_graph(plan.spec, history_end(plan.spec))
    tree = stored.tree.load()
    result: list[Predicted] = []
    for likelihood in graph.likelihoods:
        if len(likelihood.observed):
            result += _table(tree, likelihood)
    return result


def _table(tree: Any, likelihood: Likelihood) -> list[Predicted]:
    label = likelihood.label
    observed = tree["observed_data"][label].to_numpy()
    if observed.shape != likelihood.observed.shape or not np.allclose(observed, likelihood.observed):
        raise ValueError(f"{label}: the run was made with other rows than there are now")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of high Pareto k, which are counted below
        loo = az.loo(tree, var_name=label, pointwise=True)
    row = f"{label}_row"
    draws = (
        tree["posterior_predictive"][label]
        .stack(sample=("chain", "draw"))
        .transpose("sample", row)
        .to_numpy()
    )
    weights = loo.log_weights.stack(sample=("chain", "draw")).transpose("sample", row).to_numpy()
    low, high = weighted_interval(draws.astype(float), weights)
    columns = likelihood.observations.columns
    bound = columns[likelihood.bound] if likelihood.bound else np.full(len(observed), np.inf)
    censored = observed >= bound
    inside = np.where(censored, high >= bound, (low <= observed) & (observed <= high))
    labels = [read_label(str(text)) for text in tree["observed_data"][row].to_numpy()]
    blocs = np.array([bloc for _, bloc, _ in labels])
    found = []
    for bloc in dict.fromkeys(blocs.tolist()):
        mine = blocs == bloc
        kept = mine & ~censored
        lines = _lines(tree, likelihood, kept) if label in COMPARED and kept.sum() > 3 else (None, None)
        found.append(
            Predicted(
                table=label,
                bloc=bloc,
                rows=int(mine.sum()),
                censored=int((mine & censored).sum()),
                bad_k=int((loo.pareto_k.to_numpy()[mine] > 0.7).sum()),
                inside=float(inside[mine].mean()),
                width=float((high - low)[kept].mean()),
                line_width=lines[0],
                raw_line_width=lines[1],
            )
        )
    return found


def _lines(tree: Any, likelihood: Likelihood, rows: NDArray[np.bool_]) -> tuple[float, float]:
    """Mean widths of the line through adjusted and through raw values.

    Adjusted means by posterior means: a run of rank 2 or 3 is lifted to what rank 1 would be, a horizon of
    the old suite is freed of the suites' offset. So the line has the model's covariates, and is the harder
    rival.
    """
    columns, posterior = likelihood.observations.columns, tree["posterior"]
    dates, values = columns["date"], np.array(likelihood.observed)
    adjusted = values.copy()
    if "steps" in columns:
        adjusted += float(posterior["compute-growth.rank_step"].mean()) * columns["steps"]
    if "old_suite" in columns:
        adjusted -= float(posterior["capability.suite_1_0_offset"].mean()) * columns["old_suite"]
    return tuple(float(line_widths(dates[rows], one[rows]).mean()) for one in (adjusted, values))  # type: ignore[return-value]


def report(path: Path) -> dict[str, Any]:
    """Predictions of a saved run as JSON-able numbers, and whether each compared table is good enough."""
    predicted = predict(read_run(path))
    rows = [asdict(one) | {"ratio": one.ratio, "raw_ratio": one.raw_ratio} for one in predicted]
    compared = [one for one in predicted if one.table in COMPARED]
    ok = all(SHARE[0] <= one.inside <= SHARE[1] and (one.ratio or 0) <= WIDTH_RATIO for one in compared)
    return {"run": path.name, "tables": rows, "targets": {"inside": SHARE, "ratio": WIDTH_RATIO}, "ok": ok}


__all__ = ["Predicted", "line_widths", "predict", "read_label", "report", "weighted_interval"]
