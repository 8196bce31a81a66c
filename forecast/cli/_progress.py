"""What a long command says while it works: phases and a bar, on standard error."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from forecast.engine import Reporter


class Progress(Reporter):
    """A reporter for people: a live bar on a terminal, a line a phase elsewhere.

    Parameters
    ----------
    counted : str
        What is counted.
    """

    def __init__(self, counted: str = "draws") -> None:
        self._counted = counted
        self._console = Console(stderr=True)
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[counted]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        """Start showing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing, whatever happened."""
        self._bar.stop()

    def phase(self, name: str) -> None:
        """Begin a phase."""
        if not self._console.is_terminal:
            self.say(f"{name} ...")
            return
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=None, counted="")

    def progress(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._task is not None:
            counted = f"{done:,} of {total:,} {self._counted}"
            self._bar.update(self._task, completed=done, total=total, counted=counted)

    def warn(self, message: str) -> None:
        """Print a warning above the bar."""
        self.say(f"Warning: {message}", style="yellow", soft_wrap=True)

    def say(self, text: str, **how: Any) -> None:
        """Print a line, or go on without it: a disk that is full of logs ends no fit."""
        with suppress(OSError):
            self._console.print(text, highlight=False, **how)
