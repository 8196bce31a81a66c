"""Evidence: what the answer would be without one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.errors import ForecastError
from forecast.sensitivity.outcomes import Answers, batch_errors, difference, weighted_medians
from forecast.sensitivity.power import finite, variables
from forecast.sensitivity.weights import good_k, smoothed_weights

if TYPE_CHECKING:
    import xarray as xr

_CLEAR = 2.0


def row_influences(tree: xr.DataTree, answers: Answers) -> list[dict[str, Any]]:
    """Leave each row out in turn, by importance sampling.

    Parameters
    ----------
    tree : xarray.DataTree
        With the group ``log_likelihood``.
    answers : Answers

    Returns
    -------
    list of dict
        ``table``, ``row``; ``influence``, the change of the mean crossing date in years, "never" counted as
        the horizon, were the row left out, with its Monte Carlo error ``mcse``; ``p_in_shift``,
        ``median_shift_years`` (None where a median is not reached), ``k``, ``reliable``, and ``clear``:
        reliable, and more than two Monte Carlo errors off zero. Clear ones come first, and the largest first
        in either part, whichever their sign.
    """
    names: list[tuple[str, str]] = []
    blocks = []
    for table, values in variables(tree, "log_likelihood", answers):
        variable = tree["log_likelihood"].data_vars[table]
        own = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        labels = [
            variable[dim].to_numpy() if dim in variable.coords else np.arange(variable.sizes[dim])
            for dim in own
        ]
        for index in np.ndindex(*(variable.sizes[dim] for dim in own)):
            row = ", ".join(str(label[at]) for label, at in zip(labels, index, strict=True))
            names.append((table, row or table))
        blocks.append(values)
    if not names:
        return []
    logs = np.concatenate(blocks, axis=1)
    if not np.isfinite(logs).all():
        table, row = names[int(np.argmin(np.isfinite(logs).all(axis=0)))]
        raise ForecastError(f"The log likelihood of {row} in {table} is not finite: results.nc is damaged.")
    weights, k = smoothed_weights(-logs)
    size = answers.size
    years = np.minimum(answers.first_dates, answers.horizon)
    inside = answers.inside.astype(float)
    means = years @ weights
    parts = weights * (years[:, None] - means) - (years - years.mean())[:, None] / size
    errors = batch_errors(parts, answers.batches())
    p_in = inside @ weights
    even = np.full((size, 1), 1 / size)
    medians = difference(
        weighted_medians(answers.first_dates, weights), weighted_medians(answers.first_dates, even)
    )
    influence = means - years.mean()
    reliable = k <= good_k(size)
    clear = reliable & (np.abs(influence) > _CLEAR * errors)
    found = [
        {
            "table": table,
            "row": row,
            "influence": float(influence[at]),
            "mcse": float(errors[at]),
            "p_in_shift": float(p_in[at] - inside.mean()),
            "median_shift_years": medians[at],
            "k": finite(k[at]),
            "reliable": bool(reliable[at]),
            "clear": bool(clear[at]),
        }
        for at, (table, row) in enumerate(names)
    ]
    return sorted(found, key=lambda one: (not one["clear"], -abs(one["influence"])))
