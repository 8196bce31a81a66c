"""Log scores of a backtest, of the cases that all members have."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import ForecastError, InputError
from forecast.results import StoredRun

FILE = "backtest.json"
Case = tuple[str, str, str, int]
"""Series, bloc, as-of date, months ahead."""


@dataclass(frozen=True)
class Scored:
    """What all members were scored on.

    Attributes
    ----------
    series : list of str
    sums : ndarray, (series, member)
        Sum of the log scores of a series' cases over the number of distances
        ("months ahead") from which it was predicted, so that a row that was
        predicted from three dates counts once.
    cases : int
        How many predictions that is.
    """

    series: list[str]
    sums: NDArray[np.float64]
    cases: int


def common_scores(runs: Sequence[StoredRun], files: Sequence[Path] = ()) -> Scored:
    """Read the backtests of runs, and keep what all of them predicted.

    Parameters
    ----------
    runs : sequence of StoredRun
    files : sequence of pathlib.Path
        A ``backtest.json`` for each run, in their order; by default the one in each run's folder.

    Raises
    ------
    InputError
        A run has no backtest; there are more or fewer files than runs; no case is in all of them.
    ForecastError
        A file is damaged.
    """
    if files and len(files) != len(runs):
        raise InputError(
            f"--scores: {len(files)} given for {len(runs)} runs; give one {FILE} for each, in their order"
        )
    paths = list(files) or [run.path / FILE for run in runs]
    missing = [run.id for run, path in zip(runs, paths, strict=True) if not path.is_file()]
    if missing:
        raise InputError(
            f"There are no backtest scores of {', '.join(missing)}: weights by backtest are not available. "
            f"Make them with `forecast backtest` for each run's worldview, and put {FILE} into the run's "
            "folder or name the files with --scores, one for each run; or use --weights equal."
        )
    found = [_read(path) for path in paths]
    common = [
        case
        for case in found[0]
        if all(case in other and other[case][0] == found[0][case][0] for other in found)
    ]
    if not common:
        raise InputError(
            "No series was predicted from the same dates in the backtests of all of these runs, so that "
            "their scores cannot be compared: make them with the same dates, or use --weights equal."
        )
    names = list(dict.fromkeys(case[0] for case in common))
    sums = np.zeros((len(names), len(runs)))
    for place, name in enumerate(names):
        own = [case for case in common if case[0] == name]
        distances = len({case[3] for case in own})
        for member, scores in enumerate(found):
            sums[place, member] = sum(scores[case][0] * scores[case][1] for case in own) / distances
    return Scored(names, sums, sum(found[0][case][0] for case in common))


def _read(path: Path) -> dict[Case, tuple[int, float]]:
    """Number of predictions and their mean log score, by case, of the model alone."""
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        rows = [row for row in data["scores"] if row["method"] == "model"]
        found = {
            (str(row["series"]), str(row["bloc"]), str(row["as_of"]), int(row["months_ahead"])): (
                int(row["n"]),
                float(row["log_score"]),
            )
            for row in rows
            if row["log_score"] is not None
        }
    except OSError as error:
        raise ForecastError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ForecastError(f"{path} is damaged: it does not hold the scores of a backtest.") from error
    return {case: (n, score) for case, (n, score) in found.items() if math.isfinite(score) and n > 0}
