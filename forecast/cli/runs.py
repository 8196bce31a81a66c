"""``forecast runs list|show`` and ``forecast rerun``."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._options import plugin_option
from forecast.cli._reading import check_within, read_window
from forecast.dates import parse_date
from forecast.errors import ForecastError, InputError

if TYPE_CHECKING:
    from forecast.results import StoredRun

DIAGNOSTICS_FAILED = 3

out_option = click.option(
    "--out",
    metavar="DIR",
    default=None,
    help="Folder that holds runs (default: FORECAST_RUNS, else ./runs).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON alone on stdout.")


@click.group()
def runs() -> None:
    """List saved runs and read them with other settings, without a refit."""


@runs.command("list")
@out_option
@json_option
def list_(out: str | None, as_json: bool) -> None:
    """List saved runs, newest first."""
    from forecast.results import list_runs, read_run, runs_folder, to_json

    folder = runs_folder(out)
    whole: list[StoredRun] = []
    for path in list_runs(folder):
        try:
            whole.append(read_run(path))
        except ForecastError as error:
            # One damaged folder must not hide the others.
            click.echo(f"Warning: {error}", err=True)
    if as_json:
        click.echo(to_json([_row(run) for run in whole]), nl=False)
    elif whole:
        _print_rows(whole)
    else:
        click.echo(f"There are no runs in {folder}. Make one with `forecast run`.")


def _row(run: StoredRun) -> dict[str, Any]:
    summary = run.summary
    return {
        "run": run.id,
        "path": str(run.path),
        "saved": run.saved_at.isoformat(timespec="seconds"),
        "worldview": summary["worldview"],
        "as_of": summary["as_of"],
        "prior_only": summary["prior_only"],
        "ok": summary["diagnostics"]["ok"],
        "medians": {
            milestone: {bloc: found["quantiles"]["0.5"] for bloc, found in described["blocs"].items()}
            for milestone, described in summary["milestones"].items()
        },
    }


def _print_rows(found: list[StoredRun]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from forecast.results import month_or_never

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    # An id that is cut cannot be copied: it may fold, never end in dots.
    table.add_column("run", overflow="fold")
    table.add_column("diagnostics")
    table.add_column("median")
    for run in found:
        summary = run.summary
        medians = [
            f"{milestone['title']}: "
            + ", ".join(
                f"{bloc['title']} {month_or_never(bloc['quantiles']['0.5'], summary['horizon'])}"
                for bloc in milestone["blocs"].values()
            )
            for milestone in list(summary["milestones"].values())[:1]
        ]
        table.add_row(run.id, _verdict_word(summary), Text("".join(medians)))
    Console(highlight=False).print(table)


def _verdict_word(summary: Mapping[str, Any]) -> str:
    if summary["prior_only"]:
        return "priors only"
    return {True: "passed", False: "FAILED", None: "not available"}[summary["diagnostics"]["ok"]]


@runs.command("show")
@click.argument("run")
@click.option("--window", metavar="START:END", help="Another window, both days included.")
@click.option("--within", type=float, metavar="YEARS", help="Another limit between unipolar and bipolar.")
@click.option(
    "--crossed-by",
    multiple=True,
    metavar="YEAR|DATE",
    help="Also P(crossed by the end of this year, month or day); may be repeated.",
)
@click.option("--milestone", metavar="NAME", help="This milestone alone.")
@click.option(
    "--curves",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Write P(crossed by the end of each month) per milestone and bloc.",
)
@out_option
@json_option
def show(
    run: str,
    window: str | None,
    within: float | None,
    crossed_by: tuple[str, ...],
    milestone: str | None,
    curves: Path | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Show a saved run.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or "latest".
    """
    from forecast.report import print_summary
    from forecast.results import choose_milestones, find_run, read_run, runs_folder, to_json, write_curves

    # Everything that the user typed is read before anything is opened.
    period = read_window(window) if window is not None else None
    check_within(within)
    days = [_last_day(text) for text in crossed_by]
    stored = read_run(find_run(run, runs_folder(out)))
    summary = _read_again(stored, period, within)
    if milestone is not None or days or curves:
        chosen = choose_milestones(stored.crossings, milestone)
        summary["milestones"] = {name: summary["milestones"][name] for name in chosen}
        _add_crossed_by(summary, stored, days)
    if curves:
        as_of, horizon = (date.fromisoformat(summary[key]) for key in ("as_of", "horizon"))
        write_curves(curves, stored.crossings, chosen, as_of, horizon)
        click.echo(f"Crossing curves written to {curves}.", err=True)
    if as_json:
        click.echo(to_json(summary), nl=False)
    else:
        print_summary(summary, saved=stored.path)


