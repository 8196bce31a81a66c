"""What the folder of compiled models holds, for people to look at and to empty."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from forecast.errors import ForecastError, InputError
from forecast.inference.cache import cache_folder
from forecast.wording import did_you_mean

_SHOWN = 8


@dataclass(frozen=True)
class KeptModel:
    """A compiled model on disk.

    Attributes
    ----------
    key : str
        The first characters of its name.
    path : pathlib.Path
    size : int
        Bytes.
    written : datetime.datetime
        UTC.
    numbers : int or None
        Unconstrained numbers a draw has; None where the file is damaged.
    tables : tuple of str
        Evidence that the model is of, where it says so.
    """

    key: str
    path: Path
    size: int
    written: datetime
    numbers: int | None
    tables: tuple[str, ...]


def kept_models() -> list[KeptModel]:
    """List the compiled models, newest first; a damaged file is listed too.

    Raises
    ------
    InputError
        What FORECAST_CACHE names is a file.
    ForecastError
        The folder cannot be read.
    """
    folder = cache_folder()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"FORECAST_CACHE {folder}: is a file; name a folder, which need not be there")
    try:
        paths = sorted(folder.glob("model-*.npz")) if folder.is_dir() else []
        found = [_look(path) for path in paths]
    except OSError as error:
        raise ForecastError(f"{folder}: cannot be read: {error.strerror or error}.") from error
    return sorted(found, key=lambda one: one.written, reverse=True)


def clear(keys: Sequence[str] = ()) -> list[KeptModel]:
    """Delete compiled models; the next run that needs one compiles it again.

    Parameters
    ----------
    keys : sequence of str
        Beginnings of their names; all of them without it, and what a process that died left half-written.

    Returns
    -------
    list of KeptModel
        Those deleted.

    Raises
    ------
    InputError
        A key that none has; nothing is then deleted.
    ForecastError
        A file cannot be deleted.
    """
    there = kept_models()
    wrong = [key for key in keys if not key or not any(_has(one, key) for one in there)]
    if wrong:
        names = [one.key for one in there]
        raise InputError(
            [f"{key!r}: no compiled model begins like this{did_you_mean(key, names)}" for key in wrong]
        )
    chosen = [one for one in there if not keys or any(_has(one, key) for key in keys)]
    unfinished = [] if keys else list(cache_folder().glob(".writing-*.npz"))
    for path in [*(one.path for one in chosen), *unfinished]:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ForecastError(f"{path}: could not be deleted: {error.strerror or error}.") from error
    return chosen


def _has(one: KeptModel, key: str) -> bool:
    return one.path.stem.removeprefix("model-").startswith(key)


def _look(path: Path) -> KeptModel:
    about = path.stat()
    numbers: int | None = None
    tables: tuple[str, ...] = ()
    try:
        with np.load(path, allow_pickle=False) as file:
            meta = json.loads(str(file["text"]))["meta"]
        numbers = int(meta["n"])
        tables = tuple(
            name.removesuffix(".value")
            for name in (slot["name"] for slot in meta["slots"])
            if name.endswith(".value")
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        pass
    return KeptModel(
        key=path.stem.removeprefix("model-")[:_SHOWN],
        path=path,
        size=about.st_size,
        written=datetime.fromtimestamp(about.st_mtime, UTC),
        numbers=numbers,
        tables=tables,
    )
