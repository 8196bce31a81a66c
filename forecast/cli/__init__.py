"""The command ``forecast``: a group whose commands are imported only when they run.

``forecast --help`` must stay as fast as importing click, so the table below
holds each command's place and one line of help, and nothing else is imported.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from forecast.cli._errors import shown_as_paragraph

if TYPE_CHECKING:
    from forecast.cli._plugin_commands import PluginCommand

HELP = """When does AGI arrive, and who gets there first?

`forecast run` answers for the shipped assumptions; `forecast run --priors FILE` for yours.

\b
Exit codes: 0 good; 1 something failed, a plugin included; 2 wrong input;
3 the run finished but its diagnostics failed; 130 interrupted, 143 by SIGTERM.
Set FORECAST_DEBUG=1 to see the traceback behind an error.
"""

COMMANDS = {
    "run": ("forecast.cli.run:run", "Make a forecast: fit, project, and save it as a run."),
    "runs": ("forecast.cli.runs:runs", "List saved runs and read them with other settings."),
    "diagnose": ("forecast.cli.diagnose:diagnose", "Whether a fit may be relied on, and what to do if not."),
    "report": ("forecast.cli.report:report", "Write a saved run as one HTML page."),
    "sensitivity": ("forecast.cli.sensitivity:sensitivity", "What the answer hangs on, and how much."),
    "pictures": ("forecast.cli.pictures:pictures", "Draw a saved run, and ArviZ's pictures of the fit."),
    "calibrate": ("forecast.cli.calibrate:calibrate", "Whether posteriors are right over simulated data."),
    "scenario": ("forecast.cli.scenario:scenario", "What changes if: named scenarios against a base."),
    "whatif": ("forecast.cli.whatif:whatif", "What a run would say under other settings, at once."),
    "sweep": ("forecast.cli.sweep:sweep", "Many forecasts over settings that vary, on all cores."),
    "backtest": ("forecast.cli.backtest:backtest", "Fit at earlier dates, and score what came next."),
    "query": ("forecast.cli.query:query", "Ask a saved run a conditional question."),
    "compare": ("forecast.cli.compare:compare", "Show saved runs side by side, and how they differ."),
    "ensemble": ("forecast.cli.ensemble:ensemble", "Mix saved runs, with a weight for each."),
    "claims": ("forecast.cli.claims:claims", "Check what somebody claimed against a saved run."),
    "costs": ("forecast.cli.costs:costs", "Cost of a fixed capability beside what the frontier spends."),
    "worlds": ("forecast.cli.worlds:worlds", "Unipolar or bipolar: by limit, by threshold; durations."),
    "channels": ("forecast.cli.channels:channels", "What a bloc under controls can get, channel by channel."),
    "growth": ("forecast.cli.growth:growth", "What made the growth of a quantity, by driver."),
    "rerun": ("forecast.cli.runs:rerun", "Repeat a saved run and say whether it came out the same."),
    "priors": ("forecast.cli.priors:priors", "Show, check and plot prior files."),
    "evidence": ("forecast.cli.evidence:evidence", "List the evidence that the model is fitted to."),
    "drivers": ("forecast.cli.drivers:drivers", "List the drivers that are loaded and what each does."),
    "graph": ("forecast.cli.graph:graph", "Draw how the loaded model fits together."),
    "plugins": ("forecast.cli.plugins:plugins", "List the plugins that are installed and how they are."),
    "plugin": ("forecast.cli.plugin:plugin", "Write a plugin, and check it."),
    "cache": ("forecast.cli.cache:cache", "List the compiled models on disk, and delete them."),
    "import": ("forecast.cli.importing:import_rows", "Turn a file of another's into rows of evidence."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is run, and shows errors in words.

    Parameters
    ----------
    commands_at : dict of str to (str, str)
        For each command ``"module:attribute"`` and its one line of help.
    of_plugins : bool
        Whether installed plugins may bring further commands.
    """

    def __init__(
        self,
        *args: Any,
        commands_at: dict[str, tuple[str, str]],
        of_plugins: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.commands_at = commands_at
        self.of_plugins = of_plugins

    def plugin_commands(self, *, ours: bool = False) -> dict[str, PluginCommand]:
        """Commands of plugins, from metadata alone; a name of ours stays ours.

        With `ours` instead those that have a name of ours, and so are not used.
        """
        if not self.of_plugins:
            return {}
        from forecast.cli._plugin_commands import plugin_commands

        return {
            name: found for name, found in plugin_commands().items() if (name in self.commands_at) == ours
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table, which is the order of use; then those of plugins."""
        return [*self.commands_at, *self.plugin_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.commands_at:
            theirs = self.plugin_commands().get(cmd_name)
            return None if theirs is None else theirs.load()
        module, _, attribute = self.commands_at[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if args and args[0] not in self.commands_at and not args[0].startswith("-"):
            from forecast.wording import did_you_mean

            known = self.list_commands(ctx)
            if args[0] not in known:
                ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], known)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.commands_at.items()])
        theirs = [(name, command.help) for name, command in self.plugin_commands().items()]
        theirs += [
            (name, f"Not used: it has the name of a command above ({command.owners}).")
            for name, command in self.plugin_commands(ours=True).items()
        ]
        if theirs:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(theirs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever fails becomes one paragraph and an exit code."""
        with shown_as_paragraph():
            return super().invoke(ctx)


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from importlib import metadata

    try:
        version = metadata.version("agi-forecast")
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        version = "(not installed)"
    click.echo(f"forecast {version}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    of_plugins=True,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Run the command line; the text above is its help."""
