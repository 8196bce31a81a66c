"""The picture of a forecast: what it shows, and that odd draws do not break it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.errors import ForecastError
from forecast.report.densities import crossing_density
from forecast.report.figures import bloc_colours, crossings_figure
from tests.results.synthetic import crossings_from, likely_crossings, small_worldview

INF = float("inf")
TWO = ("us_allies", "china")
SIX = ("a", "b", "c", "d", "e", "f")


def words(figure) -> str:
    """Everything written on a figure."""
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        legend = axes.get_legend()
        texts += [text.get_text() for text in legend.get_texts()] if legend else []
    return " | ".join([figure.get_suptitle(), *texts])


def test_the_density_integrates_to_the_share_that_crosses_and_none_lies_before_the_as_of_date() -> None:
    when = np.concatenate([2026.5 + np.random.default_rng(0).exponential(3, 800), np.full(200, INF)])
    years, density = crossing_density(when, 2026.5, 2061.0)
    # Cells in time: the grid is even on the logarithm of the time to go.
    edges = 2026.5 + np.expm1(np.linspace(0, np.log1p(34.5), years.size + 1))
    assert np.sum(density * np.diff(edges)) == pytest.approx(0.8, abs=0.002)
    assert years.min() > 2026.5
    assert years.max() < 2061.0
    # An exponential is highest at its start: reflection keeps it so.
    assert years[np.argmax(density)] < 2027.5


def test_a_density_of_no_crossing_is_flat_at_zero() -> None:
    assert not crossing_density(np.full(10, INF), 2026.5, 2061.0)[1].any()


def test_the_picture_says_what_it_shows_and_that_it_is_conditional(tmp_path: Path) -> None:
    path = tmp_path / "crossings.png"
    figure = crossings_figure(
        likely_crossings(), small_worldview(), path, run_id="2026-06-30-default-0a1b2c3d"
    )
    said = words(figure)
    assert "AGI: when each bloc gets there, as of 2026-06-30" in said
    assert "Conditional on this worldview (Default), not a prophecy" in said
    assert "window 2026-01-01 to 2027-12-31" in said
    assert "US & allies: median 2031-" in said
    assert "not by end\nof 2060" in said
    assert "11%" in said
    assert "Run 2026-06-30-default-0a1b2c3d" in said
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_the_same_draws_give_the_same_file(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        crossings_figure(likely_crossings(), small_worldview(), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize(
    ("crossings", "blocs"),
    [
        (crossings_from(np.full((1, 1, 2), 2030.0)), TWO),
        (crossings_from(np.full((2, 5, 2), INF)), TWO),
        (crossings_from(np.full((2, 5, 1), 2040.0), blocs=("a",)), ("a",)),
        (crossings_from(2027 + np.random.default_rng(0).exponential(5, (2, 50, 6)), blocs=SIX), SIX),
        (crossings_from(2020 + np.random.default_rng(0).exponential(5, (2, 50, 2))), TWO),
        (crossings_from(np.full((2, 5, 2), 2060.999)), TWO),
    ],
    ids=["one draw", "all never", "one bloc", "six blocs", "crossed before the as-of date", "at the horizon"],
)
def test_odd_draws_are_drawn(crossings: xr.Dataset, blocs: tuple[str, ...], tmp_path: Path) -> None:
    figure = crossings_figure(crossings, small_worldview(*blocs), tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000
    left, right = figure.axes[0].get_xlim()
    assert left < 2026.01
    assert right >= 2061.0
    assert len(figure.axes[0].get_legend().get_texts()) == len(blocs)


def test_draws_set_aside_are_not_drawn() -> None:
    crossings = crossings_from([[[2020.0, 2020.0], [2030.0, INF]]], [[False, True]])
    said = words(crossings_figure(crossings, small_worldview()))
    assert "US & allies: median 2030-01" in said
    assert "China: median >2060" in said
    assert "From 1 accepted of 2 draws" in said


def test_no_global_state_of_pyplot_is_touched() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    crossings_figure(likely_crossings(), small_worldview())
    assert dict(matplotlib.rcParams) == before


def test_another_milestone_may_be_chosen_and_agi_is_the_first_choice() -> None:
    crossings = likely_crossings().assign(run_1e27=likely_crossings(seed=5)["agi"])
    assert "run_1e27: when" in words(crossings_figure(crossings, small_worldview(), milestone="run_1e27"))
    assert "AGI: when" in words(
        crossings_figure(crossings[["run_1e27", "agi", "accepted"]], small_worldview())
    )
    with pytest.raises(ForecastError, match="no milestone"):
        crossings_figure(crossings[["accepted"]], small_worldview())


def test_a_worldview_without_a_title_goes_by_its_name() -> None:
    assert "(default)" in words(
        crossings_figure(likely_crossings(), dataclasses.replace(small_worldview(), title=""))
    )


def test_up_to_six_blocs_have_colours_of_their_own() -> None:
    assert len(set(bloc_colours(SIX).values())) == 6
    assert len(bloc_colours([*SIX, "g"])) == 7
