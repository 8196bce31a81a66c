"""Command line of the benchmarks: ``python -m benchmarks --help``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.speed import Sampling

RESULTS = Path(__file__).parent / "results"


def sampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the sampler's settings to a command."""
    for name, value in reversed(vars(Sampling()).items()):
        command = click.option(f"--{name}", type=int, default=value, show_default=True)(command)
    return command


def settings_of(chosen: Mapping[str, int]) -> Any:
    """The engine's settings."""
    from forecast.inference import SamplerSettings

    return SamplerSettings(**{name: chosen[name] for name in ("draws", "tune", "chains", "cores")})  # type: ignore[arg-type]


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--output`` to a command."""
    return click.option("--output", metavar="NAME", help="Write benchmarks/results/NAME.json.")(command)


@click.group(invoke_without_command=True)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Measure the default model; each command takes minutes.

    Without a command: `speed`, `sweep` and `scaling`, one after another, each kept in benchmarks/results.
    """
    if ctx.invoked_subcommand is None:
        for command in (speed, sweep, scaling):
            ctx.invoke(command, output=command.name)


@main.command()
@click.option(
    "--variant",
    "variants",
    multiple=True,
    type=click.Choice(["inside", "grid", "separate"]),
    help="Of the hand-written script; may be repeated [default: all].",
)
@click.option(
    "--warm-up/--no-warm-up", default=True, show_default=True, help="First run each program with few draws."
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["programs", "refits", "start"]),
    help="What to measure; may be repeated [default: all].",
)
@output_option
@sampling_options
def speed(
    variants: Sequence[str], warm_up: bool, parts: Sequence[str], output: str | None, **settings: int
) -> None:
    """`forecast run` beside a hand-written script; a second fit; start-up."""
    from benchmarks import speed as measure

    sampling, parts = Sampling(**settings), parts or ("programs", "refits", "start")
    result: dict[str, Any] = {"sampling": vars(sampling)}
    if "start" in parts:
        result["start"] = measure.start_up()
    if "programs" in parts:
        result |= measure.side_by_side(sampling, variants or ("separate", "grid", "inside"), warm_up=warm_up)
    if "refits" in parts:
        result["refits"] = measure.refits(sampling)
    result["verdicts"] = measure.verdicts(result)
    if "costs" in result:
        show("Whole processes", [{"program": name, **cost} for name, cost in result["costs"].items()])
        for name, rows in result["agreement"].items():
            show(f"Crossing dates, {name} beside ours", rows)
    if "start" in result:
        show("Start-up, seconds", [result["start"]])
    if "refits" in result:
        rows = [
            {"cache": name, **{key: one for key, one in times.items() if key not in ("cpu", "draws")}}
            for name, times in result["refits"].items()
        ]
        show("Two fits in one process", rows)
        phases = [{"cache": name, **times["cpu"]} for name, times in result["refits"].items()]
        show("CPU seconds of the first, by phase", phases)
    show("Against the targets", result["verdicts"])
    keep(output, result)


@main.command(hidden=True)
@sampling_options
def refit(**settings: int) -> None:
    """Two fits in this process, as JSON; `speed` starts it."""
    from benchmarks.speed import refit as measure

    click.echo(json.dumps(measure(Sampling(**settings))))


@main.command()
@click.option("--simulations", type=int, default=20, show_default=True)
@output_option
@sampling_options
def recovery(simulations: int, output: str | None, **settings: int) -> None:
    """Simulate evidence from known parameters of the default model, and find them again."""
    from benchmarks.recovery import nutpie_fit, recover
    from forecast.engine import make_plan
    from forecast.inference import Compiler

    seed = settings.pop("seed")
    compiler = Compiler()
    found = recover(
        make_plan(),
        nutpie_fit(settings_of(settings), compiler),
        simulations=simulations,
        seed=seed,
        progress=lambda done, total: click.echo(f"{done} of {total} simulations", err=True),
    )
    failures = found.failures()
    show(f"Recovery over {simulations} simulations", found.table())
    click.echo(
        f"Truths inside their 90% interval: {found.coverage:.1%}. " + ("; ".join(failures) or "Good enough.")
    )
    made = compiler.compilations + compiler.loads
    result = {"simulations": simulations, "seed": seed, **settings, "coverage": found.coverage}
    keep(output, result | {"models_made": made, "failures": failures, "table": found.table()})


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@output_option
def prediction(run: Path, output: str | None) -> None:
    """Leave-one-out predictive intervals of a saved RUN folder."""
    from benchmarks.prediction import report

    result = report(run)
    show(
        "Leave-one-out 90% intervals; ratio to a least-squares line with the same covariates, raw: without",
        result["tables"],
    )
    keep(output, result)


@main.command()
@click.option("--seeds", default="1,2,3", show_default=True)
@output_option
@sampling_options
def seeds(seeds: str, output: str | None, seed: int, **settings: int) -> None:
    """Convergence of several seeds, and agreement of their probabilities."""
    from benchmarks.seeds import report

    result = report([int(one) for one in seeds.split(",")], settings_of(settings))
    show("Seeds", result["seeds"])
    show(f"Probabilities apart, of {result['probabilities']} in each pair of seeds", result["apart"])
    keep(output, result)


