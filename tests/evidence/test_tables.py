"""Filters and vectors of an evidence table."""

from __future__ import annotations

import pickle
from datetime import date

import numpy as np
import pytest

from forecast.errors import PluginError
from forecast.evidence import EvidenceTable
from tests.evidence.support import RUNS, Folder

NO_INTERVAL = {"low": "", "high": "", "level": ""}


def names(table: EvidenceTable) -> list[str]:
    return [row.name for row in table.rows]


def test_the_as_of_date_filters_by_publication_inclusive(folder: Folder) -> None:
    table = folder.rows(
        {"published": "2024-06-30"}, {"published": "2024-07-01"}, {"published": "2024-07-02"}
    ).read()
    assert names(table.known_by(date(2024, 7, 1))) == ["GPT-0", "GPT-1"]
    assert len(table.known_by(date(2020, 1, 1))) == 0
    assert len(table) == 3  # the table itself is unchanged


def test_each_row_keeps_its_latest_vintage_known_by_the_day(folder: Folder) -> None:
    folder.declare('vintages = "row"\nkey = ["suite"]\n[runs.columns]\nsuite = "text"\n')

    def version(name: str, suite: str, vintage: str, value: str) -> dict[str, str]:
        change = {"name": name, "suite": suite, "vintage": vintage, "published": vintage, "value": value}
        return change | NO_INTERVAL

    table = folder.rows(
        version("a", "1.0", "2024-07-01", "1"),
        version("a", "1.0", "2025-07-01", "2"),
        version("a", "1.1", "2024-08-01", "3"),
        version("b", "1.0", "2024-09-01", "4") | {"vintage": ""},
    ).read()
    assert table.known_by(date(2024, 7, 31)).column("value").tolist() == [1]
    assert table.known_by(date(2025, 1, 1)).column("value").tolist() == [1, 3, 4]
    assert table.known_by(date(2026, 1, 1)).column("value").tolist() == [2, 3, 4]


def test_a_vintage_after_the_day_is_not_known_though_the_row_was_published(folder: Folder) -> None:
    folder.declare('vintages = "row"')
    table = folder.rows({"vintage": "2025-12-19", "published": "2024-07-01"}).read()
    assert len(table.known_by(date(2025, 12, 18))) == 0
    assert len(table.known_by(date(2025, 12, 19))) == 1


def test_a_refitted_table_is_used_in_its_latest_version_only(folder: Folder) -> None:
    folder.declare('vintages = "whole"')
    first, second = {"vintage": "2025-12-19"}, {"vintage": "2026-04-11"}
    table = folder.rows(
        {"name": "a", "published": "2025-12-19"} | first,
        {"name": "b", "published": "2025-12-19"} | first,
        {"name": "a", "published": "2026-04-11"} | second,
    ).read()
    assert names(table.known_by(date(2026, 4, 10))) == ["a", "b"]
    assert names(table.known_by(date(2026, 4, 11))) == ["a"]  # b was dropped by its source
    assert table.known_by(date(2025, 1, 1)).rows == ()


def test_rows_about_the_world_stay_with_any_bloc(folder: Folder) -> None:
    table = folder.rows({}, {"bloc": "china"}, {"bloc": "world"}).read()
    assert names(table.for_blocs(["china"])) == ["GPT-1", "GPT-2"]
    assert names(table.for_blocs(())) == ["GPT-2"]


def test_rows_about_unknown_blocs_are_named_once_the_worldview_is_known(folder: Folder) -> None:
    table = folder.rows({}, {"bloc": "chian"}, {"bloc": "world"}).read()
    assert table.unknown_blocs(("us_allies", "china")) == [
        f"{table.path}:3: bloc: unknown bloc 'chian' (did you mean 'china'?)"
    ]
    assert table.unknown_blocs(("us_allies", "chian")) == []


def test_rows_are_filtered_by_columns(folder: Folder) -> None:
    folder.declare(
        '[runs.columns]\nkind = ["flow", "total", "guidance", ""]\nfit = "boolean"\nmonths = "integer?"\n'
    )
    table = folder.rows(
        {"kind": "flow", "fit": "true", "months": "3"},
        {"kind": "total", "fit": "true"},
        {"kind": "guidance", "fit": "false"},
        {"fit": "True", "months": "12"},
    ).read()
    assert names(table.filter(fit=True, kind=("flow", "guidance"))) == ["GPT-0"]
    assert names(table.filter(kind={"flow", "total"})) == ["GPT-0", "GPT-1"]
    assert names(table.filter(kind=None)) == ["GPT-3"]
    assert names(table.filter(months=[3, 12])) == ["GPT-0", "GPT-3"]
    assert names(table.filter(name="GPT-2")) == ["GPT-2"]
    assert table.filter() == table


