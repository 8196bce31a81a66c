"""``forecast scenario``: named overlays against a base."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._options import plan_of, run_options
from forecast.errors import InputError

if TYPE_CHECKING:
    from forecast.host import Loaded
    from forecast.worldview import Scenario

DIAGNOSTICS_FAILED = 3


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--list", "list_only", is_flag=True, help="List the scenarios that have a name and stop.")
@click.option("--all", "everything", is_flag=True, help="All shipped scenarios.")
@run_options
@click.option(
    "--milestone", metavar="NAME", help="Compare this milestone [default: agi, else the worldview's first]."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Also write the picture here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print scenarios.json alone on standard output.")
@click.pass_context
def scenario(ctx: click.Context, /, **options: Any) -> None:
    """Compare scenarios with a base: what changes if this happens, or if that is assumed.

    NAME is a scenario of the package or of a plugin (--list) or FILE one of your own. The options
    say what the base is, as for `forecast run`; a base that was run before is
    not fitted again. A scenario of kind "intervene" changes the future of the
    base's own draws, so that differences are paired; one of kind "assume"
    lies over the base and is fitted again. docs/scenarios.md says more.
    """
    from forecast.host import load_plugins
    from forecast.worldview import list_scenarios, read_scenarios

    loaded = load_plugins(options["plugins"])
    if options["list_only"]:
        for problem in loaded.problems:
            click.echo(f"Warning: {problem}", err=True)
        chosen = read_scenarios([*loaded.shelf.scenarios, *options["names"]], loaded.shelf)
        _print_list(chosen, as_json=options["as_json"])
        return
    names = [*(list_scenarios() if options["everything"] else ()), *options["names"]]
    if not names:
        known = ", ".join(loaded.shelf.scenarios)
        raise InputError(f"name a scenario or a file, or give --all; those with a name are {known}")
    _compare(ctx, read_scenarios(names, loaded.shelf), options, loaded)


def _compare(ctx: click.Context, chosen: list[Scenario], options: dict[str, Any], loaded: Loaded) -> None:
    from forecast.cli._progress import Progress
    from forecast.report.picture_file import check_picture_path, save_picture
    from forecast.report.scenario_figure import scenario_figure
    from forecast.report.scenario_table import print_scenarios
    from forecast.results import runs_folder, to_json
    from forecast.results.store import as_text, write_into_run
    from forecast.scenarios import chosen_milestone, compare, plan_scenarios, take_up

    output: Path | None = options["output"]
    if output is not None:
        check_picture_path(output)
    folder, command = runs_folder(options["out"]), sys.argv[1:]
    with Progress() as progress, redirect_stdout(sys.stderr):
        plan = plan_of(options, progress, loaded)
        milestone = chosen_milestone(plan.worldview, options["milestone"])
        plans = plan_scenarios(plan, chosen, milestone, reporter=progress)
        base, saved, existed = take_up(plan, folder, reporter=progress, command=command)
        summary = compare(
            base, chosen, plans, folder, milestone=milestone, reporter=progress, command=command
        )
        text = to_json(summary)
        figure = scenario_figure(summary)
        write_into_run(
            saved,
            {"scenarios.json": as_text(text), "scenarios.png": lambda path: save_picture(figure, path)},
        )
        if output is not None:
            save_picture(figure, output)
    if options["as_json"]:
        click.echo(text, nl=False)
    else:
        print_scenarios(summary, saved=saved, existed=existed)
    if not summary["prior_only"] and not all(
        side["diagnostics"]["ok"] is True for side in (summary["base"], *summary["scenarios"].values())
    ):
        ctx.exit(DIAGNOSTICS_FAILED)


def _print_list(chosen: list[Scenario], *, as_json: bool) -> None:
    from forecast.results import to_json

    if as_json:
        rows = [
            {
                "name": one.name,
                "title": one.title,
                "kind": one.kind,
                "description": one.description,
                "source": one.source,
                "intervene": [change.to_toml() for change in one.intervene],
            }
            for one in chosen
        ]
        click.echo(to_json(rows), nl=False)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("scenario", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("what changes")
    for one in chosen:
        table.add_row(Text(one.name), one.kind, Text(f"{one.title}. {one.description}".strip()))
    Console(highlight=False).print(table)
