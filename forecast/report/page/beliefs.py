"""Priors against posteriors, every row of evidence, and how to make the run again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.report.page.chart import Chart, Choice, Figure, Floats, Trace, layout, numbers
from forecast.report.page.material import Block, Material
from forecast.report.terminal import compact

_BINS = 56
_FINE = 4  # bins that are smoothed, in each that is shown
_SPARK = (110, 26)  # pixels
_MOST = 400
"""Parameters that are drawn; a run of more says how many are left out."""


@dataclass(frozen=True)
class Draws:
    """Finite draws with their quantiles, which are asked for several times."""

    values: Floats
    levels: Mapping[float, float]

    LEVELS = (0.005, 0.05, 0.25, 0.5, 0.75, 0.95, 0.995)

    @classmethod
    def of(cls, values: Any) -> Draws | None:
        """Those that are finite; None where fewer than two are."""
        flat = np.asarray(values, dtype=float).ravel()
        flat = flat[np.isfinite(flat)]
        if flat.size < 2:
            return None
        return cls(flat, dict(zip(cls.LEVELS, np.quantile(flat, cls.LEVELS).tolist(), strict=True)))

    @property
    def words(self) -> str:
        """Median, and the interval from 5% to 95%."""
        return f"{_short(self.levels[0.5])} ({_short(self.levels[0.05])} to {_short(self.levels[0.95])})"


@dataclass(frozen=True)
class Parameter:
    """One number with its draws.

    Attributes
    ----------
    driver, name, place : str
        `place` is its bloc or epoch, blank where it has none.
    unit : str
    prior, posterior : Draws or None
    given : mapping
        Its entry in ``inputs.json``; empty where there is none.
    """

    driver: str
    name: str
    place: str
    unit: str
    prior: Draws | None
    posterior: Draws | None
    given: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Name with its place, without the driver."""
        return f"{self.name.replace('_', ' ')}{f' ({self.place})' if self.place else ''}"


def beliefs(material: Material) -> Block:
    """Prior and posterior density of every parameter."""
    title = "Priors against posteriors"
    found = list(_parameters(material))
    if not found:
        return Block("priors", title, missing="No parameter of this run varies.")
    shown = found[:_MOST]
    rows: dict[str, list[dict[str, Any]]] = {}
    figures, options = {}, []
    for index, one in enumerate(shown):
        at, curves = _densities(one)
        key = f"{one.driver}.{one.name}{f'[{one.place}]' if one.place else ''}"
        figures[str(index)] = _figure(one, key, at, curves)
        options.append((str(index), key))
        rows.setdefault(one.driver, []).append(_row(one, curves))
    _, why = material.inputs
    lead = (
        "Where posterior and prior coincide, the evidence said nothing of a parameter."
        if any(one.posterior is not None for one in shown)
        else "This run drew from the priors alone: there is no posterior."
    )
    if why:
        lead += f" {why}"
    if len(found) > _MOST:
        lead += f" The first {_MOST} of {len(found)} parameters are shown."
    chart = Chart("densities", "Density of a parameter", figures, [Choice("Parameter", options)], height=300)
    data = {"drivers": rows, "has_posterior": any(one.posterior is not None for one in shown)}
    return Block("priors", title, "beliefs.html.j2", data, lead, [chart])