@runs.command("sections")
@click.argument("run")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also draw their pictures into this folder.",
)
@plugin_option
@out_option
@json_option
def sections(run: str, output: Path | None, plugins: tuple[str, ...], out: str | None, as_json: bool) -> None:
    """Show what installed plugins have to say about a saved run.

    RUN is as for `forecast runs show`. A section that fails is named, and the
    others are shown.
    """
    from forecast.cli._host import installed_host
    from forecast.report.sections import make_sections
    from forecast.results import find_run, read_run, runs_folder, to_json

    stored = read_run(find_run(run, runs_folder(out)))
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--output {output}: {error.strerror or error}") from error
    made = make_sections(stored, installed_host(plugins).loaded.sections, output)
    good = [section for section in made if not section.error]
    if as_json:
        rows = [
            {
                "name": section.name,
                "title": section.title,
                "plugin": section.owner,
                "text": "\n\n".join(section.paragraphs),
                "picture": str(section.picture) if section.picture else None,
            }
            for section in good
        ]
        click.echo(to_json(rows), nl=False)
    for section in () if as_json else good:
        click.secho(f"{section.title}  ({section.owner})", bold=True)
        for paragraph in section.paragraphs:
            click.echo(textwrap.fill(paragraph, width=min(shutil.get_terminal_size().columns, 100)))
            click.echo()
        if section.picture:
            click.echo(f"Picture written to {section.picture}.\n")
    if not made and not as_json:
        click.echo("No installed plugin has a section for this run.")
    for section in made:
        if section.error:
            click.echo(
                f"Warning: the section {section.name!r} of {section.owner} failed: {section.error}", err=True
            )


def _read_again(stored: StoredRun, period: tuple[date, date] | None, within: float | None) -> dict[str, Any]:
    """The stored summary, or one computed with another window or limit."""
    if period is None and within is None:
        return stored.summary
    from forecast.results import summarise
    from forecast.results.reading import check_window

    before = stored.summary
    if period is not None:
        check_window(period[1], date.fromisoformat(before["horizon"]), "the horizon of this run")
    return summarise(
        stored.groups("crossings", "at_crossing", "inside"),
        stored.worldview,
        run_id=stored.id,
        diagnostics=before["diagnostics"],
        timings=before["timings"],
        sampler=before["sampler"],
        prior_only=before["prior_only"],
        mixtures=before.get("mixtures"),
        window=period,
        within_years=within,
    )


def _add_crossed_by(summary: dict[str, Any], stored: StoredRun, days: list[date]) -> None:
    from forecast.results import crossed_by

    if not days:
        return
    horizon = date.fromisoformat(summary["horizon"])
    late = [day.isoformat() for day in days if day > horizon]
    if late:
        raise InputError(f"--crossed-by {late[0]}: this run looks no further than its horizon, {horizon}.")
    for name, milestone in summary["milestones"].items():
        for bloc, shares in crossed_by(stored.crossings, name, days).items():
            milestone["blocs"][bloc]["crossed_by"] = shares


def _last_day(text: str) -> date:
    """Last day of a year (2030), a month (2030-06) or the day itself."""
    from forecast.results.reading import month_ends

    try:
        if len(text) == 4 and text.isdecimal():
            return parse_date(f"{text}-12-31")
        if len(text) == 7:
            first = parse_date(f"{text}-01")
            return month_ends(first, first)[0]
        return parse_date(text)
    except ValueError as error:
        raise InputError(f"--crossed-by {text}: must be a year, a month or a day, such as 2030, 2030-06 or "
                         "2030-06-30.") from error  # fmt: skip


@click.command()
@click.argument("run")
@out_option
@json_option
def rerun(run: str, out: str | None, as_json: bool) -> None:
    """Repeat a saved run and say whether it came out the same.

    RUN is as in `forecast runs show`. On the same platform, with the same
    versions, the result is the same to the last bit (timings apart). Nothing
    is saved.
    """
    from forecast.report import print_summary
    from forecast.results import find_run, read_run, runs_folder, to_json
    from forecast.results.compare import differences

    stored = read_run(find_run(run, runs_folder(out)))
    from forecast import engine

    again: dict[str, Any] = engine.rerun(stored).summary
    found = differences(stored.summary, again)
    if as_json:
        click.echo(to_json(again), nl=False)
    else:
        print_summary(again)
    if found:
        listed = "\n".join(f"  {line}" for line in found[:12])
        more = f"\n  and {len(found) - 12} more" if len(found) > 12 else ""
        raise ForecastError(f"The run did not come out the same as {stored.path}:\n{listed}{more}")
    click.echo(f"The same as {stored.path}, to the last bit (timings apart).", err=True)
    if again["diagnostics"]["ok"] is not True and not again["prior_only"]:
        raise click.exceptions.Exit(DIAGNOSTICS_FAILED)
