"""What the findings come to, in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

THRESHOLDS = "thresholds"
"""What stands before the name of a threshold, where parameters have their driver."""


def headline(found: Mapping[str, Any]) -> str:
    """Say what the answer hangs on most.

    Parameters
    ----------
    found : mapping
        From :func:`forecast.sensitivity.sensitivity`, without its headline.
    """
    return " ".join(_sentences(found))


def _sentences(found: Mapping[str, Any]) -> Iterator[str]:
    bloc = found["blocs"][found["bloc"]]
    left = found["unexplained"]["variance_share"]
    leading = [row for row in found["drivers"] if row["variance_share"] >= 0.01][:3]
    if leading:
        shares = ", ".join(f"{row['name']} {row['variance_share']:.0%}" for row in leading)
        yield (
            f"Of the variance of the crossing date of {bloc} the parameters explain {1 - left:.0%} "
            f"({shares}); {left:.0%} is luck, and what a smooth regression does not see: luck after the "
            "as-of date, and in what a milestone leaves to each draw (which of its definitions, or never)."
        )
    else:
        yield f"No driver's parameters explain a hundredth of the variance of the crossing date of {bloc}."
    if found["components"]:
        limit = found["thresholds"]["psi"]
        above = [row for row in found["components"] if row["psi"] > limit]
        if above:
            first = above[0]
            yield (
                f"The answer is most sensitive to {component_words(first)} (psi {first['psi']:.2f}); "
                f"{len(above)} of {len(found['components'])} priors and tables are above {limit:g}."
            )
        else:
            yield f"No single prior or table of evidence moves the answer much: no psi is above {limit:g}."
    rows = found["evidence"]
    if rows and not rows[0]["clear"]:
        yield "No single row of evidence moves the mean date by more than the Monte Carlo error of doing so."
    elif rows:
        row = rows[0]
        way = "later" if row["influence"] > 0 else "sooner"
        yield (
            f"The single row that would move it most is {row['row']} in {row['table']}: without it the mean "
            f"date would be {months(abs(row['influence']))} {way}."
        )


def component_words(row: Mapping[str, Any]) -> str:
    """Name a component: "the prior of a.b, which no data moved", or "the evidence a table"."""
    if row["kind"] == "likelihood":
        return f"the evidence {row['name']}"
    driver, _, name = row["name"].partition(".")
    if driver == THRESHOLDS:
        return f"the threshold {name}"
    return f"the prior of {row['name']}" + (", which no data moved" if row["moved"] is False else "")


def months(years: float) -> str:
    """Write a short time: "0.4 months", "1.3 years"."""
    return f"{years:.1f} years" if years >= 1 else f"{12 * years:.1f} months"
