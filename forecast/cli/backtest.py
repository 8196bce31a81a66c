"""``forecast backtest``: fits to what was known earlier, scored on what came next."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from datetime import date
from typing import Any

import click

from forecast.cli._options import plan_of
from forecast.errors import InputError

DIAGNOSTICS_FAILED = 3


def _day(_: click.Context, option: click.Parameter, text: str | None) -> date | None:
    from forecast.dates import parse_date

    if text is None:
        return None
    try:
        return parse_date(text)
    except ValueError as error:
        raise InputError(f"{option.opts[0]}: {error}") from None


@click.command()
@click.option(
    "--from",
    "first",
    metavar="DATE",
    callback=_day,
    help="First as-of date [default: 42 months before the worldview's].",
)
@click.option(
    "--to",
    "last",
    metavar="DATE",
    callback=_day,
    help="Last as-of date [default: 3 months before the worldview's].",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="MONTHS",
    help="From one as-of date to the next, counted back from the last.",
)
@click.option(
    "--priors",
    multiple=True,
    metavar="FILE|NAME",
    help="A prior file or the name of a worldview; later ones override earlier ones.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key, as for forecast run."
)
@click.option(
    "--plugin", "plugins", multiple=True, metavar="FILE.py|MODULE", help="Load drivers from a file or module."
)
@click.option("--without", multiple=True, metavar="DRIVER", help="Leave a driver out.")
@click.option("--draws", type=click.IntRange(min=10), default=500, show_default=True, help="Draws per chain.")
@click.option(
    "--tune", type=click.IntRange(min=10), default=500, show_default=True, help="Warm-up draws per chain."
)
@click.option("--chains", type=click.IntRange(min=1, max=64), default=4, show_default=True)
@click.option(
    "--cores",
    type=click.IntRange(min=1),
    help="Chains that run at a time [default: as many as there are cores].",
)
@click.option("--seed", type=click.IntRange(min=0), help="[default: the worldview's]")
@click.option("--prior-only", is_flag=True, help="Draw from the priors alone, to see what the evidence adds.")
@click.option(
    "--out",
    metavar="DIR",
    help="Folder of this backtest, where a second call goes on [default: below FORECAST_BACKTESTS, or "
    "backtests].",
)
@click.option("--json", "as_json", is_flag=True, help="Print backtest.json alone on standard output.")
@click.pass_context
def backtest(ctx: click.Context, /, **options: Any) -> None:
    """Fit at earlier dates to what was published by then, and score what came next.

    Rows of evidence up to 24 months after each as-of date are predicted as they were to be measured, and
    scored beside a log-linear trend, a random walk with drift and the last published growth rate. DIR gets
    backtest.json, a file for each finished date, and pictures. A fit of the default worldview takes about a
    minute on two cores; a backtest that was stopped goes on with the next date.
    """  # fmt: skip
    from forecast.backtest import as_of_dates
    from forecast.backtest import backtest as run_backtest
    from forecast.cli._progress import Progress
    from forecast.host import load_plugins
    from forecast.report.backtest_figures import draw_backtest
    from forecast.report.backtest_table import print_backtest
    from forecast.results import to_json

    with Progress() as progress, redirect_stdout(sys.stderr):
        loaded = load_plugins(options["plugins"])
        plan = plan_of({**options, "as_of": None, "horizon": None}, progress, loaded)
        dates = as_of_dates(plan.worldview.as_of, options["first"], options["last"], options["every"])
        done = run_backtest(plan, dates, options["out"], loaded=loaded, reporter=progress)
        draw_backtest(done.result, done.folder)
    if options["as_json"]:
        click.echo(to_json(done.result), nl=False)
    else:
        print_backtest(done.result, done.folder, done.fitted)
    if not all(fit["usable"] for fit in done.result["fits"]):
        ctx.exit(DIAGNOSTICS_FAILED)
