"""What a bloc under controls buys and can get, as a picture: flows, shares, how binding controls are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, PercentFormatter
from numpy.typing import NDArray

from forecast.dates import end_of
from forecast.report.figures import FAINT, INK, bloc_colours
from forecast.report.picture_file import save_picture
from forecast.results.channels import added_up, bands, log_ratio, share_of, shown_flows

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
    ratio = log_ratio(channels)
    several = len(channels.names) > 1  # the share of the only one would be all of it
    if several or ratio is None:
        share = figure.add_subplot(grid[1, :] if ratio is None else grid[1, 0])
        _draw_share(share, channels, described, colours, inside)
    if ratio is not None:
        place = grid[1, 1] if several else grid[1, :]
        _draw_ratio(figure.add_subplot(place), channels, ratio, described, inside)
    for axes in figure.axes:
        _mark(axes, as_of)
        axes.margins(x=0)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
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
    known = channels.bought is not None
    title = f"{described['title']}{', and what is bought of them' if known else ''}"
    figure.suptitle(
        f"{title}: {described['bloc_title']}, as of {described['as_of']}",
        x=0.01, y=0.99, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    basis = "priors alone of worldview" if described["prior_only"] else "worldview"
    draws = described["draws"]
    caption = (
        f"Conditional on {basis} {described['worldview']!r}, not a prophecy. From {draws['counted']:,} "
        f"accepted of {draws['kept']:,} kept draws. Lines: medians; bands: 5-95%. Upright: the as-of date."
    )
    caption += (
        "\nEach channel delivers the same part of its offer. Offers are not bounded by world production, "
        "purchases are. The channels' medians do not add up to that of the total."
        if known
        else "\nWhat can be had is on offer, not bought, and not bounded by world production. The channels' "
        "medians do not add up to that of the total."
    )
    figure.text(0.01, 0.034, caption, fontsize=7.5, color=FAINT, va="bottom")
    figure.text(0.01, 0.012, f"Run {run_id}" if run_id else "", fontsize=7.5, color=FAINT, va="bottom")


def _draw_stack(axes: Axes, channels: Channels, colours: Mapping[str, str], shown: Any) -> None:
    """Stack the channels' medians, on a linear axis, beside the total's median and interval."""
    time, flows = channels.time[shown], shown_flows(channels)
    low, middle, high = bands(flows.sum(axis=2), channels)[:, shown]
    medians = [bands(flows[:, :, index], channels)[1][shown] for index in range(len(channels.names))]
    axes.stackplot(
        time, *medians, colors=[colours[name] for name in channels.names], alpha=0.8, linewidth=0,
        labels=channels.names,
    )  # fmt: skip
    # Behind the stack, with its lower edge drawn over it: a veil over the colours would look like channels.
    axes.fill_between(time, low, high, color=INK, alpha=0.12, linewidth=0, zorder=0)
    axes.plot(time, low, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)))
    axes.plot(time, middle, color=INK, linewidth=1.8, label=_total(channels))
    if channels.bought is not None:
        _draw_offer(axes, channels, shown)
    # The band of a wide forecast would leave nothing of the past: it is cut, and says where it goes.
    top = 1.05 * float(np.nanmax(high)) or 1.0
    cut = 2.2 * float(np.nanmax(middle))
    if 0 < cut < top:
        axes.annotate(
            f"band to {high[-1]:.3g}", xy=(1, 1), xycoords="axes fraction", xytext=(-3, -3),
            textcoords="offset points", ha="right", va="top", fontsize=8, color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
        )  # fmt: skip
    axes.set_ylim(0, min(top, cut) if cut > 0 else top)
    axes.set_ylabel(channels.unit, fontsize=9, color=INK)
    _title(axes, f"{_side(channels)} near the as-of date: medians stacked")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper left", frameon=False, fontsize=8.5, labelcolor=INK)


def _draw_lines(axes: Axes, channels: Channels, colours: Mapping[str, str], shown: Any) -> None:
    """Draw the channels' medians and the total with its interval on a log axis."""
    time, flows = channels.time[shown], shown_flows(channels)
    low, middle, high = bands(flows.sum(axis=2), channels)[:, shown]
    axes.fill_between(time, low, high, color=INK, alpha=0.12, linewidth=0)
    axes.plot(time, middle, color=INK, linewidth=1.8)
    least, most = float(np.nanmin(middle)), float(np.nanmax(high))
    for index, name in enumerate(channels.names):
        median = bands(flows[:, :, index], channels)[1][shown]
        axes.plot(time, np.where(median > 0, median, np.nan), color=colours[name], linewidth=1.6)
        positive = median[median > 0]
        least = min(least, float(positive.min())) if positive.size else least
    if channels.bought is not None:
        most = max(most, _draw_offer(axes, channels, shown))
    axes.set_yscale("log")
    if least > 0 and most > 0:
        axes.set_ylim(0.7 * least, 1.3 * most)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(f"{channels.unit} (log scale)", fontsize=9, color=INK)
    _title(axes, f"{_side(channels)}, to the last year: medians")


