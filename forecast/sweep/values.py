"""The settings of a sweep that vary, and the values that each of them takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from forecast.wording import did_you_mean, shown
from forecast.worldview.files import Document
from forecast.worldview.origins import Problems
from forecast.worldview.schema import WorldviewFile, keys_of
from forecast.worldview.toml_lines import Path

OWN = ("scenario", "without", "window")
"""Settings that are no key of a prior file: a scenario by its name, drivers to leave out, "START:END"."""

_OF_A_FILE = ("extends", "name", "set", "kind", "source", "title", "description")


@dataclass(frozen=True)
class Range:
    """Numbers, or days, between two ends; evenly spread, or by their logarithm."""

    low: float | date
    high: float | date
    log: bool = False


Values = list[Any] | Range


def read_settings(document: Document, problems: Problems) -> tuple[dict[str, Values], dict[str, Path]]:
    """Read ``[settings]`` of a sweep file.

    Parameters
    ----------
    document : Document
    problems : Problems
        Told of what is wrong, each with file, line and key.

    Returns
    -------
    settings : dict of str to (list or Range)
        By dotted key, in the order of the file.
    places : dict of str to path
        Where in the file each setting stands.
    """
    given = document.data.get("settings")
    settings: dict[str, Values] = {}
    places: dict[str, Path] = {}
    if not given:
        problems.add(
            document.origin(("settings",) if given is not None else ()),
            '[settings] says nothing that varies: give a key and its values, such as "window.end" = '
            "[2027-12-31, 2030-12-31]",
        )
        return settings, places
    if not isinstance(given, dict):
        return settings, places  # said already
    for where, value in _leaves(given, ("settings",)):
        key = ".".join(str(part).strip() for part in where[1:])
        found = _values(document, where, key, value, problems)
        if key in settings:
            problems.add(document.origin(where), f"is given twice: {key}")
        elif found is not None:
            settings[key], places[key] = found, where
    return settings, places


def _leaves(table: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield each setting: dotted keys and subtables of TOML come to the same as a quoted key."""
    for key, value in table.items():
        if isinstance(value, dict) and value and not {"low", "high", "log"} & set(value):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _values(document: Document, where: Path, key: str, value: Any, problems: Problems) -> Values | None:
    at = document.origin(where)
    top = key.split(".")[0].strip('"')
    known = [name for name in keys_of(WorldviewFile) if name not in _OF_A_FILE]
    if top not in known and key not in OWN:
        problems.add(at, f"is no setting{did_you_mean(top, [*known, *OWN])}")
        return None
    if isinstance(value, dict):
        return _range(document, where, value, problems)
    if not isinstance(value, list) or not value:
        problems.add(
            at,
            f"must be a list of values, or {{ low = 0.1, high = 0.3 }} for a latin-hypercube, "
            f"got {shown(value)}",
        )
        return None
    if any(isinstance(one, datetime) for one in value):
        problems.add(at, "must be days, without a time of day")
    wrong = [one for one in value if not isinstance(one, str)] if key in ("scenario", "window") else []
    for one in value if key == "without" else ():
        names = one if isinstance(one, list) else [one]
        wrong += [name for name in names if not isinstance(name, str)]
    if wrong:
        problems.add(at, f"must be text, got {shown(wrong[0])}")
        return None
    return list(value)


def _range(document: Document, where: Path, table: dict[str, Any], problems: Problems) -> Range | None:
    unread = [key for key in table if key not in ("low", "high", "log")]
    for key in unread:
        near = did_you_mean(key, ("low", "high", "log"))
        problems.add(document.origin((*where, key)), f"nothing reads this key{near}")
    low, high, log = table.get("low"), table.get("high"), table.get("log", False)
    at = document.origin(where)
    days = isinstance(low, date) and isinstance(high, date)
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (low, high))
    if not isinstance(log, bool):
        problems.add(at, f"log must be true or false, got {shown(log)}")
    elif not days and not numbers:
        problems.add(at, f"must have low and high, two numbers or two days, got {shown(table)}")
    elif numbers and not _is_finite(low, high):
        problems.add(at, f"low and high must be finite numbers, and not too far apart, got {shown(table)}")
    elif not low < high:  # type: ignore[operator]
        problems.add(at, f"low must be below high, got {low} and {high}")
    elif log and (days or low <= 0):  # type: ignore[operator]
        problems.add(at, f"log = true needs numbers above zero, got {low}")
    elif not unread:
        return Range(low, high, log)  # type: ignore[arg-type]
    return None


def _is_finite(low: Any, high: Any) -> bool:
    try:
        return math.isfinite(float(high) - float(low))
    except OverflowError:  # whole numbers of TOML have no largest
        return False
