"""A section of a run's report: what experts said, beside what the run says."""

import numpy as np

from forecast import ReportSection, load_evidence

AGI = "agi"
FIRST, LAST = 2025.0, 2070.0  # of the picture's axis
BLUE, INK, FAINT = "#0072B2", "#333333", "#9a9a9a"


def forecasts_known_by(as_of):
    """The latest forecast of each forecaster, soonest first."""
    table = load_evidence(__package__, driver="expert-survey")["forecasts"]
    return sorted(table.known_by(as_of).rows, key=lambda row: row.value)


def first_crossings(run):
    """Dates on which the first bloc crosses, of the accepted draws; None without such a milestone."""
    crossings = run.crossings
    if AGI not in crossings:
        return None
    kept = crossings["accepted"].values.astype(bool)
    return crossings[AGI].transpose("chain", "draw", "bloc").values.min(axis=-1)[kept]


def text(run):
    """One line a forecaster, and what the run makes of it."""
    first, rows = first_crossings(run), forecasts_known_by(run.worldview.as_of)
    if first is None or not rows:
        return ""
    said = [
        f"{row.name} ({row.date}): {int(row.value)}{'' if row.extra['fitted'] else ', not fitted'}; "
        f"{np.mean(first <= row.value):.0%} of this run by then."
        for row in rows
    ]
    middle = np.quantile(first, 0.5, method="higher")
    run_says = f"{middle:.1f}" if np.isfinite(middle) else f"not by {run.worldview.horizon:%Y}"
    return "\n\n".join(
        [
            f"The first bloc crosses in this run in {run_says} (median of {len(first)} accepted draws). "
            "Published medians known by its as-of date, each forecaster's latest, with the share of this "
            "run's draws in which a bloc has crossed by that date:",
            *said,
            "Not all speak of the same thing: see the column `definition` of the table `forecasts`. A median "
            "is a forecaster's even chance, so a run that agrees has about half of its draws by then.",
        ]
    )


def picture(run, path):
    """Medians and intervals of forecasters over the run's own quantiles."""
    from matplotlib.figure import Figure

    first, rows = first_crossings(run), forecasts_known_by(run.worldview.as_of)[::-1]
    figure = Figure(figsize=(8.0, 1.6 + 0.3 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for low, high, shade in ((0.05, 0.95, 0.10), (0.25, 0.75, 0.18)):
        ends = np.minimum(np.quantile(first, [low, high], method="higher"), LAST)
        axes.axvspan(*ends, color=BLUE, alpha=shade, lw=0, label=f"first bloc in this run, {high - low:.0%}")
    middle = min(np.quantile(first, 0.5, method="higher"), LAST)
    axes.axvline(middle, color=BLUE, label="its median")
    for place, row in enumerate(rows):
        colour = INK if row.extra["fitted"] else FAINT
        if row.high > row.low:
            axes.plot([max(row.low, FIRST), min(row.high, LAST)], [place, place], color=colour, lw=1)
        marker, year = ("o", row.value) if row.value < LAST else (">", LAST)
        axes.plot(year, place, marker, color=colour, ms=5, clip_on=False)
    axes.plot([], [], "o-", color=INK, lw=1, ms=5, label="published median and interval")
    axes.plot([], [], "o", color=FAINT, ms=5, label="the same, not fitted")
    labels = [f"{row.name.partition(',')[0]}, {row.date:%Y-%m}" for row in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.set_xlim(FIRST, LAST)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    figure.savefig(path, dpi=150)


SECTION = ReportSection(
    name="expert-survey", title="What experts said of the date", text=text, picture=picture
)
