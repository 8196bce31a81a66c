"""Axes of pictures of a sweep: where settings stand, how never is drawn, what a picture says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from forecast.dates import decimal_year
from forecast.report.figures import FAINT, INK, SHADE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]

MOST_TICKS = 8
CONDITIONAL = "Each cell is conditional on its own assumptions, not a prophecy."
_LONGEST = 22


@dataclass(frozen=True)
class SweepFacts:
    """What a picture of a sweep says beside its numbers.

    Attributes
    ----------
    name : str
        Of the sweep.
    title : str
        Of the milestone.
    window, horizon : str
        ISO dates: "2026-01-01 to 2027-12-31" where all cells have one window,
        blank where they differ; the latest horizon.
    blocs : mapping of str to str
        Bloc to title.
    short : mapping of str to str
        Setting to what it is called in pictures.
    order : mapping of str to sequence
        Values of a setting that is a list, in the order of the file.
    is_grid : bool
        Whether cells are all combinations of the settings' values.
    is_list : bool
        Whether settings change together from cell to cell.
    """

    name: str
    title: str
    window: str
    horizon: str
    blocs: Mapping[str, str]
    short: Mapping[str, str]
    order: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    is_grid: bool = True
    is_list: bool = False


@dataclass(frozen=True)
class Scale:
    """Where the values of a setting stand on an axis: numbers and days where they are, others in a row."""

    values: list[Any]
    at: Floats
    numeric: bool
    days: bool

    @classmethod
    def of(cls, rows: Rows, key: str, facts: SweepFacts) -> Scale:
        """Place the values that a setting has in some rows."""
        there = {value_key(row[key]): row[key] for row in rows}
        ordered = [value_key(value) for value in facts.order.get(key, ()) if value_key(value) in there]
        values = [there[one] for one in dict.fromkeys([*ordered, *there])]
        days = all(isinstance(value, date) for value in values)
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        if days or numeric:
            values = sorted(values)
            at = [decimal_year(value) if days else float(value) for value in values]
        else:
            at = [float(place) for place in range(len(values))]
        return cls(values, np.array(at), numeric, days)

    def place(self, value: Any) -> float:
        """Where a value stands."""
        return float(self.at[[value_key(one) for one in self.values].index(value_key(value))])

    def ticks(self, axes: Axes, name: str) -> None:
        """Label the axis below."""
        axes.set_xlabel(name, fontsize=9, color=INK)
        if self.numeric and len(self.values) > MOST_TICKS:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
            return
        if self.days and len(self.values) > MOST_TICKS:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.1f}"))
            return
        labels = [value_text(value) for value in self.values]
        slanted = self.days or max(map(len, labels)) * len(labels) > 44
        axes.set_xticks(
            self.at, labels, rotation=30 if slanted else 0, ha="right" if slanted else "center",
            rotation_mode="anchor",
        )  # fmt: skip


def sweep_axes(
    down: int, across: int, facts: SweepFacts, remark: str = "", note: str = ""
) -> tuple[Figure, Any]:
    """Return a figure with its title and caption, and an array of axes, (down, across).

    Parameters
    ----------
    down, across : int
    facts : SweepFacts
    remark : str
        In place of a picture.
    note : str
        For the caption.
    """
    width = 9.0 if across < 3 else 2.6 * across + 1.4
    figure = Figure(
        figsize=(width, 4.2 if down == 1 else 6.2), dpi=150, layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, rect=(0, 0.045, 1, 0.955))  # type: ignore[union-attr,call-arg]
    figure.suptitle(
        f"{facts.title}: how the answer responds, sweep {facts.name}",
        x=0.012, ha="left", fontsize=12, fontweight="bold", color=INK,
    )  # fmt: skip
    figure.text(0.012, 0.012, f"{CONDITIONAL} {note}".strip(), fontsize=7.5, color=FAINT, va="bottom")
    grid = figure.subplots(down, across, squeeze=False)
    if remark:
        for axes in grid.flat:
            axes.axis("off")
            axes.text(0.5, 0.5, remark, ha="center", va="center", fontsize=10, color=FAINT)
    return figure, grid


def finish(
    axes: Axes,
    scale: Scale,
    below: str,
    beside: str,
    ceiling: float | None = None,
    facts: SweepFacts | None = None,
) -> None:
    """Set ticks, labels and limits: of dates where there is a `ceiling`, else of probabilities."""
    scale.ticks(axes, below)
    axes.set_ylabel(beside, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    room = 0.1 * (float(np.ptp(scale.at)) or 1.0)
    axes.set_xlim(scale.at.min() - room, scale.at.max() + room)
    axes.grid(axis="y", color=SHADE, linewidth=0.8)
    axes.set_axisbelow(True)
    if ceiling is None:
        axes.set_ylim(0, max(1.06 * axes.dataLim.ymax, 0.02))  # a point at the top is whole
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g}%"))
        return
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.0f}"))
    if facts is not None and axes.dataLim.ymax >= ceiling - 1e-6:
        axes.axhline(ceiling, color=FAINT, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"not by {facts.horizon[:4]}", xy=(1, ceiling), xycoords=("axes fraction", "data"), xytext=(0, 5),
            textcoords="offset points", ha="right", fontsize=7, color=FAINT,
        )  # fmt: skip


def draw_medians(
    axes: Axes, at: Floats, medians: Sequence[float | None], ceiling: float, colour: str
) -> None:
    """Mark medians; one that is never stands open at the ceiling."""
    known = np.array([median is not None for median in medians])
    values = np.array([drawn_date(median, ceiling) for median in medians])
    axes.plot(at[known], values[known], ls="none", marker="o", ms=5.5, color=colour, zorder=4)
    axes.plot(at[~known], values[~known], ls="none", marker="^", ms=6, mfc="white", mec=colour, zorder=4)


def ceiling_of(rows: Rows) -> float:
    """Where "never" is drawn: just above the latest date of all."""
    dates = [row[key] for row in rows for key in ("q05", "q25", "q50", "q75", "q95") if row[key] is not None]
    if not dates:
        return 1.0
    return float(max(dates) + 0.06 * (max(dates) - min(dates) + 1))


def drawn_date(value: float | None, ceiling: float) -> float:
    """Where a date is drawn."""
    return ceiling if value is None else value


def window_label(facts: SweepFacts) -> str:
    """What the probability is of."""
    return f"P({facts.window})" if facts.window else "P(in the window)"


def same_height(panels: Sequence[Axes]) -> None:
    """Let panels be compared by eye."""
    low = min(axes.get_ylim()[0] for axes in panels)
    high = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(low, high)


def value_key(value: Any) -> str:
    """Return the same text for equal values of a setting."""
    return f"{type(value).__name__} {value!r}" if not isinstance(value, int | float) else repr(float(value))


def value_text(value: Any) -> str:
    """Write a value of a setting at a tick."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
