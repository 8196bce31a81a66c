"""The merged tree of all layers, which knows where each of its keys came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from forecast.worldview.milestones import NODE_KEYS
from forecast.worldview.origins import SLOT_TABLES, Locator, Origin, key_text
from forecast.worldview.toml_lines import Path


@dataclass(frozen=True)
class Option:
    """An option of the command line (or an argument in Python) as a source of keys."""

    text: str

    def origin(self, path: Path) -> Origin:
        """Return the option itself, with the key it set."""
        return Origin(self.text, None, key_text(path))


@dataclass
class Merged:
    """Layers merged so far.

    Attributes
    ----------
    data : dict
        In the shape of a prior file.
    edits : dict
        Single keys set on priors that no layer gives and that so belong to a
        driver's defaults: path of the prior to keys and values, in order.
    sources : dict
        Path to the file or option that gave it.
    layers : dict
        Path to the number of the layer that gave it, from 0.
    notes : list of str
        What a layer cleared or dropped.
    dropped_blocs : set of str
        Blocs of a layer that a later one left out of its list.
    """

    data: dict[str, Any] = field(default_factory=dict)
    edits: dict[Path, dict[str, Any]] = field(default_factory=dict)
    sources: dict[Path, Locator] = field(default_factory=dict)
    layers: dict[Path, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dropped_blocs: set[str] = field(default_factory=set)

    def origin(self, path: Path) -> Origin:
        """Return where the key at `path`, or its nearest parent, was given."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.sources:
                return self.sources[path[:length]].origin(path)
        return Origin("", None, key_text(path))

    def layer(self, path: Path) -> int:
        """Return the layer that gave the key at `path`; -1 if none did."""
        return self.layers.get(path, -1)

    def get(self, path: Path) -> Any:
        """Return the value at a path, None if there is none."""
        found: Any = self.data
        for part in path:
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return found

    def put(self, path: Path, value: Any, source: Locator, layer: int) -> None:
        """Set the value at a path."""
        table = self.data
        for part in path[:-1]:
            table = table.setdefault(str(part), {})
        table[str(path[-1])] = value
        self.sources[path] = source
        self.layers[path] = layer

    def append(self, path: Path, value: Any, source: Locator, layer: int) -> None:
        """Add to the list at a path."""
        items = [*(self.get(path) or ()), value]
        self.put(path, items, source, layer)
        self.sources[*path, len(items) - 1] = source

    def put_prior(self, path: Path, table: Mapping[str, Any], source: Locator, layer: int) -> None:
        """Set a whole prior; a general one clears lower layers' priors by bloc and epoch for its key."""
        self.edits.pop(path, None)
        self.put(path, dict(table), source, layer)
        if path[0] != "priors" or path[2] in SLOT_TABLES:
            return
        for slot in self.slots(path):
            if self.layer(slot) < layer:
                below = self.origin(slot).place
                self.notes.append(f"{source.origin(path)} clears {key_text(slot)} of {below}")
                self.edits.pop(slot, None)
                parent = self.get(slot[:-1])
                if parent is not None:
                    parent.pop(slot[-1], None)

    def put_whole(self, path: Path, table: Mapping[str, Any], source: Locator, layer: int) -> None:
        """Set a table that replaces the lower one, also where single keys of that one were set."""
        for below in [key for key in self.sources if len(key) > len(path) and key[: len(path)] == path]:
            del self.sources[below]
            self.layers.pop(below, None)
        self.put(path, dict(table), source, layer)

    def slots(self, general: Path) -> list[Path]:
        """Return the paths of the priors by bloc and by epoch beside a general one."""
        found = [path for path in self.edits if _beside(path, general)]
        for kind in SLOT_TABLES:
            for label, parameters in (self.get((*general[:2], kind)) or {}).items():
                path = (*general[:2], kind, label, general[2])
                if general[2] in parameters and path not in found:
                    found.append(path)
        return found

    def put_milestone(self, path: Path, table: Mapping[str, Any], source: Locator, layer: int) -> None:
        """Merge a milestone key by key; a condition replaces the lower condition whole."""
        present = self.get(path) or {}
        if any(key in table for key in NODE_KEYS):
            for key in NODE_KEYS:
                present.pop(key, None)
        if not present:
            self.put(path, {}, source, layer)
        for key, value in table.items():
            self.put((*path, key), value, source, layer)


def _beside(path: Path, general: Path) -> bool:
    return len(path) == 5 and path[:2] == general[:2] and path[2] in SLOT_TABLES and path[4] == general[2]


def iterate_priors(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield path and table of every prior under ``priors``: general ones, by bloc and by epoch."""
    for driver, table in (data.get("priors") or {}).items():
        for key, value in table.items():
            if key not in SLOT_TABLES:
                yield ("priors", driver, key), value
        for kind in SLOT_TABLES:
            for label, parameters in table.get(kind, {}).items():
                for parameter, prior in parameters.items():
                    yield ("priors", driver, kind, label, parameter), prior
