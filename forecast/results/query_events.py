"""Events of a question about saved crossings: a tree that says in which draws each holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecast.results.crossing_summary import BoolArray, FloatArray


@dataclass(frozen=True)
class Subject:
    """One bloc's crossing of one milestone."""

    bloc: str
    milestone: str

    def __str__(self) -> str:
        return f"{self.bloc}.{self.milestone}"


Dates = Callable[[Subject], FloatArray]
"""Gives the crossing dates of a subject: decimal years, inf for never, dims (chain, draw)."""


@dataclass(frozen=True)
class Between:
    """The crossing is at `start` or later and before `end`; never is in no such interval."""

    subject: Subject
    start: float = -np.inf
    end: float = np.inf

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        when = dates(self.subject)
        return (when >= self.start) & (when < self.end)


@dataclass(frozen=True)
class Never:
    """There is no crossing by the horizon."""

    subject: Subject

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        return np.isposinf(dates(self.subject))


@dataclass(frozen=True)
class Sooner:
    """One subject crosses before another, which may never cross."""

    first: Subject
    second: Subject

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        return dates(self.first) < dates(self.second)


@dataclass(frozen=True)
class Within:
    """Both subjects cross, at most so many years apart."""

    one: Subject
    other: Subject
    years: float

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        one, other = dates(self.one), dates(self.other)
        both = np.isfinite(one) & np.isfinite(other)
        with np.errstate(invalid="ignore"):
            return both & (np.abs(one - other) <= self.years)


@dataclass(frozen=True)
class Apart:
    """The first subject crosses, and the second at least so many years later or never."""

    first: Subject
    second: Subject
    years: float

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        first, second = dates(self.first), dates(self.second)
        with np.errstate(invalid="ignore"):
            return np.isfinite(first) & (second - first >= self.years)


@dataclass(frozen=True)
class Not:
    """The event does not happen."""

    event: Event

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        return ~self.event.holds(dates)


@dataclass(frozen=True)
class And:
    """All of the events happen."""

    events: tuple[Event, ...]

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        result: BoolArray = np.logical_and.reduce([event.holds(dates) for event in self.events])
        return result


@dataclass(frozen=True)
class Or:
    """At least one of the events happens."""

    events: tuple[Event, ...]

    def holds(self, dates: Dates) -> BoolArray:
        """Tell in which draws it holds, dims (chain, draw)."""
        result: BoolArray = np.logical_or.reduce([event.holds(dates) for event in self.events])
        return result


type Event = Between | Never | Sooner | Within | Apart | Not | And | Or
