"""Claims checked against a run: what was stated, what the model says, and a verdict by a stated rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.claims.measure_specs import NotMeasured
from forecast.claims.measures import Measured, Reading, take
from forecast.claims.reading import Claim
from forecast.errors import InputError
from forecast.results.crossing_summary import FloatArray
from forecast.results.trajectories import NotAvailable
from forecast.units import UnitError, convert

if TYPE_CHECKING:
    from forecast.evidence import EvidenceTable
    from forecast.results.stored import StoredRun

SCHEMA = "forecast.claims/1"

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

NEAR = 0.02
"""A verdict that a scatter was added for is called borderline within this share of draws of a bound."""

LIKELY, UNLIKELY = 2 / 3, 1 / 3
"""At or above the one an event is likely, at or below the other unlikely, between them open."""

VERDICTS = {
    "consistent": "what was stated overlaps the central 50% of what was found",
    "possible": "it overlaps the central 90%, but not the central 50%",
    "contradicted": "it lies outside the central 90%",
    "likely": "the probability found is 2/3 or more",
    "open": "the probability found lies between 1/3 and 2/3",
    "unlikely": "the probability found is 1/3 or less",
    "not scored": "neither the model nor published figures speak of it",
    "not available": "this run, or what is installed, lacks what the check needs",
}
"""Every verdict, with the rule that gives it."""


def check_claims(
    run: StoredRun, claims: Sequence[Claim], tables: Mapping[tuple[str, str], EvidenceTable]
) -> dict[str, Any]:
    """Check claims against a stored run.

    Parameters
    ----------
    run : StoredRun
    claims : sequence of Claim
        From :func:`forecast.results.read_claims`.
    tables : mapping of (driver, table) to EvidenceTable
        Installed evidence, for the claims that are about published figures.

    Returns
    -------
    dict
        ``forecast.claims/1``: the run and ``claims``, each with what was
        stated, ``model`` (quantiles; null where an infinite one is) or ``p``
        with its Monte Carlo error, the ``verdict``, and ``reason`` where there is none.

    Raises
    ------
    InputError
        Where a claim's unit does not fit what it measures; names file and line.
    """
    reading = Reading.of(run, tables)
    return {
        "schema": SCHEMA,
        "run": run.id,
        "worldview": run.summary["worldview"],
        "as_of": run.summary["as_of"],
        "prior_only": run.summary["prior_only"],
        "claims": [_checked(claim, reading) for claim in claims],
    }


def _checked(claim: Claim, reading: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": claim.id,
        "statement": claim.statement,
        "source": {
            "title": claim.source.title,
            "date": claim.source.date.isoformat(),
            "url": claim.source.url,
        },
        "measure": claim.measure.kind,  # type: ignore[attr-defined]
        "quantity": claim.measure.about,
        "unit": claim.unit,
        "stated": claim.stated,
        "model": None,
        "p": None,
        "mcse": None,
        "verdict": "not scored",
        "reason": None,
        "note": claim.note,
        "details": {},
    }
    if isinstance(claim.measure, NotMeasured):
        return found | {"reason": claim.measure.reason}
    try:
        with np.errstate(over="ignore"):  # what overflows is infinite, and is shown so
            return found | _scored(claim, take(claim.measure, reading))
    except NotAvailable as error:
        return found | {"verdict": "not available", "reason": str(error)}
    except UnitError as error:
        raise InputError(f"{claim.origin}: {error}") from error


def _scored(claim: Claim, measured: Measured) -> dict[str, Any]:
    if measured.share is not None:
        p = measured.share.p
        return {
            "p": p,
            "mcse": measured.share.mcse,
            "verdict": verdict_of_probability(p),
            "details": measured.details,
        }
    assert measured.draws is not None and claim.low is not None and claim.high is not None
    draws = convert(measured.draws, measured.unit, claim.unit or measured.unit)
    model = quantiles_of(draws)
    details = dict(measured.details)
    if measured.alone is not None:
        alone = convert(measured.alone, measured.unit, claim.unit or measured.unit)
        details["verdict_alone"] = verdict_of_range(claim.low, claim.high, quantiles_of(alone))
        details["borderline"] = is_borderline(claim.low, claim.high, draws) or is_borderline(
            claim.low, claim.high, alone
        )
        if details["borderline"]:
            details["remark"] += (
                f" The verdict is borderline: a bound of its rule lies within {NEAR:.0%} of the draws."
            )
    return {
        "model": {level: value if np.isfinite(value) else None for level, value in model.items()},
        "verdict": verdict_of_range(claim.low, claim.high, model),
        "details": details,
    }


def quantiles_of(draws: FloatArray) -> dict[str, float]:
    """Quantiles of draws by level as text; infinite where the draws are."""
    ordered = np.sort(draws)
    # Between a finite and an infinite draw nothing can be interpolated: the order statistic itself.
    found = np.quantile(ordered, LEVELS, method="linear" if np.isfinite(ordered).all() else "nearest")
    return {format(level, "g"): float(value) for level, value in zip(LEVELS, found, strict=True)}


def verdict_of_range(low: float, high: float, model: Mapping[str, float]) -> str:
    """Compare a stated range with the model's quantiles, by the rule of :data:`VERDICTS`.

    Parameters
    ----------
    low, high : float
        What was stated; equal for one value.
    model : mapping of str to float
        Quantiles by level as text.
    """
    if low <= model["0.75"] and high >= model["0.25"]:
        return "consistent"
    if low <= model["0.95"] and high >= model["0.05"]:
        return "possible"
    return "contradicted"


def is_borderline(low: float, high: float, draws: FloatArray) -> bool:
    """Whether a bound of the rule lies within :data:`NEAR` of a stated range."""
    below, above = np.mean(draws <= high), np.mean(draws <= low)
    return any(
        abs(place - bound) <= NEAR
        for place, bound in ((below, 0.05), (below, 0.25), (above, 0.75), (above, 0.95))
    )


def verdict_of_probability(p: float) -> str:
    """Put a probability into a word, by the rule of :data:`VERDICTS`."""
    return "likely" if p >= LIKELY else "unlikely" if p <= UNLIKELY else "open"


def unit_words(unit: str | None) -> str:
    """Say a unit as people read it beside a number."""
    return {"number": "as a ratio", "x/year": "times a year", "month": "months", "count": ""}.get(
        unit or "", unit or ""
    )
