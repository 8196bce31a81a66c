"""``forecast claims``: words, JSON, picture, and the shipped claims on a run of the shipped model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.claims.checking import VERDICTS
from forecast.cli import main
from tests.claims.test_checking import dates, groups
from tests.results.trajectory_runs import ID, run_of

MINE = """
[source]
title = "Somebody, Some essay"
date = 2026-01-31
url = "https://example.org/essay"

[claims.falls]
statement = "It gets four times cheaper every year."
stated = { low = 3.9, high = 4.1 }
note = "As we read it."
[claims.falls.measure]
kind = "growth"
quantity = "cost_of_fixed_capability"
from = 2023-01-01
to = 2025-01-01
falls = true

[claims.soon]
statement = "It comes in 2026 or 2027."
measure = { kind = "crossing", from = 2026-01-01, to = 2027-12-31 }

[claims.beyond]
statement = "It will be good."
measure = { kind = "none", reason = "Nobody measures that." }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    run_of(folder, groups(), crossings=dates())
    (folder.parent / "mine.toml").write_text(MINE)
    return folder


def forecast(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["claims", *arguments, "--out", str(folder)])


def test_claims_of_ones_own_get_a_word_each(folder: Path) -> None:
    result = forecast(folder, "latest", "--claims", str(folder.parent / "mine.toml"))
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "consistent It gets four times cheaper every year. [falls]" in text
    assert "Stated: 3.9 to 4.1 times a year. Found: 4 (4 to 4) times a year. As we read it." in text
    assert "open It comes in 2026 or 2027. [soon] Found: probability 0.50 ± " in text
    assert "not scored It will be good. [beyond] Nobody measures that." in text
    assert f"open: {VERDICTS['open']}" in text
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_the_shipped_claims_give_reasons_on_a_run_of_another_model(folder: Path) -> None:
    result = forecast(folder, "latest", "--json")
    assert result.exit_code == 0, result.output
    checked = json.loads(result.stdout)
    assert checked["schema"] == "forecast.claims/1" and checked["run"] == ID
    found = {claim["id"]: claim for claim in checked["claims"]}
    assert len(found) == 17
    assert found["agi_date"]["p"] == 0.5
    assert found["ds_on_trend"]["verdict"] == "not available"
    assert found["ds_on_trend"]["reason"] == "this run has no parameter capability.index_scatter"
    for claim in found.values():
        assert claim["verdict"] in VERDICTS
        assert (claim["reason"] is None) == (claim["model"] is not None or claim["p"] is not None)


def test_files_and_shipped_names_can_be_given_together(folder: Path) -> None:
    result = forecast(
        folder, ID, "--claims", "amodei-2025", "--claims", str(folder.parent / "mine.toml"), "--json"
    )
    assert len(json.loads(result.stdout)["claims"]) == 20


def test_a_picture_is_written_and_json_stays_alone_on_stdout(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "claims.png"
    mine = str(folder.parent / "mine.toml")
    result = forecast(folder, "latest", "--claims", mine, "--json", "--output", str(path))
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["claims"]) == 3
    assert path.read_bytes()[:4] == b"\x89PNG"
    again = tmp_path / "again.png"
    forecast(folder, "latest", "--claims", mine, "--output", str(again))
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["nothing-like-it"], "no such run in", 2),
        (["latest", "--claims", "none.toml"], "there is no such file", 2),
        (["latest", "--claims", "amodei-2052"], "did you mean 'amodei-2025'", 2),
        (["latest", "--output", "claims.doc"], "must end in .png", 2),
    ],
)
def test_mistakes_are_said_in_words(folder: Path, arguments: list[str], words: str, code: int) -> None:
    result = forecast(folder, *arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert result.stdout == "" and "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_every_shipped_claim_is_scored_on_the_shipped_model_or_says_why_not(tmp_path: Path) -> None:
    made = CliRunner().invoke(
        main, ["run", "--prior-only", "--draws", "100", "--out", str(tmp_path), "--json"]
    )
    assert made.exit_code == 0, made.output
    claims = json.loads(forecast(tmp_path, "latest", "--json").stdout)["claims"]
    verdicts = {claim["id"]: claim["verdict"] for claim in claims}
    unscored = {name for name, verdict in verdicts.items() if verdict in ("not scored", "not available")}
    assert unscored == {"sonnet_age", "ds_fleet", "cm_sizes", "scaling_illustration"}
    by_id = {claim["id"]: claim for claim in claims}
    models = by_id["ds_on_trend"]["details"]["models"]
    assert [model["model"] for model in models][:2] == ["DeepSeek-V3", "DeepSeek-R1"]
    assert "Claude 3.5 Sonnet" in {model["model"] for model in models}
    assert all(0 <= model["quantile"] <= 1 and 0 <= model["quantile_alone"] <= 1 for model in models)
    assert all(model["compared"] >= 3 and model["scatter"] is not None for model in models)
    assert models[4] == by_id["sonnet_cost"]["details"]["models"][0]
    assert by_id["ds_lag"]["details"]["subject"] == "DeepSeek-V3"
    # The prior alone is on the right scale: within a factor of ten thousand either way.
    assert 1e3 < by_id["ds_on_trend"]["model"]["0.5"] < 1e12
