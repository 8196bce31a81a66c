"""The worlds of a run as a picture: the lead, and shares against limit and thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter
from numpy.typing import NDArray

from forecast.report.densities import lead_density
from forecast.report.figures import FAINT, INK, bloc_colours, percent
from forecast.report.picture_file import save_picture
from forecast.results.crossing_summary import lead_years
from forecast.results.summary import accepted_draws, crossing_array
from forecast.wording import neither

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

_BIPOLAR, _NEITHER = "#b3a1c9", "#e4e4e4"
_COLUMNS = 3


def worlds_figure(
    crossings: xr.Dataset, described: Mapping[str, Any], path: Path | None = None, *, run_id: str = ""
) -> Figure:
    """Draw the lead's density, and unipolar, bipolar and neither against limit and thresholds.

    Parameters
    ----------
    crossings : xarray.Dataset
        Group ``crossings`` of the run, for the lead's draws.
    described : mapping
        From :func:`forecast.results.worlds.describe_worlds`.
    path : pathlib.Path, optional
        A picture file to write.
    run_id : str
        For the caption.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ForecastError
        The file cannot be written.
    """
    thresholds = list(described["by_threshold"].items())
    rows = 1 + -(-len(thresholds) // _COLUMNS)
    figure = Figure(figsize=(11.0, 1.5 + 3.5 * rows), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    room, top = 0.75 / figure.get_figheight(), 0.7 / figure.get_figheight()
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1, rect=(0, room, 1, 1 - room - top))  # type: ignore[union-attr,call-arg]
    grid = figure.add_gridspec(rows, 6)
    colours = bloc_colours(list(described["blocs"]))
    if described["lead"] is not None:
        _draw_lead(figure.add_subplot(grid[0, :3]), crossings, described, colours)
        beside = figure.add_subplot(grid[0, 3:])
    else:
        beside = figure.add_subplot(grid[0, :])
    _draw_limits(beside, described, colours)
    _legend(figure, described, colours)
    wide = 6 // min(_COLUMNS, max(1, len(thresholds)))
    for place, (name, found) in enumerate(thresholds):
        row, column = 1 + place // _COLUMNS, place % _COLUMNS
        axes = figure.add_subplot(grid[row, wide * column : wide * (column + 1)])
        _draw_threshold(axes, name, found, described, colours)
        if column:
            axes.set_ylabel("")
    _words(figure, described, run_id)
    if path is not None:
        save_picture(figure, path)
    return figure


def _words(figure: Figure, described: Mapping[str, Any], run_id: str) -> None:
    limit = _years(described["within_years"])
    tall = figure.get_figheight()
    figure.suptitle(
        f"{described['title']}: one bloc alone, or two within {limit}? As of {described['as_of']}",
        x=0.01, y=1 - 0.1 / tall, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    draws = described["draws"]
    basis = "priors alone of worldview" if described["prior_only"] else "worldview"
    caption = (
        f"Conditional on {basis} {described['worldview']!r}, not a prophecy. From "
        f"{draws['total'] - draws['set_aside']:,} accepted of {draws['total']:,} draws; ± is the Monte Carlo "
        "standard error."
    )
    if described["lead"] is not None and len(described["blocs"]) > 2:
        caption += (
            "\nThe lead is one bloc's over another: a third bloc within the limit of the first makes a world "
            "bipolar too, whatever the lead."
        )
    if described["by_threshold"]:
        caption += (
            "\nLower panels: accepted draws in bins of a threshold's own draws, with a bar of two Monte "
            "Carlo standard errors either way in the middle of each share; hatched: fewer than "
            f"{described['min_draws']} draws."
        )
    figure.text(0.01, 0.28 / tall, caption, fontsize=7.5, color=FAINT, va="bottom")
    figure.text(0.01, 0.1 / tall, f"Run {run_id}" if run_id else "", fontsize=7.5, color=FAINT, va="bottom")


def _draw_lead(
    axes: Axes, crossings: xr.Dataset, described: Mapping[str, Any], colours: Mapping[str, str]
) -> None:
    lead, blocs = described["lead"], list(described["blocs"])
    when = crossing_array(crossings, described["milestone"])[accepted_draws(crossings)]
    years = lead_years(when[:, blocs.index(lead["leader"])], when[:, blocs.index(lead["follower"])])
    finite = years[np.isfinite(years)]
    low, high = (-1.0, 1.0) if finite.size == 0 else np.quantile(finite, [0.01, 0.97])
    limit = described["within_years"]
    low, high = min(low, -1.5 * limit, -1.0), max(high, 1.5 * limit, 1.0)
    grid, density = lead_density(years, float(low), float(high))
    leader, follower = (described["blocs"][lead[key]] for key in ("leader", "follower"))
    for name, region in ((lead["leader"], grid >= limit), (lead["follower"], grid <= -limit)):
        axes.fill_between(grid, density, where=region.tolist(), color=colours[name], alpha=0.85, linewidth=0)
    within = (grid >= -limit) & (grid <= limit)
    axes.fill_between(grid, density, where=within.tolist(), color=_BIPOLAR, linewidth=0)
    axes.plot(grid, density, color=INK, linewidth=1.2)
    axes.axvline(0, color=FAINT, linewidth=1, linestyle=":")
    median = lead["quantiles"]["0.5"]
    if median is not None and low <= median <= high:
        axes.plot([median], [0], marker="^", markersize=8, color=INK, clip_on=False, zorder=5)
        axes.annotate(
            f"median {median:+.1f}", xy=(median, 0), xytext=(6, 5), textcoords="offset points", fontsize=8.5,
            color=INK,
        )  # fmt: skip
    one_only = [
        f"{leader} alone by the horizon: {percent(lead['p_leader_alone'])}",
        f"{follower} alone by the horizon: {percent(lead['p_follower_alone'])}",
        f"neither crosses: {percent(lead['p_neither_crosses'])}",
    ]
    axes.text(
        0.99, 0.97, "\n".join(["not in the curve", *one_only]), transform=axes.transAxes, ha="right",
        va="top", fontsize=8, color=INK, linespacing=1.35,
    )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(0, float(density.max()) * 1.12 or 1.0)
    _finish(axes, f"Lead of {leader} over {follower}", f"lead, years (negative: {follower} first)")
    axes.set_ylabel("probability per year", fontsize=9, color=INK)


def _draw_limits(axes: Axes, described: Mapping[str, Any], colours: Mapping[str, str]) -> None:
    rows = described["by_within"]
    places = np.arange(len(rows), dtype=float)
    shares = [_stack(row, described) for row in rows]
    base = np.zeros(len(rows))
    for level, colour in enumerate(_stack_colours(described, colours)):
        heights = np.array([share[level][0] for share in shares])
        errors = np.array([share[level][1] for share in shares])
        axes.bar(places, heights, bottom=base, color=colour, width=0.72, linewidth=0)
        for place, bottom, height, error in zip(places, base, heights, errors, strict=True):
            if height >= 0.05:
                _write_share(axes, place, bottom + height / 2, height, error, colour)
        base += heights
    axes.set_xticks(places, [f"{row['within_years']:g}" for row in rows])
    for label, row in zip(axes.get_xticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row["within_years"] == described["within_years"] else "normal")
    _share_axis(axes)
    _finish(
        axes, "The same draws with other limits", "limit between unipolar and bipolar, years", integer=False
    )


def _write_share(axes: Axes, x: float, y: float, share: float, error: float, colour: str) -> None:
    light = colour in (_BIPOLAR, _NEITHER)
    axes.text(
        x, y, f"{100 * share:.0f}%\n±{100 * error:.1f}" if share >= 0.1 else f"{100 * share:.0f}%",
        ha="center", va="center", fontsize=7.5, color=INK if light else "white", linespacing=1.1,
    )  # fmt: skip


def _draw_threshold(
    axes: Axes, name: str, found: Mapping[str, Any], described: Mapping[str, Any], colours: Mapping[str, str]
) -> None:
    bins = found["bins"]
    logs = found["unit"].startswith("log10 ")
    unit = found["unit"].removeprefix("log10 ")
    edges = np.array([one["low"] for one in bins] + [bins[-1]["high"]])
    edges = 10.0**edges if logs else edges
    even = np.allclose(np.diff(edges), edges[1] - edges[0], rtol=1e-3)
    palette = _stack_colours(described, colours)
    for one, left, right in zip(bins, edges[:-1], edges[1:], strict=True):
        if one["worlds"] is None:
            axes.fill_between(
                [left, right], 0, 1, facecolor="white", edgecolor="#c8c8c8", hatch="////", linewidth=0
            )
            continue
        base, middle = 0.0, (left + right) / 2 if even else float(np.sqrt(left * right))
        for (share, error), colour in zip(_stack(one["worlds"], described), palette, strict=True):
            axes.fill_between([left, right], base, base + share, color=colour, linewidth=0)
            # In the middle of its band: the error of this share, not of what lies below it.
            if share >= 0.04:
                reach, half = 2 * error, base + share / 2
                tint = INK if colour in (_BIPOLAR, _NEITHER) else "white"
                axes.plot([middle] * 2, [half - reach, half + reach], color=tint, linewidth=1, zorder=3)
            base += share
    if not even:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(edges[0], edges[-1])
    _share_axis(axes)
    reads = "" if found["p_counts"] > 0.999 else f"\n(counts in {percent(found['p_counts'])} of draws)"
    _finish(axes, f"By the threshold {name.replace('_', ' ')}{reads}", f"threshold, {unit}", integer=even)


def _stack(worlds: Mapping[str, Any], described: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Shares with their errors from the bottom up, in the order of :func:`_stack_order`."""
    errors = worlds["mcse"]
    return [
        (worlds["p_unipolar"][key], errors["p_unipolar"][key])
        if kind == "unipolar"
        else (worlds[f"p_{kind}"], errors[f"p_{kind}"])
        for kind, key in _stack_order(described)
    ]


