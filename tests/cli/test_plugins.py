"""``forecast plugins``, commands that plugins bring, importers and report sections."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forecast.cli import main
from tests.toys import LINE, RUNS, TABLES, WORLDVIEW

pytestmark = pytest.mark.usefixtures("here")

KEYS = ["distribution", "version", "api_version", "status", "error", "hooks", "drivers"]

GOOD = """
from forecast import Driver, hookimpl, parameters_from_text, provides

class Toy(Driver):
    name = "{name}"
    api_version = 1
    parameters = parameters_from_text('level = {{ value = 3, unit = "FLOP", source = "s" }}', "{name}")

    @provides("{name}s", unit="FLOP")
    def base(self, m):
        return m["level"] + ({reads})

@hookimpl
def forecast_drivers():
    return [Toy()]
"""

BROKEN = {
    "import-error": ("import no_such_module", "ModuleNotFoundError"),
    "syntax-error": ("def f(:\n", "SyntaxError"),
    "exits": ("import sys\nsys.exit(3)", "sys.exit(3)"),
    "rubbish": (
        "from forecast import hookimpl\n@hookimpl\ndef forecast_drivers():\n    return 42\n",
        "returned a int, not a list of drivers",
    ),
    "no-hook": ("x = 1", "has no hook"),
    "floods": ("print('x' * 100)\nraise ValueError('two\\nlines')", "ValueError: two lines"),
}

COMMAND = """
import click

@click.command()
@click.argument("word")
def shout(word):
    "Shout."
    if word == "fail":
        raise RuntimeError("hoarse")
    click.echo(word.upper())
