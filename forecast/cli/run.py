"""``forecast run``: make a forecast and save it."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import click

from forecast.cli._options import plan_of, run_options


@click.command()
@run_options
@click.option("--json", "as_json", is_flag=True, help="Print summary.json alone on standard output.")
@click.option("--report", "with_report", is_flag=True, help="Also write report.html into the run's folder.")
@click.pass_context
def run(ctx: click.Context, /, **options: Any) -> None:
    """Make a forecast: fit the model to the evidence, project it, and save the run."""
    from forecast.cli._progress import Progress
    from forecast.engine import execute
    from forecast.report import print_summary
    from forecast.results import existing_run, read_run, runs_folder, to_json

    folder = runs_folder(options["out"])
    # Standard output is for the answer alone: what a plugin prints goes where the progress goes.
    with Progress() as progress, redirect_stdout(sys.stderr):
        plan = plan_of(options, progress)
        saved = existing_run(folder, plan.id)
        existed = saved is not None
        if saved is not None:
            summary = read_run(saved).summary
        else:
            made = execute(plan, reporter=progress)
            progress.phase("Saving")
            saved, summary = made.save(folder, command=sys.argv[1:]), made.summary
        page = None
        if options["with_report"]:
            from forecast.cli.report import write_report

            progress.phase("Writing the report")
            page = write_report(read_run(saved), plugins=options["plugins"])
    if options["as_json"]:
        click.echo(to_json(summary), nl=False)
    else:
        print_summary(summary, saved=saved, existed=existed)
    if page is not None:
        click.echo(f"Report written to {page}.", err=options["as_json"])
    if not summary.get("prior_only") and summary["diagnostics"]["ok"] is not True:
        ctx.exit(3)
