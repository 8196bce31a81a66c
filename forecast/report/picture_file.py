"""Writing a picture: its ending says the format, and a failure leaves nothing half-written."""

from __future__ import annotations

import os
import secrets
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.text import Text

from forecast.errors import ForecastError, InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No time stamp: the same run gives the same file.
_STAMPS = {".png": {"Software": None}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def check_picture_path(path: Path) -> None:
    """Refuse an ending that is no format, and a folder that is none, before anything is computed.

    Raises
    ------
    InputError
        Naming the endings that are, or the folder.
    """
    if path.suffix.lower() not in _STAMPS:
        raise InputError(
            f"--output {path}: must end in {', '.join(_STAMPS)}, which says the picture's format"
        )
    if not os.path.isdir(path.parent):
        raise InputError(
            f"--output {path}: there is no folder {path.parent}; make it first, or name another place"
        )


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure through a hidden sibling; an existing file is replaced.

    Raises
    ------
    InputError
        Where the ending is no format, or there is no such folder.
    ForecastError
        Where it cannot be written.
    """
    check_picture_path(path)
    suffix = path.suffix.lower()
    temporary = path.with_name(f".tmp-{os.getpid()}-{secrets.token_hex(4)}{suffix}")
    show_titles_as_written(figure)
    try:
        # SVG names its parts by hashes, which would be salted at random.
        with rc_context({"svg.hashsalt": "forecast"}), warnings.catch_warnings():
            # A title in a script that the font lacks shows boxes; that is no reason to name lines of code.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure.savefig(temporary, metadata=_STAMPS[suffix])
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise ForecastError(f"{path}: the picture could not be written: {reason}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def show_titles_as_written(figure: Figure) -> None:
    """Let no dollar sign in a title, a label or a legend begin a formula.

    Titles are the user's own: two dollar signs are money, and what stands between them is seldom TeX. Labels
    that matplotlib itself writes at ticks are left alone.
    """
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_text() and r"\mathdefault" not in text.get_text():
            text.set_parse_math(False)
