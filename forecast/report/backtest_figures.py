"""Pictures of a backtest: scores beside baselines, calibration, and how the forecast itself moved."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from forecast.dates import end_of
from forecast.report.backtest_table import shown_bloc
from forecast.report.figures import FAINT, INK, SHADE, bloc_colours
from forecast.report.picture_file import save_picture
from forecast.streams import stream

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

LOOKS = {
    "log-linear": ("#E69F00", "o", "log-linear trend"),
    "random-walk": ("#CC79A7", "s", "random walk with drift"),
    "published": ("#009E73", "^", "last published growth"),
}
PRIOR_LOOK: dict[str, Any] = {"color": INK, "marker": "|", "markersize": 11, "markeredgewidth": 2}
_LEVELS = (("0.5", "#9ecae1", 0.5), ("0.8", "#4292c6", 0.8), ("0.9", "#08519c", 0.9))
_BAND, _TRIALS, _PANELS_ABREAST = 0.9, 4000, 3


def draw_backtest(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write ``scores.png``, ``pit.png`` and ``history.png``, each where there is something to draw.

    Parameters
    ----------
    result : mapping
        As in ``backtest.json``.
    folder : pathlib.Path

    Returns
    -------
    list of pathlib.Path
    """
    written = []
    for name, draw, wanted in (
        ("scores.png", scores_figure, bool(result["pooled"])),
        ("pit.png", pit_figure, bool(result["pit"])),
        ("history.png", history_figure, bool(result["history"])),
    ):
        if wanted:
            save_picture(draw(result), folder / name)
            written.append(folder / name)
    return written


def scores_figure(result: Mapping[str, Any]) -> Figure:
    """Draw each baseline's CRPS over the model's on the same cases, and the model's coverage."""
    rows = [one for one in result["pooled"] if one["method"] == "model" and shown_bloc(result, one)]
    height = 2.3 + 0.3 * len(rows)
    figure = _figure(9.5, height)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.5, 1])
    figure.subplots_adjust(left=0.375, right=0.98, bottom=1.15 / height, top=1 - 0.95 / height, wspace=0.06)
    places = np.arange(len(rows))[::-1]
    priors = any("prior_crps" in one for one in rows)
    for place, model in zip(places, rows, strict=True):
        if "prior_crps" in model:
            ratio = float(np.clip(model["prior_crps"] / max(model["crps"], 1e-9), 0.2, 20))
            left.plot([ratio], [place], zorder=4, **PRIOR_LOOK)
        for number, (method, (colour, marker, _)) in enumerate(LOOKS.items()):
            for one in result["pooled"]:
                if one["method"] == method and all(
                    one[key] == model[key] for key in ("series", "bloc", "months_ahead")
                ):
                    ratio = float(np.clip(one["crps"] / max(one["model_crps"], 1e-9), 0.2, 20))
                    y = place + 0.2 * (1 - number)
                    left.plot([ratio], [y], marker=marker, color=colour, markersize=6, zorder=3)
        for number, (level, colour, nominal) in enumerate(_LEVELS):
            right.plot(
                [model["coverage"][level]], [place + 0.22 * (1 - number)], marker="o", color=colour,
                markersize=5.5, zorder=3, clip_on=False,
            )  # fmt: skip
            right.axvline(nominal, color=colour, linewidth=1, linestyle=(0, (3, 2)), zorder=1)
    left.axvline(1, color=INK, linewidth=1, zorder=1)
    left.set_xscale("log")
    low, high = left.get_xlim()
    left.set_xlim(min(low, 0.5), max(high, 2))
    left.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4, 8, 16]))
    left.xaxis.set_minor_locator(NullLocator())
    left.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}x"))
    left.set_yticks(places, [_case_label(one) for one in rows])
    left.set_xlabel("CRPS over the model's on the same cases", fontsize=8.5, color=INK)
    right.set_xlim(0, 1)
    right.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.0f}%"))
    right.set_xlabel("coverage of the model's intervals", fontsize=8.5, color=INK)
    for axes in (left, right):
        _finish(axes)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        for place in places[::2]:
            axes.axhspan(place - 0.5, place + 0.5, color="#f6f6f6", linewidth=0, zorder=0)
    left.tick_params(axis="y", length=0)
    right.tick_params(axis="y", length=0)
    handles = [Line2D([], [], linestyle="none", label="priors alone", **PRIOR_LOOK)] if priors else []
    handles += [
        Line2D([], [], color=colour, marker=marker, linestyle="none", label=label)
        for method, (colour, marker, label) in LOOKS.items()
        if any(one["method"] == method for one in result["pooled"])
    ]
    handles += [
        Line2D([], [], color=colour, marker="o", linestyle="none", label=f"{nominal:.0%} interval")
        for _, colour, nominal in _LEVELS
    ]
    figure.legend(
        handles=handles, loc="lower left", ncols=7, frameon=False, fontsize=7, labelcolor=INK,
        bbox_to_anchor=(0.005, 0.3 / height), columnspacing=1.2, handletextpad=0.3,
    )  # fmt: skip
    _titles(
        figure,
        f"What came next, and who said so: as of {_span(result)}",
        "Right of 1: the model was better. Cases of neighbouring as-of dates share rows, so n overstates "
        "what is known.",
        result,
    )
    return figure


