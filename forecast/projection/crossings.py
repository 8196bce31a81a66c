"""When conditions on trajectories first hold together.

Trajectories are linear between months, so within a month each condition holds
on an interval; a milestone is crossed at the first moment at which its
conditions all (or any) hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Holding:
    """Part of each month on which something holds, as fractions of the month.

    Attributes
    ----------
    start, end : ndarray, (draw, bloc, month)
        Empty where ``start > end``.
    """

    start: Floats
    end: Floats


def holds(trajectory: Floats, threshold: Floats) -> Holding:
    """Return where a trajectory is at or above a threshold.

    Parameters
    ----------
    trajectory : ndarray, (draw, bloc, time)
    threshold : ndarray, (draw,)
        In the trajectory's unit (log10 where it is).
    """
    above = trajectory >= threshold[:, None, None]
    before, after = above[..., :-1], above[..., 1:]
    start, end = np.where(before, 0.0, np.inf), np.where(after, 1.0, -np.inf)
    crossing = before != after  # few months of a trajectory
    level = threshold[np.nonzero(crossing)[0]]
    left, right = trajectory[..., :-1][crossing] - level, trajectory[..., 1:][crossing] - level
    root = np.clip(left / (left - right), 0.0, 1.0)
    rising = after[crossing]
    start[crossing] = np.where(rising, root, 0.0)
    end[crossing] = np.where(rising, 1.0, root)
    return Holding(start, end)


def every(parts: list[Holding]) -> Holding:
    """Return where all hold."""
    start = np.maximum.reduce([part.start for part in parts])
    end = np.minimum.reduce([part.end for part in parts])
    return Holding(np.where(start <= end, start, np.inf), np.where(start <= end, end, -np.inf))


def some(parts: list[Holding]) -> Holding:
    """Return where any holds; a gap between two of them inside one month is closed."""
    return Holding(
        np.minimum.reduce([part.start for part in parts]),
        np.maximum.reduce([part.end for part in parts]),
    )


def chosen(parts: list[Holding], which: NDArray[np.int64]) -> Holding:
    """Return where the part that each draw chose holds; `which` has shape (draw,)."""
    rows = np.arange(len(which))
    return Holding(
        np.stack([part.start for part in parts])[which, rows],
        np.stack([part.end for part in parts])[which, rows],
    )


def first_moment(holding: Holding, decimal: Floats) -> Floats:
    """Return the first moment at which something holds.

    Parameters
    ----------
    holding : Holding
    decimal : ndarray, (time,)
        Decimal years of the grid.

    Returns
    -------
    ndarray, (draw, bloc)
        Decimal years; ``inf`` where it never holds on the grid.
    """
    inside = holding.start <= holding.end
    month = np.argmax(inside, axis=-1)
    fraction = np.take_along_axis(holding.start, month[..., None], axis=-1)[..., 0]
    crossed = inside.any(axis=-1)
    width = decimal[month + 1] - decimal[month]
    return np.where(crossed, decimal[month] + np.where(crossed, fraction, 0.0) * width, np.inf)


def values_at(trajectories: Mapping[str, Floats], dates: Floats, decimal: Floats) -> dict[str, Floats]:
    """Return trajectories at a date of each draw and bloc, linear between months.

    Parameters
    ----------
    trajectories : mapping of str to ndarray, (draw, bloc, time)
    dates : ndarray, (draw, bloc)
        Decimal years; infinite for never.
    decimal : ndarray, (time,)

    Returns
    -------
    dict of str to ndarray, (draw, bloc)
        NaN where the date is infinite.
    """
    known = np.isfinite(dates)
    when = np.where(known, dates, decimal[0])
    left = np.clip(np.searchsorted(decimal, when, side="right") - 1, 0, len(decimal) - 2)
    part = np.where(known, (when - decimal[left]) / (decimal[left + 1] - decimal[left]), np.nan)
    draw, bloc = np.ogrid[: dates.shape[0], : dates.shape[1]]
    return {
        name: one[draw, bloc, left] * (1.0 - part) + one[draw, bloc, left + 1] * part
        for name, one in trajectories.items()
    }
