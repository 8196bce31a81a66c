"""What fifty drivers more cost at the start of a process."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.processes import cost_of
from benchmarks.turns import by_clock, in_turns

TRIVIAL = 50

_LOAD = """
import json
from forecast.host import load_host
host = load_host()
print(json.dumps({"drivers": len(host.drivers), "problems": [str(one) for one in host.problems]}))
"""

_TRIVIAL = """
from forecast import Driver, adds_to, hookimpl, parameters_from_text


class Trivial(Driver):
    name = "trivial-{number}"
    api_version = 1
    parameters = parameters_from_text(
        'size = {{ distribution = "Normal", mu = 0, sigma = 0.01, unit = "OOM", source = "nothing" }}',
        "trivial-{number}",
    )

    @adds_to("investment")
    def size(self, m):
        return m["size"]


@hookimpl
def forecast_drivers():
    return [Trivial()]
"""


def write_trivial(folder: Path, count: int) -> None:
    """Write packages of one trivial driver each as an installer leaves them: a module and its metadata."""
    for number in range(count):
        package, about = folder / f"trivial_{number}", folder / f"trivial_{number}-1.0.dist-info"
        package.mkdir()
        about.mkdir()
        (package / "__init__.py").write_text(_TRIVIAL.format(number=number), encoding="utf-8")
        metadata = (
            f"Metadata-Version: 2.1\nName: trivial-{number}\nVersion: 1.0\nRequires-Dist: agi-forecast\n"
        )
        (about / "METADATA").write_text(metadata, encoding="utf-8")
        entry = f"[forecast.drivers]\ntrivial-{number} = trivial_{number}\n"
        (about / "entry_points.txt").write_text(entry, encoding="utf-8")


def load(*, count: int = TRIVIAL, rounds: int = 9) -> list[dict[str, Any]]:
    """Seconds of a new process that loads all drivers, with and without trivial ones, a row a clock.

    A first round, which writes bytecode and warms the disk, is left out.

    Raises
    ------
    RuntimeError
        Not all of them were loaded.
    """
    with tempfile.TemporaryDirectory() as scratch:
        write_trivial(Path(scratch), count)
        path = os.pathsep.join([scratch, *filter(None, [os.environ.get("PYTHONPATH")])])
        more: list[int] = []

        def process(env: dict[str, str]) -> tuple[float, float]:
            cost = cost_of([sys.executable, "-c", _LOAD], env=env)
            answer = json.loads(cost.output.strip().splitlines()[-1])
            if answer["problems"]:
                raise RuntimeError(f"a driver was not loaded: {answer['problems'][0]}")
            more.append(answer["drivers"])
            return cost.wall, cost.cpu

        tasks = {"with": lambda: process({"PYTHONPATH": path}), "without": lambda: process({})}
        times = {name: values[1:] for name, values in in_turns(tasks, rounds + 1).items()}
    if max(more) - min(more) != count:
        raise RuntimeError(f"of {count} drivers {max(more) - min(more)} were loaded")
    return [{"drivers": count, **row} for row in by_clock(times)]
