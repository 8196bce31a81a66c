"""The one vocabulary of units, and conversion between them.

One basis of H100e serves everything: 8-bit dense peak op/s divided by 1,979e12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from forecast.errors import InputError
from forecast.wording import did_you_mean, shown

H100E_OPS = 1_979e12
"""8-bit dense peak op/s of one H100e."""

PREFIXES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

# name: (dimension, how many canonical units it is). The canonical unit of a dimension has factor 1.
_VOCABULARY = {
    "FLOP": ("training compute", 1.0),
    "FLOP/s": ("speed of computing", 1.0),
    "FLOP/H100e": ("compute of a run per chip", 1.0),
    "minute": ("task time", 1.0),
    "hour": ("task time", 60.0),
    "work hour": ("task time", 60.0),
    "work day": ("task time", 8 * 60.0),
    "work week": ("task time", 40 * 60.0),
    "work month": ("task time", 167 * 60.0),
    "work year": ("task time", 2_000 * 60.0),
    "year": ("calendar time", 1.0),
    "month": ("calendar time", 1 / 12),
    "day": ("calendar time", 1 / 365.25),
    "1/year": ("rate of events", 1.0),
    "USD": ("money", 1.0),
    "USD/year": ("money per year", 1.0),
    "H100e": ("chips", 1.0),
    "H100e/year": ("chips per year", 1.0),
    "H100e/USD": ("chips per money", 1.0),
    "GW": ("power", 1.0),
    "MW": ("power", 1e-3),
    "kW": ("power", 1e-6),
    "kW/H100e": ("power per chip", 1.0),
    "index point": ("index", 1.0),
    "index point/year": ("index per year", 1.0),
    "OOM": ("orders of magnitude", 1.0),
    "dex": ("orders of magnitude", 1.0),
    "1/OOM": ("per order of magnitude", 1.0),
    "OOM/year": ("orders of magnitude per year", 1.0),
    "dex/year": ("orders of magnitude per year", 1.0),
    "x/year": ("orders of magnitude per year", 1.0),
    "share": ("share", 1.0),
    "probability": ("share", 1.0),
    "percent": ("share", 0.01),
    "token": ("text", 1.0),
    "count": ("count", 1.0),
    "number": ("count", 1.0),
}


class UnitError(InputError):
    """A unit cannot be used as it was given."""


class UnknownUnit(UnitError):
    """A unit is not in the vocabulary; the message has the nearest names."""


@dataclass(frozen=True)
class Unit:
    """A unit of the vocabulary.

    Attributes
    ----------
    name : str
        As written, such as ``"log10 million H100e"``.
    dimension : str
        Units of one dimension convert into each other.
    factor : float
        Canonical units of the dimension in one of these (before the log).
    log10 : bool
        Values are logs, base 10, of the unit named after ``log10``.
    growth : bool
        Values are a factor per year (``x/year``), whose log10 is OOM/year.
    """

    name: str
    dimension: str
    factor: float
    log10: bool = False
    growth: bool = False

    @property
    def linear_name(self) -> str:
        """The unit without ``log10``."""
        return self.name.removeprefix("log10 ")


def scale_of(unit: str, linear: bool) -> str:
    """Return what a trajectory's numbers are in: ``log10 FLOP`` for the unit ``FLOP`` unless it is linear."""
    return unit if linear or unit in ("OOM", "dex") else f"log10 {unit}"


def unit_names() -> list[str]:
    """Names of the vocabulary, without prefixes and logs."""
    return list(_VOCABULARY)


def parse_unit(name: str) -> Unit:
    """Read a unit's name.

    Parameters
    ----------
    name : str
        A name of the vocabulary, with ``thousand``, ``million``, ``billion`` or
        ``trillion`` before it if wished, and ``log10`` before that.

    Raises
    ------
    UnknownUnit
        With the nearest names.
    """
    if not isinstance(name, str):
        raise UnknownUnit(f"a unit is text, got {shown(name)}")
    log10 = name.startswith("log10 ")
    linear = name.removeprefix("log10 ")
    word, space, rest = linear.partition(" ")
    prefix = PREFIXES[word] if space and word in PREFIXES else 1.0
    base = rest if prefix != 1.0 else linear
    if base not in _VOCABULARY:
        lead = name[: len(name) - len(base)]
        raise UnknownUnit(f"unknown unit {shown(name)}{did_you_mean(name, [lead + n for n in _VOCABULARY])}")
    dimension, factor = _VOCABULARY[base]
    growth = base == "x/year"
    if growth and prefix != 1.0:
        raise UnknownUnit(f"unknown unit {shown(name)} (a factor per year takes no prefix)")
    if growth and log10:
        return Unit(name, dimension, 1.0)  # the log of a factor per year is OOM/year
    return Unit(name, dimension, prefix * factor, log10, growth)


def convert[Values: (float, npt.NDArray[np.float64])](
    value: Values, source: str | Unit, target: str | Unit
) -> Values:
    """Convert values from one unit into another of the same dimension.

    Parameters
    ----------
    value : float or ndarray
        In `source`. Logs and plain units convert into each other, and so do
        ``x/year`` and ``OOM/year``.
    source, target : str or Unit

    Returns
    -------
    float or ndarray
        In `target`.

    Raises
    ------
    UnknownUnit
        If a name is not in the vocabulary.
    UnitError
        If the dimensions differ.
    """
    a = parse_unit(source) if isinstance(source, str) else source
    b = parse_unit(target) if isinstance(target, str) else target
    if a.dimension != b.dimension:
        raise UnitError(f"{a.name!r} ({a.dimension}) cannot be converted to {b.name!r} ({b.dimension})")
    if a.name == b.name or (a.factor, a.log10, a.growth) == (b.factor, b.log10, b.growth):
        return value
    result = _converted(value, a, b)
    return cast(Values, float(result) if np.ndim(value) == 0 else result)


def _converted(value: Any, a: Unit, b: Unit) -> Any:
    if a.log10 and b.log10:  # stays in logs: 10**value may overflow
        return value + (np.log10(a.factor) - np.log10(b.factor))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # inf and nan speak for themselves
        canonical = np.power(10.0, value) if a.log10 else value
        canonical = np.log10(canonical) if a.growth else canonical * a.factor
        result = np.power(10.0, canonical) if b.growth else canonical / b.factor
        # What has a log is positive, and so above every negative amount as it is above zero.
        return np.log10(np.maximum(result, 0.0)) if b.log10 else result
