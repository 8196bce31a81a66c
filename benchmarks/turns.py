"""Measuring two things in turns, so that other work on the machine slows both alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def in_turns[T](tasks: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run tasks one after another, in the opposite order every second round.

    Parameters
    ----------
    tasks : mapping of str to callable
        Each returns what it measured.
    rounds : int

    Returns
    -------
    dict of str to list
        What each returned, round by round.
    """
    found: dict[str, list[T]] = {name: [] for name in tasks}
    for turn in range(rounds):
        for name in list(tasks)[:: -1 if turn % 2 else 1]:
            found[name].append(tasks[name]())
    return found


def by_clock(times: Mapping[str, Sequence[tuple[float, float]]]) -> list[dict[str, Any]]:
    """Medians of (wall, CPU) seconds of two things, and of how much more the first takes, a row a clock."""
    first, second = times
    rows = []
    for place, clock in enumerate(("wall", "CPU")):
        seconds = {name: [one[place] for one in values] for name, values in times.items()}
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        rows.append({"clock": clock, **medians, "more": excess(seconds[first], seconds[second])})
    return rows


def excess(first: Sequence[float], second: Sequence[float]) -> float:
    """Median over the rounds of the first less the second in the same round."""
    return statistics.median(a - b for a, b in zip(first, second, strict=True))


def ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """Median over the rounds of the first over the second in the same round."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))
