"""Find plugins and import them, one by one, so that a broken one can be named.

What is installed is read from metadata alone; only then is each plugin
imported. Whatever an import raises becomes a `BrokenPlugin` that says what
happened and where in the plugin's own files.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from forecast.entry_points import Damaged, distribution_of, normal_name, read_entry_points
from forecast.errors import ForecastError, InputError
from forecast.wording import printable, shown

ENTRY_POINT_GROUP = "forecast.drivers"
OURS = "agi-forecast"
SELECTION = "FORECAST_PLUGINS"
"""Environment variable: names of distributions, plugins or drivers; nothing else is loaded."""
_OURS = str(Path(__file__).parent) + os.sep


class BrokenPlugin(Exception):
    """A plugin failed; the message is one line without its name."""


class IncompatiblePlugin(BrokenPlugin):
    """A plugin was written for another version of the contract."""


@dataclass(frozen=True)
class Candidate:
    """A plugin that has been found and not yet imported.

    Attributes
    ----------
    name : str
        Name of the entry point, the file as given, or the module.
    distribution, version : str
        What it was installed with; blank for a file.
    load : callable
        Imports it and returns the object that holds the hooks.
    """

    name: str
    distribution: str
    version: str
    load: Callable[[], Any]

    @property
    def label(self) -> str:
        """Distribution and version, or the file or module as the user named it."""
        return f"{self.distribution or self.name} {self.version}".strip()

    @property
    def who(self) -> str:
        """How messages call it."""
        return f"plugin {self.name!r} of {self.label}" if self.distribution else f"plugin {self.name!r}"


def installed_plugins() -> list[Candidate]:
    """Plugins of installed distributions, by name, from metadata alone.

    Returns
    -------
    list of Candidate
        In an order that does not depend on how they were installed; one whose
        metadata is damaged is among them, and says so when it is loaded.
    """
    points, damaged = read_entry_points(ENTRY_POINT_GROUP)
    found = [Candidate(point.name, *distribution_of(point), point.load) for point in points]
    found += [
        Candidate(one.distribution, one.distribution, one.version, partial(_refuse, one)) for one in damaged
    ]
    return sorted(found, key=lambda c: (c.name, c.distribution))


def _refuse(damaged: Damaged) -> None:
    raise BrokenPlugin(damaged.error)


@dataclass(frozen=True)
class Selection:
    """Which installed plugins to load: what ``FORECAST_PLUGINS`` says.

    Attributes
    ----------
    names : frozenset of str or None
        Of distributions, plugins or drivers; None where the variable is not set.
    """

    names: frozenset[str] | None = None

    @classmethod
    def from_environment(cls) -> Selection:
        """Read the variable: names parted by commas or spaces; empty selects no plugin but our own."""
        given = os.environ.get(SELECTION)
        return cls() if given is None else cls(frozenset(given.replace(",", " ").split()))

    def split(self, candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate], set[str]]:
        """Part plugins into those to load and those to leave, from metadata alone.

        The built-in drivers are loaded unless the selection names some of
        them: without them hardly any worldview makes sense.

        Returns
        -------
        chosen, left : list of Candidate
        unknown : set of str
            Names that fit no metadata: of drivers, perhaps.
        """
        if self.names is None:
            return candidates, [], set()
        known = {name for c in candidates for name in (c.name, normal_name(c.distribution))}
        selected = {*self.names, *map(normal_name, self.names)}
        named = [c for c in candidates if c.name in self.names or normal_name(c.distribution) in selected]
        builtin = [] if any(c.distribution == OURS for c in named) else [OURS]
        chosen = [c for c in candidates if c in named or c.distribution in builtin]
        unknown = {name for name in self.names if name not in known and normal_name(name) not in known}
        return chosen, [c for c in candidates if c not in chosen], unknown


def named_plugins(given: Sequence[str]) -> list[Candidate]:
    """Plugins that the user named, each once: the same file by two paths is one plugin.

    Raises
    ------
    InputError
        As :func:`named_plugin`.
    """
    found: dict[str, Candidate] = {}
    for one in given:
        candidate = named_plugin(one)
        found.setdefault(str(_existing_file(one)) if _is_path(one) else one, candidate)
    return list(found.values())


def _is_path(given: str) -> bool:
    return given.endswith(".py") or "/" in given or os.sep in given


def named_plugin(given: str) -> Candidate:
    """Plugin that the user named: a path to a ``.py`` file, or a module.

    Parameters
    ----------
    given : str
        Something like ``"mine.py"``, ``"lab/mine.py"`` or ``"lab.mine"``.

    Raises
    ------
    InputError
        When there is no such file or module.
    """
    if not given.strip() or "\0" in given:
        raise InputError(f"--plugin {shown(given)}: give the path of a .py file or the name of a module")
    if _is_path(given):
        path = _existing_file(given)
        return Candidate(given, "", "", lambda: _import_file(path))
    if not all(part.isidentifier() for part in given.split(".")):
        raise InputError(f"--plugin {shown(given)}: neither a .py file nor the name of a module")
    if not _module_exists(given):
        nearby = Path(f"{given.replace('.', os.sep)}.py")
        hint = f"; for the file here say --plugin {nearby}" if nearby.is_file() else ""
        raise InputError(f"--plugin {given}: no module of this name is installed{hint}")
    distribution, version = _distribution_of_module(given)
    return Candidate(given, distribution, version, lambda: importlib.import_module(given))


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Turn whatever a plugin raises into `BrokenPlugin`; keep its prints off stdout.

    stdout belongs to `--json`. Ctrl-C passes, everything else is caught:
    a plugin may even call ``sys.exit`` while it is imported.

    Raises
    ------
    BrokenPlugin
        Saying what was raised and where.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (KeyboardInterrupt, BrokenPlugin):
        raise
    except BaseException as error:
        raise BrokenPlugin(describe(error)) from error


def describe(error: BaseException) -> str:
    """Say in one line what was raised and where in the plugin.

    Parameters
    ----------
    error : BaseException
        With its traceback.

    Returns
    -------
    str
        Such as ``"mine.py:7: ZeroDivisionError: division by zero"``.
    """
    if isinstance(error, ForecastError):  # already in words, with file and line
        return printable("; ".join(str(error).splitlines()))
    where = _location(error)
    if isinstance(error, SystemExit):
        what = f"it called sys.exit({'' if error.code is None else shown(error.code)})"
    elif isinstance(error, SyntaxError):
        what = f"{type(error).__name__}: {error.msg}"
    else:
        text = " ".join(_text(error).split())
        what = f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
    return printable(f"{where}: {what}" if where else what)


def short_path(path: str) -> str:
    """Show a path relative to the current folder when it lies inside it."""
    try:
        relative = os.path.relpath(path)
    except (ValueError, OSError):  # another drive, or a current folder that is gone
        return path
    return path if relative.startswith("..") else relative


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception class of the plugin's may fail even at this
        return ""


def _location(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{short_path(error.filename)}:{error.lineno}" if error.lineno else short_path(error.filename)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_OURS, "<frozen "))
        and f"{os.sep}importlib{os.sep}" not in frame.filename
        and f"{os.sep}pluggy{os.sep}" not in frame.filename
        and f"{os.sep}click{os.sep}" not in frame.filename
    ]
    if not frames:
        return ""
    # The first foreign frame is the plugin's; what matters is how far its own code got,
    # not the line of numpy or pandas that finally complained.
    home = os.path.dirname(frames[0].filename)
    frame = [f for f in frames if os.path.dirname(f.filename).startswith(home)][-1]
    return f"{short_path(frame.filename)}:{frame.lineno}"


def _existing_file(given: str) -> Path:
    path = Path(given).expanduser()
    try:
        if path.is_dir():
            hint = "; give its __init__.py" if (path / "__init__.py").is_file() else ""
            raise InputError(f"--plugin {given}: is a folder, not a .py file{hint}")
        if not path.is_file():
            raise InputError(f"--plugin {given}: there is no such file")
        if path.suffix != ".py":
            raise InputError(f"--plugin {given}: is not a .py file")
        return path.resolve()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise InputError(f"--plugin {shown(given)}: {error.strerror or error}") from error


def _import_file(path: Path) -> ModuleType:
    # The name is unique to the file, so that two files called driver.py do not meet in sys.modules.
    name = f"forecast_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    # An __init__.py is a package: what lies beside it, and its __package__, are then where it looks for them.
    folder = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folder)
    if spec is None:
        raise BrokenPlugin("cannot be imported as a Python file")
    module = importlib.util.module_from_spec(spec)
    # Compiled from its text rather than by the loader: no bytecode folder appears beside the user's
    # file, and a file changed twice within a second is never taken from stale bytecode.
    code = compile(path.read_bytes(), str(path), "exec")
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses look their module up while it is imported
    try:
        exec(code, module.__dict__)
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise
    return module


def _module_exists(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except ModuleNotFoundError as error:
        # The parent is missing, or is no package; what else a parent's import lacks is its own fault.
        missing = error.name or ""
        return not (missing and (name == missing or name.startswith(f"{missing}.")))
    except KeyboardInterrupt:
        raise
    except BaseException:  # a parent package that fails: the import will say how
        return True


def _distribution_of_module(name: str) -> tuple[str, str]:
    try:
        owners = metadata.packages_distributions().get(name.partition(".")[0], [])
        return (owners[0], metadata.version(owners[0])) if owners else ("", "")
    except Exception:  # some distribution's metadata is damaged: the module is still what was asked for
        return "", ""