def _parameters(material: Material) -> Iterator[Parameter]:
    tree = material.tree
    groups = {name: tree[name].to_dataset() for name in ("posterior", "prior") if name in tree.children}
    given = {
        (one["driver"], one["name"], one["bloc"], one["epoch"]): one
        for one in material.inputs[0].get("priors", ())
    }
    names = list(dict.fromkeys(str(name) for group in groups.values() for name in group.data_vars))
    for full in names:
        driver, _, name = full.partition(".")
        parts = {group: data[full] for group, data in groups.items() if full in data.data_vars}
        variable = next(iter(parts.values()))
        own = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        labels = [[str(label) for label in variable[dim].to_numpy()] for dim in own]
        for index in np.ndindex(*(len(one) for one in labels)):
            place = [label[at] for label, at in zip(labels, index, strict=True)]
            draws = {
                group: Draws.of(
                    one.transpose("chain", "draw", *own).to_numpy()[(slice(None), slice(None), *index)]
                )
                for group, one in parts.items()
            }
            epoch = next(
                (label for dim, label in zip(own, place, strict=True) if str(dim).endswith("epoch")), None
            )
            bloc = next(
                (label for dim, label in zip(own, place, strict=True) if str(dim).endswith("bloc")), None
            )
            entry: Mapping[str, Any] = next(
                (
                    given[key]
                    for key in ((driver, name, b, e) for b in (bloc, None) for e in (epoch, None))
                    if key in given
                ),
                next(
                    (one for key, one in given.items() if key[:2] == (driver, name) and key[3] == epoch), {}
                ),
            )
            yield Parameter(
                driver, name, ", ".join(material.titles.get(label, label) for label in place),
                str(variable.attrs.get("unit", "")), draws.get("prior"), draws.get("posterior"), entry,
            )  # fmt: skip


def _densities(one: Parameter) -> tuple[Floats, dict[str, Floats]]:
    """Densities on one grid over the central draws of both."""
    there = {
        name: draws
        for name, draws in (("prior", one.prior), ("posterior", one.posterior))
        if draws is not None
    }
    if not there:
        return np.zeros(0), {}
    low = min(draws.levels[0.005] for draws in there.values())
    high = max(draws.levels[0.995] for draws in there.values())
    if not high > low:
        low, high = low - 0.5, high + 0.5
    step = (high - low) / _BINS
    at = np.asarray(low + step * (np.arange(_BINS) + 0.5), dtype=float)
    return at, {name: _density(draws, low, high) for name, draws in there.items()}


def _density(draws: Draws, low: float, high: float) -> Floats:
    """Gaussian kernel on fine bins, reflected at both ends, read at the middle of coarse ones."""
    fine, count = _FINE * _BINS, draws.values.size
    step = (high - low) / fine
    counts = np.histogram(draws.values, bins=fine, range=(low, high))[0] / (count * step)
    quarters = (draws.levels[0.75] - draws.levels[0.25]) / 1.34
    spread = min([one for one in (float(draws.values.std()), quarters) if one > 0], default=step)
    width = max(0.9 * spread * count**-0.2, step)
    reach = min(int(np.ceil(4 * width / step)), fine)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    wide = np.concatenate([counts[::-1], counts, counts[::-1]])
    smooth = np.convolve(wide, kernel / kernel.sum(), mode="same")[fine : 2 * fine]
    return np.asarray(smooth.reshape(_BINS, _FINE).mean(axis=1))


def _figure(one: Parameter, key: str, at: Floats, curves: Mapping[str, Floats]) -> Figure:
    traces: list[Trace] = []
    for name, density in curves.items():
        colour = "$faint" if name == "prior" else "$bloc0"
        traces.append(
            {
                "type": "scatter", "mode": "lines", "name": name,
                "x0": float(f"{at[0]:.6g}"), "dx": float(f"{at[1] - at[0]:.6g}"), "y": numbers(density, 3),
                "line": {"color": colour, "width": 2}, "fill": "tozeroy", "fillcolor": f"{colour}@0.18",
                "hovertemplate": f"{name}<br>%{{x:.4~g}}<extra></extra>",
            }
        )  # fmt: skip
    said = "; ".join(
        f"{name} {draws.words}"
        for name, draws in (("prior", one.prior), ("posterior", one.posterior))
        if draws is not None
    )
    axis = {"showticklabels": False, "showgrid": False, "rangemode": "tozero"}
    plan = layout(f"{key}, {one.unit}", "density", yaxis=axis, showlegend=len(curves) > 1)
    return Figure(traces, plan, f"{key}, {one.unit}: {said} (median, 5% to 95%).")


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else compact(float(value))


