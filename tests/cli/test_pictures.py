"""``forecast pictures``: every picture of a run, in any format; what a run cannot have is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.files import PICTURE_FORMATS
from forecast.report import arviz_pictures
from forecast.report.picture_file import check_picture_path
from forecast.report.pictures import PICTURES
from forecast.results import read_run
from tests.diagnostics.fits import normal_fit
from tests.results.synthetic import full_tree, save_run, steps_worldview

ID = "2026-06-30-steps-0a1b2c3d"
OF_THE_FIT = ["ranks", "energy", "ess", "priors", "predictive", "loo-pit", "pareto-k"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a fit of two numbers to one table, and with crossings and channels."""
    folder = tmp_path_factory.mktemp("runs")
    fit, rest = normal_fit(), full_tree()
    groups = {name: node.to_dataset() for name, node in {**rest.children, **fit.children}.items()}
    groups["posterior"]["mu"].attrs["unit"] = "OOM/year"
    save_run(folder, ID, tree=xr.DataTree.from_dict(groups), worldview=steps_worldview())
    return folder


def pictures(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["pictures", *arguments])


def test_every_picture_is_drawn_into_the_run_s_folder(folder: Path) -> None:
    result = pictures("latest", "--out", str(folder))
    assert result.exit_code == 0, result.output
    assert "Not drawn" not in result.output
    assert not result.stderr.count("Warning")
    for name in PICTURES:
        assert (folder / ID / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert set(OF_THE_FIT) < set(PICTURES)
    assert not list(folder.glob(".tmp-*"))


def test_a_page_has_the_picture_with_its_words_its_unit_and_its_source(folder: Path, tmp_path: Path) -> None:
    result = pictures("latest", "priors", "--format", "html", "--output", str(tmp_path), "--out", str(folder))
    assert result.exit_code == 0, result.output
    page = (tmp_path / "priors.html").read_text()
    assert "<title>Priors and posteriors: the 2 numbers that the evidence narrowed most</title>" in page
    assert "mu (OOM per year)" in page and "az.plot_prior_posterior" in page and f"Run {ID}" in page
    assert "default-src 'none'" in page and "<script" not in page and " src=" not in page
    assert [path.name for path in tmp_path.iterdir()] == ["priors.html"]


@pytest.mark.parametrize("kind", PICTURE_FORMATS)
def test_every_format_is_one_that_pictures_are_written_in(kind: str, folder: Path, tmp_path: Path) -> None:
    check_picture_path(tmp_path / f"x.{kind}")
    result = pictures(
        "latest", "crossings", "--format", kind, "--output", str(tmp_path), "--out", str(folder)
    )
    assert result.exit_code == 0, result.output
    start = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml", "html": b"<!doctype html>"}[kind]
    assert (tmp_path / f"crossings.{kind}").read_bytes().startswith(start)


def test_what_a_run_of_the_priors_alone_cannot_have_is_named_and_left_out(tmp_path: Path) -> None:
    tree = full_tree()
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    groups["prior"] = groups.pop("posterior")
    for name in ("sample_stats", "log_likelihood"):
        groups.pop(name, None)
    save_run(tmp_path, ID, tree=xr.DataTree.from_dict(groups), worldview=steps_worldview())
    result = pictures("latest", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    for name in OF_THE_FIT:
        assert f"Not drawn: {name}: " in result.stderr
    assert "Drawn in" in result.stdout
    assert "crossings.png, worlds.png, growth.png, channels.png" in result.stdout
    named = pictures("latest", "energy", "--out", str(tmp_path))
    assert named.exit_code == 1
    assert "energy: could not be drawn of this run." in named.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a run"),
        (("latest", "rank"), "there is no picture 'rank' (did you mean 'ranks'?)"),
        (("latest", "--output", "nowhere"), "--output nowhere: there is no such folder"),
        (("none", "ranks"), "none: no such run"),
    ],
)
def test_a_mistake_is_said_in_words(arguments: tuple[str, ...], said: str, folder: Path) -> None:
    result = pictures(*arguments, "--out", str(folder))
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_the_list_says_what_each_picture_shows() -> None:
    result = pictures("--list")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(PICTURES)
    assert "sensitivity  what the answer hangs on" in result.stdout


def test_the_caption_of_loo_pit_says_which_way_predictions_are_too_wide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that scatter a third as much as they are predicted to: the curve is below on the left."""
    groups = {name: node.to_dataset() for name, node in full_tree().children.items()}
    fit = normal_fit(np.random.default_rng(2).normal(0.0, 0.33, 60), sd=1.0)
    tree = xr.DataTree.from_dict(groups | {name: node.to_dataset() for name, node in fit.children.items()})
    run = read_run(save_run(tmp_path, ID, tree=tree, worldview=steps_worldview()))
    drawn = []
    monkeypatch.setattr(
        arviz_pictures, "_finish", lambda figure, path, run, title, how, source: drawn.append((figure, how))
    )
    arviz_pictures.draw_loo_pit(run, tmp_path / "x.png")
    figure, how = drawn[0]
    at, curve = max((line.get_data() for line in figure.axes[0].lines), key=lambda data: len(data[0]))
    left, right = np.interp([0.25, 0.75], np.asarray(at, dtype=float), np.asarray(curve, dtype=float))
    assert left < -0.1 and right > 0.1
    assert "Below zero on the left and above on the right: predictions too wide;" in how
