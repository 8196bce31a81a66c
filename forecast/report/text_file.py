"""Writing a file where a user asked for one: a failure leaves nothing half-written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import ForecastError, InputError
from forecast.files import replacing


def check_text_path(path: Path) -> None:
    """Refuse a place where no file can be, before anything is computed.

    Raises
    ------
    InputError
        There is no such folder, or a folder is there already.
    """
    check_folder(path)
    if os.path.isdir(path):
        raise InputError(f"--output {path}: is a folder; name a file in it")


def check_folder(path: Path) -> None:
    """Refuse a file in a folder that there is not.

    Raises
    ------
    InputError
    """
    if not os.path.isdir(path.parent):
        raise InputError(
            f"--output {path}: there is no folder {path.parent}; make it first, or name another place"
        )


@contextmanager
def saving(path: Path, what: str = "") -> Iterator[Path]:
    """Give a sibling to write to that takes the place of `path`, as :func:`forecast.files.replacing`.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        What is written, for the message.

    Raises
    ------
    ForecastError
        It cannot be written.
    """
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as error:
        reason = error.strerror or error
        raise ForecastError(f"{path}: {what}could not be written: {reason}.") from error


def save_text(path: Path, text: str) -> None:
    """Write a file in UTF-8 through a hidden sibling; an existing one is replaced.

    Raises
    ------
    InputError
        As :func:`check_text_path`.
    ForecastError
        It cannot be written.
    """
    check_text_path(path)
    with saving(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
