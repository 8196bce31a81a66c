"""The picture of an ensemble: members thin, the mixture thick, and their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from forecast.dates import decimal_year, end_of
from forecast.report.densities import crossing_density
from forecast.report.figures import (
    FAINT,
    INK,
    FloatArray,
    bloc_colours,
    draw_as_of,
    draw_never,
    draw_window,
    finish_axes,
    percent,
)
from forecast.report.picture_file import check_picture_path, save_picture
from forecast.results import StoredRun, default_milestone, month_or_never
from forecast.results.summary import accepted_draws, crossing_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def ensemble_figure(
    found: Mapping[str, Any],
    runs: Sequence[StoredRun],
    path: Path | None = None,
    *,
    milestone: str | None = None,
) -> Figure:
    """Draw the crossing dates of the members and of their mixture, a panel for each bloc.

    Parameters
    ----------
    found : mapping
        From :func:`forecast.ensemble.ensemble`.
    runs : sequence of StoredRun
        The members, in the order in which they were mixed.
    path : pathlib.Path, optional
        Where to save it; the ending says the format.
    milestone : str, optional
        By default ``agi`` where it is common to all, else the first that is.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if path is not None:
        check_picture_path(path)
    chosen = milestone or default_milestone(list(found["milestones"]))
    mixed, members = found["milestones"][chosen], found["members"]
    blocs = list(mixed["blocs"])
    numbers = [str(number) for number, _ in enumerate(members, start=1)]
    colours = list(bloc_colours(numbers).values())
    per_panel = 2.1 + 0.17 * len(members)
    height = 2.2 + per_panel * len(blocs) + 0.14 * len(members)
    figure = Figure(figsize=(9.0, height), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    bottom = (0.26 + 0.14 * len(members)) / height
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.06, rect=(0, bottom, 1, 1 - bottom))  # type: ignore[union-attr,call-arg]
    grid = figure.add_gridspec(
        len(blocs) + 1, 2, width_ratios=[5, 1], height_ratios=[*[per_panel] * len(blocs), 0.55]
    )
    for row, bloc in enumerate(blocs):
        main, beside = figure.add_subplot(grid[row, 0]), figure.add_subplot(grid[row, 1])
        first, last = _draw_bloc(main, found, runs, chosen, bloc, colours)
        shares = [member["milestones"][chosen][bloc]["p_never"] for member in members]
        shares.append(mixed["blocs"][bloc]["p_never"])
        draw_never(beside, np.array(shares), [*colours, INK], found["horizon"])
        window = [date.fromisoformat(found["window"][key]) for key in ("start", "end")]
        draw_window(main, window[0], window[1])
        if len(found["as_of"]) == 1:
            draw_as_of(main, date.fromisoformat(found["as_of"][0]))
        finish_axes(main, min(first, decimal_year(window[0])), max(last, end_of(window[1])))
        main.set_ylim(0, main.get_ylim()[1] * (1 + 0.1 * max(len(members) - 2, 0)))
        main.set_title(mixed["blocs"][bloc]["title"], loc="left", fontsize=11, color=INK, pad=18)
        if row < len(blocs) - 1:
            main.set_xlabel("")
    _draw_weights(figure.add_subplot(grid[len(blocs), :]), members, colours)
    figure.suptitle(
        f"{mixed['title']}: {len(members)} runs as one, {_method(found['weights'])}",
        x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    lines = [
        "The area under a curve is the probability of crossing by the horizon. Triangle: median of the "
        "mixture. Each run is conditional on its worldview, not a prophecy."
    ]
    for number, member in zip(numbers, members, strict=True):
        basis = "priors alone of " if member["prior_only"] else ""
        lines.append(
            f"{number}  {member['run']}: {basis}worldview {member['worldview']!r} as of {member['as_of']}"
        )
    for place, line in enumerate(reversed(lines)):
        figure.text(0.012, (0.08 + 0.14 * place) / height, line, fontsize=7.5, color=FAINT)
    if path is not None:
        save_picture(figure, path)
    return figure


def _method(name: str) -> str:
    return {"equal": "equal weights", "stacking": "stacked", "backtest": "weighted by backtest"}[name]


def _draw_bloc(
    axes: Axes,
    found: Mapping[str, Any],
    runs: Sequence[StoredRun],
    milestone: str,
    bloc: str,
    colours: Sequence[str],
) -> tuple[float, float]:
    """Draw members thin and the mixture thick, and return between which decimal years."""
    end = end_of(date.fromisoformat(found["horizon"]))
    dates = [_dates(run, milestone, bloc, end) for run in runs]
    start = min(
        [decimal_year(date.fromisoformat(day)) for day in found["as_of"]]
        + [float(when[np.isfinite(when)].min()) for when in dates if np.isfinite(when).any()]
    )
    total: FloatArray | None = None
    for number, (member, when, colour) in enumerate(zip(found["members"], dates, colours, strict=True), 1):
        years, density = crossing_density(when, start, end)
        own = member["milestones"][milestone][bloc]
        middle = month_or_never(own["quantiles"]["0.5"], found["horizon"])
        label = (
            f"{number}  {member['worldview']} ({percent(member['weight'])}): median {middle}, "
            f"in the window {percent(own['p_in'])}"
        )
        axes.plot(years, density, color=colour, linewidth=1.1, label=label, zorder=5)
        part = member["weight"] * density
        total = part if total is None else total + part
    mixed = found["milestones"][milestone]["blocs"][bloc]
    median = mixed["quantiles"]["0.5"]
    label = (
        f"mixture: median {month_or_never(median, found['horizon'])}, in the window {percent(mixed['p_in'])}"
    )
    assert total is not None  # there are two members or more
    axes.plot(years, total, color=INK, linewidth=2.8, label=label, zorder=4)
    axes.fill_between(years, total, color=INK, alpha=0.08, linewidth=0, zorder=2)
    if median is not None:
        height = float(np.interp(median, years, total))
        axes.plot([median] * 2, [0, height], color=INK, linewidth=1, linestyle=(0, (3, 2)), zorder=3)
        axes.plot([median], [0], marker="^", markersize=9, color=INK, clip_on=False, zorder=6)
    return start, end


def _dates(run: StoredRun, milestone: str, bloc: str, end: float) -> FloatArray:
    crossings = run.crossings
    index = [str(one) for one in crossings["bloc"].to_numpy()].index(bloc)
    when = crossing_array(crossings, milestone)[..., index][accepted_draws(crossings)]
    return np.where(when > end, np.inf, when)


def _draw_weights(axes: Axes, members: Sequence[Mapping[str, Any]], colours: Sequence[str]) -> None:
    """Draw the weights as parts of one bar."""
    left = 0.0
    for number, (member, colour) in enumerate(zip(members, colours, strict=True), 1):
        weight = member["weight"]
        axes.barh(0, weight, left=left, color=colour, alpha=0.85, height=0.8, edgecolor="white")
        if weight > 0.04:
            words = f"{number}: {percent(weight)}"
            axes.text(left + weight / 2, 0, words, ha="center", va="center", fontsize=9, color="white")
        left += weight
    axes.set_xlim(0, 1)
    axes.set_yticks([])
    axes.set_xticks([])
    axes.set_title("Weights", loc="left", fontsize=9, color=INK, pad=4)
    for side in axes.spines.values():
        side.set_visible(False)
