"""What diagnostics and sensitivity find in a run, in a process of its own beside the page that is being made.

``python -m forecast.cli._findings RUN`` prints it as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from forecast.errors import ForecastError


@contextmanager
def finding(path: Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """Begin to look into a run, and give what waits for the result.

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
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    with subprocess.Popen(
        [sys.executable, "-m", __name__, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as child:
        try:
            yield lambda: _result(child)
        finally:
            child.kill()  # where we were interrupted; it has ended otherwise


def _result(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    said, errors = child.communicate()
    if child.returncode == 0:
        found: dict[str, Any] = json.loads(said)
        return found
    last = (errors.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    click.echo(f"Warning: diagnostics and sensitivity of the run failed: {last}", err=True)
    why = f"It could not be computed: {last}"
    return {"diagnosis": None, "sensitivity": None, "reasons": {"diagnosis": why, "sensitivity": why}}


def find(path: Path) -> dict[str, Any]:
    """Diagnose a run, and say what its answer hangs on."""
    from forecast.diagnostics import GROUPS as DIAGNOSED
    from forecast.diagnostics import diagnose
    from forecast.results import read_run
    from forecast.sensitivity import GROUPS as WEIGHED
    from forecast.sensitivity import sensitivity

    stored = read_run(path)
    tree = stored.groups(*dict.fromkeys((*DIAGNOSED, *WEIGHED)))
    prior_only = stored.summary["prior_only"]
    makers: dict[str, Callable[[], Any]] = {
        "diagnosis": lambda: diagnose(tree, run=stored.id, prior_only=prior_only),
        "sensitivity": lambda: sensitivity(tree, stored.worldview, run=stored.id, prior_only=prior_only),
    }
    found: dict[str, Any] = {"reasons": {}}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ForecastError as error:
            found[name] = None
            found["reasons"][name] = str(error)
    return found


if __name__ == "__main__":
    # Where Dask is installed, xarray imports it with the first array; nothing here computes with it.
    sys.modules["dask"] = None  # type: ignore[assignment]
    from forecast.results import to_json

    sys.stdout.buffer.write(to_json(find(Path(sys.argv[1]))).encode())
