"""What diagnostics and sensitivity find in a run, in a process of its own beside the page in the making."""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click

from forecast.errors import ForecastError


@contextmanager
def finding(path: Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """Begin to look into a run, and give what waits for the result.

    What both the page and the findings import is imported first and once;
    then the process forks. Where it cannot do so safely (not on Linux, or
    while other threads run), the findings are made when they are asked for.

    Parameters
    ----------
    path : pathlib.Path
        Of the run.

    Yields
    ------
    callable
        Returns ``diagnosis`` and ``sensitivity``, None where one could not be
        made, and ``reasons`` for that.
    """
    _import_what_both_need()
    if not _forks_safely():
        yield lambda: _result(_found(path))
        return
    forks = multiprocessing.get_context("fork")
    ours, theirs = forks.Pipe(duplex=False)
    child = forks.Process(target=_send, args=(path, theirs), name="findings")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of any thread: see below
        child.start()
    theirs.close()  # so that the end of the child is the end of the pipe
    try:
        yield lambda: _result(_received(ours))
    finally:
        child.kill()  # where we were interrupted; it has ended otherwise
        child.join()
        ours.close()


def _import_what_both_need() -> None:
    import arviz_stats  # noqa: F401
    import h5py  # noqa: F401
    import xarray  # noqa: F401

    import forecast.results
    import forecast.worldview  # noqa: F401


def _forks_safely() -> bool:
    """Whether no other thread of Python may hold a lock that a child would wait for.

    Threads of libraries do not count: here they are those of allocators and of linear algebra, which see to
    it that they outlive a fork.
    """
    return sys.platform == "linux" and threading.active_count() == 1


def _send(path: Path, to: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    to.send_bytes(json.dumps(_found(path)).encode())


def _received(pipe: Connection) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(pipe.recv_bytes())
    except EOFError:
        return {"broke": "the process that made them ended early; there may be too little memory"}
    return found


def _found(path: Path) -> dict[str, Any]:
    """What is found, or under ``broke`` the message of what nobody expected."""
    from forecast.results import to_json

    try:
        with warnings.catch_warnings(action="ignore"):  # what matters in them is among the findings
            found: dict[str, Any] = json.loads(to_json(find(path)))
    except Exception as error:
        return {"broke": " ".join(f"{type(error).__name__}: {error}".split())}
    return found


def _result(found: dict[str, Any]) -> dict[str, Any]:
    if "broke" not in found:
        return found
    click.echo(f"Warning: diagnostics and sensitivity of the run failed: {found['broke']}", err=True)
    why = f"It could not be computed: {found['broke']}"
    return {"diagnosis": None, "sensitivity": None, "reasons": {"diagnosis": why, "sensitivity": why}}


def find(path: Path) -> dict[str, Any]:
    """Diagnose a run, and say what its answer hangs on."""
    from forecast.diagnostics import GROUPS as DIAGNOSED
    from forecast.diagnostics import diagnose
    from forecast.results import read_run
    from forecast.sensitivity import GROUPS as WEIGHED
    from forecast.sensitivity import sensitivity, still_of

    stored = read_run(path)
    tree = stored.groups(*dict.fromkeys((*DIAGNOSED, *WEIGHED)))
    prior_only = stored.summary["prior_only"]
    found: dict[str, Any] = {"diagnosis": None, "sensitivity": None, "reasons": {}}

    def weigh() -> dict[str, Any]:
        known = None if found["diagnosis"] is None else still_of(found["diagnosis"])
        return sensitivity(tree, stored.worldview, run=stored.id, prior_only=prior_only, still=known)

    makers: dict[str, Callable[[], Any]] = {
        "diagnosis": lambda: diagnose(tree, run=stored.id, prior_only=prior_only),
        "sensitivity": weigh,
    }
    for name, make in makers.items():
        try:
            found[name] = make()
        except ForecastError as error:
            found["reasons"][name] = str(error)
    return found
