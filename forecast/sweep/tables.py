"""What a sweep leaves: one tidy table, and one tree with a dim per cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from forecast.sweep.design import value_of
from forecast.sweep.jobs import Job
from forecast.sweep.planning import Planned
from forecast.sweep.work import Outcome

if TYPE_CHECKING:
    import pyarrow as pa

PROBABILITIES = ("p_before", "p_in", "p_after", "p_never")
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


def tidy_rows(planned: Planned, outcomes: Mapping[int, Outcome]) -> list[dict[str, Any]]:
    """Return a row a cell, milestone and bloc; a cell that failed has rows without numbers.

    Returns
    -------
    list of dict
        All with the same keys: ``cell``, a key per setting, then the numbers.
    """
    worlds = world_columns(planned.jobs)
    rows = []
    for cell, job in zip(planned.cells, planned.jobs, strict=True):
        outcome = outcomes.get(cell.number)
        if outcome is None:
            continue
        found = {(row["milestone"], row["bloc"]): row for row in outcome.rows}
        given = {key: value_of(value) for key, value in cell.settings.items()}
        for milestone in job.worldview.milestones:
            for bloc in job.worldview.bloc_names:
                row = found.get((milestone, bloc), {})
                rows.append(
                    {
                        "cell": cell.number,
                        **given,
                        "milestone": milestone,
                        "bloc": bloc,
                        **{key: row.get(key) for key in (*PROBABILITIES, *QUANTILES, *worlds)},
                        "ok": False if outcome.error else outcome.ok,
                        "seconds": outcome.seconds,
                        "error": outcome.error,
                    }
                )
    return rows


def world_columns(jobs: Sequence[Job]) -> list[str]:
    """Columns that say what the world is like, for every bloc of any cell."""
    blocs = dict.fromkeys(bloc for job in jobs for bloc in job.worldview.bloc_names)
    return [*(f"p_unipolar_{bloc}" for bloc in blocs), "p_bipolar", "lead_median"]


def arrow_table(rows: Sequence[Mapping[str, Any]], settings: Sequence[str]) -> pa.Table:
    """Return rows as an Arrow table: a setting's column is of numbers, days, truth or text."""
    import pyarrow as pa

    kinds: dict[str, Any] = {
        "cell": pa.int64(),
        **{key: _kind([row[key] for row in rows]) for key in settings},
        "milestone": pa.string(),
        "bloc": pa.string(),
        "ok": pa.bool_(),
        "error": pa.string(),
    }
    names = list(rows[0]) if rows else list(kinds)
    columns = {}
    for name in names:
        kind = kinds.get(name, pa.float64())
        values = [row[name] for row in rows]
        if name in settings and pa.types.is_string(kind):
            values = [None if value is None else str(value) for value in values]
        columns[name] = pa.array(values, type=kind)
    return pa.table(columns)


def _kind(values: Sequence[Any]) -> Any:
    import pyarrow as pa

    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    if kinds <= {int, float}:
        return pa.float64()
    return pa.date32() if kinds == {date} else pa.string()


def sweep_tree(
    planned: Planned, outcomes: Mapping[int, Outcome], rows: Sequence[Mapping[str, Any]]
) -> xr.DataTree:
    """Return a sweep as one tree.

    Returns
    -------
    xarray.DataTree
        The root has dims ``cell``, ``milestone``, ``bloc`` and ``quantile``: the
        numbers of the table, with settings as coordinates of ``cell``. Group
        ``crossings`` has ``date`` with dims cell, milestone, bloc and draw:
        thinned crossing dates of accepted draws, decimal years, ``inf`` for
        never, NaN where there is none.
    """
    cells = [cell.number for cell in planned.cells if cell.number in outcomes]
    milestones = list(dict.fromkeys(row["milestone"] for row in rows))
    blocs = list(dict.fromkeys(row["bloc"] for row in rows))
    place = {name: {one: n for n, one in enumerate(names)} for name, names in
             {"cell": cells, "milestone": milestones, "bloc": blocs}.items()}  # fmt: skip
    shape = (len(cells), len(milestones), len(blocs))
    numbers = {name: np.full(shape, np.nan) for name in PROBABILITIES}
    quantile = np.full((*shape, len(QUANTILES)), np.nan)
    worlds = {name: np.full(shape[:2], np.nan) for name in world_columns(planned.jobs)}
    for row in rows:
        at = (place["cell"][row["cell"]], place["milestone"][row["milestone"]], place["bloc"][row["bloc"]])
        for name, array in numbers.items():
            array[at] = _number(row[name])
        failed = row["p_in"] is None
        quantile[at] = [np.nan if failed else _number(row[name], np.inf) for name in QUANTILES]
        for name, array in worlds.items():
            array[at[:2]] = _number(row[name])
    coordinates: dict[str, Any] = {
        "cell": cells,
        "milestone": _texts(milestones),
        "bloc": _texts(blocs),
        "quantile": list(QUANTILES.values()),
    }
    for key in planned.sweep.settings:
        values = [value_of(cell.settings[key]) for cell in planned.cells if cell.number in outcomes]
        coordinates[key] = ("cell", _column(values))
    made = [outcomes[number] for number in cells]
    root = xr.Dataset(
        {
            **{name: (("cell", "milestone", "bloc"), array) for name, array in numbers.items()},
            "date": (("cell", "milestone", "bloc", "quantile"), quantile, {"unit": "decimal year"}),
            **{name: (("cell", "milestone"), array) for name, array in worlds.items()},
            # A verdict may be missing: 1 good, 0 failed, -1 none.
            "ok": (
                "cell",
                np.array([-1 if one.ok is None and not one.error else int(bool(one.ok)) for one in made]),
            ),
            "seconds": ("cell", np.array([one.seconds for one in made])),
            "error": ("cell", _texts([one.error for one in made])),
            "run": ("cell", _texts([one.run for one in made])),
        },
        coords=coordinates,
        attrs={"schema": "forecast.sweep/1", "sweep": planned.sweep.name, "design": planned.sweep.design},
    )
    size = max((len(dates) for one in made for dates in one.dates.values()), default=0)
    dates = np.full((*shape, size), np.nan)
    for one, job in zip(made, (planned.jobs[number] for number in cells), strict=True):
        for name, drawn in one.dates.items():
            for column, bloc in enumerate(job.worldview.bloc_names):
                at = (place["cell"][one.cell], place["milestone"][name], place["bloc"][bloc])
                dates[at][: len(drawn)] = drawn[:, column]
    crossings = xr.Dataset(
        {"date": (("cell", "milestone", "bloc", "draw"), dates, {"unit": "decimal year"})},
        coords={name: coordinates[name] for name in ("cell", "milestone", "bloc")},
    )
    return xr.DataTree.from_dict({"/": root, "crossings": crossings})


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table."""
    import pyarrow.parquet as pq

    pq.write_table(table, path)


def write_zarr(tree: xr.DataTree, path: Path) -> None:
    """Write a tree, as version 2 of Zarr: version 3 has no lasting form of text yet."""
    tree.to_zarr(path, zarr_format=2, consolidated=True)


def _number(value: float | None, missing: float = np.nan) -> float:
    return missing if value is None else float(value)


def _column(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    kinds = {type(value) for value in values}
    if kinds == {date}:
        return np.array(values, dtype="datetime64[ns]")
    if kinds <= {int, float} or kinds == {bool}:
        return np.array(values)
    return _texts([str(value) for value in values])


def _texts(values: Sequence[str]) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=str) if values else np.array([], dtype="<U1")
