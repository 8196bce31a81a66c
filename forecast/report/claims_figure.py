"""The picture of claims: what was stated against what a run says, each on its own scale."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from forecast.claims.checking import unit_words
from forecast.claims.on_trend import ordinal
from forecast.errors import ForecastError
from forecast.report.figures import FAINT, INK, SHADE, bloc_colours, percent
from forecast.report.picture_file import save_picture
from forecast.report.terminal import compact

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE, _RED, _GREEN, _, _, _AMBER = bloc_colours([str(place) for place in range(6)]).values()
VERDICT_COLOURS = {
    "consistent": _GREEN, "likely": _GREEN, "possible": _AMBER, "open": _AMBER,
    "contradicted": _RED, "unlikely": _RED,
}  # fmt: skip

_ROW, _MODEL_ROW = 0.62, 0.3  # inches
_TOP, _BOTTOM, _BETWEEN = 0.85, 0.6, 0.75
_WIDTH = 11.0
_LEFT, _RIGHT = 0.5, 0.87  # of the width: where the scales stand


def claims_figure(checked: Mapping[str, Any], path: Path | None = None) -> Figure:
    """Draw the scored claims, one a row, and the training costs that a claim is compared with.

    Parameters
    ----------
    checked : mapping
        From :func:`forecast.results.check_claims`.
    path : pathlib.Path, optional
        Where to save it: PNG, PDF, SVG or HTML.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ForecastError
        Where no claim is scored, so that there is nothing to draw.
    """
    scored = [claim for claim in checked["claims"] if claim["model"] is not None or claim["p"] is not None]
    if not scored:
        raise ForecastError(
            "There is nothing to draw: none of the claims is scored on this run. "
            "Without --output each reason is shown."
        )
    models = max((claim["details"].get("models", []) for claim in scored), key=len)
    block = _BETWEEN + _MODEL_ROW * len(models) if len(models) > 1 else 0.0
    height = _TOP + _ROW * len(scored) + block + _BOTTOM
    figure = Figure(figsize=(_WIDTH, height), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    for place, claim in enumerate(scored):
        top = height - _TOP - _ROW * place
        _draw_claim(figure, claim, (top - 0.42) / height, 0.24 / height)
    if block:
        _draw_models(figure, models, _BOTTOM / height, _MODEL_ROW * len(models) / height)
    _write_around(figure, checked, scored, height)
    if path is not None:
        save_picture(figure, path)
    return figure


def _draw_claim(figure: Figure, claim: Mapping[str, Any], bottom: float, height: float) -> None:
    axes = figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, height))
    middle = bottom + height / 2
    text = "\n".join(textwrap.wrap(claim["statement"], 72)[:2])
    figure.text(0.012, middle, text, fontsize=8.5, color=INK, va="center", linespacing=1.15)
    colour = VERDICT_COLOURS.get(claim["verdict"], FAINT)
    figure.text(
        _RIGHT + 0.015, middle, claim["verdict"], fontsize=10, color=colour, fontweight="bold", va="center"
    )
    if claim["p"] is not None:
        _draw_probability(axes, claim["p"])
    else:
        _draw_range(axes, claim)
    axes.set_yticks([])
    axes.set_ylim(-1, 1)
    axes.tick_params(labelsize=7, colors=INK, length=2, pad=1.5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)


def _draw_probability(axes: Axes, p: float) -> None:
    axes.axvspan(1 / 3, 2 / 3, color=SHADE, linewidth=0)
    axes.plot([0, p], [0, 0], color=_BLUE, linewidth=5, alpha=0.55, solid_capstyle="butt")
    axes.plot([p], [0], "o", color=_BLUE, markersize=6, clip_on=False)
    right = p < 0.85
    axes.annotate(
        percent(p), xy=(p, 0), xytext=(7 if right else -7, 0), textcoords="offset points", fontsize=8,
        color=INK, va="center", ha="left" if right else "right",
    )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 1 / 3, 2 / 3, 1], ["0", "1/3", "2/3", "probability 1"])


def _draw_range(axes: Axes, claim: Mapping[str, Any]) -> None:
    model, stated = claim["model"], claim["stated"]
    low, high = (stated["low"], stated["high"]) if isinstance(stated, Mapping) else (stated, stated)
    known = [value for value in (*model.values(), low, high) if value is not None]
    log = min(known) > 0 and max(known) / min(known) > 4
    if log:
        axes.set_xscale("log")
    first, last = _limits(min(known), max(known), log)
    found = {level: last if value is None else value for level, value in model.items()}
    for below, above, width, alpha in (("0.05", "0.95", 5, 0.3), ("0.25", "0.75", 9, 0.55)):
        axes.plot(
            [found[below], found[above]], [-0.35, -0.35], color=_BLUE, linewidth=width, alpha=alpha,
            solid_capstyle="butt",
        )  # fmt: skip
    axes.plot([found["0.5"]], [-0.35], "|", color=INK, markersize=9, markeredgewidth=1.6)
    if low == high:
        axes.plot([low], [0.55], "D", color=INK, markersize=5)
    else:
        axes.plot([low, high], [0.55, 0.55], color=INK, linewidth=2.2, marker="|", markersize=7)
    axes.set_xlim(first, last)
    if log:
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())
        if sum(first <= tick <= last for tick in axes.get_xticks()) < 2:
            axes.xaxis.set_major_locator(FixedLocator(_round_ticks(first, last)))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))
    axes.annotate(
        unit_words(claim["unit"]), xy=(0, 0), xycoords="axes fraction", xytext=(-5, 0),
        textcoords="offset points", fontsize=7, color=FAINT, ha="right", va="center",
    )  # fmt: skip


def _draw_models(figure: Figure, models: Sequence[Mapping[str, Any]], bottom: float, height: float) -> None:
    """What each model's capability was expected to cost at its date, and what it is said to have cost."""
    axes = figure.add_axes((0.36, bottom, 0.44, height))
    for place, model in enumerate(models):
        low, middle, high = (model["expected"][level] for level in ("0.05", "0.5", "0.95"))
        inside = low <= model["published"] <= high
        alone = [model["expected_alone"][level] for level in ("0.05", "0.95")]
        for ends, width in (([low, high], 7), (alone, 3)):
            axes.plot(ends, [-place, -place], color=_BLUE, linewidth=width, alpha=0.3, solid_capstyle="butt")
        axes.plot([middle], [-place], "|", color=INK, markersize=8, markeredgewidth=1.6)
        axes.plot([model["published"]], [-place], "D", color=INK if inside else _RED, markersize=5)
        axes.annotate(
            f"{ordinal(100 * model['quantile'])} percentile ({ordinal(100 * model['quantile_alone'])})",
            xy=(1.015, -place), xycoords=("axes fraction", "data"), fontsize=8, color=INK, va="center",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yticks(
        [-place for place in range(len(models))],
        [f"{model['model']} ({model['date'][:7]}, index {model['index']:.0f})" for model in models],
    )
    axes.set_ylim(-len(models) + 0.4, 0.6)
    axes.xaxis.set_major_locator(LogLocator(numticks=8))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${compact(value)}"))
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.7)
    axes.tick_params(labelsize=8, colors=INK, length=2.5)
    axes.set_title(
        "Training cost: published (diamond) beside what the capability was expected to cost then (90%; thin "
        "and in brackets: without the scatter between models)",
        fontsize=9, color=INK, loc="left", x=-0.79, pad=8,
    )  # fmt: skip
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)


