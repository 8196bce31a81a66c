"""The picture of scenarios against their base: a dumbbell for each, a panel for each bloc."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from forecast.dates import decimal_year, end_of
from forecast.errors import ForecastError
from forecast.report.figures import FAINT, INK, SHADE, bloc_colours
from forecast.report.picture_file import save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 34
_COLUMNS = (1.035, 1.33)
"""Where the two columns of numbers begin, in widths of a panel."""
_WIDTH, _ABOVE, _HEADER, _ROW, _TICKS, _BELOW = 10.5, 0.7, 0.45, 0.29, 0.3, 0.75
"""Inches: the figure's width; heights of its title, a panel's title, a row, a panel's ticks, the caption."""


def scenario_figure(summary: Mapping[str, Any], path: Path | None = None) -> Figure:
    """Draw each scenario's median date beside the base's, with what it does to P(in the window).

    Parameters
    ----------
    summary : mapping
        As in ``scenarios.json``.
    path : pathlib.Path, optional
        Where to save it: a PNG, PDF, SVG or HTML file; replaced if it exists.

    Returns
    -------
    matplotlib.figure.Figure
    """
    blocs, scenarios = summary["base"]["blocs"], summary["scenarios"]
    if not scenarios:
        raise ForecastError("There is no scenario to draw.")
    rows = len(scenarios) + 1
    each = _HEADER + _ROW * rows + _TICKS
    height = _ABOVE + len(blocs) * each + _BELOW
    figure = Figure(figsize=(_WIDTH, height), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    span = _span(summary)
    colours = bloc_colours(list(blocs))
    for place, (bloc, base) in enumerate(blocs.items()):
        bottom = height - _ABOVE - place * each - _HEADER - _ROW * rows
        axes = figure.add_axes((0.235, bottom / height, 0.43, _ROW * rows / height))
        _panel(axes, summary, bloc, colours[bloc], span)
        axes.set_title(_shown(base["title"]), loc="left", fontsize=11, color=INK, fontweight="bold", pad=5)
        if place == len(blocs) - 1:
            axes.set_xlabel("crossing date (beginning of the year marked)", fontsize=9, color=INK)
    figure.suptitle(
        f"{_shown(summary['milestone_title'])}: what each scenario changes, as of {summary['as_of']}",
        x=0.012, y=1 - 0.14 / height, ha="left", va="top", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    basis = "priors alone of worldview" if summary["prior_only"] else "worldview"
    figure.text(
        0.012, 1 - 0.43 / height,
        f"Conditional on {basis} {_shown(summary['worldview'])!r} and on each scenario, not a prophecy",
        va="top", fontsize=9.5, color=INK,
    )  # fmt: skip
    _legend(figure, height)
    draws = summary["base"]["draws"]
    paired = [one["paired"] for one in scenarios.values()]
    how = "Shifts are paired: the same draws with and without the change, of those that cross both ways."
    if not all(paired):
        how = "* fitted again: its shift compares the quantiles of two fits. " + (
            "The other shifts are paired: the same draws with and without the change." if any(paired) else ""
        )
    figure.text(0.012, 0.34 / height, how, fontsize=7.5, color=FAINT)
    figure.text(
        0.012, 0.15 / height,
        f"Base: run {summary['run']}, {draws['total'] - draws['set_aside']:,} accepted of "
        f"{draws['total']:,} draws.",
        fontsize=7.5, color=FAINT,
    )  # fmt: skip
    if path is not None:
        save_picture(figure, path)
    return figure


def _span(summary: Mapping[str, Any]) -> tuple[float, float]:
    """Decimal years that hold every quartile; up to the horizon at most."""
    horizon = end_of(date.fromisoformat(summary["horizon"]))
    first = decimal_year(date.fromisoformat(summary["as_of"]))
    sides = [summary["base"], *summary["scenarios"].values()]
    found = [bloc["quantiles"][level] for side in sides for bloc in side["blocs"].values() for level in _IQR]
    reached = [year for year in found if year is not None]
    last = max(reached, default=horizon)
    first = min([first, *reached])
    return first, min(last + 0.06 * (last - first) + 0.5, horizon)


_IQR = ("0.25", "0.5", "0.75")


def _panel(axes: Axes, summary: Mapping[str, Any], bloc: str, colour: str, span: tuple[float, float]) -> None:
    base = summary["base"]["blocs"][bloc]
    window = (date.fromisoformat(summary["window"][key]) for key in ("start", "end"))
    start, end = window
    axes.axvspan(decimal_year(start), end_of(end), color=SHADE, linewidth=0, zorder=0)
    middle = base["quantiles"]["0.5"]
    if middle is not None:
        axes.axvline(middle, color=FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    _quartiles(axes, base, 0, FAINT, span)
    _median(axes, base, 0, span, summary["horizon"], face="white", edge=INK)
    _numbers(axes, 0, _chance(base["p_in"]), "")
    labels = ["Base"]
    for row, scenario in enumerate(summary["scenarios"].values(), start=1):
        labels.append(_shown(scenario["title"]) + ("" if scenario["paired"] else " *"))
        found = scenario["blocs"].get(bloc)
        if found is None:
            _numbers(axes, row, "no such bloc", "")
            continue
        _quartiles(axes, found, row, colour, span)
        places = [_place(one["quantiles"]["0.5"], span) for one in (base, found)]
        axes.plot(places, [row, row], color=colour, linewidth=4, alpha=0.3, solid_capstyle="butt", zorder=2)
        _median(axes, base, row, span, summary["horizon"], face="white", edge=FAINT, quiet=True)
        _median(axes, found, row, span, summary["horizon"], face=colour, edge=colour)
        chances = f"{_chance(base['p_in'])} \N{RIGHTWARDS ARROW} {_chance(found['p_in'])}"
        _numbers(axes, row, chances, _shift(found["shift_years"]))
    axes.set_yticks(range(len(labels)), labels, fontsize=9, color=INK)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(*span)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
    axes.tick_params(axis="x", labelsize=9, colors=INK, length=4)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    above: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "fontsize": 8,
        "color": FAINT,
    }
    axes.annotate(f"P({_period(start, end)})", xy=(_COLUMNS[0], 1), xytext=(0, 5), **above)
    axes.annotate("shift, years: median (5% to 95%)", xy=(_COLUMNS[1], 1), xytext=(0, 5), **above)


def _quartiles(
    axes: Axes, found: Mapping[str, Any], row: int, colour: str, span: tuple[float, float]
) -> None:
    low, high = (found["quantiles"][level] for level in ("0.25", "0.75"))
    if low is None:
        return
    axes.plot([low, _place(high, span)], [row, row], color=colour, linewidth=1.2, zorder=3)


def _median(
    axes: Axes,
    found: Mapping[str, Any],
    row: int,
    span: tuple[float, float],
    horizon: str,
    *,
    face: str,
    edge: str,
    quiet: bool = False,
) -> None:
    """A circle at the median; a triangle at the edge where it lies beyond the horizon."""
    median = found["quantiles"]["0.5"]
    axes.plot(
        [_place(median, span)], [row], marker="o" if median is not None else ">", markersize=7,
        markerfacecolor=face, markeredgecolor=edge, linestyle="none", clip_on=False, zorder=4,
    )  # fmt: skip
    if median is None and not quiet:
        axes.annotate(
            f">{horizon[:4]}", xy=(span[1], row), xytext=(-5, 3), textcoords="offset points",
            ha="right", va="bottom", fontsize=7.5, color=INK,
        )  # fmt: skip


def _place(year: float | None, span: tuple[float, float]) -> float:
    return span[1] if year is None else min(year, span[1])


def _numbers(axes: Axes, row: int, *texts: str) -> None:
    for place, text in zip(_COLUMNS, texts, strict=True):
        axes.annotate(
            text, xy=(place, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=INK
        )


def _shift(years: Mapping[str, float | None]) -> str:
    if years["0.5"] is None:
        return "never both ways"
    low, middle, high = (f"{years[level]:+.1f}".replace("+0.0", "0.0") for level in ("0.05", "0.5", "0.95"))
    return f"{middle} ({low} to {high})".replace("-0.0", "0.0")


def _chance(share: float) -> str:
    return "<0.1%" if 0 < share < 0.0005 else f"{100 * share:.1f}%"


def _period(start: date, end: date) -> str:
    if (start.month, start.day, end.month, end.day) == (1, 1, 12, 31):
        return f"{start.year}" if start.year == end.year else f"{start.year}-{end.year}"
    return f"{start} to {end}"


def _legend(figure: Figure, height: float) -> None:
    circle: dict[str, Any] = {"marker": "o", "markersize": 7, "linestyle": "none"}
    handles = (
        Line2D([], [], markerfacecolor="white", markeredgecolor=INK, **circle),
        Line2D([], [], markerfacecolor=INK, markeredgecolor=INK, **circle),
        Line2D([], [], color=INK, linewidth=1.2),
        Patch(facecolor=SHADE, linewidth=0),
    )
    figure.legend(
        handles, ["median of the base", "median of the scenario", "25% to 75%", "window"],
        loc="lower right", bbox_to_anchor=(0.99, 0.02 / height), ncols=4, frameon=False, fontsize=8,
        labelcolor=INK, handletextpad=0.4, columnspacing=1.2,
    )  # fmt: skip


def _shown(title: str) -> str:
    """A title that is not too long."""
    return shorten(title, _LONGEST * 2, placeholder="...")
