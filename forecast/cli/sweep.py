"""``forecast sweep``: many forecasts over settings that vary."""

from __future__ import annotations

import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from forecast.cli._options import plugin_option
from forecast.errors import InputError

DIAGNOSTICS_FAILED = 3


@click.command()
@click.argument("file", metavar="SWEEP.toml", type=click.Path(path_type=Path))
@click.option("--out", metavar="DIR", help="The sweep's folder [default: sweeps/NAME-HASH].")
@click.option(
    "--workers",
    type=click.IntRange(min=1, max=4096),
    metavar="N",
    help="Processes on this machine [default: one a core].",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Use this Dask cluster in place, such as tcp://10.0.0.1:8786."
)
@click.option("--resume", metavar="DIR", help="Go on with this sweep where it stopped.")
@plugin_option
@click.option("--json", "as_json", is_flag=True, help="Print all cells as JSON on standard output.")
@click.pass_context
def sweep(ctx: click.Context, /, **options: Any) -> None:
    """Make a forecast for every cell of SWEEP.toml: a grid, a Latin hypercube or lists of settings.

    All cells are checked before the first is made. Each is kept as soon as it is
    made, so that a sweep that was stopped, or killed, goes on with --resume. The
    results are one table (results.parquet), one tree (sweep.zarr) and a picture
    (response.png). docs/sweep.md says more.
    """
    if options["out"] is not None and options["resume"] is not None:
        raise InputError("--out and --resume are both given: --resume names the folder of the sweep already")
    if options["workers"] is not None and options["scheduler"] is not None:
        raise InputError("--workers and --scheduler are both given: the workers of a cluster are its own")
    from forecast.host import load_plugins
    from forecast.report.sweep_table import print_sweep
    from forecast.results import to_json
    from forecast.sweep import plan_sweep, read_sweep, run_sweep
    from forecast.sweep.running import facts_of

    with _progress() as progress, redirect_stdout(sys.stderr):
        planned = plan_sweep(
            read_sweep(options["file"]),
            load_plugins(options["plugins"]),
            plugins=options["plugins"],
            reporter=progress,
        )
        done = run_sweep(
            planned,
            out=options["out"],
            resume=options["resume"],
            workers=options["workers"],
            scheduler=options["scheduler"],
            reporter=progress,
        )
    milestone, facts = facts_of(planned)
    if options["as_json"]:
        click.echo(to_json(done.to_dict()), nl=False)
    else:
        rows = [row for row in done.rows if row["milestone"] == milestone]
        print_sweep(rows, list(planned.sweep.settings), facts)
        click.echo(f"Sweep in {done.folder}: results.parquet, sweep.zarr, response.png")
    for one in done.failed[:20]:
        click.echo(f"Error: {planned.cells[one.cell].label(planned.short)}: {one.error}", err=True)
    if len(done.failed) > 20:
        click.echo(f"Error: and {len(done.failed) - 20} more cells failed", err=True)
    if done.doubtful:
        cells = ", ".join(str(one.cell) for one in done.doubtful[:20])
        more = f" and {len(done.doubtful) - 20} more" if len(done.doubtful) > 20 else ""
        click.echo(
            f"Warning: the diagnostics of {len(done.doubtful)} of {len(planned.cells)} cells failed "
            f"({cells}{more}): more draws and warm-up ([sampling] draws, tune) may help",
            err=True,
        )
    if done.failed:
        ctx.exit(1)
    if done.doubtful:
        ctx.exit(DIAGNOSTICS_FAILED)


def _progress() -> Any:
    """A reporter that counts cells."""
    from forecast.cli._progress import Progress

    class Cells(Progress):
        """Shows a bar on a terminal, and elsewhere a line now and then."""

        said = 0.0

        def phase(self, name: str) -> None:
            if self._console.is_terminal:  # addresses and counts stay to be read
                self.say(name, soft_wrap=True)
            super().phase(name)

        def progress(self, done: int, total: int) -> None:
            if self._task is not None:
                counted = f"{done:,} of {total:,} cells"
                self._bar.update(self._task, completed=done, total=total, counted=counted)
            elif done == total or time.monotonic() - self.said > 15:
                self.said = time.monotonic()
                self.say(f"{done:,} of {total:,} cells")

    return Cells()
