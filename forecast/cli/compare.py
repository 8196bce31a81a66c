"""``forecast compare``: saved runs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

_RUNS_ABREAST = 3

Row = Mapping[str, Any]


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@click.option("--milestone", metavar="NAME", help="[default: agi, else the first that most runs have]")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Also draw the crossing dates over one another, a panel for each bloc (PNG, PDF, SVG or HTML).",
)
@click.option("--out", metavar="DIR", help="The folder that holds runs [default: FORECAST_RUNS, or runs].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON alone on stdout.")
def compare(
    runs: tuple[str, ...], milestone: str | None, output: Path | None, out: str | None, as_json: bool
) -> None:
    """Show two or more saved runs side by side, and what they were told differently.

    RUN is an id, the beginning of one, the beginning of its hash, a path, or
    "latest". Nothing is fitted, and the runs' plugins are not needed.
    """
    from forecast.results import find_run, read_run, runs_folder, side_by_side, to_json

    if output is not None:
        from forecast.report.compare_figure import compare_figure
        from forecast.report.picture_file import check_picture_path

        check_picture_path(output)
    folder = runs_folder(out)
    stored = [read_run(find_run(run, folder)) for run in runs]
    comparison = side_by_side(stored, milestone)
    if output is not None:
        compare_figure(stored, comparison["milestone"], output)
    if as_json:
        click.echo(to_json(comparison), nl=False)
    else:
        _print(comparison)
    if output is not None:
        click.echo(f"Picture written to {output}.", err=as_json)


def _print(comparison: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    rows = comparison["runs"]
    console.print(Text(f"Milestone {comparison['milestone']!r} in {len(rows)} runs", style="bold"))
    for number, row in enumerate(rows, start=1):
        basis = "priors alone of worldview" if row["prior_only"] else "worldview"
        # An id that is broken over lines cannot be copied.
        console.print(Text(f"{number}  {row['run']}"), soft_wrap=True)
        console.print(Text(f"   {basis} {row['worldview']!r} as of {row['as_of']}"))
    console.print("Each is conditional on its worldview, not a prophecy.")
    for note in comparison["notes"]:
        console.print(Text(f"Note: {note}"))
    for table in [*_bloc_tables(rows), *_lead_tables(rows)]:
        console.print(table)
    console.print(Text("± is the Monte Carlo standard error.", style="dim"))
    console.print(Text())
    _print_differences(comparison["differences"])


def _bloc_tables(rows: Sequence[Row]) -> Iterator[Table]:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from forecast.report.terminal import probability
    from forecast.results import month_or_never
    from forecast.results.side_by_side import bloc_titles

    for bloc, title in bloc_titles(rows).items():
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(Text(title), overflow="fold")
        for heading in ("10% by", "median", "75% by", "P(in window)", "P(not by\nhorizon)"):
            table.add_column(heading, justify="right", no_wrap=True)
        for number, row in enumerate(rows, start=1):
            found = row["blocs"].get(bloc)
            cells = ["-"] * 5
            if found is not None:
                cells = [
                    month_or_never(found["quantiles"][q], row["horizon"]) for q in ("0.1", "0.5", "0.75")
                ]
                cells += [probability(found[key], found["mcse"][key]) for key in ("p_in", "p_never")]
            table.add_row(Text(f"{number}  {row['worldview']}"), *cells)
        yield table


def _lead_tables(rows: Sequence[Row]) -> Iterator[Table]:
    """The lead, a column for each run, in tables that are not too wide; none where no run has a lead."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from forecast.report.terminal import probability, signed_years
    from forecast.results.side_by_side import bloc_titles

    titles = bloc_titles(rows)
    pairs = {(row["lead"]["leader"], row["lead"]["follower"]) for row in rows if row["lead"] is not None}
    if not pairs:
        return
    heading = "lead"
    if len(pairs) == 1:
        heading += " of {} over {}".format(*(titles[bloc] for bloc in pairs.pop()))
    for start in range(0, len(rows), _RUNS_ABREAST):
        leads = [row["lead"] for row in rows[start : start + _RUNS_ABREAST]]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column(Text(heading))
        for number in range(start + 1, start + 1 + len(leads)):
            table.add_column(f"run {number}", justify="right", no_wrap=True)
        medians = ["-" if lead is None else signed_years(lead["quantiles"], "0.5") for lead in leads]
        table.add_row("median, years", *medians)
        for bloc, title in titles.items():
            known = [lead if lead and bloc in lead["p_unipolar"] else None for lead in leads]
            cells = [
                "-" if one is None else probability(one["p_unipolar"][bloc], one["mcse"]["p_unipolar"][bloc])
                for one in known
            ]
            table.add_row(Text(f"P(unipolar: {title})"), *cells)
        cells = [
            "-" if lead is None else probability(lead["p_bipolar"], lead["mcse"]["p_bipolar"])
            for lead in leads
        ]
        table.add_row("P(bipolar)", *cells)
        yield table


def _print_differences(differences: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    if not differences:
        console.print("The runs were told the same.")
        return
    console.print(Text("What they were told differently", style="bold"))
    for difference in differences:
        console.print(Text(difference["key"]))
        by_value: dict[str, list[str]] = {}
        for number, value in enumerate(difference["values"], start=1):
            by_value.setdefault(_shown(value), []).append(str(number))
        for value, numbers in by_value.items():
            console.print(Padding(Text(f"{', '.join(numbers)}: {value}"), (0, 0, 0, 2), expand=False))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, ".10g") if isinstance(value, float) else str(value)
