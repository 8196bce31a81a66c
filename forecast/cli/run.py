"""``forecast run``: make a forecast and save it."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from forecast.engine import Plan


@click.command()
@click.option(
    "--priors",
    "priors",
    multiple=True,
    metavar="FILE|NAME",
    help="A prior file or a shipped worldview; later ones override earlier ones.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override one key, such as priors.investment.growth.mu=0.2 (for all drivers: forecast priors show).",
)
@click.option(
    "--plugin", "plugins", multiple=True, metavar="FILE.py|MODULE", help="Load drivers from a file or module."
)
@click.option("--without", "without", multiple=True, metavar="DRIVER", help="Leave a driver out.")
@click.option("--as-of", metavar="DATE|today", help="Use only evidence published by this day.")
@click.option("--window", metavar="START:END", help="The years asked about, such as 2026-01-01:2027-12-31.")
@click.option("--horizon", metavar="DATE", help="Last day of the projection.")
@click.option(
    "--draws", type=click.IntRange(min=10), default=1000, show_default=True, help="Draws per chain."
)
@click.option(
    "--tune", type=click.IntRange(min=10), default=1000, show_default=True, help="Warm-up draws per chain."
)
@click.option("--chains", type=click.IntRange(min=1, max=64), default=4, show_default=True)
@click.option(
    "--cores",
    type=click.IntRange(min=1),
    help="Chains that run at a time [default: as many as there are cores].",
)
@click.option("--seed", type=click.IntRange(min=0), help="[default: the worldview's]")
@click.option("--sampler", type=click.Choice(["nutpie", "pymc"]), default="nutpie", show_default=True)
@click.option("--prior-only", is_flag=True, help="Draw from the priors alone, without the evidence.")
@click.option("--out", metavar="DIR", help="The folder that holds runs [default: FORECAST_RUNS, or runs].")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json alone on standard output.")
@click.pass_context
def run(ctx: click.Context, /, **options: Any) -> None:
    """Make a forecast: fit the model to the evidence, project it, and save the run."""
    from forecast.cli._progress import Progress
    from forecast.engine import execute, make_plan
    from forecast.inference import SamplerSettings
    from forecast.report import print_summary
    from forecast.results import existing_run, read_run, runs_folder, to_json
    from forecast.worldview import load_worldview

    worldview = load_worldview(
        *options["priors"],
        overrides=options["overrides"],
        as_of=options["as_of"],
        horizon=options["horizon"],
        window=options["window"],
        seed=options["seed"],
        disable=options["without"],
    )
    settings = SamplerSettings(
        draws=options["draws"],
        tune=options["tune"],
        chains=options["chains"],
        cores=options["cores"],
        sampler=options["sampler"],
    )
    folder = runs_folder(options["out"])
    # Standard output is for the answer alone: what a plugin prints goes where the progress goes.
    with Progress() as progress, redirect_stdout(sys.stderr):
        plan: Plan = make_plan(
            worldview,
            plugins=options["plugins"],
            settings=settings,
            prior_only=options["prior_only"],
            reporter=progress,
        )
        saved = existing_run(folder, plan.id)
        existed = saved is not None
        if saved is not None:
            summary = read_run(saved).summary
        else:
            made = execute(plan, reporter=progress)
            progress.phase("Saving")
            saved, summary = made.save(folder, command=sys.argv[1:]), made.summary
    if options["as_json"]:
        click.echo(to_json(summary), nl=False)
    else:
        print_summary(summary, saved=saved, existed=existed)
    if not summary.get("prior_only") and summary["diagnostics"]["ok"] is not True:
        ctx.exit(3)
