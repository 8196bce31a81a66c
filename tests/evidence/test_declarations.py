"""`tables.toml`: what is declared, and what is wrong with a declaration."""

from __future__ import annotations

import pytest

from forecast.errors import InputError
from forecast.evidence.schema import Column, parse_specs
from tests.evidence.support import RUNS, Folder

PLACE = "tables.toml: [runs]"


def problems_of(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_specs(text, "tables.toml")
    return list(caught.value.problems)


def test_a_declaration_is_read_whole() -> None:
    spec = parse_specs(
        RUNS
        + 'linear = true\nvintages = "whole"\nkey = ["suite"]\nused = false\nlicence = "CC-BY 4.0"\n'
        + 'secondary_error = 0.4\n[runs.columns]\nsuite = ["1.0", "1.1"]\nmonths = "integer?"\n',
        "tables.toml",
    )["runs"]
    assert (spec.name, spec.title, spec.unit, spec.units) == ("runs", "Runs", "FLOP", ("FLOP",))
    assert (spec.default_error, spec.default_error_source, spec.secondary_error) == (0.15, "a guess", 0.4)
    assert (spec.linear, spec.vintages, spec.key, spec.used) == (True, "whole", ("suite",), False)
    assert spec.licence == "CC-BY 4.0"
    assert spec.columns == {
        "suite": Column("suite", "enumeration", ("1.0", "1.1")),
        "months": Column("months", "integer", optional=True),
    }


def test_a_short_declaration_takes_the_stated_defaults() -> None:
    spec = parse_specs(RUNS, "tables.toml")["runs"]
    assert (spec.linear, spec.vintages, spec.key, spec.used) == (False, "none", (), True)
    assert spec.secondary_error == pytest.approx(0.30)


def test_a_reference_table_needs_no_default_error() -> None:
    exact = RUNS.replace("0.15", "0") + "used = false"
    assert parse_specs(exact, "tables.toml")["runs"].default_error == 0
    text = '[runs]\ntitle = "a"\ndescription = "b"\nunits = ["FLOP"]\nused = false\n'
    assert parse_specs(text, "tables.toml")["runs"].default_error is None
    assert problems_of(text.replace("false", "true")) == [
        f"{PLACE} default_error: is missing: the standard deviation of a row that has no interval"
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('vintage = "row"', "vintage: unknown key (did you mean 'vintages'?)"),
        ('vintages = "rows"', "vintages: must be one of none, row, whole, got 'rows'"),
        ("vintages = [1]", "vintages: must be one of none, row, whole, got [1]"),
        ('linear = "yes"', "linear: must be true or false, got 'yes'"),
        ("used = 1", "used: must be true or false, got 1"),
        ("licence = 4", "licence: must be a text that is not blank"),
        ('key = "suite"', "key: must be a list of texts"),
        (
            'key = ["site"]\ncolumns.suite = "text"',
            "key: 'site' is no column of the table (did you mean 'suite'?)",
        ),
        ('key = ["name", "name"]', "key: names something twice"),
        ("secondary_error = -1", "secondary_error: must be positive and finite, got -1"),
        ("secondary_error = nan", "secondary_error: must be positive and finite, got nan"),
        (f"secondary_error = 1{'0' * 400}", "secondary_error: must be positive and finite, got inf"),
        ("secondary_error = true", "secondary_error: must be a number, got True"),
        ("columns = 3", "columns: must be a table of column = type"),
        ('columns.note = "text"', "columns.note: is a column of every table"),
        ('columns.Rank = "text"', "columns.Rank: is not a column's name"),
        ("columns.rank = []", "columns.rank: is an enumeration of nothing"),
        ("columns.rank = [0.5, 0.8]", "columns.rank: must be a list of texts"),
        (
            'columns.rank = "int"',
            "columns.rank: must be one of text, number, integer, boolean, date, "
            "with ? if cells may be blank, or a list; got 'int'",
        ),
    ],
)
def test_a_wrong_key_is_named_with_its_table(line: str, sentence: str) -> None:
    assert problems_of(RUNS + line) == [f"{PLACE} {sentence}"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('title = "Runs"', "", "title: is missing"),
        ('"Training runs."', '" "', "description: must be a text that is not blank"),
        ('units = ["FLOP"]', "", "units: is missing: a list of the units that rows may use"),
        ('units = ["FLOP"]', 'units = "FLOP"', "units: must be a list of texts"),
        (
            '["FLOP"]',
            '["log10 FLOP"]',
            "units: 'log10 FLOP' is a log already: list 'FLOP' first, or set linear = true",
        ),
        ("0.15", "0", "default_error: must be positive and finite, got 0"),
        ('default_error_source = "a guess"', "", "default_error_source: is missing"),
    ],
)
def test_a_required_key_is_named_with_its_table(old: str, new: str, sentence: str) -> None:
    assert problems_of(RUNS.replace(old, new)) == [f"{PLACE} {sentence}"]


def test_an_unknown_unit_of_a_table_is_an_error() -> None:
    (problem,) = problems_of(RUNS.replace('["FLOP"]', '["FLOPS"]'))
    assert problem.startswith(f"{PLACE} units: ") and "'FLOPS'" in problem


def test_a_linear_table_may_hold_logs() -> None:
    text = RUNS.replace('["FLOP"]', '["log10 FLOP"]') + "linear = true"
    assert parse_specs(text, "tables.toml")["runs"].unit == "log10 FLOP"


def test_all_problems_come_at_once() -> None:
    text = "top = 1\n[Runs]\n[runs]\ntitle = 3\nunits = []\nuse = true\n[more]\n"
    places = {problem.split(": ")[1] for problem in problems_of(text)}
    assert places >= {
        "top must be a table, [top] with title, units, … under it",
        "[runs] title",
        "[runs] units",
    }
    assert places >= {"[runs] use", "[more] title", "[runs] default_error"}


@pytest.mark.parametrize("text", ["[runs", "a = ", "a = 1\na = 2", f"a = {'9' * 5000}", f"a = {'[' * 5000}"])
def test_malformed_toml_names_the_file(text: str) -> None:
    (problem,) = problems_of(text)
    assert problem.startswith("tables.toml: not valid TOML: ")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "tables.toml: the file is empty"),
        (b"# nothing\n", "tables.toml: the file is empty: a table here declares each CSV beside it"),
        (b"\x00\x01", "tables.toml: is a binary file, not text"),
        (b"a = '\xff'", "tables.toml:1: not UTF-8 text (byte 5); save the file as UTF-8"),
    ],
)
def test_an_unreadable_declaration_is_named(folder: Folder, content: bytes, sentence: str) -> None:
    folder.write("tables.toml", content)
    assert folder.problems() == [sentence]