def _write_around(
    figure: Figure, checked: Mapping[str, Any], scored: Sequence[Mapping[str, Any]], height: float
) -> None:
    sources = list(dict.fromkeys(f"{one['source']['title']} ({one['source']['date']})" for one in scored))
    figure.text(
        0.012, 1 - 0.22 / height, f"Claims against the model: {'; '.join(sources)}", fontsize=13, color=INK,
        fontweight="bold", va="center",
    )  # fmt: skip
    figure.text(
        0.012, 1 - 0.52 / height,
        "Black: what was stated. Blue: what the run or published figures say, as median, 50% and 90% "
        "interval, or as a probability. Each row has its own scale.",
        fontsize=9, color=INK, va="center",
    )  # fmt: skip
    rest = len(checked["claims"]) - len(scored)
    basis = "priors alone of worldview" if checked["prior_only"] else "worldview"
    lines = (
        "consistent: overlaps the central 50%; possible: the central 90%; contradicted: neither. likely: 2/3 "
        f"or more; unlikely: 1/3 or less; open: between. {rest} further claims are not scored.",
        f"Conditional on {basis} {checked['worldview']!r} as of {checked['as_of']}, not a prophecy. "
        f"Run {checked['run']}.",
    )
    for place, line in enumerate(reversed(lines)):
        figure.text(0.012, (0.1 + 0.15 * place) / height, line, fontsize=7.5, color=FAINT)


def _limits(low: float, high: float, log: bool) -> tuple[float, float]:
    """Limits of a scale with a margin at both ends."""
    if log:
        margin = 0.06 * math.log10(high / low) + 0.05
        return low / 10**margin, high * 10**margin
    margin = 0.08 * (high - low) or 0.08 * abs(high) or 1.0
    return low - margin, high + margin


def _round_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two positive numbers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [one * 10.0**power for power in powers for one in (1, 2, 5) if low <= one * 10.0**power <= high]
