"""Compiles a model in a process of its own: ``python -m forecast.inference.child``.

The process that compiles links some functions differently from one that loads
the result, and draws then differ in their last digits. So nobody samples where
the model was compiled: every run loads it, the first one too.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from forecast.errors import ForecastError

if TYPE_CHECKING:
    import pymc as pm

    from forecast.model import Layout


def compile_apart(path: Path, model: pm.Model, layout: Layout, numbers: dict[str, Any]) -> tuple[bytes, str]:
    """Compile a model in another process, which keeps it in the file `path`.

    Parameters
    ----------
    path : pathlib.Path
        From :func:`forecast.inference.cache.cache_path`.
    model : pymc.Model
    layout : Layout
    numbers : dict of str to ndarray
        From :func:`forecast.model.model_data`.

    Returns
    -------
    content : bytes
        Of the file where it could not be written; empty where it is there.
    reason : str
        Why it could not be.

    Raises
    ------
    ForecastError
        With the last line that the process said.
    """
    import cloudpickle

    payload = cloudpickle.dumps((path, model, layout, numbers))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    # run() kills the process if we are interrupted.
    done = subprocess.run(
        [sys.executable, "-m", "forecast.inference.child"],
        input=payload,
        capture_output=True,
        env=environment,
        check=False,
    )
    said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
    if done.returncode != 0:
        raise ForecastError(f"compiling in a process of its own failed: {said[-1]}")
    return done.stdout, said[-1] if done.stdout else ""


def main() -> None:
    """Read a model from standard input, compile and keep it; where it cannot be kept, hand it back."""
    from forecast.inference.compiling import compile_entry, save_entry

    answer, sys.stdout = sys.stdout.buffer, sys.stderr  # modules of plugins may print
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    path, model, layout, numbers = pickle.load(sys.stdin.buffer)
    entry, guard = compile_entry(model, layout, numbers)
    try:
        save_entry(path, entry, numbers, guard)
    except OSError as error:  # a full disk or a folder of somebody else is no reason to compile once more
        save_entry(answer, entry, numbers, guard)
        print(error.strerror or error, file=sys.stderr)


def _end_with(parent: int) -> None:
    """End when the process that waits for us was killed: nobody else would end us for minutes."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
