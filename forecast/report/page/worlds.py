"""Who leads, and whether one bloc is alone: worlds by limit, and the lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from forecast.errors import ForecastError
from forecast.report.densities import lead_density
from forecast.report.page.chart import (
    Chart,
    Figure,
    Floats,
    Numbers,
    chance,
    fixed,
    layout,
    note,
    numbers,
    percent_axis,
    signed,
    words,
)
from forecast.report.page.material import Block, Material
from forecast.report.style import percent
from forecast.report.terminal import signed_years
from forecast.results import lead_years
from forecast.results.summary import accepted_draws, crossing_array
from forecast.results.worlds import describe_worlds
from forecast.wording import neither

BIPOLAR, NEITHER = "$bipolar", "$neither"


def worlds(material: Material) -> Block:
    """Shares of unipolar, bipolar and neither, and the lead in years."""
    title = "Who leads, and whether alone"
    try:
        found = describe_worlds(
            material.crossings,
            material.worldview,
            run_id=material.stored.id,
            prior_only=material.summary["prior_only"],
        )
    except ForecastError as error:  # no milestone, or one bloc
        return Block("worlds", title, missing=str(error))
    limit = _limit(found["within_years"])
    lead = (
        f"{found['title']}: a world is unipolar where one bloc has it alone for {limit}, and bipolar where a "
        "second follows sooner."
    )
    charts = [_shares(found, material)]
    if found["lead"] is not None:
        charts.append(_lead(found, material))
    else:
        lead += " This worldview names no lead between two of its blocs."
    return Block("worlds", title, lead=lead, charts=charts)


def _limit(years: float) -> str:
    return "1 year" if years == 1 else f"{years:g} years"


def _kinds(found: Mapping[str, Any], material: Material) -> Iterator[tuple[str, str, str, str]]:
    """Key, bloc, words and colour: the leader alone, bipolar, the other blocs alone, neither."""
    blocs = list(found["blocs"])
    first = found["lead"]["leader"] if found["lead"] else blocs[0]

    def alone(bloc: str) -> tuple[str, str, str, str]:
        return ("p_unipolar", bloc, f"{found['blocs'][bloc]} alone", material.colours[bloc])

    yield alone(first)
    yield ("p_bipolar", "", "bipolar", BIPOLAR)
    yield from (alone(bloc) for bloc in blocs if bloc != first)
    yield ("p_neither", "", f"{neither(len(blocs))} by {found['horizon'][:4]}", NEITHER)


def _share(row: Mapping[str, Any], key: str, bloc: str) -> tuple[float, float]:
    if bloc:
        return float(row[key][bloc]), float(row["mcse"][key][bloc])
    return float(row[key]), float(row["mcse"][key])


def _shares(found: Mapping[str, Any], material: Material) -> Chart:
    rows = found["by_within"]
    limits = [_limit(row["within_years"]) for row in rows]
    kinds = list(_kinds(found, material))
    traces = []
    for key, bloc, title, colour in kinds:
        shares = [_share(row, key, bloc) for row in rows]
        traces.append(
            {
                "type": "bar", "orientation": "h", "name": words(title), "y": limits,
                "x": fixed((share for share, _ in shares), 4), "marker": {"color": colour},
                "text": [percent(share) if share >= 0.06 else "" for share, _ in shares],
                "textposition": "inside", "insidetextanchor": "middle", "textangle": 0,
                "constraintext": "none",
                "textfont": {"color": "$ink" if colour in (BIPOLAR, NEITHER) else "$onbloc", "size": 12},
                "customdata": [f"{error:.3f}" for _, error in shares],
                "hovertemplate": "%{fullData.name}: %{x:.1%} ± %{customdata}<extra>limit %{y}</extra>",
            }
        )  # fmt: skip
    table = Numbers(
        ["limit", *(title for _, _, title, _ in kinds)],
        [
            [limit, *(chance(*_share(row, key, bloc)) for key, bloc, _, _ in kinds)]
            for limit, row in zip(limits, rows, strict=True)
        ],
        "Shares of accepted draws, with Monte Carlo standard errors",
    )
    main = found["worlds"]
    said = "; ".join(f"{title} {percent(_share(main, key, bloc)[0])}" for key, bloc, title, _ in kinds)
    axes = {
        "xaxis": percent_axis(),
        "yaxis": {"autorange": "reversed", "type": "category", "fixedrange": True},
    }
    figure = Figure(
        traces,
        layout(
            "share of accepted draws",
            "limit between unipolar and bipolar",
            barmode="stack",
            bargap=0.28,
            **axes,
        ),
        "Shares of worlds by the limit between unipolar and bipolar. At "
        f"{_limit(found['within_years'])}: {said}.",
    )
    keys = [(title, title, colour) for _, _, title, colour in kinds]
    for trace, (title, _, _) in zip(traces, keys, strict=True):
        trace["legendgroup"] = title
    caption = "The same draws, sorted by other limits than the worldview's too."
    return Chart(
        "shares", "One bloc alone, or two", {"": figure}, [], keys, table, caption, 90 + 46 * len(rows)
    )


def _lead(found: Mapping[str, Any], material: Material) -> Chart:
    lead, blocs = found["lead"], list(found["blocs"])
    when = crossing_array(material.crossings, found["milestone"])[accepted_draws(material.crossings)]
    years = lead_years(when[:, blocs.index(lead["leader"])], when[:, blocs.index(lead["follower"])])
    finite = years[np.isfinite(years)]
    limit = found["within_years"]
    low, high = (-1.0, 1.0) if finite.size == 0 else np.quantile(finite, [0.01, 0.97])
    low, high = min(float(low), -1.5 * limit, -1.0), max(float(high), 1.5 * limit, 1.0)
    at, density = lead_density(years, low, high, points=300)
    leader, follower = (found["blocs"][lead[key]] for key in ("leader", "follower"))
    traces = []
    for name, colour, chosen in (
        (f"{follower} ahead by more than {_limit(limit)}", material.colours[lead["follower"]], at <= -limit),
        (f"within {_limit(limit)}", BIPOLAR, (at >= -limit) & (at <= limit)),
        (f"{leader} ahead by more than {_limit(limit)}", material.colours[lead["leader"]], at >= limit),
    ):
        if chosen.any():
            traces.append(_area(at[chosen], density[chosen], name, colour))
    quantiles = lead["quantiles"]
    shown = {level: signed(signed_years(quantiles, level)) for level in quantiles}
    outside = (
        f"Not in the curve: {leader} alone by the horizon {percent(lead['p_leader_alone'])}, {follower} "
        f"alone {percent(lead['p_follower_alone'])}, {neither(len(blocs))} crosses "
        f"{percent(lead['p_neither_crosses'])}."
    )
    marks: dict[str, Any] = {"annotations": [], "shapes": []}
    median = quantiles["0.5"]
    if median is not None and low <= median <= high:
        marks["shapes"].append(
            {
                "type": "line", "xref": "x", "yref": "paper", "x0": median, "x1": median, "y0": 0, "y1": 1,
                "line": {"color": "$ink", "width": 1, "dash": "dash"},
            }
        )  # fmt: skip
        marks["annotations"].append(
            note(f"median {median:+.1f} years", x=median, y=1, xanchor="left", yanchor="bottom")
        )
    figure = Figure(
        traces,
        layout(
            f"lead, years (negative: {follower} first)",
            "probability per year",
            xaxis={"range": [low, high], "hoverformat": "+.1f"},
            yaxis={"rangemode": "tozero"},
            **marks,
        ),
        f"Lead of {leader} over {follower}: median {shown['0.5']} years, 50% between {shown['0.25']} and "
        f"{shown['0.75']}, 90% between {shown['0.05']} and {shown['0.95']}. {outside}",
    )
    table = Numbers(
        ["quantile", f"lead of {leader} over {follower}, years"],
        [[percent(float(level)), shown[level]] for level in quantiles],
    )
    return Chart("lead", f"Lead of {leader} over {follower}", {"": figure}, [], [], table, outside, 320)


def _area(at: Floats, density: Floats, name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "x": fixed(at), "y": numbers(density), "name": words(name),
        "line": {"color": colour, "width": 1.5}, "fill": "tozeroy",
        "fillcolor": colour if colour == BIPOLAR else f"{colour}@0.8",
        "hovertemplate": "%{x} years: %{y:.3f} per year<extra>%{fullData.name}</extra>",
    }  # fmt: skip
