"""The command group: quick help, nearest names, and errors as one paragraph with an exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner, Result

from forecast.cli import COMMANDS, LazyGroup, main
from forecast.cli._errors import shown_as_paragraph
from forecast.errors import ForecastError, InputError, PluginError
from forecast.inference.compiling import CompilingWarning

HEAVY = [
    "numpy",
    "scipy",
    "pymc",
    "pytensor",
    "arviz",
    "arviz_stats",
    "nutpie",
    "xarray",
    "matplotlib",
    "pydantic",
    "rich",
    "pluggy",
]


def in_a_new_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from forecast.cli import main; main(sys.argv[1:], prog_name='forecast')"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **environment},
        check=False,
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Run a command that does what it is told, inside a group like the real one."""
    monkeypatch.delenv("FORECAST_DEBUG", raising=False)

    def run(action: Callable[[], object]) -> Result:
        @click.command()
        def command() -> None:
            action()

        monkeypatch.setitem(sys.modules, "toy_commands", SimpleNamespace(command=command))
        group = LazyGroup("toy", commands_at={"do": ("toy_commands:command", "Do it.")})
        return CliRunner().invoke(group, ["do"])

    yield run


def raiser(error: BaseException) -> Callable[[], object]:
    def action() -> None:
        raise error

    return action


def test_help_lists_every_command_with_a_line_of_help():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, (_, text) in COMMANDS.items():
        assert f"  {name} " in result.output and text in result.output


def test_help_imports_no_command_and_nothing_heavy():
    code = (
        "import sys\n"
        "from forecast.cli import main\n"
        "try:\n    main(['--help'], prog_name='forecast')\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        f"print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)\n"
        "light = ('forecast.cli._errors', 'forecast.cli._plugin_commands')\n"
        "print([m for m in sys.modules if m.startswith('forecast.cli.') and m not in light],"
        " file=sys.stderr)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stderr.splitlines() == ["[]", "[]"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_table_exists_and_has_help(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: main {name}")


def test_version_is_that_of_the_distribution_or_says_that_there_is_none():
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("forecast ")


def test_a_misspelt_command_is_wrong_input_with_the_nearest_name():
    result = CliRunner().invoke(main, ["driverz"])
    assert result.exit_code == 2
    assert "no command 'driverz' (did you mean 'drivers'" in result.stderr


def test_no_command_at_all_shows_the_help():
    result = CliRunner().invoke(main, [])
    assert "Commands:" in result.output


def test_a_command_that_ends_well_exits_with_zero(failing):
    assert failing(lambda: click.echo("done")).exit_code == 0


def test_a_command_chooses_its_exit_code(failing):
    result = failing(lambda: click.get_current_context().exit(3))
    assert result.exit_code == 3 and result.stderr == ""


def test_wrong_input_exits_with_two_and_the_sentence_alone(failing):
    result = failing(raiser(InputError("mine.toml:3: sigma must be positive, got -0.1")))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == "Error: mine.toml:3: sigma must be positive, got -0.1\n"


def test_all_problems_of_the_input_are_listed_at_once(failing):
    result = failing(raiser(InputError(["a.toml:1: one", "a.toml:2: two"])))
    assert result.exit_code == 2
    assert result.stderr == "Error: 2 problems:\n  a.toml:1: one\n  a.toml:2: two\n"


def test_a_plugin_exits_with_one_and_is_named(failing):
    result = failing(raiser(PluginError("went wrong", driver="toy", distribution="agi-toys 1.0")))
    assert result.exit_code == 1
    assert result.stderr == "Error: driver 'toy' of agi-toys 1.0: went wrong\n"


def test_an_error_of_ours_without_words_still_says_something(failing):
    assert failing(raiser(ForecastError())).stderr == "Error: ForecastError\n"


def test_the_author_of_a_plugin_learns_how_to_see_the_traceback(failing, monkeypatch):
    def action() -> None:
        try:
            raise ValueError("inside the plugin")
        except ValueError as error:
            raise PluginError("went wrong", driver="toy") from error

    assert "FORECAST_DEBUG=1 shows the traceback" in failing(action).stderr
    monkeypatch.setenv("FORECAST_DEBUG", "1")
    shown = failing(action).stderr
    assert "ValueError: inside the plugin" in shown and "Traceback" in shown
    assert shown.endswith("Error: driver 'toy': went wrong\n")


