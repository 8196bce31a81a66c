"""Writing a picture: its ending says the format, and a failure leaves nothing half-written."""

from __future__ import annotations

import html
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.text import Text

from forecast.errors import InputError
from forecast.files import PICTURE_FORMATS
from forecast.report.text_file import check_folder, saving

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No time stamp: the same run gives the same file.
_STAMPS = {"png": "Software", "svg": "Date", "pdf": "CreationDate"}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ margin: 1rem; background: #fff; }}
figure {{ margin: 0 auto; max-width: {width}in; }}
svg {{ width: 100%; height: auto; }}
</style>
</head>
<body>
<figure role="img" aria-label="{title}">
{svg}
</figure>
</body>
</html>
"""


def check_picture_path(path: Path) -> None:
    """Refuse an ending that is no format, and a folder that is none, before anything is computed.

    Raises
    ------
    InputError
        Naming the endings that are, or the folder.
    """
    endings = [f".{kind}" for kind in PICTURE_FORMATS]
    if path.suffix.lower() not in endings:
        raise InputError(
            f"--output {path}: must end in {', '.join(endings)}, which says the picture's format"
        )
    check_folder(path)


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
    show_titles_as_written(figure)
    # SVG names its parts by hashes, which would be salted at random.
    with saving(path, "the picture ") as temporary, rc_context({"svg.hashsalt": "forecast"}):
        with warnings.catch_warnings():
            # A title in a script that the font lacks shows boxes; that is no reason to name lines of code.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            kind = path.suffix.lower().removeprefix(".")
            if kind == "html":
                temporary.write_text(_page(figure, path.stem), encoding="utf-8")
            else:
                figure.savefig(temporary, metadata={_STAMPS[kind]: None})


def _page(figure: Figure, name: str) -> str:
    """A page with the figure as SVG, whose text can be searched, and a title for those who cannot see it."""
    with io.StringIO() as stream, rc_context({"svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={_STAMPS["svg"]: None})
        drawn = stream.getvalue()
    title = figure.get_suptitle() or next((a.get_title() for a in figure.axes if a.get_title()), "") or name
    return _PAGE.format(
        title=html.escape(title), width=figure.get_size_inches()[0], svg=drawn[drawn.index("<svg") :]
    )


def show_titles_as_written(figure: Figure) -> None:
    """Let no dollar sign in a title, a label or a legend begin a formula.

    Titles are the user's own: two dollar signs are money, and what stands between them is seldom TeX. Labels
    that matplotlib itself writes at ticks are left alone.
    """
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_text() and r"\mathdefault" not in text.get_text():
            text.set_parse_math(False)