def test_a_filter_that_could_never_match_is_an_error_of_the_driver(folder: Folder) -> None:
    table = folder.declare('[runs.columns]\nkind = ["flow", "total"]\n').rows({"kind": "flow"}).read()
    with pytest.raises(
        PluginError, match=r"compute-growth.*'runs' has no column 'knd' \(did you mean 'kind'\?\)"
    ):
        table.filter(knd="flow")
    with pytest.raises(PluginError, match="kind is never 'flwo', only flow, total"):
        table.filter(kind=("flow", "flwo"))
    with pytest.raises(PluginError, match="level is never '0.9': it holds number cells"):
        table.filter(level="0.9")
    with pytest.raises(PluginError, match="has no column 'weight'"):
        table.column("weight")


def test_columns_are_vectors_in_row_order(folder: Folder) -> None:
    folder.declare(
        '[runs.columns]\nrank = "integer"\nmonths = "integer?"\nopen = "boolean?"\nwords = "text?"\n'
    )
    table = folder.rows(
        {"rank": "2", "open": "true", "words": "x", "date": "2024-01-01"},
        {"rank": "1", "months": "3", **NO_INTERVAL},
    ).read()
    np.testing.assert_array_equal(table.column("value"), [4e26, 4e26])
    np.testing.assert_array_equal(table.column("low"), [2e26, np.nan])
    np.testing.assert_array_equal(table.column("months"), [np.nan, 3])
    np.testing.assert_array_equal(table.column("vintage"), [np.nan, np.nan])
    assert table.column("rank").tolist() == [2, 1] and table.column("rank").dtype == int
    assert table.column("open").tolist() == [True, False]
    assert table.column("words").tolist() == ["x", ""]
    assert table.column("bloc").tolist() == ["us_allies", "us_allies"]
    np.testing.assert_allclose(table.dates, [2024.0, 2024 + 152 / 366])


def test_an_empty_table_gives_empty_vectors(folder: Folder) -> None:
    folder.declare('[runs.columns]\nrank = "integer"\nopen = "boolean"\n')
    table = folder.rows({"rank": "1", "open": "true"}).read().with_rows(())
    for vector in (
        table.dates,
        table.errors(),
        table.column("value"),
        table.column("rank"),
        table.column("open"),
    ):
        assert vector.shape == (0,)
    assert table.column("bloc").shape == (0,)


@pytest.mark.parametrize(("level", "z"), [("0.9", 1.6448536), ("0.95", 1.9599640), ("0.8", 1.2815516)])
def test_an_interval_becomes_a_standard_deviation_in_dex_by_its_level(
    folder: Folder, level: str, z: float
) -> None:
    (error,) = folder.rows({"low": "1e26", "value": "2e26", "high": "1e27", "level": level}).read().errors()
    assert error == pytest.approx(1 / (2 * z), rel=1e-6)


def test_intervals_of_one_measurement_at_two_levels_give_one_error(folder: Folder) -> None:
    sd = 0.3
    rows = [
        {
            "value": "1e26",
            "low": f"{1e26 * 10 ** (-z * sd)}",
            "high": f"{1e26 * 10 ** (z * sd)}",
            "level": level,
        }
        for level, z in (("0.9", 1.6448536269514722), ("0.95", 1.959963984540054))
    ]
    np.testing.assert_allclose(folder.rows(*rows).read().errors(), [sd, sd])


def test_a_linear_table_has_errors_in_its_unit(folder: Folder) -> None:
    folder.declare(base=RUNS.replace('["FLOP"]', '["index point"]') + "linear = true\n")
    rows = ({"value": "0", "low": "-2", "high": "2"}, {"value": "-7", **NO_INTERVAL})
    table = folder.rows(*({"unit": "index point"} | row for row in rows)).read()
    np.testing.assert_allclose(table.errors(), [4 / (2 * 1.6448536), 0.15], rtol=1e-6)


def test_rows_without_a_real_interval_take_the_default_error(folder: Folder) -> None:
    folder.declare('[runs.columns]\nsecondary = "boolean?"\n')
    table = folder.rows(
        NO_INTERVAL,
        {"low": "4e26", "high": "4e26"},
        {"secondary": "true"} | NO_INTERVAL,
        {"secondary": "false"} | NO_INTERVAL,
        {"secondary": "true", "low": "1e26", "high": "1e27"},
    ).read()
    np.testing.assert_allclose(table.errors(), [0.15, 0.15, 0.30, 0.15, 1 / (2 * 1.6448536)], rtol=1e-6)


def test_converted_values_keep_their_error_in_dex(folder: Folder) -> None:
    folder.declare(base=RUNS.replace('["FLOP"]', '["minute", "hour"]'))
    table = folder.rows({"unit": "hour"}, {"unit": "minute"}).read()
    assert table.errors()[0] == pytest.approx(table.errors()[1])


def test_a_table_travels_to_another_process(folder: Folder) -> None:
    table = folder.rows().read()
    table.column("value")
    assert pickle.loads(pickle.dumps(table)).with_rows(()) == table.with_rows(())
