"""Load plugins one by one: what each brings, and what is wrong with it.

Nothing here decides which drivers a forecast uses: `Loaded` holds all that was
found, and :mod:`forecast.host` puts a host together from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from forecast.contributions import Importer, ReportSection
from forecast.discovery import (
    SELECTION,
    BrokenPlugin,
    Candidate,
    IncompatiblePlugin,
    Selection,
    guarded,
    installed_plugins,
    named_plugins,
)
from forecast.driver import API_VERSION, Driver
from forecast.errors import InputError, PluginError
from forecast.hooks import Answers, PluginRegistry
from forecast.vetting import DRIVER_NAME, LoadedDriver, check_version, name_of, vet
from forecast.wording import did_you_mean, shown
from forecast.worldview.shipped import Kind, NamedFile, Shelf, shipped_shelf

HERE = "this Python session"
Status = Literal["ok", "disabled", "incompatible", "broken"]


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
class Plugin:
    """One plugin as it was found, for ``forecast plugins``.

    Attributes
    ----------
    name : str
        Of the entry point, the file as given, or the module; for a driver that
        failed by itself, the driver's.
    distribution, version : str
    status : {"ok", "disabled", "incompatible", "broken"}
    error : str
        What is wrong; blank where nothing is.
    hooks : tuple of str
    drivers : tuple of LoadedDriver
    api_version : int or None
        That its drivers were written for, or that its module states.
    """

    name: str
    distribution: str
    version: str
    status: Status
    error: str = ""
    hooks: tuple[str, ...] = ()
    drivers: tuple[LoadedDriver, ...] = ()
    api_version: int | None = None

    @property
    def label(self) -> str:
        """Distribution and version, or the file or module as the user named it."""
        return f"{self.distribution or self.name} {self.version}".strip()


@dataclass(frozen=True)
class Brought:
    """Something that a plugin brings, and whose it is.

    Attributes
    ----------
    item : MoreRows, Importer or ReportSection
    candidate : Candidate
    needed : bool
        The user named the plugin: what is wrong with it stops everything.
    """

    item: Any
    candidate: Candidate
    needed: bool


@dataclass
class Loaded:
    """All plugins that were found, in use or not.

    Attributes
    ----------
    plugins : list of Plugin
    drivers : list of LoadedDriver
    problems : list of Problem
    shelf : Shelf
        Worldviews, scenarios and claims by name: the shipped ones and those of plugins.
    rows, importers, sections : list of Brought
    left_out : tuple of str
        Names of plugins and drivers that ``FORECAST_PLUGINS`` does not select.
    """

    plugins: list[Plugin] = field(default_factory=list)
    drivers: list[LoadedDriver] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    shelf: Shelf = field(default_factory=shipped_shelf)
    rows: list[Brought] = field(default_factory=list)
    importers: list[Brought] = field(default_factory=list)
    sections: list[Brought] = field(default_factory=list)
    left_out: tuple[str, ...] = ()


def load_plugins(
    named: Sequence[str] = (), *, entry_points: bool = True, drivers: Sequence[Driver] = ()
) -> Loaded:
    """Load plugins; an installed one that fails is noted.

    Parameters
    ----------
    named : sequence of str
        Plugins that the user named: paths of ``.py`` files, or modules.
    entry_points : bool
        Whether installed plugins are loaded, the built-in ones among them.
    drivers : sequence of Driver
        Drivers made in Python.

    Returns
    -------
    Loaded

    Raises
    ------
    PluginError
        When a plugin in `named` or a driver in `drivers` cannot be used.
    InputError
        When a plugin in `named` does not exist, or ``FORECAST_PLUGINS`` names
        nothing that is installed.
    """
    loader = _Loader()
    if entry_points:
        loader.load_installed(Selection.from_environment())
    for candidate in named_plugins(named):
        loader.load(candidate, needed=True)
    for driver in drivers:
        try:
            loader.loaded.drivers.append(vet(driver, HERE, ""))
        except BrokenPlugin as error:
            raise PluginError(str(error), driver=name_of(driver), distribution=HERE) from error.__cause__
    return loader.loaded


def load_alone(candidate: Candidate) -> Loaded:
    """Load one plugin as the host does, with nothing beside it.

    Raises
    ------
    PluginError
        It cannot be used.
    """
    loader = _Loader()
    loader.load(candidate, needed=True)
    return loader.loaded


class _Loader:
    """What is known while plugins come in."""

    def __init__(self) -> None:
        self.registry = PluginRegistry()
        self.loaded = Loaded()

    def load_installed(self, selection: Selection) -> None:
        """Load installed plugins, or those of them that are selected."""
        candidates = installed_plugins()
        chosen, left, unknown = selection.split(candidates)
        for candidate in chosen:
            self.load(candidate, needed=False)
        drivers = frozenset(unknown)
        if unknown:  # names of drivers, perhaps: only their import tells
            for candidate in left:
                self.load(candidate, needed=False, only=drivers)
            unknown -= {one.driver.name for one in self.loaded.drivers}
        else:
            for candidate in left:
                self._note(candidate, "disabled")
        if unknown:
            known = {name for c in candidates for name in (c.name, c.distribution)}
            raise InputError(
                [
                    f"{SELECTION}: no plugin, distribution or driver is called {shown(name)}"
                    f"{did_you_mean(name, known)}"
                    for name in sorted(unknown)
                ]
            )
        names = {candidate.name for candidate in left}
        self.loaded.left_out = tuple(sorted({*names, *self.loaded.left_out} - drivers))

    def load(self, candidate: Candidate, *, needed: bool, only: frozenset[str] | None = None) -> None:
        """Ask a plugin what it brings; a failure raises if it is needed, else is noted.

        `only` are the names of drivers to keep, and nothing else of it.
        """
        try:
            answers = self.registry.ask(candidate)
            if not answers.hooks:  # the same module once more
                return
            self._check_version(candidate, answers)
            if only is None:
                self._keep(candidate, answers, needed)
        except BrokenPlugin as error:
            self._fail(candidate, None, error, needed=needed, quiet=only is not None)
            return
        offered = answers.items.get("forecast_drivers", [])
        kept: list[LoadedDriver] = []
        for driver in offered:
            name = name_of(driver)
            if only is not None and name not in only:
                self.loaded.left_out += (name,) if name else ()
                continue
            try:
                kept.append(vet(driver, candidate.distribution or candidate.name, candidate.version))
            except BrokenPlugin as error:
                self._fail(candidate, name, error, needed=needed)
        self.loaded.drivers += kept
        if only is not None and not kept:
            self._note(candidate, "disabled", answers)
        elif kept or not offered or len(answers.hooks) > 1:  # else its failed drivers have been noted
            self._note(candidate, "ok", answers, drivers=tuple(kept))

    def _check_version(self, candidate: Candidate, answers: Answers) -> None:
        if answers.api_version is not None:
            check_version(answers.api_version, candidate.who)
        elif "forecast_drivers" not in answers.hooks:
            raise BrokenPlugin(
                f"states no api_version; write api_version = {API_VERSION} in the module: the version of the "
                "hooks that it was written for (a driver states it in its class)"
            )

    def _keep(self, candidate: Candidate, answers: Answers, needed: bool) -> None:
        """Take over what it brings beside drivers, all or nothing."""
        items = answers.items
        shelf = self.loaded.shelf
        kinds: tuple[Kind, ...] = ("worldviews", "scenarios", "claims")
        for kind in kinds:
            shelf = _shelved(shelf, kind, items.get(f"forecast_{kind}", ()), candidate)
        importers = _distinct(self.loaded.importers, items.get("forecast_importers", ()), "importer")
        sections = _distinct(
            self.loaded.sections, items.get("forecast_report_sections", ()), "report section"
        )
        self.loaded.shelf = shelf
        self.loaded.rows += [Brought(one, candidate, needed) for one in items.get("forecast_evidence", ())]
        self.loaded.importers += [Brought(one, candidate, needed) for one in importers]
        self.loaded.sections += [Brought(one, candidate, needed) for one in sections]

    def _note(
        self,
        candidate: Candidate,
        status: Status,
        answers: Answers | None = None,
        *,
        drivers: tuple[LoadedDriver, ...] = (),
        name: str | None = None,
        error: str = "",
    ) -> None:
        answers = answers or Answers()
        versions = [one.driver.api_version for one in drivers]
        self.loaded.plugins.append(
            Plugin(
                name=name or candidate.name,
                distribution=candidate.distribution,
                version=candidate.version,
                status=status,
                error=error,
                hooks=answers.hooks,
                drivers=drivers,
                api_version=min(versions) if versions else answers.api_version,
            )
        )

    def _fail(
        self,
        candidate: Candidate,
        driver: str | None,
        error: BrokenPlugin,
        *,
        needed: bool,
        quiet: bool = False,
    ) -> None:
        if needed:
            # The cause is what the plugin raised; for its author, under FORECAST_DEBUG.
            raise PluginError(str(error), driver=driver, distribution=candidate.label) from error.__cause__
        status: Status = "incompatible" if isinstance(error, IncompatiblePlugin) else "broken"
        self._note(candidate, status, name=driver, error=str(error))
        if not quiet:
            self.loaded.problems.append(Problem(driver or candidate.name, candidate.label, str(error)))


def _shelved(shelf: Shelf, kind: Kind, files: Iterable[Path | Traversable], candidate: Candidate) -> Shelf:
    found: dict[str, NamedFile] = {}
    with guarded():
        for file in files:
            name = file.name.removesuffix(".toml")
            label = f"{candidate.label}: {file.name}"
            if name == file.name or not name:
                raise BrokenPlugin(f"forecast_{kind}() returned {shown(str(file))}, which is no .toml file")
            if not file.is_file():
                raise BrokenPlugin(
                    f"forecast_{kind}() returned {shown(str(file))}, and there is no such file"
                )
            taken = shelf.with_files(kind, found).taken(name, kind)
            if taken:
                other = "" if taken.endswith("shipped") else f", or name what to load in {SELECTION}"
                raise BrokenPlugin(f"{file.name}: its name is that of {taken}; rename the file{other}")
            found[name] = NamedFile(file, label, owner=candidate.label)
    return shelf.with_files(kind, found)


def _distinct[T: (Importer, ReportSection)](held: Sequence[Brought], new: Iterable[T], what: str) -> list[T]:
    """Return what is new, after a look at its names."""
    owners = {one.item.name: one.candidate.label for one in held}
    found: dict[str, T] = {}
    for item in new:
        name = item.name
        if not DRIVER_NAME.fullmatch(name):
            raise BrokenPlugin(
                f"its {what} is called {shown(name)}; a name is lower-case words joined by hyphens"
            )
        if name in owners or name in found:
            raise BrokenPlugin(f"its {what} {name!r} has the name of one of {owners.get(name, 'its own')}")
        found[name] = item
    return list(found.values())
