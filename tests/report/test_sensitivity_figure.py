"""The picture of sensitivity: what it shows, and that runs which lack a part do not break it."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.report.sensitivity_figure import sensitivity_figure
from forecast.sensitivity import sensitivity
from tests.report.test_worlds_figure import words
from tests.results.synthetic import small_worldview
from tests.sensitivity.trees import known_tree, prior_only_tree


@pytest.fixture(scope="module")
def found() -> dict:
    tree = known_tree(idle=3.0, luck=1.0, centre=2030.0)
    return sensitivity(tree, small_worldview(), run="some-run")


def test_the_picture_says_what_it_shows_and_that_it_is_conditional(found: dict, tmp_path: Path) -> None:
    path = tmp_path / "sensitivity.png"
    figure = sensitivity_figure(found, path)
    said = words(figure)
    for one in (
        "AGI: what the answer hangs on, as of 2026-06-30",
        "P(US & allies crosses from 2026-01-01 to 2027-12-31)",
        "Lead of US & allies over China: median",
        "What matters if it counts for a little more or less",
        "What each driver's parameters explain",
        "Conditional on worldview 'default', not a prophecy",
        "no data moved it",
        "Run some-run",
    ):
        assert one in said
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_bars_reach_from_the_answer_of_all_draws_to_that_of_each_side(found: dict) -> None:
    axes = sensitivity_figure(found).axes[0]
    low, high = (
        bar.get_x() + bar.get_width() for bar in axes.patches[:2]
    )  # of the parameter with the largest effect
    first = found["tornado"][0]
    assert (low, high) == pytest.approx((first["p_in_low"], first["p_in_high"]))
    assert axes.patches[0].get_x() == pytest.approx(found["answer"]["p_in"])
    assert axes.get_yticklabels()[0].get_text() == first["name"]


def test_the_same_run_gives_the_same_file(found: dict, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        sensitivity_figure(found, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_priors_alone_have_no_panel_of_components(tmp_path: Path) -> None:
    found = sensitivity(prior_only_tree(idle=3.0), small_worldview(), prior_only=True)
    figure = sensitivity_figure(found, tmp_path / "one.svg")
    assert len(figure.axes) == 3
    assert "priors alone" in words(figure) and "psi" not in words(figure)


def test_one_bloc_has_no_panel_of_the_lead() -> None:
    tree = known_tree(idle=3.0)
    tree["crossings"] = tree["crossings"].to_dataset().isel(bloc=[0])
    figure = sensitivity_figure(sensitivity(tree, small_worldview("us_allies")))
    assert len(figure.axes) == 3 and "Lead" not in words(figure)


def test_a_lead_that_is_mostly_infinite_is_said_to_be_so() -> None:
    tree = known_tree(idle=3.0)
    crossings = tree["crossings"].to_dataset()
    alone = crossings["agi"].where(crossings["bloc"] == "us_allies", float("inf"))
    few = crossings["agi"].where(crossings["draw"] % 5 == 0, alone)
    tree["crossings"] = crossings.assign(agi=few)
    found = sensitivity(tree, small_worldview())
    assert found["answer"]["lead"] is None
    assert "the median is infinite" in words(sensitivity_figure(found))
