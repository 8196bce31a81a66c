"""Writing a file where a user asked for one: a failure leaves nothing half-written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from forecast.errors import ForecastError, InputError


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
def replacing(path: Path, what: str = "") -> Iterator[Path]:
    """Give a hidden sibling to write to, with the same ending; it then takes the place of `path`.

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
    temporary = path.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}{path.suffix.lower()}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise ForecastError(f"{path}: {what}could not be written: {reason}.") from error
    finally:
        with suppress(OSError):  # where nothing can be written, nothing can be removed either
            temporary.unlink(missing_ok=True)


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
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
