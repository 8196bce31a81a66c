"""Writing a text file where a user asked for one: a failure leaves nothing half-written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from forecast.errors import ForecastError, InputError


def check_text_path(path: Path) -> None:
    """Refuse a place where no file can be, before anything is computed.

    Raises
    ------
    InputError
        There is no such folder, or a folder is there already.
    """
    if not os.path.isdir(path.parent):
        raise InputError(
            f"--output {path}: there is no folder {path.parent}; make it first, or name another place"
        )
    if os.path.isdir(path):
        raise InputError(f"--output {path}: is a folder; name a file in it")


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
    temporary = path.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise ForecastError(f"{path}: could not be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
