"""Sensitivity as a picture: tornadoes of P(in window) and of the lead, components, and drivers' shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from forecast.report.figures import FAINT, INK, bloc_colours
from forecast.report.picture_file import save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 12
_LOW, _EVIDENCE, _LEAD = "#c9cfd6", "#E69F00", "#8a8a8a"
_LONGEST_NAME = 40
_ERRORS = 2
_LEAST_SHARE = 0.002


def sensitivity_figure(found: Mapping[str, Any], path: Path | None = None) -> Figure:
    """Draw what the answer hangs on.

    Parameters
    ----------
    found : mapping
        From :func:`forecast.sensitivity.sensitivity`.
    path : pathlib.Path, optional
        A picture file to write.

    Returns
    -------
    matplotlib.figure.Figure
        Tornadoes above: P(in the window), and the lead where the worldview names one. Below the components
        by psi, where the run has evidence, and each driver's share of the variance.

    Raises
    ------
    ForecastError
        The file cannot be written.
    """
    upper = [_tornado_of_window] + ([_tornado_of_lead] if found["lead"] else [])
    lower = ([_components] if found["components"] else []) + [_drivers]
    figure = Figure(figsize=(12.5, 9.6), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    tall = figure.get_figheight()
    room, top = 0.85 / tall, 0.4 / tall
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12, rect=(0, room, 1, 1 - room - top))  # type: ignore[union-attr,call-arg]
    grid = figure.add_gridspec(2, 2, height_ratios=[1.15, 1])
    for row, panels in enumerate((upper, lower)):
        for place, draw in enumerate(panels):
            cell = grid[row, place] if len(panels) == 2 else grid[row, :]
            draw(figure.add_subplot(cell), found)
    _words(figure, found)
    if path is not None:
        save_picture(figure, path)
    return figure


def _words(figure: Figure, found: Mapping[str, Any]) -> None:
    tall = figure.get_figheight()
    figure.suptitle(
        f"{found['title']}: what the answer hangs on, as of {found['as_of']}",
        x=0.01, y=1 - 0.1 / tall, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    draws = found["draws"]
    basis = "priors alone of worldview" if found["prior_only"] else "worldview"
    low, high = found["powers"]["shift"]
    caption = (
        f"Conditional on {basis} {found['worldview']!r}, not a prophecy. From "
        f"{draws['total'] - draws['set_aside']:,} accepted of {draws['total']:,} draws. Thin lines: two "
        f"Monte Carlo standard errors either way.\nTornadoes: the {found['side_share']:.0%} of draws with "
        "the lowest and with the highest values of a parameter; parameters that go together show each "
        "other's effect."
    )
    if found["components"]:
        caption += (
            f"\npsi: power-scaling sensitivity (Kallioinen et al. 2024), the largest over the outcomes; k!: "
            f"Pareto k is too large to rely on shifts from power {low:g} to {high:g}. "
        )
    caption += "\n" if not found["components"] else ""
    caption += "Shares: Shapley effects (Owen 2014)."
    figure.text(0.01, 0.28 / tall, caption, fontsize=7.5, color=FAINT, va="bottom")
    figure.text(0.01, 0.1 / tall, f"Run {found['run']}", fontsize=7.5, color=FAINT, va="bottom")


def _tornado_of_window(axes: Axes, found: Mapping[str, Any]) -> None:
    bloc = found["blocs"][found["bloc"]]
    rows = [(row, row["p_in_low"], row["p_in_high"]) for row in found["tornado"]]
    _tornado(axes, found, rows, "p_in", found["answer"]["p_in"])
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlim(left=max(axes.get_xlim()[0], -0.005))
    window = found["window"]
    title = f"P({bloc} crosses from {window['start']} to {window['end']})"
    _finish(axes, title, "share of the draws on that side")


def _tornado_of_lead(axes: Axes, found: Mapping[str, Any]) -> None:
    leader, follower = (found["blocs"][found["lead"][key]] for key in ("leader", "follower"))
    rows = [
        (row, row["lead_low"], row["lead_high"])
        for row in found["tornado"]
        if row["lead_low"] is not None and row["lead_high"] is not None
    ]
    left = len(found["tornado"]) - len(rows)
    _tornado(axes, found, rows, "lead", found["answer"]["lead"])
    note = f" ({left} parameters with an infinite median are left out)" if left else ""
    _finish(axes, f"Lead of {leader} over {follower}: median", f"years{note}")


def _tornado(
    axes: Axes,
    found: Mapping[str, Any],
    rows: Sequence[tuple[Mapping[str, Any], float, float]],
    key: str,
    middle: float | None,
) -> None:
    """Bars from the answer of all draws to that of the low and of the high side, the longest on top."""
    chosen = sorted(rows, key=lambda row: -abs(row[2] - row[1]))[:_MOST]
    colour = bloc_colours(list(found["blocs"]))[found["bloc"]]
    if middle is None or not chosen:
        axes.text(0.5, 0.5, "the median is infinite", ha="center", color=FAINT, transform=axes.transAxes)
        axes.set_yticks([])
        return
    for place, (row, low, high) in enumerate(chosen):
        for value, side, tint, up in ((low, "low", _LOW, 0.2), (high, "high", colour, -0.2)):
            axes.barh(place - up, value - middle, left=middle, height=0.4, color=tint, linewidth=0, zorder=2)
            error = row[f"{key}_mcse_{side}"]
            if error:
                reach = _ERRORS * error
                axes.plot(
                    [max(value - reach, 0) if key == "p_in" else value - reach, value + reach],
                    [place - up] * 2, color=INK, linewidth=0.9, zorder=3,
                )  # fmt: skip
    axes.axvline(middle, color=INK, linewidth=1, zorder=4)
    axes.set_yticks(range(len(chosen)), [_short(row["name"]) for row, _, _ in chosen])
    axes.set_ylim(len(chosen) - 0.4, -0.6)
    for tint, label in ((_LOW, "parameter low"), (colour, "parameter high")):
        axes.barh([0], [0], color=tint, label=label)
    axes.legend(loc="lower right", frameon=False, fontsize=8.5, labelcolor=INK)


def _components(axes: Axes, found: Mapping[str, Any]) -> None:
    chosen = found["components"][:_MOST]
    colour = bloc_colours(list(found["blocs"]))[found["bloc"]]
    tints = [colour if row["kind"] == "prior" else _EVIDENCE for row in chosen]
    axes.barh(range(len(chosen)), [row["psi"] for row in chosen], color=tints, height=0.65, zorder=2)
    limit = found["thresholds"]["psi"]
    axes.axvline(limit, color=INK, linewidth=1, linestyle=(0, (3, 2)), zorder=3)
    for place, row in enumerate(chosen):
        notes = [] if row["moved"] is not False else ["no data moved it"]
        notes += [] if row["reliable"] else ["k!"]
        if notes:
            axes.annotate(
                ", ".join(notes), (max(row["psi"], limit), place),
                xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5, color=FAINT,
            )  # fmt: skip
    axes.set_yticks(range(len(chosen)), [_short(row["name"]) for row in chosen])
    axes.set_ylim(len(chosen) - 0.4, -0.6)
    for tint, label in ((colour, "prior"), (_EVIDENCE, "table of evidence")):
        axes.barh([0], [0], color=tint, label=label)
    axes.legend(loc="lower right", frameon=False, fontsize=8.5, labelcolor=INK)
    title = "What matters if it counts for a little more or less"
    _finish(axes, title, f"psi; dashed: {limit:g}, from which it matters")


def _drivers(axes: Axes, found: Mapping[str, Any]) -> None:
    """Shares of the date of the bloc asked about, and of the lead; others are in the table."""
    titles = {one["name"]: one["title"] for one in found["outcomes"]}
    date = f"date.{found['bloc']}"
    names = [name for name in (date, "lead") if name in titles] or list(titles)[:1]
    colours = [bloc_colours(list(found["blocs"]))[found["bloc"]], _LEAD]

    def size(row: Mapping[str, Any]) -> float:
        return float(max(row["by_outcome"][name] for name in names))

    chosen = sorted(found["drivers"], key=lambda row: -size(row))[:_MOST]
    chosen = [row for row in chosen if size(row) >= _LEAST_SHARE] or chosen[:1]
    height = 0.7 / len(names)
    for index, (name, tint) in enumerate(zip(names, colours, strict=False)):
        places = np.arange(len(chosen)) + (index - (len(names) - 1) / 2) * height
        shares = [max(row["by_outcome"][name], 0.0) for row in chosen]
        left = found["unexplained"]["by_outcome"][name]
        label = f"{titles[name]} ({left:.0%} luck and the rest)"
        axes.barh(places, shares, height=height, color=tint, label=label, zorder=2)
    axes.set_yticks(range(len(chosen)), [_short(row["name"]) for row in chosen])
    axes.set_ylim(len(chosen) - 0.4 + len(chosen) / 5, -0.6)  # room for the legend, below the short bars
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(loc="lower right", frameon=False, fontsize=8.5, labelcolor=INK)
    left_out = len(found["drivers"]) - len(chosen)
    others = f"; {left_out} more explain next to nothing" if left_out else ""
    _finish(axes, "What each driver's parameters explain", f"share of the variance{others}")


def _finish(axes: Axes, title: str, label: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel(label, fontsize=8.5, color=INK)
    axes.tick_params(labelsize=8.5, colors=INK, length=3.5)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7))
    if not isinstance(axes.xaxis.get_major_formatter(), PercentFormatter):
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", color="#e9e9e9", linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


def _short(name: str) -> str:
    """Names in words; a long one goes over two lines, the driver on the first."""
    words = name.replace("_", " ")
    driver, dot, own = words.partition(".")
    return words if len(words) <= _LONGEST_NAME else f"{driver}{dot}\n{own}"
