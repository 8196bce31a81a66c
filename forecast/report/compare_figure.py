"""The picture of several runs side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from forecast.dates import decimal_year, end_of
from forecast.errors import ForecastError
from forecast.report.figures import (
    ABOVE,
    FAINT,
    INK,
    SHADE,
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
from forecast.results import StoredRun, month_or_never, quantiles
from forecast.results.crossing_summary import window_indicators
from forecast.results.summary import accepted_draws, crossing_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# With the colours these tell twelve runs apart.
_STYLES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)))


class _Curve(NamedTuple):
    """One bloc in one run."""

    number: int
    run: StoredRun
    when: FloatArray
    colour: str
    style: Any


def compare_figure(runs: Sequence[StoredRun], milestone: str, path: Path | None = None) -> Figure:
    """Draw the crossing dates of several runs over one another, a panel for each bloc.

    Parameters
    ----------
    runs : sequence of StoredRun
        Those without the milestone are left out.
    milestone : str
    path : pathlib.Path, optional
        Where to save it: a PNG, PDF, SVG or HTML file; replaced if it exists.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Where the path has another ending.
    ForecastError
        Where no run has the milestone, or the picture cannot be written.
    """
    if path is not None:
        check_picture_path(path)
    drawn = {n: run for n, run in enumerate(runs, start=1) if milestone in run.summary["milestones"]}
    if not drawn:
        raise ForecastError(f"There is nothing to draw: none of the runs has the milestone {milestone!r}.")
    panels = _panels(drawn, milestone)
    titles = _titles(drawn.values(), milestone)
    height = 1.3 + len(panels) * (2.1 + 0.2 * len(drawn))
    figure = Figure(figsize=(9.0, height), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    bottom = (0.22 + 0.14 * len(drawn)) / height
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.06, rect=(0, bottom, 1, 1 - bottom))  # type: ignore[union-attr,call-arg]
    rows = figure.subplots(len(panels), 2, width_ratios=[7 if len(drawn) < 4 else 4, 1], squeeze=False)
    first, last = _span(drawn.values())
    for (main, beside), (bloc, curves) in zip(rows, panels.items(), strict=True):
        for curve in curves:
            _draw_curve(main, curve, fill=0.06 if len(curves) < 4 else 0.0)
        horizons = {curve.run.summary["horizon"] for curve in curves}
        shares = np.array([np.isposinf(curve.when).mean() for curve in curves])
        draw_never(beside, shares, [curve.colour for curve in curves], max(horizons))
        if len(horizons) > 1:
            beside.set_xlabel("not by the\nrun's horizon", fontsize=9, color=INK)
        _draw_dates(main, curves)
        finish_axes(main, first, last)
        # Room for a long legend above the curves.
        main.set_ylim(0, main.get_ylim()[1] * (1 + 0.13 * max(len(curves) - 3, 0)))
        main.set_title(titles.get(bloc, bloc), loc="left", fontsize=11, color=INK, pad=18)
        if main is not rows[-1, 0]:
            main.set_xlabel("")
    figure.suptitle(
        f"{_title(drawn.values(), milestone)}: when each bloc gets there, in {len(drawn)} runs",
        x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK,
    )  # fmt: skip
    _caption(figure, drawn, height)
    if path is not None:
        save_picture(figure, path)
    return figure


def _panels(runs: Mapping[int, StoredRun], milestone: str) -> dict[str, list[_Curve]]:
    """Curves by bloc; a run keeps its colour and style in every panel."""
    colours = bloc_colours([str(number) for number in runs])
    panels: dict[str, list[_Curve]] = {}
    for place, (number, run) in enumerate(runs.items()):
        crossings = run.crossings
        when = crossing_array(crossings, milestone)[accepted_draws(crossings)]
        style = _STYLES[place % len(_STYLES)]
        for index, bloc in enumerate(crossings["bloc"].to_numpy()):
            curve = _Curve(number, run, when[:, index], colours[str(number)], style)
            panels.setdefault(str(bloc), []).append(curve)
    return panels


def _draw_curve(axes: Axes, curve: _Curve, fill: float) -> None:
    summary = curve.run.summary
    as_of, horizon, window = _days(summary)
    reached = curve.when[np.isfinite(curve.when)]
    start = min([decimal_year(as_of), *reached.tolist()])
    median = quantiles(curve.when, [0.5])["0.5"]
    inside = window_indicators(curve.when, decimal_year(window[0]), end_of(window[1]))["p_in"]
    label = (
        f"{curve.number}  {summary['worldview']}: median {month_or_never(median, summary['horizon'])}, "
        f"in the window {percent(float(inside.mean()))}"
    )
    draw_density(
        axes, curve.when, (start, end_of(horizon)), median, curve.colour, label,
        linestyle=curve.style, fill=fill,
    )  # fmt: skip


def _draw_dates(axes: Axes, curves: Sequence[_Curve]) -> None:
    """Shade the windows and mark the as-of dates, in the runs' colours where they differ."""
    days = [_days(curve.run.summary) for curve in curves]
    windows = list(dict.fromkeys(window for _, _, window in days))
    as_ofs = {as_of for as_of, _, _ in days}
    if len(windows) == 1:
        draw_window(axes, *windows[0])
    if len(windows) == 1 and len(as_ofs) == 1:
        draw_as_of(axes, *as_ofs)
    else:
        for curve, (as_of, _, _) in zip(curves, days, strict=True):
            colour = curve.colour if len(as_ofs) > 1 else FAINT
            axes.axvline(decimal_year(as_of), color=colour, linewidth=1, linestyle=":", zorder=1)
    if len(windows) == 1:
        return
    for first, last in windows:
        axes.axvspan(decimal_year(first), end_of(last), color=SHADE, linewidth=0, zorder=0)
    for place, (curve, (_, _, (first, last))) in enumerate(zip(curves, days, strict=True)):
        axes.plot(
            [decimal_year(first), end_of(last)], [0.985 - 0.025 * place] * 2, color=curve.colour, linewidth=2,
            transform=axes.get_xaxis_transform(), solid_capstyle="butt",
        )  # fmt: skip
    start = min(decimal_year(first) for first, _ in windows)
    axes.annotate("window of each run", xy=(start, 1), xytext=(0, 4), ha="left", color=FAINT, **ABOVE)


