"""``forecast cache``: the compiled models that are kept on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forecast.cli._reading import json_option

if TYPE_CHECKING:
    from forecast.inference.kept import KeptModel


@click.group(short_help="List the compiled models on disk, and delete them.")
def cache() -> None:
    """List the compiled models on disk, and delete them.

    A model is compiled once for all worldviews, scenarios, as-of dates and
    evidence that differ in numbers alone, and kept for later processes. Any of
    the files may be deleted at any time. FORECAST_CACHE moves the folder.
    """


@cache.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List the compiled models, newest first."""
    from forecast.inference.cache import cache_folder
    from forecast.inference.kept import kept_models

    found, folder = kept_models(), cache_folder()
    if as_json:
        from forecast.results import to_json

        models = [_plain(one) for one in found]
        click.echo(to_json({"schema": "forecast.cache/1", "folder": folder, "models": models}), nl=False)
        return
    if not found:
        click.echo(f"No compiled models in {folder}.")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True)
    table.add_column("written (UTC)", no_wrap=True)
    for name in ("MB", "numbers"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("evidence")
    for one in found:
        table.add_row(
            Text(one.key),
            f"{one.written:%Y-%m-%d %H:%M}",
            f"{one.size / 1e6:.1f}",
            "damaged" if one.numbers is None else f"{one.numbers:,}",
            Text(", ".join(one.tables)),
        )
    Console(highlight=False).print(table)
    click.echo(f"{_counted(found)} in {folder}.")


@cache.command("clear")
@click.argument("keys", nargs=-1, metavar="[MODEL]...")
@json_option
def clear_models(keys: tuple[str, ...], as_json: bool) -> None:
    """Delete compiled models: those named by their first characters, or all of them.

    Nothing is lost but time: the next run of such a model compiles it again.
    """
    from forecast.inference.cache import cache_folder
    from forecast.inference.kept import clear

    deleted = clear(keys)
    if as_json:
        from forecast.results import to_json

        models = [_plain(one) for one in deleted]
        click.echo(
            to_json({"schema": "forecast.cache/1", "folder": cache_folder(), "deleted": models}), nl=False
        )
    else:
        click.echo(f"Deleted {_counted(deleted)} in {cache_folder()}.")


def _counted(models: list[KeptModel]) -> str:
    size = sum(one.size for one in models) / 1e6
    return f"{len(models)} compiled model{'' if len(models) == 1 else 's'} ({size:.1f} MB)"


def _plain(one: KeptModel) -> dict[str, Any]:
    return {
        "model": one.path.stem.removeprefix("model-"),
        "path": one.path,
        "bytes": one.size,
        "written": one.written.isoformat(timespec="seconds"),
        "numbers": one.numbers,
        "tables": list(one.tables),
    }
