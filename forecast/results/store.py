"""Run folders: written whole or not at all, and never replaced.

A run is written to a hidden sibling (``.tmp-...``) and renamed when it is
whole, so that a killed run leaves nothing that looks like one. Hidden folders
of processes that are gone are removed by the next write.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.errors import ForecastError, InputError

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

Writer = Callable[[Path], object]
"""Writes one file, or fills a folder, at the path that it is given."""

RUN_FILES = ("manifest.json", "worldview.toml", "results.nc", "summary.json")
"""What every run folder holds; a folder without one of them is not a whole run."""

# Windows has no EDQUOT.
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))

_STALE_SECONDS = 24 * 3600

_LONGEST_NAME = 100  # characters of a worldview's name in a run's id, which is a folder's name


@dataclass(frozen=True)
class Saved:
    """Where a run is.

    Attributes
    ----------
    path : pathlib.Path
    existed : bool
        An identical run was there before; nothing was replaced.
    """

    path: Path
    existed: bool


def run_id(worldview: Worldview, fingerprint: Mapping[str, Any]) -> str:
    """Name of a run: ``<as-of>-<worldview>-<hash>``.

    Parameters
    ----------
    worldview : Worldview
    fingerprint : mapping
        Everything that decides the result, as plain types: the merged
        worldview, evidence as used, drivers with versions, seed, sampler
        settings, our version.

    Returns
    -------
    str
        The hash is the first 8 hexadecimal digits of the SHA-256 of the
        fingerprint as JSON with sorted keys.
    """
    text = json.dumps(fingerprint, sort_keys=True, separators=(",", ":"), default=_plain)
    name = re.sub(r"[^a-z0-9]+", "-", worldview.name.lower())[:_LONGEST_NAME].strip("-") or "worldview"
    return f"{worldview.as_of.isoformat()}-{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def runs_folder(out: str | os.PathLike[str] | None = None) -> Path:
    """Folder that holds runs: the option, else ``FORECAST_RUNS``, else ``runs`` here."""
    return home_resolved(out or os.environ.get("FORECAST_RUNS") or "runs")


def home_resolved(name: str | os.PathLike[str]) -> Path:
    """Path with ``~`` and ``~user`` resolved; as written where there is no such user."""
    return Path(os.path.expanduser(name))


def check_folder(folder: Path) -> None:
    """Refuse a folder in which no run could be saved, before a run costs minutes.

    Raises
    ------
    InputError
        Where it is, or lies below, something that is not a folder; where its name is too long.
    ForecastError
        Where there is no permission to write.
    """
    try:
        os.stat(folder)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{folder}: runs cannot be saved there: {error.strerror or error}.") from error
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        raise InputError(f"{folder}: runs cannot be saved there, because {there} is not a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _failed(folder, PermissionError(errno.EACCES, "Permission denied"))


def to_json(data: Any) -> str:
    """Text of a JSON file of ours: indented, dates ISO, no NaN or infinity."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"


def as_json(data: Any) -> Writer:
    """Return a writer of :func:`to_json`."""
    return as_text(to_json(data))


def as_text(text: str) -> Writer:
    """Return a writer of a text file in UTF-8."""

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return write


def as_netcdf(tree: xr.DataTree) -> Writer:
    """Return a writer of :func:`forecast.results.netcdf.write_tree`."""
    from forecast.results.netcdf import write_tree

    return lambda path: write_tree(tree, path)


def existing_run(folder: Path, run_id: str) -> Path | None:
    """Path of the run of this id if it is there and whole, so that it need not be made again.

    Raises
    ------
    InputError, ForecastError
        Where something is there that is not a whole run: nothing is ever replaced. As
        :func:`check_folder`, so that it is known before the run is made.
    """
    path = folder / run_id
    if not os.path.lexists(path) or (path.is_dir() and not any(path.iterdir())):
        check_folder(folder)
        return None
    missing = missing_files(path)
    if missing:
        raise ForecastError(
            f"{path} is in the way: it is not a whole run ({', '.join(missing)} missing). "
            "Move it away or delete it, then run again."
        )
    return path


