"""Names of a new plugin: its driver, distribution, package and class, all from one."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from forecast.errors import InputError
from forecast.vetting import DRIVER_NAME
from forecast.wording import shown

PREFIX = "forecast-"
"""How distributions of plugins begin; whoever names one that way means the distribution."""

LONGEST = 30
"""Characters of a driver's name: it stands in tables, on command lines and in lines of code."""

# Names in the template's module and in its tests that a class must not hide.
_IMPORTED = ("Driver", "DriverConformance", "TestConformance")


@dataclass(frozen=True)
class PluginNames:
    """What a new plugin calls things.

    Attributes
    ----------
    driver : str
        Such as ``"grid-queues"``; the key of its priors in prior files.
    """

    driver: str

    @property
    def distribution(self) -> str:
        """What is installed, and the folder: ``forecast-grid-queues``."""
        return f"{PREFIX}{self.driver}"

    @property
    def module(self) -> str:
        """The import package: ``forecast_grid_queues``."""
        return self.distribution.replace("-", "_")

    @property
    def key(self) -> str:
        """In names of quantities: ``grid_queues``."""
        return self.driver.replace("-", "_")

    @property
    def quantity(self) -> str:
        """What the template's driver provides: ``grid_queues_delay``."""
        return f"{self.key}_delay"

    @property
    def words(self) -> str:
        """In sentences: ``grid queues``."""
        return self.driver.replace("-", " ")

    @property
    def title(self) -> str:
        """In tables and pictures: ``Grid queues``."""
        return self.words[0].upper() + self.words[1:]

    @property
    def class_name(self) -> str:
        """The driver's class: ``GridQueues``."""
        return "".join(word[0].upper() + word[1:] for word in self.driver.split("-"))


def names_of(name: str, taken: Mapping[str, str], quantities: Collection[str] = ()) -> PluginNames:
    """Names of a new plugin.

    Parameters
    ----------
    name : str
        The driver's name, or the distribution's, which begins with ``forecast-``.
    taken : mapping of str to str
        Installed drivers, and where each comes from.
    quantities : collection of str
        What installed drivers provide: the template's driver provides one of its own.

    Returns
    -------
    PluginNames

    Raises
    ------
    InputError
        A name that a driver cannot have, or that is in use.
    """
    driver = name.removeprefix(PREFIX)
    if not DRIVER_NAME.fullmatch(driver):
        raise InputError(
            f"{shown(name)} cannot be the name of a driver: it is lower-case words of letters and digits "
            f"joined by hyphens, such as grid-queues{_instead(driver)}"
        )
    if len(driver) > LONGEST:
        raise InputError(f"{shown(name)} has {len(driver)} characters; a driver's name has {LONGEST} at most")
    names = PluginNames(driver)
    for word in (names.key, names.class_name):
        if keyword.iskeyword(word):
            raise InputError(
                f"{name!r} cannot name a driver: {word} is a word of Python; choose another name"
            )
    if names.class_name in _IMPORTED:
        raise InputError(f"{name!r} says nothing about what it is that drives; choose another name")
    if driver in taken:
        raise InputError(
            f"a driver called {driver!r} is installed already ({taken[driver]}); choose another name, "
            "or edit that one"
        )
    if names.quantity in quantities:
        raise InputError(
            f"a plugin called {driver!r} would provide {names.quantity!r}, and an installed driver does "
            "already; choose another name"
        )
    if importlib.util.find_spec(names.module) is not None:
        raise InputError(f"a package called {names.module} is installed already; choose another name")
    return names


def _instead(name: str) -> str:
    """Suggest a good name that is near, where there is one."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    near = re.sub(r"[^a-z0-9]+", "-", spaced.lower()).lstrip("-0123456789")[:LONGEST].strip("-")
    return f" (did you mean {near}?)" if DRIVER_NAME.fullmatch(near) else ""
