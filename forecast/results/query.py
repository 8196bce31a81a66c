"""Conditional questions, answered by the draws of a saved run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from forecast.errors import ForecastError, InputError
from forecast.results.crossing_summary import FloatArray, estimate
from forecast.results.query_events import Subject
from forecast.results.query_parser import parse
from forecast.results.reading import default_milestone
from forecast.results.summary import accepted_draws, crossing_array, milestone_names

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Answer:
    """A probability, with what it rests on.

    Attributes
    ----------
    expression : str
        The question as it was asked.
    p : float
    mcse : float
        Monte Carlo standard error of `p`.
    draws : int
        Accepted draws in which the condition holds (all accepted draws where
        there is none): `p` is a share of these.
    accepted : int
        Accepted draws of the run.
    conditional : bool
        The question has a condition.
    """

    expression: str
    p: float
    mcse: float
    draws: int
    accepted: int
    conditional: bool


def query(
    crossings: xr.Dataset, expression: str, *, horizon: date | None = None, min_draws: int = 100
) -> Answer:
    """Answer a question by the draws of a run.

    Parameters
    ----------
    crossings : xarray.Dataset
        Group ``crossings`` of a run.
    expression : str
        Such as ``P(china before 2030 | us_allies before 2028)``; the language
        is in docs/query.md.
    horizon : date, optional
        Last day of the projection; questions about later days are refused.
    min_draws : int
        At least so many accepted draws must satisfy the condition.

    Returns
    -------
    Answer

    Raises
    ------
    InputError
        Where the expression cannot be read, or names what is not there.
    ForecastError
        Where too few draws satisfy the condition, or all were set aside.
    """
    if min_draws < 1:
        raise InputError(f"min_draws is {min_draws}: at least 1 draw is needed.")
    names = milestone_names(crossings)
    if not names:
        raise ForecastError("There is nothing to ask about: the run's worldview names no milestone.")
    blocs = [str(bloc) for bloc in crossings["bloc"].to_numpy()]
    question = parse(expression, blocs, names, milestone=default_milestone(names), horizon=horizon)
    accepted = accepted_draws(crossings)

    def dates(subject: Subject) -> FloatArray:
        when: FloatArray = crossing_array(crossings, subject.milestone)[..., blocs.index(subject.bloc)]
        return when

    counted = accepted if question.condition is None else accepted & question.condition.holds(dates)
    total, left = int(accepted.sum()), int(counted.sum())
    if left < min_draws:
        raise ForecastError(_too_few(left, total, min_draws, question.condition is not None))
    share = estimate(question.event.holds(dates), counted)
    return Answer(expression.strip(), share.p, share.mcse, left, total, question.condition is not None)


def _too_few(left: int, total: int, min_draws: int, conditional: bool) -> str:
    if conditional:
        found = f"{left:,} of {total:,} accepted draws satisfy the condition"
        ways = ["ask with a weaker condition", "make a run with more --draws"]
    else:
        found = f"The run has {left:,} accepted draws"
        ways = ["make a run with more --draws"]
    if left:  # without any draw a lower limit would not help
        ways.append("lower the limit with --min-draws and mind the error")
    *others, last = ways
    advice = f"{', '.join(others)} or {last}" if others else last
    return f"{found}, and an answer needs {min_draws:,}: {advice}."
