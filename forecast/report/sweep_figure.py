"""How the answer of a sweep responds to what was varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from forecast.dates import decimal_year
from forecast.report.figures import FAINT, INK, PALETTE, SHADE, bloc_colours, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]

MOST_LINES = 6
"""Values of a second setting that are drawn as lines; more are a heat map."""

MOST_TICKS = 8
_BINS = 5
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
    is_grid: bool = True
    is_list: bool = False


def response_figure(rows: Rows, settings: Sequence[str], facts: SweepFacts) -> Figure:
    """Draw the response of one milestone.

    Parameters
    ----------
    rows : sequence of mapping
        Of one milestone, as ``results.parquet`` has them; cells that failed are left out.
    settings : sequence of str
    facts : SweepFacts

    Returns
    -------
    matplotlib.figure.Figure
        For one setting the probability of the window and the crossing dates
        against it; for two of a grid, lines or a heat map; for more, and for a
        hypercube, each setting's main effect.
    """
    good = [row for row in rows if row["p_in"] is not None]
    varying = [key for key in settings if len({_key(row[key]) for row in good}) > 1]
    if not good:
        figure, _ = _figure(1, 1, facts, "no cell has numbers")
        return figure
    if facts.is_list and len(varying) != 1:
        return _against(good, None, facts)
    if len(varying) <= 1:
        return _against(good, (varying or list(settings))[0], facts)
    if facts.is_grid and len(varying) == 2:
        return _two(good, varying, facts)
    return _main_effects(good, varying, facts)


@dataclass(frozen=True)
class _Scale:
    """Where the values of a setting stand on an axis: numbers and days where they are, others in a row."""

    values: list[Any]
    at: Floats
    numeric: bool
    days: bool

    @classmethod
    def of(cls, rows: Rows, key: str) -> _Scale:
        values = list({_key(row[key]): row[key] for row in rows}.values())
        days = all(isinstance(value, date) for value in values)
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        if days or numeric:
            values = sorted(values)
            at = [decimal_year(value) if days else float(value) for value in values]
        else:
            at = [float(place) for place in range(len(values))]
        return cls(values, np.array(at), numeric, days)

    def place(self, value: Any) -> float:
        return float(self.at[[_key(one) for one in self.values].index(_key(value))])

    def ticks(self, axes: Axes, name: str) -> None:
        axes.set_xlabel(name, fontsize=9, color=INK)
        if self.numeric and len(self.values) > MOST_TICKS:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
            return
        if self.days and len(self.values) > MOST_TICKS:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda year, _: f"{year:.1f}"))
            return
        labels = [_text(value) for value in self.values]
        slanted = self.days or max(map(len, labels)) * len(labels) > 44
        axes.set_xticks(
            self.at, labels, rotation=30 if slanted else 0, ha="right" if slanted else "center",
            rotation_mode="anchor",
        )  # fmt: skip


def _against(rows: Rows, key: str | None, facts: SweepFacts) -> Figure:
    """Draw probability and dates against one setting, or cell by cell."""
    if key is None:
        rows = [{**row, "cell, in the order of the lists": str(row["cell"])} for row in rows]
        key = "cell, in the order of the lists"
    scale = _Scale.of(rows, key)
    figure, ((left, right),) = _figure(1, 2, facts, "")
    colours = bloc_colours(list(facts.blocs))
    step = float(np.diff(scale.at).min()) if len(scale.at) > 1 else 1.0
    ceiling = _ceiling(rows)
    for index, (bloc, title) in enumerate(facts.blocs.items()):
        own = sorted((row for row in rows if row["bloc"] == bloc), key=lambda row: scale.place(row[key]))
        if not own:
            continue
        at = np.array([scale.place(row[key]) for row in own])
        dodged = at + step * 0.08 * (index - (len(facts.blocs) - 1) / 2)
        line = "-" if scale.numeric or scale.days else (0, (1, 2))
        left.plot(
            at, [row["p_in"] for row in own], marker="o", ms=5, ls=line, color=colours[bloc], label=title
        )
        for low, high, width in (("q05", "q95", 1.2), ("q25", "q75", 4.0)):
            ends = [(_date(row[low], ceiling), _date(row[high], ceiling)) for row in own]
            right.vlines(dodged, *zip(*ends, strict=True), color=colours[bloc], linewidth=width, alpha=0.55)
        _medians(right, dodged, [row["q50"] for row in own], ceiling, colours[bloc])
    _finish(left, scale, facts.short.get(key, key), _window_label(facts))
    _finish(right, scale, facts.short.get(key, key), "crossing date", ceiling, facts)
    left.legend(frameon=False, fontsize=9, labelcolor=INK)
    right.set_title("median, 50% (thick) and 90%", loc="left", fontsize=9, color=FAINT)
    return figure


def _two(rows: Rows, keys: Sequence[str], facts: SweepFacts) -> Figure:
    """Draw two settings of a grid: lines by the one with fewer values, or a heat map."""
    scales = {key: _Scale.of(rows, key) for key in keys}
    by = min(reversed(keys), key=lambda key: (len(scales[key].values), scales[key].numeric))
    along = next(key for key in keys if key != by)
    if len(scales[by].values) > MOST_LINES:
        return _heat(rows, along, by, scales, facts)
    figure, grid = _figure(2, len(facts.blocs), facts, "")
    ceiling = _ceiling(rows)
    scale = scales[along]
    step = float(np.diff(scale.at).min())
    for column, (bloc, title) in enumerate(facts.blocs.items()):
        above, below = grid[0][column], grid[1][column]
        for index, value in enumerate(scales[by].values):
            own = [row for row in rows if row["bloc"] == bloc and _key(row[by]) == _key(value)]
            own.sort(key=lambda row: scale.place(row[along]))
            if not own:
                continue
            at = np.array([scale.place(row[along]) for row in own])
            colour = PALETTE[index % len(PALETTE)]
            line = "-" if scale.numeric or scale.days else (0, (1, 2))
            above.plot(
                at, [row["p_in"] for row in own], marker="o", ms=5, ls=line, color=colour, label=_text(value)
            )
            dodged = at + step * 0.06 * (index - (len(scales[by].values) - 1) / 2)
            ends = [(_date(row["q25"], ceiling), _date(row["q75"], ceiling)) for row in own]
            below.vlines(dodged, *zip(*ends, strict=True), color=colour, linewidth=2.5, alpha=0.45)
            _medians(below, dodged, [row["q50"] for row in own], ceiling, colour)
        _finish(above, scale, "", _window_label(facts) if column == 0 else "")
        _finish(below, scale, facts.short[along], "crossing date" if column == 0 else "", ceiling, facts)
        above.set_title(title, loc="left", fontsize=10, color=INK)
    grid[0][-1].legend(
        title=facts.short[by], frameon=False, fontsize=8, title_fontsize=8, labelcolor=INK,
        loc="upper left", bbox_to_anchor=(1.0, 1.0),
    )  # fmt: skip
    grid[1][0].set_title("median and 50%", loc="left", fontsize=9, color=FAINT)
    _same_height(grid[0])
    return figure


def _heat(rows: Rows, along: str, by: str, scales: Mapping[str, _Scale], facts: SweepFacts) -> Figure:
    """Draw the probability of the window as a heat map a bloc, with the median written into it."""
    figure, (panels,) = _figure(1, len(facts.blocs), facts, "")
    across, up = scales[along], scales[by]
    top = max(row["p_in"] for row in rows) or 1.0
    image = None
    for axes, (bloc, title) in zip(panels, facts.blocs.items(), strict=True):
        values = np.full((len(up.values), len(across.values)), np.nan)
        for row in rows:
            if row["bloc"] != bloc:
                continue
            x = [_key(one) for one in across.values].index(_key(row[along]))
            y = [_key(one) for one in up.values].index(_key(row[by]))
            values[y, x] = row["p_in"]
            if values.size <= 100:
                dark = row["p_in"] > 0.6 * top
                median = "never" if row["q50"] is None else f"{row['q50']:.1f}"
                axes.text(
                    x, y, f"{percent(row['p_in'])}\n{median}", ha="center", va="center", fontsize=6.5,
                    color="white" if dark else INK,
                )  # fmt: skip
        image = axes.imshow(values, origin="lower", aspect="auto", cmap="Blues", vmin=0, vmax=top)
        for axis, scale, key in ((axes.xaxis, across, along), (axes.yaxis, up, by)):
            every = max(1, -(-len(scale.values) // 12))
            axis.set_ticks(range(0, len(scale.values), every), [_text(v) for v in scale.values[::every]])
            axis.set_label_text(facts.short[key], fontsize=9, color=INK)
        axes.tick_params(labelsize=8, colors=INK, length=0)
        axes.tick_params(axis="x", rotation=30 if len(across.values) > 5 else 0)
        axes.set_title(title, loc="left", fontsize=10, color=INK)
        axes.spines[:].set_visible(False)
    assert image is not None
    bar = figure.colorbar(image, ax=list(panels), shrink=0.8)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
    bar.ax.tick_params(labelsize=8, colors=INK)
    bar.set_label(f"{_window_label(facts)}; below it the median", fontsize=8, color=INK)
    return figure


def _main_effects(rows: Rows, keys: Sequence[str], facts: SweepFacts) -> Figure:
    """Draw each setting's effect, averaged over whatever the others were."""
    shown = list(keys)[:6]
    figure, grid = _figure(2, len(shown), facts, "")
    colours = bloc_colours(list(facts.blocs))
    ceiling = _ceiling(rows)
    for column, key in enumerate(shown):
        above, below = grid[0][column], grid[1][column]
        scale = _Scale.of(rows, key)
        binned = len(scale.values) > MOST_TICKS and (scale.numeric or scale.days)
        for bloc, title in facts.blocs.items():
            own = [row for row in rows if row["bloc"] == bloc]
            if not own:
                continue
            at = np.array([scale.place(row[key]) for row in own])
            shares = np.array([row["p_in"] for row in own], dtype=float)
            dates = np.array([np.inf if row["q50"] is None else row["q50"] for row in own], dtype=float)
            groups = _groups(at, binned)
            centres = np.array([at[group].mean() for group in groups])
            for axes, values in ((above, shares), (below, np.minimum(dates, ceiling))):
                axes.plot(at, values, ls="none", marker="o", ms=3, mew=0, alpha=0.3, color=colours[bloc])
            line = "-" if scale.numeric or scale.days else (0, (1, 2))
            means = [shares[group].mean() for group in groups]
            above.plot(centres, means, marker="o", ms=6, ls=line, color=colours[bloc], label=title)
            middles = [_middle(dates[group]) for group in groups]
            below.plot(centres, [_date(one, ceiling) for one in middles], ls=line, color=colours[bloc])
            _medians(below, centres, middles, ceiling, colours[bloc])
        _finish(above, scale, "", _window_label(facts) if column == 0 else "")
        _finish(below, scale, facts.short[key], "median crossing date" if column == 0 else "", ceiling, facts)
    grid[0][-1].legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _same_height(grid[0])
    _same_height(grid[1])
    left_out = f"; {len(keys) - len(shown)} more settings are not drawn" if len(keys) > len(shown) else ""
    figure.text(
        0.012, 0.005,
        "Small points: cells. Large ones: the mean over cells (of dates the median) with this value, "
        f"or in a fifth of its range{left_out}.",
        fontsize=7.5, color=FAINT, va="bottom",
    )  # fmt: skip
    return figure


