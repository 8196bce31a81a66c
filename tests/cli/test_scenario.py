"""``forecast scenario``: what it prints and writes, exit codes, and what wrong input looks like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.inference import Compiler
from tests.cli.test_run import PLUGIN
from tests.toys import RUNS, TABLES, WORLDVIEW

pytestmark = pytest.mark.usefixtures("no_pictures")

SHORT = ("--draws", "50", "--tune", "100", "--chains", "2", "--cores", "1", "--sampler", "pymc")
PRIOR = ("--prior-only", "--draws", "100", "--chains", "2")
FAST = 'title = "Fast"\nkind = "intervene"\nsource = "s"\nintervene = [{ quantity = "compute", add = 0.5 }]\n'
SLOW = 'kind = "intervene"\nintervene = [{ quantity = "compute", add = -0.5, from = 2028-01-01 }]\n'
OTHER = 'title = "Other"\nkind = "assume"\n[set]\n"priors.toy.growth.mu" = 0.9\n'


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin with its evidence, a worldview and scenarios to stand in; nothing else is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORECAST_DEBUG", raising=False)
    monkeypatch.delenv("FORECAST_RUNS", raising=False)
    monkeypatch.setattr("forecast.loading.installed_plugins", list)
    (tmp_path / "evidence").mkdir()
    for name, text in {
        "toy.py": PLUGIN,
        "toys.toml": WORLDVIEW,
        "evidence/tables.toml": TABLES,
        "evidence/runs.csv": RUNS,
        "fast.toml": FAST,
        "slow.toml": SLOW,
        "other.toml": OTHER,
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def forecast(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def scenario(*arguments: str) -> Result:
    return forecast("scenario", "--plugin", "toy.py", "--priors", "toys.toml", *arguments)


def refused(result: Result, code: int, *words: str) -> None:
    """One paragraph on standard error, the right code, and no trace of a run."""
    text = " ".join(result.stderr.split())
    assert result.exit_code == code, result.output
    for word in words:
        assert word in text, text
    assert result.stdout == "" and "Traceback" not in result.output
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


# Output ------------------------------------------------------------------------------------------


def test_json_has_the_promised_form_and_stands_alone_on_stdout(toy):
    result = scenario("fast.toml", "other.toml", *PRIOR, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "forecast.scenario/1"
    assert found["as_of"] == "2026-06-30" and found["milestone"] == "big"
    assert set(found["base"]) >= {"blocs", "lead"}
    assert {name: one["kind"] for name, one in found["scenarios"].items()} == {
        "fast": "intervene",
        "other": "assume",
    }
    assert found["scenarios"]["fast"]["title"] == "Fast"
    for one in found["scenarios"].values():
        assert set(one) >= {"title", "kind", "blocs", "lead", "diagnostics"}
        for bloc in one["blocs"].values():
            assert set(bloc) >= {"p_in", "quantiles", "shift_years", "shift_mcse", "p_both"}
            assert set(bloc["shift_years"]) == {"0.05", "0.5", "0.95"}
    assert found["scenarios"]["fast"]["blocs"]["china"]["shift_years"]["0.5"] < -0.5


def test_results_are_written_into_the_bases_run(toy):
    result = scenario("fast.toml", *PRIOR, "--json", "--output", "copy.png")
    found = json.loads(result.stdout)
    saved = Path("runs") / found["run"]
    assert json.loads((saved / "scenarios.json").read_text()) == found
    picture = (saved / "scenarios.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and Path("copy.png").read_bytes() == picture
    assert not [path for path in Path("runs").rglob("*") if path.name.startswith(".tmp")]
    assert (saved / "results.nc").is_file() and forecast("runs", "show", "latest").exit_code == 0


def test_the_terminal_shows_each_scenario_beside_the_base(toy):
    result = scenario("fast.toml", "slow.toml", "other.toml", *PRIOR)
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    for word in (
        "US & allies",
        "China",
        "base",
        "fast",
        "slow",
        "other *",
        "5% to 95%",
        "P(alone for 1 year)",
    ):
        assert word in words, word
    assert "priors alone" in words and "* Fitted again" in words and "runs/" in words
    assert max(len(line) for line in result.stdout.splitlines() if "runs/" not in line) <= 80


def test_the_list_names_the_shipped_scenarios(toy):
    result = forecast("scenario", "--list")
    assert result.exit_code == 0, result.output
    for name in ("no-controls", "perfect-enforcement", "algorithmic-stall"):
        assert name in result.stdout
    listed = json.loads(forecast("scenario", "--list", "--json").stdout)
    assert len(listed) >= 8 and all(row["kind"] == "intervene" and row["source"] for row in listed)
    assert not Path("runs").exists()


# Taking up a run ---------------------------------------------------------------------------------


def test_a_base_that_was_run_before_is_not_fitted_again(toy, monkeypatch):
    first = scenario("fast.toml", *SHORT, "--json")
    assert first.exit_code == 3 and json.loads(first.stdout)["base"]["diagnostics"]["ok"] is False

    def again(*_: object, **__: object) -> None:
        raise AssertionError("it was fitted again")

    monkeypatch.setattr("forecast.scenarios.execute", again)
    second = scenario("fast.toml", *SHORT, "--json")
    assert second.exit_code == 3, second.output
    assert second.stdout == first.stdout


def test_a_base_made_by_forecast_run_is_taken_up(toy):
    forecast("run", "--plugin", "toy.py", "--priors", "toys.toml", *PRIOR)
    (saved,) = Path("runs").iterdir()
    result = scenario("fast.toml", *PRIOR)
    assert result.exit_code == 0 and f"Taking up the draws of runs/{saved.name}" in " ".join(
        result.stderr.split()
    )
    assert f"Draws of the saved run {saved.name}; results in" in result.stdout
    assert [path.name for path in Path("runs").iterdir()] == [saved.name]


def test_a_saved_base_that_is_outdated_is_made_anew_and_both_outputs_name_the_run_whose_draws_they_show(toy):
    forecast("run", "--plugin", "toy.py", "--priors", "toys.toml", *PRIOR)
    (old,) = Path("runs").iterdir()
    Path("toy.py").write_text(PLUGIN + "\n# changed\n")
    result = scenario("fast.toml", *PRIOR)
    assert result.exit_code == 0, result.output
    (new,) = (path for path in Path("runs").iterdir() if path != old)
    said = " ".join(result.stderr.split())
    assert f"runs/{old.name} has the same worldview" in said
    assert f"the draws are of a new run, {new.name}" in said
    last = result.stdout.strip().splitlines()[-1]
    assert last == f"Draws of a new run, {new.name}; results in runs/{new.name}"


def test_the_same_file_works_as_a_prior_file_and_gives_the_same(toy):
    found = json.loads(scenario("slow.toml", "other.toml", *PRIOR, "--json").stdout)
    for name in ("slow", "other"):
        run = forecast(
            "run", "--plugin", "toy.py", "--priors", "toys.toml", "--priors", f"{name}.toml", *PRIOR, "--json"
        )
        summary = json.loads(run.stdout)
        mine = found["scenarios"][name]["blocs"]["china"]
        theirs = summary["milestones"]["big"]["blocs"]["china"]
        assert (summary["run"] == found["scenarios"][name]["run"]) is (name == "other")
        assert {key: mine[key] for key in theirs} == theirs


def test_a_refit_whose_diagnostics_fail_exits_with_three(toy):
    result = scenario("other.toml", *SHORT, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 3
    assert found["scenarios"]["other"]["diagnostics"] != found["base"]["diagnostics"]


# What is refused -----------------------------------------------------------------------------------


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(*_: object, **__: object) -> None:
        raise RuntimeError("the model was compiled before the input was checked")

    monkeypatch.setattr(Compiler, "compiled", compiled)


def test_no_name_at_all_is_answered_with_the_names(toy):
    refused(scenario(*PRIOR), 2, "name a scenario or a file, or give --all", "no-controls")


def test_an_unknown_name_is_answered_with_the_nearest(toy):
    refused(scenario("no-control", *PRIOR), 2, "no scenario", "did you mean 'no-controls'?")


def test_a_file_that_is_wrong_names_file_line_and_key(toy):
    Path("bad.toml").write_text(FAST + "[set]\nseed = 3\n")
    refused(scenario("bad.toml", *PRIOR), 2, "bad.toml:5: set", "needs a run of its own (a refit)")


def test_a_change_that_finds_nothing_is_refused_before_the_fit(toy, uncompiled):
    Path("bad.toml").write_text(FAST.replace('quantity = "compute"', 'quantity = "computer"'))
    refused(scenario("bad.toml", *SHORT), 2, "bad.toml: intervention: there is no quantity 'computer'")
    refused(scenario("no-controls", *SHORT), 2, "priors/scenarios/no-controls.toml", "no limit 'chip_access'")


def test_an_unknown_milestone_and_a_picture_without_a_format_are_refused_before_the_fit(toy, uncompiled):
    refused(scenario("fast.toml", *SHORT, "--milestone", "bgi"), 2, "no milestone 'bgi'")
    refused(scenario("fast.toml", *SHORT, "--output", "picture.xyz"), 2, "must end in", ".png")


def test_a_folder_that_cannot_be_written_leaves_nothing_behind(toy, monkeypatch):
    scenario("fast.toml", *PRIOR)
    (saved,) = Path("runs").iterdir()
    before = {path.name: path.read_bytes() for path in saved.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("forecast.report.text_file.os.replace", full)
    result = scenario("slow.toml", *PRIOR)
    assert result.exit_code == 1 and "could not be" in result.stderr and result.stdout == ""
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in Path("runs").iterdir()] == [saved.name]
