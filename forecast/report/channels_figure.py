"""What a bloc under controls can get, as a picture: flows by channel, shares, how binding controls are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from forecast.dates import end_of
from forecast.report.figures import FAINT, INK, bloc_colours
from forecast.report.picture_file import save_picture
from forecast.results.channels import added_up, bands, log_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.results.channel_flows import Channels

FloatArray = NDArray[np.float64]

SHOWN = "smuggled"
"""The channel whose share is drawn where a bloc has it; the largest otherwise."""

_AFTER = 1.5
"""Years after the as-of date at which the picture of the near past ends: later flows would hide it."""


def channels_figure(
    channels: Channels, described: Mapping[str, Any], path: Path | None = None, *, run_id: str = ""
) -> Figure:
    """Draw flows by channel near the as-of date and to the last year, a share, and how binding controls are.

    Parameters
    ----------
    channels : Channels
        From :func:`forecast.results.channel_flows.read_channels`.
    described : mapping
        From :func:`forecast.results.channels.describe_channels`.
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
    figure = Figure(figsize=(11.0, 8.2), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1, rect=(0, 0.08, 1, 0.88))  # type: ignore[union-attr,call-arg]
    grid = figure.add_gridspec(2, 2)
    years = [row["year"] for row in described["years"]]
    first, last = float(years[0]), years[-1] + 1.0
    as_of = end_of(date.fromisoformat(described["as_of"]))
    colours = bloc_colours(channels.names)
    inside = (channels.time >= first) & (channels.time <= last)
    near = inside & (channels.time <= min(max(as_of + _AFTER, first + 1), last))
    _draw_stack(figure.add_subplot(grid[0, 0]), channels, colours, near)
    _draw_lines(figure.add_subplot(grid[0, 1]), channels, colours, inside)
    below = figure.add_subplot(grid[1, :])
    _draw_share_and_ratio(below, channels, described, colours, inside)
    for axes in figure.axes:
        _mark(axes, as_of)
        axes.margins(x=0)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
        axes.tick_params(labelsize=8.5, colors=INK, length=3.5)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(FAINT)
    _words(figure, channels, described, run_id)
    if path is not None:
        save_picture(figure, path)
    return figure


def _words(figure: Figure, channels: Channels, described: Mapping[str, Any], run_id: str) -> None:
    figure.suptitle(
        f"{described['title']}: {described['bloc_title']}, by channel, as of {described['as_of']}",
        x=0.01, y=0.99, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    basis = "priors alone of worldview" if described["prior_only"] else "worldview"
    draws = described["draws"]
    caption = (
        f"Conditional on {basis} {described['worldview']!r}, not a prophecy. From {draws['counted']:,} "
        f"accepted of {draws['kept']:,} kept draws. Lines: medians; bands: 5-95%. Upright: the as-of date."
        "\nWhat can be had is on offer, not bought. The medians of the channels do not add up to that of the "
        "total."
    )
    figure.text(0.01, 0.034, caption, fontsize=7.5, color=FAINT, va="bottom")
    figure.text(0.01, 0.012, f"Run {run_id}" if run_id else "", fontsize=7.5, color=FAINT, va="bottom")


def _draw_stack(axes: Axes, channels: Channels, colours: Mapping[str, str], shown: Any) -> None:
    """Stack the channels' medians, on a linear axis, beside the total's median and interval."""
    time = channels.time[shown]
    low, middle, high = bands(channels.total, channels)[:, shown]
    medians = [bands(channels.flows[:, :, index], channels)[1][shown] for index in range(len(channels.names))]
    axes.stackplot(
        time, *medians, colors=[colours[name] for name in channels.names], alpha=0.8, linewidth=0,
        labels=channels.names,
    )  # fmt: skip
    # Behind the stack, with its lower edge drawn over it: a veil over the colours would look like channels.
    axes.fill_between(time, low, high, color=INK, alpha=0.12, linewidth=0, zorder=0)
    axes.plot(time, low, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)))
    axes.plot(time, middle, color=INK, linewidth=1.8, label="total")
    # The band of a wide forecast would leave nothing of the past: it is cut, and says where it goes.
    top = 1.05 * float(np.nanmax(high)) or 1.0
    cut = 2.2 * float(np.nanmax(middle))
    if 0 < cut < top:
        axes.annotate(
            f"95%: {high[-1]:.3g}", xy=(1, 1), xycoords="axes fraction", xytext=(-3, -3),
            textcoords="offset points", ha="right", va="top", fontsize=8, color=INK,
        )  # fmt: skip
    axes.set_ylim(0, min(top, cut) if cut > 0 else top)
    axes.set_ylabel(channels.unit, fontsize=9, color=INK)
    axes.set_title("Near the as-of date: medians stacked", loc="left", fontsize=9.5, color=INK)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper left", frameon=False, fontsize=8.5, labelcolor=INK)


