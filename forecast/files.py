"""Files that are whole or not there, and the formats of pictures."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PICTURE_FORMATS = ("png", "pdf", "svg", "html")
"""Formats that a picture can be written in, as endings without their dot; html is a page with the picture."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a hidden sibling to write to, with the same ending; it is flushed, then takes the place of `path`.

    Parameters
    ----------
    path : pathlib.Path
        Of a file, or of a folder: then an earlier one is removed first.

    Yields
    ------
    pathlib.Path
        Named ``.tmp-...``; gone afterwards, whatever is raised.

    Raises
    ------
    OSError
        It cannot be written, and an earlier file stays as it was.
    """
    temporary = path.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}{path.suffix.lower()}")
    try:
        yield temporary
        if temporary.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(OSError):  # where nothing can be written, nothing can be removed either
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            temporary.unlink(missing_ok=True)
