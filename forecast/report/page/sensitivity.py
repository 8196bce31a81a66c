"""What the answer hangs on: tornado, drivers, priors and tables, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.report.page.chart import (
    Chart,
    Choice,
    Figure,
    Numbers,
    Trace,
    fixed,
    layout,
    percent_axis,
    window_years,
    words,
)
from forecast.report.page.material import Block, Brought, Material

_NAMES: dict[str, Any] = {"autorange": "reversed", "type": "category", "fixedrange": True}
"""An axis of names, the first at the top."""

_BARS = 14
_ROWS = 12


def sensitivity(_: Material, brought: Brought) -> Block:
    """What the answer hangs on: tornado, drivers, priors and tables, rows."""
    title = "What the answer hangs on"
    found = brought.sensitivity
    if found is None:
        why = brought.reasons.get("sensitivity", "The sensitivity was not computed for this page.")
        return Block("sensitivity", title, missing=why)
    bloc = found["blocs"].get(found["bloc"], found["bloc"])
    charts = [chart for chart in (_tornado(found, bloc), _shares(found, bloc)) if chart is not None]
    data = {
        "components": found["components"][:_ROWS],
        "more": max(0, len(found["components"]) - _ROWS),
        "evidence": found["evidence"][:_ROWS],
        "bloc": bloc,
        "why": list(dict.fromkeys(found.get("why", {}).values())),
        "not_moved": found["not_moved"] or [],
        "psi": found["thresholds"]["psi"],
    }
    return Block("sensitivity", title, "sensitivity.html.j2", data, found["headline"], charts)


def _tornado(found: Mapping[str, Any], bloc: str) -> Chart | None:
    """Bars from the answer in draws with the lowest values of a number to that with the highest."""
    rows = found["tornado"]
    if not rows:
        return None
    window = window_years(found["window"])
    side = f"{100 * found['side_share']:.0f}%"
    answer = found["answer"]
    views = [("p_in", f"P({window})", percent_axis(range=None, rangemode="tozero"), f"P({bloc} in {window})")]
    views.append(
        (
            "median",
            "Median date",
            {"hoverformat": ".1f", "tickformat": "d"},
            f"median crossing date of {bloc}",
        )
    )
    if answer["lead"] is not None:
        views.append(("lead", "Lead", {"hoverformat": "+.1f"}, "median lead, years"))
    figures, options = {}, []
    for key, label, axis, words_of in views:
        middle = answer[key]
        known = [row for row in rows if row[f"{key}_low"] is not None and row[f"{key}_high"] is not None]
        if middle is None or not known:
            continue
        known = sorted(known, key=lambda row: -abs(row[f"{key}_high"] - row[f"{key}_low"]))[:_BARS]
        figures[key] = _bars(known, key, middle, axis, words_of, side)
        options.append((key, label))
    if not figures:
        return None
    choices = [Choice("Of", options)] if len(options) > 1 else []
    if not choices:
        figures = {"": next(iter(figures.values()))}
    keys = [("low", f"lowest {side} of a number", "$bloc4"), ("high", f"highest {side}", "$bloc5")]
    table = Numbers(
        ["number", "P low", "P high", "median low", "median high", "lead low", "lead high"],
        [
            [row["name"], *_cells(row, "p_in", 3), *_cells(row, "median"), *_cells(row, "lead")]
            for row in rows[:30]
        ],
        f"The answer in the {side} of draws with the lowest and with the highest values",
    )  # fmt: skip
    return Chart("tornado", "Tornado", figures, choices, keys, table, "", 110 + 26 * min(len(rows), _BARS))


def _cells(row: Mapping[str, Any], key: str, digits: int = 2) -> list[str]:
    values = (row[f"{key}_{side}"] for side in ("low", "high"))
    return ["-" if value is None else f"{value:.{digits}f}" for value in values]


def _bars(
    rows: Sequence[Mapping[str, Any]], key: str, middle: float, axis: dict[str, Any], title: str, side: str
) -> Figure:
    names = [words(row["name"]) for row in rows]
    traces: list[Trace] = []
    for end, colour in (("low", "$bloc4"), ("high", "$bloc5")):
        values = [float(row[f"{key}_{end}"]) for row in rows]
        shown = (
            "%{customdata:.1%}"
            if key == "p_in"
            else "%{customdata:.1f}"
            if key == "median"
            else "%{customdata:+.1f}"
        )
        traces.append(
            {
                "type": "bar", "orientation": "h", "y": names,
                "base": middle, "x": fixed((value - middle for value in values), 4),
                "customdata": fixed(values, 4), "marker": {"color": colour}, "legendgroup": end,
                "name": f"{'lowest' if end == 'low' else 'highest'} {side}",
                "hovertemplate": f"%{{y}}, %{{fullData.name}}: {shown}<extra></extra>",
            }
        )  # fmt: skip
    plan = layout(
        title, "", barmode="overlay", bargap=0.3, xaxis=axis,
        yaxis={**_NAMES, "tickfont": {"size": 11, "color": "$soft"}},
        shapes=[
            {
                "type": "line", "xref": "x", "yref": "paper", "x0": middle, "x1": middle, "y0": 0, "y1": 1,
                "line": {"color": "$ink", "width": 1},
            }
        ],
    )  # fmt: skip
    first = rows[0]
    low, high = (_answer(key, first[f"{key}_{end}"]) for end in ("low", "high"))
    note = (
        f"{title[:1].upper()}{title[1:]}: in all draws {_answer(key, middle)} (upright line), and in the "
        f"{side} of draws with the lowest and highest values of a number. The widest is {first['name']}: "
        f"{low} where it is low, {high} where it is high."
    )
    return Figure(traces, plan, note)


def _answer(key: str, value: float) -> str:
    return f"{100 * value:.1f}%" if key == "p_in" else f"{value:.1f}"


def _shares(found: Mapping[str, Any], bloc: str) -> Chart | None:
    rows = [*((row["name"], row["variance_share"]) for row in found["drivers"])]
    if not rows:
        return None
    left = found["unexplained"]["variance_share"]
    rows.append(("luck, and what is not explained", left))
    trace = {
        "type": "bar", "orientation": "h", "y": [words(name) for name, _ in rows],
        "x": fixed((max(share, 0.0) for _, share in rows), 4),
        "marker": {"color": ["$bloc0"] * (len(rows) - 1) + ["$bipolar"]},
        "hovertemplate": "%{y}: %{x:.1%}<extra></extra>",
    }  # fmt: skip
    plan = layout(
        "share of the variance of the crossing date", "", xaxis=percent_axis(range=None, rangemode="tozero"),
        yaxis=_NAMES, bargap=0.3,
    )  # fmt: skip
    note = (
        f"Share of the variance of the crossing date of {bloc} that each driver's parameters explain "
        "(Shapley effects)."
    )
    table = Numbers(["driver", "share"], [[name, f"{100 * share:.1f}%"] for name, share in rows])
    return Chart(
        "drivers", "Drivers", {"": Figure([trace], plan, note)}, [], [], table, "", 90 + 26 * len(rows)
    )
