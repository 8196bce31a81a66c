"""Whether a cell that was read from ``cells/<as-of>.json`` holds what scores are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.backtest.predictive import LEVELS
from forecast.results.form_check import form_damage

_NUMBER, _TEXT, _COUNT = {"type": "number"}, {"type": "string"}, {"type": "integer", "minimum": 0}


def _table(**keys: Any) -> dict[str, Any]:
    """Schema of a table, all of whose keys must be there."""
    return {"type": "object", "required": list(keys), "properties": keys}


_SCORE = _table(
    crps=_NUMBER,
    log_score=_NUMBER,
    pit={"type": "number", "minimum": 0, "maximum": 1},
    covered={"type": "array", "items": {"type": "boolean"}},
    quantiles={"type": "array", "items": _NUMBER},
)
_FIT = _table(
    run=_TEXT,
    rows=_COUNT,
    draws=_COUNT,
    draws_sha256=_TEXT,
    seconds=_NUMBER,
    r_hat_max={"type": ["number", "null"]},
)
_CASE = _table(
    series=_TEXT,
    bloc=_TEXT,
    name=_TEXT,
    date={"$ref": "#/$defs/day"},
    months_ahead={"type": ["integer", "null"]},
    observed=_NUMBER,
    censored={"type": "boolean"},
    methods={"type": "object", "additionalProperties": {"oneOf": [_table(why=_TEXT), _SCORE]}},
)
_CASE["properties"]["prior"] = _SCORE
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_SAID = _table(
    milestone=_TEXT,
    bloc=_TEXT,
    quantiles={
        "type": "object",
        "required": ["0.05", "0.5", "0.95"],
        "additionalProperties": {"type": ["number", "null"]},
    },
    **dict.fromkeys(("p_before", "p_in", "p_after", "p_never"), _SHARE),
)
_CELL = _table(
    as_of={"$ref": "#/$defs/day"},
    fit=_FIT,
    series={
        "type": "object",
        "additionalProperties": _table(rows_known=_COUNT, frontier={"type": "boolean"}, unit=_TEXT),
    },
    cases={"type": "array", "items": _CASE},
    history={"type": "array", "items": _SAID},
) | {"$defs": {"day": _TEXT}}


def cell_damage(cell: Mapping[str, Any], as_of: str, methods: tuple[str, ...]) -> str | None:
    """Say what is wrong with a cell; None if nothing is.

    Parameters
    ----------
    cell : mapping
    as_of : str
        The date by which the file is named.
    methods : tuple of str
        Of which each case has a score, or why there is none; the first always has one.

    Returns
    -------
    str or None
        Such as ``"cases missing"``.
    """
    found = form_damage(cell, _CELL)
    if found is not None:
        return found
    if cell["as_of"] != as_of:
        return f"as_of is {cell['as_of']}"
    for place, case in enumerate(cell["cases"]):
        here = f"cases[{place}]"
        if case["series"] not in cell["series"]:
            return f"{here} is of {case['series']}, which is none of its series"
        missing = [name for name in methods if name not in case["methods"]]
        if missing or "why" in case["methods"][methods[0]]:
            return f"{here} has no score of {', '.join(missing or methods[:1])}"
        scores = [*case["methods"].values(), *([case["prior"]] if "prior" in case else [])]
        if any("why" not in one and len(one["covered"]) != len(LEVELS) for one in scores):
            return f"{here} does not say for {len(LEVELS)} intervals whether they hold what came"
    return None
