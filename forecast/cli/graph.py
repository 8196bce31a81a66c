"""``forecast graph``: a diagram of how the loaded model fits together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli._options import plugin_option, without_option
from forecast.errors import InputError

if TYPE_CHECKING:
    from forecast.structure import Structure

FORMATS = ("mermaid", "svg", "json")
SUFFIXES = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".md": "mermaid", ".json": "json"}


@click.command(short_help="Draw how the loaded model fits together.")
@click.option(
    "--priors",
    multiple=True,
    metavar="FILE|NAME",
    help="A prior file or a shipped worldview; later ones override earlier ones.",
)
@plugin_option
@without_option
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="[default: what the ending of --output says, else mermaid]",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to this file (.svg, .mmd, .md, .json) and not to stdout.",
)
def graph(
    priors: tuple[str, ...],
    plugins: tuple[str, ...],
    without: tuple[str, ...],
    form: str | None,
    output: Path | None,
) -> None:
    """Draw how the loaded model fits together.

    The diagram shows each quantity with its unit and the driver that provides
    it, what its terms read, which terms add to it or limit it, its channels,
    the evidence tables with the rows that are used as of the date, and the
    milestones with their conditions. The model is built for it, not fitted.
    """
    from forecast.cli._host import model_of
    from forecast.report.text_file import check_text_path, save_text
    from forecast.structure import structure_of

    chosen = _format(form, output)
    if output is not None:
        check_text_path(output)
    worldview, host = model_of(priors, plugins, without)
    for warning in host.warnings():
        click.echo(f"Warning: {warning}", err=True)
    text = _text(structure_of(worldview, host), chosen)
    if output is None:
        click.echo(text, nl=False)
        return
    if chosen == "mermaid" and output.suffix.lower() == ".md":
        text = f"```mermaid\n{text}```\n"
    save_text(output, text)
    click.echo(f"Diagram written to {output}.", err=True)


def _format(form: str | None, output: Path | None) -> str:
    if form is not None or output is None:
        return form or "mermaid"
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"--output {output}: its ending says no format; end it in {', '.join(SUFFIXES)}, or give --format"
        )
    return SUFFIXES[output.suffix.lower()]


def _text(structure: Structure, form: str) -> str:
    if form == "json":
        from forecast.results import to_json
        from forecast.structure import as_json

        return to_json(as_json(structure))
    if form == "svg":
        from forecast.report.structure_svg import svg

        return svg(structure)
    from forecast.report.structure_mermaid import mermaid

    return mermaid(structure)
