"""Carrying jobs out on Dask: a cluster of this machine's cores, or one that there is."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any
from uuid import uuid4

from distributed import Client, Future, LocalCluster, as_completed, wait
from distributed.scheduler import KilledWorker

from forecast.errors import ForecastError, InputError
from forecast.sweep.jobs import Job
from forecast.sweep.work import Outcome, make_cell, make_fit, read_cell, warm

WAIT = 60.0
"""Seconds to wait for a cluster's scheduler, and then for its first worker."""

LOOK = 10.0
"""Seconds between two looks whether there still are workers."""

DASHBOARD = "127.0.0.1:8787"
"""Of this machine alone; any other port where this one is taken."""


@dataclass(frozen=True)
class Workers:
    """Where jobs are carried out.

    Attributes
    ----------
    client : Client
    address : str
        Of the scheduler.
    dashboard : str
        Its address; blank where there is none.
    ours : bool
        Whether the cluster is of this process.
    """

    client: Client
    address: str
    dashboard: str
    ours: bool


@contextmanager
def workers_of(scheduler: str | None, count: int | None, jobs: int) -> Iterator[Workers]:
    """Start workers on this machine, or find those of a scheduler.

    Parameters
    ----------
    scheduler : str or None
        Such as ``tcp://10.0.0.1:8786``; None starts workers here.
    count : int or None
        Workers to start; as many as there are cores without it.
    jobs : int
        More workers than jobs are not started.

    Yields
    ------
    Workers

    Raises
    ------
    InputError
        The address is none.
    ForecastError
        Nobody answers there, or no worker is there.
    """
    with _quiet():
        if scheduler is None:
            with _local(count, jobs) as cluster, Client(cluster) as client:
                yield Workers(client, cluster.scheduler_address, cluster.dashboard_link, True)
            return
        with _connected(scheduler) as client:
            try:
                client.wait_for_workers(1, timeout=WAIT)
            except TimeoutError:
                raise ForecastError(
                    f"--scheduler {scheduler}: no worker came within {WAIT:g} s; start some with "
                    f"`dask worker {scheduler} --nthreads 1` where forecast is installed"
                ) from None
            yield Workers(client, scheduler, client.dashboard_link, False)


@contextmanager
def _local(count: int | None, jobs: int) -> Iterator[LocalCluster]:
    from dask.system import CPU_COUNT

    cluster: LocalCluster | None = None
    try:
        with deaf_to_ctrl_c(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Port .* is already in use")
            cluster = LocalCluster(
                n_workers=max(1, min(count or CPU_COUNT, jobs)),
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # what a machine has is for its system to share out
                dashboard_address=DASHBOARD,
                silence_logs=logging.CRITICAL,
            )
        yield cluster
    finally:
        if cluster is not None:
            cluster.close()


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, nor those that take their place.

    A terminal sends it to all of them, but it is for this process, which ends
    the others in order. What comes while they start, when they could not be
    ended, is dealt with afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    came: list[int] = []
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        asks = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        handlers = {number: found for number in asks if callable(found := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    resource_tracker.ensure_running()  # started in between, it would let this thread hear again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # threads and processes inherit it
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    try:
        client = Client(scheduler, timeout=WAIT)
    except ValueError as error:
        raise InputError(
            f"--scheduler {scheduler}: is no address ({error}); it is such as tcp://10.0.0.1:8786"
        ) from None
    except (OSError, TimeoutError):
        raise ForecastError(
            f"--scheduler {scheduler}: no Dask scheduler answers there; start one with `dask scheduler`, or "
            "leave the option out to use this machine's cores"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=5)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from logging what we say in words: workers that are lost, connections that end."""
    named = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio", "bokeh", *named)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def compile_there(workers: Workers, jobs: Sequence[Job]) -> None:
    """Compile each model once a machine of a cluster, before many workers would each do so.

    Parameters
    ----------
    workers : Workers
    jobs : sequence of Job
        One of each model.
    """
    hosts: dict[str, str] = {}
    for address, about in workers.client.scheduler_info(n_workers=-1)["workers"].items():
        hosts.setdefault(about["host"], address)
    made = [
        workers.client.submit(warm, job, workers=[address], allow_other_workers=True, pure=False)
        for job in jobs
        for address in hosts.values()
    ]
    wait(made)  # whatever is wrong there, each cell says in a row of its own


def carry_out(
    workers: Workers,
    jobs: Mapping[int, Job],
    fits: Sequence[Sequence[int]],
    keep: Callable[[Outcome], None],
    warn: Callable[[str], None],
) -> None:
    """Make cells, each fit once, and hand each over as soon as it is made.

    Parameters
    ----------
    workers : Workers
    jobs : mapping of int to Job
        By cell.
    fits : sequence of sequence of int
        Cells by fit.
    keep : callable
        Called in this process, cell by cell.
    warn : callable
        Told, from another thread, when all workers are gone: new ones may come.

    Raises
    ------
    ForecastError
        The scheduler was lost.
    """
    client, mark = workers.client, uuid4().hex[:8]
    waiting: dict[Future[Outcome], int] = {}
    for number, cells in enumerate(fits):
        if len(cells) == 1:
            (cell,) = cells
            waiting[client.submit(make_cell, jobs[cell], key=f"cell-{cell}-{mark}")] = cell
            continue
        fit = client.submit(make_fit, jobs[cells[0]], key=f"fit-{number}-{mark}")
        for cell in cells:
            waiting[client.submit(read_cell, fit, jobs[cell], key=f"cell-{cell}-{mark}")] = cell
        del fit  # its cells keep it on the scheduler until they are made
    with told_when_idle(workers, warn):
        for future in as_completed(list(waiting)):
            cell = waiting.pop(future)
            if future.status == "finished":
                keep(future.result())
            elif future.status == "error":
                keep(Outcome(cell, jobs[cell].run, error=_lost(future)))
            else:
                raise ForecastError(
                    f"the scheduler {workers.address} cannot be reached any more; it or its machine has "
                    "stopped"
                )


@contextmanager
def told_when_idle(workers: Workers, warn: Callable[[str], None]) -> Iterator[None]:
    """Warn when no worker has been there for a while: Dask waits for the next one in silence."""
    over = threading.Event()

    def look() -> None:
        missed = 0
        while not over.wait(LOOK):
            try:
                there = workers.client.scheduler_info(n_workers=-1)["workers"]
            except Exception:  # the scheduler is gone too, and whoever waits for cells is told
                return
            missed = 0 if there else missed + 1
            if missed == 2:  # one that was lost may be started again meanwhile
                warn(
                    f"no worker is left at {workers.address}; the sweep goes on when one comes (Ctrl-C stops "
                    "it; cells that were made are kept)"
                )

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()


def _lost(future: Future[Outcome]) -> str:
    error = future.exception()
    if isinstance(error, KilledWorker):
        return "its worker was lost every time it was tried; there may be too little memory"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