def _draw_lines(axes: Axes, channels: Channels, colours: Mapping[str, str], shown: Any) -> None:
    """Draw the channels' medians and the total with its interval on a log axis."""
    time = channels.time[shown]
    low, middle, high = bands(channels.total, channels)[:, shown]
    axes.fill_between(time, low, high, color=INK, alpha=0.12, linewidth=0)
    axes.plot(time, middle, color=INK, linewidth=1.8)
    least = float(np.nanmin(middle))
    for index, name in enumerate(channels.names):
        median = bands(channels.flows[:, :, index], channels)[1][shown]
        axes.plot(time, np.where(median > 0, median, np.nan), color=colours[name], linewidth=1.6)
        positive = median[median > 0]
        least = min(least, float(positive.min())) if positive.size else least
    if channels.bought is not None:
        bought = 10.0 ** bands(channels.bought, channels)[1][shown]
        axes.plot(time, bought, color=INK, linewidth=1.4, linestyle=(0, (4, 2)), label="bought")
        axes.legend(loc="upper left", frameon=False, fontsize=8.5, labelcolor=INK)
    axes.set_yscale("log")
    if least > 0 and np.nanmax(high) > 0:
        axes.set_ylim(0.7 * least, 1.3 * float(np.nanmax(high)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(f"{channels.unit} (log scale)", fontsize=9, color=INK)
    axes.set_title("To the last year: medians", loc="left", fontsize=9.5, color=INK)


def _draw_share_and_ratio(
    axes: Axes, channels: Channels, described: Mapping[str, Any], colours: Mapping[str, str], shown: Any
) -> None:
    time = channels.time[shown]
    name = _named(channels, described)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = channels.flows[:, :, channels.names.index(name)] / channels.total
    _band(axes, time, bands(share, channels)[:, shown], colours[name], f"share of {name} in what can be had")
    amounts = added_up(channels.flows, channels.time, float(time[0]))
    with np.errstate(invalid="ignore", divide="ignore"):
        of_all = amounts[:, :, channels.names.index(name)] / amounts.sum(axis=2)
    axes.plot(
        time[1:], bands(of_all[..., shown][..., 1:], channels)[1], color=colours[name], linewidth=1.2,
        linestyle=(0, (4, 2)), label=f"of all since {described['since'][:4]}",
    )  # fmt: skip
    ratio = log_ratio(channels)
    if ratio is not None:
        spread = 10.0 ** bands(ratio, channels)[:, shown]
        _band(axes, time, spread, INK, "what can be had / what money could buy")
        binding = described["years"][-1]
        axes.annotate(
            f"below 1 the controls bind: P = {binding['p_binding']:.2f} in {binding['year']}",
            xy=(1, 1), xycoords=("axes fraction", "data"), xytext=(-4, -4), textcoords="offset points",
            ha="right", va="top", fontsize=8.5, color=INK,
        )  # fmt: skip
    axes.axhline(1.0, color=FAINT, linewidth=1)
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 1e-3), min(high, 1e3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("share, ratio (log scale)", fontsize=9, color=INK)
    axes.set_title("How much of it, and how binding the controls are", loc="left", fontsize=9.5, color=INK)
    axes.legend(loc="upper left", frameon=False, fontsize=8.5, labelcolor=INK, ncols=3)


def _named(channels: Channels, described: Mapping[str, Any]) -> str:
    """Return the channel whose share is drawn: :data:`SHOWN`, else the largest in the end."""
    if SHOWN in channels.names:
        return SHOWN
    shares = described["years"][-1]["flow"]["shares"]
    return max(channels.names, key=lambda name: shares[name]["0.5"] or 0.0)


def _band(axes: Axes, time: FloatArray, spread: FloatArray, colour: str, label: str) -> None:
    low, middle, high = np.where(spread > 0, spread, np.nan)
    axes.fill_between(time, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.plot(time, middle, color=colour, linewidth=1.8, label=label)


def _mark(axes: Axes, as_of: float) -> None:
    axes.axvline(as_of, color=FAINT, linewidth=1, linestyle=":")
