"""Every rule of the format, with the sentence that names file, line and column."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from forecast.errors import InputError
from forecast.evidence import HEADER, read_tables
from tests.evidence.support import ROW, RUNS, Folder, csv_text

Problem = Callable[..., str]


def test_the_rows_of_a_good_table_come_as_typed(folder: Folder) -> None:
    folder.declare(
        '[runs.columns]\nrank = "integer?"\nscore = "number"\nopen = "boolean"\nseen = "date?"\n'
        'words = "text?"\nconfidence = ["Confident", "Likely", ""]\n'
    )
    extra = {"rank": "2", "score": "1.5", "open": "true", "seen": "2024-07-02", "words": "", "confidence": ""}
    table = folder.rows(extra).read()
    assert (table.driver, table.name, len(table), table.spec.title) == ("compute-growth", "runs", 1, "Runs")
    assert table.path.endswith("runs.csv")
    row = table.rows[0]
    assert (row.bloc, row.name, row.date, row.value) == ("us_allies", "GPT-0", date(2024, 6, 1), 4e26)
    assert (row.unit, row.low, row.high, row.level) == ("FLOP", 2e26, 8e26, 0.9)
    assert (row.published, row.vintage, row.line) == (date(2024, 7, 1), None, 2)
    assert (row.source, row.url, row.note) == ("Model card", "https://example.org/card", "")
    assert row.extra == {
        "rank": 2, "score": 1.5, "open": True, "seen": date(2024, 7, 2), "words": None, "confidence": None,
    }  # fmt: skip


def test_blank_intervals_blank_lines_padding_and_a_byte_order_mark_are_fine(folder: Folder) -> None:
    text = csv_text(ROW | {"low": "", "high": "", "level": "", "name": "  spaced "})
    folder.write(
        "runs.csv", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n,,,,,,,,,,,,\r\n\r\n"
    )
    (row,) = folder.read().rows
    assert row.name == "spaced"
    assert math.isnan(row.low) and math.isnan(row.high) and math.isnan(row.level)


def test_values_are_converted_to_the_tables_first_unit(folder: Folder) -> None:
    folder.declare(base=RUNS.replace('["FLOP"]', '["minute", "hour", "FLOP"]'))
    table = folder.rows(
        {"unit": "hour", "value": "2", "low": "1", "high": "3"}, {}, {"unit": "minute"}
    ).read()
    assert [row.unit for row in table.rows] == ["minute", "FLOP", "minute"]
    assert (table.rows[0].value, table.rows[0].low, table.rows[0].high) == (120, 60, 180)
    assert table.rows[1].value == table.rows[2].value == 4e26  # another dimension is left as it is


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"source": ""}, "runs.csv:2: source: is missing"),
        ({"url": " "}, "runs.csv:2: url: is missing"),
        ({"url": "ftp://x.org/a"}, "runs.csv:2: url: 'ftp://x.org/a' is not an http or https address"),
        ({"url": "https://"}, "runs.csv:2: url: 'https://' is not an http or https address"),
        ({"name": ""}, "runs.csv:2: name: is missing"),
        ({"bloc": ""}, "runs.csv:2: bloc: is missing"),
        ({"bloc": "US"}, "runs.csv:2: bloc: 'US' is not a bloc's name (lowercase letters, digits and _)"),
        ({"value": ""}, "runs.csv:2: value: is missing"),
        ({"value": "1,000"}, "runs.csv:2: value: '1,000' is not a number (write it as 1250 or 1.2e26)"),
        ({"value": "1_000"}, "runs.csv:2: value: '1_000' is not a number (write it as 1250 or 1.2e26)"),
        ({"value": "nan"}, "runs.csv:2: value: 'nan' is not a number (write it as 1250 or 1.2e26)"),
        ({"value": "inf"}, "runs.csv:2: value: 'inf' is not a number (write it as 1250 or 1.2e26)"),
        ({"value": "1e999"}, "runs.csv:2: value: '1e999' is too large for a number"),
        ({"low": "x"}, "runs.csv:2: low: 'x' is not a number (write it as 1250 or 1.2e26)"),
        ({"high": "NaN"}, "runs.csv:2: high: 'NaN' is not a number (write it as 1250 or 1.2e26)"),
        ({"low": "9e26"}, "runs.csv:2: low: the interval is inverted: low 9e+26 is above high 8e+26"),
        ({"value": "1e26"}, "runs.csv:2: value: 1e+26 is outside its interval, 2e+26 to 8e+26"),
        (
            {"level": ""},
            "runs.csv:2: level: is missing: low and high given (an interval has low, high and level)",
        ),
        (
            {"high": ""},
            "runs.csv:2: high: is missing: low and level given (an interval has low, high and level)",
        ),
        ({"level": "90"}, "runs.csv:2: level: must lie between 0 and 1, got 90"),
        ({"level": "1"}, "runs.csv:2: level: must lie between 0 and 1, got 1"),
        ({"level": "0"}, "runs.csv:2: level: must lie between 0 and 1, got 0"),
        ({"date": "June"}, "runs.csv:2: date: must be a date such as 2026-06-30, got 'June'"),
        ({"date": "20240601"}, "runs.csv:2: date: must be a date such as 2026-06-30, got '20240601'"),
        (
            {"date": "2024-02-30"},
            "runs.csv:2: date: is no day of the calendar: '2024-02-30' (dates are written YYYY-MM-DD)",
        ),
        ({"date": "0204-02-03"}, "runs.csv:2: date: '0204-02-03' is outside the years 1900 to 2200"),
        ({"published": ""}, "runs.csv:2: published: is missing"),
        ({"published": "1/7/24"}, "runs.csv:2: published: must be a date such as 2026-06-30, got '1/7/24'"),
        ({"vintage": "v2"}, "runs.csv:2: vintage: must be a date such as 2026-06-30, got 'v2'"),
        ({"low": "0"}, "runs.csv:2: value: is logged: value, low and high must be positive"),
        (
            {"value": "-1", "low": "", "high": "", "level": ""},
            "runs.csv:2: value: is logged: value, low and high must be positive",
        ),
        (
            {"date": "2024-07-02"},
            "runs.csv:2: date: 2024-07-02 is after the publication on 2024-07-01 "
            "(only if kind is guidance, forecast, consensus)",
        ),
    ],
)
def test_a_bad_cell_is_named_with_file_line_and_column(
    problem_of: Problem, change: dict[str, str], sentence: str
) -> None:
    assert problem_of(**change) == sentence


def test_an_unknown_unit_is_named_with_the_nearest(problem_of: Problem) -> None:
    problem = problem_of(unit="FLOPs")
    assert problem.startswith("runs.csv:2: unit: ") and "'FLOPs'" in problem and "FLOP" in problem


def test_a_unit_that_the_table_does_not_list_is_an_error(problem_of: Problem) -> None:
    assert problem_of(unit="minute") == "runs.csv:2: unit: 'minute' is not a unit of this table (FLOP)"


@pytest.mark.parametrize(
    "unit", ["", "log10", "log10 ", "log10 log10 FLOP", "million", "/", "/year", "FLOP/"]
)
def test_rubbish_for_a_unit_is_an_error(problem_of: Problem, unit: str) -> None:
    assert problem_of(unit=unit).startswith("runs.csv:2: unit: ")


def test_an_unknown_bloc_is_named_with_the_nearest(folder: Folder) -> None:
    folder.rows({}, {"bloc": "world"}, {"bloc": "chian"})
    assert folder.problems(blocs=("us_allies", "china")) == [
        "runs.csv:4: bloc: unknown bloc 'chian' (did you mean 'china'?)"
    ]
    assert len(folder.read()) == 3


@pytest.mark.parametrize("kind", ["guidance", "forecast", "consensus"])
def test_guidance_forecasts_and_consensus_may_be_about_later_days(folder: Folder, kind: str) -> None:
    folder.declare('[runs.columns]\nkind = ["actual", "guidance", "forecast", "consensus"]\n')
    assert len(folder.rows({"kind": kind, "date": "2025-01-01"}).read()) == 1
    (problem,) = folder.rows({"kind": "actual", "date": "2025-01-01"}).problems()
    assert "2025-01-01 is after the publication on 2024-07-01" in problem


@pytest.mark.parametrize(
    ("kind", "cell", "sentence"),
    [
        ('["Confident", "Likely"]', "Likly", "'Likly' is not one of Confident, Likely"),
        ('["Confident", "Likely"]', "", "is missing"),
        ('"text"', "", "is missing"),
        ('"number"', "two", "'two' is not a number (write it as 1250 or 1.2e26)"),
        ('"number?"', "nan", "'nan' is not a number (write it as 1250 or 1.2e26)"),
        ('"integer"', "1.5", "'1.5' is not a whole number"),
        ('"integer"', "9" * 5000, f"'{'9' * 58}… is not a whole number"),
        ('"boolean"', "yes", "'yes' is neither true nor false"),
        ('"date?"', "soon", "must be a date such as 2026-06-30, got 'soon'"),
    ],
)
def test_a_typed_column_is_checked(folder: Folder, kind: str, cell: str, sentence: str) -> None:
    folder.declare(f"[runs.columns]\nextra = {kind}\n")
    assert folder.rows({"extra": cell}).problems() == [f"runs.csv:2: extra: {sentence}"]


def test_a_repeated_row_names_the_first_one(folder: Folder) -> None:
    assert folder.rows({"name": "a"}, {"name": "b"}, {"name": "a", "value": "5e26"}).problems() == [
        "runs.csv:4: name: 'a' repeats line 2 (same bloc, name, date, vintage)"
    ]


def test_rows_that_differ_in_a_key_column_are_no_repetition(folder: Folder) -> None:
    folder.declare('key = ["suite"]\n[runs.columns]\nsuite = "text"\n')
    assert len(folder.rows({"name": "a", "suite": "1.0"}, {"name": "a", "suite": "1.1"}).read()) == 2


def test_two_vintages_of_a_figure_repeat_it_unless_the_table_has_vintages(folder: Folder) -> None:
    twice = ({"name": "a", "vintage": "2024-07-01"}, {"name": "a", "vintage": "2025-07-01"})
    assert "repeats line 2" in folder.rows(*twice).problems()[0]
    assert len(folder.declare('vintages = "row"').read()) == 2


def test_a_table_refitted_as_a_whole_has_a_vintage_in_each_row(folder: Folder) -> None:
    folder.declare('vintages = "whole"')
    assert folder.rows({"vintage": ""}).problems() == ["runs.csv:2: vintage: is missing"]


def test_a_blank_vintage_is_for_figures_of_one_version_only(folder: Folder) -> None:
    folder.declare('vintages = "row"')
    first, second = {"name": "a", "vintage": ""}, {"name": "a", "vintage": "2025-07-01"}
    assert len(folder.rows(first, second | {"name": "b"}).read()) == 2
    sentence = "vintage: is blank here or in line 2, another version of 'a'"
    assert folder.rows(first, second).problems() == [f"runs.csv:3: {sentence}"]
    assert folder.rows(second, first).problems() == [f"runs.csv:3: {sentence}"]
    assert folder.rows(first, first | {"date": "2024-05-01"}).problems() == [f"runs.csv:3: {sentence}"]


def test_a_header_that_lacks_columns_names_them(folder: Folder) -> None:
    header = tuple(column for column in HEADER if column not in ("level", "url"))
    folder.write("runs.csv", csv_text(ROW, header=header))
    assert folder.problems() == [
        "runs.csv:1: header: column 'level' is missing",
        "runs.csv:1: header: column 'url' is missing",
    ]


def test_a_header_in_another_order_shows_the_right_one(folder: Folder) -> None:
    folder.write("runs.csv", csv_text(ROW, header=("name", "bloc", *HEADER[2:])))
    assert folder.problems() == [
        "runs.csv:1: header: the common columns are in another order; they come first, as " + ",".join(HEADER)
    ]


def test_undeclared_misspelt_and_doubled_columns_are_named(folder: Folder) -> None:
    folder.declare('[runs.columns]\nconfidence = "text"\n')
    folder.write("runs.csv", csv_text(ROW, header=(*HEADER, "confidnce", "note")))
    assert folder.problems() == [
        "runs.csv:1: header: column 'confidence' is missing",
        "runs.csv:1: header: column 'note' appears twice",
        "runs.csv:1: header: column 'confidnce' is not declared in [runs.columns] "
        "(did you mean 'confidence'?)",
    ]


def test_a_row_of_another_length_is_named(folder: Folder) -> None:
    folder.write("runs.csv", csv_text(ROW) + "china,short\n")
    assert folder.problems() == [
        "runs.csv:3: has 2 cells where the header has 13 (quote a cell that holds commas)"
    ]


def test_an_open_quote_is_an_error(folder: Folder) -> None:
    folder.write("runs.csv", csv_text(ROW) + 'china,"never closed\n')
    (problem,) = folder.problems()
    assert problem.startswith("runs.csv:3: not a readable CSV row: ")


def test_a_row_is_named_by_the_line_on_which_it_starts(folder: Folder) -> None:
    folder.rows({"note": "two\nlines"}, {"value": "x"})
    assert folder.problems()[0].startswith("runs.csv:4: value: ")


def test_all_problems_of_all_files_come_at_once(folder: Folder) -> None:
    folder.declare(RUNS.replace("[runs]", "[more]") + RUNS.replace("[runs]", "[none]"))
    folder.rows({"value": "x", "source": ""}, {"bloc": "1"}).rows({"url": ""}, name="more")
    folder.write("stray.csv", csv_text(ROW))
    assert [problem.split(": ")[0] for problem in folder.problems()] == [
        "stray.csv", "runs.csv:2", "runs.csv:2", "runs.csv:3", "more.csv:2", "none.csv",
    ]  # fmt: skip


def test_a_csv_without_declaration_and_the_reverse_are_errors(folder: Folder) -> None:
    folder.write("rums.csv", csv_text(ROW))
    assert folder.problems() == [
        "rums.csv: not declared in tables.toml (did you mean 'runs'?)",
        "runs.csv: there is no such file",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "runs.csv: the file is empty"),
        (b"\n \n", "runs.csv: the file is empty"),
        (b"\xef\xbb\xbf", "runs.csv: the file is empty"),
        (b"PK\x03\x04\x00\x00", "runs.csv: is a binary file, not text"),
        (b"a\nb\xff\xfe", "runs.csv:2: not UTF-8 text (byte 3); save the file as UTF-8"),
        (",".join(HEADER).encode(), "runs.csv: no row below the header"),
    ],
)
def test_an_unreadable_file_is_named(folder: Folder, content: bytes, sentence: str) -> None:
    folder.write("runs.csv", content)
    assert folder.problems() == [sentence]


def test_a_folder_in_place_of_a_file_is_an_error(folder: Folder) -> None:
    (folder.path / "runs.csv").mkdir()
    assert folder.problems() == ["runs.csv: is a folder, not a file"]


def test_a_file_without_permission_is_an_error(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:  # permissions on disk would not stop root
        if path.suffix == ".csv":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert folder.rows().problems() == ["runs.csv: cannot be read: Permission denied"]


def test_tables_are_read_from_inside_an_archive(folder: Folder, tmp_path: Path) -> None:
    folder.rows()
    with zipfile.ZipFile(tmp_path / "wheel.zip", "w") as archive:
        for name in ("tables.toml", "runs.csv"):
            archive.write(tmp_path / name, f"plugin/evidence/{name}")
    inside = zipfile.Path(tmp_path / "wheel.zip", "plugin/evidence/")
    assert len(read_tables(inside, "toy")["runs"]) == 1
    with pytest.raises(InputError, match=r"tables\.toml: there is no such file"):
        read_tables(inside / "deeper", "toy")


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tables\.toml: there is no such file"):
        read_tables(tmp_path / "nowhere", "toy")


def test_messages_name_files_from_the_current_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path.parent)
    folder.rows({"source": ""})
    with pytest.raises(InputError) as caught:
        read_tables(str(folder.path), "toy")
    assert caught.value.problems == (f"{folder.path.name}/runs.csv:2: source: is missing",)