def _groups(at: Floats, binned: bool) -> list[NDArray[np.intp]]:
    """Cells by their value of a setting, or by fifths of its range."""
    if not binned:
        return [np.flatnonzero(at == value) for value in np.unique(at)]
    edges = np.linspace(at.min(), at.max(), _BINS + 1)
    places = np.clip(np.digitize(at, edges) - 1, 0, _BINS - 1)
    return [np.flatnonzero(places == place) for place in np.unique(places)]


def _middle(dates: Floats) -> float | None:
    middle = (
        float(np.sort(dates)[(len(dates) - 1) // 2]) if np.isinf(dates).any() else float(np.median(dates))
    )
    return middle if np.isfinite(middle) else None


def _figure(down: int, across: int, facts: SweepFacts, remark: str) -> tuple[Figure, Any]:
    width = 9.0 if across < 3 else 2.6 * across + 1.4
    figure = Figure(
        figsize=(width, 4.2 if down == 1 else 6.2), dpi=150, layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, rect=(0, 0.025, 1, 0.975))  # type: ignore[union-attr,call-arg]
    figure.suptitle(
        f"{facts.title}: how the answer responds ({facts.name})",
        x=0.012, ha="left", fontsize=12, fontweight="bold", color=INK,
    )  # fmt: skip
    grid = figure.subplots(down, across, squeeze=False)
    if remark:
        for axes in grid.flat:
            axes.axis("off")
            axes.text(0.5, 0.5, remark, ha="center", va="center", fontsize=10, color=FAINT)
    return figure, grid


def _finish(
    axes: Axes,
    scale: _Scale,
    below: str,
    beside: str,
    ceiling: float | None = None,
    facts: SweepFacts | None = None,
) -> None:
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
            f"not by {facts.horizon[:4]}", xy=(0, ceiling), xycoords=("axes fraction", "data"), xytext=(2, 2),
            textcoords="offset points", fontsize=7, color=FAINT,
        )  # fmt: skip


def _medians(axes: Axes, at: Floats, medians: Sequence[float | None], ceiling: float, colour: str) -> None:
    """Mark medians; one that is never stands open at the ceiling."""
    known = np.array([median is not None for median in medians])
    values = np.array([_date(median, ceiling) for median in medians])
    axes.plot(at[known], values[known], ls="none", marker="o", ms=5.5, color=colour, zorder=4)
    axes.plot(at[~known], values[~known], ls="none", marker="^", ms=6, mfc="white", mec=colour, zorder=4)


def _ceiling(rows: Rows) -> float:
    """Where "never" is drawn: just above the latest date of all."""
    dates = [row[key] for row in rows for key in ("q05", "q25", "q50", "q75", "q95") if row[key] is not None]
    if not dates:
        return 1.0
    return float(max(dates) + 0.06 * (max(dates) - min(dates) + 1))


def _date(value: float | None, ceiling: float) -> float:
    return ceiling if value is None else value


def _window_label(facts: SweepFacts) -> str:
    return f"P({facts.window})" if facts.window else "P(in the window)"


def _same_height(panels: Sequence[Axes]) -> None:
    low = min(axes.get_ylim()[0] for axes in panels)
    high = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(low, high)


def _key(value: Any) -> str:
    return f"{type(value).__name__} {value!r}" if not isinstance(value, int | float) else repr(float(value))


def _text(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