def _draw_offer(axes: Axes, channels: Channels, shown: Any) -> float:
    """Draw the median of all that is on offer; return its largest value."""
    offer = bands(channels.total, channels)[1][shown]
    axes.plot(channels.time[shown], offer, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), label="on offer")
    return float(np.nanmax(offer))


def _draw_share(
    axes: Axes, channels: Channels, described: Mapping[str, Any], colours: Mapping[str, str], shown: Any
) -> None:
    """Draw one channel's share of each moment's flow and of all since the first year."""
    time, flows = channels.time[shown], shown_flows(channels)
    name = _named(channels, described)
    index, since = channels.names.index(name), described["since"][:4]
    amounts = added_up(flows, channels.time, float(time[0]))[..., shown][..., 1:]
    of_all = bands(share_of(amounts, index), channels)
    axes.fill_between(time[1:], of_all[0], of_all[2], color=colours[name], alpha=0.2, linewidth=0)
    axes.plot(
        time[1:], of_all[1], color=colours[name], linewidth=1.8, label=f"of all since {since}, with band"
    )
    now = bands(share_of(flows, index), channels)[1][shown]
    axes.plot(
        time,
        now,
        color=colours[name],
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label="of the flow of the moment",
    )
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    _title(axes, f"Share of {name} in what is {_side(channels).lower()}")
    axes.legend(loc="upper left", frameon=False, fontsize=8.5, labelcolor=INK)


def _draw_ratio(
    axes: Axes, channels: Channels, ratio: FloatArray, described: Mapping[str, Any], shown: Any
) -> None:
    """Draw what can be had over what money could buy; below 1 the controls bind."""
    low, middle, high = 10.0 ** bands(ratio, channels)[:, shown]
    time = channels.time[shown]
    axes.fill_between(time, low, high, color=INK, alpha=0.14, linewidth=0)
    axes.plot(time, middle, color=INK, linewidth=1.8)
    axes.axhline(1.0, color=FAINT, linewidth=1)
    axes.set_yscale("log")
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, 1e-3), min(top, 1e3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("ratio (log scale)", fontsize=9, color=INK)
    binding = described["years"][-1]
    _title(
        axes,
        "What can be had / what money could buy\n"
        f"below 1 the controls bind: P = {binding['p_binding']:.2f} in {binding['year']}",
    )


def _side(channels: Channels) -> str:
    return "On offer" if channels.bought is None else "Bought"


def _total(channels: Channels) -> str:
    return "total" if channels.bought is None else "total bought"


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=9.5, color=INK)


def _named(channels: Channels, described: Mapping[str, Any]) -> str:
    """Return the channel whose share is drawn: :data:`SHOWN`, else the largest in the end."""
    if SHOWN in channels.names:
        return SHOWN
    side = "offered" if channels.bought is None else "bought"
    shares = described["years"][-1][side]["flow"]["shares"]
    return max(channels.names, key=lambda name: shares[name]["0.5"] or 0.0)


def _mark(axes: Axes, as_of: float) -> None:
    axes.axvline(as_of, color=FAINT, linewidth=1, linestyle=":")
