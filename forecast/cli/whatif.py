"""``forecast whatif``: a saved run under other settings, at once where its draws can tell."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli._reading import answer, json_option, open_run, out_option, picture_option

if TYPE_CHECKING:
    from forecast.cli._progress import Progress
    from forecast.results import StoredRun
    from forecast.whatif import Asked

DIAGNOSTICS_FAILED = 3


@click.command()
@click.argument("run")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="What to change, such as priors.investment.growth.mu=0.2; may be repeated.",
)
@click.option(
    "--refit/--no-refit",
    default=None,
    help="Always make a refit, or never one [default: where the draws cannot tell].",
)
@picture_option("crossing dates before and after")
@out_option
@json_option
@click.pass_context
def whatif(
    ctx: click.Context,
    run: str,
    overrides: tuple[str, ...],
    refit: bool | None,
    output: Path | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Say what a saved run would say under other settings.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest"; keys are those of `forecast run --set`. Where only the reading
    changes (window, lead, a nearer horizon), the run is read again. Where priors
    or thresholds change, its draws are weighed by the new ones over the old ones
    (Pareto-smoothed importance sampling), and k-hat says whether they can tell.
    Above 0.7 (less where the run has fewer than 2,200 draws), and where no
    weights can tell, a refit is made and saved as a run.
    """
    stored = open_run(run, out, output)
    found = _ask(stored, overrides, refit, out)

    def draw(path: Path) -> None:
        from forecast.report.whatif_figure import whatif_figure

        whatif_figure(found.summary, found.before, found.after, found.weights, path)

    from forecast.report.whatif_table import print_whatif

    answer(stored, found.summary, as_json=as_json, output=output, draw=draw, show=print_whatif)
    if found.summary["method"] == "refit" and found.summary["diagnostics"]["ok"] is False:
        click.echo("Warning: the refit's diagnostics failed; do not rely on its numbers.", err=True)
        ctx.exit(DIAGNOSTICS_FAILED)


def _ask(stored: StoredRun, overrides: tuple[str, ...], refit: bool | None, out: str | None) -> Asked:
    from forecast.results import runs_folder
    from forecast.whatif import ask

    # Standard output is for the answer alone: what a plugin prints goes where the progress goes.
    with redirect_stdout(sys.stderr):
        return ask(stored, overrides, runs_folder(out), refit=refit, progress=_progress, command=sys.argv[1:])


def _progress() -> Progress:
    """Begin to show progress, of a refit alone: an answer by weights does not import the engine."""
    from forecast.cli._progress import Progress

    return Progress()
