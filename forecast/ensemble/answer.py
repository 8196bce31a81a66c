"""Several runs as one forecast."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.ensemble.mixture import mix
from forecast.ensemble.rows import common_rows
from forecast.ensemble.scores import common_scores
from forecast.ensemble.weights import score_weights, stacking_weights
from forecast.errors import InputError
from forecast.results import StoredRun, month_or_never, summarise
from forecast.results.reading import check_window, end_at
from forecast.results.run_settings import setting_differences
from forecast.worldview import Window, Worldview

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = "forecast.ensemble/1"
"""Version of what :func:`ensemble` returns."""

METHODS = ("equal", "stacking", "backtest")
"""Ways to find weights."""

K_LIMIT = 0.7
FEW_ROWS = 10
LEAST_GAIN = 1.0

Floats = NDArray[np.float64]


def ensemble(
    runs: Sequence[StoredRun],
    weights: str = "equal",
    *,
    scores: Sequence[Path] = (),
    window: tuple[date, date] | None = None,
) -> dict[str, Any]:
    """Mix the crossing dates of several runs.

    Parameters
    ----------
    runs : sequence of StoredRun
        Two or more, each once, with the same blocs and a milestone in common.
        Window and lead are those of the first.
    weights : {"equal", "stacking", "backtest"}
    scores : sequence of pathlib.Path
        For weights by backtest: a ``backtest.json`` for each run, in their order.
    window : (date, date), optional
        First and last day of another window than the first run's.

    Returns
    -------
    dict
        ``schema``; ``weights``, the method; ``members`` with ``run``,
        ``worldview``, ``weight``, ``elpd`` (None for equal weights) and each
        milestone as the member has it, with the part of P(in window) that it
        brings; ``rows`` or ``series`` by which the weights were found; and
        ``window``, ``horizon``, ``milestones`` as in ``summary.json``; ``notes``.

    Raises
    ------
    InputError
        Runs that cannot be mixed, or not so weighted, in words; a window that
        ends after the horizon of a run.
    ForecastError
        A run is damaged.
    """
    _check(runs)
    names = _milestones(runs)
    worldview = _reading(runs, window)
    found, about = _weights(runs, weights, scores)
    groups = [_groups(run, worldview) for run in runs]
    summaries = [
        summarise(
            tree,
            worldview,
            run_id=run.id,
            diagnostics=run.summary["diagnostics"],
            timings={},
            sampler=run.summary["sampler"],
            prior_only=run.summary["prior_only"],
        )["milestones"]
        for run, tree in zip(runs, groups, strict=True)
    ]
    crossings = [tree["crossings"].to_dataset() for tree in groups]
    seeds = [run.worldview.seed for run in runs]
    mixed = {
        name: mix(name, crossings, [one[name] for one in summaries], found, worldview, seeds)
        for name in names
    }
    result = {
        "schema": SCHEMA,
        "weights": weights,
        "about": about["words"],
        "members": [
            _member(run, float(weight), about, place, {name: one[name] for name in names}, mixed)
            for place, (run, weight, one) in enumerate(zip(runs, found, summaries, strict=True))
        ],
        "rows": about.get("rows"),
        "series": about.get("series"),
        "as_of": list(dict.fromkeys(run.summary["as_of"] for run in runs)),
        "window": {"start": worldview.window.start.isoformat(), "end": worldview.window.end.isoformat()},
        "horizon": worldview.horizon.isoformat(),
        "milestones": mixed,
        "notes": [*about.get("notes", ()), *_notes(runs, names, worldview)],
    }
    return result | {"citation": _citation(result)}


def _check(runs: Sequence[StoredRun]) -> None:
    if len(runs) < 2:
        raise InputError("Name two or more runs to mix; `forecast runs list` shows what there is.")
    seen: set[Path] = set()
    for run in runs:
        if run.path.resolve() in seen:
            raise InputError(f"{run.id} is named twice: name two or more different runs.")
        seen.add(run.path.resolve())


def _milestones(runs: Sequence[StoredRun]) -> list[str]:
    """Names of the milestones that all runs have, with the same blocs."""
    summaries = [run.summary["milestones"] for run in runs]
    names = [name for name in summaries[0] if all(name in other for other in summaries)]
    if not names:
        has = "; ".join(f"{run.id} has {', '.join(run.summary['milestones']) or 'none'}" for run in runs)
        raise InputError(f"These runs have no milestone in common, so there is nothing to mix: {has}.")
    blocs = [sorted(one[names[0]]["blocs"]) for one in summaries]
    for run, other in zip(runs, blocs, strict=True):
        if other != blocs[0]:
            raise InputError(
                f"{runs[0].id} has the blocs {', '.join(blocs[0])} and {run.id} has {', '.join(other)}: runs "
                "of different blocs cannot be mixed."
            )
    return names


def _reading(runs: Sequence[StoredRun], window: tuple[date, date] | None) -> Worldview:
    """Window and lead of the first run, and the nearest horizon."""
    first = runs[0].worldview
    chosen = first.window if window is None else Window(*window)
    horizon, nearest = min((date.fromisoformat(run.summary["horizon"]), run.id) for run in runs)
    check_window(chosen.end, horizon, f"the horizon of {nearest}")
    return dataclasses.replace(first, window=chosen, horizon=horizon)


def _groups(run: StoredRun, worldview: Worldview) -> xr.DataTree:
    tree = run.groups("crossings")
    if worldview.horizon < date.fromisoformat(run.summary["horizon"]):
        end_at(tree, worldview.horizon)
    return tree


def _weights(runs: Sequence[StoredRun], method: str, scores: Sequence[Path]) -> tuple[Floats, dict[str, Any]]:
    if scores and method != "backtest":
        raise InputError("--scores is read for --weights backtest alone.")
    if method == "stacking":
        return _stacked(runs)
    if method == "backtest":
        scored = common_scores(runs, scores)
        count = len(scored.series)
        notes = []
        if count == 1:
            notes.append("All scores are of one series: the weights say how sure it is, which is too sure.")
        return score_weights(scored.sums), {
            "words": (
                f"by the log scores of {scored.cases} predictions that all backtests made, of "
                f"{count} series (pseudo-BMA+)"
            ),
            "series": {"names": scored.series, "predictions": scored.cases},
            "elpd": scored.sums.sum(axis=0),
            "notes": notes,
        }
    if method != "equal":
        raise InputError(f"--weights {method}: must be one of {', '.join(METHODS)}.")
    return np.full(len(runs), 1.0 / len(runs)), {"words": "equal", "elpd": None}


def _stacked(runs: Sequence[StoredRun]) -> tuple[Floats, dict[str, Any]]:
    common = common_rows(runs)
    count, high = len(common.rows), np.sum(common.k > K_LIMIT, axis=0)
    tables: dict[str, int] = {}
    for table, _ in common.rows:
        tables[table] = tables.get(table, 0) + 1
    notes = [
        f"{run.id}: {number} of {count} rows have a Pareto k above {K_LIMIT:g}: what is said of them with "
        "the row left out is not reliable, and the weights less so."
        for run, number in zip(runs, high.tolist(), strict=True)
        if number
    ]
    left = [total - count for total in common.of]
    if any(left):
        notes.append(
            "Rows that not all members were fitted to do not count: "
            + ", ".join(f"{run.id} has {number}" for run, number in zip(runs, left, strict=True) if number)
            + "."
        )
    if count < FEW_ROWS:
        notes.append(f"{count} common rows are few: the weights are hardly more than chance.")
    weights = stacking_weights(common.densities)
    gain = _fit(common.densities, weights) - _fit(common.densities, np.full(len(runs), 1.0 / len(runs)))
    if gain < LEAST_GAIN:
        notes.append(
            "The common rows do not tell these runs apart: stacked weights fit them hardly better than equal "
            f"ones, by {gain:.2f} in the sum of log densities."
        )
    return weights, {
        "words": f"stacked by the log densities of {count} common rows of evidence, each left out in turn",
        "rows": {
            "common": count,
            "tables": tables,
            "of_members": common.of,
            "high_k": high.tolist(),
            "gain_over_equal": gain,
        },
        "elpd": common.densities.sum(axis=0),
        "notes": notes,
    }


def _fit(densities: Floats, weights: Floats) -> float:
    """Sum over rows of the log density of the mixture."""
    top = densities.max(axis=1)
    return float(np.sum(top + np.log(np.exp(densities - top[:, None]) @ weights)))


def _member(
    run: StoredRun,
    weight: float,
    about: dict[str, Any],
    place: int,
    milestones: dict[str, Any],
    mixed: dict[str, Any],
) -> dict[str, Any]:
    elpd = about.get("elpd")
    return {
        "run": run.id,
        **{key: run.summary[key] for key in ("worldview", "as_of", "prior_only")},
        "ok": run.summary["diagnostics"]["ok"],
        "weight": weight,
        "elpd": None if elpd is None else float(elpd[place]),
        "milestones": {
            name: {
                bloc: {
                    **{key: described[key] for key in ("quantiles", "p_in", "p_never")},
                    "mcse": {key: described["mcse"][key] for key in ("p_in", "p_never")},
                    "part_of_p_in": _part(weight * described["p_in"], mixed[name]["blocs"][bloc]["p_in"]),
                }
                for bloc, described in one["blocs"].items()
            }
            for name, one in milestones.items()
        },
    }


def _part(share: float, total: float) -> float | None:
    return min(share / total, 1.0) if total > 0 else None


def _notes(runs: Sequence[StoredRun], names: Sequence[str], worldview: Worldview) -> list[str]:
    notes = []
    differing = {row["key"] for row in setting_differences(runs)}
    for name in names:
        if f"milestones.{name}" in differing:
            notes.append(
                f"The runs define {name!r} by different conditions: the mixture is of different things."
            )
    if "as_of" in differing:
        notes.append("The runs are of different as-of dates: the older ones know less.")
    if any(date.fromisoformat(run.summary["horizon"]) > worldview.horizon for run in runs):
        notes.append(
            f"The horizons differ: what comes after the nearest, {worldview.horizon}, counts as never."
        )
    over = [run.id for run in runs if worldview.window.end <= date.fromisoformat(run.summary["as_of"])]
    if over:
        notes.append(
            f"0% of the window {worldview.window.start} to {worldview.window.end} was left at the as-of date "
            f"of {', '.join(over)}: it says what had come by then, and nothing of what is to come."
        )
    alone = [run.id for run in runs if run.summary["prior_only"]]
    if 0 < len(alone) < len(runs):
        notes.append(f"Of the priors alone, without evidence: {', '.join(alone)}.")
    failed = [run.id for run in runs if run.summary["diagnostics"]["ok"] is False]
    if failed:
        notes.append(f"The diagnostics of {', '.join(failed)} failed: do not rely on the mixture.")
    return notes


def _citation(found: dict[str, Any]) -> str:
    name, milestone = next(iter(found["milestones"].items()))
    parts = [
        f"{milestone['title'] or name}, {bloc['title']}: median "
        f"{month_or_never(bloc['quantiles']['0.5'], found['horizon'])}, "
        f"P({found['window']['start']} to {found['window']['end']}) = {bloc['p_in']:.3f}"
        for bloc in milestone["blocs"].values()
    ]
    members = ", ".join(f"{one['weight']:.2f} {one['run']}" for one in found["members"])
    return f"{'; '.join(parts)}. Mixture of {members}; weights {found['about']}. Conditional, not a prophecy."
