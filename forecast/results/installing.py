"""How to install again what a run was made with."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from importlib import metadata
from typing import Any
from urllib.parse import unquote, urlsplit


def install_command(distributions: Iterable[str]) -> str:
    """Return one command that installs distributions in the versions that are here.

    Parameters
    ----------
    distributions : iterable of str
        Names.

    Returns
    -------
    str
        ``uv pip install ...``. What came from a folder, an archive or a
        repository is installed from there again, at its commit where that is
        known (PEP 610); blank where nothing is installed.
    """
    found = [_requirement(name) for name in sorted(set(distributions))]
    words = [word for requirement in found for word in requirement]
    return f"uv pip install {shlex.join(words)}" if words else ""


def _requirement(name: str) -> list[str]:
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return []
    origin = _origin(distribution)
    url = origin.get("url")
    if not isinstance(url, str):
        return [f"{distribution.name}=={distribution.version}"]
    if isinstance(version_control := origin.get("vcs_info"), dict):
        commit = version_control.get("commit_id")
        at = f"@{commit}" if commit else ""
        where = f"{version_control.get('vcs', 'git')}+{url}{at}{_inside(origin)}"
        return [f"{distribution.name} @ {where}"]
    folder = origin.get("dir_info")
    if isinstance(folder, dict) and folder.get("editable"):
        return ["--editable", unquote(urlsplit(url).path)]
    return [f"{distribution.name} @ {url}{_inside(origin)}"]


def _inside(origin: dict[str, Any]) -> str:
    """Where in a repository or an archive its project lies, if not at the top."""
    folder = origin.get("subdirectory")
    return f"#subdirectory={folder}" if isinstance(folder, str) and folder else ""


def _origin(distribution: metadata.Distribution) -> dict[str, Any]:
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) else {}
