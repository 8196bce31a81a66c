"""A sweep's folder: a file a cell, each whole or not there, and a lock for one process at a time."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any
from zipfile import BadZipFile

import numpy as np

from forecast.errors import ForecastError, InputError
from forecast.files import replacing
from forecast.results import to_json
from forecast.results.store import home_resolved
from forecast.sweep.planning import Planned
from forecast.sweep.work import Outcome

SCHEMA = "forecast.sweep/1"
_LOCK = "lock"
_ABOUT = "sweep.json"
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def sweep_folder(planned: Planned, out: str | None = None) -> Path:
    """Return a sweep's folder: the option, else ``sweeps/<name>-<hash>``."""
    if out is not None:
        return home_resolved(out)
    return Path("sweeps") / f"{planned.sweep.name}-{planned.decided[:8]}"


class Journal:
    """The folder of one sweep, held by this process until it is left.

    Parameters
    ----------
    folder : Path
    planned : Planned
    resume : bool
        Whether the folder may hold cells already.
    """

    def __init__(self, folder: Path, planned: Planned, *, resume: bool) -> None:
        self.folder, self.planned, self.resume = folder, planned, resume
        self._lock: int | None = None

    def __enter__(self) -> Journal:
        """Take the folder.

        Raises
        ------
        InputError
            It is no sweep's, or of another sweep, or not to be resumed.
        ForecastError
            Another process holds it, or it cannot be written.
        """
        if self.resume and not (self.folder / _ABOUT).is_file():
            raise InputError(f"--resume {self.folder}: there is no sweep to go on with ({_ABOUT} is missing)")
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"--out {self.folder}: is not a folder; name another place")
        with self._writing("the sweep"):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.folder)
            try:
                self._begin()
            except BaseException:
                self._unlock()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others have the folder."""
        self._unlock()

    def _begin(self) -> None:
        about = self.folder / _ABOUT
        if about.exists():
            self._check(_read_about(about))
        elif any(path.name != _LOCK and not path.match(".tmp-*") for path in self.folder.iterdir()):
            raise InputError(
                f"{self.folder} is in the way: it holds files that are of no sweep; name another --out"
            )
        else:
            sweep = {"schema": SCHEMA, "name": self.planned.sweep.name, "cells": len(self.planned.cells)}
            sweep |= {"asked": self.planned.asked, "decided": self.planned.decided}
            self._replace(_ABOUT, to_json(sweep).encode())
        for path in self.folder.glob("**/.tmp-*"):  # of a process that was killed: nobody else is here
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        # Only then, so that a folder whose disk was full before can be begun again.
        (self.folder / "cells").mkdir(exist_ok=True)
        if not (self.folder / "sweep.toml").exists():
            self._replace("sweep.toml", self.planned.sweep.path.read_bytes())

    def _check(self, about: dict[str, Any]) -> None:
        if about["asked"] != self.planned.asked:
            raise InputError(
                f"{self.folder} holds the cells of another sweep: {self.planned.sweep.document.file} (or a "
                "--plugin) differs from the one it was begun with, which is kept there as sweep.toml. Name "
                "another --out, or resume with that file"
            )
        if about["decided"] != self.planned.decided:
            raise InputError(
                f"{self.folder}: the base's files, evidence, drivers or code have changed since this sweep "
                "was begun, and cells of both would not compare. Begin it anew in another folder (--out)"
            )
        if not self.resume and 0 < len(self.done()) < len(self.planned.cells):
            raise InputError(
                f"{self.folder} holds {len(self.done())} of {len(self.planned.cells)} cells of this sweep "
                f"already; go on with --resume {self.folder}, or name another --out"
            )

    def done(self) -> dict[int, Outcome]:
        """Return the cells that have been made, without those that failed or whose file is damaged."""
        found = {}
        for cell in self.planned.cells:
            try:
                outcome = _unpacked(self._file(cell.number))
            except (OSError, ValueError, KeyError, TypeError, BadZipFile):
                continue
            if outcome.cell == cell.number and not outcome.error:
                found[cell.number] = outcome
        return found

    def keep(self, outcome: Outcome) -> None:
        """Write a cell, whole or not at all.

        Raises
        ------
        ForecastError
            It cannot be written; cells that were kept before stay.
        """
        meta = {key: value for key, value in asdict(outcome).items() if key != "dates"}
        meta["milestones"] = list(outcome.dates)
        arrays = {f"dates{index}": values for index, values in enumerate(outcome.dates.values())}
        with self._writing(f"cell {outcome.cell}"):
            path = self._file(outcome.cell)
            with replacing(path) as unfinished:
                with unfinished.open("wb") as file:
                    np.savez(file, meta=np.array(json.dumps(meta)), **arrays)  # type: ignore[arg-type]

    def write(self, name: str, writer: Any) -> None:
        """Write a file or a folder of the sweep through a hidden sibling; `writer` is given its path."""
        with self._writing(name), replacing(self.folder / name) as unfinished:
            writer(unfinished)

    def _replace(self, name: str, content: bytes) -> None:
        with replacing(self.folder / name) as unfinished:
            unfinished.write_bytes(content)

    def _file(self, cell: int) -> Path:
        return self.folder / "cells" / f"{cell:05d}.npz"

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = "the disk is full" if error.errno in _FULL else error.strerror or str(error)
            free = "Free some space" if error.errno in _FULL else "Put that right"
            begun = (self.folder / _ABOUT).is_file()
            then = f"go on with --resume {self.folder}" if begun else "begin again"
            raise ForecastError(
                f"{self.folder}: {what} could not be written: {reason}. Nothing half-written was kept and "
                f"cells that were made stay. {free}, then {then}"
            ) from error

    def _unlock(self) -> None:
        if self._lock is not None:
            (self.folder / _LOCK).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def _locked(folder: Path) -> int:
    """Hold a folder's lock file open; the system lets go of it however the process ends."""
    path = folder / _LOCK
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock_file(handle)
        if os.fstat(handle).st_nlink == 0:  # another process removed it just now, as it left
            raise BlockingIOError
    except OSError as error:
        holder = os.pread(handle, 200, 0).decode(errors="replace").strip() if hasattr(os, "pread") else ""
        os.close(handle)
        if not isinstance(error, BlockingIOError | PermissionError):
            raise
        raise ForecastError(
            f"{folder}: another process works on this sweep ({holder or 'it has just begun'}); wait until "
            "it is done"
        ) from None
    os.ftruncate(handle, 0)
    os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
    return handle


def _lock_file(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if {"asked", "decided"} <= set(about):
            return about
    except (ValueError, TypeError):
        pass
    raise ForecastError(
        f"{path} is damaged: it cannot be told what sweep this folder is of; name another --out"
    )


def _unpacked(path: Path) -> Outcome:
    with np.load(path, allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
        names = meta.pop("milestones")
        dates = {name: file[f"dates{index}"] for index, name in enumerate(names)}
    return Outcome(**meta, dates=dates)
