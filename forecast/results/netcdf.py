"""``results.nc``: a run's tree as one NetCDF-4 file, readable by any NetCDF tool."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.errors import ForecastError
from forecast.results.h5_groups import read_fast

if TYPE_CHECKING:
    import xarray as xr

DOUBLE_GROUPS = frozenset({"posterior", "crossings", "at_crossing", "inside", "observed_data"})
"""Groups that keep float64; the others are bulk and become float32."""

COMPRESSED_GROUPS = frozenset({"projection"})
"""Groups that are worth the seconds of compressing them: of draws, which are noise, a seventh would go."""

BROKEN = (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError, IndexError)
"""What readers raise, as it happens, where a file is damaged or its groups and axes are not ours."""

# Above this a float32 would silently become infinite.
_FLOAT32_MAX = 1e38


def write_tree(tree: xr.DataTree, path: Path) -> None:
    """Write a tree to a NetCDF-4 file, its trajectories compressed.

    Parameters
    ----------
    tree : xarray.DataTree
    path : pathlib.Path
        The file; it is replaced if it exists.

    Notes
    -----
    Attributes become plain types: mappings and mixed lists are written as JSON
    text, dates as ISO text, booleans as 0 or 1, None is left out.
    """
    from forecast.results.h5_writing import netcdf_bytes

    groups = {node.path: _plain(node.to_dataset(inherit=False)) for node in tree.subtree}
    path.write_bytes(netcdf_bytes(groups, _stored))


def open_tree(path: Path) -> xr.DataTree:
    """Open a tree lazily: values are read when they are used.

    Raises
    ------
    ForecastError
        Where the file is not a whole NetCDF file.
    """
    import xarray as xr

    try:
        found = {name: read_fast(path, name, lazy=True) for name in ("/", *_group_names(path))}
        if any(one is None for one in found.values()):  # of another's making
            return xr.open_datatree(path, engine="h5netcdf")
        return xr.DataTree.from_dict({name: one for name, one in found.items() if one is not None})
    except BROKEN as error:
        raise _broken(path, error) from error


def read_group(path: Path, group: str) -> xr.Dataset:
    """Read one group of a file into memory.

    Raises
    ------
    ForecastError
        Where the file is not whole or lacks the group.
    """
    import xarray as xr

    try:
        found = read_fast(path, group)
        if found is not None:
            return found
        with xr.open_dataset(path, engine="h5netcdf", group=group) as data:
            return data.load()
    except BROKEN as error:
        raise _broken(path, error, group) from error


def read_groups(path: Path, names: Sequence[str]) -> xr.DataTree:
    """Read into memory those of these groups that a file has.

    Raises
    ------
    ForecastError
        Where the file is not whole.
    """
    import xarray as xr

    try:
        there = [name for name in names if name in _group_names(path)]
    except BROKEN as error:
        raise _broken(path, error) from error
    return xr.DataTree.from_dict({name: read_group(path, name) for name in there})


def _group_names(path: Path) -> list[str]:
    import h5py

    with h5py.File(path, "r") as file:
        return [name for name in file if file.get(name, getclass=True) is h5py.Group]


def _broken(path: Path, error: Exception, group: str | None = None) -> ForecastError:
    what = f"its group {group!r} cannot be read" if group else "it cannot be read as NetCDF"
    reason = " ".join(str(error).split())[:200]
    return ForecastError(f"{path}: {what} ({reason}). The file is damaged or cut short; make the run again.")


def _stored(
    group: str, values: np.ndarray[Any, np.dtype[Any]]
) -> tuple[np.ndarray[Any, np.dtype[Any]], bool]:
    """Values as stored, and whether compressed: trajectories are smooth, and half of their bytes go."""
    name = group.strip("/").partition("/")[0]
    if name not in DOUBLE_GROUPS and values.dtype == np.float64 and _fits_float32(values):
        values = values.astype(np.float32)
    return values, name in COMPRESSED_GROUPS and values.ndim > 0 and values.size > 0


def _fits_float32(values: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    finite = values[np.isfinite(values)]
    return finite.size == 0 or float(np.abs(finite).max()) < _FLOAT32_MAX


def _plain(data: xr.Dataset) -> xr.Dataset:
    """Copy without what a file read earlier says about its encoding, attributes plain."""
    plain = data.drop_encoding()
    plain.attrs = _plain_attributes(data.attrs)
    for name in plain.variables:
        plain[name].attrs = _plain_attributes(data[name].attrs)
    return plain


def _plain_attributes(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): _plain_value(value) for key, value in attributes.items() if value is not None}


def _plain_value(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple) and value:
        numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
        if numbers or all(isinstance(item, str) for item in value):
            return list(value)
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str, sort_keys=isinstance(value, Mapping))
    return str(value)