def missing_files(path: Path) -> list[str]:
    """Names of the files of a run that a folder lacks."""
    return [name for name in RUN_FILES if not (path / name).is_file()]


def write_run(folder: Path, run_id: str, files: Mapping[str, Writer] | Writer) -> Saved:
    """Write a run folder, whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        Holds runs; made if it is missing.
    run_id : str
    files : mapping of str to writer, or writer
        Either a writer per file name, called with the file's path, or one
        writer that fills the folder.

    Returns
    -------
    Saved
        With ``existed`` where a run of this id was there already, or another
        process finished it first: then nothing is replaced.

    Raises
    ------
    InputError
        Where `folder` is a file.
    ForecastError
        Where it cannot be written (disk full, no permission); nothing is left behind.
    """
    existing = existing_run(folder, run_id)
    if existing:
        return Saved(existing, existed=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failed(folder, error) from error
    _remove_stale(folder)
    temporary = folder / f".tmp-{os.getpid()}-{_host()}-{secrets.token_hex(4)}"
    try:
        temporary.mkdir()
        _fill(temporary, files)
        _flush(temporary)
        return _publish(temporary, folder / run_id)
    except (OSError, ForecastError) as error:
        raise _in_words(folder, error) from error
    finally:
        # Also after Ctrl-C; after a success the folder has moved away.
        shutil.rmtree(temporary, ignore_errors=True)


def write_into_run(path: Path, files: Mapping[str, Writer]) -> None:
    """Add files to a run's folder, or replace earlier ones of theirs: all of them whole, or none.

    Parameters
    ----------
    path : pathlib.Path
        Of a run. Its own files are never among those written.
    files : mapping of str to writer

    Raises
    ------
    ForecastError
        Where they cannot be written; nothing is left behind.
    """
    temporary = path.parent / f".tmp-{os.getpid()}-{_host()}-{secrets.token_hex(4)}"
    try:
        temporary.mkdir()
        _fill(temporary, files)
        _flush(temporary)
        for name in files:
            os.replace(temporary / name, path / name)
    except (OSError, ForecastError) as error:
        raise _in_words(path, error, "what was found") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fill(temporary: Path, files: Mapping[str, Writer] | Writer) -> None:
    if not isinstance(files, Mapping):
        files(temporary)
        return
    for name, write in files.items():
        path = temporary / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)


def _publish(temporary: Path, target: Path) -> Saved:
    try:
        os.rename(temporary, target)
    except OSError:
        # Another process may have finished the same run in the meantime.
        existing = existing_run(target.parent, target.name)
        if existing is None:
            raise
        return Saved(existing, existed=True)
    return Saved(target, existed=False)


def _flush(folder: Path) -> None:
    """Bring the files to the disk before the rename makes them look like a run."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _remove_stale(folder: Path) -> None:
    for path in folder.glob(".tmp-*"):
        try:
            if _is_stale(path):
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            # Another process removed it first.
            continue


def _is_stale(path: Path) -> bool:
    parts = path.name.split("-")
    if len(parts) != 4 or not parts[1].isdigit():
        # Not a name of ours: not ours to delete.
        return False
    if parts[2] == _host() and os.name == "posix":
        return not _alive(int(parts[1]))
    return time.time() - path.stat().st_mtime > _STALE_SECONDS


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _in_words(folder: Path, error: OSError | ForecastError, what: str = "the run") -> ForecastError:
    """Word what writing a file failed of: a picture's own error names a hidden folder, gone by then."""
    cause = error.__cause__ if isinstance(error, ForecastError) else error
    if isinstance(cause, OSError):
        return _failed(folder, cause, what)
    return error if isinstance(error, ForecastError) else _failed(folder, error, what)


def _failed(folder: Path, error: OSError, what: str = "the run") -> ForecastError:
    if error.errno in _FULL:
        reason = (
            "the disk is full (no space left on device). Free some space, or choose another place with --out "
            "or --output"
        )
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason = "there is no permission to write there. Choose another place with --out or --output"
    else:
        reason = f"{error.strerror or error}. Choose another place with --out or --output"
    return ForecastError(f"{folder}: {what} could not be saved, because {reason}; nothing was left behind.")


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
