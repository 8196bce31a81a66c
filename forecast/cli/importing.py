"""``forecast import``: a file of another's format becomes rows of an evidence table."""

from __future__ import annotations

from pathlib import Path

import click

from forecast.cli._options import plugin_option


@click.command("import", short_help="Turn a file of another's into rows of evidence.")
@click.argument("name", required=False)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Where to write the rows [default: TABLE.csv in the present folder].",
)
@plugin_option
def import_rows(name: str | None, file: Path | None, output: Path | None, plugins: tuple[str, ...]) -> None:
    """Turn a file of another's format into rows of an evidence table.

    NAME is an importer that a plugin brings; without NAME they are listed.
    The rows are checked as the table's own are and written as a CSV, for a
    plugin's hook `forecast_evidence` (MoreRows): nothing enters a forecast by
    itself.
    """
    from forecast.cli._host import installed_host
    from forecast.errors import InputError
    from forecast.importing import import_file
    from forecast.wording import did_you_mean

    host = installed_host(plugins)
    importers = {one.item.name: one for one in host.loaded.importers}
    if name is None:
        for brought in importers.values():
            item = brought.item
            click.echo(f"{item.name}  {item.title} ({item.driver}/{item.table}; {brought.candidate.label})")
        if not importers:
            click.echo("No importer is installed; plugins bring them.")
        return
    if name not in importers:
        raise InputError(f"there is no importer {name!r}{did_you_mean(name, importers)}")
    if file is None:
        raise InputError(f"forecast import {name}: say which file to read")
    target = output or Path(f"{importers[name].item.table}.csv")
    if output is None and target.exists():  # nobody said that it may be replaced
        raise InputError(f"{target} exists already; say --output {target} to replace it, or another file")
    count = import_file(importers[name], file, host, target)
    rows = "row" if count == 1 else "rows"
    click.echo(f"{count} {rows} for {importers[name].item.driver}/{importers[name].item.table}: {target}")
