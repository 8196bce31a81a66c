"""`forecast priors`, with a toy driver in place of the shipped ones."""

import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

from forecast.cli.priors import priors
from forecast.errors import InputError
from forecast.worldview import load_worldview, shipped_shelf
from tests.worldview.support import COMPLETE, toy_defaults


@pytest.fixture(autouse=True)
def host(tmp_path, monkeypatch):
    """Stand in for the host, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    quantities = ["training_compute", "effective_compute", "time_horizon_80"]
    terms = [SimpleNamespace(kind="base", target=name, driver="toy") for name in quantities]
    host = ModuleType("forecast.host")
    host.load_plugins = lambda plugins=(): SimpleNamespace(
        shelf=shipped_shelf(), problems=[f"{plugin} was left out" for plugin in plugins]
    )
    host.host_of = lambda loaded, disable=(), check=True: SimpleNamespace(
        defaults=toy_defaults, terms=lambda: terms, problems=loaded.problems
    )
    monkeypatch.setitem(sys.modules, "forecast.host", host)
    return host


def run(*arguments, fails=None):
    result = CliRunner().invoke(priors, arguments)
    if fails is None:
        assert result.exception is None, result.output
        return result.output
    assert isinstance(result.exception, InputError), result.exception
    problems = "\n".join(result.exception.problems)
    assert fails in problems
    return problems


def test_show_lists_correlations_with_both_numbers_and_where_each_was_given(tmp_path):
    (tmp_path / "mine.toml").write_text(
        "[correlations.money]\nbetween = ['toy.share', 'toy.growth[china]']\ncorrelation = 0.4\n"
        "source = 'rich worlds pay for both'\n"
    )
    lines = run("show", "mine.toml", "--set", "correlations.money.correlation=0.25").splitlines()
    (first,) = [line for line in lines if "money" in line and "toy.share" in line]
    assert "0.25" in first and "--set correlations.money.correlation=0.25" in first
    assert any("toy.growth[china]" in line and "mine.toml:2" in line for line in lines)
    assert "rich worlds" not in "\n".join(lines)
    assert "rich worlds pay for both" in run("show", "mine.toml", "--sources")
    (tmp_path / "alone.toml").write_text(COMPLETE)
    assert "[correlations]" not in run("show", "alone.toml")


def test_check_refuses_correlations_of_unknown_parameters(tmp_path):
    (tmp_path / "mine.toml").write_text(
        "[correlations.money]\nbetween = ['toy.shar', 'toy.growth']\ncorrelation = 0.4\nsource = 's'\n"
    )
    said = run("check", "mine.toml", fails="mine.toml:2: [correlations.money] between: ")
    assert "did you mean 'share'?" in said and "write toy.growth[us_allies] or toy.growth[china]" in said


def test_list_names_the_shipped_worldviews_with_their_dates():
    output = run("list")
    assert "default" in output and "amodei-2025" in output and "2025-01-29" in output


def test_show_says_where_each_value_came_from(tmp_path):
    (tmp_path / "mine.toml").write_text(
        "[priors.toy]\n"
        "growth = { distribution = 'Normal', mu = 0.4, sigma = 0.1, unit = 'OOM/year', source = 'me' }\n"
    )
    output = run("show", "mine.toml", "--set", "seed=7")
    lines = output.splitlines()
    assert any("seed" in line and "7" in line and "--set seed=7" in line for line in lines)
    assert any("growth" in line and "mu=0.4" in line and "mine.toml:2" in line for line in lines)
    assert any("horizon" in line and "priors/default.toml" in line for line in lines)
    assert any("life" in line and "5" in line and "priors.toml:3" in line for line in lines)
    assert "Note: mine.toml:2: [priors.toy] growth clears the driver's by_bloc priors of china" in output
    assert "in each draw one of" in output
    assert "late, china" in output


def test_show_cites_sources_when_asked():
    assert "Davidson" not in run("show")
    assert "Davidson" in run("show", "--sources")


def test_show_prints_a_prior_file_that_reads_back(tmp_path):
    text = run("show", "default", "--toml", "--set", "seed=9")
    (tmp_path / "merged.toml").write_text(text)
    assert load_worldview("merged.toml") == load_worldview(overrides=["seed=9"])


def test_show_refuses_a_parameter_that_no_driver_has():
    run("show", "--set", "priors.toy.growht.mu=3", fails="did you mean 'growth'")


def test_a_plugin_that_is_left_out_is_a_warning():
    result = CliRunner().invoke(priors, ["show", "--plugin", "mine.py"])
    assert "Warning: mine.py was left out" in result.stderr


def test_check_says_that_a_file_is_good(tmp_path):
    (tmp_path / "a.toml").write_text(COMPLETE)
    assert run("check", "a.toml") == "a.toml: good\n"


def test_check_finds_the_problems_of_every_file(tmp_path):
    (tmp_path / "a.toml").write_text("seed = -1\n")
    (tmp_path / "b.toml").write_text(COMPLETE.replace('"training_compute"', '"training_computer"'))
    (tmp_path / "c.toml").write_text(COMPLETE)
    problems = run("check", "a.toml", "b.toml", "c.toml", "d.toml", fails="a.toml:1: seed: must be a whole")
    assert (
        "b.toml:17: [milestones.agi] quantity: no driver provides 'training_computer' (did you mean"
        in problems
    )
    assert "d.toml: there is no such file" in problems
    assert "c.toml" not in problems


def test_plot_draws_every_prior(tmp_path):
    assert run("plot").strip() == "priors-default.png"
    assert run("plot", "default", "--set", "blocs.eu=EU", "--output", "p.png").strip() == "p.png"
    for name in ("priors-default.png", "p.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_plot_to_a_place_that_does_not_exist_says_so():
    result = CliRunner().invoke(priors, ["plot", "--output", "nowhere/p.png"])
    assert "nowhere/p.png: cannot be written" in str(result.exception)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from forecast.cli.priors import priors\n"
        "from click.testing import CliRunner\n"
        "for a in ([], ['show'], ['plot']): CliRunner().invoke(priors, [*a, '--help'])\n"
        "heavy = {'numpy', 'scipy', 'matplotlib', 'pydantic', 'pymc', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
