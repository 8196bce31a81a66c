"""How the answer of a sweep responds to what was varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from forecast.report.figures import FAINT, INK, PALETTE, bloc_colours, percent
from forecast.report.sweep_axes import (
    MOST_TICKS,
    Floats,
    Rows,
    Scale,
    SweepFacts,
    ceiling_of,
    draw_medians,
    drawn_date,
    finish,
    same_height,
    sweep_axes,
    value_key,
    value_text,
    window_label,
)

if TYPE_CHECKING:
    pass

MOST_LINES = 6
"""Values of a second setting that are drawn as lines; more are a heat map."""

_BINS = 5


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
    varying = [key for key in settings if len({value_key(row[key]) for row in good}) > 1]
    if not good:
        figure, _ = sweep_axes(1, 1, facts, "no cell has numbers")
        return figure
    if facts.is_list and len(varying) != 1:
        return _against(good, None, facts)
    if len(varying) <= 1:
        return _against(good, (varying or list(settings))[0], facts)
    if facts.is_grid and len(varying) == 2:
        return _two(good, varying, facts)
    return _main_effects(good, varying, facts)


def _against(rows: Rows, key: str | None, facts: SweepFacts) -> Figure:
    """Draw probability and dates against one setting, or cell by cell."""
    if key is None:
        rows = [{**row, "cell, in the order of the lists": str(row["cell"])} for row in rows]
        key = "cell, in the order of the lists"
    scale = Scale.of(rows, key, facts)
    figure, ((left, right),) = sweep_axes(1, 2, facts)
    colours = bloc_colours(list(facts.blocs))
    step = max(float(np.diff(scale.at).min()), float(np.ptp(scale.at)) / 8) if len(scale.at) > 1 else 1.0
    ceiling = ceiling_of(rows)
    for index, (bloc, title) in enumerate(facts.blocs.items()):
        own = sorted((row for row in rows if row["bloc"] == bloc), key=lambda row: scale.place(row[key]))
        if not own:
            continue
        at = np.array([scale.place(row[key]) for row in own])
        dodged = at + step * 0.14 * (index - (len(facts.blocs) - 1) / 2)
        line = "-" if scale.numeric or scale.days else (0, (1, 2))
        left.plot(
            at, [row["p_in"] for row in own], marker="o", ms=5, ls=line, color=colours[bloc], label=title
        )
        for low, high, width in (("q05", "q95", 1.2), ("q25", "q75", 4.0)):
            ends = [(drawn_date(row[low], ceiling), drawn_date(row[high], ceiling)) for row in own]
            right.vlines(dodged, *zip(*ends, strict=True), color=colours[bloc], linewidth=width, alpha=0.55)
        draw_medians(right, dodged, [row["q50"] for row in own], ceiling, colours[bloc])
    finish(left, scale, facts.short.get(key, key), window_label(facts))
    finish(right, scale, facts.short.get(key, key), "crossing date", ceiling, facts)
    left.legend(frameon=False, fontsize=9, labelcolor=INK)
    right.set_title("median, 50% (thick) and 90%", loc="left", fontsize=9, color=FAINT)
    return figure


def _two(rows: Rows, keys: Sequence[str], facts: SweepFacts) -> Figure:
    """Draw two settings of a grid: lines by the one with fewer values, or a heat map."""
    scales = {key: Scale.of(rows, key, facts) for key in keys}
    by = min(reversed(keys), key=lambda key: (len(scales[key].values), scales[key].numeric))
    along = next(key for key in keys if key != by)
    if len(scales[by].values) > MOST_LINES:
        return _heat(rows, along, by, scales, facts)
    figure, grid = sweep_axes(2, len(facts.blocs), facts)
    ceiling = ceiling_of(rows)
    scale = scales[along]
    step = float(np.diff(scale.at).min())
    for column, (bloc, title) in enumerate(facts.blocs.items()):
        above, below = grid[0][column], grid[1][column]
        for index, value in enumerate(scales[by].values):
            own = [row for row in rows if row["bloc"] == bloc and value_key(row[by]) == value_key(value)]
            own.sort(key=lambda row: scale.place(row[along]))
            if not own:
                continue
            at = np.array([scale.place(row[along]) for row in own])
            colour = PALETTE[index % len(PALETTE)]
            line = "-" if scale.numeric or scale.days else (0, (1, 2))
            above.plot(
                at,
                [row["p_in"] for row in own],
                marker="o",
                ms=5,
                ls=line,
                color=colour,
                label=value_text(value),
            )
            dodged = at + step * 0.06 * (index - (len(scales[by].values) - 1) / 2)
            ends = [(drawn_date(row["q25"], ceiling), drawn_date(row["q75"], ceiling)) for row in own]
            below.vlines(dodged, *zip(*ends, strict=True), color=colour, linewidth=2.5, alpha=0.45)
            draw_medians(below, dodged, [row["q50"] for row in own], ceiling, colour)
        finish(above, scale, "", window_label(facts) if column == 0 else "")
        finish(below, scale, facts.short[along], "crossing date" if column == 0 else "", ceiling, facts)
        above.set_title(title, loc="left", fontsize=10, color=INK)
    grid[0][-1].legend(
        title=facts.short[by], frameon=False, fontsize=8, title_fontsize=8, labelcolor=INK,
        loc="upper left", bbox_to_anchor=(1.0, 1.0),
    )  # fmt: skip
    grid[1][0].set_title("median and 50%", loc="left", fontsize=9, color=FAINT)
    same_height(grid[0])
    return figure


def _heat(rows: Rows, along: str, by: str, scales: Mapping[str, Scale], facts: SweepFacts) -> Figure:
    """Draw the probability of the window as a heat map a bloc, with the median written into it."""
    figure, (panels,) = sweep_axes(1, len(facts.blocs), facts, note="Below the probability: the median.")
    across, up = scales[along], scales[by]
    top = max(row["p_in"] for row in rows) or 1.0
    image = None
    for axes, (bloc, title) in zip(panels, facts.blocs.items(), strict=True):
        values = np.full((len(up.values), len(across.values)), np.nan)
        for row in rows:
            if row["bloc"] != bloc:
                continue
            x = [value_key(one) for one in across.values].index(value_key(row[along]))
            y = [value_key(one) for one in up.values].index(value_key(row[by]))
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
            axis.set_ticks(range(0, len(scale.values), every), [value_text(v) for v in scale.values[::every]])
            axis.set_label_text(facts.short[key], fontsize=9, color=INK)
        axes.tick_params(labelsize=8, colors=INK, length=0)
        axes.tick_params(axis="x", rotation=30 if len(across.values) > 5 else 0)
        axes.set_title(title, loc="left", fontsize=10, color=INK)
        axes.spines[:].set_visible(False)
    assert image is not None
    bar = figure.colorbar(image, ax=list(panels), shrink=0.8)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
    bar.ax.tick_params(labelsize=8, colors=INK)
    bar.set_label(window_label(facts), fontsize=8, color=INK)
    return figure


def _main_effects(rows: Rows, keys: Sequence[str], facts: SweepFacts) -> Figure:
    """Draw each setting's effect, averaged over whatever the others were."""
    shown = list(keys)[:6]
    left_out = f"; {len(keys) - len(shown)} more settings are not drawn" if len(keys) > len(shown) else ""
    note = "Small: cells. Large: their mean (of dates the median) at a value, or in a fifth of the range"
    figure, grid = sweep_axes(2, len(shown), facts, note=f"{note}{left_out}.")
    colours = bloc_colours(list(facts.blocs))
    ceiling = ceiling_of(rows)
    for column, key in enumerate(shown):
        above, below = grid[0][column], grid[1][column]
        scale = Scale.of(rows, key, facts)
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
            below.plot(centres, [drawn_date(one, ceiling) for one in middles], ls=line, color=colours[bloc])
            draw_medians(below, centres, middles, ceiling, colours[bloc])
        finish(above, scale, "", window_label(facts) if column == 0 else "")
        finish(below, scale, facts.short[key], "median crossing date" if column == 0 else "", ceiling, facts)
    grid[0][-1].legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    same_height(grid[0])
    same_height(grid[1])
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
