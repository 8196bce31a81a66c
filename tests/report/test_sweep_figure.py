"""Pictures and the table of a sweep: what is drawn is what the rows say."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from forecast.report.sweep_axes import SweepFacts
from forecast.report.sweep_figure import response_figure
from forecast.report.sweep_table import MOST_CELLS, print_sweep

BLOCS = {"us_allies": "US & allies", "china": "China"}
WINDOW = "2026-01-01 to 2027-12-31"


def rows_of(**settings: list[Any]) -> list[dict[str, Any]]:
    """A grid whose probability is a hundredth of the cell's number, and more for the first bloc."""
    rows = []
    for number, values in enumerate(product(*settings.values())):
        for place, bloc in enumerate(BLOCS):
            median = None if number == 0 else 2030.0 + number / 10 + place
            quantiles = {key: median for key in ("q05", "q25", "q50", "q75", "q95")}
            row = {
                "cell": number,
                **dict(zip(settings, values, strict=True)),
                "bloc": bloc,
                "milestone": "agi",
            }
            rows.append(
                row | {"p_in": number / 100 + 0.2 * (1 - place), **quantiles, "ok": None, "error": ""}
            )
    return rows


def facts(*keys: str, **more: Any) -> SweepFacts:
    return SweepFacts("s", "AGI", WINDOW, "2060-12-31", BLOCS, {key: key for key in keys}, **more)


def lines(axes: Any) -> list[list[float]]:
    """Heights of the lines that join points."""
    return [
        list(line.get_ydata())
        for line in axes.lines
        if line.get_linestyle() != "None" and len(line.get_xdata()) > 2
    ]


def test_one_setting_is_a_line_a_bloc_and_never_is_marked_open():
    figure = response_figure(rows_of(mu=[0.1, 0.2, 0.4]), ["mu"], facts("mu"))
    left, right = figure.axes
    assert np.allclose(lines(left), [[0.2, 0.21, 0.22], [0.0, 0.01, 0.02]])
    assert list(left.lines[0].get_xdata()) == [0.1, 0.2, 0.4]
    opened = [line for line in right.lines if line.get_marker() == "^" and len(line.get_xdata())]
    assert len(opened) == len(BLOCS)
    assert any(text.get_text() == "not by 2060" for text in right.texts)
    assert left.get_ylabel() == f"P({WINDOW})"


def test_two_settings_are_lines_by_the_one_with_fewer_values():
    figure = response_figure(
        rows_of(mu=[1, 2, 3], scenario=["none", "x"]), ["mu", "scenario"], facts("mu", "scenario")
    )
    above = figure.axes[0]
    assert np.allclose(lines(above), [[0.2, 0.22, 0.24], [0.21, 0.23, 0.25]])
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["none", "x"]


def test_two_settings_of_many_values_are_a_heat_map():
    values = list(range(7))
    figure = response_figure(rows_of(a=values, b=values), ["a", "b"], facts("a", "b"))
    drawn = np.asarray(figure.axes[0].images[0].get_array())
    across = figure.axes[0].get_xlabel()
    expected = 0.2 + np.arange(49).reshape(7, 7) / 100
    assert np.allclose(drawn, expected.T if across == "a" else expected)
    assert "never" in figure.axes[0].texts[0].get_text()


def test_more_settings_are_main_effects_over_whatever_the_others_were():
    figure = response_figure(rows_of(a=[1, 2, 3], b=[1, 2], c=[1, 2]), ["a", "b", "c"], facts("a", "b", "c"))
    assert len(figure.axes) == 6
    first = [line for line in figure.axes[0].lines if line.get_label() == "US & allies"][0]
    assert np.allclose(first.get_ydata(), 0.2 + np.array([1.5, 5.5, 9.5]) / 100)


def test_values_stand_in_the_order_of_the_file_and_lists_cell_by_cell():
    rows = rows_of(scenario=["b", "a", "none"])
    figure = response_figure(rows, ["scenario"], facts("scenario", order={"scenario": ["none", "a", "b"]}))
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["none", "a", "b"]
    together = rows_of(mu=[1, 2, 3])
    for row in together:
        row["nu"] = row["mu"] * 2
    listed = response_figure(together, ["mu", "nu"], facts("mu", "nu", is_grid=False, is_list=True))
    assert listed.axes[0].get_xlabel() == "cell, in the order of the lists"


def test_cells_that_failed_are_left_out_and_a_sweep_of_nothing_says_so():
    rows = rows_of(mu=[1, 2, 3])
    for row in rows[:2]:
        row |= {"p_in": None, "error": "x"}
    assert lines(response_figure(rows_of(mu=[1, 2, 3]), ["mu"], facts("mu")).axes[0])
    assert list(response_figure(rows, ["mu"], facts("mu")).axes[0].lines[0].get_xdata()) == [2, 3]
    empty = response_figure(rows[:2], ["mu"], facts("mu"))
    assert empty.axes[0].texts[0].get_text() == "no cell has numbers"


@pytest.mark.parametrize("cells", [3, MOST_CELLS + 5])
def test_the_table_has_a_line_a_cell_up_to_its_limit(cells: int):
    rows = rows_of(mu=list(range(cells)))
    rows[2] |= {"p_in": None, "error": "x"}
    shown = Console(file=io.StringIO(), width=80)
    print_sweep(rows, ["mu"], facts("mu"), console=shown)
    text = shown.file.getvalue()
    assert "20.0% >2060" in text and "22.0% 2030-03" in text and "error" in text
    assert ("and 5 more cells" in text) == (cells > MOST_CELLS)
