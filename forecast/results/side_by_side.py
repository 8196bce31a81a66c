"""Saved runs side by side: their dates and probabilities, and what they were told differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.errors import InputError
from forecast.results.reading import default_milestone
from forecast.results.run_settings import setting_differences
from forecast.results.stored import StoredRun
from forecast.wording import did_you_mean

COMPARE_SCHEMA = "forecast.compare/1"
"""Version of what :func:`side_by_side` returns."""


def side_by_side(runs: Sequence[StoredRun], milestone: str | None = None) -> dict[str, Any]:
    """Put saved runs side by side.

    Parameters
    ----------
    runs : sequence of StoredRun
        Two or more, each once.
    milestone : str, optional
        By default ``agi`` where two runs or more have it, else the first
        milestone that most runs have.

    Returns
    -------
    dict
        ``schema``; ``milestone``; ``runs``, for each ``run``, ``worldview``,
        ``as_of``, ``window``, ``horizon``, ``prior_only``, ``ok`` (the
        verdict on its sampling), and as in its summary ``title``, ``blocs``
        and ``lead`` of the milestone (empty and None where it lacks it);
        ``differences``, every setting in which their worldviews differ; ``notes``,
        sentences that say where the runs cannot be compared as they stand.

    Raises
    ------
    InputError
        Where there are fewer than two runs, one is named twice, or fewer than
        two have the milestone.
    ForecastError
        Where a run is damaged.
    """
    _check_runs(runs)
    chosen = _chosen(runs, milestone)
    rows = [_row(run, chosen) for run in runs]
    differences = setting_differences(runs)
    return {
        "schema": COMPARE_SCHEMA,
        "milestone": chosen,
        "runs": rows,
        "differences": differences,
        "notes": _notes(runs, rows, chosen, {row["key"]: row["values"] for row in differences}),
    }


def bloc_titles(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Name and title of every bloc of the ``runs`` of a comparison, in the order in which they come."""
    titles: dict[str, str] = {}
    for row in rows:
        for bloc, found in row["blocs"].items():
            titles.setdefault(bloc, found["title"])
    return titles


def _check_runs(runs: Sequence[StoredRun]) -> None:
    if len(runs) < 2:
        raise InputError("Name two or more runs to compare; `forecast runs list` shows what there is.")
    seen: set[Any] = set()
    for run in runs:
        place = run.path.resolve()
        if place in seen:
            raise InputError(f"{run.id} is named twice: name two or more different runs.")
        seen.add(place)


def _chosen(runs: Sequence[StoredRun], wanted: str | None) -> str:
    names = list(dict.fromkeys(name for run in runs for name in run.summary["milestones"]))
    counts = {name: sum(name in run.summary["milestones"] for run in runs) for name in names}
    if wanted is not None:
        if wanted not in counts:
            raise InputError(
                f"--milestone {wanted}: none of these runs has such a milestone{did_you_mean(wanted, names)}."
            )
        if counts[wanted] < 2:
            raise InputError(f"--milestone {wanted}: only one of these runs has it; {_listed(runs)}.")
        return wanted
    most = max(counts.values(), default=0)
    if most < 2:
        raise InputError(
            f"These runs have no milestone in common, so nothing can be compared; {_listed(runs)}."
        )
    return "agi" if counts.get("agi", 0) >= 2 else default_milestone([n for n in names if counts[n] == most])


def _listed(runs: Sequence[StoredRun]) -> str:
    return "; ".join(f"{run.id} has {', '.join(run.summary['milestones']) or 'none'}" for run in runs)


def _row(run: StoredRun, milestone: str) -> dict[str, Any]:
    summary = run.summary
    found = summary["milestones"].get(milestone, {"title": None, "blocs": {}, "lead": None})
    row = {key: summary[key] for key in ("run", "worldview", "as_of", "window", "horizon", "prior_only")}
    return row | {
        "ok": summary["diagnostics"]["ok"],
        "title": found["title"],
        "blocs": found["blocs"],
        "lead": found["lead"],
    }


def _notes(
    runs: Sequence[StoredRun],
    rows: Sequence[dict[str, Any]],
    milestone: str,
    differing: Mapping[str, list[Any]],
) -> list[str]:
    """Sentences about what does not fit, the runs called by their numbers."""
    numbers = range(1, len(rows) + 1)
    having = [number for number, row in zip(numbers, rows, strict=True) if row["blocs"]]
    notes = [
        f"Run {number} has no milestone {milestone!r} but {', '.join(run.summary['milestones']) or 'none'}."
        for number, run in zip(numbers, runs, strict=True)
        if number not in having
    ]
    for bloc in bloc_titles(rows):
        those = [number for number in having if bloc in rows[number - 1]["blocs"]]
        if len(those) < len(having):
            notes.append(f"Only {_runs(those)} {'has' if len(those) == 1 else 'have'} the bloc {bloc!r}.")
    conditions = differing.get(f"milestones.{milestone}", [""] * len(rows))
    if len({conditions[number - 1] for number in having}) > 1:
        notes.append(
            f"The runs define {milestone!r} by different conditions: their dates are of different things."
        )
    if "window" in differing:
        notes.append("The windows differ: P(in window) is about each run's own.")
    if "horizon" in differing:
        notes.append("The horizons differ: P(not by horizon) is about each run's own.")
    leads = {(row["lead"]["leader"], row["lead"]["follower"]) for row in rows if row["lead"] is not None}
    if len(leads) > 1:
        notes.append("The leads are not of the same blocs: " + _leads(rows) + ".")
    if len({row["lead"]["within_years"] for row in rows if row["lead"] is not None}) > 1:
        notes.append("The limits between unipolar and bipolar differ: see lead.within_years.")
    only = [number for number, row in zip(numbers, rows, strict=True) if row["prior_only"]]
    if 0 < len(only) < len(rows):
        notes.append(f"{_runs(only).capitalize()} {_is(only)} of the priors alone, without evidence.")
    failed = [number for number, row in zip(numbers, rows, strict=True) if row["ok"] is False]
    if failed:
        notes.append(
            f"The diagnostics of {_runs(failed)} failed: do not rely on what is said of {_it(failed)}."
        )
    return notes


def _leads(rows: Sequence[dict[str, Any]]) -> str:
    return "; ".join(
        f"{row['lead']['leader']} over {row['lead']['follower']} in run {number}"
        for number, row in enumerate(rows, start=1)
        if row["lead"] is not None
    )


def _runs(numbers: Sequence[int]) -> str:
    *others, last = map(str, numbers)
    return f"runs {', '.join(others)} and {last}" if others else f"run {last}"


def _it(numbers: Sequence[int]) -> str:
    return "it" if len(numbers) == 1 else "them"


def _is(numbers: Sequence[int]) -> str:
    return "is" if len(numbers) == 1 else "are"
