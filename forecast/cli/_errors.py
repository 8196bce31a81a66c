"""Errors at the edge: one paragraph on stderr and an exit code, never a bare traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any

import click

from forecast.errors import ForecastError

INTERRUPTED = 130

_MOST_PROBLEMS = 40
"""Problems that are shown of one input; whoever has more has one cause, such as a file of another kind."""


@contextlib.contextmanager
def shown_as_paragraph() -> Iterator[None]:
    """Show whatever is raised inside as one paragraph and leave with its exit code.

    click's own errors pass: click words them, and exits with 2. So do broken
    pipes (``forecast runs list | head``), which click ends in silence.

    Raises
    ------
    SystemExit
        With the error's exit code, 1 for a bug, 130 after Ctrl-C, 143 after SIGTERM.
    """
    try:
        with _ended_as_by_ctrl_c(), _warnings_in_words():
            yield
        if sys.stdout is not None:  # as it is where the shell closed it (>&-)
            sys.stdout.flush()  # a pipe closed by its reader shows itself here, not at shutdown
    except _Ended as error:
        _leave("Stopped; nothing half-written was kept.", error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _leave("Interrupted; nothing half-written was kept.", INTERRUPTED)
    except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
        raise
    except ForecastError as error:
        _leave(paragraph(error), error.exit_code, error)
    except Exception as error:
        _leave(paragraph(error), 1, error)


class _Ended(KeyboardInterrupt):
    """Somebody asked this process to end: `kill`, a queue at its limit, a terminal that closed."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


@contextlib.contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind a command as Ctrl-C does: workers are ended, files are whole or gone."""

    def end(number: int, _: FrameType | None) -> None:
        raise _Ended(number)

    changed = []
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores it
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, end)
                changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


_IN_WORDS = ("PluginDeprecationWarning", "CompilingWarning")
"""Warnings that concern whoever runs a command, by name: nothing is imported for them."""


@contextlib.contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Show what concerns whoever runs a command on a line; other warnings as Python shows them."""
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if category.__name__ in _IN_WORDS:
            click.echo(f"Warning: {message}", err=True)
        else:
            shown(message, category, *rest, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = shown


def paragraph(error: Exception) -> str:
    """Word an error for the terminal.

    Parameters
    ----------
    error : Exception
        One of ours, or one that nobody foresaw.

    Returns
    -------
    str
        One paragraph: every problem of the input on a line of its own; for
        what nobody foresaw, that it is a bug and how to see more.
    """
    if isinstance(error, ForecastError):
        problems = getattr(error, "problems", None) or (str(error),)
        shown = problems[:_MOST_PROBLEMS]
        lines = [line for problem in shown for line in str(problem).splitlines() if line.strip()]
        if len(problems) > 1:
            lines = [f"{len(problems)} problems:", *(f"  {line}" for line in lines)]
        if len(problems) > len(shown):
            lines.append(f"  and {len(problems) - len(shown)} more")
        lines = lines or [type(error).__name__]
        # A plugin's author needs the line that failed; who mistyped, or has a damaged file, does not.
        cause = error.__cause__
        ours = cause is None or isinstance(cause, ForecastError | OSError | UnicodeDecodeError)
        if not ours and error.exit_code == 1 and not _debugging():
            lines.append("(FORECAST_DEBUG=1 shows the traceback)")
        return "Error: " + "\n".join(lines)
    what = " ".join(str(error).split())[:400]
    name = type(error).__name__
    if isinstance(error, MemoryError):
        return "Error: the machine ran out of memory; fewer draws (--draws) or chains (--chains) need less."
    if isinstance(error, OSError) and error.strerror:
        file = f": {error.filename}" if error.filename else ""
        return f"Error: {error.strerror}{file} (FORECAST_DEBUG=1 shows where)"
    if isinstance(error, OSError):  # libraries that read lazily say no more
        return (
            f"Error: a file could not be read: {what or name}. It is damaged or cut short; if it is the "
            "results.nc of a run, make the run again. (FORECAST_DEBUG=1 shows where)"
        )
    return (
        f"Error: this is a bug in forecast, not in your input: {name}{f': {what}' if what else ''}. "
        "Please report it with the command you gave and what FORECAST_DEBUG=1 prints."
    )


def _debugging() -> bool:
    return os.environ.get("FORECAST_DEBUG", "") not in ("", "0")


def _leave(text: str, code: int, error: Exception | None = None) -> None:
    if error is not None and _debugging():
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    # What a command already wrote to stdout stands before the error.
    with contextlib.suppress(OSError, ValueError):
        if sys.stdout is not None:
            sys.stdout.flush()
    click.echo(text, err=True)
    sys.exit(code)
