"""May the draws be relied on: every check, the worst numbers, and what the sampler says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from forecast.report.diagnosis import should_be, value_words, worst_parameters
from forecast.report.page.chart import (
    Chart,
    Figure,
    Floats,
    Trace,
    fixed,
    layout,
    numbers,
)
from forecast.report.page.material import Block, Brought, Material, state_of

WORDS = {"pass": "passed", "fail": "failed", "not-available": "not available"}

_RANK_BINS = 20
_ROWS = 12


def diagnostics(material: Material, brought: Brought) -> Block:
    """Every check, with what to do about a failure."""
    title = "May the draws be relied on?"
    found = brought.diagnosis
    if found is None:
        why = brought.reasons.get("diagnosis", "The diagnosis was not made for this page.")
        return Block("diagnostics", title, missing=why)
    deciding = set(found["deciding"])
    checks = [
        {
            **check,
            "word": WORDS[check["state"]],
            "shown": value_words(check),
            "limit": should_be(check),
            "decides": check["code"] in deciding,
            "references": found["references"].get(check["code"], []),
        }
        for check in found["checks"]
    ]
    data = {
        "state": state_of(material, found["ok"]),
        "verdict": found["verdict"],
        "checks": checks,
        "draws": found["draws"],
        "parameters": worst_parameters(found, _ROWS),
        "count": len(found["parameters"]),
        "tables": found["tables"],
        "influential": found["influential"][:20],
        "conflicts": found["conflicts"][:20],
        "unmoved": found["unmoved"],
        "set": found["thresholds_set"],
    }  # fmt: skip
    charts = [] if material.summary["prior_only"] else list(_sampler(material, found))
    return Block("diagnostics", title, "diagnostics.html.j2", data, charts=charts, charts_last=True)


def _sampler(material: Material, found: Mapping[str, Any]) -> Iterator[Chart]:
    """Ranks of the number with the largest R-hat, and the sampler's energy."""
    rows = [row for row in found["parameters"] if row["r_hat"] is not None]
    rows.sort(key=lambda row: -row["r_hat"])
    for row in rows:
        draws = _draws_of(material, row["name"])
        if draws is not None:
            yield _ranks(draws, row)
            break
    if "sample_stats" in material.tree.children and "energy" in material.tree["sample_stats"]:
        energy = material.tree["sample_stats"]["energy"].transpose("chain", "draw").to_numpy().astype(float)
        if np.isfinite(energy).all() and energy.shape[1] > 10:
            yield _energy(energy)


def _draws_of(material: Material, name: str) -> Floats | None:
    """Draws (chain, draw) of a number such as ``investment.growth[china]``; None for a crossing date."""
    full, _, place = name.rstrip("]").partition("[")
    if "posterior" not in material.tree.children or full not in material.tree["posterior"]:
        return None
    variable = material.tree["posterior"].to_dataset()[full]
    labels = place.split(", ") if place else []
    for dim, label in zip(
        [dim for dim in variable.dims if dim not in ("chain", "draw")], labels, strict=False
    ):
        matching = [at for at, one in enumerate(variable[dim].to_numpy()) if str(one) == label]
        if not matching:
            return None
        variable = variable.isel({dim: matching[0]})
    if set(variable.dims) != {"chain", "draw"}:
        return None
    return np.asarray(variable.transpose("chain", "draw").to_numpy(), dtype=float)


def _ranks(draws: Floats, row: Mapping[str, Any]) -> Chart:
    ranks = draws.ravel().argsort(kind="stable").argsort(kind="stable").reshape(draws.shape)
    expected = draws.shape[1] / _RANK_BINS
    edges = np.linspace(0, draws.size, _RANK_BINS + 1)
    traces: list[Trace] = []
    for chain, own in enumerate(ranks):
        counts = np.histogram(own, bins=edges)[0] / expected
        traces.append(
            {
                "type": "scatter", "mode": "lines", "name": f"chain {chain}",
                "line": {"shape": "hvh", "width": 1.5, "color": f"$part{chain % 11}"},
                "x": fixed((edges[1:] + edges[:-1]) / 2 / draws.size), "y": fixed(counts),
                "hovertemplate": "%{y:.2f} of the expected count<extra>%{fullData.name}</extra>",
            }
        )  # fmt: skip
    note = (
        f"Ranks of {row['name']}, the number with the largest R-hat ({row['r_hat']:.4f}), by chain: where "
        "chains agree, each line lies about 1."
    )
    plan = layout(
        "rank among all draws", "count by expected count", xaxis={"range": [0, 1], "tickformat": ".0%"},
        yaxis={"rangemode": "tozero"}, showlegend=len(draws) <= 8,
    )  # fmt: skip
    return Chart("ranks", "Where the chains agree least", {"": Figure(traces, plan, note)}, height=260)


def _energy(energy: Floats) -> Chart:
    marginal, moves = (energy - energy.mean()).ravel(), np.diff(energy, axis=1).ravel()
    reach = float(np.quantile(np.abs(np.concatenate([marginal, moves])), 0.998))
    edges = np.linspace(-reach, reach, 49)
    traces: list[Trace] = []
    for name, values, colour in (
        ("energy", marginal, "$bloc0"),
        ("its change from draw to draw", moves, "$bloc1"),
    ):
        density = np.histogram(values, bins=edges, density=True)[0]
        traces.append(
            {
                "type": "scatter", "mode": "lines", "name": name,
                "x": numbers((edges[1:] + edges[:-1]) / 2), "y": numbers(density, 3),
                "line": {"color": colour, "width": 1.5, "shape": "spline"}, "fill": "tozeroy",
                "fillcolor": f"{colour}@0.14", "hoverinfo": "skip",
            }
        )  # fmt: skip
    note = (
        "Energy of the sampler about its mean, and its change from draw to draw: the second should be about "
        "as wide."
    )
    axis = {"showticklabels": False, "showgrid": False, "rangemode": "tozero"}
    plan = layout("energy less its mean", "density", yaxis=axis, showlegend=True)
    return Chart("energy", "Energy", {"": Figure(traces, plan, note)}, height=260)
