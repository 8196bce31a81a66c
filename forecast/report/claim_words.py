"""What a claim states and what a run says of it, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.claims.checking import unit_words
from forecast.report.terminal import compact


def claim_words(claim: Mapping[str, Any]) -> str:
    """Say what was stated and what was found, or why nothing was.

    Parameters
    ----------
    claim : mapping
        One of ``claims`` of :func:`forecast.claims.check_claims`.
    """
    stated, unit = claim["stated"], "" if claim["p"] is not None else unit_words(claim["unit"])
    if isinstance(stated, Mapping):
        stated = f"{compact(stated['low'])} to {compact(stated['high'])} {unit}"
    elif isinstance(stated, int | float):
        stated = f"{compact(stated)} {unit}"
    said = f"Stated: {stated.strip()}. " if stated else ""
    if claim["reason"]:
        return f"{said}{claim['reason']}"
    if claim["p"] is not None:
        return f"{said}Found: probability {claim['p']:.2f} ± {claim['mcse']:.2f}."
    low, middle, high = (
        "inf" if (one := claim["model"][level]) is None else compact(one) for level in ("0.05", "0.5", "0.95")
    )
    return f"{said}Found: {middle} ({low} to {high}) {unit}".strip() + "."
