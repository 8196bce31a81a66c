"""Evidence rows as arrays: what a measurement model works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.dates import decimal_year
from forecast.driver import Term
from forecast.evidence import EvidenceTable, Row


@dataclass(frozen=True)
class Observations:
    """Rows of one table, ready for the graph.

    Attributes
    ----------
    rows : tuple of Row
    columns : dict of str to ndarray
        Float arrays, one value a row: ``value`` (log10 unless the table is
        linear), ``error`` (standard deviation in the same scale), ``date``
        (decimal year), ``period`` (years) and whatever `prepare` added.
    bloc : ndarray of int
        Index into the worldview's blocs; -1 for rows about the world.
    series : tuple of str
        Which of several trajectories a row measures, where there are several.
    """

    rows: tuple[Row, ...]
    columns: Mapping[str, NDArray[np.float64]]
    bloc: NDArray[np.int64]
    series: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class PrepareContext:
    """What a driver's ``prepare`` may use beside the table.

    Attributes
    ----------
    as_of : datetime.date
    blocs : tuple of str
        In the order of the bloc axis.
    """

    as_of: date
    blocs: tuple[str, ...]

    def observations(
        self, table: EvidenceTable, *, series: Sequence[str] = (), **extra: ArrayLike
    ) -> Observations:
        """Arrays of a table's rows.

        Parameters
        ----------
        table : EvidenceTable
            Already filtered; only rows about the worldview's blocs or the
            world may be left.
        series : sequence of str, optional
            Which trajectory each row measures, for ``m.mean_over`` of a mapping.
        **extra : array_like
            Further columns, one number a row; they replace a default column
            of the same name.

        Returns
        -------
        Observations
        """
        rows = table.rows
        value = np.array([row.value for row in rows], dtype=float)
        months = np.array([row.extra.get("period_months") or 0 for row in rows], dtype=float)
        index = {name: position for position, name in enumerate(self.blocs)}
        columns = {
            "value": value if table.spec.linear else np.log10(value),
            "error": np.asarray(table.errors(), dtype=float),
            "date": np.array([decimal_year(row.date) for row in rows], dtype=float),
            "period": months / 12.0,
        }
        for name, values in extra.items():
            columns[name] = np.asarray(values, dtype=float)
        for name, values in columns.items():
            if values.shape != (len(rows),):
                raise ValueError(f"column {name!r} has shape {values.shape} for {len(rows)} rows")
            if not np.all(np.isfinite(values)):
                raise ValueError(f"column {name!r} of {table.spec.name!r} is not finite in every row")
        bloc = np.array([index.get(row.bloc, -1) for row in rows], dtype=np.int64)
        return Observations(rows=tuple(rows), columns=columns, bloc=bloc, series=tuple(series))


def prepared(term: Term, table: EvidenceTable, context: PrepareContext) -> Observations:
    """Return the rows that a measurement model works on: those of its ``prepare``, or all of the table."""
    if term.prepare is None:
        return context.observations(table)
    rows: Observations = term.prepare(table, context)
    return rows
