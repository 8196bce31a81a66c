"""The picture and the tables of scenarios."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from forecast.errors import ForecastError, InputError
from forecast.report.scenario_figure import scenario_figure
from forecast.report.scenario_table import print_scenarios
from forecast.results.scenario_summary import Branch, summarise_scenarios
from tests.results.synthetic import likely_crossings, small_worldview

OK = {"ok": True, "verdict": "passed", "checks": []}


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    """Eight scenarios, each later than the one before, the last beyond the horizon; two fitted again."""
    view, base = small_worldview(), likely_crossings(1)
    branches = {}
    for number in range(8):
        moved = base.assign(agi=base["agi"] + number / 2 if number < 7 else base["agi"] * np.inf)
        again = number in (3, 4)
        branches[f"scenario-{number}"] = branch(
            view, likely_crossings(2) if again else moved, title=f"Scenario [{number}]", paired=not again
        )
    return summarise_scenarios(branch(view, base), branches, "agi")


def branch(view: Any, crossings: xr.Dataset, title: str = "", *, paired: bool = False) -> Branch:
    tree = xr.DataTree.from_dict({"crossings": crossings})
    return Branch(view, tree, "2026-06-30-small-0a1b2c3d", OK, {"title": title, "kind": "intervene"}, paired)


def printed(summary: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    print_scenarios(summary, console)
    return console.file.getvalue()


def texts(figure: Any) -> str:
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    found += [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    found += [text.get_text() for text in figure.texts] + [axes.get_title(loc="left") for axes in figure.axes]
    return "\n".join(found)


def test_the_picture_has_a_panel_a_bloc_and_a_row_a_scenario(summary, tmp_path):
    figure = scenario_figure(summary, tmp_path / "scenarios.png")
    assert len(figure.axes) == 2
    for axes in figure.axes:
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels[0] == "Base" and len(labels) == 9 and labels[4] == "Scenario [3] *"
    assert (tmp_path / "scenarios.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_says_what_it_is_conditional_on_and_shows_the_numbers(summary):
    shown = texts(scenario_figure(summary))
    assert "not a prophecy" in shown and "2026-06-30-small-0a1b2c3d" in shown and "as of 2026-06-30" in shown
    base = summary["base"]["blocs"]["china"]["p_in"]
    later = summary["scenarios"]["scenario-2"]["blocs"]["china"]["p_in"]
    assert f"{100 * base:.1f}% \N{RIGHTWARDS ARROW} {100 * later:.1f}%" in shown
    assert "+1.0 (+1.0 to +1.0)" in shown and "0.0 (0.0 to 0.0)" in shown
    assert ">2060" in shown and "never both ways" in shown  # the last scenario
    assert "* fitted again" in shown


def test_markers_stand_at_the_medians(summary):
    axes = scenario_figure(summary).axes[0]
    points = {
        (round(float(line.get_xdata()[0]), 6), int(line.get_ydata()[0]))
        for line in axes.lines
        if line.get_marker() == "o"
    }
    base = round(summary["base"]["blocs"]["us_allies"]["quantiles"]["0.5"], 6)
    assert all((base, row) in points for row in range(9))
    for row, one in enumerate(summary["scenarios"].values(), start=1):
        median = one["blocs"]["us_allies"]["quantiles"]["0.5"]
        assert median is None or (round(median, 6), row) in points


def test_the_same_scenarios_give_the_same_file(summary, tmp_path):
    for name in ("a.png", "b.png"):
        scenario_figure(summary, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with pytest.raises(InputError, match="must end in"):
        scenario_figure(summary, tmp_path / "c.xyz")


def test_nothing_to_draw_is_said_in_words(summary):
    with pytest.raises(ForecastError, match="no scenario"):
        scenario_figure({**summary, "scenarios": {}})


def test_a_bloc_that_a_scenario_takes_away_is_said_to_be_gone(summary):
    fewer = copy.deepcopy(summary)
    del fewer["scenarios"]["scenario-1"]["blocs"]["china"]
    fewer["scenarios"]["scenario-1"]["lead"] = None
    assert "no such bloc" in texts(scenario_figure(fewer))
    assert "scenario-1" in printed(fewer)


def test_the_tables_fit_a_terminal_and_show_every_number_with_its_error(summary):
    text = printed(summary)
    assert max(map(len, text.splitlines())) <= 80
    rows = {line.split()[0]: line for line in text.split("China")[1].splitlines() if line.strip()}
    assert "+1.00 ±0.00" in rows["scenario-2"] and "+1.0 to +1.0" in rows["scenario-2"]
    assert rows["scenario-7"].split()[1:] == [">2060", "-", "-", "0.000"]
    assert "scenario-3 *" in text and "Fit of scenario-3:" in text and "Fit of scenario-2:" not in text
    assert "P(alone for" in text and "P(2026-01-01" in text
    base = summary["base"]["blocs"]["us_allies"]
    assert f"{base['p_in']:.3f}" in text and f"±{base['mcse']['p_in']:.3f}" in text


def test_a_world_of_one_bloc_has_no_lead_to_show():
    view, crossings = (
        small_worldview("alone"),
        likely_crossings().isel(bloc=[0]).assign_coords(bloc=["alone"]),
    )
    found = summarise_scenarios(
        branch(view, crossings), {"same": branch(view, crossings, "Same", paired=True)}, "agi"
    )
    assert found["base"]["lead"] is None and found["scenarios"]["same"]["lead"] is None
    text = printed(found)
    assert "Alone" in text and "P(alone" not in text
    assert len(scenario_figure(found).axes) == 1
