"""The page on sensitivity says what the code does: its numbers, and the keys of the JSON."""

from __future__ import annotations

import re
from pathlib import Path

from forecast.sensitivity import sensitivity_schema, shapley
from forecast.sensitivity.power import SPAN, STEP, THRESHOLD

PAGE = (Path(__file__).parents[2] / "docs" / "sensitivity.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())


def test_every_further_key_of_the_json_is_on_the_page() -> None:
    section = PAGE.split("## `--json`\n", 1)[1].split("\n## ", 1)[0]
    keys = {key for line in section.splitlines() if line.startswith("| `") for key in re.findall(
        r"`(\w+)`", line.split("|")[1]
    )}  # fmt: skip
    relied_on = {"schema", "run", "components", "drivers", "evidence"}
    assert keys == set(sensitivity_schema()["required"]) - relied_on


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert f"between {STEP[0]} and {STEP[1]}" in WORDS
    many = f"With more than {shapley._EXACT} drivers that matter, {2 * shapley._ORDERS} random orders"
    assert f"at power {SPAN[1]}, less those at {SPAN[0]}" in WORDS
    assert f"Above {THRESHOLD} the component matters" in WORDS
    assert many in WORDS
