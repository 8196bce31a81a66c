"""``scenarios.json``: a base and what each scenario makes of it, in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.dates import decimal_year, end_of
from forecast.results.crossing_summary import Estimate, estimate, window_indicators
from forecast.results.shifts import (
    SHIFT_LEVELS,
    Shift,
    paired_change,
    paired_shift,
    unpaired_change,
    unpaired_shift,
)
from forecast.results.summary import accepted_draws, crossing_array, summarise

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

SCENARIO_SCHEMA = "forecast.scenario/1"
"""Version of the form; it changes when a key changes its name or meaning."""


@dataclass(frozen=True)
class Branch:
    """What comes of one set of assumptions: a base, or what a scenario makes of it.

    Attributes
    ----------
    worldview : Worldview
    results : xarray.DataTree
        Group ``crossings`` of a run, and ``inside`` and ``at_crossing`` where
        there are any.
    run : str
        Id of the run that the draws are of.
    diagnostics : mapping
        Of that run.
    about : mapping
        What else to say of it, plain types: title, kind, the changes.
    paired : bool
        Whether the draws are those of the base.
    """

    worldview: Worldview
    results: xr.DataTree
    run: str
    diagnostics: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)
    paired: bool = False

    @property
    def crossings(self) -> xr.Dataset:
        """Crossing dates, a variable per milestone, and ``accepted``."""
        return self.results["crossings"].to_dataset()


def summarise_scenarios(
    base: Branch, scenarios: Mapping[str, Branch], milestone: str, *, prior_only: bool = False
) -> dict[str, Any]:
    """Compare scenarios with their base.

    Parameters
    ----------
    base : Branch
    scenarios : mapping of str to Branch
        By name.
    milestone : str
        That all of them have.
    prior_only : bool
        The draws are of the priors alone.

    Returns
    -------
    dict
        Plain types only. ``blocs`` and ``lead`` as in ``summary.json``, all
        of them for the base's window and limit between unipolar and bipolar;
        each bloc of a scenario with ``shift_years``, ``shift_mcse``,
        ``p_both`` and ``p_in_change`` beside.
    """
    view = base.worldview
    described = view.milestones.get(milestone)
    return {
        "schema": SCENARIO_SCHEMA,
        "run": base.run,
        "worldview": view.name,
        "as_of": view.as_of.isoformat(),
        "window": {"start": view.window.start.isoformat(), "end": view.window.end.isoformat()},
        "horizon": view.horizon.isoformat(),
        "prior_only": prior_only,
        "milestone": milestone,
        "milestone_title": described.title if described is not None else milestone,
        "base": {**_read(base, base, milestone), "run": base.run, "diagnostics": dict(base.diagnostics)},
        "scenarios": {name: _scenario(base, branch, milestone) for name, branch in scenarios.items()},
    }


def _scenario(base: Branch, branch: Branch, milestone: str) -> dict[str, Any]:
    found = _read(branch, base, milestone)
    before, after = _Dates.of(base, milestone), _Dates.of(branch, milestone)
    window = decimal_year(base.worldview.window.start), end_of(base.worldview.window.end)
    for bloc, described in found["blocs"].items():
        described |= _moved(before, after, bloc, window, paired=branch.paired)
    return {
        **branch.about,
        "paired": branch.paired,
        "run": branch.run,
        **found,
        "diagnostics": dict(branch.diagnostics),
    }


def _read(branch: Branch, base: Branch, milestone: str) -> dict[str, Any]:
    """Blocs, lead and draws, with the base's window and limit."""
    import xarray as xr

    view = base.worldview
    groups = {
        name: branch.results[name].to_dataset()
        for name in ("inside", "at_crossing")
        if name in branch.results.children
    }
    crossings = branch.crossings[[milestone, "accepted"]]
    summary = summarise(
        xr.DataTree.from_dict({"crossings": crossings, **groups}),
        branch.worldview,
        run_id=branch.run,
        diagnostics={},
        timings={},
        window=(view.window.start, view.window.end),
        within_years=view.lead.within_years if view.lead is not None else None,
    )
    found = summary["milestones"][milestone]
    return {key: found[key] for key in ("blocs", "lead", "draws")}


@dataclass(frozen=True)
class _Dates:
    """Crossing dates of one milestone, by bloc."""

    blocs: Sequence[str]
    dates: np.ndarray[Any, np.dtype[np.float64]]
    accepted: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def of(cls, branch: Branch, milestone: str) -> _Dates:
        names = [str(bloc) for bloc in branch.crossings["bloc"].to_numpy()]
        return cls(names, crossing_array(branch.crossings, milestone), accepted_draws(branch.crossings))

    def __getitem__(self, bloc: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        found: np.ndarray[Any, np.dtype[np.float64]] = self.dates[..., list(self.blocs).index(bloc)]
        return found


def _moved(
    before: _Dates, after: _Dates, bloc: str, window: tuple[float, float], *, paired: bool
) -> dict[str, Any]:
    if bloc not in before.blocs:  # a bloc that the scenario adds has nothing to be compared with
        return _NOTHING | {"shift_years": {format(level, "g"): None for level in SHIFT_LEVELS}}
    inside = [window_indicators(dates[bloc], *window)["p_in"] for dates in (before, after)]
    if paired:
        shift = paired_shift(before[bloc], after[bloc], before.accepted)
        return _differences(shift, paired_change(inside[0], inside[1], before.accepted))
    shift = unpaired_shift(before[bloc], before.accepted, after[bloc], after.accepted)
    change = unpaired_change(estimate(inside[0], before.accepted), estimate(inside[1], after.accepted))
    return _differences(shift, change)


_NOTHING: dict[str, Any] = dict.fromkeys(
    ("shift_years", "shift_mcse", "p_both", "p_both_mcse", "p_in_change", "p_in_change_mcse")
)


def _differences(shift: Shift, change: Estimate) -> dict[str, Any]:
    return {
        "shift_years": shift.years,
        "shift_mcse": shift.mcse,
        "p_both": shift.p_both.p,
        "p_both_mcse": shift.p_both.mcse,
        "p_in_change": change.p,
        "p_in_change_mcse": change.mcse,
    }