@main.command()
@output_option
@sampling_options
def worldviews(output: str | None, seed: int, **settings: int) -> None:
    """Convergence and headline of every shipped worldview, with its own seed."""
    from benchmarks.seeds import worldview_report

    result = worldview_report(settings_of(settings))
    show("Worldviews", result["worldviews"])
    keep(output, result)


@main.command()
def reference() -> None:
    """Renew the frozen posterior of the default model, benchmarks/reference; say how far the old one is."""
    from benchmarks import reference as frozen
    from forecast.engine import run

    found = run(seed=frozen.SEED, settings=frozen.SETTINGS)
    if frozen.DRAWS.exists():
        apart = frozen.compare(frozen.compact(found), frozen.read()[0], frozen.horizon_of(found))
        least = f"limit {frozen.limit(len(apart)):.2f} errors"
        show(
            f"Farthest from the reference so far, of {len(apart)} ({least})",
            [vars(one) for one in apart[:20]],
        )
    said = frozen.write(found)
    worst = max(one["r_hat"] for one in said["numbers"].values())
    click.echo(f"Written to {frozen.FOLDER.name}/: largest R-hat {worst:.4f}.")


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@output_option
def shares(run: Path, output: str | None) -> None:
    """Which condition comes later, and what free access to chips does, on a saved RUN folder."""
    from benchmarks.shares import report

    result = report(run)
    show("Later condition, share of draws", [{"bloc": bloc, **one} for bloc, one in result["later"].items()])
    show("China with free access to chips from the as-of date", [result["access"]])
    click.echo(f"Crossings recomputed as saved: {result['same_as_saved']}.")
    keep(output, result)


@main.command()
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["density", "build", "load"]),
    help="What to measure; may be repeated [default: all].",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Choice(["medium", "default"]),
    default=["medium"],
    show_default=True,
    help="Beside which script; may be repeated. The default model compiles for minutes.",
)
@click.option("--rounds", type=click.IntRange(min=2), help="Turns of each part [default: 1500, 15 and 9].")
@output_option
def overhead(parts: Sequence[str], models: Sequence[str], rounds: int | None, output: str | None) -> None:
    """Host and builder beside a hand-written model of the same terms; fifty drivers more."""
    from benchmarks import overhead as measure
    from benchmarks.overhead_load import load

    parts, turns = parts or ("density", "build", "load"), {"rounds": rounds} if rounds else {}
    result: dict[str, Any] = {}
    for name in models:
        with measure.PAIRS[name]() as pair:
            if "build" in parts:
                result["build"] = result.get("build", []) + measure.build(pair, **turns)
            if "density" in parts:
                result.setdefault("density", []).append(measure.density(pair, **turns))
    if "load" in parts:
        result["load"] = load(**turns)
    for part, rows in result.items():
        show(
            {
                "build": "Building, seconds",
                "density": "Log density with gradient",
                "load": "Loading, seconds",
            }[part],
            rows,
        )
    result["verdicts"] = measure.verdicts(result)
    show("Against the bounds", result["verdicts"])
    keep(output, result)


@main.command()
@click.option(
    "--axis",
    "axes",
    multiple=True,
    type=click.Choice(["blocs", "draws", "months", "drivers", "cells"]),
    help="What grows; may be repeated [default: all].",
)
@output_option
def scaling(axes: Sequence[str], output: str | None) -> None:
    """Cost and memory as blocs, draws, months, drivers and cells of a sweep grow."""
    from benchmarks import scaling as measure

    rows = measure.measure([axis for axis in axes or measure.SIZES if axis != "cells"])
    swept = measure.sweeps() if not axes or "cells" in axes else []
    grown = measure.powers([*rows, *swept])
    show("CPU seconds of building and projecting, draws of the projection a second, peak memory in GB", rows)
    show("Seconds of a sweep on one worker, short fits", swept)
    show(f"Power of the growth between the two largest sizes (bound {measure.LINEAR})", grown)
    keep(output, {"rows": rows, "sweeps": swept, "powers": grown})


@main.command()
@click.option("--base", default="small", show_default=True, help="Worldview that is swept.")
@output_option
def sweep(base: str, output: str | None) -> None:
    """Fits a minute of a sweep on one and two workers, beside a loop over pm.sample."""
    from benchmarks.sweeping import measure

    result = measure(base)
    show(f"Fits of one structure, worldview {base}", result["rows"])
    show("Against the targets", result["verdicts"])
    keep(output, result)


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of equal keys as a table."""
    if not rows:
        click.echo(f"{title}: none.")
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(
            name.replace("_", " "), justify="left" if isinstance(rows[0][name], str) else "right"
        )
    for row in rows:
        table.add_row(*(said(value) for value in row.values()))
    console = Console()
    console.print(table, width=None if console.is_terminal else 140)


def said(value: Any) -> str:
    """A cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) >= 100 else f"{value:.3g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def keep(name: str | None, result: Mapping[str, Any]) -> None:
    """Write a result where it was asked for."""
    if name:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        click.echo(f"Written to benchmarks/results/{name}.json")


if __name__ == "__main__":
    main()
