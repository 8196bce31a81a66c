"""Whether a ``summary.json`` that was read holds what its form requires: a damaged one is no bug of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from forecast.results.form_check import form_damage
from forecast.results.summary import summary_schema
from forecast.wording import shown


def first_damage(summary: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a summary, by its schema and by what its parts say of one another.

    None if nothing is.

    Parameters
    ----------
    summary : mapping
        As read from ``summary.json``. Keys that the schema does not know are
        left alone: a later version of this form may have them.

    Returns
    -------
    str or None
        Such as ``"milestones.agi.blocs missing"``.
    """
    return form_damage(summary, _schema()) or next(_disagreements(summary["milestones"]), None)


@cache
def _schema() -> dict[str, Any]:
    return summary_schema()


def _disagreements(milestones: Mapping[str, Any]) -> Iterator[str]:
    """Every milestone is about the same blocs, each on the calendar, and its lead is between two of them."""
    blocs = next(iter(milestones.values()))["blocs"].keys()
    for name, milestone in milestones.items():
        here, lead = f"milestones.{name}", milestone["lead"]
        if milestone["blocs"].keys() != blocs:
            odd = ", ".join(sorted(milestone["blocs"].keys() ^ blocs))
            yield f"{here}.blocs are others than those of the first milestone ({odd})"
        for bloc, described in milestone["blocs"].items():
            for part in (described, described.get("inside") or {}):
                for level, year in part.get("quantiles", {}).items():
                    if year is not None and not 1 <= year < 10_000:
                        yield f"{here}.blocs.{bloc}: the quantile {level} is {shown(year)}, which is no year"
            for key, p in described.items():
                if key.startswith("p_") and p is not None and described["mcse"].get(key) is None:
                    yield f"{here}.blocs.{bloc}.{key} has no error"
        if lead is None:
            continue
        alone = lead["p_unipolar"].keys()
        for key in ("leader", "follower"):
            if lead[key] not in blocs:
                yield f"{here}.lead.{key} is {shown(lead[key])}, which is none of its blocs"
        if (
            not {lead["leader"], lead["follower"]} <= alone <= blocs
            or alone != lead["mcse"]["p_unipolar"].keys()
        ):
            yield f"{here}.lead.p_unipolar is not about its blocs, each with an error"
