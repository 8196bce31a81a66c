"""From the cells of a backtest to ``backtest.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from forecast.backtest.cells import METHODS
from forecast.backtest.dates import MONTHS_AHEAD
from forecast.backtest.predictive import LEVELS

SCHEMA = "forecast.backtest/1"

FEWEST_CASES = 3
"""Fewer cases of a series at a distance say nothing of a method."""

R_HAT_MAX = 1.05
"""Above it the chains of a fit disagree too much even for short chains."""

ALL = "all"
"""In place of a bloc: every bloc's cases together."""


def assemble(
    cells: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any],
    placebo: Mapping[str, Any],
    known_by: Mapping[str, Any],
    variants: Mapping[str, Any],
    blocs: Sequence[str],
) -> dict[str, Any]:
    """Return what ``backtest.json`` holds.

    Parameters
    ----------
    cells : sequence of mapping
        From :func:`forecast.backtest.cells.fit_cell`, in the order of dates.
    settings : mapping
        What the backtest was made with.
    placebo, known_by, variants : mapping
    blocs : sequence of str

    Returns
    -------
    dict
        ``scores`` add up: a row for each as-of date, of those series and months
        ahead that have three cases or more over all dates. ``pooled`` has them
        together, with the scores of the model and of its priors alone on the very
        cases of each baseline.
    """
    cases = [
        {**case, "as_of": cell["as_of"], "scored": cell["series"][case["series"]]["rows_known"] > 0}
        for cell in cells
        for case in cell["cases"]
    ]
    names = list(dict.fromkeys(name for cell in cells for name in cell["series"]))
    scores: list[dict[str, Any]] = []
    pooled: list[dict[str, Any]] = []
    missing: list[dict[str, Any]] = []
    for series in names:
        for bloc in blocs:
            for months in MONTHS_AHEAD:
                here = _of(cases, series, bloc, months)
                blind = _of(cases, series, bloc, months, scored=False)
                for method in METHODS:
                    made = [case for case in here if "crps" in case["methods"][method]]
                    key = {"series": series, "bloc": bloc, "months_ahead": months, "method": method}
                    if len(made) < FEWEST_CASES:
                        if method == "model" or len(here) >= FEWEST_CASES:
                            missing.append(
                                {**key, "n": len(made), "why": _why(here, made, blind, method, cells, series)}
                            )
                        continue
                    pooled.append(_pooled(key, made))
                    for as_of in dict.fromkeys(case["as_of"] for case in made):
                        some = [case for case in made if case["as_of"] == as_of]
                        scores.append({**key, "as_of": as_of, **_means(some, method)})
        if len(blocs) > 1:
            pooled += _over_blocs(cases, series)
    return {
        "schema": SCHEMA,
        "settings": dict(settings),
        "scores": [_ordered(score) for score in scores],
        "pooled": pooled,
        "not_available": missing,
        "history": [{"as_of": cell["as_of"], **found} for cell in cells for found in cell["history"]],
        "pit": _pit(cases, names),
        "placebo": dict(placebo),
        "known_by": _known_by(known_by, cells),
        "variants": dict(variants),
        "fits": [{"as_of": cell["as_of"], **cell["fit"], "usable": _usable(cell["fit"])} for cell in cells],
        "units": {name: cell["series"][name]["unit"] for cell in cells for name in cell["series"]},
        "cases": cases,
    }


def _usable(fit: Mapping[str, Any]) -> bool:
    """Whether the chains agree as far as short ones can; draws of the priors alone always do."""
    return fit["r_hat_max"] is None or fit["r_hat_max"] <= R_HAT_MAX


def _of(
    cases: Iterable[Mapping[str, Any]], series: str, bloc: str, months: int, *, scored: bool = True
) -> list[Mapping[str, Any]]:
    return [
        case
        for case in cases
        if case["series"] == series
        and case["scored"] == scored
        and (bloc == ALL or case["bloc"] == bloc)
        and case["months_ahead"] == months
    ]


def _means(cases: Sequence[Mapping[str, Any]], method: str) -> dict[str, Any]:
    found = [case["methods"][method] for case in cases]
    return {
        "n": len(found),
        "crps": float(np.mean([one["crps"] for one in found])),
        "log_score": float(np.mean([one["log_score"] for one in found])),
        "coverage": {
            f"{level:g}": float(np.mean([one["covered"][place] for one in found]))
            for place, level in enumerate(LEVELS)
        },
    }


def _pooled(key: Mapping[str, Any], made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A method's scores over all dates, beside the model's on the same cases."""
    model = _means(made, "model")
    priors = [case["prior"] for case in made if "prior" in case]
    prior = (
        {
            "prior_crps": float(np.mean([one["crps"] for one in priors])),
            "prior_log_score": float(np.mean([one["log_score"] for one in priors])),
        }
        if len(priors) == len(made)
        else {}
    )
    return {
        **key,
        "rows": len({(case["bloc"], case["name"], case["date"]) for case in made}),
        **_means(made, key["method"]),
        "model_crps": model["crps"],
        "model_log_score": model["log_score"],
        **prior,
    }


def _over_blocs(cases: Sequence[Mapping[str, Any]], series: str) -> list[dict[str, Any]]:
    found = []
    for months in MONTHS_AHEAD:
        here = _of(cases, series, ALL, months)
        if len({case["bloc"] for case in here}) < 2:
            continue
        for method in METHODS:
            made = [case for case in here if "crps" in case["methods"][method]]
            if len(made) >= FEWEST_CASES:
                key = {"series": series, "bloc": ALL, "months_ahead": months, "method": method}
                found.append(_pooled(key, made))
    return found


def _why(
    here: Sequence[Mapping[str, Any]],
    made: Sequence[Mapping[str, Any]],
    blind: Sequence[Mapping[str, Any]],
    method: str,
    cells: Sequence[Mapping[str, Any]],
    series: str,
) -> str:
    if method == "model":
        if here:
            rows = len({(case["name"], case["date"]) for case in here})
            more = f" ({len(blind)} more from before the first row)" if blind else ""
            few = f"{_counted(len(here), 'case')} of {_counted(rows, 'row')}"
            return f"only {few}; {FEWEST_CASES} are needed{more}"
        if blind:
            return (
                f"no row that the fit uses had been published at the as-of dates of its {len(blind)} cases: "
                "the prior alone, which was written later, is no prediction"
            )
        if any(cell["series"].get(series, {}).get("frontier") for cell in cells):
            return "no model released then led its bloc, among those that were published later"
        return "no row about that time was published later"
    reasons = [case["methods"][method]["why"] for case in here if case not in made]
    common = max(set(reasons), key=reasons.count)
    return f"in {len(reasons)} of {_counted(len(here), 'case')}: {common}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _ordered(score: Mapping[str, Any]) -> dict[str, Any]:
    first = ("series", "bloc", "as_of", "months_ahead", "method")
    return {**{name: score[name] for name in first}, **score}


def _pit(cases: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[float]]:
    found = {
        name: [
            round(case["methods"]["model"]["pit"], 6)
            for case in cases
            if case["series"] == name and case["scored"]
        ]
        for name in names
    }
    return {name: values for name, values in found.items() if values}


def _known_by(known_by: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        name: {
            **found,
            "rows_known": {
                cell["as_of"]: cell["series"][name]["rows_known"] for cell in cells if name in cell["series"]
            },
        }
        for name, found in known_by.items()
    }
