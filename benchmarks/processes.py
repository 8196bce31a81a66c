"""Whole processes with what they cost: wall and CPU seconds and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""Of the repository; ``python -m benchmarks`` is found from here."""

# Linux counts towards a process's peak what its parent held when it started it, so a small process starts the
# command, and takes its times. wait4 and not resource.getrusage(RUSAGE_CHILDREN): that keeps earlier peaks.
_STARTER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
process.returncode = code = os.waitstatus_to_exitcode(status)
found = [wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, code]
os.write(int(sys.argv[1]), json.dumps(found).encode())
"""


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
    told, tells = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _STARTER, str(tells), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        pass_fds=[tells],
    ) as process:
        os.close(tells)
        assert process.stdout is not None
        output = process.stdout.read()
        with os.fdopen(told) as answer:
            said = answer.read()
    if not said:
        raise RuntimeError(f"{' '.join(command)} could not be started:\n{output[-2000:]}")
    wall, cpu, peak, code = json.loads(said)
    if code not in ok:
        raise RuntimeError(f"{' '.join(command)} exited with {code}:\n{output[-2000:]}")
    per_unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is bytes there, kilobytes elsewhere
    return Cost(wall, cpu, peak * per_unit / 1e9, code, output)
