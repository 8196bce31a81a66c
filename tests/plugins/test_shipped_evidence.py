"""The evidence that ships: every table keeps the rules, and holds what the default model needs."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from forecast.evidence import EvidenceTable, read_tables

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
FOLDERS = sorted(PLUGINS.glob("*/evidence"))
BLOCS = ("us_allies", "china")
AS_OF = date(2026, 6, 30)  # of the default worldview
EARLIER = date(2025, 1, 29)  # of amodei-2025
H100E_OPS = 1979e12  # 8-bit dense peak op/s: the one basis of H100e


@pytest.fixture(scope="module")
def tables() -> dict[str, EvidenceTable]:
    """All shipped tables by name; reading them checks every row."""
    found: dict[str, EvidenceTable] = {}
    for folder in FOLDERS:
        driver = folder.parent.name.replace("_", "-")
        for name, table in read_tables(folder, driver, blocs=BLOCS).items():
            assert name not in found, f"{name} is a table of {driver} and of {found[name].driver}"
            found[name] = table
    return found


def names(table: EvidenceTable, **columns: object) -> set[str]:
    return {row.name for row in table.filter(**columns).rows}


def test_every_driver_with_evidence_is_here() -> None:
    assert [folder.parent.name for folder in FOLDERS] == [
        "algorithmic_efficiency",
        "capability",
        "compute_growth",
        "export_control_leakage",
        "investment",
        "physical_limits",
        "training_cost",
    ]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_shipped_table_keeps_the_rules_of_the_format(folder: Path) -> None:
    for table in read_tables(folder, folder.parent.name.replace("_", "-"), blocs=BLOCS).values():
        assert np.isfinite(table.errors()).all() or not table.spec.used, table.name


def test_every_table_that_is_fitted_has_rows_as_of_both_shipped_worldviews(
    tables: dict[str, EvidenceTable],
) -> None:
    for table in tables.values():
        if table.spec.used:
            assert len(table.known_by(AS_OF)) > 0, table.name
            if (
                table.driver != "capability"
            ):  # METR's suite and Epoch's index came out in March and October 2025
                assert len(table.known_by(EARLIER)) > 0, table.name


def test_tables_of_both_blocs_have_both(tables: dict[str, EvidenceTable]) -> None:
    for name in ("training_runs", "time_horizons", "capability_index", "capex"):
        known = tables[name].known_by(AS_OF)
        assert {row.bloc for row in known.rows} == set(BLOCS), name


def test_there_are_sixty_frontier_training_runs_of_both_blocs(tables: dict[str, EvidenceTable]) -> None:
    known = tables["training_runs"].known_by(AS_OF)
    assert len(known) >= 60
    assert len(names(known, bloc="us_allies")) >= 20 and len(names(known, bloc="china")) >= 20
    assert names(known, confidence="Confident") and names(known, confidence="Likely")


def test_no_training_run_counts_twice(tables: dict[str, EvidenceTable]) -> None:
    known = tables["training_runs"].known_by(AS_OF)
    assert len({(row.bloc, row.name) for row in known.rows}) == len(known)


def test_time_horizons_hold_the_record_holders_of_both_suites_at_both_levels(
    tables: dict[str, EvidenceTable],
) -> None:
    table = tables["time_horizons"].known_by(AS_OF)
    for suite in ("1.0", "1.1"):
        for success in (0.5, 0.8):
            assert len(names(table, suite=suite, success=success, sota=True)) >= 8, (suite, success)


def test_models_in_both_suites_identify_their_offset(tables: dict[str, EvidenceTable]) -> None:
    table = tables["time_horizons"].known_by(AS_OF).filter(success=0.5)
    assert len(names(table, suite="1.0") & names(table, suite="1.1")) >= 5


def test_all_seven_chinese_horizons_are_there_at_both_levels(tables: dict[str, EvidenceTable]) -> None:
    table = tables["time_horizons"].known_by(AS_OF).for_blocs(["china"])
    assert len(names(table, success=0.5)) == len(names(table, success=0.8)) == 7


def test_the_eighty_percent_horizon_is_the_shorter_one(tables: dict[str, EvidenceTable]) -> None:
    pairs: dict[tuple[object, ...], dict[object, float]] = defaultdict(dict)
    for row in tables["time_horizons"].known_by(AS_OF).rows:
        pairs[row.bloc, row.name, row.extra["suite"]][row.extra["success"]] = row.value
    assert len([pair for pair in pairs.values() if len(pair) == 2]) >= 30
    assert all(pair[0.8] < pair[0.5] for pair in pairs.values() if len(pair) == 2)


def test_the_index_comes_from_one_version_at_a_time(tables: dict[str, EvidenceTable]) -> None:
    table = tables["capability_index"]
    assert table.spec.linear and table.spec.vintages == "whole"
    for day in (date(2026, 1, 1), AS_OF):
        assert len({row.vintage for row in table.known_by(day).rows}) == 1
        for bloc in BLOCS:
            assert len(names(table.known_by(day), bloc=bloc)) >= 10, (day, bloc)


def test_accelerators_are_at_release_price_on_the_one_h100e_basis(tables: dict[str, EvidenceTable]) -> None:
    table = tables["accelerators"]
    assert len(names(table.known_by(AS_OF), kind="release")) >= 10
    np.testing.assert_allclose(table.column("h100e"), table.column("op8") / H100E_OPS, rtol=2e-3)


def test_capex_has_totals_of_both_blocs_over_several_years(tables: dict[str, EvidenceTable]) -> None:
    table = tables["capex"].known_by(AS_OF).filter(used_in_fit=True)
    for bloc, years in (("us_allies", 5), ("china", 3)):
        assert len({row.date.year for row in table.filter(bloc=bloc, kind="actual").rows}) >= years, bloc


def test_compute_comes_as_yearly_flows_and_cumulative_quarters(tables: dict[str, EvidenceTable]) -> None:
    table = tables["compute_shipments"].known_by(AS_OF)
    assert len({row.date for row in table.filter(kind="cumulative").rows}) >= 12
    flows = table.filter(kind="flow", used_in_fit=True)
    assert len(flows) >= 3 and set(flows.column("period_months")) == {12}
    assert not names(table, kind="cumulative", used_in_fit=True)  # autocorrelated


def test_every_channel_of_chinese_compute_has_evidence_for_the_fit(tables: dict[str, EvidenceTable]) -> None:
    table = tables["china_channels"].known_by(AS_OF).filter(used_in_fit=True)
    assert {row.extra["channel"] for row in table.rows} == {"domestic", "licensed", "smuggled", "offshore"}
    assert {row.unit for row in table.rows} <= {"H100e", "H100e/year"}


def test_algorithmic_progress_spans_the_methods_of_the_literature(tables: dict[str, EvidenceTable]) -> None:
    rates = tables["algorithmic_progress"].known_by(AS_OF).filter(used_in_fit=True).column("value")
    assert len(rates) >= 5 and rates.min() < 4 and rates.max() > 8


def test_the_threshold_literature_is_for_reference(tables: dict[str, EvidenceTable]) -> None:
    table = tables["threshold_literature"]
    assert not table.spec.used and len(table) >= 10
    assert {"FLOP", "work month"} <= {row.unit for row in table.rows}


def test_figures_seen_second_hand_say_so_and_carry_a_wider_error(tables: dict[str, EvidenceTable]) -> None:
    for table in tables.values():
        for row, error in zip(table.rows, table.errors(), strict=True):
            place = f"{table.path}:{row.line}"
            if "secondary" in table.spec.columns:
                assert row.extra["secondary"] or "seen in a secondary copy" not in row.note, place
            if row.extra.get("secondary") and math.isnan(row.level) and table.spec.used:
                assert table.spec.default_error is not None and error > table.spec.default_error, place


def test_tables_with_figures_of_epoch_name_its_licence(tables: dict[str, EvidenceTable]) -> None:
    for table in tables.values():
        if any(row.source.startswith("Epoch AI, ") and "Data" in row.source for row in table.rows):
            assert "CC-BY 4.0, Epoch AI" in table.spec.licence, table.name
