"""``forecast report``: a saved run as one HTML page."""

from __future__ import annotations

import gc
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._options import plugin_option
from forecast.cli._reading import out_option
from forecast.errors import ForecastError, InputError

if TYPE_CHECKING:
    from forecast.report.page import Brought
    from forecast.results import StoredRun

FILE = "report.html"
"""Its name in a run's folder."""


@click.command()
@click.argument("run")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help=f"Write it here [default: {FILE} in the run's folder].",
)
@plugin_option
@out_option
def report(run: str, output: Path | None, plugins: tuple[str, ...], out: str | None) -> None:
    """Write a saved run as one HTML page, for a screen, a phone and paper.

    The page needs nothing else: it opens from disk and loads nothing from a
    network. Plugins that are installed or named add their sections.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". Nothing is fitted.
    """
    # The page and the findings take a core each; threads of their algebra would only wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from forecast.report.text_file import check_text_path
    from forecast.results import find_run, read_run, runs_folder

    if output is not None:
        if output.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"--output {output}: must end in .html")
        check_text_path(output)
    stored = read_run(find_run(run, runs_folder(out)))
    click.echo(f"Report written to {write_report(stored, output, plugins)}.")


def write_report(stored: StoredRun, output: Path | None = None, plugins: Sequence[str] = ()) -> Path:
    """Write the page of a stored run.

    Parameters
    ----------
    stored : StoredRun
    output : pathlib.Path, optional
        ``report.html`` in the run's folder without it.
    plugins : sequence of str
        Files and modules that add to what is installed.

    Returns
    -------
    pathlib.Path
        Of the file; an earlier one is replaced.
    """
    from forecast.cli._findings import finding

    with _no_collection(), finding(stored.path) as found, tempfile.TemporaryDirectory() as pictures:
        from forecast.report.page import page
        from forecast.report.text_file import save_text
        from forecast.results.h5_groups import kept_open
        from forecast.results.store import as_text, write_into_run

        with kept_open(stored.path / "results.nc"):
            if "projection" in stored.tree.children:
                stored.tree["projection"].load()  # claims and charts read it many times
            beside = _beside(stored, plugins, Path(pictures))
            text = page(stored, lambda: _together(beside, found()))
    if output is not None:
        save_text(output, text)
        return output
    write_into_run(stored.path, {FILE: as_text(text)})
    return stored.path / FILE


@contextmanager
def _no_collection() -> Iterator[None]:
    """Leave garbage for a few seconds: looking for it after all that imports make takes a tenth of them."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def _beside(stored: StoredRun, plugins: Sequence[str], pictures: Path) -> Brought:
    """What needs the installed plugins, or a file beside the run; what cannot be found says why."""
    from forecast.cli._host import installed_host
    from forecast.report.page import Brought
    from forecast.report.sections import make_sections

    host = installed_host(plugins)
    found: dict[str, Any] = {"reasons": {}}
    makers: dict[str, Callable[[], Any]] = {
        "claims": lambda: _claims(stored, host),
        "scenarios": lambda: _scenarios(stored),
    }
    for name, make in makers.items():
        try:
            found[name] = make()
        except ForecastError as error:
            found["reasons"][name] = str(error)
    return Brought(sections=make_sections(stored, host.loaded.sections, pictures), **found)


def _together(beside: Brought, found: dict[str, Any]) -> Brought:
    reasons = {**beside.reasons, **found["reasons"]}
    return replace(beside, diagnosis=found["diagnosis"], sensitivity=found["sensitivity"], reasons=reasons)


def _claims(stored: StoredRun, host: Any) -> dict[str, Any]:
    from forecast.claims import check_claims, read_claims

    return check_claims(stored, read_claims((), host.shelf), host.evidence())


def _scenarios(stored: StoredRun) -> dict[str, Any] | None:
    from forecast.results.scenario_summary import SCENARIO_SCHEMA

    path = stored.path / "scenarios.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ForecastError(f"{path.name} cannot be read: {error}.") from error
    if not isinstance(found, dict) or found.get("schema") != SCENARIO_SCHEMA:
        raise ForecastError(f"{path.name} is of another version of forecast, or damaged.")
    return found