def pit_figure(result: Mapping[str, Any]) -> Figure:
    """Draw the distribution of the model's PIT less the uniform one, with a simultaneous band."""
    series = list(result["pit"])
    columns = min(len(series), _PANELS_ABREAST)
    rows = -(-len(series) // columns)
    height = 1.65 + 2.3 * rows
    figure = _figure(9.5, height)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(
        left=0.08, right=0.985, bottom=0.85 / height, top=1 - 1.1 / height, hspace=0.35, wspace=0.1
    )
    for axes, name in zip(panels.flat, series, strict=False):
        values = np.sort(np.array(result["pit"][name]))
        grid = np.linspace(0, 1, 201)
        difference = np.searchsorted(values, grid, side="right") / len(values) - grid
        low, high = ecdf_band(len(values), grid)
        axes.fill_between(grid, low, high, color=SHADE, linewidth=0, zorder=0)
        axes.axhline(0, color=FAINT, linewidth=1, zorder=1)
        axes.plot(grid, difference, color="#0072B2", linewidth=1.6, drawstyle="steps-post", zorder=3)
        axes.set_title(f"{name} (n {len(values)})", loc="left", fontsize=9, color=INK)
        axes.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.set_xlim(0, 1)
        _finish(axes)
        axes.tick_params(labelbottom=True)
    for axes in panels.flat[len(series) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel("ECDF less uniform", fontsize=8.5, color=INK)
    for axes in panels[-1]:
        axes.set_xlabel("PIT of the model", fontsize=8.5, color=INK)
    _titles(
        figure,
        "Calibration: where what came next fell in the model's predictions",
        "A curve below zero: outcomes higher than predicted; above: lower. Grey: where "
        f"{_BAND:.0%} of curves of as many independent cases would lie whole (these depend on one another).",
        result,
    )
    return figure


def ecdf_band(n: int, grid: FloatArray, level: float = _BAND) -> tuple[FloatArray, FloatArray]:
    """Return the band that holds a uniform sample's ECDF (less the uniform one) whole, as often as `level`.

    Parameters
    ----------
    n : int
        Size of the sample.
    grid : ndarray, (point,)
    level : float

    Returns
    -------
    low, high : ndarray, (point,)
    """
    trials = np.sort(stream(1, "band", n).random((_TRIALS, n)), axis=1)
    curves = np.array([np.searchsorted(one, grid, side="right") for one in trials]) / n - grid
    sd = np.sqrt(np.maximum(grid * (1 - grid), 1 / n / 4) / n)
    reach = np.quantile(np.max(np.abs(curves) / sd, axis=1), level)
    return np.maximum(-reach * sd, -grid), np.minimum(reach * sd, 1 - grid)


def history_figure(result: Mapping[str, Any], milestone: str | None = None) -> Figure:
    """Draw what was said at each as-of date of when each bloc crosses a milestone."""
    names = list(dict.fromkeys(one["milestone"] for one in result["history"]))
    chosen = milestone or ("agi" if "agi" in names else names[0])
    found = [one for one in result["history"] if one["milestone"] == chosen]
    blocs = list(dict.fromkeys(one["bloc"] for one in found))
    colours = bloc_colours(blocs)
    figure = _figure(9.5, 4.9)
    panels = figure.subplots(1, len(blocs), sharex=True, sharey=True, squeeze=False)[0]
    figure.subplots_adjust(left=0.07, right=0.985, bottom=0.2, top=0.8, wspace=0.06)
    known = [y for one in found for y in one["quantiles"].values() if y is not None]
    top = min(max(known, default=2060.0), 2062.0) + 1
    for axes, bloc in zip(panels, blocs, strict=True):
        here = [one for one in found if one["bloc"] == bloc]
        at = np.array([end_of(date.fromisoformat(one["as_of"])) for one in here])
        by = {
            level: np.array([_or(one["quantiles"].get(level), top) for one in here])
            for level in ("0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95")
        }
        for low, high, alpha in (("0.05", "0.95", 0.12), ("0.1", "0.9", 0.14), ("0.25", "0.75", 0.22)):
            axes.fill_between(at, by[low], by[high], color=colours[bloc], alpha=alpha, linewidth=0)
        axes.plot(at, by["0.5"], color=colours[bloc], linewidth=2, marker="o", markersize=4)
        span = np.array([at.min(), at.max()])
        axes.plot(span, span, color=FAINT, linewidth=1, linestyle=":")
        axes.annotate(
            "the as-of date itself", xy=(span[1], span[1]), xytext=(0, -16), textcoords="offset points",
            ha="right", va="top", fontsize=7.5, color=FAINT,
        )  # fmt: skip
        axes.set_title(bloc.replace("_", " "), loc="left", fontsize=10, fontweight="bold", color=INK)
        axes.set_ylim(min(at.min() - 1, min(known, default=at.min())), top)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("as-of date (beginning of the year marked)", fontsize=8.5, color=INK)
        _finish(axes)
    panels[0].set_ylabel("crossing date", fontsize=9, color=INK)
    _titles(
        figure,
        f"How the forecast of {chosen!r} itself would have moved",
        "Median and central 50, 80 and 90%. A band that leaves at the top holds 'never by the horizon'.",
        result,
    )
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _titles(figure: Figure, title: str, subtitle: str, result: Mapping[str, Any]) -> None:
    height = figure.get_figheight()
    figure.suptitle(
        title, x=0.012, y=1 - 0.14 / height, ha="left", va="top", fontsize=13, fontweight="bold", color=INK
    )
    lines = "\n".join(textwrap.wrap(subtitle, 135))
    figure.text(0.012, 1 - 0.46 / height, lines, fontsize=8.5, color=INK, va="top")
    tried = result["variants"]["tried"]
    caption = (
        f"Worldview {result['settings']['name']!r}, {len(result['fits'])} fits to what was published by "
        f"then; {tried} model{'s' if tried != 1 else ''} tried. "
        "The priors are of today."
    )
    figure.text(0.012, 0.12 / height, caption, fontsize=7.5, color=FAINT, va="bottom")


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=8, colors=INK, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)


def _case_label(one: Mapping[str, Any]) -> str:
    bloc = "" if one["bloc"] == "all" else f" ({one['bloc']})"
    months = {6: "1-6", 12: "7-12", 24: "13-24"}.get(one["months_ahead"], str(one["months_ahead"]))
    return f"{one['series']}{bloc}, {months} months: {one['n']} cases, {one['rows']} rows"


def _span(result: Mapping[str, Any]) -> str:
    days: Sequence[str] = [fit["as_of"] for fit in result["fits"]]
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _or(value: float | None, other: float) -> float:
    return other if value is None else min(value, other)


__all__ = ["draw_backtest", "ecdf_band", "history_figure", "pit_figure", "scores_figure"]
