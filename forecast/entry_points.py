"""Entry points of what is installed, read so that one damaged distribution hides no other.

The standard library reads the entry points of all distributions or of none: a
line without "=" in the metadata of any package, or a byte that is not UTF-8,
would stop even ``forecast --help``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata


@dataclass(frozen=True)
class Damaged:
    """A distribution whose entry points cannot be read.

    Attributes
    ----------
    distribution, version : str
    error : str
        What is wrong, on one line.
    """

    distribution: str
    version: str
    error: str


def read_entry_points(group: str) -> tuple[list[metadata.EntryPoint], list[Damaged]]:
    """Entry points of a group, and distributions that may have some but are damaged.

    Parameters
    ----------
    group : str
        Such as ``"forecast.drivers"``.

    Returns
    -------
    found : list of importlib.metadata.EntryPoint
    damaged : list of Damaged
        Only those whose file names this group, or another with the same first word.
    """
    try:
        return list(metadata.entry_points(group=group)), []
    except Exception:  # one of them; which, only a look at each can tell
        return _one_by_one(group)


def normal_name(distribution: str) -> str:
    """Return the name under which a distribution is the same with hyphens, underscores or dots (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def distribution_of(point: metadata.EntryPoint) -> tuple[str, str]:
    """Name and version of what an entry point was installed with; blank where it says neither."""
    return _named(point.dist) if point.dist else ("", "")


def _one_by_one(group: str) -> tuple[list[metadata.EntryPoint], list[Damaged]]:
    found: list[metadata.EntryPoint] = []
    damaged: list[Damaged] = []
    seen = set()
    for distribution in metadata.distributions():
        name, version = _named(distribution)
        key = normal_name(name)
        if key in seen:  # further down the path, and so hidden
            continue
        seen.add(key)
        try:
            found += [point for point in distribution.entry_points if point.group == group]
        except Exception as error:
            if _mentions(distribution, f"{group.partition('.')[0]}."):
                what = f"its entry_points.txt cannot be read ({type(error).__name__}); install it again"
                damaged.append(Damaged(name, version, what))
    return found, damaged


def _mentions(distribution: metadata.Distribution, word: str) -> bool:
    try:
        return word in (distribution.read_text("entry_points.txt") or "")
    except UnicodeDecodeError as error:
        return word.encode() in error.object
    except Exception:
        return True


def _named(distribution: metadata.Distribution) -> tuple[str, str]:
    try:
        name, version = (distribution.metadata.get(key) for key in ("Name", "Version"))
    except Exception:  # the METADATA is missing or damaged as well
        name = version = None
    if not name:  # its folder is called after it: NAME-VERSION.dist-info
        stem = getattr(getattr(distribution, "_path", None), "stem", "")
        name, _, version = stem.partition("-")
    return str(name or "an unnamed distribution"), str(version or "")
