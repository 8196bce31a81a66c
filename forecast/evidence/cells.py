"""From the text of one CSV cell to a value, or a `CellError` that says why not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date

from forecast.dates import parse_date
from forecast.wording import did_you_mean, shown

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
ADDRESS = re.compile(r"https?://[^\s/?#]+\S*")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
# A mistyped century would otherwise pass every check and pull a trend line with it.
FIRST_YEAR, LAST_YEAR = 1900, 2200


class CellError(ValueError):
    """What is wrong with one cell, as the rest of a sentence that names the place."""


def parse_number(text: str) -> float:
    """Read a finite decimal number such as ``1.2e26``.

    Raises
    ------
    CellError
        For anything else: words, thousands separators, NaN, infinities.
    """
    if not NUMBER.fullmatch(text):
        raise CellError(f"{shown(text)} is not a number (write it as 1250 or 1.2e26)")
    number = float(text)
    if not math.isfinite(number):
        raise CellError(f"{shown(text)} is too large for a number")
    return number


def parse_integer(text: str) -> int:
    """Read a whole number of at most 15 digits."""
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        raise CellError(f"{shown(text)} is not a whole number")
    return int(text)


def parse_boolean(text: str) -> bool:
    """Read ``true`` or ``false``, in small letters or as a spreadsheet writes them."""
    if text.lower() not in ("true", "false"):
        raise CellError(f"{shown(text)} is neither true nor false")
    return text.lower() == "true"


def parse_day(text: str) -> date:
    """Read an ISO day, ``2026-06-30``."""
    try:
        day = parse_date(text)
    except ValueError as error:
        raise CellError(str(error)) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CellError(f"{shown(text)} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def parse_address(text: str) -> str:
    """Check that a cell holds an http or https address."""
    if not ADDRESS.fullmatch(text):
        raise CellError(f"{shown(text)} is not an http or https address")
    return text


def parse_bloc(text: str, blocs: Iterable[str] | None) -> str:
    """Check a bloc's name: one of `blocs`, or any lowercase identifier where that is None."""
    if not IDENTIFIER.fullmatch(text):
        raise CellError(f"{shown(text)} is not a bloc's name (lowercase letters, digits and _)")
    if blocs is not None and text not in blocs:
        raise CellError(f"unknown bloc {shown(text)}{did_you_mean(text, blocs)}")
    return text


def parse_choice(text: str, choices: tuple[str, ...]) -> str:
    """Check a cell of an enumerated column."""
    if text not in choices:
        raise CellError(f"{shown(text)} is not one of {', '.join(choices)}")
    return text
