"""Tables of evidence in a tree: what was observed, what is predicted, and the log likelihood of each row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

UPPER = "upper"
"""Attribute of an observed variable: the bound at which each row is censored (infinite where none is)."""

_GROUPS = ("log_likelihood", "observed_data", "posterior_predictive")


@dataclass(frozen=True)
class Table:
    """One variable of the evidence, its dims flattened to ``row``.

    Attributes
    ----------
    name : str
    rows : list of str
    log_likelihood, predicted : xarray.DataArray, (chain, draw, row), or None
    observed : xarray.DataArray, (row,), or None
    censored : ndarray of bool, (row,)
        Rows whose value is a bound that the truth exceeds.
    is_continuous : bool
    why_no_likelihood, why_not_predicted : str
        Empty where they are there.
    """

    name: str
    rows: list[str]
    log_likelihood: xr.DataArray | None
    predicted: xr.DataArray | None
    observed: xr.DataArray | None
    censored: NDArray[np.bool_]
    is_continuous: bool
    why_no_likelihood: str
    why_not_predicted: str

    def tree(self, rows: NDArray[np.intp] | None = None) -> xr.DataTree:
        """Tree of this table alone, named ``table``, as ArviZ's functions take it.

        Its posterior is a placeholder: they read from it the number of chains alone.
        """
        import xarray as xr

        some = self.log_likelihood if self.log_likelihood is not None else self.predicted
        assert some is not None
        groups = {"posterior": xr.Dataset({"placeholder": some.isel(row=0, drop=True)})}
        for group, array in zip(_GROUPS, (self.log_likelihood, self.observed, self.predicted), strict=True):
            if array is not None:
                groups[group] = (array if rows is None else array.isel(row=rows)).to_dataset(name="table")
        return xr.DataTree.from_dict(groups)


def tables_of(tree: xr.DataTree) -> Iterator[Table]:
    """Yield the tables of a tree, in the order of its log likelihood, then of what is observed."""
    names: dict[str, None] = {}
    for group in _GROUPS[:2]:
        if group in tree.children:
            names |= {str(name): None for name in tree[group].data_vars}
    for name in names:
        yield _table(tree, name)


def _table(tree: xr.DataTree, name: str) -> Table:
    import xarray as xr

    found = [_variable(tree, group, name) for group in _GROUPS]
    (likelihood, rows), (observed, _), (predicted, _) = found
    rows = next(names for array, names in found if array is not None)
    why_no_likelihood = _unusable(likelihood, "log_likelihood", rows)
    why_not_predicted = _unusable(predicted, "posterior_predictive", rows) or _unusable(
        observed, "observed_data", rows
    )
    if not why_not_predicted and {one.sizes["row"] for one, _ in found if one is not None} != {len(rows)}:
        why_not_predicted = "its log likelihood, its predictions and what is observed differ in length"
    continuous = all(one is None or one.dtype.kind == "f" for one in (observed, predicted))
    censored = np.zeros(len(rows), dtype=bool)
    if observed is not None and predicted is not None and not why_not_predicted:
        bound = xr.DataArray(_bound(tree["observed_data"].to_dataset()[name], len(rows)), dims="row")
        predicted, observed = predicted.astype(float).clip(max=bound), observed.astype(float)
        censored = np.asarray((observed >= bound).to_numpy())
    return Table(
        name=name,
        rows=rows,
        log_likelihood=None if why_no_likelihood or likelihood is None else likelihood.astype(float),
        predicted=None if why_not_predicted else predicted,
        observed=None if why_not_predicted else observed,
        censored=censored,
        is_continuous=continuous,
        why_no_likelihood=why_no_likelihood,
        why_not_predicted=why_not_predicted,
    )


def _variable(tree: xr.DataTree, group: str, name: str) -> tuple[xr.DataArray | None, list[str]]:
    """A variable with all dims but chain and draw flattened to ``row``, and the names of its rows.

    Names come from coordinates, which the array itself no longer has: they may
    occur twice, and ArviZ would align by them.
    """
    import xarray as xr

    if group not in tree.children or name not in tree[group].data_vars:
        return None, []
    variable = tree[group].to_dataset()[name]
    sample = [] if group == "observed_data" else ["chain", "draw"]
    if not set(sample) <= set(variable.dims) or variable.dtype.kind not in "fiub":
        return None, []
    own = [dim for dim in variable.dims if dim not in sample]
    values = variable.transpose(*sample, *own).to_numpy()
    labels = [
        variable[dim].to_numpy() if dim in variable.coords else range(variable.sizes[dim]) for dim in own
    ]
    rows = [
        ", ".join(str(label[at]) for label, at in zip(labels, index, strict=True)) or name
        for index in np.ndindex(values.shape[len(sample) :])
    ]
    return xr.DataArray(values.reshape(*values.shape[: len(sample)], -1), dims=[*sample, "row"]), rows


def _unusable(variable: xr.DataArray | None, group: str, rows: list[str]) -> str:
    if variable is None:
        return f"the file has no {group} of it"
    if not variable.sizes["row"]:
        return "it has no rows"
    finite = np.isfinite(variable.to_numpy().astype(float)).reshape(-1, variable.sizes["row"]).all(axis=0)
    return "" if finite.all() else f"its {group} is not finite for {rows[int(np.argmin(finite))]}"


def _bound(observed: xr.DataArray, rows: int) -> NDArray[np.float64]:
    """Where each row is censored; predictions are cut off there as the measurement was."""
    upper = np.atleast_1d(np.asarray(observed.attrs.get(UPPER, np.inf), dtype=float))
    return np.asarray(np.broadcast_to(upper if upper.size in (1, rows) else np.inf, rows))
