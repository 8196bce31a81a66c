"""Whether a ``manifest.json`` that was read can be gone through: earlier versions have fewer keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.wording import shown

_LISTS = ("command", "plugins")
_TABLES = ("drivers", "evidence", "hashes", "versions", "timings")
_COUNTS = {"draws": 1, "tune": 0, "chains": 1}


def manifest_damage(manifest: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a manifest; None if nothing is.

    Parameters
    ----------
    manifest : mapping
        As read. Keys that are missing, or that this version does not know, are
        left alone; what needs a missing one says so.

    Returns
    -------
    str or None
        Such as ``"settings.sampler.draws is 'many'"``.
    """
    for key in _LISTS:
        if not isinstance(manifest.get(key, []), list):
            return f"{key} is no list"
        for one in manifest.get(key, []):
            if not isinstance(one, str):
                return f"{key} holds {shown(one)} where text belongs"
    for key in _TABLES:
        if not isinstance(manifest.get(key, {}), dict):
            return f"{key} is no table"
    for name, seconds in manifest.get("timings", {}).items():
        if not _is_number(seconds):
            return f"timings.{name} is {shown(seconds)}"
    settings = manifest.get("settings")
    return _settings_damage(settings) if isinstance(settings, dict) else None


def _settings_damage(settings: Mapping[str, Any]) -> str | None:
    if not isinstance(settings.get("prior_only", False), bool):
        return f"settings.prior_only is {shown(settings['prior_only'])}"
    sampler = settings.get("sampler")
    if not isinstance(sampler, dict):  # whoever makes the run again needs it, and says so
        return None
    for key, fewest in _COUNTS.items():
        count = sampler.get(key, fewest)
        if isinstance(count, bool) or not isinstance(count, int) or count < fewest:
            return f"settings.sampler.{key} is {shown(count)}"
    if not isinstance(sampler.get("sampler", ""), str):
        return f"settings.sampler.sampler is {shown(sampler['sampler'])}"
    target = sampler.get("target_accept", 0.5)
    if not _is_number(target) or not 0 < target < 1:
        return f"settings.sampler.target_accept is {shown(target)}"
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
