"""The picture of channels: what it shows, and that odd channels do not break it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.report.channels_figure import channels_figure
from forecast.results.channel_flows import read_channels
from forecast.results.channels import describe_channels
from tests.results.synthetic import full_tree, steps_worldview


def words(figure) -> str:
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        legend = axes.get_legend()
        texts += [text.get_text() for text in legend.get_texts()] if legend else []
    return " | ".join([figure.get_suptitle(), *texts])


def drawn(tree: xr.DataTree, path: Path | None = None):
    channels = read_channels(tree)
    described = describe_channels(channels, steps_worldview(), run_id="some-run")
    return channels_figure(channels, described, path, run_id="some-run")


def changed(**changes) -> xr.DataTree:
    tree = full_tree()
    projection = tree["projection"].to_dataset().copy(deep=True)
    return xr.DataTree.from_dict(
        {"projection": changes["change"](projection), "crossings": tree["crossings"].to_dataset()}
    )


def test_the_picture_says_what_it_shows_and_that_it_is_conditional(tmp_path: Path) -> None:
    path = tmp_path / "channels.png"
    said = words(drawn(full_tree(), path))
    assert "Chips that can be had, and what is bought of them: China, as of 2026-06-30" in said
    assert "Conditional on worldview 'steps', not a prophecy" in said
    assert "Run some-run" in said
    assert "million H100e/year" in said
    for label in ("domestic", "licensed", "smuggled", "total bought", "on offer"):
        assert label in said
    assert "Share of smuggled in what is bought" in said and "of all since 2022" in said
    assert "What can be had / what money could buy" in said
    assert "Offers are not bounded by world production, purchases are." in said
    assert "below 1 the controls bind: P = " in said
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_the_past_is_in_every_panel_and_the_as_of_date_is_marked() -> None:
    figure = drawn(full_tree())
    for axes in figure.axes:
        assert axes.get_xlim()[0] < 2023 < 2026.5 < axes.get_xlim()[1]
        marks = [line for line in axes.lines if line.get_linestyle() == ":"]
        assert [float(mark.get_xdata()[0]) for mark in marks] == pytest.approx([2026 + 181 / 365])
    assert figure.axes[0].get_yscale() == "linear" and figure.axes[0].get_xlim()[1] < 2029
    assert figure.axes[3].get_yscale() == "log"
    assert figure.axes[2].get_ylim() == (0, 1)
    assert {round(axes.get_xlim()[1]) for axes in figure.axes[1:]} == {2033}  # six years and no more


def test_a_band_that_would_hide_the_past_is_cut_and_says_where_it_goes() -> None:
    def offered(projection: xr.Dataset) -> xr.Dataset:
        return projection.drop_vars(["chip_purchases"])

    def narrow(projection: xr.Dataset) -> xr.Dataset:
        flows = projection["chip_channels"]
        return offered(projection).assign(
            chip_channels=flows.mean(["chain", "draw"]).broadcast_like(flows).assign_attrs(flows.attrs)
        )

    assert "band to 2.7" in words(drawn(changed(change=offered)))
    assert "band to " not in words(drawn(changed(change=narrow)))


def test_the_same_draws_give_the_same_file(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        drawn(full_tree(), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_without_a_smuggled_channel_the_share_of_the_largest_is_drawn() -> None:
    tree = changed(change=lambda projection: projection.assign_coords(channel=["a", "b", "c"]))
    described = describe_channels(read_channels(tree), steps_worldview())
    shares = described["years"][-1]["bought"]["flow"]["shares"]
    largest = max(shares, key=lambda name: shares[name]["0.5"])
    assert f"Share of {largest} in what is bought" in words(drawn(tree))


@pytest.mark.parametrize(
    "change",
    [
        lambda projection: projection.drop_vars(["chip_demand", "chip_purchases", "policy"]),
        lambda projection: projection.isel(channel=[0]),
        lambda projection: projection.assign(
            chip_channels=projection["chip_channels"].where(projection["time"] < np.datetime64("2030"), 0.0)
        ),
    ],
    ids=["nothing beside", "one channel", "shut later"],
)
def test_odd_channels_are_drawn(change, tmp_path: Path) -> None:
    drawn(changed(change=change), tmp_path / "channels.png")
    assert (tmp_path / "channels.png").stat().st_size > 10_000


def test_the_stack_is_of_what_is_bought_with_all_that_is_on_offer_as_a_line() -> None:
    channels = read_channels(full_tree())
    near = drawn(full_tree()).axes[0]
    lines = {line.get_label(): line for line in near.lines}
    for label, values in (("total bought", channels.purchases.sum(axis=2)), ("on offer", channels.total)):
        shown = np.isin(channels.time, lines[label].get_xdata())
        median = np.median(values[channels.counted], axis=0)[shown]
        assert lines[label].get_ydata() == pytest.approx(median)
    assert np.all(lines["total bought"].get_ydata() < lines["on offer"].get_ydata())


def test_without_purchases_the_picture_is_of_offers_and_says_so() -> None:
    said = words(drawn(changed(change=lambda projection: projection.drop_vars(["chip_purchases"]))))
    assert "On offer near the as-of date" in said and "in what is on offer" in said
    assert "is on offer, not bought" in said and "total bought" not in said
