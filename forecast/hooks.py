"""Register a plugin with pluggy and ask it for what it brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import pluggy

from forecast import hookspecs
from forecast.contributions import Importer, MoreRows, ReportSection
from forecast.deprecation import instead_of, warn_once
from forecast.discovery import BrokenPlugin, Candidate, guarded
from forecast.driver import Driver
from forecast.wording import did_you_mean, shown

HOOKS: Mapping[str, tuple[Any, str]] = {
    "forecast_drivers": (Driver, "drivers"),
    "forecast_evidence": (MoreRows, "MoreRows"),
    "forecast_importers": (Importer, "Importer"),
    "forecast_report_sections": (ReportSection, "ReportSection"),
    "forecast_worldviews": (Path | Traversable, "paths"),
    "forecast_scenarios": (Path | Traversable, "paths"),
    "forecast_claims": (Path | Traversable, "paths"),
}
"""Each hook, what its list holds, and what people call that."""

FIELDS: Mapping[str, tuple[Any, str]] = {
    "name": (str, "text"),
    "title": (str, "text"),
    "driver": (str, "text"),
    "table": (str, "text"),
    "file": (Path | Traversable, "a path"),
    "read": (Callable, "a function"),
    "text": (Callable, "a function"),
    "picture": (Callable, "a function"),
}
"""Fields of what plugins bring, and what each holds."""


@dataclass(frozen=True)
class Answers:
    """What one plugin returned.

    Attributes
    ----------
    hooks : tuple of str
        Those that it has, in the order of the contract; none for a module that has been asked before.
    items : mapping of str to list
        By hook. Drivers are unchecked; all else is of its hook's type.
    api_version : object
        What its module states, unchecked; None where it states nothing.
    """

    hooks: tuple[str, ...] = ()
    items: Mapping[str, list[Any]] = field(default_factory=dict)
    api_version: Any = None


class PluginRegistry:
    """The plugins of one host, each registered and called by itself.

    One call of a hook over all plugins would end at the first that raises
    and not say whose answer is whose.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("forecast")
        self._manager.add_hookspecs(hookspecs)

    def ask(self, candidate: Candidate) -> Answers:
        """Import a plugin, register it and call its hooks.

        Parameters
        ----------
        candidate : Candidate
            Found, not yet imported.

        Returns
        -------
        Answers
            Empty where the same module has been registered before (installed,
            and named by the user).

        Raises
        ------
        BrokenPlugin
            When any of that fails; the plugin is then not registered.
        """
        with guarded():
            plugin = candidate.load()
            if self._manager.is_registered(plugin):
                return Answers()
        try:
            with guarded():
                self._register(plugin)
                hooks = self._check_hooks(plugin, candidate)
                items = {hook: self._call(hook, plugin) for hook in hooks}
            return Answers(hooks, items, getattr(plugin, "api_version", None))
        except BrokenPlugin:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            raise

    def _call(self, name: str, plugin: Any) -> list[Any]:
        others = [other for other in self._manager.get_plugins() if other is not plugin]
        hook = self._manager.subset_hook_caller(name, others)
        answers = hook()
        # pluggy leaves out answers of None: a forgotten `return` would load nothing, in silence.
        if len(answers) < len(hook.get_hookimpls()):
            raise BrokenPlugin(f"{name}() returned None, not a list of {HOOKS[name][1]}")
        return [item for answer in answers for item in _listed(name, answer)]

    def _register(self, plugin: Any) -> None:
        try:
            self._manager.register(plugin)
        except pluggy.PluginValidationError as error:
            *_, reason = str(error).splitlines() or [""]
            raise BrokenPlugin(f"has a hook that cannot be called: {reason}") from None

    def _check_hooks(self, plugin: Any, candidate: Candidate) -> tuple[str, ...]:
        known = [name for name in vars(hookspecs) if name.startswith("forecast_")]
        mine = self._manager.get_hookcallers(plugin) or []
        # One marked `optionalhook` may be of a later contract than ours: pluggy lets it be.
        callers = [caller for caller in mine if caller.has_spec()]
        if not mine:
            raise BrokenPlugin(
                f"has no hook; define a function {known[0]}() marked with forecast.hookspecs.hookimpl, or "
                "another hook of forecast.hookspecs"
            )
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError:
            names = [caller.name for caller in mine if not caller.has_spec()]
            meant = ", ".join(f"{name!r}{did_you_mean(name, known)}" for name in names)
            raise BrokenPlugin(f"has a hook that does not exist: {meant}") from None
        for caller in callers:
            instead = instead_of(getattr(hookspecs, caller.name))
            if instead:
                warn_once(candidate.who, f"its hook {caller.name} is deprecated; {instead}")
        return tuple(sorted((caller.name for caller in callers), key=known.index))


def _listed(hook: str, answer: Any) -> list[Any]:
    kind, words = HOOKS[hook]
    if not isinstance(answer, (list, tuple)):
        got = f"the class {answer.__name__}" if isinstance(answer, type) else f"a {type(answer).__name__}"
        hint = "; put it into a list" if isinstance(answer, kind) else ""
        raise BrokenPlugin(f"{hook}() returned {got}, not a list of {words}{hint}")
    if kind is not Driver:  # those are checked, and named, one by one
        for item in answer:
            if not isinstance(item, kind):
                raise BrokenPlugin(f"{hook}() returned a list that holds {shown(item)}; it holds {words}")
            _check_fields(hook, item)
    return list(answer)


def _check_fields(hook: str, item: Any) -> None:
    """Refuse a field of another type here, where its plugin is known, and not in the middle of a run."""
    if not is_dataclass(item):  # a path
        return
    for one in fields(item):
        kind, words = FIELDS[one.name]
        value = getattr(item, one.name)
        if not isinstance(value, kind) and not (value is None and one.default is None):
            what = f"{type(item).__name__} whose {one.name} is {shown(value)}"
            raise BrokenPlugin(f"{hook}() returned a {what}; it must be {words}")
