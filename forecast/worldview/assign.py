"""Setting single keys: ``--set a.b.c=value`` and the table ``[set]`` of a file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tomli_w

from forecast.errors import InputError
from forecast.wording import did_you_mean, printable, shown
from forecast.worldview.edits import edit_prior_table
from forecast.worldview.merged import Merged, Option
from forecast.worldview.origins import SLOT_TABLES, Locator, Problems
from forecast.worldview.prior_tables import is_prior_key, is_whole, prior_keys
from forecast.worldview.schema import (
    TABLES,
    CorrelationTable,
    MilestoneTable,
    WorldviewFile,
    check_name,
    keys_of,
)
from forecast.worldview.toml_lines import Path

_SCALARS = ("title", "description", "as_of", "horizon", "seed")
_OF_A_FILE = ("extends", "name", "set")


def parse_overrides(overrides: Sequence[str] | Mapping[str, Any]) -> list[tuple[Path, Any, Option]]:
    """Read overrides.

    Parameters
    ----------
    overrides : sequence of str, or mapping
        ``"a.b.c=value"``, the right side read as TOML if it is TOML and as text
        if not; or key to value.

    Returns
    -------
    list of (path, value, option)

    Raises
    ------
    InputError
        For those without a key or an equals sign.
    """
    found: list[tuple[Path, Any, Option]] = []
    problems: list[str] = []
    if isinstance(overrides, Mapping):
        for key, given in overrides.items():
            value = given.item() if isinstance(given, np.generic) else given
            found.append((_path(key), value, Option(f"--set {key}={shown(value)}")))
        overrides = []
    for text in [overrides] if isinstance(overrides, str) else overrides:
        key, equals, right = text.partition("=")
        if not equals or not key.strip():
            example = "priors.investment.growth.mu=0.2"
            problems.append(f"--set {printable(text)}: must be KEY=VALUE, such as {example}")
            continue
        found.append((_path(key), parse_value(right.strip()), Option(f"--set {text}")))
    problems += [
        f"{option.origin(())}: is no value of TOML" for _, value, option in found if not _is_toml(value)
    ]
    if problems:
        raise InputError(problems)
    return found


def _is_toml(value: object) -> bool:
    """Whether a value could stand in a prior file, where a saved run puts it."""
    try:
        tomli_w.dumps({"value": value}).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _path(key: str) -> Path:
    return tuple(part.strip().strip('"') for part in key.split("."))


def parse_value(text: str) -> Any:
    """Read a value as TOML; whatever is no TOML value is text."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return parsed["value"] if list(parsed) == ["value"] else text


def assign(merged: Merged, path: Path, value: Any, source: Locator, layer: int, problems: Problems) -> None:
    """Set one key of the merged tree.

    Parameters
    ----------
    merged : Merged
        Changed in place.
    path : tuple of str
        Keys from the top.
    value : object
        Its type is checked when the worldview is built. A table sets each of
        its keys, except where a whole prior or milestone belongs.
    source, layer
        Recorded with the key.
    problems : Problems
        Receives a key that leads nowhere, with the nearest name.
    """
    _Assignment(merged, source, layer, problems).run(path, value)


