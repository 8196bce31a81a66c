"""Fill in the template and put the package in its place, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from forecast.driver import API_VERSION
from forecast.errors import InputError
from forecast.scaffold.names import PluginNames

_SUFFIX = ".template"  # so that no linter or test runner takes a template for code


def write_plugin(names: PluginNames, folder: Path) -> Path:
    """Write a new plugin into a folder of its own.

    Parameters
    ----------
    names : PluginNames
    folder : pathlib.Path
        Where the plugin's folder, called after its distribution, is made.

    Returns
    -------
    pathlib.Path
        The plugin's folder.

    Raises
    ------
    InputError
        The folder cannot be written to, or something is there already;
        nothing is left behind.
    """
    target = folder / names.distribution
    temporary = folder / f".tmp-{names.distribution}-{secrets.token_hex(4)}"
    try:
        if not folder.is_dir():
            raise InputError(f"--dir {folder}: there is no such folder; make it, or name another")
        _check_free(target)
        for name, text in plugin_files(names):
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if target.exists():
            target.rmdir()  # it is empty; Windows renames onto nothing that exists
        os.rename(temporary, target)
    except OSError as error:
        raise InputError(
            f"{target} cannot be written: {error.strerror or error}; choose another --dir"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def plugin_files(names: PluginNames) -> Iterator[tuple[str, str]]:
    """Files of a new plugin: paths inside its folder, with their text."""
    fields = {
        "api_version": str(API_VERSION),
        "class_name": names.class_name,
        "distribution": names.distribution,
        "driver": names.driver,
        "key": names.key,
        "module": names.module,
        "quantity": names.quantity,
        "title": names.title,
        "version": _series(),
        "words": names.words,
    }
    for path, file in _templates(resources.files(__package__) / "template", ""):
        place = path.removesuffix(_SUFFIX).replace("__module__", names.module).replace("__key__", names.key)
        yield place.replace("dot-", "."), Template(file.read_text(encoding="utf-8")).substitute(fields)


def _check_free(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InputError(f"{target} exists already and is not a folder; choose another name or another --dir")
    if target.is_dir() and any(target.iterdir()):
        raise InputError(f"{target} exists already and is not empty; choose another name or another --dir")


def _templates(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        if item.is_dir():
            yield from _templates(item, f"{path}{item.name}/")
        elif item.name.endswith(_SUFFIX):
            yield path + item.name, item


def _series() -> str:
    """Version of forecast that the plugin is written for, without the patch: ``0.1``."""
    return ".".join(metadata.version("agi-forecast").split(".")[:2])
