"""Checks that a driver can pass or fail by itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.deprecation import warn_once
from forecast.discovery import OURS, BrokenPlugin, IncompatiblePlugin, guarded, short_path
from forecast.driver import API_VERSION, OLDEST_API_VERSION, Driver, Term
from forecast.evidence import EvidenceTable
from forecast.wording import did_you_mean, shown
from forecast.worldview import ParameterPriors

# A name is a key in prior files and a word on the command line.
DRIVER_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class LoadedDriver:
    """A driver that passed every check it can pass alone.

    Attributes
    ----------
    driver : Driver
    distribution, version : str
        What it was installed with; for a file the path as given, and no version.
    source : str
        File of its class.
    terms : tuple of Term
        What it declares, in the order of its class body.
    """

    driver: Driver
    distribution: str
    version: str
    source: str
    terms: tuple[Term, ...] = ()

    @property
    def label(self) -> str:
        """Distribution and version, such as ``"agi-forecast 0.1.0"``."""
        return f"{self.distribution} {self.version}".strip()


def vet(driver: Any, distribution: str, version: str) -> LoadedDriver:
    """Check a driver by itself.

    Parameters
    ----------
    driver : object
        What a plugin's hook returned; anything.
    distribution, version : str
        What it was installed with.

    Returns
    -------
    LoadedDriver
        With the terms that it declares.

    Raises
    ------
    BrokenPlugin
        Saying what is wrong and what to do about it.
    """
    with guarded():  # its attributes may be properties, and raise
        if isinstance(driver, type) and issubclass(driver, Driver):
            name = driver.__name__
            raise BrokenPlugin(f"forecast_drivers() returned the class {name}; return {name}()")
        if not isinstance(driver, Driver):
            raise BrokenPlugin(f"forecast_drivers() returned {shown(driver)}, not a forecast.driver.Driver")
        _vet_name(driver)
        _vet_version(driver, f"{distribution} {version}".strip())
        _vet_parameters(driver)
        _vet_evidence(driver)
        terms = driver.terms()
        _vet_terms(driver, terms)
        return LoadedDriver(driver, distribution, version, _source(driver), tuple(terms))


def name_of(driver: Any) -> str | None:
    """Name of whatever a hook returned; None where it has none."""
    try:
        with guarded():  # a property may raise, and even leave
            name = driver.name
    except BrokenPlugin:
        return None
    return name if isinstance(name, str) and name else None


def _source(driver: Driver) -> str:
    try:
        return short_path(inspect.getfile(type(driver)))
    except (TypeError, OSError):  # typed into an interpreter
        return ""


def _vet_name(driver: Driver) -> None:
    kind = type(driver).__name__
    if not isinstance(driver.name, str) or not driver.name:
        raise BrokenPlugin(f'the driver {kind} has no name; write name = "..." in its class')
    if not DRIVER_NAME.fullmatch(driver.name):
        raise BrokenPlugin(
            f"the driver {kind} is called {shown(driver.name)}; a name is lower-case words joined by hyphens"
        )
    if not isinstance(driver.title, str):
        raise BrokenPlugin(f"the driver {kind} has the title {shown(driver.title)}; it must be text")


def _vet_version(driver: Driver, label: str) -> None:
    stated = "api_version" in vars(driver) or any(
        "api_version" in vars(cls) for cls in type(driver).__mro__ if cls is not Driver
    )
    if not stated:
        raise BrokenPlugin(
            f"states no api_version; {_supported()}: write api_version = {API_VERSION} in the class once it "
            "is written for it"
        )
    check_version(driver.api_version, f"driver {driver.name!r} of {label}")


def _supported() -> str:
    oldest = "" if OLDEST_API_VERSION == API_VERSION else f"{OLDEST_API_VERSION} to "
    return f"this forecast supports api_version {oldest}{API_VERSION}"


def check_version(version: Any, who: str) -> None:
    """Check the version of the contract that a driver or a plugin was written for.

    Parameters
    ----------
    version : object
        As stated; anything.
    who : str
        For the warning about a version that is going away.

    Raises
    ------
    BrokenPlugin
        It is no whole number.
    IncompatiblePlugin
        It is not supported, or not any more; says what to update.
    """
    if isinstance(version, bool) or not isinstance(version, int):
        raise BrokenPlugin(f"api_version must be a whole number, got {shown(version)}; {_supported()}")
    if not OLDEST_API_VERSION <= version <= API_VERSION:
        remedy = f"update {OURS}" if version > API_VERSION else "update the plugin"
        raise IncompatiblePlugin(f"was written for api_version {version}; {_supported()}: {remedy}")
    if version < API_VERSION:
        warn_once(who, f"was written for api_version {version}, which is deprecated; update the plugin")


def _vet_parameters(driver: Driver) -> None:
    if isinstance(driver.parameters, (str, Mapping)) or not isinstance(driver.parameters, Sequence):
        raise BrokenPlugin("parameters must be what load_parameters or parameters_from_text returns")
    seen = set()
    for priors in driver.parameters:
        if not isinstance(priors, ParameterPriors):
            raise BrokenPlugin(
                f"parameters holds {shown(priors)}; use what load_parameters or parameters_from_text returns"
            )
        if priors.driver != driver.name:
            raise BrokenPlugin(f"parameter {priors.name!r} says that it belongs to driver {priors.driver!r}")
        if priors.name in seen:
            raise BrokenPlugin(f"has two parameters called {priors.name!r}")
        seen.add(priors.name)


def _vet_evidence(driver: Driver) -> None:
    if not isinstance(driver.evidence, Mapping):
        raise BrokenPlugin("evidence must be what load_evidence returns, tables by name")
    for name, table in driver.evidence.items():
        if not isinstance(table, EvidenceTable):
            raise BrokenPlugin(f"evidence {name!r} is {shown(table)}; use what load_evidence returns")
        if table.driver != driver.name:
            raise BrokenPlugin(f"evidence table {name!r} says that it belongs to driver {table.driver!r}")


def _vet_terms(driver: Driver, terms: Any) -> None:
    if not isinstance(terms, (list, tuple)) or not all(isinstance(term, Term) for term in terms):
        raise BrokenPlugin("terms() must return a list of Term")
    seen = set()
    for term in terms:
        if term.driver != driver.name:
            raise BrokenPlugin(f"a term for {term.target!r} says that it belongs to driver {term.driver!r}")
        if term.kind in ("observation", "crossing") and term.target not in driver.evidence:
            near = did_you_mean(term.target, driver.evidence)
            raise BrokenPlugin(f"observes the evidence table {term.target!r}, which it does not have{near}")
        if term.kind in ("base", "channel"):
            key = (term.target, term.channel)
            if key in seen:
                what = f"channel {term.channel!r} of {term.target!r}" if term.channel else f"{term.target!r}"
                raise BrokenPlugin(f"provides {what} twice")
            seen.add(key)
