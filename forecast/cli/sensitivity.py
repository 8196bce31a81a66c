"""``forecast sensitivity``: on which priors, tables, drivers and rows the answer hangs."""

from __future__ import annotations

from pathlib import Path

import click

from forecast.cli._reading import answer, json_option, open_run, out_option, picture_option


@click.command()
@click.argument("run")
@click.option("--milestone", metavar="NAME", help="[default: agi, else the run's first]")
@picture_option("a tornado, the components and the drivers' shares")
@out_option
@json_option
def sensitivity(run: str, milestone: str | None, output: Path | None, out: str | None, as_json: bool) -> None:
    """Say what the answer hangs on: priors, evidence, drivers, single rows.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". Nothing is fitted: the draws are weighed again. Each prior and each
    table of evidence is made to count for a little more or less (power scaling);
    the variance of the answer is shared out among drivers (Shapley effects); each
    row of evidence is left out in turn; and the parameters that the data did not
    move are named. In a run of the priors alone only the drivers' part is there.
    """
    from forecast.sensitivity import GROUPS
    from forecast.sensitivity import sensitivity as find

    stored = open_run(run, out, output)
    found = find(
        stored.groups(*GROUPS),
        stored.worldview,
        run=stored.id,
        prior_only=stored.summary["prior_only"],
        milestone=milestone,
    )

    def draw(path: Path) -> None:
        from forecast.report.sensitivity_figure import sensitivity_figure

        sensitivity_figure(found, path)

    from forecast.report.sensitivity_table import print_sensitivity

    answer(stored, found, as_json=as_json, output=output, draw=draw, show=print_sensitivity)
