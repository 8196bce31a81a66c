"""Register a plugin with pluggy and ask it for its drivers."""

from __future__ import annotations

from typing import Any

import pluggy

from forecast import hookspecs
from forecast.discovery import BrokenPlugin, Candidate, guarded
from forecast.driver import Driver
from forecast.wording import did_you_mean


class PluginRegistry:
    """The plugins of one host, each registered and called by itself.

    One call of the hook over all plugins would end at the first that raises
    and not say whose answer is whose.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("forecast")
        self._manager.add_hookspecs(hookspecs)

    def drivers_of(self, candidate: Candidate) -> list[Any]:
        """Import a plugin, register it and call its hook.

        Parameters
        ----------
        candidate : Candidate
            Found, not yet imported.

        Returns
        -------
        list
            What the hook returned, unchecked; nothing where the same module
            has been registered before (installed, and named by the user).

        Raises
        ------
        BrokenPlugin
            When any of that fails; the plugin is then not registered.
        """
        with guarded():
            plugin = candidate.load()
            if self._manager.is_registered(plugin):
                return []
        try:
            with guarded():
                self._register(plugin)
                self._check_hooks(plugin)
                others = [other for other in self._manager.get_plugins() if other is not plugin]
                hook = self._manager.subset_hook_caller("forecast_drivers", others)
                answers = hook()
                # pluggy leaves out answers of None: a forgotten `return` would load nothing, in silence.
                if len(answers) < len(hook.get_hookimpls()):
                    raise BrokenPlugin("forecast_drivers() returned None, not a list of drivers")
            return [driver for answer in answers for driver in _listed(answer)]
        except BrokenPlugin:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            raise

    def _register(self, plugin: Any) -> None:
        try:
            self._manager.register(plugin)
        except pluggy.PluginValidationError as error:
            *_, reason = str(error).splitlines() or [""]
            raise BrokenPlugin(f"has a hook that cannot be called: {reason}") from None

    def _check_hooks(self, plugin: Any) -> None:
        known = [name for name in vars(hookspecs) if name.startswith("forecast_")]
        callers = self._manager.get_hookcallers(plugin) or []
        if not callers:
            raise BrokenPlugin(
                f"has no hook; define a function {' or '.join(known)}() marked with "
                "forecast.hookspecs.hookimpl"
            )
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError:
            names = [caller.name for caller in callers if not caller.has_spec()]
            meant = ", ".join(f"{name!r}{did_you_mean(name, known)}" for name in names)
            raise BrokenPlugin(f"has a hook that does not exist: {meant}") from None


def _listed(answer: Any) -> list[Any]:
    if isinstance(answer, (list, tuple)):
        return list(answer)
    got = f"the class {answer.__name__}" if isinstance(answer, type) else f"a {type(answer).__name__}"
    hint = "; put it into a list" if isinstance(answer, Driver) else ""
    raise BrokenPlugin(f"forecast_drivers() returned {got}, not a list of drivers{hint}")