"""


def good(name: str, reads: str = "0.0") -> str:
    return GOOD.format(name=name, reads=reads)


def forecast(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


# The listing ---------------------------------------------------------------------------------------


def test_each_distribution_is_listed_with_its_drivers(install):
    install("ape", good("ape"), "agi-apes", "1.2")
    install("bee", good("bee", 'm["apes"]'), "agi-bees", "0.1")
    result = forecast("plugins", "--json")
    assert result.exit_code == 0, result.output
    apes, bees = json.loads(result.stdout)
    assert list(apes) == KEYS
    assert apes | {"drivers": []} == {
        "distribution": "agi-apes",
        "version": "1.2",
        "api_version": 1,
        "status": "ok",
        "error": None,
        "hooks": ["forecast_drivers"],
        "drivers": [],
    }
    assert apes["drivers"] == [{"name": "ape", "requires": [], "provides": ["apes"], "parameters": ["level"]}]
    assert bees["drivers"][0]["requires"] == ["apes"]
    shown = forecast("plugins").stdout
    assert "agi-apes 1.2  ok" in shown and "provides bees; requires apes" in shown


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_hides_nothing_and_is_named(install, kind):
    text, words = BROKEN[kind]
    install("ape", good("ape"), "agi-apes")
    install("bad", text, "agi-bad", "0.3")
    listed = {entry["distribution"]: entry for entry in json.loads(forecast("plugins", "--json").stdout)}
    assert listed["agi-apes"]["status"] == "ok" and listed["agi-apes"]["drivers"]
    assert listed["agi-bad"]["status"] == "broken" and words in listed["agi-bad"]["error"]
    assert "\n" not in listed["agi-bad"]["error"]
    assert forecast("--help").exit_code == 0
    drivers = forecast("drivers", "--priors", _worldview())
    assert drivers.exit_code == 0 and words in " ".join(drivers.stderr.split())
    assert len([line for line in drivers.stderr.splitlines() if "agi-bad 0.3" in line]) == 1


def _worldview() -> str:
    Path("toys.toml").write_text(WORLDVIEW)
    return "toys.toml"


def test_what_is_left_out_is_listed_as_disabled(install):
    install("ape", good("ape"), "agi-apes")
    (entry,) = json.loads(forecast("plugins", "--json", "--without", "ape").stdout)
    assert entry["status"] == "disabled" and [one["name"] for one in entry["drivers"]] == ["ape"]
    Path("without.toml").write_text('[drivers]\ndisable = ["ape"]\n')
    (entry,) = json.loads(forecast("plugins", "--json", "--priors", "without.toml").stdout)
    assert entry["status"] == "disabled"


def test_an_incompatible_plugin_says_what_to_do(install):
    install("ape", good("ape").replace("api_version = 1", "api_version = 7"), "agi-apes")
    (entry,) = json.loads(forecast("plugins", "--json").stdout)
    assert entry["status"] == "incompatible" and "update agi-forecast" in entry["error"]
    assert "incompatible" in forecast("plugins").stdout


def test_drivers_that_do_not_go_together_are_listed_and_the_conflict_is_told(install):
    install("ape", good("ape"), "agi-apes")
    install("bee", good("bee").replace('"bees"', '"apes"'), "agi-bees")
    result = forecast("plugins", "--json")
    assert result.exit_code == 0
    assert [entry["status"] for entry in json.loads(result.stdout)] == ["ok", "ok"]
    told = " ".join(result.stderr.split())
    assert "'ape' of agi-apes 1.0" in told and "'bee' of agi-bees 1.0" in told and "--without" in told


# Commands that plugins bring -----------------------------------------------------------------------


@pytest.fixture
def shout(install: Any) -> None:
    install(
        "shout", COMMAND, "agi-shout", group="forecast.commands", attribute=":shout", summary="Shouts a word."
    )


def test_a_plugins_command_is_in_the_help_without_being_imported_and_runs(shout):
    import sys

    shown = " ".join(forecast("--help").stdout.split())
    assert "Commands of plugins: shout Shouts a word (agi-shout 1.0)." in shown
    assert "fake_shout" not in sys.modules
    result = forecast("shout", "hello")
    assert (result.exit_code, result.stdout) == (0, "HELLO\n")
    assert "WORD" in forecast("shout", "--help").stdout
    assert "did you mean 'shout'" in forecast("shot").stderr


def test_a_distribution_that_brings_commands_alone_is_listed(shout, install):
    install("ape", good("ape"), "agi-apes")
    install("yell", COMMAND, "agi-apes", group="forecast.commands", attribute=":shout")
    apes, shouts = json.loads(forecast("plugins", "--json").stdout)
    assert apes["hooks"] == ["forecast_drivers", "forecast.commands"] and apes["drivers"]
    assert list(shouts) == KEYS and shouts["distribution"] == "agi-shout" and shouts["status"] == "ok"
    assert shouts["hooks"] == ["forecast.commands"] and shouts["drivers"] == []
    assert "brings  commands" in forecast("plugins").stdout


def test_a_command_that_fails_is_the_plugins_fault(shout):
    result = forecast("shout", "fail")
    assert result.exit_code == 1 and "Traceback" not in result.output
    told = " ".join(result.stderr.split())
    assert "plugin 'agi-shout 1.0': its command 'shout' failed: " in told
    assert "fake_shout.py:9: RuntimeError: hoarse" in told and "bug in forecast" not in told
    assert forecast("shout").exit_code == 2


def test_a_command_that_fails_while_it_reads_its_arguments_is_the_plugins_fault(install):
    text = COMMAND.replace('"word"', '"word", callback=lambda *_: 1 / 0')
    install("shout", text, "agi-shout", group="forecast.commands", attribute=":shout")
    result = forecast("shout", "hello")
    assert result.exit_code == 1 and "its command 'shout' failed: " in result.stderr


@pytest.mark.parametrize(
    "damage",
    [b"[forecast.drivers]\na line without a value\n", b"[forecast.commands]\n\xe9t\xe9 = x:y\n"],
)
def test_damaged_metadata_of_one_distribution_stops_nothing_and_is_named(install, shout, damage):
    install("ape", good("ape"), "agi-apes", "1.2")
    info = install("bee", good("bee"), "agi-bees", "0.1")
    (info / "entry_points.txt").write_bytes(damage)
    shown = forecast("--help")
    assert shown.exit_code == 0 and "agi-shout 1.0" in shown.stdout
    result = forecast("plugins", "--json")
    assert result.exit_code == 0, result.output
    states = {one["distribution"]: one for one in json.loads(result.stdout)}
    assert states["agi-apes"]["status"] == "ok" and states["agi-bees"]["status"] == "broken"
    assert "its entry_points.txt cannot be read" in states["agi-bees"]["error"]


def test_a_distribution_without_metadata_is_called_after_its_folder(install):
    info = install("ape", good("ape"), "agi_apes", "1.2")
    (info / "METADATA").unlink()
    (entry,) = json.loads(forecast("plugins", "--json").stdout)
    assert (entry["distribution"], entry["version"], entry["status"]) == ("agi_apes", "1.2", "ok")


@pytest.mark.parametrize(
    ("text", "words"),
    [("raise RuntimeError('x')", "RuntimeError: x"), ("shout = 3", "it is a int, not a click command")],
)
def test_a_command_that_cannot_be_imported_stops_nothing_else(install, text, words):
    install("shout", text, "agi-shout", group="forecast.commands", attribute=":shout")
    assert forecast("--help").exit_code == 0
    result = forecast("shout", "hello")
    assert result.exit_code == 1 and words in result.stderr and "agi-shout 1.0" in result.stderr


def test_a_command_of_two_plugins_is_used_of_neither_and_ours_stay_ours(install):
    for name in ("agi-one", "agi-two"):
        install("shout", COMMAND, name, group="forecast.commands", attribute=":shout")
    install("runs", COMMAND, "agi-run", group="forecast.commands", attribute=":shout")
    result = forecast("shout", "hello")
    assert result.exit_code == 1 and "agi-one 1.0 and agi-two 1.0" in result.stderr
    assert "agi-one 1.0 and agi-two 1.0 both bring it" in " ".join(forecast("--help").stdout.split())
    assert forecast("runs", "list").exit_code == 0
    shown = " ".join(forecast("--help").stdout.split())
    assert "runs Not used: it has the name of a command above (agi-run 1.0)." in shown


# Importers -----------------------------------------------------------------------------------------

IMPORTER = """
import csv
from pathlib import Path
from forecast import Driver, Importer, InputError, adds_to, hookimpl, observes, parameters_from_text, provides
from forecast.evidence import read_tables

