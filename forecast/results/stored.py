"""Finding and reading runs. Needs neither their plugins nor their model."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.errors import ForecastError, InputError
from forecast.results.inputs import inputs_damage
from forecast.results.manifest_check import manifest_damage
from forecast.results.netcdf import open_tree, read_group, read_groups
from forecast.results.store import RUN_FILES, home_resolved, missing_files
from forecast.results.summary import SCHEMA, milestone_names
from forecast.results.summary_check import first_damage
from forecast.results.trajectories import NotAvailable

if TYPE_CHECKING:
    import xarray as xr

    from forecast.worldview import Worldview


@dataclass(frozen=True)
class StoredRun:
    """A run on disk; its worldview and draws are read when they are asked for.

    Attributes
    ----------
    path : pathlib.Path
    manifest : dict
        ``manifest.json``.
    summary : dict
        ``summary.json``.
    """

    path: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]

    @property
    def id(self) -> str:
        """The run's id, also where its folder was renamed."""
        return str(self.summary["run"])

    @property
    def saved_at(self) -> datetime:
        """When it was made, by the manifest's ``created``, else the file's time (UTC)."""
        return _saved_at(self.path, self.manifest)

    @cached_property
    def worldview(self) -> Worldview:
        """The merged worldview, from ``worldview.toml``."""
        from forecast.worldview import load_worldview

        try:
            found = load_worldview(str(self.path / "worldview.toml"))
        except InputError as error:
            # The user did not write this file, so a mistake in it is not a mistake of theirs.
            raise ForecastError(f"{self.path}: its worldview cannot be read. {error}") from error
        # A bloc that is projected nowhere is no damage, and results.nc is compared as well.
        about = next(iter(self.summary["milestones"].values()))["blocs"]
        blocs = [bloc for bloc in about if bloc in found.bloc_names]
        self._check_same("worldview.toml", found.milestones, blocs)
        return found

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """What went into it, from ``inputs.json``: ``tables``, ``evidence`` and ``priors`` with sources.

        Raises
        ------
        NotAvailable
            Where the run is of an earlier version, which did not write it.
        ForecastError
            Where the file is damaged.
        """
        path = self.path / "inputs.json"
        if not path.is_file():
            raise NotAvailable(
                f"{self.path} has no inputs.json, which lists evidence and priors with their sources: it was "
                "made by an earlier version of forecast. Make the run again to have it."
            )
        found = _read_json(path)
        damage = inputs_damage(found)
        if damage is not None:
            raise ForecastError(f"{path} is damaged: {damage}. Make the run again.")
        return found

    @cached_property
    def tree(self) -> xr.DataTree:
        """Everything in ``results.nc``, opened lazily."""
        return self._checked(open_tree(self.path / "results.nc"))

    @cached_property
    def crossings(self) -> xr.Dataset:
        """The group ``crossings`` alone, in memory."""
        found = read_group(self.path / "results.nc", "crossings")
        self._check_crossings(found)
        return found

    def groups(self, *names: str) -> xr.DataTree:
        """Those of these groups that ``results.nc`` has, in memory; older runs lack some."""
        return self._checked(read_groups(self.path / "results.nc", names))

    def _checked(self, tree: xr.DataTree) -> xr.DataTree:
        if "crossings" in tree.children:
            self._check_crossings(tree["crossings"].to_dataset())
        return tree

    def _check_crossings(self, crossings: xr.Dataset) -> None:
        missing = [name for name in ("chain", "draw", "bloc") if name not in crossings.sizes]
        if missing or "accepted" not in crossings or "bloc" not in crossings.coords:
            lacks = ", ".join(missing) or "accepted draws or names of blocs"
            raise ForecastError(
                f"{self.path / 'results.nc'} is damaged: its crossing dates have no {lacks}. Make the run "
                "again."
            )
        self._check_same("results.nc", milestone_names(crossings), map(str, crossings["bloc"].to_numpy()))

    def _check_same(self, file: str, milestones: Iterable[str], blocs: Iterable[str]) -> None:
        """Refuse a file that is about other milestones or blocs than the summary."""
        about = self.summary["milestones"]
        here, there = (set(about), set(next(iter(about.values()))["blocs"])), (set(milestones), set(blocs))
        odd = sorted((here[0] ^ there[0]) or (here[1] ^ there[1]))
        if odd:
            raise ForecastError(
                f"{self.path}: summary.json and {file} are not of one run, or one of them is damaged: only "
                f"one of them has {', '.join(odd)}. Make the run again."
            )


