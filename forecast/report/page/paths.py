"""Quantities over time: fan charts with the evidence over them, and the shares of states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from forecast.dates import decimal_year
from forecast.report.page.chart import (
    Chart,
    Choice,
    Figure,
    Floats,
    Numbers,
    Trace,
    band,
    date_axis,
    days,
    fixed,
    layout,
    line,
    numbers,
    percent_axis,
    sentence,
    window_shapes,
    words,
    wrapped,
)
from forecast.report.page.material import Block, Material
from forecast.report.terminal import compact
from forecast.results.trajectories import NotAvailable

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

_EVERY = 3  # months between points: finer than a curve to the horizon shows
_TITLE = "Every quantity over time"


def quantities(material: Material) -> Block:
    """Fan charts of every quantity by bloc, with evidence points."""
    try:
        chosen = _moments(material)
        names = [str(name) for name in material.paths.projection.data_vars]
    except NotAvailable as error:
        return Block("quantities", _TITLE, missing=sentence(error))
    figures: dict[str, Figure] = {}
    rows: list[list[str]] = []
    for name in names:
        made = _figure(material, name, chosen)
        if made is not None:
            figures[name], lines = made
            rows += lines
    if not figures:
        return Block("quantities", _TITLE, missing="This run has no trajectory of a bloc.")
    options = [(name, material.paths.long_name(name)) for name in figures]
    inputs, why = material.inputs
    lead = (
        "Lines are medians; the bands hold 50% and 90% of the accepted draws. The bands are of the model's "
        "quantity, without the scatter of a single measurement about it."
    )
    lead += " Points are evidence, with its interval where the source gives one." if inputs else f" {why}"
    heads = [f"{year}" for year in _table_years(material)]
    table = Numbers(
        ["quantity", "bloc", "unit", *heads], rows, "Median (5% to 95%) at the beginning of a year"
    )
    caption = (
        "Hollow points: rows that no measurement model was fitted to. The pointer over a point shows its "
        "name, value, date and source."
        if inputs
        else ""
    )
    chart = Chart(
        "fan", "Trajectories", figures, [Choice("Quantity", options)], material.groups, table, caption, 430,
        {"months": days(material.paths.years[chosen])},
    )  # fmt: skip
    return Block("quantities", _TITLE, lead=lead, charts=[chart])


def _moments(material: Material) -> Any:
    """Indices of the stored dates that are drawn."""
    count = material.paths.years.size
    return np.unique([*range(0, count, _EVERY), count - 1])


def _table_years(material: Material) -> list[int]:
    first, last = material.worldview.as_of.year, int(material.paths.years[-1])
    wanted = {first, first + 2, first + 4, first + 9, first + 14, first + 24, last}
    return sorted(year for year in wanted if year <= last)


def _figure(material: Material, name: str, chosen: Any) -> tuple[Figure, list[list[str]]] | None:
    variable = material.paths.projection[name]
    title = material.paths.long_name(name)
    if "states" in variable.attrs and "bloc" not in variable.dims:
        states = [part.strip() for part in str(variable.attrs["states"]).split(",")]
        return _states(material, name, title, states, chosen), []
    try:
        values = material.paths.values(name)
    except NotAvailable:  # of channels, or of no bloc
        return None
    unit = material.paths.unit(name)
    logs = unit.startswith("log10 ")
    shown = unit.removeprefix("log10 ")
    at = material.paths.years
    traces: list[Trace] = []
    rows: list[list[str]] = []
    for index, bloc in enumerate(material.paths.blocs):
        own = values[:, index][:, chosen]
        if not np.isfinite(own).any():
            continue
        spread = _spread(own, logs)
        traces += _fan(material, bloc, spread, at[chosen], shown)
        rows.append(_row(material, title, bloc, shown, at[chosen], spread))
    if not traces:
        return None
    low, high = _extent(traces, logs)
    traces += list(_points(material, name, shown, logs))
    axis = _log_axis(shown, low, high) if logs else {}
    marks = window_shapes(material.summary["window"], material.summary["as_of"])
    plan = layout(
        "", _axis_title(shown, logs), xaxis=date_axis(float(at[0]), float(at[-1])), yaxis=axis,
        hovermode="closest", **marks,
    )  # fmt: skip
    scale = ", logarithmic axis" if logs else ""
    note = f"{title}, in {shown or 'no unit'}{scale}: median with 50% and 90% bands."
    return Figure(traces, plan, note), rows


_MINUTES = {
    1 / 60: "1 s", 1.0: "1 min", 60.0: "1 h", 6e3: "100 h", 6e5: "10,000 h", 6e7: "1M h", 6e9: "100M h",
    6e11: "10B h", 6e13: "1T h",
}  # fmt: skip
"""Ticks of an axis in minutes."""


def _log_axis(unit: str, low: float, high: float) -> dict[str, Any]:
    axis: dict[str, Any] = {"type": "log", "exponentformat": "B", "minexponent": 4, "range": [low, high]}
    if high - low >= 3:
        axis["dtick"] = int(np.ceil((high - low) / 9))  # decades, without the 2 and 5 between them
    if unit == "minute":
        axis |= {"tickvals": list(_MINUTES), "ticktext": list(_MINUTES.values())}
    elif high > 15:
        axis |= {"exponentformat": "power", "tickfont": {"size": 10, "color": "$soft"}}
    return axis


def _axis_title(unit: str, logs: bool) -> str:
    named = {"OOM": "orders of magnitude (OOM)", "share": "share", "minute": "length of a task"}.get(
        unit, unit
    )
    return f"{named} (log scale)" if logs else named


def _spread(own: Floats, logs: bool) -> Floats:
    """Quantiles over draws, (level, time), in the unit that is shown; NaN where no draw has one."""
    with np.errstate(invalid="ignore", over="ignore"):
        counted = np.where(np.isnan(own), np.inf, own) if np.isnan(own).any() else own
        found = np.quantile(
            counted, LEVELS, axis=0, method="inverted_cdf" if np.isinf(counted).any() else "linear"
        )
        return np.asarray(10.0**found if logs else found)


def _extent(traces: Sequence[Trace], logs: bool) -> tuple[float, float]:
    """Decades that the bands fill, with a little room."""
    known = [
        value for trace in traces for value in trace["y"] if value is not None and (value > 0 or not logs)
    ]
    if not logs or not known:
        return 0.0, 1.0
    low, high = float(np.log10(min(known))), float(np.log10(max(known)))
    room = max(0.03 * (high - low), 0.05)
    return round(low - room, 3), round(high + room, 3)


def _fan(material: Material, bloc: str, spread: Floats, at: Floats, unit: str) -> list[Trace]:
    finite = np.isfinite(spread).all(axis=0)
    spread = spread[:, finite]
    x: Any = {"shared": "months"} if finite.all() else days(at[finite])
    colour, title = material.colours[bloc], material.titles[bloc]
    low, quarter, middle, three_quarters, high = (numbers(row, 3) for row in spread)
    return [
        *band(x, low, high, f"{colour}@0.14", legendgroup=bloc),
        *band(x, quarter, three_quarters, f"{colour}@0.24", legendgroup=bloc),
        line(
            x, middle, colour, title, legendgroup=bloc,
            customdata=[
                f"{compact(median)} ({compact(least)} to {compact(most)})"
                for least, _, median, _, most in spread.T
            ],
            hovertemplate=f"%{{x}}, median (90%):<br>%{{customdata}} {words(unit)}"
            "<extra>%{fullData.name}</extra>",
        ),
    ]  # fmt: skip


def _row(material: Material, title: str, bloc: str, unit: str, at: Floats, spread: Floats) -> list[str]:
    cells = []
    for year in _table_years(material):
        low, _, middle, _, high = spread[:, int(np.argmin(np.abs(at - year)))]
        known = np.isfinite([low, middle, high]).all()
        cells.append(f"{compact(middle)} ({compact(low)} to {compact(high)})" if known else "-")
    return [title, material.titles[bloc], unit, *cells]


def _points(material: Material, name: str, unit: str, logs: bool) -> Iterator[Trace]:
    """Rows of evidence on a quantity, in its own unit, one trace a bloc and kind."""
    inputs, _ = material.inputs
    first = float(material.paths.years[0])
    kinds: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for row in inputs.get("evidence", ()):
        if name not in row["quantities"] or row["unit"] != unit or not row["date"]:
            continue
        usable = row["value"] is not None and (row["value"] > 0 or not logs)
        if usable and decimal_year(date.fromisoformat(row["date"])) >= first:
            kinds.setdefault((row["bloc"] or "", bool(row["fitted"])), []).append(row)
    for (bloc, fitted), rows in kinds.items():
        colour = material.colours.get(bloc, "$faint")
        errors = [_error(row) for row in rows]
        trace: Trace = {
            "type": "scatter", "mode": "markers", "x": [row["date"] for row in rows],
            "y": numbers([row["value"] for row in rows]), "legendgroup": bloc, "name": "evidence",
            "marker": {
                "size": 7, "color": colour if fitted else "$paper",
                "line": {"color": "$paper" if fitted else colour, "width": 1},
            },
            "text": [_hover(row, unit) for row in rows],
            "hovertemplate": "%{text}<extra></extra>",
        }  # fmt: skip
        if any(low or high for low, high in errors):
            trace["error_y"] = {
                "type": "data", "symmetric": False, "arrayminus": numbers([low for low, _ in errors]),
                "array": numbers([high for _, high in errors]),
                "color": f"{colour}@0.7", "thickness": 1, "width": 2,
            }  # fmt: skip
        yield trace


def _error(row: Mapping[str, Any]) -> tuple[float, float]:
    value = row["value"]
    low, high = row["low"], row["high"]
    return (0.0 if low is None else max(value - low, 0.0)), (0.0 if high is None else max(high - value, 0.0))


def _hover(row: Mapping[str, Any], unit: str) -> str:
    value = compact(row["value"])
    if row["low"] is not None and row["high"] is not None:
        value += f" ({compact(row['low'])} to {compact(row['high'])})"
    kind = "" if row["fitted"] else " (not fitted)"
    lines = [
        f"<b>{wrapped(row['name'])}</b>{kind}",
        f"{words(row['date'])}: {words(value)} {words(unit)}",
        wrapped(row["source"]),
    ]
    return "<br>".join(lines)


def _states(material: Material, name: str, title: str, states: Sequence[str], chosen: Any) -> Figure:
    """Shares of a state over time, stacked."""
    variable = material.paths.projection[name].transpose("chain", "draw", "time").to_numpy()
    values = variable.reshape(-1, variable.shape[-1])[material.paths.accepted][:, chosen]
    x = {"shared": "months"}
    palette = ("$bloc3", "$neither", "$bloc4", "$bloc5", "$bloc2")
    traces = [
        {
            "type": "scatter", "mode": "lines", "x": x, "y": fixed((np.round(values) == index).mean(axis=0)),
            "stackgroup": "states", "name": words(state), "line": {"width": 0.5, "color": palette[index % 5]},
            "fillcolor": palette[index % 5],
            "hovertemplate": "%{x}: %{y:.0%}<extra>%{fullData.name}</extra>",
        }
        for index, state in enumerate(states)
    ]  # fmt: skip
    at = material.paths.years
    as_of = decimal_year(material.worldview.as_of)
    marks = window_shapes(material.summary["window"], material.summary["as_of"])
    marks["shapes"] = marks["shapes"][1:]  # the shading would lie below the areas
    ends = values[:, -1]
    said = ", ".join(
        f"{state} {100 * (np.round(ends) == index).mean():.0f}%" for index, state in enumerate(states)
    )
    plan = layout(
        "", "share of accepted draws", xaxis=date_axis(min(float(at[0]), as_of), float(at[-1])),
        yaxis=percent_axis(), showlegend=True, **marks,
    )  # fmt: skip
    return Figure(traces, plan, f"{title}, as shares of the accepted draws. At the horizon: {said}.")
