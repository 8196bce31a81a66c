"""Writing a tree as NetCDF-4 at the speed of HDF5.

xarray hands variables to h5netcdf one by one, and that looks up every dimension
of the file anew with each: four seconds of CPU for the hundreds of small
variables of a run, where HDF5 itself takes a tenth of that. What xarray encodes
(dates, booleans, text) it encodes here too; only the file is laid out by us, as
the NetCDF-4 library lays it out and reads it: dimensions are HDF5's dimension
scales, with numbers of their own throughout the file.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any

import h5py
import numpy as np
import xarray as xr

Encoding = Callable[[str, np.ndarray[Any, Any]], tuple[np.ndarray[Any, Any], bool]]
"""From the name of a group and values to the values as they are stored, and whether they are compressed."""

LEVEL = 1
"""Of gzip: a higher one takes longer and saves little."""

_DIMENSION_ALONE = "This is a netCDF dimension but not a netCDF variable. {:10d}"


def netcdf_bytes(groups: Mapping[str, xr.Dataset], stored: Encoding) -> bytes:
    """Return the contents of a NetCDF-4 file.

    Parameters
    ----------
    groups : mapping of str to Dataset
        By path, ``/`` being the root; a parent before its children. Attributes are plain types.
    stored : callable
        How values of a variable are stored; text and dates are settled already.

    Returns
    -------
    bytes
        Made in memory: HDF5 that writes to a full disk itself ends the process with a segmentation fault.
    """
    content, numbers, squeezed = io.BytesIO(), count(), _Squeezed()
    with h5py.File(content, "w", track_order=True) as file, squeezed:
        for path, data in groups.items():
            group = file if path == "/" else file.create_group(path, track_order=True)
            encoded, attributes = xr.conventions.encode_dataset_coordinates(data)
            variables = {
                str(name): xr.conventions.encode_cf_variable(one, name=name) for name, one in encoded.items()
            }
            _write_group(group, data.sizes, variables, attributes, path, stored, numbers, squeezed)
    return content.getvalue()


def _write_group(
    group: h5py.Group,
    sizes: Mapping[Any, int],
    variables: Mapping[str, xr.Variable],
    attributes: Mapping[Any, Any],
    path: str,
    stored: Encoding,
    numbers: count[int],
    squeezed: _Squeezed,
) -> None:
    made = {name: _write(group, name, one, path, stored, squeezed) for name, one in variables.items()}
    number: dict[str, np.int32] = {}
    for dim, size in sizes.items():
        name = str(dim)
        if name in made:
            scale, label = made[name], name
        else:
            scale, label = (
                group.create_dataset(name, shape=(size,), dtype=">f4"),
                _DIMENSION_ALONE.format(size),
            )
        scale.make_scale(label)
        number[name] = scale.attrs["_Netcdf4Dimid"] = np.int32(next(numbers))
    for name, one in variables.items():
        if one.dims:
            made[name].attrs["_Netcdf4Coordinates"] = np.array([number[str(dim)] for dim in one.dims])
        if name not in number:
            for axis, dim in enumerate(one.dims):
                made[name].dims[axis].attach_scale(group[str(dim)])
        made[name].attrs.update(one.attrs)
    group.attrs.update(attributes)


class _Squeezed:
    """Compresses variables of one chunk on all cores, where HDF5 uses one, and writes them at its end."""

    def __enter__(self) -> None:
        self._pool = ThreadPoolExecutor()
        self._chunks: list[tuple[h5py.Dataset, Future[bytes]]] = []

    def add(self, group: h5py.Group, name: str, values: np.ndarray[Any, Any]) -> h5py.Dataset:
        """Make a variable with HDF5's filters shuffle and gzip, and begin to compress its values so."""
        shape = values.shape
        variable = group.create_dataset(
            name, shape, values.dtype, chunks=shape, shuffle=True, compression="gzip", compression_opts=LEVEL
        )

        def chunk() -> bytes:
            whole = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
            by_place = np.ascontiguousarray(whole.reshape(-1, values.itemsize).T)
            return zlib.compress(by_place, LEVEL)

        self._chunks.append((variable, self._pool.submit(chunk)))
        return variable

    def __exit__(self, failure: object, *_: object) -> None:
        with self._pool:
            for variable, chunk in [] if failure else self._chunks:
                variable.id.write_direct_chunk((0,) * variable.ndim, chunk.result())


def _write(
    group: h5py.Group, name: str, one: xr.Variable, path: str, stored: Encoding, squeezed: _Squeezed
) -> h5py.Dataset:
    values = np.asarray(one.values)
    if values.dtype == object:
        values = _without_gaps(values)
    if values.dtype.kind in "OU":
        return group.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    values, compressed = stored(path, values)
    if not compressed:
        return group.create_dataset(name, data=values)
    return squeezed.add(group, name, values)


def _without_gaps(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Text with blanks where there is none, such as a sampler's messages; NaN where there is none at all."""
    there = [text is not None and text == text for text in values.ravel()]  # NaN is not equal to itself
    if not any(there):
        return np.full(values.shape, np.nan)
    texts = [str(text) if known else "" for known, text in zip(there, values.ravel(), strict=True)]
    return np.array(texts, dtype=object).reshape(values.shape)
