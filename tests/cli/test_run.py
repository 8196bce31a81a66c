"""``forecast run``: output, exit codes, and what wrong input and broken plugins look like."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from forecast.cli._findings import find
from forecast.inference import Compiler
from forecast.results import summary_schema
from tests.toys import RUNS, TABLES, WORLDVIEW

pytestmark = pytest.mark.usefixtures("no_pictures")

PLUGIN = '''
from pathlib import Path

from forecast.driver import Driver, observes, parameters_from_text, provides
from forecast.evidence import read_tables
from forecast.hookspecs import hookimpl

PRIORS = """
level = { distribution = "Normal", mu = 25, sigma = 1, unit = "log10 FLOP", per = "bloc", source = "a test" }
growth = { distribution = "Normal", mu = 0.5, sigma = 0.1, unit = "OOM/year", source = "a test" }
"""

class Toy(Driver):
    name = "toy"
    api_version = 1
    parameters = parameters_from_text(PRIORS, "toy")
    evidence = read_tables(Path(__file__).parent / "evidence", "toy")

    @provides("compute", unit="FLOP")
    def base(self, m):
        return m["level"] + m["growth"] * m.years

    @observes("runs")
    def measured(self, m, data):
        m.normal(data, mean=m.at(m["compute"], data), sd=data.error)

@hookimpl
def forecast_drivers():
    return [Toy()]
'''

SHORT = ("--draws", "50", "--tune", "100", "--chains", "2", "--cores", "1", "--sampler", "pymc")
PRIOR = ("--prior-only", "--draws", "100", "--chains", "2")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, where runs would be written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORECAST_DEBUG", raising=False)
    monkeypatch.delenv("FORECAST_RUNS", raising=False)
    return tmp_path


@pytest.fixture
def toy(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin file with its evidence and a worldview; nothing else is installed."""
    monkeypatch.setattr("forecast.loading.installed_plugins", list)
    (here / "toy.py").write_text(PLUGIN)
    (here / "toys.toml").write_text(WORLDVIEW)
    (here / "evidence").mkdir()
    (here / "evidence" / "tables.toml").write_text(TABLES)
    (here / "evidence" / "runs.csv").write_text(RUNS)
    return here


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong input must be found before minutes are spent on compiling."""

    def compiled(*_: object, **__: object) -> None:
        raise RuntimeError("the model was compiled before the input was checked")

    monkeypatch.setattr(Compiler, "compiled", compiled)


def forecast(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def toys(*arguments: str) -> Result:
    return forecast("--plugin", "toy.py", "--priors", "toys.toml", *arguments)


def refused(result: Result, code: int, *words: str) -> None:
    """One paragraph on standard error, the right code, and no trace of a run."""
    text = " ".join(result.stderr.split())
    assert result.exit_code == code, result.output
    for word in words:
        assert word in text, text
    assert result.stdout == "" and "Traceback" not in result.output and "bug in forecast" not in text
    assert "\n\n" not in result.stderr.strip()
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


# Good runs ---------------------------------------------------------------------------------------


def test_json_prints_the_summary_and_nothing_else(toy):
    result = toys(*PRIOR, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    jsonschema.Draft202012Validator(summary_schema()).validate(summary)
    assert summary["prior_only"] is True
    (saved,) = Path("runs").iterdir()
    assert saved.name == summary["run"]
    assert json.loads((saved / "summary.json").read_text()) == summary


def test_a_sampled_run_whose_diagnostics_fail_exits_with_three_and_is_saved(toy):
    result = toys(*SHORT, "--json")
    summary = json.loads(result.stdout)
    assert summary["diagnostics"]["ok"] is False and result.exit_code == 3
    assert (Path("runs") / summary["run"] / "results.nc").is_file()


def test_the_terminal_shows_both_blocs_the_window_and_where_the_run_is(toy):
    result = toys(*PRIOR)
    words = " ".join(result.stdout.split())
    (saved,) = Path("runs").iterdir()
    assert result.exit_code == 0
    assert "US & allies" in words and "China" in words and "A big run" in words
    assert saved.name in words.replace(" ", "") or saved.name in words


def test_a_report_is_written_into_the_folder_of_a_new_run_and_of_one_that_was_there(toy, monkeypatch):
    @contextmanager
    def here_instead(path):  # a process of its own is tested with the command
        yield lambda: find(path)

    monkeypatch.setattr("forecast.cli._findings.finding", here_instead)
    assert toys(*PRIOR).exit_code == 0
    (saved,) = Path("runs").iterdir()
    assert not (saved / "report.html").exists()
    result = toys(*PRIOR, "--report", "--json")
    assert result.exit_code == 0, result.output
    assert f"Report written to {saved / 'report.html'}" in result.stderr
    assert json.loads(result.stdout)["run"] == saved.name
    assert "A big run" in (saved / "report.html").read_text(encoding="utf-8")
    assert [path.name for path in Path("runs").iterdir()] == [saved.name]


def test_an_identical_run_says_where_the_earlier_one_is_and_makes_nothing(toy, monkeypatch):
    first = toys(*PRIOR)
    (saved,) = Path("runs").iterdir()
    stamp = (saved / "summary.json").stat().st_mtime_ns

    def again(*_: object, **__: object) -> None:
        raise AssertionError("it was made again")

    monkeypatch.setattr("forecast.engine.execute", again)
    second = toys(*PRIOR)
    assert first.exit_code == second.exit_code == 0, second.output
    assert (saved / "summary.json").stat().st_mtime_ns == stamp
    said = " ".join(second.output.split())
    assert saved.name in said.replace(" ", "") or saved.name in said
    assert "earlier" in said or "already" in said or "identical" in said


def test_out_and_the_environment_choose_the_folder_that_holds_runs(toy, monkeypatch):
    assert toys(*PRIOR, "--out", "mine").exit_code == 0
    monkeypatch.setenv("FORECAST_RUNS", str(toy / "theirs"))
    assert toys(*PRIOR, "--seed", "5").exit_code == 0
    assert len(list(Path("mine").iterdir())) == len(list(Path("theirs").iterdir())) == 1
    assert not Path("runs").exists()


def test_options_reach_the_run(toy):
    options = ("--as-of", "2025-03-31", "--window", "2027-01-01:2028-12-31", "--horizon", "2040-12-31")
    result = toys(*PRIOR, *options, "--seed", "5", "--set", "priors.toy.growth.mu=0.9", "--json")
    summary = json.loads(result.stdout)
    assert summary["as_of"] == "2025-03-31" and summary["horizon"] == "2040-12-31"
    assert summary["window"] == {"start": "2027-01-01", "end": "2028-12-31"}
    assert summary["sampler"]["seed"] == 5 and summary["sampler"]["draws"] == 100
    (saved,) = Path("runs").iterdir()
    assert '"priors.toy.growth.mu" = 0.9' in (saved / "worldview.toml").read_text()


def test_a_run_with_a_plugin_file_can_be_repeated(toy):
    assert toys(*PRIOR).exit_code == 0
    result = CliRunner().invoke(main, ["rerun", "latest"])
    assert result.exit_code == 0, result.output
    assert "to the last bit" in result.stderr


def test_a_plugin_of_another_text_is_another_run(toy):
    toys(*PRIOR)
    Path("toy.py").write_text(PLUGIN.replace("* m.years", "* (m.years - 1.0)"))
    toys(*PRIOR)
    assert len(list(Path("runs").iterdir())) == 2


# Interrupted -------------------------------------------------------------------------------------


def test_ctrl_c_while_sampling_leaves_no_run_and_exits_with_130(toy, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Compiler, "compiled", lambda *_, **__: None)
    monkeypatch.setattr("forecast.engine.sample", interrupted)
    refused(toys(*SHORT), 130, "Interrupted; nothing half-written was kept.")


def test_ctrl_c_while_saving_leaves_no_run(toy, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("forecast.report.run_pictures.draw_crossings", interrupted)
    refused(toys(*PRIOR), 130, "Interrupted")


# Bad input, with the default worldview and the built-in drivers -----------------------------------


GROWTH = '[priors.investment.by_bloc.china]\ngrowth = {{ {}, unit = "OOM/year", source = "a test" }}\n'

FILES = {
    "malformed": ("title = ", ["mine.toml:1", "TOML"]),
    "a wrong type": ('as_of = "soon"\n', ["mine.toml:1", "as_of"]),
    "a seed that is text": ('seed = "x"\n', ["mine.toml:1", "seed"]),
    "NaN": (
        GROWTH.format('distribution = "Normal", mu = nan, sigma = 0.1'),
        ["mine.toml:2", "priors.investment.by_bloc.china", "growth", "mu"],
    ),
    "a negative sigma": (
        GROWTH.format('distribution = "Normal", mu = 0.3, sigma = -0.1'),
        ["mine.toml:2", "growth", "sigma", "-0.1"],
    ),
    "an unknown family": (
        GROWTH.format('distribution = "Nomal", mu = 0.3, sigma = 0.1'),
        ["mine.toml:2", "'Nomal'", "did you mean 'Normal'"],
    ),
    "an unknown key": ("asof = 2026-01-01\n", ["mine.toml:1", "asof", "did you mean 'as_of'"]),
    "an unknown parameter": (
        GROWTH.replace("growth", "grwth").format("value = 0.3"),
        ["mine.toml:2", "'grwth'", "did you mean 'growth'"],
    ),
    "a window reversed": (
        "[window]\nstart = 2027-01-01\nend = 2026-01-01\n",
        ["mine.toml", "window"],
    ),
    "a horizon before the as-of date": (
        "horizon = 2025-01-01\n",
        ["mine.toml:1", "horizon 2025-01-01", "as-of date 2026-06-30"],
    ),
    "an unknown quantity in a milestone": (
        '[milestones.x]\nquantity = "training_compte"\n'
        'at_least = { value = 1e27, unit = "FLOP", source = "t" }\n',
        ["mine.toml:2", "'training_compte'", "did you mean 'training_compute'"],
    ),
    "a threshold in another unit": (
        '[milestones.x]\nquantity = "training_compute"\n'
        'at_least = { value = 1, unit = "minute", source = "t" }\n',
        ["mine.toml:3", "training_compute"],
    ),
    "an empty file that stands alone": ("extends = false\n", ["mine.toml", "as_of"]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_prior_file_is_one_paragraph_with_file_line_and_key(here, uncompiled, name):
    text, words = FILES[name]
    Path("mine.toml").write_text(text)
    refused(forecast("--priors", "mine.toml"), 2, *words)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\x00", b"\xff\xfe\x00t\x00i", bytes(range(256))])
def test_a_binary_file_is_named(here, uncompiled, content):
    Path("mine.toml").write_bytes(content)
    refused(forecast("--priors", "mine.toml"), 2, "mine.toml")


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n"])
def test_an_empty_file_is_named(here, uncompiled, content):
    Path("mine.toml").write_text(content)
    refused(forecast("--priors", "mine.toml"), 2, "mine.toml", "empty")


def test_an_unreadable_file_is_named(here, uncompiled):
    Path("folder.toml").mkdir()
    refused(forecast("--priors", "folder.toml"), 2, "folder.toml")
    refused(forecast("--priors", "missing.toml"), 2, "missing.toml")
    refused(forecast("--priors", "defalt"), 2, "did you mean 'default'")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--horizon", "2025-01-01"), ["--horizon 2025-01-01", "as-of date 2026-06-30"]),
        (("--window", "2027-12-31:2026-01-01"), ["--window"]),
        (("--window", "2027"), ["--window"]),
        (("--as-of", "2010-01-01"), ["as_of 2010-01-01", "no evidence had been published by then"]),
        (("--as-of", "yesterday"), ["--as-of", "yesterday"]),
        (("--set", "priors.investment.growth.mu=nan"), ["--set", "growth"]),
        (("--set", "priors.investment.scatter.sigma=-1"), ["--set", "scatter", "sigma"]),
        (("--set", "priors.investmnt.growth.mu=1"), ["investmnt", "did you mean 'investment'"]),
        (("--set", "rubbish"), ["--set", "rubbish"]),
        (("--without", "investmen"), ["'investmen'", "did you mean 'investment'"]),
        (("--draws", "0"), ["--draws"]),
        (("--draws", "many"), ["--draws"]),
        (("--sampler", "stan"), ["--sampler", "nutpie"]),
        (("--plugin", "missing.py"), ["missing.py"]),
        (("--plugin", "no.such.module"), ["no.such.module"]),
    ],
)
def test_a_bad_option_is_named(here, uncompiled, arguments, words):
    result = forecast(*arguments)
    if arguments[0] in ("--draws", "--sampler"):  # click words these, with a line of usage
        assert result.exit_code == 2 and all(word in result.stderr for word in words), result.output
        return
    refused(result, 2, *words)


def test_a_driver_that_others_need_cannot_be_left_out_in_silence(here, uncompiled):
    result = forecast("--without", "investment")
    refused(result, 2, "driver 'compute-growth'", "'investment'", "--without compute-growth")


# Broken plugins ----------------------------------------------------------------------------------

BODIES = {
    "raises on import": ("raise RuntimeError('kaputt')\n", ["toy.py:1", "RuntimeError: kaputt"]),
    "is no Python": ("def def\n", ["toy.py:1", "SyntaxError"]),
    "has no hook": ("x = 1\n", ["has no hook", "forecast_drivers"]),
    "leaves the process": ("import sys; sys.exit(0)\n", ["sys.exit(0)"]),
    "returns no drivers": (
        "from forecast.hookspecs import hookimpl\n\n@hookimpl\ndef forecast_drivers():\n    return [42]\n",
        ["returned 42, not a forecast.driver.Driver"],
    ),
    "raises in a term": (
        PLUGIN.replace('return m["level"]', 'return 1 / 0 + m["level"]'),
        ["base (base of compute)", "ZeroDivisionError"],
    ),
    "returns text": (
        PLUGIN.replace('return m["level"] + m["growth"] * m.years', 'return "rubbish"'),
        ["base of compute"],
    ),
    "returns nothing": (
        PLUGIN.replace('return m["level"] + m["growth"] * m.years', "return None"),
        ["it returned None"],
    ),
    "returns a wrong shape": (
        PLUGIN.replace(
            'return m["level"] + m["growth"] * m.years', "import numpy; return numpy.zeros((5, 5))"
        ),
        ["(5, 5)", "2 blocs"],
    ),
    "returns a wrong time axis": (
        PLUGIN.replace(
            'return m["level"] + m["growth"] * m.years', "import numpy; return numpy.zeros((2, 5))"
        ),
        ["(2, 5)"],
    ),
    "asks for what nobody has": (
        PLUGIN.replace('m["growth"]', 'm["grwth"]'),
        ["'grwth'", "did you mean 'growth'?"],
    ),
    "observes rubbish": (PLUGIN.replace("sd=data.error", "sd=data.eror"), ["no column 'eror'"]),
    "was written for another version": (
        PLUGIN.replace("api_version = 1", "api_version = 99"),
        ["api_version 99"],
    ),
    "has a bad prior": (PLUGIN.replace("sigma = 1,", "sigma = -1,"), ["sigma", "level"]),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_broken_plugin_is_named_and_exits_with_one(toy, uncompiled, name):
    body, words = BODIES[name]
    Path("toy.py").write_text(body)
    refused(toys(), 1, "toy", *words)


def test_a_plugin_that_is_not_a_number_is_named_after_prior_draws(toy):
    Path("toy.py").write_text(
        PLUGIN.replace('return m["level"]', 'return (m["growth"] - 99.0) ** 0.5 + m["level"]')
    )
    refused(toys(*PRIOR), 1, "driver 'toy'", "'compute' is not finite in 100.0% of draws")


def test_a_plugin_that_is_not_a_number_is_named_when_it_is_fitted(toy):
    """The sampler would say that it cannot begin; the reader needs to know whose fault that is."""
    Path("toy.py").write_text(
        PLUGIN.replace('return m["level"]', 'return (m["growth"] - 99.0) ** 0.5 + m["level"]')
    )
    refused(toys(*SHORT), 1, "driver 'toy'")


def test_what_a_plugin_prints_does_not_reach_standard_output(toy):
    Path("toy.py").write_text("print('hello')\n" + PLUGIN)
    result = toys(*PRIOR, "--json")
    assert json.loads(result.stdout)["prior_only"] is True


def test_what_a_term_prints_does_not_reach_standard_output(toy):
    Path("toy.py").write_text(
        PLUGIN.replace("    def base(self, m):", "    def base(self, m):\n        print('hello')")
    )
    result = toys(*PRIOR, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["prior_only"] is True


def test_a_bad_evidence_row_names_file_and_row(toy):
    Path("evidence/runs.csv").write_text(RUNS.replace("made up,https", ",https", 1))
    refused(toys(*PRIOR), 1, "runs.csv:2", "source")
