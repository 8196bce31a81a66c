"""Writing a picture: its ending says the format, and a failure leaves nothing half-written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context

from forecast.errors import ForecastError, InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No time stamp: the same run gives the same file.
_STAMPS = {".png": {"Software": None}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def check_picture_path(path: Path) -> None:
    """Refuse an ending that is no format, before anything is computed.

    Raises
    ------
    InputError
        Naming the endings that are.
    """
    if path.suffix.lower() not in _STAMPS:
        raise InputError(
            f"--output {path}: must end in {', '.join(_STAMPS)}, which says the picture's format"
        )


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure through a hidden sibling; an existing file is replaced.

    Raises
    ------
    InputError
        Where the ending is no format.
    ForecastError
        Where it cannot be written.
    """
    check_picture_path(path)
    suffix = path.suffix.lower()
    temporary = path.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}{suffix}")
    try:
        # SVG names its parts by hashes, which would be salted at random.
        with rc_context({"svg.hashsalt": "forecast"}):
            figure.savefig(temporary, metadata=_STAMPS[suffix])
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise ForecastError(f"{path}: the picture could not be written: {reason}.") from error
    finally:
        temporary.unlink(missing_ok=True)
