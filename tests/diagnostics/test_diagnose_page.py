"""The page on diagnoses says what the code does: every check, its threshold, and the keys of the JSON."""

from __future__ import annotations

import re
from pathlib import Path

from forecast.diagnostics import KINDS, diagnosis_schema

PAGE = (Path(__file__).parents[2] / "docs" / "diagnose.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """Rows of the table under a heading, by the code in their first cell."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()]
    return {row[0].strip("`"): row[1:] for row in cells if re.fullmatch(r"`\w+`", row[0])}


def test_every_check_is_on_the_page_with_its_threshold_and_whether_it_decides() -> None:
    table = rows("The checks")
    assert list(table) == list(KINDS)
    for code, (threshold, decides, *_) in table.items():
        kind = KINDS[code]
        assert (decides == "yes") == kind.decides, code
        if kind.threshold is None:
            assert threshold.startswith("min(1 - 1/log10 S, 0.7)"), code
        else:
            assert float(threshold) == kind.threshold, code


def test_every_further_key_of_the_json_is_on_the_page() -> None:
    further = set(diagnosis_schema()["required"]) - {"schema", "run", "ok", "checks"}
    assert set(rows("`--json`")) == further
