"""``forecast diagnose``: may the draws of a fit be relied on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._reading import json_option, out_option
from forecast.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

NOT_RELIABLE = 3


@click.command()
@click.argument("run")
@click.option(
    "--threshold",
    "given",
    multiple=True,
    metavar="CODE=VALUE",
    help="Another threshold, such as r_hat=1.05; may be repeated. Codes: --json, or docs/diagnose.md.",
)
@out_option
@json_option
def diagnose(run: str, given: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Say whether the draws of a fit may be relied on, and what to do if not.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest"; or a NetCDF file or Zarr store that ArviZ wrote, of any model.

    The verdict rests on R-hat, bulk and tail ESS, divergences, E-BFMI and, for
    our runs, accepted draws. Beside it: Monte Carlo errors, energy, tree depth;
    per table of evidence a posterior predictive check, LOO-PIT, coverage and
    the rows with a high Pareto k; parameters that the data did not move, and
    priors that they contradict. Each passes, fails, or is not available.

    Exit code 0 if the verdict is good, 3 if it is not or could not be reached.
    """
    from forecast.diagnostics import read_thresholds

    thresholds = read_thresholds(given)
    found = _diagnosed(run, thresholds, out)
    if as_json:
        from forecast.results import to_json

        click.echo(to_json(found), nl=False)
    else:
        from forecast.report.diagnosis import print_diagnosis

        print_diagnosis(found)
    if found["ok"] is not True:
        raise click.exceptions.Exit(NOT_RELIABLE)


def _diagnosed(run: str, thresholds: dict[str, float], out: str | None) -> dict[str, Any]:
    from forecast.diagnostics import GROUPS, diagnose, is_fit_file, read_fit
    from forecast.results import find_run, read_run, runs_folder
    from forecast.results.store import home_resolved

    path = home_resolved(run)
    if is_fit_file(path):
        tree = read_fit(path, GROUPS)
        ours = "accepted" in tree["crossings"] if "crossings" in tree.children else False
        return diagnose(tree, run=run, ours=ours, thresholds=thresholds)
    if _looks_like_a_path(run, path):
        raise InputError(f"{run}: there is no such run, file or Zarr store.")
    stored = read_run(find_run(run, runs_folder(out)))
    return diagnose(
        stored.groups(*GROUPS),
        run=stored.id,
        prior_only=stored.summary["prior_only"],
        thresholds=thresholds,
    )


def _looks_like_a_path(run: str, path: Path) -> bool:
    """Whether something can only have been meant as a file: its ending says so, and nothing is there."""
    return not os.path.exists(path) and run.lower().endswith(
        (".nc", ".nc4", ".netcdf", ".h5", ".hdf5", ".zarr", ".zip")
    )
