"""The picture of several runs: a panel for each bloc, a curve for each run, and odd runs do not break it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forecast.errors import ForecastError, InputError
from forecast.report.compare_figure import compare_figure
from forecast.results import StoredRun
from tests.results.synthetic import crossings_from, likely_crossings
from tests.results.variants import save_variant

INF = float("inf")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[StoredRun]:
    folder = tmp_path_factory.mktemp("runs")
    later = likely_crossings(seed=4)
    later["agi"] = later["agi"] + 3
    return [
        save_variant(folder, "plain", toml='name = "one"\n'),
        save_variant(folder, "later", toml='name = "two"\n', crossings=later, prior_only=True),
    ]


def panels(figure: Figure) -> list[Axes]:
    """The axes of densities, without those of the shares that never cross."""
    return [axes for axes in figure.axes if axes.get_legend() is not None]


def labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def words(figure: Figure) -> str:
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        texts += labels(axes) if axes.get_legend() else []
    return " | ".join([figure.get_suptitle(), *texts])


def curves(axes: Axes) -> list[tuple[str, str]]:
    """Colour and style of each labelled curve."""
    return [(str(line.get_color()), str(line.get_linestyle())) for line in axes.get_legend().get_lines()]


def test_each_bloc_has_a_panel_and_each_run_a_curve_of_its_own(two: list[StoredRun], tmp_path: Path) -> None:
    figure = compare_figure(two, "agi", tmp_path / "two.png")
    us, china = panels(figure)
    assert (us.get_title(loc="left"), china.get_title(loc="left")) == ("US & allies", "China")
    assert labels(us)[0].startswith("1  default-one: median 2031-")
    assert labels(us)[1].startswith("2  default-two: median 2034-")
    assert curves(us) == curves(china)
    colours, _ = zip(*curves(us), strict=True)
    assert len(set(colours)) == 2
    # A dash pattern is not told by the legend's copy of a line: the curves themselves differ.
    styles = [line.get_linestyle() for line in us.get_lines() if str(line.get_label())[:1] in "12"]
    assert len({str(style) for style in styles}) == 2
    assert (tmp_path / "two.png").read_bytes()[:4] == b"\x89PNG"


def test_the_picture_says_what_it_shows_of_which_runs(two: list[StoredRun]) -> None:
    said = words(compare_figure(two, "agi"))
    assert "AGI: when each bloc gets there, in 2 runs" in said
    assert "conditional on its worldview, not a prophecy" in said
    assert "window 2026-01-01 to 2027-12-31" in said
    assert "probability per year" in said
    assert "not by end\nof 2060" in said
    assert "1  plain: worldview 'default-one' as of 2026-06-30" in said
    assert "2  later: priors alone of worldview 'default-two' as of 2026-06-30" in said
    accepted = likely_crossings()["accepted"].to_numpy()
    when = likely_crossings()["agi"].to_numpy()[accepted]
    assert f"{100 * np.isinf(when[:, 0]).mean():.0f}%" in said


def test_a_window_that_all_share_is_shaded_and_others_are_marked_run_by_run(
    two: list[StoredRun], tmp_path: Path
) -> None:
    other = save_variant(
        tmp_path, "other", overrides=["window.start=2028-01-01", "window.end=2030-12-31", "as_of=2025-06-30"]
    )
    axes = panels(compare_figure([two[0], other], "agi"))[0]
    shaded = [patch.get_extents().width for patch in axes.patches]
    assert len(shaded) == 2
    assert "window of each run" in [text.get_text() for text in axes.texts]
    bars = [
        line.get_xdata()
        for line in axes.get_lines()
        if line.get_linewidth() == 2 and len(line.get_xdata()) == 2
    ]
    assert [list(bar) for bar in bars] == [[2026.0, 2028.0], [2028.0, 2031.0]]
    assert len(panels(compare_figure(two, "agi"))[0].patches) == 1


def test_a_run_without_the_milestone_is_left_out_and_the_numbers_stay(
    two: list[StoredRun], tmp_path: Path
) -> None:
    renamed = likely_crossings().rename(agi="run_1e27")
    lacking = save_variant(tmp_path, "lacking", crossings=renamed)
    figure = compare_figure([two[0], lacking, two[1]], "agi")
    assert [label[0] for label in labels(panels(figure)[0])] == ["1", "3"]
    assert "in 2 runs" in figure.get_suptitle()
    assert "lacking" not in words(figure)
    with pytest.raises(ForecastError, match="none of the runs has the milestone 'asi'"):
        compare_figure(two, "asi")


def test_a_bloc_of_one_run_only_has_a_panel_with_one_curve(two: list[StoredRun], tmp_path: Path) -> None:
    blocs = ("us_allies", "china", "eu")
    three = save_variant(
        tmp_path,
        "three",
        toml='[blocs]\nus_allies = "US & allies"\nchina = "China"\neu = "Europe"\n',
        crossings=crossings_from(2027 + np.random.default_rng(0).exponential(5, (4, 100, 3)), blocs=blocs),
    )
    figure = compare_figure([two[0], three], "agi")
    assert [axes.get_title(loc="left") for axes in panels(figure)] == ["US & allies", "China", "Europe"]
    assert [label[0] for label in labels(panels(figure)[2])] == ["2"]
    assert curves(panels(figure)[2]) == curves(panels(figure)[0])[1:]


@pytest.mark.parametrize(
    "when",
    [
        np.full((2, 50, 2), INF),
        np.full((1, 1, 2), 2030.0),
        2020 + np.random.default_rng(1).exponential(5, (2, 50, 2)),
    ],
    ids=["all never", "one draw", "crossed before the as-of date"],
)
def test_odd_draws_are_drawn(two: list[StoredRun], when: np.ndarray, tmp_path: Path) -> None:
    odd = save_variant(
        tmp_path / "runs", "odd", crossings=crossings_from(when), overrides=["horizon=2050-12-31"]
    )
    figure = compare_figure([two[0], odd], "agi", tmp_path / "odd.png")
    assert (tmp_path / "odd.png").stat().st_size > 10_000
    assert "not by the\nrun's horizon" in words(figure)


def test_twelve_runs_are_told_apart_by_colour_and_style(two: list[StoredRun]) -> None:
    axes = panels(compare_figure([two[0]] * 12, "agi"))[0]
    drawn = [line for line in axes.get_lines() if "median" in str(line.get_label())]
    assert len({(line.get_color(), str(line._dash_pattern)) for line in drawn}) == 12


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf", ".PNG"])
def test_the_same_runs_give_the_same_file(two: list[StoredRun], tmp_path: Path, ending: str) -> None:
    for name in ("one", "two"):
        compare_figure(two, "agi", tmp_path / f"{name}{ending}")
    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()


def test_another_ending_is_refused_and_a_failure_leaves_the_file_as_it_was(
    two: list[StoredRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"x\.txt: must end in \.png, \.pdf, \.svg"):
        compare_figure(two, "agi", tmp_path / "x.txt")
    with pytest.raises(InputError, match="there is no folder"):
        compare_figure(two, "agi", tmp_path / "nowhere" / "x.png")
    path = tmp_path / "x.png"
    path.write_bytes(b"before")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(ForecastError, match="No space left"):
        compare_figure(two, "agi", path)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["x.png"]
