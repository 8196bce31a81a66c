"""What made the growth of a quantity, by driver and bloc: the group ``growth`` of a run, put into numbers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import decimal_year, end_of
from forecast.errors import InputError
from forecast.results.crossing_summary import FloatArray
from forecast.results.trajectories import NotAvailable
from forecast.wording import did_you_mean

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = "forecast.growth/1"

GROUP = "growth"


def describe_growth(
    tree: xr.DataTree, quantity: str | None = None, bloc: str | None = None, *, since: date | None = None
) -> dict[str, Any]:
    """Tell the growth of a quantity apart, in OOM.

    Parameters
    ----------
    tree : xarray.DataTree
        With the group ``growth`` of a run.
    quantity : str, optional
        One that the run accounts for; by default the one with most parts, ``effective_compute`` of the
        shipped drivers.
    bloc : str, optional
        This one alone; all by default.
    since : datetime.date, optional
        Where growth counts from; the run's own choice by default, 2022-01-01 in most.

    Returns
    -------
    dict
        Plain types, schema ``forecast.growth/1``. ``years`` are moments in decimal years: `since`, each
        1 January after it, the end of the as-of date, and the end. ``parts`` say whose each is: ``driver``
        (empty for interventions), ``part``, ``kind`` and ``title``. ``blocs`` has for each bloc ``parts``, a
        list for each part in the same order, and ``total``, their sum, which is the growth of the quantity.
        All are means over ``draws`` accepted draws.

    Raises
    ------
    NotAvailable
        The run has no account of growth, or the bloc no such quantity.
    InputError
        A date outside the run's, or a quantity or bloc that it does not have.
    """
    if GROUP not in tree.children:
        raise NotAvailable(
            "this run has no account of growth (group 'growth' of results.nc): it was made by an earlier "
            "version, or no quantity of its drivers has parts to be told apart"
        )
    group = tree[GROUP].to_dataset()
    names = [str(name) for name in group.data_vars]
    chosen = quantity or max(names, key=lambda name: int(group[name].notnull().any(("bloc", "time")).sum()))
    if chosen not in names:
        raise InputError(
            f"this run has no account of the growth of {chosen!r}{did_you_mean(chosen, names)}; it has "
            f"{', '.join(names)}"
        )
    variable = group[chosen].transpose("part", "bloc", "time")
    values = variable.to_numpy().astype(float)
    blocs = [str(name) for name in group["bloc"].to_numpy()]
    known = np.isfinite(values).all(axis=2)
    there = [name for name, exists in zip(blocs, known.any(axis=0), strict=True) if exists]
    if bloc is not None and bloc not in blocs:
        raise InputError(
            f"this run has no bloc {bloc!r}{did_you_mean(bloc, blocs)}; it has {', '.join(blocs)}"
        )
    if bloc is not None and bloc not in there:
        raise NotAvailable(f"in this run {bloc} has no {chosen}")
    kept = np.flatnonzero(known.any(axis=1))
    days = [day.item() for day in group["time"].to_numpy().astype("datetime64[D]")]
    time = np.array([decimal_year(day) for day in days])
    as_of = date.fromisoformat(str(group.attrs["as_of"]))
    since = since or date.fromisoformat(str(group.attrs["since"]))
    start = _start(since, days)
    years = _years(start, end_of(as_of), time)
    told = {}
    for name in there if bloc is None else [bloc]:
        rows = [_since(values[place, blocs.index(name)], time, years) for place in kept]
        told[name] = {"total": np.sum(rows, axis=0).tolist(), "parts": [row.tolist() for row in rows]}
    texts = {
        key: [str(text) for text in group[key].to_numpy()] for key in ("part", "driver", "kind", "title")
    }
    return {
        "schema": SCHEMA,
        "quantity": chosen,
        "title": str(variable.attrs.get("long_name") or chosen),
        "unit": str(variable.attrs.get("unit", "OOM")),
        "since": since.isoformat(),
        "as_of": as_of.isoformat(),
        "draws": int(group.attrs["draws"]),
        "quantities": names,
        "years": years.tolist(),
        "parts": [{key: found[place] for key, found in texts.items()} for place in kept],
        "blocs": told,
    }


def _start(since: date, days: list[date]) -> float:
    if not days[0] <= since < days[-1]:
        raise InputError(f"--since {since}: the run's accounts of growth are from {days[0]} to {days[-1]}.")
    return decimal_year(since)


def _years(start: float, as_of: float, time: FloatArray) -> FloatArray:
    end = float(time[-1])
    new_years = [float(year) for year in range(int(start) + 1, int(end) + 1)]
    moments = {start, *new_years, end, *([as_of] if start < as_of < end else [])}
    return np.array(sorted(moments))


def _since(values: FloatArray, time: FloatArray, years: FloatArray) -> FloatArray:
    """Return a part at some moments, less its value at the first; linear between the dates stored."""
    found: FloatArray = np.interp(years, time, values)
    return np.asarray(found - found[0])
