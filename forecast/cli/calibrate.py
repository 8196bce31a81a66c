"""``forecast calibrate``: are the posteriors of a worldview right over data that it gives itself."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from forecast.cli._options import model_options, plan_of
from forecast.cli._reading import json_option

NOT_CALIBRATED = 3


@click.command()
@model_options
@click.option("--simulations", type=click.IntRange(min=1), default=200, show_default=True)
@click.option("--draws", type=click.IntRange(min=100), help="Draws per chain of each fit [default: 500].")
@click.option(
    "--tune", type=click.IntRange(min=50), help="Warm-up draws per chain of each fit [default: 300]."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Fits at a time [default: as many as there are cores]. They change no number.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="calibration",
    show_default=True,
    metavar="DIR",
    help="A folder for the simulations and what comes of them.",
)
@json_option
def calibrate(
    simulations: int,
    draws: int | None,
    tune: int | None,
    workers: int | None,
    out: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Ask whether the posteriors of a worldview are right over data that it gives itself.

    Parameters are drawn from the priors, conditioned as the model is, and rows
    of evidence from the measurement models. Each simulated data set is fitted,
    and the truth is ranked among the posterior draws: for every fitted
    parameter, the crossing dates, the lead and the log likelihood. If all is
    right the ranks are uniform.

    It takes a fit for each simulation (about 25 minutes on two cores for the
    default worldview). What is done stays in the folder: the same command goes
    on where it was stopped.

    Exit code 0 if the ranks are uniform, 3 if some are not or too many fits failed.
    """
    from forecast.calibration import FIT
    from forecast.calibration import calibrate as calibrated
    from forecast.cli._progress import Progress
    from forecast.report.calibration_figure import calibration_figure
    from forecast.report.calibration_table import print_calibration
    from forecast.results import to_json
    from forecast.results.store import home_resolved

    out, settings = home_resolved(out), replace(FIT, draws=draws or FIT.draws, tune=tune or FIT.tune)
    with Progress("simulations") as progress, redirect_stdout(sys.stderr):
        plan = plan_of(options, progress)
        found = calibrated(
            plan, out, simulations=simulations, settings=settings, workers=workers, reporter=progress
        )
        picture = out / "calibration.png"
        calibration_figure(found.summary, found.ranks, found.band, picture)
    if as_json:
        click.echo(to_json(found.summary), nl=False)
    else:
        print_calibration(found.summary, picture)
    if found.summary["ok"] is not True:
        raise click.exceptions.Exit(NOT_CALIBRATED)
