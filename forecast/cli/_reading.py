"""What the commands that read a saved run share: options, pictures, and how an answer is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.errors import InputError

if TYPE_CHECKING:
    from forecast.results import StoredRun

out_option = click.option(
    "--out", metavar="DIR", help="The folder that holds runs [default: FORECAST_RUNS, or runs]."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON alone on stdout.")


def picture_option(words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--output FILE.png``; `words` say what is drawn."""
    return click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.png",
        help=f"Also draw {words} (PNG, PDF, SVG or HTML).",
    )


def check_within(within: float | None) -> None:
    """Refuse a limit between unipolar and bipolar that is no number of years.

    Raises
    ------
    InputError
        Negative, NaN, or longer than a prior file may say.
    """
    from forecast.worldview.schema import LONGEST_LEAD

    if within is not None and not 0 <= within <= LONGEST_LEAD:
        raise InputError(f"--within {within:g}: must be a number of years from 0 to {LONGEST_LEAD:g}.")


def read_window(text: str) -> tuple[date, date]:
    """Read ``--window START:END``.

    Raises
    ------
    InputError
        It is no period, or ends before it begins.
    """
    from forecast.dates import parse_period

    try:
        first, last = parse_period(text)
    except ValueError as error:
        raise InputError(f"--window {text}: {error}.") from error
    if last < first:
        raise InputError(f"--window {text}: it ends before it begins.")
    return first, last


def open_run(run: str, out: str | None, output: Path | None) -> StoredRun:
    """Find a run, after a look at the picture's ending: nothing is read before the input is right.

    Raises
    ------
    InputError, ForecastError
        No such run, or a damaged one; an ending that is no format.
    """
    from forecast.results import find_run, read_run, runs_folder

    if output is not None:
        from forecast.report.picture_file import check_picture_path

        check_picture_path(output)
    return read_run(find_run(run, runs_folder(out)))


def answer(
    stored: StoredRun,
    found: Any,
    *,
    as_json: bool,
    output: Path | None,
    draw: Callable[[Path], object],
    show: Callable[[Any], None],
) -> None:
    """Draw, print or show what was found in a run; say so where the run is not to be relied on.

    Parameters
    ----------
    stored : StoredRun
    found : JSON-serialisable
    as_json : bool
    output : pathlib.Path or None
        Where to draw to.
    draw : callable
        Draws to a path.
    show : callable
        Shows `found` on the terminal.
    """
    from forecast.results import to_json

    if output is not None:
        draw(output)
    if as_json:
        click.echo(to_json(found), nl=False)
    else:
        show(found)
    if output is not None:
        click.echo(f"Picture written to {output}.", err=as_json)
    if stored.summary["diagnostics"]["ok"] is False:
        click.echo("Warning: this run's diagnostics failed; do not rely on the numbers.", err=True)
