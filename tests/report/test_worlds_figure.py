"""The picture of worlds: what it shows, and that odd draws do not break it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import ForecastError
from forecast.report.densities import lead_density
from forecast.report.worlds_figure import worlds_figure
from forecast.results.worlds import describe_worlds
from tests.results.synthetic import crossings_from, full_tree, small_worldview, steps_worldview

INF = float("inf")


def words(figure) -> str:
    texts = [text.get_text() for text in figure.texts]
    for legend in figure.legends:
        texts += [text.get_text() for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
    return " | ".join([figure.get_suptitle(), *texts])


def test_the_density_of_the_lead_integrates_to_the_share_in_which_both_cross() -> None:
    rng = np.random.default_rng(0)
    years = np.concatenate([rng.normal(2, 3, 3200), np.full(600, INF), np.full(200, -INF)])
    lead, density = lead_density(years, -15, 20)
    assert np.trapezoid(density, lead) == pytest.approx(0.8, abs=0.01)
    assert lead[np.argmax(density)] == pytest.approx(2, abs=1)


@pytest.mark.parametrize("years", [[INF, -INF, np.nan], [2.0], [0.0, 0.0, 0.0]])
def test_few_or_equal_leads_have_a_finite_density(years: list[float]) -> None:
    lead, density = lead_density(np.array(years), -3, 5)
    assert np.all(np.isfinite(density)) and np.all(np.diff(lead) > 0)


def test_the_picture_says_what_it_shows_and_that_it_is_conditional(tmp_path: Path) -> None:
    tree, path = full_tree(), tmp_path / "worlds.png"
    described = describe_worlds(tree, steps_worldview(), run_id="some-run")
    figure = worlds_figure(tree["crossings"].to_dataset(), described, path, run_id="some-run")
    said = words(figure)
    assert "AGI: one bloc alone, or two within 1 year? As of 2026-06-30" in said
    assert "Conditional on worldview 'steps', not a prophecy" in said
    assert "Run some-run" in said
    assert "Lead of US & allies over China" in said
    for label in ("US & allies alone", "bipolar", "China alone", "neither by 2060"):
        assert label in said
    assert "By the threshold training compute" in said
    assert "By the threshold effective compute\n(counts in 25% of draws)" in said
    assert "threshold, FLOP" in said and "threshold, work hour" in said
    assert f"{100 * described['worlds']['p_bipolar']:.0f}%" in said
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_the_shares_of_a_bar_and_of_a_bin_reach_from_nothing_to_all() -> None:
    tree = full_tree()
    described = describe_worlds(tree, steps_worldview())
    figure = worlds_figure(tree["crossings"].to_dataset(), described)
    bars = figure.axes[1].patches
    tops = {round(bar.get_x(), 3): 0.0 for bar in bars}
    for bar in bars:
        tops[round(bar.get_x(), 3)] += bar.get_height()
    assert list(tops.values()) == pytest.approx([1.0] * 5)


def test_the_same_draws_give_the_same_file(tmp_path: Path) -> None:
    tree = full_tree()
    described = describe_worlds(tree, steps_worldview())
    for name in ("one.png", "two.png"):
        worlds_figure(tree["crossings"].to_dataset(), described, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize(
    "dates",
    [
        np.full((1, 1, 2), 2030.0),
        np.full((2, 5, 2), INF),
        np.full((2, 5, 3), 2040.0),
        2027 + np.random.default_rng(0).exponential(5, (2, 50, 6)),
    ],
    ids=["one draw", "all never", "three blocs at once", "six blocs"],
)
def test_odd_draws_are_drawn(dates: np.ndarray, tmp_path: Path) -> None:
    names = ("us_allies", "china", "c", "d", "e", "f")[: dates.shape[-1]]
    crossings = crossings_from(dates, blocs=names)
    described = describe_worlds(crossings, small_worldview(*names))
    worlds_figure(crossings, described, tmp_path / "worlds.png")
    assert (tmp_path / "worlds.png").stat().st_size > 10_000


def test_blocs_without_a_named_lead_have_their_worlds_drawn() -> None:
    crossings = crossings_from(np.full((1, 5, 2), 2030.0))
    described = describe_worlds(crossings, dataclasses.replace(small_worldview(), lead=None))
    assert described["lead"] is None
    assert "Lead of" not in words(worlds_figure(crossings, described))


def test_a_picture_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    crossings = crossings_from(np.full((1, 5, 2), 2030.0))
    described = describe_worlds(crossings, small_worldview())
    with pytest.raises(ForecastError, match=r"gone/worlds\.png"):
        worlds_figure(crossings, described, tmp_path / "gone" / "worlds.png")
