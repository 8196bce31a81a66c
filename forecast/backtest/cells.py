"""One as-of date of a backtest: a fit to what was known, and the scores of what came next."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from forecast.backtest.baselines import Known, Unavailable, log_linear, published_growth, random_walk
from forecast.backtest.cell_check import cell_damage
from forecast.backtest.dates import MONTHS_AHEAD, bucket, months_later
from forecast.backtest.outcomes import Case, Series, all_series, known_rows, predict
from forecast.backtest.predictive import Mixture
from forecast.engine import Plan, Reporter, Run, execute
from forecast.errors import ForecastError
from forecast.model import Layout, build_graph
from forecast.report.text_file import save_text
from forecast.results import to_json
from forecast.results.summary import accepted_draws
from forecast.spec import history_end
from forecast.streams import stream

CELL_SCHEMA = "forecast.backtest.cell/1"

METHODS = ("model", "log-linear", "random-walk", "published")


def fit_cell(plan: Plan, reporter: Reporter) -> dict[str, Any]:
    """Fit at one as-of date, predict what came next and score it.

    Parameters
    ----------
    plan : Plan
        With the as-of date in its worldview.
    reporter : Reporter

    Returns
    -------
    dict
        Plain values, as ``cells/<as-of>.json`` holds them.
    """
    run = execute(plan, reporter=reporter)
    worldview, spec = plan.worldview, plan.spec
    series = all_series(plan.host, build_graph(spec, history_end(spec)))
    reporter.phase("Predicting what came next")

    def predicted(of: Run) -> list[Case]:
        # As every number of a run: draws that contradict what had not been crossed by then are set aside.
        accepted = accepted_draws(of.results["crossings"].to_dataset()).ravel()
        return predict(
            spec,
            series,
            {key: draws[accepted] for key, draws in of.parameters.items()},
            until=months_later(spec.as_of, max(MONTHS_AHEAD)),
            seed=worldview.seed,
            size=int(accepted.sum()),
            interventions=worldview.intervene,
        )

    cases = predicted(run)
    priors: Sequence[Case | None] = [None] * len(cases)
    if not plan.prior_only:
        priors = predicted(_of_priors(run))
    known = {name: _known(one, plan) for name, one in series.items()}
    return {
        "schema": CELL_SCHEMA,
        "as_of": spec.as_of.isoformat(),
        "fit": _fit(run),
        "series": {name: _about(one, plan) for name, one in series.items()},
        "cases": [
            _scored(case, prior, known[case.series], spec.as_of, worldview.seed)
            for case, prior in zip(cases, priors, strict=True)
        ],
        "history": _history(run),
    }


def write_cell(folder: Path, cell: Mapping[str, Any]) -> Path:
    """Write a cell through a temporary sibling, so that it is whole or is not there."""
    path = folder / "cells" / f"{cell['as_of']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_text(path, to_json(cell))
    return path


def read_cell(folder: Path, as_of: date) -> dict[str, Any] | None:
    """Read a cell that is there; None where it is not.

    Raises
    ------
    ForecastError
        It is damaged.
    """
    path = folder / "cells" / f"{as_of.isoformat()}.json"
    try:
        cell: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if cell["schema"] != CELL_SCHEMA:
            raise ForecastError(
                f"{path}: is of another version of forecast ({cell['schema']}); give another --out"
            )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ForecastError(f"{path} is damaged: delete it, and the date is fitted again") from error
    except OSError as error:
        raise ForecastError(f"{path} cannot be read: {error.strerror or error}") from error
    damage = cell_damage(cell, as_of.isoformat(), METHODS)
    if damage is not None:
        raise ForecastError(f"{path} is damaged ({damage}): delete it, and the date is fitted again")
    return cell


def _known(one: Series, plan: Plan) -> dict[tuple[str, str], Known]:
    """Rows that baselines may use, by bloc and part, in the order of dates."""
    rows, usable = known_rows(one, plan.spec)
    found: dict[tuple[str, str], list[int]] = {}
    for place in np.flatnonzero(usable):
        part = rows.series[place] if rows.series else ""
        found.setdefault((rows.rows[place].bloc, part), []).append(int(place))
    known = {}
    for key, places in found.items():
        ordered = np.array(sorted(places, key=lambda place: rows.columns["date"][place]))
        known[key] = Known(*(rows.columns[name][ordered] for name in ("date", "value", "error")))
    return known


def _of_priors(run: Run) -> Run:
    """The same without the evidence: how much of a score is that of priors, which were written later."""
    spec, plan = run.plan.spec, run.plan
    layout = Layout({key: spec.parameters[key] for key in run.parameters}, spec.blocs, spec.correlations)
    draws = layout.draw(plan.worldview.seed, run.chains * plan.settings.draws, "prior-only")
    found = replace(run, parameters=layout.shaped(draws), kept_by={})
    crossings = found.project(keep=1).crossings
    return replace(found, results=xr.DataTree.from_dict({"crossings": crossings}))


def _scored(
    case: Case, prior: Case | None, known: Mapping[tuple[str, str], Known], as_of: date, seed: int
) -> dict[str, Any]:
    rows = known.get((case.bloc, case.part), Known(*(np.empty(0) for _ in range(3))))
    made: dict[str, Callable[[], Mixture]] = {
        "model": lambda: case.prediction,
        "log-linear": lambda: log_linear(rows, case.at),
        "random-walk": lambda: random_walk(rows, case.at),
        "published": lambda: published_growth(rows, case.at, series=case.series, bloc=case.bloc, as_of=as_of),
    }
    scores: dict[str, Any] = {}

    def scored(prediction: Mixture, method: str) -> dict[str, Any]:
        generator = stream(seed, "backtest", as_of, case.series, case.bloc, case.row.name, method)
        return asdict(prediction.score(case.observed, generator, bound=case.bound))

    for method, make in made.items():
        try:
            scores[method] = scored(make(), method)
        except Unavailable as why:
            scores[method] = {"why": str(why)}
    return {
        "series": case.series,
        "bloc": case.bloc,
        **({"part": case.part} if case.part else {}),
        "name": case.row.name,
        "date": case.row.date.isoformat(),
        "published": case.row.published.isoformat(),
        "months_ahead": bucket(as_of, case.row.date),
        "observed": min(case.observed, case.bound),
        "censored": case.observed >= case.bound,
        "known_rows": len(rows.at),
        "methods": scores,
        **({} if prior is None else {"prior": scored(prior.prediction, "model")}),
    }


def _fit(run: Run) -> dict[str, Any]:
    digest = sha256()
    for key in sorted(run.parameters):
        digest.update(np.ascontiguousarray(run.parameters[key]).tobytes())
    found = run.summary["diagnostics"]
    names = ("ok", "r_hat_max", "ess_bulk_min", "ess_tail_min", "divergences", "e_bfmi_min", "accepted")
    return {
        "run": run.id,
        "rows": sum(len(table) for table in run.plan.spec.evidence.values()),
        "draws": run.chains * run.plan.settings.draws,
        "draws_sha256": digest.hexdigest(),
        **{name: found.get(name) for name in names},
        "seconds": round(sum(run.summary["timings"].values()), 1),
    }


def _about(one: Series, plan: Plan) -> dict[str, Any]:
    used, _ = known_rows(one, plan.spec)
    return {"rows_known": len(used), "frontier": one.frontier, "unit": one.unit}


def _history(run: Run) -> list[dict[str, Any]]:
    return [
        {
            "milestone": name,
            "bloc": bloc,
            "quantiles": dict(found["quantiles"]),
            **{key: found[key] for key in ("p_before", "p_in", "p_after", "p_never")},
        }
        for name, milestone in run.summary["milestones"].items()
        for bloc, found in milestone["blocs"].items()
    ]


__all__: Sequence[str] = ["METHODS", "fit_cell", "read_cell", "write_cell"]
