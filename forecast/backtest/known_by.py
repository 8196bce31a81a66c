"""What decides what was known of a series: when rows were published, or which vintage stood."""

from __future__ import annotations

from collections import Counter
from typing import Any

from forecast.backtest.outcomes import Series
from forecast.evidence import EvidenceTable

_SAID = {
    "none": "The day of publication of each row: its source has not re-estimated it.",
    "row": "Vintages, row by row: each figure enters as it stood at the as-of date, once it was published.",
    "whole": "Whole tables: the source fits all of them anew, so the last table published by the as-of date "
    "enters and no other. What came next is read from the newest table, whose scale may have moved.",
}


def known_by(one: Series) -> dict[str, Any]:
    """Say whether vintages or dates of publication decide what was known of a series.

    Parameters
    ----------
    one : Series

    Returns
    -------
    dict
        ``decides``: "release dates" or "vintages"; ``why`` in words; how many
        figures have several vintages; days of the first and the last publication.
    """
    table = one.table
    days = sorted(row.published for row in table.rows)
    return {
        "title": table.spec.title,
        "unit": one.unit,
        "decides": "release dates" if table.spec.vintages == "none" else "vintages",
        "why": _SAID[table.spec.vintages],
        "restated": _restated(table),
        "figures": len(_figures(table)),
        "first_published": days[0].isoformat(),
        "last_published": days[-1].isoformat(),
        "predicted": "rows that led their bloc at release" if one.frontier else "every row of the fit",
        "truth": "latest vintage in the table",
    }


def _figures(table: EvidenceTable) -> Counter[Any]:
    return Counter(
        (row.bloc, row.name, row.date, *(row.get(column) for column in table.spec.key)) for row in table.rows
    )


def _restated(table: EvidenceTable) -> int:
    return 0 if table.spec.vintages == "none" else sum(count > 1 for count in _figures(table).values())
