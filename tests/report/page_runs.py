"""A made-up run with everything that a page can show, and with texts that would like to be code."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from forecast.diagnostics import GROUPS, diagnose
from forecast.report.page import Brought
from forecast.report.sections import Section
from forecast.results import StoredRun, as_json, read_run
from forecast.results.scenario_summary import Branch, summarise_scenarios
from forecast.sensitivity import sensitivity
from tests.results.synthetic import full_tree, likely_crossings, save_run, steps_worldview
from tests.sensitivity.trees import known_tree

SCRIPT = "</script><script>alert(1)</script>"
CODE = "javascript:alert(2)"
MARKUP = '<img src="https://example.org/x.png" onerror="alert(3)"><b>bold</b> %{x} {{ 7 * 7 }} & co.'
ID = "2026-06-30-steps-0a1b2c3d"


def full_run(folder: Path) -> StoredRun:
    """Two blocs and milestones, channels, a policy, growth, evidence and priors."""
    view = dataclasses.replace(steps_worldview(), title=SCRIPT)
    path = save_run(
        folder, ID, tree=full_tree(draws=200), worldview=view,
        command=["run", "--set", "a=<b>"], install="pip install <x>",
        settings={"seed": 7, "sampler": {"draws": 500, "chains": 4}}, versions={"python": "3.13"},
    )  # fmt: skip
    as_json(inputs())(path / "inputs.json")
    return read_run(path)


def inputs() -> dict[str, Any]:
    """``inputs.json``: rows on chips that can be had, of which one has code for a link and one for a name."""
    row = {
        "driver": "chips", "table": "flows", "label": "flows", "name": "A shipment", "bloc": "china",
        "date": "2024-01-01", "value": 90000.0, "unit": "H100e/year", "low": 50000.0, "high": 150000.0,
        "level": 0.9, "published": "2024-03-01", "source": "A paper", "url": "https://example.org/paper",
        "note": "as printed, see https://example.org/note.", "fitted": True, "labels": ["flows"],
        "quantities": ["chip_access"],
    }  # fmt: skip
    prior = {
        "driver": "investment", "name": "growth", "bloc": None, "epoch": None, "unit": "OOM/year",
        "prior": "Normal(mu=0.4, sigma=0.1)", "source": MARKUP, "note": "", "judgement": True,
        "constant": False, "origin": "priors.toml:4",
    }  # fmt: skip
    return {
        "schema": "forecast.inputs/1",
        "as_of": "2026-06-30",
        "tables": [
            {"driver": "chips", "table": "flows", "title": "Flows", "description": MARKUP, "licence": ""}
        ],
        "evidence": [
            row,
            row
            | {"name": MARKUP, "url": CODE, "date": "2025-01-01", "fitted": False, "low": None, "high": None},
            row | {"name": "Of another unit", "unit": "USD", "date": "2025-06-01", "url": ""},
        ],
        "priors": [prior],
    }


def everything(stored: StoredRun, folder: Path) -> Brought:
    """What the parts beside the page find, real where that is cheap."""
    picture = folder / "picture.png"
    picture.write_bytes(PNG)
    base = Branch(stored.worldview, stored.groups("crossings"), stored.id, stored.summary["diagnostics"])
    later = stored.groups("crossings", "at_crossing")
    later["crossings"] = stored.crossings.assign(agi=likely_crossings(3, draws=200)["agi"])
    scenario = dataclasses.replace(
        base, results=later, about={"title": MARKUP, "kind": "future"}, paired=True
    )
    return Brought(
        diagnosis=diagnose(stored.groups(*GROUPS), run=stored.id),
        sensitivity=sensitivity(known_tree(luck=1.0, draws=200), stored.worldview, run=stored.id),
        claims={"claims": [claim("consistent"), claim("not scored", reason="The model says nothing of it.")]},
        scenarios=summarise_scenarios(base, {"no-controls": scenario}, "agi"),
        sections=[
            Section("fine", "A plugin's section", "a-plugin 1.0", ("First.", MARKUP), picture),
            Section("broken", "A broken one", "b-plugin 2.0", error=MARKUP),
        ],
    )


def claim(verdict: str, reason: str | None = None) -> dict[str, Any]:
    """One claim as ``forecast claims --json`` has it."""
    return {
        "id": "a", "statement": MARKUP, "source": {"title": "An essay", "date": "2025-01-29", "url": CODE},
        "unit": "month", "stated": {"low": 7.0, "high": 10.0}, "p": None, "mcse": None, "verdict": verdict,
        "model": {"0.05": 2.0, "0.5": 6.0, "0.95": 9.6}, "reason": reason, "note": "", "details": {},
    }  # fmt: skip


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060"
    "0000000500018d0a2d540000000049454e44ae426082"
)
"""The smallest picture."""
