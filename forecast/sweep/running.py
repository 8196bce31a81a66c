"""A sweep from its file to its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.engine import Reporter, compile_plan
from forecast.errors import ForecastError
from forecast.report.sweep_axes import SweepFacts
from forecast.results import default_milestone
from forecast.sweep.design import value_of
from forecast.sweep.journal import SCHEMA, Journal, sweep_folder
from forecast.sweep.planning import Planned
from forecast.sweep.tables import arrow_table, sweep_tree, tidy_rows, write_parquet, write_zarr
from forecast.sweep.work import Outcome


@dataclass(frozen=True)
class Swept:
    """A sweep that is done.

    Attributes
    ----------
    planned : Planned
    folder : Path
    outcomes : dict of int to Outcome
        By cell.
    rows : list of dict
        As ``results.parquet`` has them.
    """

    planned: Planned
    folder: Path
    outcomes: Mapping[int, Outcome]
    rows: list[dict[str, Any]]

    @property
    def failed(self) -> list[Outcome]:
        """Cells that have no numbers."""
        return [one for one in self.outcomes.values() if one.error]

    @property
    def doubtful(self) -> list[Outcome]:
        """Cells whose diagnostics failed."""
        return [one for one in self.outcomes.values() if one.ok is False and not one.error]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        by_cell: dict[int, list[dict[str, Any]]] = {}
        about = {"cell", *self.planned.sweep.settings, "ok", "seconds", "error"}
        for row in self.rows:
            numbers = {key: value for key, value in row.items() if key not in about}
            by_cell.setdefault(row["cell"], []).append(numbers)
        sweep = self.planned.sweep
        return {
            "schema": SCHEMA,
            "sweep": {"name": sweep.name, "file": sweep.document.file, **_plain(sweep.asked())},
            "cells": [
                {
                    "cell": cell.number,
                    "settings": {key: value for key, value in cell.settings.items()},
                    "run": self.outcomes[cell.number].run,
                    "ok": False if self.outcomes[cell.number].error else self.outcomes[cell.number].ok,
                    "seconds": self.outcomes[cell.number].seconds,
                    "error": self.outcomes[cell.number].error,
                    "rows": [] if self.outcomes[cell.number].error else by_cell.get(cell.number, []),
                }
                for cell in self.planned.cells
            ],
            "out": self.folder,
        }


def _plain(asked: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asked.items() if key != "settings"} | {
        "settings": list(asked["settings"])
    }


def run_sweep(
    planned: Planned,
    *,
    out: str | None = None,
    resume: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    reporter: Reporter | None = None,
) -> Swept:
    """Make the cells of a sweep that are not there yet, and write its tables.

    Parameters
    ----------
    planned : Planned
    out, resume : str, optional
        The sweep's folder: a new one, or one to go on with.
    workers : int, optional
        Processes on this machine; one a core without it.
    scheduler : str, optional
        Of a Dask cluster to use in place of this machine's cores.
    reporter : Reporter, optional

    Returns
    -------
    Swept

    Raises
    ------
    InputError, ForecastError
        In words; cells that were made are kept.
    """
    reporter = reporter or Reporter()
    folder = sweep_folder(planned, resume or out)
    with Journal(folder, planned, resume=resume is not None) as journal:
        outcomes = journal.done()
        missing = [cell.number for cell in planned.cells if cell.number not in outcomes]
        try:
            if missing:
                _make(planned, journal, outcomes, missing, workers, scheduler, reporter)
            reporter.phase("Writing the tables")  # anew each time: those that are there may be damaged
            _write(planned, journal, outcomes)
        except KeyboardInterrupt:
            reporter.warn(_kept(journal))
            raise
        ordered = {cell.number: outcomes[cell.number] for cell in planned.cells}
        return Swept(planned, folder, ordered, tidy_rows(planned, ordered))


def _make(
    planned: Planned,
    journal: Journal,
    outcomes: dict[int, Outcome],
    missing: Sequence[int],
    count: int | None,
    scheduler: str | None,
    reporter: Reporter,
) -> None:
    from forecast.sweep.cluster import carry_out, compile_there, workers_of

    jobs = {job.cell: job for job in planned.jobs}
    fits = [
        left for cells in planned.fits.values() if (left := [cell for cell in cells if cell in set(missing)])
    ]
    total = len(planned.cells)
    reporter.phase(
        f"{len(missing):,} of {total:,} cells to make, from {len(fits):,} fit{'s' * (len(fits) != 1)}"
        if not planned.sweep.sampling.prior_only
        else f"{len(missing):,} of {total:,} cells to make from the priors alone"
    )

    def keep(outcome: Outcome) -> None:
        journal.keep(outcome)
        outcomes[outcome.cell] = outcome
        reporter.progress(len(outcomes), total)

    shapes = [] if planned.sweep.sampling.prior_only else planned.shapes
    if shapes and scheduler is None:
        reporter.phase("Compiling the model (a minute or two the first time; kept afterwards)")
        for plan in shapes:
            compile_plan(plan)
    with workers_of(scheduler, count, len(missing)) as found:
        where = f"Dask at {found.address}"
        reporter.phase(f"{where}, dashboard {found.dashboard}" if found.dashboard else where)
        if shapes and scheduler is not None:
            reporter.phase("Compiling the model on the cluster, where it is not kept there yet")
            ids = {plan.id for plan in shapes}
            compile_there(found, [job for job in planned.jobs if job.run in ids])
        reporter.phase(f"Making cells on {found.address}")
        reporter.progress(len(outcomes), total)
        try:
            carry_out(found, jobs, fits, keep, reporter.warn)
        except KeyboardInterrupt:
            reporter.phase("Stopping: no more cells are made")
            raise
        except ForecastError as error:
            raise (
                error if "--resume" in str(error) else ForecastError(f"{error}; {_kept(journal)}")
            ) from error


def _kept(journal: Journal) -> str:
    count, total = len(journal.done()), len(journal.planned.cells)
    return f"{count} of {total} cells are kept; go on with --resume {journal.folder}"


def _write(planned: Planned, journal: Journal, outcomes: Mapping[int, Outcome]) -> None:
    from forecast.report.picture_file import save_picture
    from forecast.report.sweep_figure import response_figure

    rows = tidy_rows(planned, outcomes)
    settings = list(planned.sweep.settings)
    table = arrow_table(rows, settings)
    tree = sweep_tree(planned, outcomes, rows)
    journal.write("results.parquet", lambda path: write_parquet(table, path))
    journal.write("sweep.zarr", lambda path: write_zarr(tree, path))
    milestone, facts = facts_of(planned)
    figure = response_figure([row for row in rows if row["milestone"] == milestone], settings, facts)
    save_picture(figure, journal.folder / "response.png")


def facts_of(planned: Planned) -> tuple[str, SweepFacts]:
    """Return the milestone that pictures and tables are of, and what they say of the sweep."""
    views = [job.worldview for job in planned.jobs]
    milestone = default_milestone(list(dict.fromkeys(name for view in views for name in view.milestones)))
    described = next(view.milestones[milestone] for view in views if milestone in view.milestones)
    windows = {f"{view.window.start} to {view.window.end}" for view in views}
    sweep = planned.sweep
    return milestone, SweepFacts(
        name=sweep.name,
        title=described.title,
        window=windows.pop() if len(windows) == 1 else "",
        horizon=max(view.horizon for view in views).isoformat(),
        blocs={bloc.name: bloc.title for view in reversed(views) for bloc in view.blocs},
        short=planned.short,
        order={
            key: [value_of(one) for one in values]
            for key, values in sweep.settings.items()
            if isinstance(values, list)
        },
        is_grid=sweep.design == "grid",
        is_list=sweep.design == "list",
    )