def _stack_order(described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The leader alone at the bottom, then bipolar, the other blocs alone, and neither on top."""
    first, *others = described["blocs"]
    if described["lead"] is not None:
        first = described["lead"]["leader"]
        others = [bloc for bloc in described["blocs"] if bloc != first]
    return [("unipolar", first), ("bipolar", ""), *(("unipolar", one) for one in others), ("neither", "")]


def _stack_colours(described: Mapping[str, Any], colours: Mapping[str, str]) -> list[str]:
    fixed = {"bipolar": _BIPOLAR, "neither": _NEITHER}
    return [fixed.get(kind) or colours[bloc] for kind, bloc in _stack_order(described)]


def _legend(figure: Figure, described: Mapping[str, Any], colours: Mapping[str, str]) -> None:
    nobody = neither(len(described["blocs"]))
    words = {"bipolar": "bipolar", "neither": f"{nobody} by {described['horizon'][:4]}"}
    labels = [
        words.get(kind) or f"{described['blocs'][bloc]} alone" for kind, bloc in _stack_order(described)
    ]
    patches = [
        Patch(facecolor=colour, label=label)
        for colour, label in zip(_stack_colours(described, colours), labels, strict=True)
    ]
    figure.legend(
        handles=patches, loc="upper left", bbox_to_anchor=(0.0, 1 - 0.32 / figure.get_figheight()),
        ncols=len(patches), frameon=False, fontsize=9, labelcolor=INK,
    )  # fmt: skip


def _share_axis(axes: Axes) -> None:
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("share of accepted draws", fontsize=9, color=INK)


def _finish(axes: Axes, title: str, label: str, *, integer: bool = True) -> None:
    axes.set_title(title, loc="left", fontsize=9.5, color=INK)
    axes.set_xlabel(label, fontsize=9, color=INK)
    axes.tick_params(labelsize=8.5, colors=INK, length=3.5)
    if integer and axes.get_xscale() == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)


def _years(limit: float) -> str:
    return "1 year" if limit == 1 else f"{limit:g} years"