class _Assignment:
    def __init__(self, merged: Merged, source: Locator, layer: int, problems: Problems) -> None:
        self.merged, self.source, self.layer, self.problems = merged, source, layer, problems

    def fail(self, path: Path, message: str) -> None:
        self.problems.add(self.source.origin(path), message)

    def nowhere(self, path: Path, valid: Iterable[str]) -> None:
        self.fail(
            path, f"leads nowhere: {shown(str(path[-1]))} is not known{did_you_mean(str(path[-1]), valid)}"
        )

    def put(self, path: Path, value: Any) -> None:
        self.merged.put(path, value, self.source, self.layer)

    def each(self, path: Path, value: Any) -> None:
        """Set each key of a table."""
        if not isinstance(value, dict):
            self.fail(
                path,
                f"is a table: set its keys, such as {'.'.join(map(str, path))}.<key>, got {shown(value)}",
            )
            return
        for key, inner in value.items():
            self.run((*path, key), inner)

    def run(self, path: Path, value: Any) -> None:
        top = str(path[0])
        tables = [key for key in keys_of(WorldviewFile) if key not in (*_SCALARS, *_OF_A_FILE)]
        if len(path) > 40 or any(part == "" for part in path):
            self.fail(
                path, "leads nowhere: a part of the key is empty" if len(path) <= 40 else "leads nowhere"
            )
        elif top in _OF_A_FILE:
            self.fail(path, "belongs to a file and cannot be set")
        elif top in _SCALARS:
            if len(path) > 1:
                self.fail(path, f"leads nowhere: {top} is no table")
            else:
                self.put(path, value)
        elif top not in tables:
            self.nowhere(path[:1], [*tables, *_SCALARS])
        elif len(path) == 1:
            self.each(path, value)
        elif top in TABLES:
            self.plain(path, value, keys_of(TABLES[top]))
        elif top == "blocs":
            self.bloc(path, value)
        elif top == "milestones":
            self.milestone(path, value)
        elif top == "correlations":
            self.correlation(path, value)
        else:
            self.prior(path, value)

    def plain(self, path: Path, value: Any, valid: list[str]) -> None:
        if path[1] not in valid:
            self.nowhere(path[:2], valid)
        elif len(path) > 2:
            self.fail(path, f"leads nowhere: {'.'.join(map(str, path[:2]))} is no table")
        else:
            self.put(path, value)

    def bloc(self, path: Path, value: Any) -> None:
        if len(path) > 2:
            self.fail(path, "leads nowhere: a bloc has a title only")
            return
        self.put(path, value)

    def milestone(self, path: Path, value: Any) -> None:
        if len(path) == 2:
            if isinstance(value, dict):
                check_name(path, self.source, self.problems)
                self.merged.put_milestone(path, value, self.source, self.layer)
            else:
                self.fail(path, f"a milestone is a table, got {shown(value)}")
        elif self.merged.get(path[:2]) is None:
            self.nowhere(path[:2], self.merged.data.get("milestones", {}))
        elif path[2] not in keys_of(MilestoneTable):
            self.nowhere(path[:3], keys_of(MilestoneTable))
        elif len(path) > 3:
            self.fail(path, f"leads nowhere: set milestones.{path[1]}.{path[2]} as a whole")
        else:
            self.merged.put_milestone(path[:2], {str(path[2]): value}, self.source, self.layer)

    def correlation(self, path: Path, value: Any) -> None:
        if len(path) == 2 and isinstance(value, dict) and "between" in value:
            check_name(path, self.source, self.problems)
            self.merged.put_whole(path, value, self.source, self.layer)
        elif self.merged.get(path[:2]) is None:
            self.nowhere(path[:2], self.merged.data.get("correlations", {}))
        elif len(path) == 2:
            self.each(path, value)
        elif path[2] not in keys_of(CorrelationTable):
            self.nowhere(path[:3], keys_of(CorrelationTable))
        elif len(path) > 3:
            self.fail(path, f"leads nowhere: {'.'.join(map(str, path[:3]))} is no table")
        else:
            self.put(path, value)

    def prior(self, path: Path, value: Any) -> None:
        length = self.length(path)
        if len(path) < length:
            self.each(path, value)
        elif len(path) == length and isinstance(value, dict) and not is_whole(value) and value:
            for key, inner in value.items():
                self.edit(path, str(key), inner)
        elif len(path) == length:
            if not isinstance(value, dict):
                self.fail(
                    path, f"a prior is a table: set one of its keys or give it whole, got {shown(value)}"
                )
                return
            check_name(path, self.source, self.problems)
            self.merged.put_prior(path, value, self.source, self.layer)
        elif len(path) == length + 1:
            self.edit(path[:-1], str(path[-1]), value)
        else:
            self.fail(path, "leads nowhere: set the prior as a whole")

    @staticmethod
    def length(path: Path) -> int:
        """Length of the path of the prior on this way."""
        if path[0] == "thresholds":
            return 2
        return 5 if len(path) > 2 and path[2] in SLOT_TABLES else 3

    def edit(self, path: Path, key: str, value: Any) -> None:
        if not is_prior_key(key) or key == "per":
            self.nowhere((*path, key), [name for name in prior_keys() if name != "per"])
            return
        table = self.merged.get(path)
        if table is None and path[0] == "thresholds":
            self.nowhere(path, self.merged.data.get("thresholds", {}))
        elif table is None:
            for part in range(1, len(path)):
                if path[part] not in SLOT_TABLES:
                    check_name((*path[:part], path[part]), self.source, self.problems)
            keys = self.merged.edits.setdefault(path, {})
            keys.pop(key, None)  # the last to be set is applied last
            keys[key] = value
            self.merged.sources[path] = self.source
            self.merged.layers[path] = self.layer
        else:
            try:
                self.merged.put(path, edit_prior_table(table, key, value), self.source, self.layer)
            except ValueError as error:
                self.fail(path, str(error))
