"""The outcomes whose sensitivity is asked for, over the accepted draws, and what weights make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.dates import decimal_year, end_of
from forecast.errors import ForecastError
from forecast.results.crossing_summary import lead_years, window_indicators
from forecast.results.reading import choose_milestones, default_milestone
from forecast.results.summary import accepted_draws, crossing_array, crossings_of, milestone_names

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]

FEWEST_DRAWS = 100
"""With fewer accepted draws nothing is said."""

_BATCHES = 40


@dataclass(frozen=True)
class Outcome:
    """One number of the answer.

    Attributes
    ----------
    name : str
        ``date.<bloc>``, ``in_window`` or ``lead``.
    title : str
    scores : ndarray, (draw,)
        Normal scores of the ranks of a date or of the lead, so that "never" is merely the last; 0 or 1
        for the window; NaN in draws without a lead, in which neither bloc crosses.
    """

    name: str
    title: str
    scores: Floats

    @property
    def there(self) -> Bools:
        """Draws in which it has a value."""
        return np.asarray(~np.isnan(self.scores))


@dataclass(frozen=True)
class Answers:
    """The answer of a run for one milestone, draw by draw.

    Attributes
    ----------
    milestone, title : str
    blocs : dict of str to str
        Titles by name.
    first : str
        The bloc that is asked about: the leader that the worldview names, else its first bloc.
    accepted : ndarray of bool, (chain, draw)
    dates : ndarray, (accepted draw, bloc)
        Decimal years, inf for never by the horizon.
    inside : ndarray of bool, (accepted draw,)
        Whether `first` crosses in the window.
    lead : ndarray, (accepted draw,), or None
        Years; infinite where one of both never crosses, NaN where neither does.
    lead_of : tuple of str, or None
        Leader and follower.
    horizon : float
        Decimal year at which the projection ends.
    outcomes : tuple of Outcome
        Those that vary.
    """

    milestone: str
    title: str
    blocs: dict[str, str]
    first: str
    accepted: Bools
    dates: Floats
    inside: Bools
    lead: Floats | None
    lead_of: tuple[str, str] | None
    horizon: float
    outcomes: tuple[Outcome, ...]

    @property
    def size(self) -> int:
        """Number of accepted draws."""
        return int(self.dates.shape[0])

    @property
    def first_dates(self) -> Floats:
        """Crossing dates of the bloc that is asked about, (accepted draw,)."""
        return self.dates[:, list(self.blocs).index(self.first)]

    def take(self, values: Floats) -> Floats:
        """Accepted draws of an array (chain, draw, ...), in the order of the outcomes."""
        return np.asarray(values[self.accepted], dtype=float)

    def chains(self) -> Integers:
        """Chain of each accepted draw."""
        return np.asarray(np.nonzero(self.accepted)[0])

    def batches(self) -> Integers:
        """Where batches of draws that follow one another begin, (batch,), for Monte Carlo errors.

        A batch never reaches over two chains.
        """
        chains, draws = self.accepted.shape
        per_chain = max(2, _BATCHES // chains)
        chain, draw = np.nonzero(self.accepted)
        number = chain * per_chain + draw * per_chain // draws
        return np.flatnonzero(np.diff(number, prepend=-1))


def read_answers(tree: xr.DataTree, worldview: Worldview, milestone: str | None) -> Answers:
    """Read crossing dates, and make outcomes of them.

    Parameters
    ----------
    tree : xarray.DataTree
        With the group ``crossings``.
    worldview : Worldview
    milestone : str or None
        By default ``agi`` where there is one, else the first.

    Raises
    ------
    InputError
        The run has no such milestone.
    ForecastError
        It has no milestone, no crossing dates, too few accepted draws, or nothing varies.
    """
    crossings = crossings_of(tree)
    names = milestone_names(crossings)
    if not names:
        raise ForecastError(
            "There is no answer to be sensitive: the worldview of this run names no milestone. Add one "
            "([milestones.NAME] in a prior file) and run again."
        )
    chosen = choose_milestones(crossings, milestone)[0] if milestone else default_milestone(names)
    accepted = accepted_draws(crossings)
    if accepted.sum() < FEWEST_DRAWS:
        raise ForecastError(
            f"This run has {int(accepted.sum())} accepted draws: too few to tell what they hang on (at least "
            f"{FEWEST_DRAWS}). Run again with more (--draws)."
        )
    dates = crossing_array(crossings, chosen)[accepted]
    blocs = [str(bloc) for bloc in crossings["bloc"].to_numpy()]
    titles = {bloc.name: bloc.title for bloc in worldview.blocs}
    lead = worldview.lead
    pair = (lead.leader, lead.follower) if lead and {lead.leader, lead.follower} <= set(blocs) else None
    first = pair[0] if pair else blocs[0]
    window = decimal_year(worldview.window.start), end_of(worldview.window.end)
    inside = window_indicators(dates[:, blocs.index(first)], *window)["p_in"]
    years = None if pair is None else lead_years(*(dates[:, blocs.index(name)] for name in pair))
    shown = {bloc: titles.get(bloc, bloc) for bloc in blocs}
    found = [
        Outcome(f"date.{bloc}", f"crossing date of {title}", normal_scores(dates[:, index]))
        for index, (bloc, title) in enumerate(shown.items())
    ]
    found.append(Outcome("in_window", f"{shown[first]} in the window", inside.astype(float)))
    if pair is not None and years is not None:
        words = f"lead of {shown[pair[0]]} over {shown[pair[1]]}"
        found.append(Outcome("lead", words, normal_scores(years)))
    outcomes = tuple(one for one in found if _varies(one))
    if not outcomes:
        raise ForecastError(
            f"Every accepted draw gives the same answer for {chosen}, so there is nothing that it hangs on."
        )
    described = worldview.milestones.get(chosen)
    return Answers(
        milestone=chosen,
        title=described.title if described is not None else chosen,
        blocs=shown,
        first=first,
        accepted=accepted,
        dates=dates,
        inside=inside,
        lead=years,
        lead_of=pair,
        horizon=end_of(worldview.horizon),
        outcomes=outcomes,
    )


def normal_scores(values: Floats) -> Floats:
    """Normal scores of ranks along the first axis, ties averaged; NaN stays NaN."""
    from scipy import special, stats

    ranks = stats.rankdata(values, axis=0, nan_policy="omit") if np.isnan(values).any() else None
    ranks = stats.rankdata(values, axis=0) if ranks is None else ranks
    size = np.sum(~np.isnan(values), axis=0)
    return np.asarray(special.ndtri((ranks - 0.375) / (size + 0.25)))


def weighted_medians(values: Floats, weights: Floats) -> Floats:
    """Medians of draws under several weights; infinite ones stay infinite.

    Parameters
    ----------
    values : ndarray, (draw,)
        NaN is left out.
    weights : ndarray, (draw, column)

    Returns
    -------
    ndarray, (column,)
        The first draw at which half of the weight is reached; NaN where there is no draw.
    """
    known = ~np.isnan(values)
    if not known.any():
        return np.full(weights.shape[1], np.nan)
    order = np.flatnonzero(known)[np.argsort(values[known], kind="stable")]
    reached = np.cumsum(weights[order], axis=0)
    at = np.sum(reached < reached[-1] / 2, axis=0)
    return np.asarray(values[order[np.minimum(at, order.size - 1)]])


def batch_errors(parts: Floats, starts: Integers) -> Floats:
    """Monte Carlo errors of sums over draws, from sums over batches of draws that follow one another.

    Parameters
    ----------
    parts : ndarray, (draw, column)
        What each draw adds to a sum, less what it is expected to add, so that columns add up to about 0.
    starts : ndarray of int, (batch,)
        From :meth:`Answers.batches`.

    Returns
    -------
    ndarray, (column,)
    """
    sums = np.add.reduceat(parts, starts, axis=0)
    count = len(starts)
    return np.asarray(np.sqrt(count / max(count - 1, 1) * np.square(sums).sum(axis=0)))


def difference(after: Floats, before: Floats) -> list[float | None]:
    """Differences of numbers; None where either is not finite."""
    with np.errstate(invalid="ignore"):
        change = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    return [float(one) if np.isfinite(one) else None for one in np.atleast_1d(change)]


def _varies(outcome: Outcome) -> bool:
    known = outcome.scores[outcome.there]
    return known.size >= FEWEST_DRAWS and bool((known != known[0]).any())
