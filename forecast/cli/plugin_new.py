"""``forecast plugin new``: write a package to begin with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click


@click.command(short_help="Write a new plugin: a package that runs and passes its tests.")
@click.argument("name")
@click.option(
    "--dir", "folder", default=".", metavar="DIR", help="Where to make its folder; here by default."
)
def new(name: str, folder: str) -> None:
    """Write a new plugin: a package that installs, runs and passes its tests.

    NAME is the driver's, such as grid-queues; the package is then forecast-grid-queues. It holds a driver
    that reads in one screen, default priors, an evidence table and tests, all of them an example to replace.
    """
    from forecast.scaffold import names_of, write_plugin

    names = names_of(name, *_installed())
    path = write_plugin(names, Path(folder))
    where = str(path) if path.is_absolute() or len(path.parts) > 1 else f".{os.sep}{path}"
    click.echo(f"Wrote {where}: the driver {names.driver!r}, an example to replace.\n\nNext:")
    # Under `uv run` the environment of the project in the current folder is meant.
    run = "uv run " if "UV" in os.environ else ""
    install = "uv pip install" if run or shutil.which("uv") else "python -m pip install"
    click.echo(f'  {install} -e "{where}[test]"')
    click.echo(f"  {run}forecast plugin check {names.driver}")
    click.echo(f"  {run}pytest {f'"{where}"' if ' ' in where else where}")


def _installed() -> tuple[dict[str, str], set[str]]:
    """Names in use, and by which distribution (a broken plugin's too); and quantities that are provided."""
    from forecast.discovery import installed_plugins
    from forecast.errors import ForecastError
    from forecast.host import load_host

    taken = {one.name: one.distribution for one in installed_plugins()}
    try:
        host = load_host(check=False)
    except ForecastError:  # plugins that cannot be used together: their entry points have to do
        return taken, set()
    quantities = {term.target for term in host.terms() if term.kind == "base"}
    return taken | {name: loaded.label for name, loaded in host.drivers.items()}, quantities
