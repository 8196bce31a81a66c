"""Files of compiled models: one a structure, versions and processor; any of them may be deleted.

A file holds object code, so it is as trusted as the folder that it is in.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from forecast.inference.structure import Structure

PACKAGES = ("numba", "llvmlite", "numpy", "scipy", "pytensor", "pymc", "nutpie")
"""Whose versions decide compiled code."""

SETTINGS = ("NUMBA_OPT", "PYTENSOR_FLAGS")
"""Variables of the environment that do."""

SOURCES = (
    ("forecast.model", "pymc_model.py"),
    ("forecast.inference", "compiling.py"),
    ("forecast.inference", "native.py"),
    ("forecast.inference", "cache.py"),
)
"""Our own code that decides it, beside the graph."""


def cache_folder() -> Path:
    """Return the folder of compiled models: FORECAST_CACHE, or the platform's place for such files."""
    chosen = os.environ.get("FORECAST_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "agi-forecast"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "agi-forecast" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "agi-forecast"


def cache_path(structure: Structure) -> Path:
    """Return the file of a structure's compiled model, which need not exist."""
    import llvmlite.binding as llvm

    parts = [
        structure.key,
        sys.version,
        *(f"{name} {metadata.version(name)}" for name in PACKAGES),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        *(f"{name}={os.environ.get(name, '')}" for name in SETTINGS),
        *(resources.files(package).joinpath(name).read_text("utf-8") for package, name in SOURCES),
    ]
    return cache_folder() / f"model-{sha256(chr(0).join(parts).encode()).hexdigest()[:32]}.npz"


def write_entry(path: Path, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a file whole or not at all, whoever else writes it.

    Parameters
    ----------
    path : pathlib.Path
    meta : mapping
        Of JSON values.
    arrays : mapping of str to ndarray
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            pack(file, meta, arrays)
        os.replace(unfinished, path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def pack(file: IO[bytes], meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write what a file of :func:`write_entry` holds to one that is open."""
    # Positional names: data may be called "file".
    names = list(arrays)
    text = json.dumps({"meta": dict(meta), "names": names, "digest": _digest(arrays)})
    numbered: dict[str, Any] = {f"a{i}": arrays[name] for i, name in enumerate(names)}
    np.savez_compressed(file, text=np.array(text), **numbered)


def read_entry(path: Path | IO[bytes]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what :func:`write_entry` wrote.

    Raises
    ------
    ValueError, OSError, KeyError, zipfile.BadZipFile
        The file is damaged.
    """
    with np.load(path, allow_pickle=False) as file:
        head = json.loads(str(file["text"]))
        arrays = {name: file[f"a{i}"] for i, name in enumerate(head["names"])}
    if _digest(arrays) != head["digest"]:
        raise ValueError("its contents do not match their digest")
    return head["meta"], arrays


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    hashed = sha256()
    for name, values in arrays.items():
        hashed.update(f"{name} {values.dtype.str} {values.shape}".encode())
        hashed.update(values.tobytes())
    return hashed.hexdigest()
