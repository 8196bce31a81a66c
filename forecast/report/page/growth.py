"""What made the growth: contributions of drivers over time, stacked, by bloc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.report.page.chart import (
    Chart,
    Choice,
    Figure,
    Floats,
    Numbers,
    Trace,
    date_axis,
    days,
    fixed,
    layout,
    line,
    sentence,
    window_shapes,
    words,
)
from forecast.report.page.material import Block, Material
from forecast.results.growth import describe_growth
from forecast.results.trajectories import NotAvailable

_SMALL = 0.15
"""Parts that are never larger, in OOM, are drawn as one."""

_PARTS = 11  # colours of parts; one more is for the small ones together


def growth(material: Material) -> Block:
    """What made the growth of effective compute, and of what is behind it."""
    title = "What made the growth"
    try:
        first = describe_growth(material.tree)
    except NotAvailable as error:
        return Block("growth", title, missing=sentence(error))
    found = [first, *(describe_growth(material.tree, name) for name in first["quantities"][1:])]
    parts = _named_parts(found)
    figures = {
        f"{one['quantity']}|{bloc}": _stack(material, one, bloc, parts)
        for one in found
        for bloc in one["blocs"]
    }
    blocs = [(bloc, material.titles.get(bloc, bloc)) for bloc in first["blocs"]]
    choices = [Choice("Of", [(one["quantity"], one["title"]) for one in found]), Choice("Bloc", blocs)]
    lead = (
        f"Growth since {first['since']} told apart: what each driver's terms add, and what limits take, in "
        f"orders of magnitude (1 OOM: tenfold). Means over {first['draws']:,} accepted draws; the parts add "
        "up to the total."
    )
    keys = [(key, words_of, colour) for key, (words_of, colour) in parts.items()]
    caption = "Below zero: what limits take away, against growth without them. The line is the total."
    chart = Chart(
        "stack", "Contributions over time", figures, choices, keys, _table(material, first), caption, 430
    )
    return Block("growth", title, lead=lead, charts=[chart])


def _named_parts(found: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Words and colour of each part that is ever large; of the others together under a blank key."""
    titles: dict[str, str] = {}
    largest: dict[str, float] = {}
    for one in found:
        for at, part in enumerate(one["parts"]):
            titles[part["part"]] = part["title"]
            sizes = [float(np.abs(bloc["parts"][at]).max(initial=0.0)) for bloc in one["blocs"].values()]
            largest[part["part"]] = max([largest.get(part["part"], 0.0), *sizes])
    large = sorted((part for part in titles if largest[part] > _SMALL), key=list(titles).index)
    kept = sorted(sorted(large, key=lambda part: -largest[part])[:_PARTS], key=large.index)
    named = {part: (titles[part], f"$part{index}") for index, part in enumerate(kept)}
    return named | ({"": ("smaller parts", f"$part{_PARTS}")} if len(kept) < len(titles) else {})


def _stack(
    material: Material, found: Mapping[str, Any], bloc: str, named: Mapping[str, tuple[str, str]]
) -> Figure:
    at = days(found["years"])
    sums: dict[str, Floats] = {}
    for part, values in zip(found["parts"], found["blocs"][bloc]["parts"], strict=True):
        key = part["part"] if part["part"] in named else ""
        sums[key] = sums.get(key, np.zeros(len(at))) + np.asarray(values, dtype=float)
    traces: list[Trace] = []
    for key, (title, colour) in named.items():
        if key not in sums:
            continue
        # Gains and losses each in a stack of their own, from zero outwards.
        for values, group in ((sums[key].clip(min=0), "gains"), (sums[key].clip(max=0), "losses")):
            if np.abs(values).max() > 0.005:
                traces.append(
                    {
                        "type": "scatter", "mode": "lines", "x": at, "y": fixed(values), "stackgroup": group,
                        "name": words(title), "legendgroup": key, "fillcolor": f"{colour}@0.8",
                        "line": {"width": 0.5, "color": colour}, "hoveron": "points+fills",
                        "customdata": [f"{value:+.2f}" for value in sums[key]],
                        "hovertemplate": "%{x}: %{customdata} OOM<extra>%{fullData.name}</extra>",
                    }
                )  # fmt: skip
    total = fixed(found["blocs"][bloc]["total"])
    traces.append(line(at, total, "$ink", "total", hovertemplate="%{x}: %{y:+.2f} OOM<extra>total</extra>"))
    marks = window_shapes(material.summary["window"], material.summary["as_of"])
    axis = date_axis(float(found["years"][0]), float(found["years"][-1]))
    plan = layout("", f"OOM since {found['since'][:4]}", xaxis=axis, yaxis={"zeroline": True}, **marks)
    ends = sorted(((values[-1], named[key][0]) for key, values in sums.items()), key=lambda one: -abs(one[0]))
    said = ", ".join(f"{title} {value:+.1f}" for value, title in ends[:4])
    note = (
        f"{found['title']}, {material.titles.get(bloc, bloc)}: {total[-1] or 0.0:+.1f} OOM by "
        f"{material.summary['horizon'][:4]}, of which the largest parts are {said}."
    )
    return Figure(traces, plan, note)


def _table(material: Material, found: Mapping[str, Any]) -> Numbers:
    at = found["years"]
    wanted = sorted({*range(0, len(at), max(1, len(at) // 6)), len(at) - 1})
    rows = []
    for bloc, numbers in found["blocs"].items():
        titles = [*(part["title"] for part in found["parts"]), "total"]
        for title, values in zip(titles, [*numbers["parts"], numbers["total"]], strict=True):
            rows.append(
                [title, material.titles.get(bloc, bloc), *(f"{values[index]:+.2f}" for index in wanted)]
            )
    heads = [f"{at[index]:.0f}" for index in wanted]
    return Numbers(
        ["part", "bloc", *heads], rows, f"{found['title']}: OOM since {found['since']}, to the beginning of"
    )
