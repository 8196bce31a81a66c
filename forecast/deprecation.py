"""What is going away: a warning that names the plugin, once a process."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_said: set[tuple[str, str]] = set()

_INSTEAD = "__forecast_instead__"


class PluginDeprecationWarning(FutureWarning):
    """A plugin uses what a later version of `forecast` will not have; shown to users, not only to authors."""


def warn_once(plugin: str, what: str) -> None:
    """Warn about a plugin, the first time in this process.

    Parameters
    ----------
    plugin : str
        The driver, plugin and distribution, as people call them.
    what : str
        What it does, and what to do instead.
    """
    if (plugin, what) not in _said:
        _said.add((plugin, what))
        warnings.warn(f"{plugin}: {what}", PluginDeprecationWarning, stacklevel=3)


def deprecated(instead: str) -> Callable[[F], F]:
    """Mark a method of the model that drivers see as going away.

    Parameters
    ----------
    instead : str
        Such as ``"use m.lagged"``.

    Returns
    -------
    callable
        A decorator; the method then warns once for each driver that calls it.
    """

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            warn_once(model.caller, f"m.{method.__name__} is deprecated; {instead}")
            return method(model, *args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


def deprecated_hook(instead: str) -> Callable[[F], F]:
    """Mark a hook specification as going away; a plugin that has the hook is warned about.

    Parameters
    ----------
    instead : str
        Such as ``"use forecast_drivers"``.
    """

    def decorate(spec: F) -> F:
        setattr(spec, _INSTEAD, instead)
        return spec

    return decorate


def instead_of(spec: Callable[..., Any]) -> str | None:
    """Return what to use instead of a hook; None for one that stays."""
    return getattr(spec, _INSTEAD, None)
