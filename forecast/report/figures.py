"""Pictures of a forecast. Figures are made without pyplot, so nothing global changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from forecast.dates import decimal_year, end_of
from forecast.errors import ForecastError
from forecast.report.densities import crossing_density
from forecast.report.picture_file import save_picture
from forecast.report.style import FAINT as FAINT
from forecast.report.style import INK as INK
from forecast.report.style import PALETTE as PALETTE
from forecast.report.style import SHADE as SHADE
from forecast.report.style import bloc_colours as bloc_colours
from forecast.report.style import percent as percent
from forecast.results import month_or_never, quantiles
from forecast.results.crossing_summary import window_indicators
from forecast.results.summary import accepted_draws, crossing_array, milestone_names

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from forecast.worldview import Worldview

FloatArray = NDArray[np.float64]

ABOVE: dict[str, Any] = {
    "xycoords": ("data", "axes fraction"),
    "textcoords": "offset points",
    "fontsize": 8,
}
"""How to place a note at a date, by the upper edge of the axes."""


def crossings_figure(
    crossings: xr.Dataset,
    worldview: Worldview,
    path: Path | None = None,
    *,
    milestone: str | None = None,
    run_id: str = "",
) -> Figure:
    """Draw each bloc's crossing date as a density, with the window shaded.

    Parameters
    ----------
    crossings : xarray.Dataset
        Group ``crossings`` of a run.
    worldview : Worldview
    path : pathlib.Path, optional
        Where to save it; the ending says the format.
    milestone : str, optional
        By default ``agi`` where there is one, else the first.
    run_id : str
        For the caption.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = milestone_names(crossings)
    if not names:
        raise ForecastError("There is no milestone to draw: the worldview names none.")
    chosen = milestone or ("agi" if "agi" in names else names[0])
    accepted = accepted_draws(crossings)
    when = crossing_array(crossings, chosen)[accepted]
    blocs = [str(bloc) for bloc in crossings["bloc"].to_numpy()]
    titles = {bloc.name: bloc.title for bloc in worldview.blocs}
    colours = bloc_colours(blocs)

    figure = Figure(figsize=(9.0, 5.2), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.06, rect=(0, 0.075, 1, 0.925))  # type: ignore[union-attr,call-arg]
    main, beside = figure.subplots(1, 2, width_ratios=[7 if len(blocs) < 4 else 4, 1])

    horizon = worldview.horizon.isoformat()
    start = min([decimal_year(worldview.as_of), *when[np.isfinite(when)].tolist()])
    end = end_of(worldview.horizon)
    window = (decimal_year(worldview.window.start), end_of(worldview.window.end))
    for index, bloc in enumerate(blocs):
        shares = window_indicators(when[:, index], *window)
        median = quantiles(when[:, index], [0.5])["0.5"]
        label = (
            f"{titles.get(bloc, bloc)}: median {month_or_never(median, horizon)}, "
            f"in the window {percent(float(shares['p_in'].mean()))}"
        )
        draw_density(main, when[:, index], (start, end), median, colours[bloc], label)
    draw_never(beside, np.isposinf(when).mean(axis=0), [colours[bloc] for bloc in blocs], horizon)
    draw_window(main, worldview.window.start, worldview.window.end)
    draw_as_of(main, worldview.as_of)
    finish_axes(main, min(start, decimal_year(worldview.as_of), window[0]), max(end, window[1]))

    described = worldview.milestones.get(chosen)
    title = described.title if described is not None else chosen
    # In the figure's own coordinates: a title of an axes would be centred or cut by the other one.
    figure.suptitle(
        f"{title}: when each bloc gets there, as of {worldview.as_of.isoformat()}",
        x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    main.set_title(
        f"Conditional on this worldview ({worldview.title or worldview.name}), not a prophecy",
        loc="left", fontsize=10, color=INK, pad=18,
    )  # fmt: skip
    caption = (
        f"The area under a curve is the probability of crossing by {horizon}. Triangles: medians. "
        f"From {when.shape[0]:,} accepted of {accepted.size:,} draws."
    )
    figure.text(0.012, 0.045, caption, fontsize=7.5, color=FAINT)
    figure.text(0.012, 0.017, f"Run {run_id}" if run_id else "", fontsize=7.5, color=FAINT)
    if path is not None:
        save_picture(figure, path)
    return figure


def draw_density(
    axes: Axes,
    when: FloatArray,
    bounds: tuple[float, float],
    median: float | None,
    colour: str,
    label: str,
    *,
    linestyle: Any = "-",
    fill: float = 0.15,
    weights: FloatArray | None = None,
    linewidth: float = 2.0,
) -> None:
    """Draw crossing dates as a density, with a triangle at the median.

    Parameters
    ----------
    axes : Axes
    when : ndarray, (draw,)
        Decimal years; infinite for never.
    bounds : (float, float)
        Decimal years between which the density lies.
    median : float or None
        None for never.
    colour, label : str
    linestyle : str or tuple
        As matplotlib takes it.
    fill : float
        Opacity of the area under the curve.
    weights : ndarray, (draw,), optional
        Of the draws; all count alike by default.
    linewidth : float
    """
    years, density = crossing_density(when, *bounds, weights=weights)
    axes.plot(years, density, color=colour, linewidth=linewidth, linestyle=linestyle, label=label, zorder=3)
    axes.fill_between(years, density, color=colour, alpha=fill, linewidth=0, zorder=2)
    if median is None:
        return
    height = float(np.interp(median, years, density))
    axes.plot([median, median], [0, height], color=colour, linewidth=1, linestyle=(0, (3, 2)), zorder=3)
    axes.plot(
        [median], [0], marker="^", markersize=9, color=colour, clip_on=False, zorder=5, linestyle="none"
    )


def draw_window(axes: Axes, first: date, last: date) -> None:
    """Shade a window, both days inclusive."""
    start = decimal_year(first)
    axes.axvspan(start, end_of(last), color=SHADE, linewidth=0, zorder=0)
    axes.annotate(f"window {first} to {last}", xy=(start, 1), xytext=(0, 4), ha="left", color=FAINT, **ABOVE)


def draw_as_of(axes: Axes, as_of: date) -> None:
    """Mark an as-of date with a dotted line."""
    moment = decimal_year(as_of)
    axes.axvline(moment, color=FAINT, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "as of", xy=(moment, 1), xytext=(3, -4), ha="left", va="top", rotation=90, color=FAINT, **ABOVE
    )


def draw_never(axes: Axes, shares: FloatArray, colours: Sequence[str], horizon: str) -> None:
    """Draw the shares that do not cross by the horizon (an ISO date) as bars."""
    places = np.arange(len(colours))
    axes.bar(places, shares, color=colours, width=0.7, alpha=0.85)
    for place, share in zip(places, shares, strict=True):
        axes.annotate(
            percent(float(share)), xy=(place, share), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize=9 if len(colours) < 4 else 6.5, color=INK,
            rotation=90 if len(colours) > 6 else 0,
        )  # fmt: skip
    axes.set_ylim(0, 1.08)
    axes.set_xlim(-0.6, len(colours) - 0.4)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"not by end\nof {horizon[:4]}", fontsize=9, color=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


def finish_axes(axes: Axes, first: float, last: float) -> None:
    """Set limits, ticks, labels and legend of axes of densities between two decimal years."""
    axes.set_xlim(first - 0.01 * (last - first), last)
    axes.set_ylim(bottom=0)
    top = axes.get_ylim()[1]
    # Room for the legend, which would otherwise lie on a flat curve.
    axes.set_ylim(0, top * 1.08)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
    axes.set_ylabel("probability per year", fontsize=9, color=INK)
    axes.set_xlabel("crossing date (beginning of the year marked)", fontsize=9, color=INK)
    axes.tick_params(labelsize=9, colors=INK, length=4, pad=6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.legend(loc="upper right", frameon=False, fontsize=9, labelcolor=INK)
