"""Reading a run's crossings in other ways, without a refit."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import end_of
from forecast.errors import ForecastError, InputError
from forecast.results.crossing_summary import estimate
from forecast.results.summary import accepted_draws, crossing_array, milestone_names

if TYPE_CHECKING:
    import xarray as xr


def crossed_by(crossings: xr.Dataset, milestone: str, days: Sequence[date]) -> dict[str, dict[str, Any]]:
    """P(crossed by the end of a day) per bloc.

    Parameters
    ----------
    crossings : xarray.Dataset
        Group ``crossings`` of a run.
    milestone : str
    days : sequence of date
        Each is included whole.

    Returns
    -------
    dict
        ``{bloc: {"2030-12-31": {"p": ..., "mcse": ...}}}``.
    """
    accepted = accepted_draws(crossings)
    when = crossing_array(crossings, milestone)
    found: dict[str, dict[str, Any]] = {}
    for index, bloc in enumerate(crossings["bloc"].to_numpy()):
        shares = {day.isoformat(): estimate(when[..., index] < end_of(day), accepted) for day in days}
        found[str(bloc)] = {day: {"p": share.p, "mcse": share.mcse} for day, share in shares.items()}
    return found


def month_ends(first: date, last: date) -> list[date]:
    """Last days of the months from that of `first` to that of `last`."""
    ends = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        ends.append(date(year, month, 1) - timedelta(days=1))
    return ends


def crossing_curves(
    crossings: xr.Dataset, milestones: Iterable[str], as_of: date, horizon: date
) -> Iterator[tuple[str, str, date, float]]:
    """Cumulative crossing curves by month.

    Yields
    ------
    tuple
        (milestone, bloc, last day of a month, share of accepted draws crossed
        by the end of that day), from the as-of month to the horizon's.
    """
    accepted = accepted_draws(crossings)
    days = month_ends(as_of, horizon)
    moments = np.array([end_of(day) for day in days])
    for milestone in milestones:
        when = crossing_array(crossings, milestone)
        for index, bloc in enumerate(crossings["bloc"].to_numpy()):
            ordered = np.sort(when[..., index][accepted])
            for day, count in zip(days, np.searchsorted(ordered, moments, side="left"), strict=True):
                yield milestone, str(bloc), day, float(count / ordered.size)


def write_curves(
    path: Path, crossings: xr.Dataset, milestones: Iterable[str], as_of: date, horizon: date
) -> None:
    """Write :func:`crossing_curves` as CSV with header ``milestone,bloc,date,p_crossed``.

    Raises
    ------
    ForecastError
        Where the file cannot be written.
    """
    rows = list(crossing_curves(crossings, milestones, as_of, horizon))
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["milestone", "bloc", "date", "p_crossed"])
            writer.writerows((name, bloc, day.isoformat(), repr(p)) for name, bloc, day, p in rows)
    except OSError as error:
        raise ForecastError(f"{path}: the curves could not be written: {error.strerror or error}.") from error


def default_milestone(names: Sequence[str]) -> str:
    """Name of the milestone that is meant where none is named: ``agi`` if it is there, else the first."""
    return "agi" if "agi" in names else names[0]


def choose_milestones(crossings: xr.Dataset, wanted: str | None) -> list[str]:
    """All milestones of a run, or the one that is asked for.

    Raises
    ------
    InputError
        Where the run has no milestone of that name.
    """
    names = milestone_names(crossings)
    if wanted is None:
        return names
    if wanted not in names:
        raise InputError(f"--milestone {wanted}: this run has no such milestone; it has {', '.join(names)}.")
    return [wanted]


def check_window(end: date, horizon: date, whose: str) -> None:
    """Refuse a window that ends where no draw says anything any more, as a worldview does.

    Parameters
    ----------
    end : datetime.date
        Last day of the window.
    horizon : datetime.date
    whose : str
        The horizon in words.

    Raises
    ------
    InputError
    """
    if end > horizon:
        raise InputError(
            f"--window: the window ends on {end}, after {whose}, {horizon}: choose an earlier end, or make "
            "the run with a later horizon."
        )


def end_at(groups: xr.DataTree, horizon: date) -> None:
    """Let what comes after a nearer horizon never come, in the groups ``crossings`` and ``inside``.

    Parameters
    ----------
    groups : xarray.DataTree
        Of a run; changed in place.
    horizon : datetime.date
        The last day that counts.
    """
    crossings = groups["crossings"].to_dataset()
    late = {name: crossings[name] > end_of(horizon) for name in milestone_names(crossings)}
    for group in (one for one in ("crossings", "inside") if one in groups.children):
        dates = groups[group].to_dataset()
        nearer = {name: dates[name].where(~late[name], np.inf) for name in late if name in dates}
        groups[group] = dates.assign(nearer)
