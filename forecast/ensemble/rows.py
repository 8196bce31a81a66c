"""Rows of evidence that runs have in common, and what each predicts of them with the row left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import ForecastError, InputError
from forecast.results import StoredRun
from forecast.results.summary import accepted_draws

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Row = tuple[str, str]
"""Table (or measurement model) and row."""

FEWEST_DRAWS = 100
_CLOSE = 1e-6
_NAMED = 5


@dataclass(frozen=True)
class Common:
    """Rows that all members were fitted to.

    Attributes
    ----------
    rows : list of (table, row)
    densities : ndarray, (row, member)
        Log predictive density, the row left out (PSIS-LOO), over accepted draws.
    k : ndarray, (row, member)
        Pareto k of the weights that leave the row out.
    of : list of int
        Rows of each member, common or not.
    """

    rows: list[Row]
    densities: Floats
    k: Floats
    of: list[int]


def common_rows(runs: Sequence[StoredRun]) -> Common:
    """Find the rows that all runs were fitted to, and leave each out in turn.

    Raises
    ------
    InputError
        A run is of the priors alone; the runs have no row in common; some
        were fitted to different values of the same row.
    ForecastError
        A run is damaged.
    """
    from forecast.sensitivity.weights import smoothed_weights

    trees = [_tree(run) for run in runs]
    observed = [_observed(tree, run) for tree, run in zip(trees, runs, strict=True)]
    rows = [row for row in observed[0] if all(row in other for other in observed[1:])]
    if not rows:
        raise InputError(
            "These runs have no row of evidence in common, so that stacking has nothing to judge them by: "
            "use --weights equal."
        )
    _same_values(runs, observed, rows)
    densities, k = np.empty((len(rows), len(runs))), np.empty((len(rows), len(runs)))
    for member, (tree, run) in enumerate(zip(trees, runs, strict=True)):
        logs = _logs(tree, run, rows)
        weights, k[:, member] = smoothed_weights(-logs)
        top = logs.max(axis=0)
        densities[:, member] = top + np.log(np.sum(weights * np.exp(logs - top), axis=0))
    return Common(rows, densities, k, [len(found) for found in observed])


def _tree(run: StoredRun) -> xr.DataTree:
    if run.summary["prior_only"]:
        raise InputError(
            f"{run.id} is of the priors alone: it was fitted to no evidence by which stacking could judge "
            "it. Leave it out, or use --weights equal."
        )
    tree = run.groups("log_likelihood", "observed_data", "crossings")
    for name in ("log_likelihood", "observed_data"):
        if name not in tree.children:
            raise ForecastError(
                f"{run.path} has no group {name!r}: its results.nc is damaged; make it again."
            )
    return tree


def _labels(group: xr.Dataset, table: str) -> list[str]:
    """Names of a table's rows; those that come twice are numbered."""
    dim = next(one for one in group[table].dims if one not in ("chain", "draw"))
    names = [str(one) for one in group[table][dim].to_numpy()]
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def _observed(tree: xr.DataTree, run: StoredRun) -> dict[Row, float]:
    group = tree["observed_data"].to_dataset()
    likelihood = tree["log_likelihood"].to_dataset()
    found: dict[Row, float] = {}
    for table in (str(name) for name in group.data_vars if name in likelihood):
        values = np.atleast_1d(group[table].to_numpy())
        if values.ndim != 1:
            raise ForecastError(f"{run.path}: {table} is not a list of rows: its results.nc is damaged.")
        found |= {
            (table, row): float(value) for row, value in zip(_labels(group, table), values, strict=True)
        }
    return found


def _same_values(runs: Sequence[StoredRun], observed: Sequence[dict[Row, float]], rows: list[Row]) -> None:
    for run, other in zip(runs[1:], observed[1:], strict=True):
        differing = [
            row
            for row in rows
            if not np.isclose(observed[0][row], other[row], rtol=_CLOSE, atol=_CLOSE, equal_nan=True)
        ]
        if differing:
            named = "; ".join(
                f"{table}: {row} ({observed[0][table, row]:.6g} and {other[table, row]:.6g})"
                for table, row in differing[:_NAMED]
            )
            more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
            raise InputError(
                f"{runs[0].id} and {run.id} were fitted to different values of the same row, so that their "
                f"densities cannot be compared: {named}{more}. Make both from the same evidence, or use "
                "--weights equal."
            )


def _logs(tree: xr.DataTree, run: StoredRun, rows: list[Row]) -> Floats:
    """Log likelihood of the common rows at accepted draws, (draw, row)."""
    accepted = accepted_draws(tree["crossings"].to_dataset())
    if accepted.sum() < FEWEST_DRAWS:
        raise ForecastError(
            f"{run.id} has {int(accepted.sum())} accepted draws: too few to leave rows out (at least "
            f"{FEWEST_DRAWS})."
        )
    group = tree["log_likelihood"].to_dataset()
    columns: dict[Row, Any] = {}
    for table in {table for table, _ in rows}:
        values = group[table].transpose("chain", "draw", ...).to_numpy().astype(float)[accepted]
        values = values.reshape(len(values), -1)
        columns |= {(table, row): values[:, at] for at, row in enumerate(_labels(group, table))}
    try:
        logs = np.stack([columns[row] for row in rows], axis=1)
    except KeyError as error:
        raise ForecastError(
            f"{run.path}: log_likelihood and observed_data do not have the same rows: its "
            "results.nc is damaged."
        ) from error
    if not np.isfinite(logs).all():
        table, row = rows[int(np.argmin(np.isfinite(logs).all(axis=0)))]
        raise ForecastError(f"{run.id}: the log likelihood of {row} in {table} is not finite.")
    return logs
