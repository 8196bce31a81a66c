"""Spent, not saved: numbers that can be worked out by hand, and the picture."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from forecast.cli import main
from forecast.host import load_host
from forecast.report.costs_figure import costs_figure
from forecast.results import cost_summary
from forecast.results.costs import LITERATURE, published_rates
from forecast.results.trajectories import NotAvailable
from tests.results.trajectory_runs import line, projection, run_of


def lines(**changes):
    """The fixed capability falls 4x a year from 1 million in 2025; runs grow 3x, investment 2x."""
    four, three, two = math.log10(4), math.log10(3), math.log10(2)
    quantities = {
        "cost_of_fixed_capability": (line([6.0, 6.3], -four), "log10 USD"),
        "cost_of_largest_run": (line([8.0, 7.0], three), "log10 USD"),
        "investment": (line([11.0, 10.0], two), "log10 USD/year"),
    }
    found = projection(**(quantities | changes))
    found["cost_of_fixed_capability"].attrs["long_name"] = "Cost of a model as good as that one"
    return found


@pytest.fixture
def run(tmp_path):
    return run_of(tmp_path, {"projection": lines()}, prior_only=True)


def words(figure) -> str:
    texts = [text.get_text() for text in figure.texts] + [figure.get_suptitle()]
    for axes in figure.axes:
        texts += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        texts += [label.get_text() for label in axes.get_yticklabels()]
        texts += [text.get_text() for text in axes.get_legend().get_texts()] if axes.get_legend() else []
    return " | ".join(texts)


def test_factors_per_year_are_those_of_the_lines(run):
    summary = cost_summary(run)
    assert summary["schema"] == "forecast.costs/1"
    factors = {one["id"]: one["factor_per_year"] for one in summary["series"]}
    for period in ("past", "next"):
        assert factors["fixed_capability"][period]["0.5"] == pytest.approx(1 / 4, rel=1e-4)
        assert factors["largest_run"][period]["0.5"] == pytest.approx(3, rel=1e-4)
        assert factors["investment"][period]["0.95"] == pytest.approx(2, rel=1e-4)
    assert (factors["investment"]["past"]["from"], factors["investment"]["past"]["to"]) == (
        "2023-06",
        "2026-06",
    )


def test_by_year_it_takes_the_cheapest_and_the_leading_bloc_in_dollars(run):
    series = {one["id"]: one for one in cost_summary(run)["series"]}
    fixed = {row["date"]: row["0.5"] for row in series["fixed_capability"]["by_year"]}
    largest = {row["date"]: row["0.5"] for row in series["largest_run"]["by_year"]}
    half = 181 / 365
    assert fixed["2025-07-01"] == pytest.approx(1e6 * 4**-half, rel=1e-4)
    assert largest["2025-07-01"] == pytest.approx(1e8 * 3**half, rel=1e-4)
    assert list(fixed) == [f"{year}-07-01" for year in range(2021, 2033)]
    assert (series["largest_run"]["unit"], series["investment"]["unit"]) == ("USD", "USD/year")


def test_published_rates_have_the_studies_first_and_what_was_stated():
    tables = [t for (_, name), t in load_host().evidence().items() if name == LITERATURE]
    rates = published_rates(tables)
    studies = [one["value"] for one in rates if one["kind"] == "training-efficiency"]
    assert min(studies) < 3.2 and max(studies) > 15
    assert {one["name"]: one["value"] for one in rates}["Amodei 2025"] == 4
    assert [one["kind"] == "judgement" for one in rates] == sorted(
        one["kind"] == "judgement" for one in rates
    )
    assert all(one["url"].startswith("https://") for one in rates)


def test_the_fixed_capability_is_called_what_the_run_calls_it(run, tmp_path):
    assert cost_summary(run)["series"][0]["title"] == "Cost of a model as good as that one"
    unnamed = lines()
    del unnamed["cost_of_fixed_capability"].attrs["long_name"]
    other = run_of(tmp_path / "other", {"projection": unnamed}, prior_only=True)
    assert cost_summary(other)["series"][0]["title"] == "cost_of_fixed_capability"


def test_a_run_of_another_model_says_what_it_lacks(tmp_path):
    run = run_of(tmp_path, {"projection": projection(investment=(line(11.0, 0.3), "log10 USD/year"))})
    with pytest.raises(NotAvailable, match="no quantity cost_of_fixed_capability"):
        cost_summary(run)


def test_the_picture_says_what_falls_and_what_rises(run, tmp_path: Path):
    tables = load_host().evidence()
    figure = costs_figure(run, cost_summary(run, tables), tmp_path / "costs.png")
    said = words(figure)
    assert "Cost of a model as good as that one falls 4.0x a year in the past 3 years" in said
    assert "The largest run of the leading bloc rises 3.0x a year in the past 3 years" in said
    assert "Amodei 2025" in said and "model, next 3 years" in said
    assert "not a prophecy" in said and run.id in said
    assert "that one: the level is anchored on that model's own training compute, and only the slope" in said
    assert figure.axes[0].get_yscale() == "log" and "USD" in figure.axes[0].get_ylabel()
    assert (tmp_path / "costs.png").read_bytes()[:4] == b"\x89PNG"


def test_the_command_prints_both_and_json_stays_alone_on_stdout(run, tmp_path: Path):
    folder = str(run.path.parent)
    shown = CliRunner().invoke(main, ["costs", "latest", "--out", folder])
    assert shown.exit_code == 0, shown.output
    assert "falls 4x (4 to 4)" in shown.stdout and "rises 3x (3 to 3)" in shown.stdout
    assert "Amodei 2025 4x" in shown.stdout
    text = " ".join(shown.stdout.split())
    assert "Cost of a model as good as that one: the level is anchored on that model's own training" in text
    assert "the 90% interval of the fall is wider than the studies" in text
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80
    picture = tmp_path / "costs.svg"
    result = CliRunner().invoke(main, ["costs", run.id, "--out", folder, "--json", "--output", str(picture)])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["as_of"] == date(2026, 6, 30).isoformat()
    assert picture.read_text().lstrip().startswith("<?xml")
    assert not list(tmp_path.glob(".tmp-*"))


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["nothing-like-it"], "no such run in", 2),
        (["latest", "--output", "costs.txt"], "must end in .png, .pdf, .svg", 2),
        (["latest", "--output", "/nowhere/at/all/costs.png"], "there is no folder /nowhere/at/all", 2),
    ],
)
def test_mistakes_are_said_in_words(run, arguments, words, code):
    result = CliRunner().invoke(main, ["costs", *arguments, "--out", str(run.path.parent)])
    assert result.exit_code == code
    assert words in result.stderr
    assert result.stdout == "" and "Traceback" not in result.stderr
