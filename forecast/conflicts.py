"""Whether drivers can be used together: conflicts, which stop, and loose ends, which are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from forecast.driver import Term
from forecast.errors import PluginError
from forecast.units import UnitError, parse_unit, scale_of
from forecast.vetting import LoadedDriver
from forecast.wording import did_you_mean

INTO = {"addition": "adds to", "channel": "is a channel of", "limit": "limits"}
"""Kinds of terms that enter a quantity beside its base, and what they do to it."""


def check_together(drivers: Mapping[str, LoadedDriver]) -> None:
    """Stop when drivers cannot be used together.

    Parameters
    ----------
    drivers : mapping of str to LoadedDriver
        Those in use, by name.

    Raises
    ------
    PluginError
        Naming both drivers and both distributions, and the way out: a quantity
        or a channel of two drivers, a channel of what is no sum of channels, a
        term of a state, or a unit that is not the quantity's.
    """
    claimed: dict[tuple[str, str | None], str] = {}
    for term in _terms(drivers):
        if term.kind not in ("base", "channel"):
            continue
        key = (term.target, term.channel)
        first = claimed.setdefault(key, term.driver)
        if first == term.driver:
            continue
        what = f"quantity {term.target!r}"
        if term.channel:
            what = f"channel {term.channel!r} of {what}"
        raise PluginError(
            f"{what} is provided by two drivers: {_who(first, drivers)} and {_who(term.driver, drivers)}; "
            f"leave one out with --without {first} or --without {term.driver}, or with [drivers] disable in "
            "a prior file"
        )
    bases = _bases(drivers.values())
    for term in _terms(drivers):
        if term.kind in INTO and term.target in bases:
            _check_fits(term, bases[term.target], drivers)


def _check_fits(term: Term, base: Term, drivers: Mapping[str, LoadedDriver]) -> None:
    """Refuse what enters a quantity and would be ignored or misread there."""
    does = f"{_named(term)} {INTO[term.kind]} {term.target!r}"
    whose = f"of driver {_who(base.driver, drivers)}"
    wrong = ""
    if base.states:
        wrong = f"{does} {whose}, which is a state ({', '.join(base.states)}) and takes no other terms"
    elif term.kind == "channel" and not base.channels:
        wrong = (
            f"{does} {whose}, which is no sum of channels; add to it without a channel, or let its owner say "
            "channels=True"
        )
    elif term.unit and not _same_unit(term.unit, base.unit):
        wrong = f"{does} in {term.unit}, and {term.target!r} {whose} is in {base.unit}"
    if wrong:
        raise PluginError(
            f"{wrong}; or leave it out with --without {term.driver}",
            driver=term.driver,
            distribution=drivers[term.driver].label,
        )


def loose_ends(drivers: Mapping[str, LoadedDriver], left_out: Iterable[LoadedDriver] = ()) -> list[str]:
    """Say what drivers do that has no effect, and where one replaces another in other units.

    Parameters
    ----------
    drivers : mapping of str to LoadedDriver
        Those in use, by name.
    left_out : iterable of LoadedDriver
        Those that were loaded and are not in use.

    Returns
    -------
    list of str
        A sentence each, naming the driver and its distribution.
    """
    bases, gone = _bases(drivers.values()), _bases(left_out)
    found = []
    for term in _terms(drivers):
        if term.kind not in INTO or term.target in bases:
            continue
        why = did_you_mean(term.target, bases)
        if term.target in gone:
            why = f": {gone[term.target].driver}, which provides it, is left out"
        found.append(
            f"driver {_who(term.driver, drivers)}: {_named(term)} {INTO[term.kind]} {term.target!r}, which "
            f"no driver in use provides{why}; it has no effect"
        )
    for name, base in bases.items():
        if name in gone and _scale(base) != _scale(gone[name]):
            found.append(
                f"driver {_who(base.driver, drivers)} provides {name!r} in {_scale(base)}, and "
                f"{gone[name].driver}, which it replaces, in {_scale(gone[name])}: other drivers that read "
                "it may take it for the latter"
            )
    return found


def _terms(drivers: Mapping[str, LoadedDriver]) -> Iterator[Term]:
    for one in drivers.values():
        yield from one.terms


def _bases(drivers: Iterable[LoadedDriver]) -> dict[str, Term]:
    return {term.target: term for one in drivers for term in one.terms if term.kind == "base"}


def _who(driver: str, drivers: Mapping[str, LoadedDriver]) -> str:
    return f"{driver!r} of {drivers[driver].label}"


def _named(term: Term) -> str:
    return f"{term.channel or term.build.__name__!r}"


def _scale(base: Term) -> str:
    if base.states:
        return f"states ({', '.join(base.states)})"
    return scale_of(base.unit, base.linear)


def _same_unit(said: str, unit: str) -> bool:
    """Tell whether two units are one: values are taken as they are, and not converted."""
    said = said.removeprefix("log10 ")
    try:
        one, other = parse_unit(said), parse_unit(unit)
    except UnitError:  # a unit of the owner's own
        return said == unit
    return (one.dimension, one.factor) == (other.dimension, other.factor)
