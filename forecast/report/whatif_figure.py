"""The picture of a what-if question: crossing dates before and after, a panel for each bloc."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from forecast.dates import decimal_year, end_of
from forecast.errors import ForecastError
from forecast.report.figures import (
    FAINT,
    INK,
    FloatArray,
    bloc_colours,
    draw_as_of,
    draw_density,
    draw_never,
    draw_window,
    finish_axes,
    percent,
)
from forecast.report.picture_file import check_picture_path, save_picture
from forecast.results import default_milestone, month_or_never
from forecast.results.summary import accepted_draws, crossing_array

if TYPE_CHECKING:
    import xarray as xr

_LONGEST = 100


def whatif_figure(
    found: Mapping[str, Any],
    before: xr.Dataset,
    after: xr.Dataset,
    weights: FloatArray | None = None,
    path: Path | None = None,
    *,
    milestone: str | None = None,
) -> Figure:
    """Draw each bloc's crossing dates in the run and under the other settings.

    Parameters
    ----------
    found : mapping
        As ``forecast whatif --json`` prints it.
    before, after : xarray.Dataset
        Groups ``crossings`` of the run and of the answer.
    weights : ndarray, (chain, draw), optional
        Of the draws of `after`; all count alike by default.
    path : pathlib.Path, optional
        Where to save it; the ending says the format.
    milestone : str, optional
        By default ``agi`` where both have it, else the first that both have.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if path is not None:
        check_picture_path(path)
    names = [name for name in found["milestones"] if name in found["before"]["milestones"]]
    if not names:
        raise ForecastError("There is nothing to draw: no milestone is in the run and in the answer.")
    chosen = milestone or default_milestone(names)
    was, now = found["before"]["milestones"][chosen], found["milestones"][chosen]
    blocs = [bloc for bloc in now["blocs"] if bloc in was["blocs"]]
    colours = bloc_colours(list(now["blocs"]))
    height = 1.5 + 2.4 * len(blocs)
    figure = Figure(figsize=(9.0, height), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    bottom = 0.42 / height
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.06, rect=(0, bottom, 1, 1 - bottom))  # type: ignore[union-attr,call-arg]
    rows = figure.subplots(len(blocs), 2, width_ratios=[7, 1], squeeze=False)
    for (main, beside), bloc in zip(rows, blocs, strict=True):
        starts, ends, never = [], [], []
        for side, crossings, given, colour, words in (
            (found["before"], before, None, FAINT, "the run"),
            (found, after, weights, colours[bloc], "what if"),
        ):
            when, share = _dates(crossings, chosen, bloc, given)
            stated = side["milestones"][chosen]["blocs"][bloc]
            as_of, last = (date.fromisoformat(side[key]) for key in ("as_of", "horizon"))
            bounds = min([decimal_year(as_of), *when[np.isfinite(when)].tolist()]), end_of(last)
            median = stated["quantiles"]["0.5"]
            label = (
                f"{words}: median {month_or_never(median, side['horizon'])}, "
                f"in the window {percent(stated['p_in'])}"
            )
            first = words == "the run"
            draw_density(
                main, when, bounds, median, colour, label,
                linestyle=(0, (4, 1.5)) if first else "-", fill=0.0 if first else 0.15, weights=share,
                linewidth=1.6 if first else 2.2,
            )  # fmt: skip
            starts.append(bounds[0])
            ends.append(bounds[1])
            never.append(stated["p_never"])
        window = [date.fromisoformat(found["window"][key]) for key in ("start", "end")]
        draw_window(main, window[0], window[1])
        draw_as_of(main, date.fromisoformat(found["as_of"]))
        draw_never(beside, np.array(never), [FAINT, colours[bloc]], found["horizon"])
        finish_axes(main, min(*starts, decimal_year(window[0])), max(*ends, end_of(window[1])))
        main.set_title(now["blocs"][bloc]["title"], loc="left", fontsize=11, color=INK, pad=18)
        if main is not rows[-1, 0]:
            main.set_xlabel("")
    changed = ", ".join(found["set"])
    changed = changed if len(changed) <= _LONGEST else f"{changed[:_LONGEST]}..."
    figure.suptitle(
        f"{now['title']}, what if: {changed}",
        x=0.012, ha="left", fontsize=13 if len(changed) < 60 else 9.5, fontweight="bold", color=INK,
    )  # fmt: skip
    for place, line in enumerate(_caption(found)):
        figure.text(0.012, (0.26 - 0.15 * place) / height, line, fontsize=7.5, color=FAINT)
    if path is not None:
        save_picture(figure, path)
    return figure


def _dates(
    crossings: xr.Dataset, milestone: str, bloc: str, weights: FloatArray | None
) -> tuple[FloatArray, FloatArray | None]:
    accepted = accepted_draws(crossings)
    index = [str(one) for one in crossings["bloc"].to_numpy()].index(bloc)
    when = crossing_array(crossings, milestone)[..., index][accepted]
    return when, None if weights is None else weights[accepted]


def _caption(found: Mapping[str, Any]) -> tuple[str, str]:
    how = "By a refit."
    if found["method"] == "importance":
        how = "The run's dates, read again."
        if found["effective_draws"] is not None:
            k_hat = "" if found["k_hat"] is None else f", k-hat {found['k_hat']:.2f}"
            how = f"The run's draws, weighted (worth {found['effective_draws']:,.0f} draws{k_hat})."
    return (
        "The area under a curve is the probability of crossing by the horizon. Triangles: medians. "
        "Conditional, not a prophecy.",
        f"{how} Run {found['run']}: worldview {found['worldview']!r} as of {found['as_of']}.",
    )
