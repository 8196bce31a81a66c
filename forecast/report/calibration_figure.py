"""The picture of a calibration: for each number, the distribution of its ranks less the uniform one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from forecast.report.figures import FAINT, INK, PALETTE, SHADE
from forecast.report.picture_file import save_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

COLUMNS = 8
WIDTH, HEIGHT, MARGIN = 2.1, 1.45, 1.75  # inches, of a panel and of title with caption
INSIDE, OUTSIDE = PALETTE[0], PALETTE[1]


def calibration_figure(
    summary: Mapping[str, Any],
    ranks: Mapping[str, Floats],
    band: tuple[Integers, Integers],
    path: Path | None = None,
) -> Figure:
    """Draw a panel for each number that was ranked.

    Parameters
    ----------
    summary : mapping
        Of a calibration.
    ranks : mapping of str to ndarray, (simulation,)
        Uniform on (0, 1) where all is right.
    band : (ndarray of int, ndarray of int), each (simulation - 1,)
        Lowest and highest counts at 1/n to 1 - 1/n that hold a curve.
    path : pathlib.Path, optional
        Where to save it: PNG, PDF, SVG or HTML.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = sorted(ranks, key=lambda name: _owner(name, summary))
    rows = max(1, -(-len(names) // COLUMNS))
    size = (COLUMNS * WIDTH, rows * HEIGHT + MARGIN)
    figure = Figure(figsize=size, dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    below, above = 0.85 / size[1], 0.75 / size[1]
    figure.get_layout_engine().set(w_pad=0.04, h_pad=0.04, rect=(0.02, below, 0.975, 1 - below - above))  # type: ignore[union-attr,call-arg]
    panels: Sequence[Axes] = list(
        figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False).flat
    )
    for axes, name in zip(panels, names, strict=False):
        _draw(axes, name, summary["parameters"][name], ranks[name], band)
    least, most = panels[0].get_ylim()
    panels[0].set_ylim(least, most + 0.2 * (most - least))  # room for the numbers
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for place, axes in enumerate(panels[: len(names)]):
        # The lowest panel of a column carries the axis, where the last row is not full too.
        axes.tick_params(labelbottom=place + COLUMNS >= len(names))
    good = summary["simulations"] - summary["failed"]
    verdict = "all inside" if not summary["outside"] else f"{len(summary['outside'])} outside"
    _text(
        figure,
        1 - 0.22 / size[1],
        f"Calibration: ranks of {len(names)} numbers, {verdict}",
        13,
        INK,
        bold=True,
    )
    _text(
        figure,
        1 - 0.46 / size[1],
        f"Distribution of the ranks of {good} truths among their posterior draws, less the uniform one. "
        "Numbers: coverage of 50, 80 and 90% intervals; contraction (ctr) of the posterior.",
        8.5,
        INK,
    )
    tried = summary["worldview"]
    lines = (
        f"Grey: holds all {len(names)} curves of a right model together with probability "
        f"{1 - summary['false_alarm']:.0%}. A curve above zero on the left and below on the right: intervals "
        "too narrow; the other way round: too wide;",
        "a hump above zero: posterior too high, below: too low. Contraction near 0: the data say nothing of "
        "it, and a model that ignores its data is calibrated too.",
        f"Worldview {tried['name']!r} as of {tried['as_of']}, seed {tried['seed']}; {summary['failed']} of "
        f"{summary['simulations']} fits failed. Talts et al. 2018; Säilynoja, Bürkner and Vehtari 2022; "
        "Modrák et al. 2023.",
    )
    for place, line in enumerate(lines):
        _text(figure, (0.56 - 0.18 * place) / size[1], line, 7.5, FAINT)
    if path is not None:
        save_picture(figure, path)
    return figure


def _draw(
    axes: Axes, name: str, found: Mapping[str, Any], ranks: Floats, band: tuple[Integers, Integers]
) -> None:
    size = len(ranks)
    colour = INSIDE if found["inside_band"] else OUTSIDE
    if size > 1:
        z = np.arange(1, size) / size
        edge = np.concatenate([[0.0], z, [1.0]])
        low, high = (np.concatenate([[0.0], side / size - z, [0.0]]) for side in band)
        axes.fill_between(edge, low, high, color=SHADE, linewidth=0)
        curve = np.searchsorted(np.sort(ranks), z, side="right") / size - z
        axes.plot(edge, np.concatenate([[0.0], curve, [0.0]]), color=colour, linewidth=1.1)
    axes.axhline(0.0, color=FAINT, linewidth=0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.tick_params(labelsize=6.5, colors=FAINT, length=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    owner, _, rest = name.partition(".")
    title = f"{owner}\n{rest}" if rest else f"derived\n{name}"
    axes.set_title(title, fontsize=6.5, loc="left", color=INK if found["inside_band"] else OUTSIDE, pad=2)
    axes.text(
        0.98, 0.96, _numbers(found), transform=axes.transAxes, ha="right", va="top", fontsize=5.8, color=FAINT
    )


def _owner(name: str, summary: Mapping[str, Any]) -> str:
    """Driver of a number, by which panels are sorted; derived ones come first."""
    return "" if summary["parameters"][name]["derived"] else name.partition(".")[0]


def _numbers(found: Mapping[str, Any]) -> str:
    shares = [one for one in found["coverage"].values() if one is not None]
    text = " ".join(f"{100 * one:.0f}" for one in shares)
    return text if found["contraction"] is None else f"{text}  ctr {found['contraction']:.2f}"


def _text(figure: Figure, y: float, text: str, size: float, colour: str, *, bold: bool = False) -> None:
    weight = "bold" if bold else "normal"
    figure.text(0.012, y, text, fontsize=size, color=colour, fontweight=weight, va="center")