class Toy(Driver):
    name = "toy"
    api_version = 1
    parameters = parameters_from_text({line!r}, "toy")
    evidence = read_tables({folder!r}, "toy")

    @provides("compute", unit="FLOP", title="Largest run")
    def line(self, m):
        return m["level"] + m["growth"] * m.years

    @observes("runs")
    def measured(self, m, data):
        m.normal(data, mean=m.at(m["compute"], data), sd=m["scatter"] + data.error)

def impossible():
    raise InputError("list.csv: no model is in it")

def read(path):
    for row in csv.DictReader(path.open()):
        yield {{"bloc": "china", "name": row["model"], "date": row["day"], "value": row["flop"],
               "unit": "FLOP", "published": row["day"], "source": "a list", "url": row.get("url"), {more}}}

@hookimpl
def forecast_drivers():
    return [Toy()]

@hookimpl
def forecast_importers():
    return [Importer("their-list", "A list of theirs", "toy", "runs", read)]
"""


@pytest.fixture
def importer(here: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("forecast.loading.installed_plugins", list)
    (here / "evidence").mkdir()
    (here / "evidence/tables.toml").write_text(TABLES)
    (here / "evidence/runs.csv").write_text(RUNS)
    (here / "list.csv").write_text("model,day,flop,url\nX,2025-05-01,4e25,https://example.org\n")

    def write(more: str = "") -> None:
        text = IMPORTER.format(line=LINE, folder=str(here / "evidence"), more=more)
        (here / "toy.py").write_text(text)

    write()
    return write


def import_(*arguments: str) -> Result:
    return forecast("import", "--plugin", "toy.py", *arguments)


def test_importers_are_listed(importer):
    assert import_().stdout == "their-list  A list of theirs (toy/runs; toy.py)\n"


def test_an_import_writes_rows_that_more_rows_can_read(importer, here):
    result = import_("their-list", "list.csv", "--output", "rows.csv")
    assert result.exit_code == 0, result.output
    assert result.stdout == "1 row for toy/runs: rows.csv\n"
    (here / "more.py").write_text(
        "from pathlib import Path\nfrom forecast import MoreRows, hookimpl\napi_version = 1\n"
        "@hookimpl\ndef forecast_evidence():\n    return [MoreRows('toy', 'runs', Path('rows.csv'))]\n"
    )
    shown = forecast("evidence", "runs", "--plugin", "toy.py", "--plugin", "more.py", "--json")
    assert [row["name"] for row in json.loads(shown.stdout)["data"]][-1] == "X"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("theirlist", "list.csv"), 2, "did you mean 'their-list'"),
        (("their-list", "lost.csv"), 2, "lost.csv: there is no such file"),
        (("their-list",), 2, "say which file to read"),
        (("their-list", "list.csv", "--output", "no/rows.csv"), 2, "there is no folder no"),
    ],
)
def test_a_mistake_is_told_in_words(importer, arguments, code, words):
    result = import_(*arguments)
    assert result.exit_code == code and words in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_nothing_is_replaced_that_nobody_named(importer, here):
    (here / "runs.csv").write_text("mine\n")
    result = import_("their-list", "list.csv")
    assert result.exit_code == 2 and "runs.csv exists already; say --output runs.csv" in result.stderr
    assert (here / "runs.csv").read_text() == "mine\n"
    assert import_("their-list", "list.csv", "--output", "runs.csv").exit_code == 0
    before = (here / "list.csv").read_text()
    result = import_("their-list", "list.csv", "--output", "./list.csv")
    assert result.exit_code == 2 and "is the file that is read" in result.stderr
    assert (here / "list.csv").read_text() == before


def test_a_timestamp_of_an_importer_is_its_day(importer, here):
    importer('"date": __import__("datetime").datetime(2025, 5, 1, 12)')
    assert import_("their-list", "list.csv", "--output", "rows.csv").exit_code == 0
    assert "2025-05-01," in (here / "rows.csv").read_text() and "T12" not in (here / "rows.csv").read_text()


def test_rows_that_the_table_refuses_are_told_and_nothing_is_written(importer, here):
    (here / "list.csv").write_text("model,day,flop,url\nX,2025-05-01,lots,https://example.org\n")
    result = import_("their-list", "list.csv", "--output", "rows.csv")
    assert result.exit_code == 2 and "list.csv (as rows of runs):2: value" in result.stderr
    (here / "list.csv").write_text("model,day\nX,2025-05-01\n")
    result = import_("their-list", "list.csv", "--output", "rows.csv")
    assert result.exit_code == 1 and "its importer 'their-list' failed on list.csv" in result.stderr
    (here / "list.csv").write_text("model,day,flop,url\nX,2025-05-01,4e25,https://example.org\n")
    importer("**impossible()")
    result = import_("their-list", "list.csv", "--output", "rows.csv")
    assert result.exit_code == 2 and "Error: list.csv: no model is in it" in result.stderr
    importer('"colour": "red"')
    result = import_("their-list", "list.csv", "--output", "rows.csv")
    assert result.exit_code == 1 and "column 'colour'" in result.stderr
    assert not (here / "rows.csv").exists()


# Report sections, and how to install a run's plugins again -----------------------------------------

SECTIONS = """
from pathlib import Path
from forecast import ReportSection, hookimpl

