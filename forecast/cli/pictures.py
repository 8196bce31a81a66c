"""``forecast pictures``: draw what can be drawn of a saved run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forecast.cli._reading import open_run, out_option
from forecast.errors import ForecastError, InputError
from forecast.files import PICTURE_FORMATS
from forecast.wording import did_you_mean

if TYPE_CHECKING:
    from forecast.results import StoredRun
    from forecast.results.store import Writer


@click.command()
@click.argument("run", required=False)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "list_only", is_flag=True, help="List the pictures that there are and stop.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(PICTURE_FORMATS),
    default="png",
    show_default=True,
    help="html: a page for each that needs no network.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where they go [default: the run's folder].",
)
@out_option
def pictures(
    run: str | None, names: tuple[str, ...], list_only: bool, kind: str, output: Path | None, out: str | None
) -> None:
    """Draw the pictures of a saved run: the forecast, and ArviZ's of the fit.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest"; NAME a picture (--list), all of them without it. What a run
    cannot have (one of the priors alone was not sampled) is named and left out.
    """
    from forecast.report.pictures import PICTURES

    if list_only:
        width = max(map(len, PICTURES))
        for picture in PICTURES.values():
            click.echo(f"{picture.name:{width}}  {picture.title}")
        return
    if run is None:
        raise InputError("name a run (an id, a path or latest), or give --list")
    for name in names:
        if name not in PICTURES:
            raise InputError(f"there is no picture {name!r}{did_you_mean(name, PICTURES)}; see --list")
    _draw(open_run(run, out, None), list(dict.fromkeys(names)), kind, output)


def _draw(stored: StoredRun, names: list[str], kind: str, output: Path | None) -> None:
    from tempfile import TemporaryDirectory

    from forecast.cli._progress import Progress
    from forecast.report.pictures import PICTURES, draw_pictures
    from forecast.report.text_file import saving
    from forecast.results.store import write_into_run

    if output is not None and not output.is_dir():
        raise InputError(f"--output {output}: there is no such folder; make it first")
    with TemporaryDirectory() as temporary, Progress() as progress:  # all of them are drawn, or none
        drawn, missing = draw_pictures(
            stored, Path(temporary), names or list(PICTURES), kind, say=progress.phase
        )
        made = {name: (Path(temporary) / name).read_bytes() for name in drawn}
    if output is None:
        write_into_run(stored.path, {name: _writer(content) for name, content in made.items()})
    else:
        for name, content in made.items():
            with saving(output / name, "the picture ") as path:
                path.write_bytes(content)
    for name, reason in missing.items():
        click.echo(f"Not drawn: {name}: {reason}.", err=True)
    if names and missing:
        raise ForecastError(f"{', '.join(missing)}: could not be drawn of this run.")
    click.echo(f"Drawn in {output or stored.path}: {', '.join(drawn)}.")


def _writer(content: bytes) -> Writer:
    return lambda path: path.write_bytes(content)
