"""Convergence: several seeds of the default model and their agreement; every shipped worldview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from forecast.engine import run
from forecast.inference import SamplerSettings
from forecast.worldview import list_worldviews

LIMITS = {"r_hat_max": 1.01, "ess_bulk_min": 400.0, "ess_tail_min": 400.0, "divergences": 0.0}
MCSE = 0.015
FACTOR = 4.0
"""Two seeds agree where they differ by at most this many standard errors of the difference.

False alarms: 6e-5 a probability if errors are normal; with 13 probabilities and 3 pairs about 1 in 400.
"""


def probabilities(summary: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Every probability of a summary with its Monte Carlo standard error, by dotted path."""
    found: dict[str, tuple[float, float]] = {}
    for name, milestone in summary["milestones"].items():
        for bloc, one in milestone["blocs"].items():
            found |= _with_errors(f"{name}.{bloc}", one, one["mcse"])
        lead = milestone.get("lead")
        if lead:
            found |= _with_errors(f"{name}.lead", lead, lead["mcse"])
    return found


def _with_errors(
    path: str, values: Mapping[str, Any], errors: Mapping[str, Any]
) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for key, error in errors.items():
        if isinstance(error, Mapping):
            found |= _with_errors(f"{path}.{key}", values[key], error)
        else:
            found[f"{path}.{key}"] = (float(values[key]), float(error))
    return found


def disagreements(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Yield path, difference and tolerance of the probabilities on which two summaries disagree."""
    left, right = probabilities(one), probabilities(other)
    for path in left:
        (p, m), (q, n) = left[path], right[path]
        tolerance = FACTOR * (m**2 + n**2) ** 0.5
        if abs(p - q) > tolerance:
            yield path, p - q, tolerance


def unconverged(diagnostics: Mapping[str, Any]) -> list[str]:
    """Names of the diagnostics of a summary that miss their limit."""
    bad = []
    for name, limit in LIMITS.items():
        value = diagnostics[name]
        least = name.startswith("ess")
        if value is None or (value < limit if least else value > limit):
            bad.append(name)
    return bad


def judge(summaries: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> dict[str, Any]:
    """Convergence and agreement of runs that differ in their seed only."""
    each = [
        {
            "seed": seed,
            **{name: summary["diagnostics"][name] for name in LIMITS},
            "unconverged": unconverged(summary["diagnostics"]),
            "mcse_max": max(error for _, error in probabilities(summary).values()),
        }
        for seed, summary in zip(seeds, summaries, strict=True)
    ]
    apart = [
        {"seeds": [seeds[i], seeds[j]], "what": path, "difference": gap, "tolerance": tolerance}
        for i, j in combinations(range(len(seeds)), 2)
        for path, gap, tolerance in disagreements(summaries[i], summaries[j])
    ]
    ok = not apart and all(not one["unconverged"] and one["mcse_max"] <= MCSE for one in each)
    return {"seeds": each, "apart": apart, "probabilities": len(probabilities(summaries[0])), "ok": ok}


def report(seeds: Sequence[int], settings: SamplerSettings) -> dict[str, Any]:
    """Run the default worldview with each seed in this process, compiling once, and judge."""
    return judge([run(seed=seed, settings=settings).summary for seed in seeds], seeds)


def worldview_report(settings: SamplerSettings) -> dict[str, Any]:
    """Fit every shipped worldview in this process; a structure that several share compiles once."""
    rows = []
    for name in list_worldviews():
        summary = run(name, settings=settings).summary
        agi = summary["milestones"]["agi"]
        rows.append(
            {
                "worldview": name,
                **{limit: summary["diagnostics"][limit] for limit in LIMITS},
                "unconverged": unconverged(summary["diagnostics"]),
                **{f"median {bloc}": one["quantiles"]["0.5"] for bloc, one in agi["blocs"].items()},
                **{f"p_in {bloc}": one["p_in"] for bloc, one in agi["blocs"].items()},
            }
        )
    return {"worldviews": rows, "ok": not any(row["unconverged"] for row in rows)}
