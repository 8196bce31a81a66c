"""``forecast ensemble``: saved runs as one forecast."""

from __future__ import annotations

from pathlib import Path

import click

from forecast.cli._reading import json_option, out_option, picture_option, read_window


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option(
    "--weights",
    type=click.Choice(["equal", "stacking", "backtest"]),
    default="equal",
    show_default=True,
    help="Equal; by how well each predicts rows of evidence that are left out; or by backtest scores.",
)
@click.option(
    "--scores",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="For --weights backtest: the backtest.json of each run, in their order [default: in its folder].",
)
@click.option(
    "--window", metavar="START:END", help="Another window than the first run's, both days included."
)
@picture_option("members, mixture and weights")
@out_option
@json_option
def ensemble(
    runs: tuple[str, ...],
    weights: str,
    scores: tuple[Path, ...],
    window: str | None,
    output: Path | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Mix the crossing dates of two or more saved runs, with a weight for each.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". The runs must have the same blocs and a milestone in common; window
    and lead are those of the first. Nothing is fitted, and the runs' plugins are
    not needed.
    """
    from forecast.ensemble import ensemble as mix
    from forecast.results import find_run, read_run, runs_folder, to_json

    if output is not None:
        from forecast.report.picture_file import check_picture_path

        check_picture_path(output)
    period = read_window(window) if window is not None else None
    folder = runs_folder(out)
    stored = [read_run(find_run(run, folder)) for run in runs]
    found = mix(stored, weights, scores=scores, window=period)
    if output is not None:
        from forecast.report.ensemble_figure import ensemble_figure

        ensemble_figure(found, stored, output)
    if as_json:
        click.echo(to_json(found), nl=False)
    else:
        from forecast.report.ensemble_table import print_ensemble

        print_ensemble(found)
    if output is not None:
        click.echo(f"Picture written to {output}.", err=as_json)
    failed = [run.id for run in stored if run.summary["diagnostics"]["ok"] is False]
    if failed:
        click.echo(
            f"Warning: the diagnostics of {', '.join(failed)} failed; do not rely on the mixture.", err=True
        )
