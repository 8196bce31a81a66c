"""When each bloc crosses: the headline, the dates, and who leads."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from forecast.dates import decimal_year, end_of
from forecast.report.densities import crossing_density
from forecast.report.page.chart import (
    Chart,
    Choice,
    Figure,
    Floats,
    Numbers,
    date_axis,
    day,
    days,
    fixed,
    layout,
    line,
    numbers,
    percent_axis,
    signed,
    window_shapes,
    window_years,
    words,
)
from forecast.report.page.material import Block, Brought, Material, state_of
from forecast.report.style import percent
from forecast.report.terminal import signed_years
from forecast.results import month_or_never
from forecast.results.reading import crossing_curves
from forecast.results.summary import accepted_draws, crossing_array

_POINTS = 160
_NO_MILESTONE = "This worldview names no milestone, so no crossing date was computed."


def headline(material: Material, brought: Brought) -> Block:
    """The answer in sentences, with its uncertainty and whether to rely on it."""
    summary, found = material.summary, material.milestones
    diagnosis = brought.diagnosis
    said = summary["diagnostics"]
    ok = said["ok"] if diagnosis is None else diagnosis["ok"]
    verdict = said["verdict"] if diagnosis is None else diagnosis["verdict"]
    data: dict[str, Any] = {
        "state": state_of(material, ok),
        "verdict": verdict,
        "window": window_years(summary["window"]),
        "left": summary["window_left_at_as_of"],
        "blocs": [_answer(material, name, bloc) for name in found[:1] for bloc in _blocs(material, name)],
        "lead": None,
        "milestone": "",
        "draws": None,
        "others": [_other(material, name) for name in found[1:]],
        "citation": summary["citation"],
        "mixtures": {} if summary["prior_only"] else summary.get("mixtures", {}),
    }
    if found:
        described = summary["milestones"][found[0]]
        data |= {
            "milestone": described["title"],
            "draws": described["draws"],
            "lead": _lead_words(material, found[0]),
        }
    return Block("answer", "The answer", "headline.html.j2", data, missing="" if found else _NO_MILESTONE)


def _blocs(material: Material, milestone: str) -> dict[str, Any]:
    blocs: dict[str, Any] = material.summary["milestones"][milestone]["blocs"]
    return blocs


def month(value: float | None, horizon: str, form: str = "%B %Y") -> str:
    """A date as "June 2030", or "after 2060"."""
    if value is None:
        return f"after {horizon[:4]}"
    return date.fromisoformat(day(value)).strftime(form)


def _answer(material: Material, milestone: str, bloc: str) -> dict[str, Any]:
    found, horizon = _blocs(material, milestone)[bloc], material.summary["horizon"]
    spread = found["quantiles"]
    return {
        "key": f"milestones.{milestone}.blocs.{bloc}",
        "title": found["title"],
        "colour": material.colours[bloc],
        "median": month(spread["0.5"], horizon),
        "dates": {level: month(value, horizon, "%b %Y") for level, value in spread.items()},
        "quantiles": spread,
        "shares": {key: found[key] for key in ("p_before", "p_in", "p_after", "p_never")},
        "mcse": found["mcse"],
        "inside": found.get("inside"),
    }


def _lead_words(material: Material, milestone: str) -> dict[str, Any] | None:
    lead = material.summary["milestones"][milestone]["lead"]
    if lead is None:
        return None
    titles, spread = material.titles, lead["quantiles"]
    return {
        "key": f"milestones.{milestone}.lead",
        "leader": titles.get(lead["leader"], lead["leader"]),
        "follower": titles.get(lead["follower"], lead["follower"]),
        "median": spread["0.5"],
        "words": {level: signed(signed_years(spread, level)) for level in spread},
        "within": f"{lead['within_years']:g} year{'' if lead['within_years'] == 1 else 's'}",
        "p_bipolar": lead["p_bipolar"],
        "mcse": lead["mcse"]["p_bipolar"],
    }


def _other(material: Material, milestone: str) -> dict[str, Any]:
    described, horizon = material.summary["milestones"][milestone], material.summary["horizon"]
    return {
        "title": described["title"],
        "blocs": [
            {
                "title": bloc["title"],
                "dates": [month_or_never(bloc["quantiles"][one], horizon) for one in ("0.1", "0.5", "0.9")],
                "p_in": bloc["p_in"],
                "mcse": bloc["mcse"]["p_in"],
            }
            for bloc in described["blocs"].values()
        ],
    }


def dates(material: Material) -> Block:
    """Densities and cumulative curves of the crossing dates."""
    lead = (
        "Each curve is one bloc's probability of crossing, by date. The area under a density is the "
        "probability of crossing by the horizon; a cumulative curve ends at it."
    )
    if not material.milestones:
        return Block("dates", "When each bloc crosses", missing=_NO_MILESTONE)
    views = [("density", "Density"), ("cumulative", "Cumulative")]
    figures = {}
    for name in material.milestones:
        figures[f"{name}|density"] = _densities(material, name)
        figures[f"{name}|cumulative"] = _cumulative(material, name)
    titles = [(name, material.summary["milestones"][name]["title"]) for name in material.milestones]
    choices = [Choice("Show", views)]
    choices = ([Choice("Milestone", titles)] if len(titles) > 1 else []) + choices
    if len(titles) == 1:
        figures = {key.partition("|")[2]: figure for key, figure in figures.items()}
    accepted = accepted_draws(material.crossings)
    caption = (
        f"From {int(accepted.sum()):,} accepted of {accepted.size:,} draws. Shaded: the window "
        f"{window_years(material.summary['window'])}; dotted line: the as-of date."
    )
    chart = Chart(
        "crossings",
        "Crossing dates by bloc",
        figures,
        choices,
        material.groups,
        _by_year(material),
        caption,
        400,
    )
    return Block("dates", "When each bloc crosses", lead=lead, charts=[chart])


def _span(material: Material, when: Floats) -> tuple[float, float]:
    view = material.worldview
    return min([decimal_year(view.as_of), *when[np.isfinite(when)].tolist()]), end_of(view.horizon)


def _date_layout(material: Material, when: Floats, **more: Any) -> dict[str, Any]:
    summary = material.summary
    start, end = _span(material, when)
    start = min(start, decimal_year(date.fromisoformat(summary["window"]["start"])))
    marks = window_shapes(summary["window"], summary["as_of"])
    axis = date_axis(start, max(end, end_of(date.fromisoformat(summary["window"]["end"]))))
    return layout("crossing date", xaxis=axis, **marks, **more)


def _densities(material: Material, milestone: str) -> Figure:
    when = crossing_array(material.crossings, milestone)[accepted_draws(material.crossings)]
    bounds = _span(material, when)
    traces, most, said = [], 0.0, []
    horizon = material.summary["horizon"]
    for index, (bloc, title) in enumerate(material.titles.items()):
        at, density = crossing_density(when[:, index], *bounds)
        chosen = _thinned(at)
        at, density = at[chosen], density[chosen]
        most = max(most, float(density.max()))
        colour, spread = material.colours[bloc], _blocs(material, milestone)[bloc]["quantiles"]
        median = month_or_never(spread["0.5"], horizon)
        said.append(f"{title}: median {median}")
        traces.append(
            line(
                days(at), numbers(density), colour, title, legendgroup=bloc, fill="tozeroy",
                fillcolor=f"{colour}@0.14",
                hovertemplate="%{x}: %{y:.3f} per year<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
        if spread["0.5"] is not None:
            traces.append(
                {
                    "type": "scatter", "mode": "markers", "x": [day(spread["0.5"])], "y": [0.0],
                    "marker": {"symbol": "triangle-up", "size": 13, "color": colour}, "legendgroup": bloc,
                    "cliponaxis": False, "name": words(f"{title}: median {median}"),
                    "hovertemplate": "%{fullData.name}<extra></extra>",
                }
            )  # fmt: skip
    axis = {"range": [0, 1.12 * most or 1], "title": {"text": "probability per year"}, "rangemode": "tozero"}
    title = material.summary["milestones"][milestone]["title"]
    return Figure(
        traces,
        _date_layout(material, when, yaxis=axis),
        f"{title}: densities of the crossing dates. {'; '.join(said)}. Triangles mark the medians.",
    )


def _thinned(at: Floats) -> Any:
    """Indices of a few points, evenly among them, both ends included."""
    return np.unique(np.linspace(0, at.size - 1, _POINTS).round().astype(int))


def _cumulative(material: Material, milestone: str) -> Figure:
    when = crossing_array(material.crossings, milestone)[accepted_draws(material.crossings)]
    start, end = _span(material, when)
    at = start + np.expm1(np.linspace(0, np.log1p(end - start), 2 * _POINTS))
    traces, said = [], []
    for index, (bloc, title) in enumerate(material.titles.items()):
        crossed = np.searchsorted(np.sort(when[:, index]), at, side="left") / len(when)
        never = _blocs(material, milestone)[bloc]["p_never"]
        said.append(f"{title}: {percent(1 - never)} by the horizon")
        traces.append(
            line(
                days(at), fixed(crossed, 4), material.colours[bloc], title, legendgroup=bloc,
                hovertemplate="by %{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
    title = material.summary["milestones"][milestone]["title"]
    axis = percent_axis(title={"text": "probability of having crossed"})
    return Figure(
        traces,
        _date_layout(material, when, yaxis=axis, hovermode="x"),
        f"{title}: probability of having crossed by each date. {'; '.join(said)}.",
    )


def _by_year(material: Material) -> Numbers:
    view = material.worldview
    columns: dict[str, dict[str, str]] = {}
    for milestone, bloc, when, p in crossing_curves(
        material.crossings, material.milestones, view.as_of, view.horizon
    ):
        if when.month == 12:
            title = f"{material.summary['milestones'][milestone]['title']}: {material.titles[bloc]}"
            columns.setdefault(title, {})[str(when.year)] = f"{p:.3f}"
    ends = list(next(iter(columns.values()), {}))
    rows = [[year, *(column.get(year, "") for column in columns.values())] for year in ends]
    return Numbers(["by the end of", *columns], rows, "Probability of having crossed")
