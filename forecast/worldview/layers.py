"""Layering: which files lie under which, and what each contributes.

Lowest first. A file lies over what its ``extends`` names; a file without
``extends`` lies over what was given before it, and, if it comes first, over the
shipped worldview `default`; ``extends = false`` says that a file stands alone.
Files given later lie over earlier ones; ``--set`` lies over all. Interventions
add up: those of a later file come after those of an earlier one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from forecast.errors import InputError
from forecast.worldview.assign import assign
from forecast.worldview.files import Document, parse_document, read_named, read_shelved
from forecast.worldview.merged import Merged, iterate_priors
from forecast.worldview.origins import Origin, Problems
from forecast.worldview.shipped import DEFAULT, Shelf, shipped_shelf
from forecast.worldview.toml_lines import Path
from forecast.worldview.worldview import Worldview

_SCALARS = ("as_of", "horizon", "seed")
_LONGEST = 50


def stack_layers(
    given: Sequence[str | os.PathLike[str] | Worldview],
    shelf: Shelf | None = None,
) -> tuple[list[Document], list[Document]]:
    """Read the given worldviews and all that they extend.

    Parameters
    ----------
    given : sequence of str, path-like or Worldview
        Names, paths and merged worldviews, in order; none means the shipped
        worldview `default`.
    shelf : Shelf, optional
        The files that have a name; the shipped ones by default.

    Returns
    -------
    layers : list of Document
        Lowest first. What several files extend is there once.
    own : list of Document
        Those that were given.

    Raises
    ------
    InputError
        Of every file that cannot be read, and for a circle of ``extends`` with its path.
    """
    shelf = shelf or shipped_shelf()
    layers: list[Document] = []
    own: list[Document] = []
    problems: list[str] = []
    for name in given or [DEFAULT]:
        try:
            document = (
                _merged_document(name) if isinstance(name, Worldview) else read_named(name, shelf=shelf)
            )
            _add_bases(document, layers, [document], shelf)
        except InputError as error:
            problems += [p for p in error.problems if p not in problems]
            continue
        layers.append(document)
        own.append(document)
    if problems:
        raise InputError(problems)
    return layers, own


def _merged_document(worldview: Worldview) -> Document:
    where = f"worldview {worldview.name!r}"
    return parse_document(worldview.to_toml(), where, stem=worldview.name, identity=where, shipped=True)


def _add_bases(document: Document, layers: list[Document], chain: list[Document], shelf: Shelf) -> None:
    extends = document.data.get("extends")
    # A merged worldview and a shipped one are whole; a scenario lies over a base, whoever brings it.
    whole = document.shipped and "kind" not in document.data
    if extends is None:
        if not whole and not layers:
            layers.append(read_shelved(DEFAULT, "worldviews", shelf))
        return
    if not isinstance(extends, str):
        return  # false, or an error of type that the schema reports
    try:
        base = read_named(extends, document.folder, shelf)
    except InputError as error:
        origin = document.origin(("extends",))
        raise InputError([f"{origin}: {problem}" for problem in error.problems]) from None
    names = [*(d.file for d in chain), base.file]
    if any(base.identity == d.identity for d in chain):
        raise InputError(f"{document.origin(('extends',))}: goes in a circle: {' -> '.join(names)}")
    if len(chain) > _LONGEST:
        raise InputError(f"{document.origin(('extends',))}: more than {_LONGEST} files extend one another")
    if any(base.identity == d.identity for d in layers):
        return
    _add_bases(base, layers, [*chain, base], shelf)
    layers.append(base)


def merge_layers(layers: Sequence[Document], own: Sequence[Document], problems: Problems) -> Merged:
    """Merge checked files, lowest first.

    Parameters
    ----------
    layers, own : sequence of Document
        From :func:`stack_layers`. Titles and descriptions come from `own` only:
        a worldview does not bear the title of the one it extends.
    problems : Problems
        Receives what a file's ``[set]`` cannot set.
    """
    merged = Merged()
    for number, document in enumerate(layers):
        _merge_document(merged, document, number, any(document is d for d in own), problems)
    return merged


def _merge_document(merged: Merged, document: Document, layer: int, own: bool, problems: Problems) -> None:
    data = document.data
    for key in (*_SCALARS, *(("title", "description") if own else ())):
        if key in data:
            merged.put((key,), data[key], document, layer)
    for key in ("window", "drivers", "lead"):
        for inner, value in data.get(key, {}).items():
            merged.put((key, inner), value, document, layer)
    if "blocs" in data:  # the list of blocs is replaced whole: a lower layer's bloc must be removable
        merged.dropped_blocs |= set(merged.get(("blocs",)) or ()) - set(data["blocs"])
        merged.put(("blocs",), dict(data["blocs"]), document, layer)
    for name, table in data.get("thresholds", {}).items():
        merged.put_prior(("thresholds", name), table, document, layer)
    for path, table in iterate_priors(data):  # general priors come first, and clear lower layers only
        merged.put_prior(path, table, document, layer)
    for name, table in data.get("correlations", {}).items():
        merged.put_whole(("correlations", name), table, document, layer)
    for change in data.get("intervene", ()):
        merged.append(("intervene",), change, document, layer)
    for name, table in data.get("milestones", {}).items():
        merged.put_milestone(("milestones", name), table, document, layer)
    for key, value in data.get("set", {}).items():
        assign(merged, tuple(key.split(".")), value, _SetTable(document, key), layer, problems)


class _SetTable:
    """Origins of keys that were set in a file's ``[set]``: the line is that of the entry."""

    def __init__(self, document: Document, key: str) -> None:
        self.document, self.key = document, key

    def origin(self, path: Path) -> Origin:
        line = self.document.origin(("set", self.key)).line
        return Origin(self.document.file, line, f"[set] {'.'.join(map(str, path))}")
