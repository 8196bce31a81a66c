"""Prior densities as small multiples."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from forecast.errors import ForecastError
from forecast.report.figures import FAINT, INK, PALETTE
from forecast.report.picture_file import show_titles_as_written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from forecast.worldview import Prior, ResolvedParameter, Worldview

_NEUTRAL = "#777777"  # about no bloc in particular
_COLUMNS = 5


class _Curve(NamedTuple):
    label: str
    prior: Prior
    colour: str


class _Panel(NamedTuple):
    owner: str
    title: str
    unit: str
    curves: list[_Curve]


def draw_priors(
    worldview: Worldview, resolved: Mapping[tuple[str, str], ResolvedParameter], path: Path
) -> None:
    """Draw the density of every prior that is not a constant, and save it.

    Parameters
    ----------
    worldview : Worldview
        Its thresholds are drawn first.
    resolved : mapping
        (driver, parameter) to :class:`forecast.worldview.ResolvedParameter`.
    path : Path
        A PNG file; overwritten.

    Raises
    ------
    ForecastError
        If the picture cannot be written.
    """
    panels = _panels(worldview, resolved)
    rows = max(1, math.ceil(len(panels) / _COLUMNS))
    figure = Figure(figsize=(3.0 * _COLUMNS, 2.15 * rows + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        f"Priors of “{worldview.title}”: median and 90% interval; each to its own height",
        color=INK,
        fontsize=13,
    )
    axes = list(figure.subplots(rows, _COLUMNS, squeeze=False).flat)
    for axis, panel in zip(axes, panels, strict=False):
        _draw(axis, panel)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    show_titles_as_written(figure)
    try:
        figure.savefig(path, dpi=110, format="png")
    except OSError as error:
        raise ForecastError(f"{path}: cannot be written: {error.strerror or error}") from None


def _panels(worldview: Worldview, resolved: Mapping[tuple[str, str], ResolvedParameter]) -> list[_Panel]:
    panels = [
        _Panel("thresholds", name, prior.unit, [_Curve("", prior, _NEUTRAL)])
        for name, prior in worldview.thresholds.items()
    ]
    panels += [
        _Panel(parameter.driver, parameter.name, parameter.unit, _curves(worldview, parameter))
        for parameter in resolved.values()
    ]
    drawn = [panel._replace(curves=[c for c in panel.curves if not c.prior.is_constant]) for panel in panels]
    return [panel for panel in drawn if panel.curves]


def _curves(worldview: Worldview, parameter: ResolvedParameter) -> list[_Curve]:
    titles = [bloc.title for bloc in worldview.blocs]
    priors = list(parameter.entries.values())
    # Blocs that share a prior draw separately from it, but one curve shows them all.
    if len(priors) > 1 and all(prior == priors[0] for prior in priors):
        return [_Curve("each bloc", priors[0], _NEUTRAL)]
    curves = []
    for index, (key, prior) in enumerate(parameter.entries.items()):
        place = worldview.bloc_names.index(key.bloc) if key.bloc else 0
        label = ", ".join(part for part in (titles[place] if key.bloc else "", key.epoch) if part)
        colour = index if key.epoch else place
        tint = PALETTE[colour % len(PALETTE)] if label else _NEUTRAL
        curves.append(_Curve(label, prior, tint))
    return curves


def _draw(axis: Axes, panel: _Panel) -> None:
    log = _spans_decades([curve.prior for curve in panel.curves])
    tallest = 0.0
    for index, (label, prior, colour) in enumerate(panel.curves):
        x, density = _density(prior, log)
        height = density / np.max(density)  # the area is one whatever the height; shapes are compared
        tallest = max(tallest, float(np.max(height)))
        axis.plot(x, height, color=colour, lw=1.4, label=label)
        axis.fill_between(x, height, color=colour, alpha=0.15, lw=0)
        low, middle, high = (float(q) for q in prior.ppf([0.05, 0.5, 0.95]))
        base = -0.08 * (index + 1)
        axis.plot([low, high], [base, base], color=colour, lw=1.4, solid_capstyle="butt", clip_on=False)
        axis.plot([middle], [base], "o", color=colour, ms=3.5, clip_on=False)
    named = [curve for curve in panel.curves if curve.label]
    axis.set_ylim(
        -0.08 * (len(panel.curves) + 0.5), tallest * (1.08 + (0.11 * len(named) if len(named) > 1 else 0))
    )
    if log:
        axis.set_xscale("log")
    name = "\n".join(textwrap.wrap(panel.title.replace("_", " "), 26))
    axis.set_title(f"{panel.owner}\n{name}", fontsize=8, color=INK, loc="left", linespacing=1.15)
    axis.set_xlabel(panel.unit, fontsize=7.5, color=INK, labelpad=1)
    axis.set_yticks([])
    axis.tick_params(labelsize=7, colors=INK, length=2.5, pad=1.5)
    _set_ticks(axis, log)
    for side in ("left", "top", "right"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color(FAINT)
    if named:
        axis.legend(fontsize=6.5, frameon=False, loc="upper right", handlelength=1.0, borderpad=0)


def _set_ticks(axis: Axes, log: bool) -> None:
    if log:
        axis.xaxis.set_major_locator(LogLocator(numticks=5))
        axis.xaxis.set_minor_formatter(NullFormatter())
    else:
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.xaxis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _position: int | None = None) -> str:
    """Write a tick without an offset at the axis's end: 0.05, 1200, 2.5e7."""
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _spans_decades(priors: list[Prior]) -> bool:
    """Whether positive priors spread so far that only a log axis shows them."""
    low = min(float(prior.ppf(0.05)) for prior in priors)
    high = max(float(prior.ppf(0.95)) for prior in priors)
    return all(prior.support()[0] >= 0 for prior in priors) and low > 0 and high / low > 10


def _density(prior: Prior, log: bool) -> tuple[Any, Any]:
    """Points and density over the central 99.4%; per decade on a log axis."""
    low, high = (float(q) for q in prior.ppf([0.003, 0.997]))
    if log:
        x = np.geomspace(max(low, 1e-300), high, 300)
        return x, np.exp(prior.logpdf(x)) * x * math.log(10)
    margin = 0.03 * (high - low)
    start, end = prior.support()
    x = np.linspace(max(low - margin, start), min(high + margin, end), 300)
    with np.errstate(all="ignore"):
        density = np.exp(prior.logpdf(x))
    # A density without bound at the end of its support would hide the rest.
    finite = density[np.isfinite(density)]
    return x, np.clip(np.nan_to_num(density, posinf=finite.max()), 0, 20 * np.median(finite) + 1e-300)
