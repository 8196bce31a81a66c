"""Keeping xarray from importing Dask where nothing is of Dask."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any


@cache
def import_dask_late() -> None:
    """Let xarray import Dask when an array of Dask comes up, rather than with the first array of any kind.

    Of each array that it makes or reads xarray asks whether it is one of
    Dask, and imports ``dask.array`` and ``dask.base`` to know: most of a
    second, where Dask is installed. Both answers are known without: an array
    can be of the class ``dask.array.Array`` only where that module has been
    imported already, and Dask takes for its own only what has
    ``__dask_graph__``. All else about Dask is as before: arrays in chunks,
    ``open_dataset(..., chunks={})``, its version.

    It rests on private parts of xarray. Where they are no longer as we know them, they are left alone.
    """
    try:
        from xarray.namedarray import utils
        from xarray.namedarray.pycompat import DuckArrayModule, _cached_duck_array_modules

        asks_dask = utils.is_dask_collection
    except (ImportError, AttributeError):
        return

    class Dask:
        """What xarray keeps of a module of arrays: ``module``, ``version``, ``type`` and ``available``."""

        @property
        def type(self) -> tuple[Any, ...]:
            array = sys.modules.get("dask.array")
            return () if array is None else (array.Array,)

        def __getattr__(self, name: str) -> Any:
            return getattr(DuckArrayModule("dask"), name)

    def is_dask_collection(x: object) -> bool:
        return hasattr(x, "__dask_graph__") and asks_dask(x)

    if isinstance(_cached_duck_array_modules, dict):
        _cached_duck_array_modules.setdefault("dask", Dask())  # type: ignore[arg-type]
    utils.is_dask_collection = is_dask_collection  # type: ignore[assignment]
