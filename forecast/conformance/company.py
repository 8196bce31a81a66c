"""Which other drivers a driver needs, found by building the model without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from forecast.conformance.setting import Setting
from forecast.discovery import OURS
from forecast.driver import Driver
from forecast.errors import ForecastError
from forecast.loading import Loaded, load_plugins
from forecast.model import Model
from forecast.model.grid import Grid
from forecast.spec import history_end, make_spec


class _Missing(ForecastError):
    """A term asked for what no driver of a company has."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Probe(Model):
    """A model that says what it lacks by name."""

    def _unknown(self, name: str) -> NoReturn:
        raise _Missing(name)


def installed_beside(drivers: Sequence[Driver], loaded: Loaded | None = None) -> list[Driver]:
    """Installed drivers that can be used together with some given ones.

    Parameters
    ----------
    drivers : sequence of Driver
    loaded : Loaded, optional
        The plugins, if they have been loaded already.

    Returns
    -------
    list of Driver
        Without those of the same name or with the same quantity, which the
        given ones replace; of two that exclude each other the built-in one.
    """
    loaded = loaded or load_plugins()
    ordered = sorted(loaded.drivers, key=lambda one: (one.distribution != OURS, one.driver.name))
    kept = list(drivers)
    for one in ordered:
        if not any(_exclude(one.driver, other) for other in kept):
            kept.append(one.driver)
    return kept[len(drivers) :]


def closure(drivers: Sequence[Driver], others: Sequence[Driver]) -> list[Driver]:
    """Drivers, and those others that they cannot do without.

    Parameters
    ----------
    drivers, others : sequence of Driver

    Returns
    -------
    list of Driver
        The given ones, the owners of quantities that they add to or limit, and
        whatever these ask for (not what they merely use if it is there).
    """
    company = list(drivers)
    for term in [term for driver in drivers for term in driver.terms()]:
        if term.kind in ("addition", "channel", "limit"):
            _join(company, others, term.target)
    while (missing := _missing(company)) is not None and _join(company, others, missing):
        pass
    return company


def _missing(company: Sequence[Driver]) -> str | None:
    """Name of the first thing that a company lacks; None where it lacks nothing, or fails otherwise."""
    try:
        setting = Setting(company)
        spec = make_spec(setting.worldview(setting.variation), setting.host)
        for end, projecting in ((history_end(spec), False), (history_end(spec), True)):
            model = _Probe(spec, Grid(end), projecting=projecting)
            model.close()
            model.observe()
    except _Missing as missing:
        return missing.name
    except ForecastError:
        return None
    return None


def _join(company: list[Driver], others: Sequence[Driver], name: str) -> bool:
    """Add the owner of a quantity, or of a parameter ``driver.name``; whether there was anybody to add."""
    for other in others:
        owns = any(term.kind == "base" and term.target == name for term in other.terms())
        if (owns or name.startswith(f"{other.name}.")) and other not in company:
            company.append(other)
            return True
    return False


def _exclude(one: Driver, other: Driver) -> bool:
    return one.name == other.name or bool(_claims(one) & _claims(other))


def _claims(driver: Driver) -> set[tuple[str, str | None]]:
    return {(term.target, term.channel) for term in driver.terms() if term.kind in ("base", "channel")}
