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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.errors import ForecastError

if TYPE_CHECKING:
    import pymc as pm

    from forecast.model import Layout


def compile_apart(path: Path, model: pm.Model, layout: Layout, numbers: dict[str, Any]) -> None:
    """Compile a model in another process, which keeps it in the file `path`.

    Parameters
    ----------
    path : pathlib.Path
        From :func:`forecast.inference.cache.cache_path`.
    model : pymc.Model
    layout : Layout
    numbers : dict of str to ndarray
        From :func:`forecast.model.model_data`.

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
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise ForecastError(f"compiling in a process of its own failed: {said[-1]}")


def main() -> None:
    """Read a model from standard input, compile and keep it."""
    from forecast.inference.compiling import compile_entry, save_entry

    path, model, layout, numbers = pickle.load(sys.stdin.buffer)
    entry, guard = compile_entry(model, layout, numbers)
    save_entry(path, entry, numbers, guard)


if __name__ == "__main__":
    main()
