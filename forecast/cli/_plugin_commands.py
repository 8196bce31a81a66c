"""Commands that plugins bring: known from metadata alone, imported when they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

import click

from forecast.entry_points import distribution_of, read_entry_points

GROUP = "forecast.commands"


@dataclass(frozen=True)
class PluginCommand:
    """An entry point of the group ``forecast.commands``.

    Attributes
    ----------
    name : str
        The command's.
    points : tuple of importlib.metadata.EntryPoint
        One, or several where plugins want the same name.
    """

    name: str
    points: tuple[metadata.EntryPoint, ...]

    @property
    def owners(self) -> str:
        """Distributions and versions, in words."""
        return " and ".join(_label(point) for point in self.points)

    @property
    def help(self) -> str:
        """One line: what the distribution says of itself, and which it is."""
        if len(self.points) > 1:
            return f"Cannot be used: {self.owners} both bring it."
        dist = self.points[0].dist
        try:
            summary = (dist.metadata.get("Summary") if dist else "") or ""
        except Exception:  # no METADATA, or a damaged one
            summary = ""
        summary = " ".join(summary.split())
        return f"{summary[:60].rstrip('. ')} ({self.owners})." if summary else f"Of {self.owners}."

    def load(self) -> click.Command:
        """Import the command.

        Raises
        ------
        PluginError
            Two plugins bring it, its import fails, or it is no click command.
        """
        from forecast.discovery import BrokenPlugin, guarded
        from forecast.errors import PluginError

        if len(self.points) > 1:
            raise PluginError(f"the command {self.name!r} is brought by {self.owners}; uninstall one of them")
        try:
            with guarded():
                command = self.points[0].load()
                if not isinstance(command, click.Command):
                    raise BrokenPlugin(f"it is a {type(command).__name__}, not a click command")
        except BrokenPlugin as error:
            raise PluginError(
                f"its command {self.name!r} cannot be used: {error}", distribution=self.owners
            ) from error.__cause__
        return _blaming(command, self)


def plugin_commands() -> dict[str, PluginCommand]:
    """Commands of installed plugins, by name, without importing any.

    Returns
    -------
    dict of str to PluginCommand
    """
    found: dict[str, tuple[metadata.EntryPoint, ...]] = {}
    for point in sorted(read_entry_points(GROUP)[0], key=_label):
        others = found.get(point.name, ())
        if _label(point) not in map(_label, others):  # a path that is searched twice
            found[point.name] = (*others, point)
    return {name: PluginCommand(name, points) for name, points in sorted(found.items())}


def commands() -> list[tuple[str, str, str]]:
    """Distribution, version and name of every command that plugins bring."""
    return [
        (*distribution_of(point), name) for name, found in plugin_commands().items() for point in found.points
    ]


def _label(point: metadata.EntryPoint) -> str:
    return " ".join(distribution_of(point)).strip() or point.value


def _blaming(command: click.Command, whose: PluginCommand) -> click.Command:
    """Have what nobody foresaw in the command named as the plugin's fault, not as ours."""
    from forecast.discovery import describe
    from forecast.errors import ForecastError, PluginError

    def blaming[**P, T](run: Callable[P, T]) -> Callable[P, T]:
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return run(*args, **kwargs)
            except (ForecastError, click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
                raise
            except Exception as error:
                message = f"its command {whose.name!r} failed: {describe(error)}"
                raise PluginError(message, distribution=whose.owners) from error

        return call

    command.make_context = blaming(command.make_context)  # type: ignore[method-assign]
    command.invoke = blaming(command.invoke)  # type: ignore[method-assign]
    return command
