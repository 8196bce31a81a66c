"""Writing a worldview as one self-contained prior file."""

from __future__ import annotations

from typing import Any

import tomli_w

from forecast.worldview.worldview import Override, Worldview, dotted, slot_path

HEADER = "# A merged worldview: complete in itself, so it extends nothing.\n"


def worldview_toml(worldview: Worldview) -> str:
    """Return the TOML of a worldview.

    Single keys set on drivers' defaults stand in ``[set]``, since the defaults
    themselves belong to the drivers.
    """
    w = worldview
    data: dict[str, Any] = {"name": w.name, "title": w.title}
    if w.description:
        data["description"] = w.description
    data |= {"extends": False, "as_of": w.as_of, "horizon": w.horizon, "seed": w.seed}
    data["window"] = {"start": w.window.start, "end": w.window.end}
    data["blocs"] = {bloc.name: bloc.title for bloc in w.blocs}
    if w.lead:
        data["lead"] = {
            "leader": w.lead.leader,
            "follower": w.lead.follower,
            "within_years": w.lead.within_years,
        }
    if w.disabled:
        data["drivers"] = {"disable": list(w.disabled)}
    edits: dict[str, Any] = {}
    priors: dict[str, Any] = {}
    for driver, parameters in w.driver_priors.items():
        for parameter, override in parameters.items():
            _add_override(priors, edits, driver, parameter, override)
    if priors:
        data["priors"] = priors
    data["milestones"] = {name: milestone.to_toml() for name, milestone in w.milestones.items()}
    if w.thresholds:
        data["thresholds"] = {name: prior.to_toml_table() for name, prior in w.thresholds.items()}
    if w.correlations:
        data["correlations"] = {one.name: one.to_toml() for one in w.correlations}
    if w.intervene:
        data["intervene"] = [change.to_toml() for change in w.intervene]
    if edits:
        data["set"] = edits
    return HEADER + tomli_w.dumps(data)


def _add_override(
    priors: dict[str, Any], edits: dict[str, Any], driver: str, parameter: str, override: Override
) -> None:
    for slot, prior in override.priors.items():
        table = priors
        path = slot_path(driver, parameter, slot)[1:]
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = prior.to_toml_table()
    for slot, keys in override.edits.items():
        path = slot_path(driver, parameter, slot)
        edits |= {dotted((*path, key)): value for key, value in keys.items()}
