"""The picture of costs: a fixed capability gets cheaper, the frontier gets dearer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from forecast.report.figures import FAINT, INK, bloc_colours, draw_as_of
from forecast.report.picture_file import save_picture
from forecast.report.terminal import compact
from forecast.results.costs import ANCHOR_SHORT, SERIES, YEARS_AFTER, YEARS_BEFORE, series_draws
from forecast.results.trajectories import Trajectories

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.results import StoredRun

_COLOURS = dict(
    zip(
        ("investment", "largest_run", "fixed_capability"), bloc_colours(["a", "b", "c"]).values(), strict=True
    )
)
_MOST_RATES = 12


def costs_figure(run: StoredRun, summary: Mapping[str, Any], path: Path | None = None) -> Figure:
    """Draw the cost of a fixed capability beside the frontier's spend, and its fall beside the literature.

    Parameters
    ----------
    run : StoredRun
    summary : mapping
        Of the same run, from :func:`forecast.results.cost_summary`.
    path : pathlib.Path, optional
        Where to save it: PNG, PDF, SVG or HTML.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(11, 5.6), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06, rect=(0, 0.13, 1, 0.775))  # type: ignore[union-attr,call-arg]
    main, beside = figure.subplots(1, 2, width_ratios=[2.0, 1])
    _draw_curves(main, run, summary)
    _draw_rates(beside, summary)
    figure.suptitle(
        "Spent, not saved: a given capability gets cheaper, and the frontier spends more",
        x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    basis = "priors alone of worldview" if summary["prior_only"] else "worldview"
    lines = (
        "Lines: medians; bands: 90% intervals. A run's cost is its hardware written off while it is used "
        "and energy, without staff and experiments.",
        "Right: times cheaper each year; grey are published rates of algorithmic progress alone (sources: "
        "`forecast evidence`), while the model's fall also has cheaper chips.",
        f"{summary['series'][0]['title']}: {ANCHOR_SHORT}.",
        f"Conditional on {basis} {summary['worldview']!r} as of {summary['as_of']}, not a prophecy. "
        f"{summary['draws']} draws of run {summary['run']}.",
    )
    for place, line in enumerate(reversed(lines)):
        figure.text(0.012, 0.017 + 0.028 * place, line, fontsize=7.5, color=FAINT)
    if path is not None:
        save_picture(figure, path)
    return figure


def _draw_curves(axes: Axes, run: StoredRun, summary: Mapping[str, Any]) -> None:
    trajectories, as_of = Trajectories.of(run), date.fromisoformat(summary["as_of"])
    years = trajectories.years
    shown = (years >= as_of.year - YEARS_BEFORE) & (years <= as_of.year + YEARS_AFTER + 1)
    floor, ceiling = np.inf, 0.0
    for series, described in zip(SERIES, summary["series"], strict=True):
        draws = 10.0 ** series_draws(trajectories, series)[:, shown]
        low, middle, high = np.quantile(draws, (0.05, 0.5, 0.95), axis=0)
        # The long tails of a band would flatten the lines.
        floor, ceiling = min(floor, 0.03 * float(middle.min())), max(ceiling, 30 * float(middle.max()))
        colour = _COLOURS[series.id]
        axes.fill_between(years[shown], low, high, color=colour, alpha=0.15, linewidth=0, zorder=2)
        label = f"{described['title']} {_in_words(described['factor_per_year'])}"
        axes.plot(years[shown], middle, color=colour, linewidth=2.2, label=label, zorder=3)
    axes.set_yscale("log")
    axes.set_xlim(years[shown][0], years[shown][-1])
    axes.set_ylim(max(floor, axes.get_ylim()[0]), min(ceiling, axes.get_ylim()[1]))
    axes.yaxis.set_major_locator(LogLocator(numticks=14))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${compact(value)}"))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
    axes.set_ylabel("USD, or USD a year (log scale)", fontsize=9, color=INK)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
    draw_as_of(axes, as_of)
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        labelspacing=0.4,
    )
    legend.set_in_layout(False)  # it reaches over the other axes' top, where there is room
    _finish(axes)


def _draw_rates(axes: Axes, summary: Mapping[str, Any]) -> None:
    """How many times cheaper a year: the model's two intervals over the published rates."""
    rows: list[tuple[str, float, float, float, str]] = []
    for described in summary["series"]:
        if described["id"] == "fixed_capability":
            for when, word in (("past", "model, past 3 years"), ("next", "model, next 3 years")):
                factor = described["factor_per_year"][when]
                if factor is not None:
                    low, middle, high = (1.0 / factor[level] for level in ("0.95", "0.5", "0.05"))
                    rows.append((word, low, middle, high, _COLOURS["fixed_capability"]))
    for one in summary["literature"][:_MOST_RATES]:
        low, high = one["low"] or one["value"], one["high"] or one["value"]
        rows.append((_short(one["name"]), low, one["value"], high, FAINT))
    for place, (_, low, middle, high, colour) in enumerate(rows):
        heavy = colour != FAINT
        width, alpha = (5, 0.75) if heavy else (2, 1.0)
        axes.plot(
            [low, high], [-place, -place], color=colour, linewidth=width, alpha=alpha, solid_capstyle="butt"
        )
        axes.plot([middle], [-place], "o", color=INK if heavy else colour, markersize=4.5)
    axes.set_xscale("log")
    axes.set_xlim(1, max(60.0, *(row[3] for row in rows[:2])) if rows else 60.0)
    axes.set_yticks([-place for place in range(len(rows))], [row[0] for row in rows])
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    ticks = [1, 2, 3, 5, 10, 20, 50]
    axes.set_xticks(ticks, [f"{tick}x" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.7)
    axes.set_title("Times cheaper each year", loc="left", fontsize=10, color=INK)
    _finish(axes)


def _in_words(factors: Mapping[str, Any]) -> str:
    """Say it: falls 5.0x a year in the past 3 years, falls 4.1x in the next 3."""
    words = []
    for when, span in (("past", "a year in the past 3 years"), ("next", "in the next 3")):
        if factors[when] is not None:
            middle = factors[when]["0.5"]
            words.append(f"{'falls' if middle < 1 else 'rises'} {max(middle, 1 / middle):.1f}x {span}")
    return ", ".join(words)


def _short(name: str, most: int = 40) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=8, colors=INK, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
