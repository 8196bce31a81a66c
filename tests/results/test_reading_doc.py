"""docs/reading-a-run.md explains what a summary holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forecast.results import summary_schema

PAGE = Path(__file__).parents[2] / "docs" / "reading-a-run.md"
SELF_EXPLAINING = {"start", "end", "days", "share", "total", "set_aside", "p", "state", "code"}
"""Parts of a key that the page explains as a whole."""


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            yield name
            yield from keys(value)
        for value in node.values():
            yield from keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from keys(value)


def test_every_key_of_a_summary_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = {key for key in keys(summary_schema()) if key not in text} - SELF_EXPLAINING
    assert not missing


def test_the_page_names_the_keys_of_worlds_and_channels() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for key in ("by_within", "by_threshold", "p_counts", "min_draws", "durations", "p_first_only"):
        assert f"`{key}`" in text
    for key in ("flow", "cumulative", "shares", "ratio", "p_binding", "policy", "bought", "offered", "total"):
        assert f"`{key}`" in text
