"""The plugin host: which drivers are loaded, from where, and whether they fit together.

A `Host` is an object, made by `load_host` for one forecast; nothing is global.
A plugin that fails is named and set aside (`Host.problems`) unless somebody
asked for it; two plugins that cannot be used together always stop the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from forecast.conflicts import check_together, loose_ends
from forecast.contributions import MoreRows
from forecast.discovery import SELECTION, BrokenPlugin, guarded
from forecast.driver import Driver, Term
from forecast.errors import InputError, PluginError
from forecast.evidence import EvidenceTable, add_rows
from forecast.loading import HERE, Brought, Loaded, Plugin, Problem, load_plugins
from forecast.vetting import LoadedDriver
from forecast.wording import did_you_mean
from forecast.worldview import ParameterPriors
from forecast.worldview.shipped import Shelf

__all__ = [
    "HERE",
    "Brought",
    "Host",
    "Loaded",
    "LoadedDriver",
    "Plugin",
    "Problem",
    "host_of",
    "load_host",
    "load_plugins",
]


@dataclass(frozen=True)
class Host:
    """The drivers of one forecast.

    Attributes
    ----------
    drivers : mapping of str to LoadedDriver
        Those in use, in the order of their names (which fixes the order of
        the model's variables, however plugins were installed).
    disabled : tuple of str
        Names set aside by the user.
    problems : list of Problem
        Plugins that could not be used.
    tables : mapping of (str, str) to EvidenceTable
        By driver and table, with the rows that plugins add.
    loaded : Loaded
        All that was found; what plugins bring beside drivers is there.
    """

    drivers: Mapping[str, LoadedDriver] = field(default_factory=dict)
    disabled: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    tables: Mapping[tuple[str, str], EvidenceTable] = field(default_factory=dict)
    loaded: Loaded = field(default_factory=Loaded)

    @property
    def shelf(self) -> Shelf:
        """Worldviews, scenarios and claims that have a name, plugins' among them."""
        return self.loaded.shelf

    def terms(self) -> list[Term]:
        """Terms of all drivers in use, driver by driver."""
        return [term for loaded in self.drivers.values() for term in loaded.terms]

    def owner(self, quantity: str) -> str | None:
        """Name of the driver that provides a quantity; None where nobody does.

        Parameters
        ----------
        quantity : str
            Name of the quantity.
        """
        for term in self.terms():
            if term.kind == "base" and term.target == quantity:
                return term.driver
        return None

    def distribution_of(self, driver: str) -> str:
        """Distribution and version of a driver in use, such as ``"agi-forecast 0.1.0"``.

        Parameters
        ----------
        driver : str
            Its name; blank comes back for one that is not in use.
        """
        return self.drivers[driver].label if driver in self.drivers else ""

    def defaults(self) -> list[ParameterPriors]:
        """Parameters and default priors of all drivers in use."""
        return [priors for loaded in self.drivers.values() for priors in loaded.driver.parameters]

    def evidence(self) -> dict[tuple[str, str], EvidenceTable]:
        """Evidence tables of all drivers in use, by driver and table, with the rows that plugins add."""
        return dict(self.tables)

    def require(self, names: Iterable[str], why: str) -> None:
        """Stop unless every named driver is in use or was set aside by the user.

        Parameters
        ----------
        names : iterable of str
            Drivers that something cannot do without.
        why : str
            What needs them, as the start of a sentence: "the worldview 'default' sets its priors".

        Raises
        ------
        PluginError
            Naming the first driver that is broken or missing.
        """
        for name in names:
            if name in self.drivers or name in self.disabled:
                continue
            for problem in self.problems:
                if problem.plugin == name:
                    message = f"is needed ({why}) but cannot be used: {problem.message}"
                    raise PluginError(message, driver=name, distribution=problem.distribution or None)
            broken = ", ".join(f"{p.plugin!r}" for p in self.problems)
            also = f"; these plugins could not be used: {broken}" if broken else ""
            near = did_you_mean(name, [*self.drivers, *self.disabled])
            raise PluginError(f"is needed ({why}) but is not installed{near}{also}", driver=name)

    def warnings(self) -> list[str]:
        """Sentences that a user of these drivers should see: broken plugins, and what has no effect."""
        return [*map(str, self.problems), *loose_ends(self.drivers, self.left_out())]

    def left_out(self) -> list[LoadedDriver]:
        """Drivers that are loaded and not in use."""
        return [one for one in self.loaded.drivers if one.driver.name not in self.drivers]

    def check(self) -> None:
        """Stop when drivers in use cannot be used together.

        Raises
        ------
        PluginError
            As :func:`forecast.conflicts.check_together`.
        """
        check_together(self.drivers)


def load_host(
    plugins: Sequence[str] = (),
    disable: Sequence[str] = (),
    *,
    entry_points: bool = True,
    drivers: Sequence[Driver] = (),
    check: bool = True,
) -> Host:
    """Load plugins, check them one by one and together.

    Parameters
    ----------
    plugins : sequence of str
        Plugins that the user named: paths of ``.py`` files, or modules.
    disable : sequence of str
        Names of drivers to leave out. The names of plugins that cannot be
        used are accepted as well, and then nothing is said about them.
    entry_points : bool
        Whether installed plugins are loaded, the built-in ones among them.
    drivers : sequence of Driver
        Drivers made in Python.
    check : bool
        Whether they are checked together; what only reads rows or sections
        can do without.

    Returns
    -------
    Host
        Ready for use; installed plugins that failed are in its `problems`.

    Raises
    ------
    PluginError
        When a plugin in `plugins` or a driver in `drivers` cannot be used,
        when two drivers have one name, or one quantity two owners.
    InputError
        When a plugin does not exist, or `disable` names no driver.
    """
    return host_of(load_plugins(plugins, entry_points=entry_points, drivers=drivers), disable, check=check)


def host_of(loaded: Loaded, disable: Sequence[str] = (), *, check: bool = True) -> Host:
    """Put a host together from loaded plugins, without the drivers in `disable`.

    Parameters
    ----------
    loaded : Loaded
    disable : sequence of str
    check : bool
        As for :func:`load_host`.

    Returns
    -------
    Host

    Raises
    ------
    PluginError, InputError
        As :func:`load_host`.
    """
    disabled = tuple(dict.fromkeys(disable))
    known = [*(d.driver.name for d in loaded.drivers), *(p.plugin for p in loaded.problems)]
    unknown = [
        f"cannot leave out {name!r}: no driver of this name is loaded{did_you_mean(name, known)}"
        for name in disabled
        if name not in known and name not in loaded.left_out
    ]
    if unknown:
        raise InputError(unknown)
    used: dict[str, LoadedDriver] = {}
    problems = list(loaded.problems)
    for one in sorted(loaded.drivers, key=lambda d: d.driver.name):
        name = one.driver.name
        if name in used:
            twins = (
                f"two drivers are called {name!r}: one of {_origin(used[name])}, one of {_origin(one)}; "
                f"rename one of them, uninstall its distribution, or name what to load in {SELECTION}"
            )
            if check:
                raise PluginError(twins)
            problems.append(Problem(name, one.label, twins))
        elif name not in disabled:
            used[name] = one
    tables = {
        (name, table): evidence
        for name, one in used.items()
        for table, evidence in one.driver.evidence.items()
    }
    # In an order of their own: the order of rows is in a run's id, and in the last digits of its fit.
    for brought in sorted(loaded.rows, key=lambda one: (one.candidate.label, one.item.file.name)):
        _add_rows(brought, tables, [*known, *loaded.left_out], problems)
    host = Host(
        drivers=MappingProxyType(used),
        disabled=(*disabled, *(name for name in loaded.left_out if name not in disabled)),
        problems=[problem for problem in problems if problem.plugin not in disabled],
        tables=MappingProxyType(tables),
        loaded=loaded,
    )
    if check:
        host.check()
    return host


def _add_rows(
    brought: Brought,
    tables: dict[tuple[str, str], EvidenceTable],
    known: Sequence[str],
    problems: list[Problem],
) -> None:
    """Add a plugin's rows to the table of a driver in use."""
    item: MoreRows = brought.item
    key = (item.driver, item.table)
    candidate = brought.candidate
    try:
        if key in tables:
            with guarded():
                tables[key] = add_rows(tables[key], item.file)
            return
        drivers = dict.fromkeys(driver for driver, _ in tables)
        if item.driver in drivers:
            near = did_you_mean(item.table, [table for driver, table in tables if driver == item.driver])
            raise BrokenPlugin(f"has rows for {item.driver}/{item.table}, and there is no such table{near}")
        if item.driver not in known:
            near = did_you_mean(item.driver, drivers)
            raise BrokenPlugin(f"has rows for the driver {item.driver!r}, which is not installed{near}")
    except BrokenPlugin as error:
        if brought.needed:
            raise PluginError(str(error), distribution=candidate.label) from error.__cause__
        problems.append(Problem(candidate.name, candidate.label, str(error)))


def _origin(loaded: LoadedDriver) -> str:
    file = f" ({loaded.source})" if loaded.source and loaded.source != loaded.label else ""
    return f"{loaded.label}{file}"
