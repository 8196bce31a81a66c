"""What made the growth, as a picture: drivers' parts stacked over time, a panel for each bloc."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from forecast.dates import end_of
from forecast.report.figures import FAINT, INK
from forecast.report.picture_file import save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

YEARS_AHEAD = 10
"""Years after the as-of date that are drawn: beyond, a trend and the limit that bends it hide the rest."""

# Okabe and Ito's palette in an order in which neighbours differ in lightness too; limits are grey, hatched.
_COLOURS = ("#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#009E73", "#F0E442", "#CC79A7")
_LIMITS = (("#4d4d4d", "////"), ("#7d7d7d", "\\\\\\\\"), ("#a3a3a3", "xxxx"))
_REST = "#dddddd"
_PANELS_ABREAST = 3
_LEAST = 0.01
"""Of the largest part; one that stays below has no colour of its own."""


@dataclass(frozen=True)
class _Area:
    """A part, or the small ones together: its values by bloc, (moment,)."""

    title: str
    driver: str
    colour: str
    hatch: str
    values: Mapping[str, FloatArray]


def growth_figure(
    described: Mapping[str, Any],
    titles: Mapping[str, str],
    path: Path | None = None,
    *,
    worldview: str = "",
    prior_only: bool = False,
    run_id: str = "",
) -> Figure:
    """Draw the parts of a quantity's growth: what adds above zero, what takes away below, and the total.

    Parameters
    ----------
    described : mapping
        From :func:`forecast.results.growth.describe_growth`.
    titles : mapping of str to str
        Of the blocs.
    path : pathlib.Path, optional
        A picture file to write.
    worldview, run_id : str
        For the caption.
    prior_only : bool
        The draws are of the priors alone.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ForecastError
        The file cannot be written.
    """
    as_of = date.fromisoformat(described["as_of"])
    years = np.array(described["years"])
    shown = years <= max(as_of.year + YEARS_AHEAD + 1.0, years[1])
    blocs = list(described["blocs"])
    areas = _areas(described, shown)
    columns = min(len(blocs), _PANELS_ABREAST)
    rows = -(-len(blocs) // columns)
    figure = Figure(
        figsize=(3.4 + (6.2 if columns == 1 else 4.2 * columns), 2.0 + 4.1 * rows), dpi=150, facecolor="white"
    )
    FigureCanvasAgg(figure)
    height = figure.get_figheight()
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(
        left=0.7 / figure.get_figwidth(), right=1 - 2.75 / figure.get_figwidth(),
        bottom=1.0 / height, top=1 - 0.95 / height, wspace=0.08, hspace=0.2,
    )  # fmt: skip
    for axes, bloc in zip(panels.flat, blocs, strict=False):
        _draw_bloc(axes, bloc, areas, described, shown)
        axes.set_title(titles.get(bloc, bloc), loc="left", fontsize=10.5, fontweight="bold", color=INK)
        _mark(axes, as_of)
        _finish(axes)
    for axes in panels.flat[len(blocs) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel(f"{described['unit']} since {described['since']}", fontsize=9, color=INK)
    _legend(figure, areas)
    width = figure.get_figwidth()
    title = f"{described['title']}: what made the growth, as of {described['as_of']}"
    figure.suptitle(
        textwrap.shorten(title, int(8.8 * width), placeholder="…"),
        x=0.012, y=1 - 0.14 / height, ha="left", va="top", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    figure.text(
        0.012, 1 - 0.46 / height,
        "1 OOM is a factor of ten. What adds to growth is above zero, what takes away from it below; "
        "the line is their sum.",
        fontsize=9, color=INK, va="top",
    )  # fmt: skip
    basis = "priors alone of worldview" if prior_only else "worldview"
    said = f"Conditional on {basis} {worldview!r}, not a prophecy. " if worldview else ""
    caption = (
        f"{said}Means over {described['draws']:,} accepted draws. An account, not an experiment: what a part "
        "adds is not what would be lost without it, for the others answer to it (`forecast scenario` "
        "tries that)."
    )
    lines = "\n".join(textwrap.wrap(caption, int(15.5 * width)))
    figure.text(0.012, 0.3 / height, lines, fontsize=7.5, color=FAINT, va="bottom")
    figure.text(
        0.012, 0.1 / height, f"Run {run_id}" if run_id else "", fontsize=7.5, color=FAINT, va="bottom"
    )
    if path is not None:
        save_picture(figure, path)
    return figure


def _areas(described: Mapping[str, Any], shown: NDArray[np.bool_]) -> list[_Area]:
    """Give the largest parts colours of their own, in the order of the account, and put the rest together."""
    blocs = described["blocs"]
    values = [
        {bloc: np.array(found["parts"][place])[shown] for bloc, found in blocs.items()}
        for place in range(len(described["parts"]))
    ]
    size = [max(float(np.abs(one).max()) for one in by_bloc.values()) for by_bloc in values]
    parts = described["parts"]
    by_size = [int(place) for place in np.argsort(size)[::-1] if size[place] >= _LEAST * max(size)]
    limits = [place for place in by_size if parts[place]["kind"] == "limit"][: len(_LIMITS)]
    others = [place for place in by_size if parts[place]["kind"] != "limit"][: len(_COLOURS)]
    looks = dict(zip(sorted(limits), _LIMITS, strict=False))
    looks |= {place: (colour, "") for place, colour in zip(sorted(others), _COLOURS, strict=False)}
    areas = [
        _Area(parts[place]["title"], parts[place]["driver"], *looks[place], values[place])
        for place in sorted(looks)
    ]
    rest = [place for place in range(len(parts)) if place not in looks]
    if rest:
        together = {
            bloc: sum((values[place][bloc] for place in rest), np.zeros(shown.sum())) for bloc in blocs
        }
        title = parts[rest[0]]["title"] if len(rest) == 1 else f"{len(rest)} smaller parts"
        areas.append(_Area(title, "", _REST, "", together))
    return areas


def _draw_bloc(
    axes: Axes, bloc: str, areas: Sequence[_Area], described: Mapping[str, Any], shown: NDArray[np.bool_]
) -> None:
    years = np.array(described["years"])[shown]
    for upward in (True, False):
        base = np.zeros(years.size)
        for area in areas:
            values = area.values[bloc]
            top = base + (np.maximum(values, 0.0) if upward else np.minimum(values, 0.0))
            axes.fill_between(
                years, base, top, facecolor=area.colour, edgecolor="white", linewidth=0.5, hatch=area.hatch
            )
            base = top
    axes.plot(years, np.array(described["blocs"][bloc]["total"])[shown], color=INK, linewidth=2.2)
    axes.axhline(0.0, color=INK, linewidth=0.8)


def _mark(axes: Axes, as_of: date) -> None:
    moment = end_of(as_of)
    axes.axvline(moment, color=INK, linewidth=1, linestyle=":")
    axes.annotate(
        "as of", xy=(moment, 1), xycoords=("data", "axes fraction"), xytext=(-3, -4),
        textcoords="offset points", ha="right", va="top", rotation=90, fontsize=8, color=INK,
    )  # fmt: skip


def _finish(axes: Axes) -> None:
    axes.margins(x=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
    axes.tick_params(labelsize=8.5, colors=INK, length=3.5, labelbottom=True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)


def _legend(figure: Figure, areas: Sequence[_Area]) -> None:
    """List the parts beside the panels, uppermost first, as they are stacked."""
    handles: list[Any] = [Line2D([], [], color=INK, linewidth=2.2, label="Growth, all parts together")]
    for area in reversed(areas):
        lines = [*textwrap.wrap(area.title, 36), *([f"({area.driver})"] if area.driver else [])]
        handles.append(
            Patch(
                facecolor=area.colour,
                edgecolor="white",
                hatch=area.hatch,
                linewidth=0.5,
                label="\n".join(lines),
            )
        )
    figure.legend(
        handles=handles, loc="upper left", frameon=False, fontsize=8.5, labelcolor=INK, labelspacing=0.8,
        bbox_to_anchor=(1 - 2.65 / figure.get_figwidth(), 1 - 0.85 / figure.get_figheight()),
        handlelength=1.6, borderaxespad=0,
    )  # fmt: skip
