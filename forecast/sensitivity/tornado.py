"""The tornado: the answer in the draws in which a parameter is low, and in those in which it is high."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecast.sensitivity.outcomes import Answers, Bools, Floats, Integers
from forecast.sensitivity.power import finite

_TENTH = 0.1
_FEWEST = 100
"""Each side holds at least so many draws, a larger share of them if need be, but never more than a third."""


def side_share(draws: int) -> float:
    """Share of the draws on each side: a tenth, or what makes 100 draws, at most a third."""
    return float(min(max(_TENTH, _FEWEST / draws), 1 / 3))


def tornado(names: list[str], values: Floats, answers: Answers) -> list[dict[str, Any]]:
    """Compare the draws with the lowest and with the highest values of each number.

    Parameters
    ----------
    names : list of str
    values : ndarray, (accepted draw, number)
    answers : Answers

    Returns
    -------
    list of dict
        ``name``, ``low`` and ``high`` (the number's own means on either side), and for both sides ``p_in``
        and the medians ``median`` (of the crossing date of the bloc asked about) and ``lead``, each with
        Monte Carlo error ``..._mcse``. A median is None where it is infinite. The largest effect on
        P(in window) first; numbers that are constant are left out.
    """
    count = max(1, round(side_share(answers.size) * answers.size))
    starts = answers.batches()
    rows = []
    for at, name in enumerate(names):
        column = values[:, at]
        if column.min() == column.max():
            continue
        # Ties, as of a parameter with few values, are broken by the order of the draws.
        order = np.argsort(column, kind="stable")
        row: dict[str, Any] = {"name": name}
        for side, chosen in (("low", order[:count]), ("high", order[-count:])):
            there = np.zeros(answers.size, dtype=bool)
            there[chosen] = True
            row[side] = float(column[chosen].mean())
            row |= {f"{key}_{side}": value for key, value in _answer(there, answers, starts).items()}
        rows.append(row)
    return sorted(rows, key=lambda row: -abs(row["p_in_high"] - row["p_in_low"]))


def now(answers: Answers) -> dict[str, float | None]:
    """The same numbers of all draws."""
    return _answer(np.ones(answers.size, dtype=bool), answers, answers.batches())


def _answer(there: Bools, answers: Answers, starts: Integers) -> dict[str, float | None]:
    p, error = _share(answers.inside, there, starts)
    found: dict[str, float | None] = {"p_in": p, "p_in_mcse": error}
    for key, years in (("median", answers.first_dates), ("lead", answers.lead)):
        median, error_of_median = (None, None) if years is None else _median(years, there, starts)
        found |= {key: median, f"{key}_mcse": error_of_median}
    return found


def _share(holds: Bools, there: Bools, starts: Integers) -> tuple[float, float]:
    """Share of the chosen draws in which something holds, with its error by batches."""
    count = int(there.sum())
    p = float(holds[there].mean())
    sums = np.add.reduceat(np.where(there, holds - p, 0.0), starts)
    error = float(np.sqrt(np.square(sums).sum() * len(starts) / max(len(starts) - 1, 1)) / count)
    if error == 0:  # all agree, which is no certainty
        q = (p * count + 0.5) / (count + 1)
        error = float(np.sqrt(q * (1 - q) / count))
    return p, error


def _median(years: Floats, there: Bools, starts: Integers) -> tuple[float | None, float | None]:
    """Median of the chosen draws; its error is half the way between the quantiles one error off it."""
    known = there & ~np.isnan(years)
    if not known.any():
        return None, None
    ordered = np.sort(years[known])
    _, error = _share(years < ordered[(ordered.size - 1) // 2], known, starts)
    places = np.clip([0.5 - error, 0.5, 0.5 + error], 0, 1) * (ordered.size - 1)
    low, middle, high = (float(ordered[int(round(place))]) for place in places)
    return finite(middle), finite((high - low) / 2) if np.isfinite([low, high]).all() else None
