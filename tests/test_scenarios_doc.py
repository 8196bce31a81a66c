"""docs/scenarios.md says what there is, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forecast.engine import make_plan
from forecast.scenarios import plan_scenarios
from forecast.worldview import list_scenarios, read_interventions, read_scenarios

PAGE = (Path(__file__).parent.parent / "docs" / "scenarios.md").read_text(encoding="utf-8")


def test_the_page_names_every_shipped_scenario_and_no_other():
    table = PAGE.partition("## The shipped scenarios")[2].partition("## ")[0]
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", table, re.M)) == sorted(list_scenarios())


def test_the_files_on_the_page_fit_the_default_worldview(tmp_path):
    files = []
    for number, text in enumerate(re.findall(r"```toml\n(.*?)```", PAGE, re.S)):
        files.append(tmp_path / f"example-{number}.toml")
        files[-1].write_text(text, encoding="utf-8")
    scenarios = read_scenarios(files)
    assert [one.kind for one in scenarios] == ["intervene", "assume"]
    plan_scenarios(make_plan("default", prior_only=True), scenarios, "agi")


@pytest.mark.parametrize("change", re.findall(r"^\| `(\{ .* \})` \|", PAGE, re.M))
def test_a_change_on_the_page_is_one_that_is_read(change, tmp_path):
    file = tmp_path / "one.toml"
    file.write_text(f'kind = "intervene"\nintervene = [{change}]\n', encoding="utf-8")
    (scenario,) = read_scenarios([file])
    assert read_interventions([change.to_toml() for change in scenario.intervene]) == scenario.intervene
