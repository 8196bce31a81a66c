"""``forecast query``: conditional questions about a saved run."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forecast.results import Answer, StoredRun


HELP = """Answer a question by the draws of a saved run, without a refit.

RUN is an id, the beginning of one, the beginning of its hash, a path, or
"latest". EXPRESSION is P(EVENT) or P(EVENT | CONDITION), in quotes:

\b
  P(china before 2030 | us_allies before 2028)
  P(china in 2026-2027 or us_allies in 2026-01..2027-06)
  P(china within 6 months of us_allies | not us_allies never)
  P(china at least 1 year after us_allies | us_allies by 2030-06-30)

An event is made of atoms with "and", "or", "not" and parentheses. An atom
is a subject, BLOC or BLOC.MILESTONE (without a milestone: agi, else the
run's first), and one of

\b
  before DATE         crosses before the date begins
  by DATE             crosses before the date is over
  after DATE          crosses after it is over; never is not after
  in A..B, in A       crosses between two dates, both whole (in 2026-2027)
  never               does not cross by the horizon
  before SUBJECT      crosses first; the other may never cross
  within N years of SUBJECT
                      both cross, at most so far apart (or N months)
  at least N years after SUBJECT
                      the other crosses, this one so much later or never
                      (or before SUBJECT, which is the same turned round)

DATE is YEAR, YEAR-MM or YEAR-MM-DD. "china not by 2030" includes never.
Only accepted draws count; ± is the Monte Carlo standard error. The
language on one page: docs/query.md.
"""


@click.command(help=HELP, short_help="Ask a saved run a conditional question.")
@click.argument("run")
@click.argument("expression")
@click.option(
    "--min-draws",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Refuse to answer from fewer draws than this.",
)
@click.option("--out", metavar="DIR", help="The folder that holds runs [default: FORECAST_RUNS, or runs].")
@click.option("--json", "as_json", is_flag=True, help="Print p, mcse and draws as JSON alone on stdout.")
def query(run: str, expression: str, min_draws: int, out: str | None, as_json: bool) -> None:
    """Print the answer; the text above is the help."""
    from forecast.results import find_run, read_run, runs_folder, to_json
    from forecast.results import query as ask

    stored = read_run(find_run(run, runs_folder(out)))
    horizon = date.fromisoformat(stored.summary["horizon"])
    answer = ask(stored.crossings, expression, horizon=horizon, min_draws=min_draws)
    if as_json:
        numbers = {"p": answer.p, "mcse": answer.mcse, "draws": answer.draws}
        click.echo(to_json({**numbers, "run": stored.id, "expression": answer.expression}), nl=False)
    else:
        click.echo(_sentence(answer, stored))
    if stored.summary["diagnostics"]["ok"] is False:
        click.echo("Warning: this run's diagnostics failed; do not rely on the number.", err=True)


def _sentence(answer: Answer, stored: StoredRun) -> str:
    from forecast.report.terminal import probability

    summary = stored.summary
    draws = f"{answer.draws:,} accepted draws"
    if answer.conditional:
        draws = f"the {answer.draws:,} of {answer.accepted:,} accepted draws that satisfy the condition"
    basis = "priors alone of worldview" if summary["prior_only"] else "worldview"
    return (
        f"{answer.expression} = {probability(answer.p, answer.mcse)}, from {draws}; conditional on {basis} "
        f"{summary['worldview']!r} as of {summary['as_of']}, not a prophecy (run {stored.id})."
    )
