"""A folder of simulations: one file each, written whole or not at all, so that a killed run goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.errors import ForecastError, InputError
from forecast.report.text_file import saving
from forecast.results import to_json
from forecast.results.form_check import form_damage

SETTINGS = "settings.json"
SIMULATIONS = "simulations"

WORDS = {
    "worldview": "the worldview",
    "priors": "priors",
    "evidence": "rows of evidence",
    "drivers": "drivers or their code",
    "seed": "the seed",
    "version": "the version of forecast",
    "code": "the code of forecast",
    "fits": "--draws or --tune",
    "versions": "versions of packages, or the machine",
}
"""What to call the parts of what decides a simulation."""


_FAILED: dict[str, Any] = {
    "type": "object",
    "required": ["attempts", "reasons"],
    "properties": {
        "attempts": {"type": "integer", "minimum": 1},
        "reasons": {"type": "array", "items": {"type": "string"}},
    },
}
"""What is read of a simulation whose fit failed."""

_RANKED: dict[str, Any] = {
    "type": "object",
    "required": [*_FAILED["required"], "draws", "ranks", "contraction"],
    "properties": _FAILED["properties"]
    | {
        "draws": {"type": "integer", "minimum": 1},
        "ranks": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "contraction": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
    },
}
"""What is read of one whose fit did not."""


class Folder:
    """Simulations of one worldview with one set of settings.

    Parameters
    ----------
    path : pathlib.Path
        Made if it is not there.
    decides : mapping
        Everything that decides a simulation, as JSON values by part.

    Raises
    ------
    InputError
        It holds simulations that something else decided, or is no such folder.
    ForecastError
        It cannot be written to.
    """

    def __init__(self, path: Path, decides: Mapping[str, Any]) -> None:
        self.path = path
        self._names: set[str] = set()
        given = json.loads(json.dumps(decides))
        if path.exists() and not path.is_dir():
            raise InputError(f"--out {path}: is not a folder; name another place")
        known = path / SETTINGS
        if known.exists():
            self._check(known, given)
        elif path.is_dir() and any(path.iterdir()):
            raise InputError(
                f"--out {path}: holds other files and no calibration; name an empty or a new folder"
            )
        try:
            (path / SIMULATIONS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ForecastError(f"--out {path}: cannot be made: {error.strerror or error}.") from error
        if not known.exists():
            self.write(SETTINGS, given)

    def simulation(self, number: int) -> dict[str, Any] | None:
        """Return a simulation that is done; None if it is not, or if its file was cut short.

        Raises
        ------
        ForecastError
            It is not what this version writes: somebody's, and not to be made again unasked.
        """
        path = self.path / SIMULATIONS / f"{number}.json"
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if found["simulation"] != number:
                return None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        damage = form_damage(found, _FAILED if found.get("reasons") else _RANKED)
        if damage is None and not found["reasons"]:
            damage = self._other_names(found)
        if damage is not None:
            raise ForecastError(
                f"{path} is damaged, or of another version of forecast: {damage}. Delete it, and the "
                "simulation is made again."
            )
        return found

    def _other_names(self, found: Mapping[str, Any]) -> str | None:
        """Say which quantities one simulation ranks and the first does not, or the other way round."""
        self._names = self._names or set(found["ranks"])
        odd = sorted((set(found["ranks"]) ^ self._names) | (set(found["contraction"]) ^ self._names))
        return f"it ranks other quantities than the simulations beside it ({', '.join(odd)})" if odd else None

    def keep(self, found: Mapping[str, Any]) -> None:
        """Write a simulation."""
        self.write(f"{SIMULATIONS}/{found['simulation']}.json", found)

    def write(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a JSON file through a hidden sibling."""
        with saving(self.path / name) as temporary:
            temporary.write_text(to_json(data), encoding="utf-8")

    def _check(self, known: Path, given: Mapping[str, Any]) -> None:
        try:
            before = json.loads(known.read_text("utf-8"))
            if not isinstance(before, dict):
                raise ValueError("not a table")
            changed = sorted(key for key in {*before, *given} if before.get(key) != given.get(key))
        except (ValueError, TypeError, OSError) as error:
            raise InputError(
                f"{known} cannot be read, so it is not known what decided the simulations beside it; name "
                "another folder with --out, or delete this one"
            ) from error
        if changed:
            what = ", ".join(WORDS.get(key, key) for key in changed)
            raise InputError(
                f"--out {self.path}: holds simulations that were made with other settings ({what}), and "
                "they cannot be counted together with new ones; name another folder with --out, or delete "
                "this one"
            )