def _row(one: Parameter, curves: Mapping[str, Floats]) -> dict[str, Any]:
    wide, tall = _SPARK
    most = max((float(curve.max()) for curve in curves.values()), default=0.0) or 1.0
    paths = {
        name: "M" + "L".join(
            f"{index * wide / (_BINS - 1):.1f} {tall - (tall - 2) * value / most:.1f}"
            for index, value in enumerate(curve)
        )
        for name, curve in curves.items()
    }  # fmt: skip
    return {
        "title": one.title,
        "unit": one.unit,
        "prior": one.given.get("prior", ""),
        "judgement": bool(one.given.get("judgement")),
        "source": one.given.get("source", ""),
        "origin": one.given.get("origin", ""),
        "before": "" if one.prior is None else one.prior.words,
        "after": "" if one.posterior is None else one.posterior.words,
        "paths": paths,
    }


def evidence(material: Material) -> Block:
    """Every row of evidence, with its source."""
    title = "The evidence"
    inputs, why = material.inputs
    if not inputs:
        return Block("evidence", title, missing=why)
    if not inputs["evidence"]:
        return Block("evidence", title, missing="This run read no evidence.")
    described = {(one["driver"], one["table"]): one for one in inputs.get("tables", ())}
    tables: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in inputs["evidence"]:
        tables.setdefault((row["driver"], row["table"]), []).append(
            row | {"shown": _value(row), "place": material.titles.get(row["bloc"], row["bloc"])}
        )
    listed = [
        {
            "driver": driver,
            "table": table,
            "title": described.get((driver, table), {}).get("title", table),
            "description": described.get((driver, table), {}).get("description", ""),
            "licence": described.get((driver, table), {}).get("licence", ""),
            "rows": rows,
            "fitted": sum(bool(row["fitted"]) for row in rows),
        }
        for (driver, table), rows in tables.items()
    ]
    count = len(inputs["evidence"])
    used = sum(one["fitted"] for one in listed)
    lead = f"{count:,} rows in {len(listed)} tables were public by the as-of date. " + (
        "This run used none of them."
        if material.summary["prior_only"]
        else f"The fit reads {used:,} of them."
    )
    return Block("evidence", title, "evidence.html.j2", {"tables": listed}, lead)


def _value(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return ""
    text = _amount(row["value"])
    if row["low"] is not None and row["high"] is not None:
        level = "" if row["level"] is None else f", {100 * row['level']:g}%"
        text += f" ({_amount(row['low'])} to {_amount(row['high'])}{level})"
    return text


def _amount(value: float) -> str:
    return f"{value:.4g}" if 0.001 <= abs(value) < 10_000 or value == 0 else compact(value)


def again(material: Material) -> Block:
    """How to make the run again."""
    manifest = material.stored.manifest
    command = manifest.get("command") or ["run"]
    given = manifest.get("settings")
    settings = dict(given) if isinstance(given, Mapping) else {}
    sampler = settings.pop("sampler", {})
    shown = {**sampler, **settings} if isinstance(sampler, Mapping) else settings
    data = {
        "command": shlex.join(["forecast", *map(str, command)]),
        "install": str(manifest.get("install") or "uv pip install agi-forecast"),
        "rerun": f"forecast rerun {material.stored.id}",
        "tables": [
            ("Settings", {key.replace("_", " "): value for key, value in shown.items()}),
            ("Versions", manifest.get("versions", {})),
            ("Drivers", manifest.get("drivers", {})),
            ("Evidence rows", manifest.get("evidence", {})),
            ("SHA-256", manifest.get("hashes", {})),
            ("Seconds", manifest.get("timings", material.summary["timings"])),
        ],
        "created": manifest.get("created", ""),
        "plugins": manifest.get("plugins", []),
        "worldview": material.worldview.to_toml(),
    }
    lead = (
        "On the same platform, with the same versions, the result is the same to the last bit; another "
        "platform or another version of a package may differ in its draws."
    )
    return Block("again", "How to reproduce it", "again.html.j2", data, lead)
