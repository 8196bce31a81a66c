"""``forecast plugin``: for those who write one."""

from __future__ import annotations

import click

from forecast.cli import LazyGroup

COMMANDS = {
    "new": ("forecast.cli.plugin_new:new", "Write a new plugin: a package that runs and passes its tests."),
    "check": ("forecast.cli.plugin_check:check", "Check a plugin's drivers against the conformance kit."),
}


@click.group(cls=LazyGroup, commands_at=COMMANDS, short_help="Write a plugin, and check it.")
def plugin() -> None:
    """Write a plugin, and check it. `forecast plugins` lists those that are installed."""
