"""Whole processes with what they cost: wall and CPU seconds and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""Of the repository; ``python -m benchmarks`` is found from here."""


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes
    ----------
    wall, cpu : float
        Seconds; CPU of user and system over all threads.
    peak : float
        Largest resident memory, GB (1e9 bytes).
    code : int
        Exit code.
    output : str
        Its standard output.
    """

    wall: float
    cpu: float
    peak: float
    code: int
    output: str


def cost_of(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, ok: Sequence[int] = (0,)
) -> Cost:
    """Run a command to its end.

    Parameters
    ----------
    command : sequence of str
    env : mapping, optional
        Added to the environment.
    ok : sequence of int
        Exit codes that count as done.

    Raises
    ------
    RuntimeError
        Another exit code, with the end of what the command said.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        # wait4 and not resource.getrusage(RUSAGE_CHILDREN): that would keep the peak of earlier children.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if code not in ok:
        raise RuntimeError(f"{' '.join(command)} exited with {code}:\n{output[-2000:]}")
    per_unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is bytes there, kilobytes elsewhere
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * per_unit / 1e9, code, output)