def test_who_mistyped_or_has_a_damaged_file_is_not_sent_to_a_traceback(failing):
    def raised(error: ForecastError, cause: Exception) -> None:
        raise error from cause

    missing = FileNotFoundError(2, "No such file or directory")
    assert failing(lambda: raised(ForecastError("x"), missing)).stderr == "Error: x\n"
    assert failing(lambda: raised(InputError("x"), ValueError("y"))).stderr == "Error: x\n"


def test_of_very_many_problems_the_first_are_shown(failing):
    shown = failing(raiser(InputError([f"file:{line}: wrong" for line in range(1, 101)]))).stderr
    assert shown.startswith("Error: 100 problems:\n  file:1: wrong\n")
    assert shown.endswith("  file:40: wrong\n  and 60 more\n")


def test_what_nobody_foresaw_is_called_a_bug_in_one_paragraph(failing, monkeypatch):
    result = failing(raiser(ZeroDivisionError("division by zero\nand more")))
    assert result.exit_code == 1
    assert "this is a bug in forecast" in result.stderr
    assert "ZeroDivisionError: division by zero and more" in result.stderr
    assert "Traceback" not in result.stderr and result.stderr.count("\n") == 1
    monkeypatch.setenv("FORECAST_DEBUG", "1")
    assert "Traceback (most recent call last)" in failing(raiser(ZeroDivisionError())).stderr


def test_forecast_debug_zero_means_no_traceback(failing, monkeypatch):
    monkeypatch.setenv("FORECAST_DEBUG", "0")
    assert "Traceback" not in failing(raiser(ZeroDivisionError())).stderr


def test_a_file_that_cannot_be_read_to_its_end_is_not_called_a_bug(failing):
    result = failing(raiser(OSError("Can't synchronously read data (filter returned failure)")))
    assert result.exit_code == 1
    assert "bug" not in result.stderr and "filter returned failure" in result.stderr
    assert "make the run again" in result.stderr


def test_a_full_disk_is_not_called_a_bug(failing):
    result = failing(raiser(OSError(28, "No space left on device", "results.nc")))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No space left on device: results.nc")


def test_too_little_memory_is_not_called_a_bug(failing):
    result = failing(raiser(MemoryError()))
    assert result.exit_code == 1 and "ran out of memory" in result.stderr


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_exits_with_130_and_one_line(failing, error):
    result = failing(raiser(error))
    assert result.exit_code == 130
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("Interrupted")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_whoever_ends_it_has_everything_put_away_as_by_ctrl_c(failing, name):
    number, put_away = getattr(signal, name), []

    def action() -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(10)
        finally:
            put_away.append(True)

    result = failing(action)
    assert result.exit_code == 128 + number and put_away
    assert result.stderr == "Stopped; nothing half-written was kept.\n"
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_makes_a_start_slow_is_told_in_words(failing):
    result = failing(
        lambda: warnings.warn("the compiled model could not be kept", CompilingWarning, stacklevel=2)
    )
    assert result.stderr == "Warning: the compiled model could not be kept\n"


def test_a_usage_error_inside_a_command_keeps_clicks_words(failing):
    result = failing(raiser(click.UsageError("give --window as START:END")))
    assert result.exit_code == 2
    assert "give --window as START:END" in result.stderr


def test_output_before_an_error_stands(failing):
    def action() -> None:
        click.echo("first")
        raise InputError("then this")

    result = failing(action)
    assert result.stdout == "first\n" and result.stderr == "Error: then this\n"


def test_a_pipe_closed_by_its_reader_is_no_error():
    code = (
        "import sys, types, click\n"
        "from forecast.cli import LazyGroup\n"
        "@click.command()\n"
        "def command():\n"
        "    for _ in range(100_000): sys.stdout.write('a line of output\\n')\n"
        "sys.modules['toy_commands'] = types.SimpleNamespace(command=command)\n"
        "LazyGroup('toy', commands_at={'do': ('toy_commands:command', '')})(['do'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=30)
    assert complaint == b""


def test_a_standard_output_that_is_closed_is_no_bug(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", None)
        with shown_as_paragraph():
            pass
        with pytest.raises(SystemExit) as left, shown_as_paragraph():
            raise InputError("a mistake")
    assert left.value.code == 2


def test_an_unknown_option_exits_with_two_in_a_process_of_its_own():
    done = in_a_new_process("--no-such-option")
    assert done.returncode == 2 and "No such option" in done.stderr and done.stdout == ""
