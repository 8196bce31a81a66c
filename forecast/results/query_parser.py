"""The language of questions about saved crossings, read by recursive descent.

::

    question  P( event )  or  P( event | event )
    event     atoms joined by `not`, `and`, `or` (in this order of binding) and parentheses
    atom      SUBJECT [not] RELATION, where SUBJECT is BLOC or BLOC.MILESTONE
    RELATION  before DATE | by DATE | after DATE | in DATE | in DATE..DATE | in YEAR-YEAR | never
              before SUBJECT
              within NUMBER years|months of SUBJECT
              at least NUMBER years|months after|before SUBJECT
    DATE      YEAR, YEAR-MM or YEAR-MM-DD

Every mistake is an :class:`~forecast.errors.InputError` that names the place
and what was expected there.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from forecast.dates import decimal_year, end_of
from forecast.errors import InputError
from forecast.results.query_events import (
    And,
    Apart,
    Between,
    Event,
    Never,
    Not,
    Or,
    Sooner,
    Subject,
    Within,
)
from forecast.wording import did_you_mean, printable, shown

_DEPTH = 50
_DATE = "a date (YEAR, YEAR-MM or YEAR-MM-DD)"
_UNITS = {"year": 1.0, "years": 1.0, "month": 1 / 12, "months": 1 / 12}
_RELATIONS = ("before", "by", "after", "in", "never", "within", "at least")


@dataclass(frozen=True)
class Question:
    """P(event), or P(event | condition)."""

    event: Event
    condition: Event | None = None


def parse(
    expression: str,
    blocs: Sequence[str],
    milestones: Sequence[str],
    *,
    milestone: str,
    horizon: date | None = None,
) -> Question:
    """Read a question.

    Parameters
    ----------
    expression : str
        Such as ``P(china before 2030 | us_allies before 2028)``.
    blocs, milestones : sequence of str
        What there is.
    milestone : str
        The one that is meant where none is named.
    horizon : date, optional
        Dates after it are refused, since no draw says anything about them.

    Raises
    ------
    InputError
        Naming the place of the first mistake and what was expected there.
    """
    return _Parser(expression, list(blocs), list(milestones), milestone, horizon).question()


@dataclass(frozen=True)
class _Token:
    kind: str  # "word", "number", "symbol" or "end"
    text: str
    position: int  # from 0

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else shown(self.text)

    @property
    def keyword(self) -> str:
        return self.text.lower() if self.kind == "word" else self.text


_TOKEN = re.compile(
    r"(?P<word>[A-Za-z][A-Za-z0-9_-]*)|(?P<number>[0-9]+(?:\.[0-9]+|(?:-[0-9]+)+)?)|(?P<symbol>\.\.|\S)"
)


def _tokens(expression: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(expression):  # what it does not match is white space
        yield _Token(str(match.lastgroup), match.group(), match.start())
    yield _Token("end", "", len(expression))


class _Parser:
    """Recursive descent: one method for each rule of the grammar above."""

    def __init__(
        self, expression: str, blocs: list[str], milestones: list[str], milestone: str, horizon: date | None
    ) -> None:
        self.expression = expression
        self.blocs, self.milestones, self.milestone, self.horizon = blocs, milestones, milestone, horizon
        self.tokens = list(_tokens(expression))
        self.next = 0
        self.depth = 0

    # Reading tokens.

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def fail(self, token: _Token, message: str) -> NoReturn:
        start = max(token.position - 60, 0)
        before = printable(self.expression[start : token.position])
        after = printable(self.expression[token.position : token.position + 60])
        dots = "..." if start else ""
        shown_part = f"{dots}{before}{after}"
        caret = " " * len(dots + before) + "^"
        picture = f"\n  {shown_part}\n  {caret}" if shown_part.strip() else ""
        raise InputError(f"position {token.position + 1}: {message}.{picture}")

    def expected(self, what: str, near: Sequence[str] = ()) -> NoReturn:
        token = self.token
        hint = did_you_mean(token.text, near) if near and token.kind == "word" else ""
        hint = hint if "did you mean" in hint else ""
        self.fail(token, f"expected {what}, found {token}{hint}")

    def at(self, *keywords: str) -> bool:
        return self.token.kind != "number" and self.token.keyword in keywords

    def take(self, *keywords: str) -> str | None:
        """Step over one of these words or symbols, if it comes next."""
        if not self.at(*keywords):
            return None
        self.next += 1
        return self.tokens[self.next - 1].keyword

    # The rules.

    def question(self) -> Question:
        if not self.take("p") or not self.take("("):
            self.expected("P(EVENT) or P(EVENT | CONDITION)")
        event = self.event()
        condition = None
        if self.take("|"):
            condition = self.event()
        if not self.take(")"):
            joints = "'and', 'or' or ')'" if condition else "'and', 'or', '|' or ')'"
            self.expected(joints, ("and", "or"))
        if self.token.kind != "end":
            self.expected("the end")
        return Question(event, condition)

    def event(self) -> Event:
        events = [self.conjunction()]
        while self.take("or"):
            events.append(self.conjunction())
        return events[0] if len(events) == 1 else Or(tuple(events))

    def conjunction(self) -> Event:
        events = [self.negation()]
        while self.take("and"):
            events.append(self.negation())
        return events[0] if len(events) == 1 else And(tuple(events))

    def negation(self) -> Event:
        opening = self.token
        if not self.at("not", "("):
            return self.atom()
        self.depth += 1
        if self.depth > _DEPTH:
            self.fail(opening, f"events are nested more than {_DEPTH} deep")
        if self.take("not"):
            event: Event = Not(self.negation())
        else:
            self.take("(")
            event = self.event()
            if not self.take(")"):
                self.expected("'and', 'or' or ')'", ("and", "or"))
        self.depth -= 1
        return event

    def atom(self) -> Event:
        subject = self.subject()
        if self.take("not"):
            return Not(self.relation(subject))
        return self.relation(subject)

    def subject(self) -> Subject:
        token = self.token
        what = "a bloc, or BLOC.MILESTONE"
        if token.kind != "word":
            self.expected(what)
        if token.text not in self.blocs:
            named = f" (a milestone: write BLOC.{token.text})" if token.text in self.milestones else ""
            near = named or did_you_mean(token.text, self.blocs)
            self.fail(token, f"expected {what}: there is no bloc {token}{near}")
        self.next += 1
        if not self.take("."):
            return Subject(token.text, self.milestone)
        name = self.token
        if name.kind != "word":
            self.expected("a milestone")
        if name.text not in self.milestones:
            near = did_you_mean(name.text, self.milestones)
            self.fail(name, f"expected a milestone: there is none called {name}{near}")
        self.next += 1
        return Subject(token.text, name.text)

    def relation(self, subject: Subject) -> Event:
        word = self.token
        if self.take("never"):
            return Never(subject)
        if self.take("before"):
            if self.token.kind == "word":
                return Sooner(subject, self.other(subject))
            first = self.period(f"{_DATE}, a bloc or BLOC.MILESTONE", slack=1)[0]
            return Between(subject, end=decimal_year(first))
        if self.take("by"):
            return Between(subject, end=end_of(self.period()[1]))
        if self.take("after"):
            if self.token.text in self.blocs:
                turned = f"{self.other(subject)} before {subject}"
                self.fail(word, f"'after' expected a date; for the order of two subjects write '{turned}'")
            # Never does not count as after, so nothing is after the horizon itself.
            return Between(subject, start=end_of(self.period(slack=-1)[1]))
        if self.take("in"):
            return self.inside(subject)
        if self.take("within"):
            years = self.span()
            if not self.take("of"):
                self.expected("'of' and a bloc")
            return Within(subject, self.other(subject), years)
        if self.take("at"):
            if not self.take("least"):
                self.expected("'least'")
            years = self.span()
            order = self.take("after", "before")
            if order is None:
                self.expected("'after' or 'before' and a bloc", ("after", "before"))
            other = self.other(subject)
            return Apart(other, subject, years) if order == "after" else Apart(subject, other, years)
        relations = ", ".join(map(repr, _RELATIONS[:-1]))
        self.expected(f"{relations} or {_RELATIONS[-1]!r}", (*_RELATIONS[:-1], "at"))

    def other(self, subject: Subject) -> Subject:
        token = self.token
        other = self.subject()
        if other == subject:
            self.fail(token, f"{other} is compared with itself; expected another subject")
        return other

    def inside(self, subject: Subject) -> Event:
        token = self.token
        years = re.fullmatch(r"([0-9]{4})-([0-9]{4})", token.text)
        if years and token.kind == "number":
            first, last = self.days(token, years[1])[0], self.days(token, years[2])[1]
            self.next += 1
        else:
            first, last = self.period()
            if self.take("..", "-"):
                last = self.period()[1]
        if last < first:
            self.fail(token, f"this period ends before it begins ({first} to {last})")
        self.check_horizon(token, last)
        return Between(subject, decimal_year(first), end_of(last))

    def span(self) -> float:
        token = self.token
        if token.kind != "number" or "-" in token.text:
            self.expected("a number of years or months")
        self.next += 1
        unit = self.take(*_UNITS)
        if unit is None:
            self.expected("'years' or 'months'", tuple(_UNITS))
        return float(token.text) * _UNITS[unit]

    def period(self, what: str = _DATE, slack: int = 0) -> tuple[date, date]:
        """First and last day of a date that ends at most `slack` days after the horizon."""
        token = self.token
        if token.kind != "number":
            self.expected(what)
        first, last = self.days(token, token.text)
        self.next += 1
        self.check_horizon(token, first if slack > 0 else last, slack)
        return first, last

    def days(self, token: _Token, text: str) -> tuple[date, date]:
        if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text):
            self.fail(token, f"expected {_DATE}, found {token}")
        year, *rest = (int(part) for part in text.split("-"))
        month, *day = rest or [1]
        try:
            first = date(year, month, *(day or [1]))
        except ValueError:
            self.fail(token, f"{text} is not in the calendar; expected YEAR, YEAR-MM or YEAR-MM-DD")
        if day:
            return first, first
        last_month = month if rest else 12
        return first, date(year, last_month, calendar.monthrange(year, last_month)[1])

    def check_horizon(self, word: _Token, day: date, slack: int = 0) -> None:
        """Refuse a day more than `slack` days after the horizon."""
        if self.horizon is not None and (day - self.horizon).days > slack:
            message = f"this run looks no further than its horizon, {self.horizon}; expected an earlier date"
            self.fail(word, message)
