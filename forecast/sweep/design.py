"""The cells of a sweep: one setting of everything that varies each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

import numpy as np

from forecast.sweep.file import SweepFile
from forecast.sweep.values import Range

NONE = "none"
"""In place of a scenario's name, or of drivers to leave out."""


@dataclass(frozen=True)
class Cell:
    """One setting of everything that varies.

    Attributes
    ----------
    number : int
        From 0, in the order of the design.
    settings : mapping of str to object
        By dotted key.
    """

    number: int
    settings: Mapping[str, Any]

    def label(self, short: Mapping[str, str]) -> str:
        """Name the cell in messages, with settings by their `short` names."""
        said = ", ".join(f"{short[key]} = {text_of(value)}" for key, value in self.settings.items())
        return f"cell {self.number} ({said})"


def cells_of(sweep: SweepFile, seed: int) -> list[Cell]:
    """Return the cells of a sweep.

    Parameters
    ----------
    sweep : SweepFile
    seed : int
        Of a hypercube: the same seed gives the same cells.

    Returns
    -------
    list of Cell
        Of a grid, the last setting varies fastest.
    """
    keys = list(sweep.settings)
    if sweep.design == "latin-hypercube":
        rows = _hypercube(list(sweep.settings.values()), sweep.samples, seed)
    else:
        lists = [list(values) for values in sweep.settings.values() if isinstance(values, list)]
        rows = list(product(*lists)) if sweep.design == "grid" else list(zip(*lists, strict=True))
    return [Cell(number, dict(zip(keys, row, strict=True))) for number, row in enumerate(rows)]


def _hypercube(settings: Sequence[list[Any] | Range], samples: int, seed: int) -> list[tuple[Any, ...]]:
    """Spread samples so that each of as many slices of every setting holds one; lists are cut evenly."""
    from scipy.stats import qmc

    unit = qmc.LatinHypercube(len(settings), rng=np.random.default_rng(seed)).random(samples)
    columns = [_scaled(values, unit[:, index]) for index, values in enumerate(settings)]
    return list(zip(*columns, strict=True))


def _scaled(values: list[Any] | Range, unit: np.ndarray[Any, Any]) -> list[Any]:
    if isinstance(values, list):
        return [values[int(place * len(values))] for place in unit]
    low, high = values.low, values.high
    if isinstance(low, date) and isinstance(high, date):
        days = (high - low).days + 1
        return [date.fromordinal(low.toordinal() + int(place * days)) for place in unit]
    assert not isinstance(low, date) and not isinstance(high, date)
    # Six digits can be typed again after --set, and are finer than any design.
    if values.log:
        return [float(f"{low * (high / low) ** place:.6g}") for place in unit]
    return [float(f"{low + (high - low) * place:.6g}") for place in unit]


def value_of(value: Any) -> Any:
    """Return a setting's value as a table holds it: numbers, days and truth as they are, the rest as text."""
    if isinstance(value, bool | int | float | date | str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " + ".join(value) or NONE
    return json.dumps(value, default=str)


def text_of(value: Any) -> str:
    """Write a setting's value for people."""
    plain = value_of(value)
    return f"{plain:g}" if isinstance(plain, float) else str(plain)


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return the shortest endings of dotted keys that tell them apart, of two parts where there are two."""
    parts = {key: key.split(".") for key in keys}
    found = {}
    for key in keys:
        # A prior of one bloc or epoch bears its name.
        fewest = len(parts[key]) - 3 if parts[key][2:3] in (["by_bloc"], ["by_epoch"]) else 2
        for length in range(min(fewest, len(parts[key])), len(parts[key]) + 1):
            ending = parts[key][-length:]
            if sum(other[-length:] == ending for other in parts.values()) == 1:
                break
        found[key] = ".".join(ending)
    return found