def read_run(path: Path) -> StoredRun:
    """Read a run folder.

    Raises
    ------
    ForecastError
        Where a file is missing, damaged, or of a later version than this one reads.
    """
    missing = missing_files(path)
    if missing:
        raise ForecastError(f"{path} is not a whole run: {', '.join(missing)} missing. Make the run again.")
    manifest = _read_json(path / "manifest.json")
    damage = manifest_damage(manifest)
    if damage is not None:
        raise ForecastError(f"{path / 'manifest.json'} is damaged: {damage}. Make the run again.")
    summary = _read_json(path / "summary.json")
    schema = summary.get("schema")
    if schema != SCHEMA:
        raise ForecastError(
            f"{path / 'summary.json'}: its schema is {schema!r}, and this version reads {SCHEMA!r}. "
            "It was made by another version of forecast, or it is damaged."
        )
    damage = first_damage(summary)
    if damage is not None:
        raise ForecastError(f"{path / 'summary.json'} is damaged: {damage}. Make the run again.")
    return StoredRun(path, manifest, summary)


def list_runs(folder: Path) -> list[Path]:
    """Run folders inside a folder, newest first, broken ones included.

    A folder counts as a run when it holds any of a run's files;
    :func:`read_run` says what is wrong with a broken one.
    """
    if not os.path.isdir(folder):  # also where the name is too long for a path
        return []
    found = [
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and len(missing_files(path)) < len(RUN_FILES)
    ]
    return sorted(found, key=lambda path: (_saved_at(path, None), path.name), reverse=True)


def find_run(ref: str, folder: Path) -> Path:
    """Find a run.

    Parameters
    ----------
    ref : str
        A run's id, the beginning of exactly one id or of its hash, a path, or "latest".
    folder : pathlib.Path
        Holds runs.

    Raises
    ------
    InputError
        Where there is no such run (with the nearest names), or more than one.
    """
    path = home_resolved(ref)
    if ref and os.path.isdir(path) and len(missing_files(path)) < len(RUN_FILES):
        return path
    runs = list_runs(folder)
    if not runs:
        raise InputError(
            f"{ref}: there are no runs in {folder}. Make one with `forecast run`, or name "
            "another folder with --out."
        )
    if ref == "latest":
        return next((run for run in runs if not missing_files(run)), runs[0])
    by_name = {run.name: run for run in runs}
    if ref in by_name:
        return by_name[ref]
    matching = [
        name for name in by_name if ref and (name.startswith(ref) or name.rpartition("-")[2].startswith(ref))
    ]
    if len(matching) == 1:
        return by_name[matching[0]]
    if matching:
        raise InputError(
            f"{ref}: {len(matching)} runs in {folder} begin like this: {_listed(matching)}. Say more of it."
        )
    near = difflib.get_close_matches(ref, by_name, n=3, cutoff=0.4)
    hint = f"The nearest: {_listed(near)}." if near else f"There are: {_listed(list(by_name))}."
    raise InputError(f"{ref}: no such run in {folder}. {hint}")


def _listed(names: list[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise ForecastError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:  # of text, of JSON, of a number
        raise ForecastError(f"{path} is damaged: it is not JSON ({error}). Make the run again.") from error
    if not isinstance(data, dict):
        raise ForecastError(f"{path} is damaged: it holds a {type(data).__name__} where a table belongs.")
    return data


def _no_number(name: str) -> None:
    """Refuse NaN and infinities, which JSON does not have and we do not write."""
    raise ValueError(f"{name} is no number")


def _saved_at(path: Path, manifest: dict[str, Any] | None) -> datetime:
    try:
        created = (manifest or _read_json(path / "manifest.json")).get("created")
        moment = datetime.fromisoformat(created) if isinstance(created, str) else None
    except (ForecastError, ValueError):
        moment = None
    if moment is None:
        newest = max(file.stat().st_mtime for file in path.iterdir())
        return datetime.fromtimestamp(newest, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
