"""``forecast claims``: what somebody stated, against what a saved run says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from forecast.cli._reading import answer, json_option, open_run, out_option, picture_option


@click.command()
@click.argument("run")
@click.option(
    "--claims",
    "files",
    multiple=True,
    metavar="FILE",
    help="Check the claims of this file, or claims that have a name; may be repeated. [default: amodei-2025]",
)
@picture_option("the scored claims")
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE.py|MODULE",
    help="Load this plugin as well: its evidence and its claims.",
)
@out_option
@json_option
def claims(
    run: str,
    files: tuple[str, ...],
    output: Path | None,
    plugins: tuple[str, ...],
    out: str | None,
    as_json: bool,
) -> None:
    """Check claims against a saved run, and say by a fixed rule how they fare.

    A stated number is consistent, possible or contradicted; an event is likely,
    open or unlikely; what the model does not speak of is not scored. The claims
    of Dario Amodei's essay of January 2025 are shipped; docs/claims.md says how
    to write others.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". Nothing is fitted.
    """
    from forecast.claims import check_claims, read_claims
    from forecast.cli._host import installed_host

    # Everything that the user gave is read before anything costs time.
    host = installed_host(plugins)
    chosen = read_claims(files, host.shelf)
    stored = open_run(run, out, output)
    checked = check_claims(stored, chosen, host.evidence())

    def draw(path: Path) -> None:
        from forecast.report.claims_figure import claims_figure

        claims_figure(checked, path)

    answer(stored, checked, as_json=as_json, output=output, draw=draw, show=_print)


def _print(checked: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forecast.claims.checking import VERDICTS
    from forecast.report.claim_words import claim_words

    console = Console(highlight=False)
    basis = "priors alone of worldview" if checked["prior_only"] else "worldview"
    console.print(
        f"Conditional on {basis} {checked['worldview']!r} as of {checked['as_of']}, not a prophecy. "
        "k, M, B, T: thousand to trillion.\n"
    )
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 1, 0))
    table.add_column(min_width=13)
    table.add_column()
    for claim in checked["claims"]:
        text = Text(f"{claim['statement']} ").append(f"[{claim['id']}]\n", style="dim")
        text.append(claim_words(claim))
        if claim["details"].get("remark"):
            text.append(f" {claim['details']['remark']}")
        if claim["note"] and not claim["reason"]:
            text.append(f"\n{claim['note']}", style="dim")
        table.add_row(Text(claim["verdict"], style="bold"), text)
    console.print(table)
    for claim in checked["claims"]:
        if len(claim["details"].get("models", [])) > 1:
            console.print(Text(f"{claim['id']}: expected at its capability and date, and published"))
            console.print(_models(claim))
            console.print(Text("alone: without the scatter between models of one capability", style="dim"))
    for word in dict.fromkeys(claim["verdict"] for claim in checked["claims"]):
        console.print(Text(f"{word}: {VERDICTS[word]}", style="dim"))
    console.print(Text(f"run {checked['run']}", style="dim"), soft_wrap=True)


def _models(claim: Mapping[str, Any]) -> Any:
    from rich import box
    from rich.table import Table

    from forecast.report.terminal import compact

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("model", "released", "index", "published", "expected (90%)", "quantile (alone)"):
        table.add_column(column)
    for model in claim["details"]["models"]:
        low, middle, high = (compact(model["expected"][level]) for level in ("0.05", "0.5", "0.95"))
        table.add_row(
            model["model"], model["date"][:7], f"{model['index']:.0f}", compact(model["published"]),
            f"{middle} ({low}-{high})", f"{model['quantile']:.2f} ({model['quantile_alone']:.2f})",
        )  # fmt: skip
    return table
