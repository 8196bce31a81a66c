"""Check a plugin that is installed, or that lies in a file or folder."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from forecast.conformance.brought import brings_files, check_files
from forecast.conformance.company import closure, installed_beside
from forecast.conformance.kit import CHECKS, run_check
from forecast.conformance.report import Check, Report, count
from forecast.conformance.setting import Setting
from forecast.conformance.subject import Subject
from forecast.discovery import ENTRY_POINT_GROUP, BrokenPlugin, Candidate, named_plugin
from forecast.driver import Driver
from forecast.errors import InputError, PluginError
from forecast.loading import Loaded, load_alone, load_plugins
from forecast.wording import did_you_mean

LOADS = "loads"
"""The code of the first check of a plugin: that it can be imported and its drivers are sound."""


def check_plugin(given: str, *, say: Callable[[str], None] | None = None) -> Report:
    """Check every driver of a plugin.

    Parameters
    ----------
    given : str
        The name of an installed driver, plugin (entry point) or distribution;
        or a path: of a ``.py`` file, of a project whose pyproject.toml names
        its entry points (imported from ``src/`` or from the folder itself, and
        not installed), or of a package.
    say : callable, optional
        Called with a few words before each check, and before something slow.

    Returns
    -------
    Report
        Of a plugin with several drivers, each detail begins with the driver's
        name, and all are checked in one company: the drivers and those that
        they cannot do without. A plugin that cannot be loaded has the one
        check ``loads``.

    Raises
    ------
    InputError
        There is nothing of that name, or no plugin in that place.
    """
    say = say or (lambda _: None)
    with _importable(given) as candidates:
        try:
            if candidates is None:
                loaded = load_plugins()
                drivers = _installed(given, loaded)
                own = [loaded]
                labels = {p.label for p in loaded.plugins if given in (p.name, p.distribution)}
            else:
                own = [load_alone(each) for each in candidates]
                drivers = [one.driver for each in own for one in each.drivers]
                labels = {each.label for each in candidates}
                loaded = load_plugins()
        except (BrokenPlugin, PluginError) as error:
            return Report(given, (Check(LOADS, "failed", str(error)),))
        names = ", ".join(driver.name for driver in drivers) or "no driver: the kit has nothing to check"
        checks = [Check(LOADS, "passed", f"it can be imported and has {names}")]
        checks += [check_files(one, loaded, labels) for one in own if brings_files(one, labels)]
        if drivers:
            beside = installed_beside(drivers, loaded)
            everyone = Setting([*drivers, *beside], say=say)  # before anything is built to find the company
            company = Setting(closure(drivers, beside), say=say, before=everyone.before)
            for driver in drivers:
                subject = Subject(driver, company, lambda: everyone)
                for code in CHECKS:
                    say(f"{driver.name}: {code}")
                    checks.append(_named(run_check(code, subject), driver, len(drivers)))
    return Report(given, tuple(checks))


def summary(report: Report) -> str:
    """Say in a line how many checks came out how."""
    states = [check.state for check in report.checks]
    failed = states.count("failed")
    found = [count(states.count("passed"), "check") + " passed"]
    found += [f"{failed} failed"] if failed else []
    left = states.count("not applicable")
    return ", ".join([*found, *([f"{left} not applicable"] if left else [])])


def _named(check: Check, driver: Driver, drivers: int) -> Check:
    return check if drivers == 1 else Check(check.code, check.state, f"{driver.name}: {check.detail}")


def _installed(given: str, loaded: Loaded) -> list[Driver]:
    """Drivers of an installed driver's, plugin's or distribution's name."""
    for one in loaded.drivers:
        if one.driver.name == given:
            return [one.driver]
    plugins = [plugin for plugin in loaded.plugins if given in (plugin.name, plugin.distribution)]
    for plugin in plugins:
        if plugin.error:
            raise BrokenPlugin(plugin.error)
    if not plugins:
        names = {name for plugin in loaded.plugins for name in (plugin.name, plugin.distribution) if name}
        names |= {one.driver.name for one in loaded.drivers}
        raise InputError(
            f"no installed driver, plugin or distribution is called {given!r}{did_you_mean(given, names)}; "
            "for a file or folder give its path, such as ./my-plugin"
        )
    if all(plugin.status == "disabled" for plugin in plugins):
        raise InputError(f"FORECAST_PLUGINS leaves out {given!r}: unset it, or name the plugin in it")
    return [one.driver for plugin in plugins for one in plugin.drivers]


@contextlib.contextmanager
def _importable(given: str) -> Iterator[list[Candidate] | None]:
    """Plugins at a path, importable meanwhile; None for a name."""
    path = Path(given).expanduser()
    if given.endswith(".py"):
        if not path.is_file():
            raise InputError(f"{given}: there is no such file")
        yield [named_plugin(given)]
    elif "/" in given or "\\" in given or given in (".", ".."):
        if not path.is_dir():
            found = "is a file, not a .py file or a folder" if path.exists() else "there is no such folder"
            raise InputError(f"{given}: {found}")
        roots, candidates = _in_folder(given, path.resolve())
        before = list(sys.path)
        sys.path[:0] = [str(root) for root in roots]
        importlib.invalidate_caches()
        try:
            yield candidates
        finally:
            sys.path[:] = before
    else:
        yield None


def _in_folder(given: str, folder: Path) -> tuple[list[Path], list[Candidate]]:
    """Folders to import from, and plugins, of a project or of a package."""
    points = _entry_points(given, folder / "pyproject.toml")
    if points:
        roots = [root for root in (folder / "src", folder) if root.is_dir()]
        candidates = [
            Candidate(name, "", "", EntryPoint(name, value, ENTRY_POINT_GROUP).load)
            for name, value in points.items()
        ]
    elif (folder / "__init__.py").is_file():
        roots, module = [folder.parent], folder.name
        candidates = [Candidate(module, "", "", lambda: importlib.import_module(module))]
    else:
        raise InputError(
            f"{given}: no plugin is here: neither a pyproject.toml with "
            f'[project.entry-points."{ENTRY_POINT_GROUP}"] nor an __init__.py'
        )
    return roots, candidates


def _entry_points(given: str, file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    try:
        project: dict[str, Any] = tomllib.loads(file.read_text("utf-8")).get("project", {})
        return dict(project.get("entry-points", {}).get(ENTRY_POINT_GROUP, {}))
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{given}: pyproject.toml cannot be read: {error}") from None
