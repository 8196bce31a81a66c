"""The plugin host: which drivers are loaded, from where, and whether they fit together.

A `Host` is an object, made by `load_host` for one forecast; nothing is global.
A plugin that fails is named and set aside (`Host.problems`) unless somebody
asked for it; two plugins that cannot be used together always stop the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from forecast.discovery import BrokenPlugin, Candidate, installed_plugins, named_plugin
from forecast.driver import Driver, Term
from forecast.errors import InputError, PluginError
from forecast.evidence import EvidenceTable
from forecast.hooks import PluginRegistry
from forecast.vetting import LoadedDriver, name_of, vet
from forecast.wording import did_you_mean
from forecast.worldview import ParameterPriors

__all__ = ["HERE", "Host", "LoadedDriver", "Problem", "load_host"]

HERE = "this Python session"


@dataclass(frozen=True)
class Problem:
    """A plugin that could not be used, though nobody had asked for it by name.

    Attributes
    ----------
    plugin : str
        Name of the driver, or of the entry point where it did not get that far.
    distribution : str
        Its distribution and version.
    message : str
        What is wrong with it, on one line.
    """

    plugin: str
    distribution: str
    message: str

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} of {self.distribution or HERE}: {self.message}"


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
    """

    drivers: Mapping[str, LoadedDriver] = field(default_factory=dict)
    disabled: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)

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
        """Evidence tables of all drivers in use, by driver and table."""
        return {
            (name, table): evidence
            for name, loaded in self.drivers.items()
            for table, evidence in loaded.driver.evidence.items()
        }

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

    def check(self) -> None:
        """Stop when drivers in use cannot be used together.

        Raises
        ------
        PluginError
            Naming both drivers of a quantity, or of a channel of a quantity,
            that has two, and both distributions.
        """
        claimed: dict[tuple[str, str | None], str] = {}
        for term in self.terms():
            if term.kind not in ("base", "channel"):
                continue
            key = (term.target, term.channel)
            first = claimed.setdefault(key, term.driver)
            if first == term.driver:
                continue
            what = (
                f"channel {term.channel!r} of quantity {term.target!r}"
                if term.channel
                else (f"quantity {term.target!r}")
            )
            raise PluginError(
                f"{what} is provided by two drivers: {first!r} of {self.distribution_of(first)} and "
                f"{term.driver!r} of {self.distribution_of(term.driver)}; leave one out with "
                f"--without {first} or --without {term.driver}"
            )


def load_host(
    plugins: Sequence[str] = (),
    disable: Sequence[str] = (),
    *,
    entry_points: bool = True,
    drivers: Sequence[Driver] = (),
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
    loader = _Loader()
    if entry_points:
        for candidate in installed_plugins():
            loader.load(candidate, needed=False)
    for given in dict.fromkeys(plugins):
        loader.load(named_plugin(given), needed=True)
    for driver in drivers:
        try:
            loader.loaded.append(vet(driver, HERE, ""))
        except BrokenPlugin as error:
            raise PluginError(str(error), driver=name_of(driver), distribution=HERE) from error.__cause__
    return loader.host(disable)


class _Loader:
    """What is known while plugins come in; turned into a `Host` at the end."""

    def __init__(self) -> None:
        self.registry = PluginRegistry()
        self.loaded: list[LoadedDriver] = []
        self.problems: list[Problem] = []

    def load(self, candidate: Candidate, *, needed: bool) -> None:
        """Import a plugin and keep its drivers; a failure raises if it is needed, else is noted."""
        distribution, version = candidate.distribution or candidate.name, candidate.version
        label = f"{distribution} {version}".strip()
        try:
            drivers = self.registry.drivers_of(candidate)
        except BrokenPlugin as error:
            self._fail(candidate.name, None, label, error, needed=needed)
            return
        for driver in drivers:
            try:
                self.loaded.append(vet(driver, distribution, version))
            except BrokenPlugin as error:
                self._fail(candidate.name, name_of(driver), label, error, needed=needed)

    def _fail(
        self, plugin: str, driver: str | None, label: str, error: BrokenPlugin, *, needed: bool
    ) -> None:
        if needed:
            # The cause is what the plugin raised; for its author, under FORECAST_DEBUG.
            raise PluginError(str(error), driver=driver, distribution=label) from error.__cause__
        self.problems.append(Problem(driver or plugin, label, str(error)))

    def host(self, disable: Sequence[str]) -> Host:
        """Put everything together, without the disabled."""
        disabled = tuple(dict.fromkeys(disable))
        known = [*(d.driver.name for d in self.loaded), *(p.plugin for p in self.problems)]
        unknown = [
            f"cannot leave out {name!r}: no driver of this name is loaded{did_you_mean(name, known)}"
            for name in disabled
            if name not in known
        ]
        if unknown:
            raise InputError(unknown)
        used: dict[str, LoadedDriver] = {}
        for loaded in sorted(self.loaded, key=lambda d: d.driver.name):
            name = loaded.driver.name
            if name in used:
                raise PluginError(
                    f"two drivers are called {name!r}: one of {_origin(used[name])}, one of "
                    f"{_origin(loaded)}; rename one of them or uninstall its distribution"
                )
            if name not in disabled:
                used[name] = loaded
        host = Host(
            drivers=MappingProxyType(used),
            disabled=disabled,
            problems=[problem for problem in self.problems if problem.plugin not in disabled],
        )
        host.check()
        return host


def _origin(loaded: LoadedDriver) -> str:
    file = f" ({loaded.source})" if loaded.source and loaded.source != loaded.label else ""
    return f"{loaded.label}{file}"