api_version = 1

def text(run):
    return f"This is {run.id}.\\n\\nIt has <b>{len(run.summary['milestones'])}</b> milestone."

def picture(run, path):
    Path(path).write_bytes(b"a picture")

@hookimpl
def forecast_report_sections():
    return [
        ReportSection("about", "About it", text, picture),
        ReportSection("nothing", "Nothing to say", lambda run: ""),
        ReportSection("fails", "Fails", lambda run: 1 / 0),
    ]
"""


@pytest.fixture
def saved(importer: Any, here: Path) -> Path:
    (here / "toys.toml").write_text(WORLDVIEW)
    result = forecast(
        *(
            "run",
            "--plugin",
            "toy.py",
            "--priors",
            "toys.toml",
            "--prior-only",
            "--draws",
            "50",
            "--chains",
            "2",
        )
    )
    assert result.exit_code == 0, result.output
    (run,) = (here / "runs").iterdir()
    return run


def test_sections_of_plugins_are_shown_and_a_failing_one_is_named(saved, here):
    (here / "sections.py").write_text(SECTIONS)
    result = forecast("runs", "sections", "latest", "--plugin", "sections.py", "--output", "pictures")
    assert result.exit_code == 0, result.output
    assert f"This is {saved.name}." in result.stdout and "Nothing to say" not in result.stdout
    assert (here / "pictures/about.png").read_bytes() == b"a picture"
    assert "the section 'fails' of sections.py failed: sections.py:18: ZeroDivisionError" in result.stderr
    (row,) = json.loads(forecast("runs", "sections", "latest", "--plugin", "sections.py", "--json").stdout)
    assert row == {
        "name": "about",
        "title": "About it",
        "plugin": "sections.py",
        "text": f"This is {saved.name}.\n\nIt has <b>1</b> milestone.",
        "picture": None,
    }


def test_a_run_says_how_to_install_its_plugins_again(install, here, monkeypatch):
    from forecast.results.installing import install_command

    info = install("ape", good("ape"), "agi-apes", "1.2")
    editable = install("bee", good("bee"), "agi-bees", "0.1")
    (editable / "direct_url.json").write_text('{"url": "file:///a%20b/bees", "dir_info": {"editable": true}}')
    archive = install("cat", good("cat"), "agi-cats", "0.1")
    (archive / "direct_url.json").write_text('{"url": "https://example.org/cats.whl", "archive_info": {}}')
    cloned = install("dog", good("dog"), "agi-dogs", "0.1")
    (cloned / "direct_url.json").write_text(
        '{"url": "https://example.org/dogs", "vcs_info": {"vcs": "git", "commit_id": "abc"}, '
        '"subdirectory": "examples/dog"}'
    )
    (here / "toys.toml").write_text(WORLDVIEW.replace('quantity = "compute"', 'quantity = "apes"'))
    result = forecast("run", "--priors", "toys.toml", "--prior-only", "--draws", "50", "--json")
    assert result.exit_code == 0, result.output
    (run,) = (here / "runs").iterdir()
    assert json.loads((run / "manifest.json").read_text())["install"] == (
        "uv pip install agi-apes==1.2 --editable '/a b/bees' 'agi-cats @ https://example.org/cats.whl' "
        "'agi-dogs @ git+https://example.org/dogs@abc#subdirectory=examples/dog'"
    )
    assert install_command(["agi-apes"]) == "uv pip install agi-apes==1.2"
    for leftover in info.parent.iterdir():
        leftover.rename(here / leftover.name)
    monkeypatch.setattr("forecast.loading.installed_plugins", list)
    assert forecast("runs", "show", "latest").exit_code == 0  # readable without them


def test_a_picture_that_fails_leaves_what_was_there_and_nothing_half_drawn(saved, here):
    broken = SECTIONS.replace('b"a picture")', 'b"half a pic")\n    raise OSError("no ink")')
    (here / "sections.py").write_text(broken)
    (here / "pictures").mkdir()
    (here / "pictures/about.png").write_bytes(b"an earlier one")
    result = forecast("runs", "sections", "latest", "--plugin", "sections.py", "--output", "pictures")
    assert result.exit_code == 0 and "the section 'about' of sections.py failed" in result.stderr
    assert "OSError: no ink" in result.stderr
    assert [file.name for file in (here / "pictures").iterdir()] == ["about.png"]
    assert (here / "pictures/about.png").read_bytes() == b"an earlier one"
