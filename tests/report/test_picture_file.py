"""Writing pictures: titles are shown as written, and a wrong place is named before anything is made."""

from __future__ import annotations

import dataclasses
import errno
import warnings
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from forecast.errors import ForecastError, InputError
from forecast.report.figures import crossings_figure
from forecast.report.picture_file import check_picture_path, save_picture
from forecast.report.scenario_figure import scenario_figure
from forecast.report.text_file import save_text
from forecast.results.scenario_summary import Branch, summarise_scenarios
from tests.results.synthetic import likely_crossings, small_worldview

FORMULA = r"$^$ and \frac{ [/] <b>"
"""Two dollar signs with something between them that is no TeX."""


def drawn(**words: str) -> Figure:
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [1, 1000], label=words.get("label", "line"))
    axes.set_yscale("log")
    axes.set_title(words.get("title", "title"))
    axes.set_xticks([0, 1], [words.get("tick", "tick"), "b"])
    axes.legend()
    return figure


@pytest.mark.parametrize("place", ["label", "title", "tick"])
def test_a_dollar_sign_begins_no_formula(place: str, tmp_path: Path) -> None:
    save_picture(drawn(**{place: FORMULA}), tmp_path / "x.png")
    svg = tmp_path / "x.svg"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_picture(drawn(**{place: "from $1 to $2"}), svg)
    assert svg.is_file()


def test_the_ticks_of_a_log_scale_keep_their_powers(tmp_path: Path) -> None:
    figure = drawn()
    save_picture(figure, tmp_path / "x.png")
    (axes,) = figure.axes
    powers = [tick for tick in axes.get_yticklabels() if "10^" in tick.get_text()]
    assert powers
    assert all(tick.get_parse_math() for tick in powers)


def test_titles_of_a_worldview_are_no_formulas(tmp_path: Path) -> None:
    view = small_worldview()
    blocs = tuple(dataclasses.replace(bloc, title=f"{bloc.title} {FORMULA}") for bloc in view.blocs)
    view = dataclasses.replace(view, title=FORMULA, blocs=blocs)
    crossings_figure(likely_crossings(), view, tmp_path / "crossings.png")
    about: dict[str, Any] = {"title": FORMULA, "kind": "intervene"}
    ok = {"ok": True, "verdict": "passed", "checks": []}

    def branch(described: dict[str, Any]) -> Branch:
        tree = xr.DataTree.from_dict({"crossings": likely_crossings()})
        return Branch(view, tree, "2026-06-30-small-0a1b2c3d", ok, described, paired=True)

    summary = summarise_scenarios(branch({}), {"one": branch(about)}, "agi")
    scenario_figure(summary, tmp_path / "scenarios.png")


def test_a_script_that_the_font_lacks_is_no_warning_with_lines_of_code(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_picture(drawn(title="\u4e2d\u56fd"), tmp_path / "x.png")


def test_a_folder_that_is_not_there_is_named_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "nowhere" / "x.png", tmp_path / "file" / "x.png"):
        with pytest.raises(InputError, match="there is no folder .*make it first"):
            check_picture_path(path)
    with pytest.raises(InputError, match=r"must end in .png"):
        check_picture_path(tmp_path / "x.gif")


def test_a_picture_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 300}.png"
    with pytest.raises(ForecastError, match="could not be written: File name too long"):
        save_picture(drawn(), path)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_removed_the_message_still_names_the_file(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_text", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(ForecastError, match=r"page.html: could not be written: Read-only file system"):
        save_text(tmp_path / "page.html", "text")