def _days(summary: dict[str, Any]) -> tuple[date, date, tuple[date, date]]:
    """As-of date, horizon and window."""
    window = summary["window"]
    as_of, horizon, first, last = (
        date.fromisoformat(text)
        for text in (summary["as_of"], summary["horizon"], window["start"], window["end"])
    )
    return as_of, horizon, (first, last)


def _span(runs: Iterable[StoredRun]) -> tuple[float, float]:
    days = [_days(run.summary) for run in runs]
    return (
        min(decimal_year(min(as_of, window[0])) for as_of, _, window in days),
        max(end_of(max(horizon, window[1])) for _, horizon, window in days),
    )


def _titles(runs: Iterable[StoredRun], milestone: str) -> dict[str, str]:
    titles: dict[str, str] = {}
    for run in runs:
        for bloc, found in run.summary["milestones"][milestone]["blocs"].items():
            titles.setdefault(bloc, found["title"])
    return titles


def _title(runs: Iterable[StoredRun], milestone: str) -> str:
    """The milestone's title where all runs call it the same, else its name."""
    found = {run.summary["milestones"][milestone]["title"] for run in runs}
    return found.pop() if len(found) == 1 else f"Milestone {milestone}"


def _caption(figure: Figure, runs: Mapping[int, StoredRun], height: float) -> None:
    lines = [
        "The area under a curve is the probability of crossing by the horizon. Triangles: medians; dotted: "
        "as-of dates. Each run is conditional on its worldview, not a prophecy."
    ]
    for number, run in runs.items():
        summary = run.summary
        basis = "priors alone of " if summary["prior_only"] else ""
        lines.append(
            f"{number}  {run.id}: {basis}worldview {summary['worldview']!r} as of {summary['as_of']}"
        )
    for place, line in enumerate(reversed(lines)):
        figure.text(0.012, (0.08 + 0.14 * place) / height, line, fontsize=7.5, color=FAINT)
