"""Reading the fits of others: NetCDF files and Zarr stores that ArviZ wrote, or can read."""

from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_HOW = "forecast diagnose reads what ArviZ writes: fit.to_netcdf('fit.nc'), or fit.to_zarr('fit.zarr')"
_ZARR_MARKS = ("zarr.json", ".zgroup", ".zmetadata")
_SAMPLED = (
    "posterior",
    "sample_stats",
    "log_likelihood",
    "log_prior",
    "posterior_predictive",
    "prior",
    "crossings",
)


def is_fit_file(path: Path) -> bool:
    """Whether a path is a file, or a folder that is a Zarr store."""
    return os.path.isfile(path) or any(os.path.isfile(path / mark) for mark in _ZARR_MARKS)


def read_fit(path: Path, groups: tuple[str, ...]) -> xr.DataTree:
    """Read into memory those of these groups that a file of a fit has.

    Parameters
    ----------
    path : pathlib.Path
        A NetCDF-4 file, or a Zarr store.
    groups : tuple of str

    Returns
    -------
    xarray.DataTree
        Variables of sampled groups that lack the dims chain and draw are left out.

    Raises
    ------
    InputError
        It is neither, it is damaged, or it holds no posterior draws.
    """
    import xarray as xr

    found = _open(path, groups)
    if "posterior" not in found:
        has = f"it has {', '.join(sorted(found))}" if found else "it has none that ArviZ knows"
        raise InputError(
            f"{path}: it has no group posterior ({has}), so there are no draws to judge. {_HOW}."
        )
    posterior = found["posterior"]
    if not {"chain", "draw"} <= set(posterior.dims):
        dims = ", ".join(map(str, posterior.dims)) or "none"
        raise InputError(
            f"{path}: its posterior has no dims chain and draw (it has {dims}). {_HOW}; arviz.from_dict "
            "names the dims."
        )
    for group in set(_SAMPLED) & set(found):
        odd = [name for name, one in found[group].data_vars.items() if not {"chain", "draw"} <= set(one.dims)]
        found[group] = found[group].drop_vars(odd)
    if not any(one.dtype.kind in "fiub" and one.size for one in found["posterior"].data_vars.values()):
        raise InputError(f"{path}: its posterior holds no draws of any number.")
    return xr.DataTree.from_dict(found)


def _open(path: Path, groups: tuple[str, ...]) -> dict[str, xr.Dataset]:
    import xarray as xr

    engine = "zarr" if os.path.isdir(path) or zipfile.is_zipfile(path) else "h5netcdf"
    try:
        with warnings.catch_warnings(action="ignore"), xr.open_datatree(path, engine=engine) as opened:
            there = {group: opened.children[group] for group in groups if group in opened.children}
            return {group: node.to_dataset(inherit=False).load() for group, node in there.items()}
    except ImportError as error:
        raise InputError(f"{path}: reading a Zarr store needs zarr: pip install zarr.") from error
    except MemoryError:
        raise
    except Exception as error:  # whatever HDF5, Zarr and xarray raise on bytes that are not theirs
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(
            f"{path}: it cannot be read as NetCDF-4 or Zarr; it is of another kind, or damaged "
            f"({reason}). {_HOW}."
        ) from error
