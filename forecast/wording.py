"""Small helpers for error messages: what was meant, and what was given."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Say which valid name is nearest to `name`.

    Parameters
    ----------
    name : str
        What was written.
    valid : iterable of str
        What could have been written.

    Returns
    -------
    str
        ``" (did you mean 'x'?)"`` with a leading space; where nothing is
        near, a list of the valid names if they are few, else nothing.
    """
    names = sorted(set(valid))
    word = name[:100]
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.6)
    if len(near) == 2 and _likeness(near[1], word) < _likeness(near[0], word) - 0.05:
        near.pop()  # only names that are about equally near are both shown
    if near:
        return f" (did you mean {' or '.join(map(repr, near))}?)"
    if 0 < len(names) <= 20:
        return f" (valid: {', '.join(names)})"
    return ""


def _likeness(name: str, word: str) -> float:
    return difflib.SequenceMatcher(None, word, name).ratio()


def neither(blocs: int) -> str:
    """Word for the world in which no bloc is there: "neither" of two, "none" of more."""
    return "neither" if blocs == 2 else "none"


def printable(text: str) -> str:
    """Show line breaks and other control characters as escapes, so that a message stays one line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown(value: object, length: int = 60) -> str:
    """Show a value that the user gave, cut to `length` characters, on one line."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an int of more digits than Python prints, or absurd nesting
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= length else text[: length - 1] + "…"
