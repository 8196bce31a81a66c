"""Reading a group of ``results.nc`` at the speed of HDF5.

xarray asks h5netcdf, and h5netcdf HDF5, for the dimensions of every variable
anew, which takes seconds for the hundreds of small variables of a run. Here
each dimension is looked up once. What is read is the same; a file that is not
laid out as we write it is left to xarray.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.results.lazy_dask import import_dask_late

if TYPE_CHECKING:
    import h5py
    import xarray as xr

# What HDF5's dimension scales and NetCDF-4 keep beside a variable's own attributes.
_HIDDEN = frozenset(
    {
        "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates",
        "_NCProperties", "_nc3_strict",
    }
)  # fmt: skip
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"

_COORDINATES = "coordinates"

# Attributes by which numbers are turned into others.
_CODES = frozenset({"scale_factor", "add_offset", "missing_value", "_Unsigned"})


def read_fast(path: Path, group: str, *, lazy: bool = False) -> xr.Dataset | None:
    """Read one group.

    Parameters
    ----------
    path : pathlib.Path
    group : str
    lazy : bool
        Leave values of two dims or more in the file until they are used; into memory otherwise.

    Returns
    -------
    xarray.Dataset or None
        As ``xarray.open_dataset(path, group=group)``, encodings apart; None where the file is laid out in
        another way than ours.

    Raises
    ------
    OSError, KeyError, ValueError, RuntimeError
        The file is damaged, or lacks the group.
    """
    import h5py
    import xarray as xr

    import_dask_late()
    with h5py.File(path, "r") as file:
        found = file[group]
        parts = dict(found.items())
        datasets = {name: one for name, one in parts.items() if isinstance(one, h5py.Dataset)}
        if len(datasets) < len(parts) and group != "/":
            return None
        dims = _dimensions(datasets)
        if dims is None:
            return None
        variables = {}
        for name, one in datasets.items():
            if name in dims[name] and _is_dimension_alone(one):
                continue
            attributes = _attributes(one)
            if attributes is None:
                return None
            variables[name] = _variable(path, dims[name], one, attributes, lazy)
        attributes = _attributes(found) or {}
    named = [name for one in (*variables.values(), found) for name in _coordinates(one.attrs)]
    attributes.pop(_COORDINATES, None)
    for one in variables.values():
        one.attrs.pop(_COORDINATES, None)
    along = [name for name, one in variables.items() if one.dims == (name,)]
    return xr.Dataset(variables, attrs=attributes).set_coords(
        [*along, *(name for name in named if name in variables)]
    )


def _coordinates(attributes: Any) -> list[str]:
    """Names of variables that are coordinates without being dimensions."""
    return str(attributes.get(_COORDINATES, "")).split()


def _dimensions(datasets: dict[str, h5py.Dataset]) -> dict[str, tuple[str, ...]] | None:
    """Names of the dimensions of each dataset, by the numbers that NetCDF-4 gives to them."""
    by_id: dict[int, str] = {}
    for name, one in datasets.items():
        if "CLASS" in one.attrs and "_Netcdf4Dimid" in one.attrs:
            by_id[int(one.attrs["_Netcdf4Dimid"])] = name
    found: dict[str, tuple[str, ...]] = {}
    for name, one in datasets.items():
        if one.ndim == 0:
            found[name] = ()
            continue
        if "_Netcdf4Coordinates" in one.attrs:
            ids = [int(number) for number in one.attrs["_Netcdf4Coordinates"]]
        elif "CLASS" in one.attrs and "_Netcdf4Dimid" in one.attrs:
            ids = [int(one.attrs["_Netcdf4Dimid"])]
        else:
            return None
        if len(ids) != one.ndim or not set(ids) <= set(by_id):
            return None
        found[name] = tuple(by_id[number] for number in ids)
    return found


def _is_dimension_alone(one: h5py.Dataset) -> bool:
    return bool(np.bytes_(one.attrs.get("NAME", b"")).startswith(_NO_VARIABLE))


def _attributes(one: h5py.Dataset | h5py.Group) -> dict[str, Any] | None:
    """Attributes as h5netcdf gives them; None where one of them codes the values."""
    import h5py

    found: dict[str, Any] = {}
    for name in one.attrs:
        if name in _HIDDEN:
            continue
        if name in _CODES:
            return None
        value = one.attrs[name]
        if isinstance(value, h5py.Empty):
            value = ""
        elif isinstance(value, bytes):
            value = value.decode()
        elif isinstance(value, np.ndarray):
            if value.dtype.kind == "O":
                value = [part.decode() if isinstance(part, bytes) else part for part in value.tolist()]
            elif value.size == 1:
                value = value.item() if value.dtype.kind in "SU" else value[0]
        found[name] = value
    return found


def _variable(
    path: Path, dims: tuple[str, ...], one: h5py.Dataset, attributes: dict[str, Any], lazy: bool
) -> xr.Variable:
    """Read the values; dates and booleans are decoded as xarray does it."""
    import h5py
    import xarray as xr

    text = h5py.check_string_dtype(one.dtype) is not None
    filled = attributes.pop("_FillValue", None)
    later = lazy and one.ndim > 1 and not text
    values = _later(path, one) if later else one.asstr()[()] if text else one[()]
    if text and isinstance(values, np.ndarray) and values.size:
        values = values.astype(str)
    variable = xr.Variable(dims, values, attributes)
    coded = "dtype" in attributes or " since " in str(attributes.get("units", ""))
    if filled is not None and not (np.ndim(filled) == 0 and filled != filled):  # NaN stands for itself
        variable.attrs["_FillValue"] = filled
        coded = True
    if coded:
        variable = xr.conventions.decode_cf_variable(one.name, variable)
    return variable.load() if coded and not later else variable


def _later(path: Path, one: h5py.Dataset) -> Any:
    """Values that are read when they are used."""
    from xarray.core.indexing import LazilyIndexedArray

    return LazilyIndexedArray(_stored()(path, one))


_open: dict[Path, h5py.File] = {}


@contextmanager
def kept_open(path: Path) -> Iterator[None]:
    """Open a file once for all that is read late from it meanwhile, where each variable would open it anew.

    Parameters
    ----------
    path : pathlib.Path
        One that cannot be opened is left to the reader, who tells of it.
    """
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError:
        yield
        return
    with file:
        _open[path] = file
        try:
            yield
        finally:
            _open.pop(path, None)


@cache
def _stored() -> type[Any]:
    """Class of an array in a file that is open only while it is read; made late, for xarray is heavy."""
    import h5py
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Stored(BackendArray):
        def __init__(self, path: Path, one: h5py.Dataset) -> None:
            self.path, self.name, self.shape, self.dtype = path, one.name, one.shape, one.dtype

        def __getitem__(self, key: Any) -> Any:
            support = indexing.IndexingSupport.OUTER_1VECTOR
            return indexing.explicit_indexing_adapter(key, self.shape, support, self._read)

        def _read(self, key: Any) -> Any:
            if self.path in _open:
                return _open[self.path][self.name][key]
            with h5py.File(self.path, "r") as file:
                return file[self.name][key]

    return Stored
