"""What was found beside the answer: claims, scenarios, and the sections of plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from forecast.claims.checking import VERDICTS
from forecast.dates import end_of
from forecast.report.claim_words import claim_words
from forecast.report.page.chart import (
    Chart,
    Figure,
    Numbers,
    Trace,
    chance,
    date_axis,
    day,
    layout,
    signed,
    window_shapes,
    words,
)
from forecast.report.page.material import Block, Brought, Material
from forecast.results import month_or_never

_STATES = {
    "consistent": "ok", "likely": "ok", "possible": "unknown", "open": "unknown", "contradicted": "bad",
    "unlikely": "bad",
}  # fmt: skip


def claims(_: Material, brought: Brought) -> Block:
    """What somebody stated, against what the run says."""
    title = "Claims"
    found = brought.claims
    if found is None:
        why = brought.reasons.get("claims", "Claims were not checked for this page.")
        return Block("claims", title, missing=why)
    rows = [
        {
            **claim,
            "words": claim_words(claim),
            "remark": claim["details"].get("remark", ""),
            "state": _STATES.get(claim["verdict"], "prior"),
        }
        for claim in found["claims"]
    ]
    used = dict.fromkeys(claim["verdict"] for claim in found["claims"])
    data = {"claims": rows, "verdicts": {word: VERDICTS[word] for word in used}}
    lead = (
        "Statements with a number or an event, each with a word by a fixed rule. k, M, B, T: thousand to "
        "trillion."
    )
    return Block("claims", title, "claims.html.j2", data, lead)


def scenarios(material: Material, brought: Brought) -> Block:
    """Medians and shifts by scenario, where scenarios were run."""
    title = "Scenarios"
    found = brought.scenarios
    if found is None:
        why = brought.reasons.get(
            "scenarios",
            "No scenario was run on this run: forecast scenario --all runs those that are shipped.",
        )
        return Block("scenarios", title, missing=why)
    try:
        lead = (
            f"{found['milestone_title']}: what changes if. Changes and shifts are of the same draws with and "
            "without the change, unless a scenario was fitted again."
        )
        data, charts = {"tables": list(_tables(found))}, [_medians(material, found)]
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:  # the file has no schema to check by
        why = (
            f"scenarios.json is damaged ({type(error).__name__}: {error}); forecast scenario writes it again."
        )
        return Block("scenarios", title, missing=why)
    return Block("scenarios", title, "scenarios.html.j2", data, lead, charts)


def _named(found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, one in found["scenarios"].items():
        yield one.get("title") or name.replace("-", " "), one


def _tables(found: Mapping[str, Any]) -> Iterator[Numbers]:
    horizon = found["horizon"]
    for bloc, base in found["base"]["blocs"].items():
        rows = [
            [
                "base", month_or_never(base["quantiles"]["0.5"], horizon), "", "",
                chance(base["p_in"], base["mcse"]["p_in"]), "",
            ]
        ]  # fmt: skip
        for title, one in _named(found):
            here = one["blocs"].get(bloc)
            if here is None:
                rows.append([title, *["-"] * 5])
                continue
            years, change = here["shift_years"], here["p_in_change"]
            again = "" if one["paired"] else " *"
            rows.append(
                [
                    f"{title}{again}",
                    month_or_never(here["quantiles"]["0.5"], horizon),
                    _signed(years["0.5"], here["shift_mcse"]),
                    _range(years["0.05"], years["0.95"]),
                    f"{here['p_in']:.3f}",
                    _signed(change, here["p_in_change_mcse"], 3),
                ]
            )
        paired = all(one["paired"] for _, one in _named(found))
        head = ["scenario", "median", "shift, years", "5% to 95%", "P(in the window)", "change"]
        yield Numbers(head, rows, base["title"] + ("" if paired else " (* fitted again)"))


def _range(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{signed(f'{low:+.1f}')} to {signed(f'{high:+.1f}')}"


def _signed(value: float | None, error: float | None, digits: int = 2) -> str:
    if value is None:
        return "-"
    least = 0.5 * 10.0**-digits
    text = f"{value:+.{digits}f}" if abs(value) >= least else f"{0:.{digits}f}"
    return (
        text
        if error is None
        else f"{text} ± {error:.{digits}f}"
        if error >= least
        else f"{text} ± <{2 * least:g}"
    )


def _medians(material: Material, found: Mapping[str, Any]) -> Chart:
    """Medians with 50% intervals, one row a scenario."""
    titles = ["base", *(title for title, _ in _named(found))]
    sides = [found["base"], *(one for _, one in _named(found))]
    last = end_of(date.fromisoformat(found["horizon"]))
    traces: list[Trace] = []
    blocs = list(found["base"]["blocs"])
    for place, bloc in enumerate(blocs):
        colour = material.colours.get(bloc, f"$bloc{place % 6}")
        offset = 0.18 * (place - (len(blocs) - 1) / 2)
        for index, side in enumerate(sides):
            here = side["blocs"].get(bloc)
            if here is None:
                continue
            low, middle, high = (here["quantiles"][level] for level in ("0.25", "0.5", "0.75"))
            ends = [last if value is None else value for value in (low, high)]
            said = words(
                f"{titles[index]}, {here['title']}: median {month_or_never(middle, found['horizon'])}, 50% "
                f"{month_or_never(low, found['horizon'])} to {month_or_never(high, found['horizon'])}"
            )
            shared = {
                "type": "scatter",
                "legendgroup": bloc,
                "text": said,
                "hovertemplate": "%{text}<extra></extra>",
            }
            traces.append(
                {
                    **shared, "mode": "lines",
                    "x": [day(min(one, last - 0.01)) for one in ends], "y": [index + offset] * 2,
                    "line": {"color": f"{colour}@0.55", "width": 4},
                }
            )  # fmt: skip
            if middle is not None:
                traces.append(
                    {
                        **shared, "mode": "markers", "x": [day(middle)], "y": [index + offset],
                        "marker": {"color": colour, "size": 10, "line": {"color": "$paper", "width": 1}},
                    }
                )  # fmt: skip
    marks = window_shapes(material.summary["window"], material.summary["as_of"])
    plan = layout(
        "crossing date", xaxis=date_axis(float(found["as_of"][:4]), last),
        yaxis={
            "tickmode": "array", "tickvals": list(range(len(titles))),
            "ticktext": [words(title) for title in titles],
            "range": [len(titles) - 0.5, -0.6], "fixedrange": True,
        },
        **marks,
    )  # fmt: skip
    note = "Median crossing date of each bloc (points) with the middle half of the draws (bars), by scenario."
    return Chart(
        "scenarios-chart", "Medians by scenario", {"": Figure(traces, plan, note)}, [], material.groups,
        height=100 + 40 * len(titles),
    )  # fmt: skip


def plugins(_: Material, brought: Brought) -> Block:
    """Sections that plugins add."""
    title = "From plugins"
    if not brought.sections:
        return Block("plugins", title, missing="No plugin that is loaded has a section for this run.")
    return Block("plugins", title, "plugins.html.j2", {"sections": list(brought.sections)})
