"""Claims against runs made of straight lines: every measure's answer is known."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.claims import check_claims, read_claims
from forecast.claims.checking import (
    VERDICTS,
    is_borderline,
    quantiles_of,
    verdict_of_probability,
    verdict_of_range,
)
from forecast.claims.lag import first_reached
from forecast.claims.measure_specs import Amount
from forecast.claims.measures import reaches
from forecast.claims.on_trend import ExpectedCost, invert, unexplained_scatter, widened
from forecast.errors import ForecastError, InputError
from forecast.evidence import read_tables
from forecast.report.claims_figure import claims_figure
from tests.results.synthetic import crossings_from
from tests.results.trajectory_runs import CHAINS, DRAWS, line, projection, run_of, spread

TWO, THREE, FOUR = math.log10(2), math.log10(3), math.log10(4)
SIZE = (CHAINS, 2 * DRAWS)
TABLES_TOML = """
[training_costs]
title = "Costs"
description = "Made up."
units = ["USD"]
default_error = 0.0001
default_error_source = "made up"
key = ["method"]

[training_costs.columns]
method = ["developer", "amortised", "fitted"]
index = "number?"

[fleets]
title = "Fleets"
description = "Made up."
units = ["H100e"]
default_error = 0.1
default_error_source = "made up"
linear = false

[fleets.columns]
kind = ["lab", "cloud"]

[capability_index]
title = "Scores"
description = "Made up."
units = ["index point"]
default_error = 1.5
default_error_source = "made up"
linear = true

[capability_index.columns]
developer = "text"
"""
HEADER = "bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note"
COSTS = f"""{HEADER},method,index
china,V3,2025-01-01,1e6,USD,,,,2025-01-02,,s,https://example.org,,developer,130
us_allies,Sonnet,2024-01-01,1e8,USD,,,,2025-01-02,,s,https://example.org,,developer,120
us_allies,Sonnet,2024-01-01,3e7,USD,,,,2025-01-02,,s,https://example.org,,amortised,120
us_allies,F1,2024-01-01,1e8,USD,,,,2025-01-02,,s,https://example.org,,fitted,120
us_allies,F2,2024-01-01,1e6,USD,,,,2025-01-02,,s,https://example.org,,fitted,120
us_allies,F3,2025-01-01,1e8,USD,,,,2025-01-02,,s,https://example.org,,fitted,130
us_allies,F4,2025-01-01,1e6,USD,,,,2025-01-02,,s,https://example.org,,fitted,130
us_allies,F5,2025-01-01,1e6,USD,,,,2025-01-02,,s,https://example.org,,fitted,
us_allies,Blank,2024-01-01,3e7,USD,,,,2025-01-02,,s,https://example.org,,amortised,
"""
FLEETS = f"""{HEADER},kind
us_allies,A,2025-12-31,1e6,H100e,9.99e5,1.001e6,0.9,2026-01-01,,s,https://example.org,,lab
us_allies,B,2025-12-31,2e6,H100e,1.9e6,2.1e6,0.9,2026-01-01,,s,https://example.org,,lab
us_allies,C,2025-12-31,4e6,H100e,3.9e6,4.1e6,0.9,2026-01-01,,s,https://example.org,,cloud
"""


SCORES = f"""{HEADER},developer
china,V3,2025-01-01,125,index point,121,129,0.9,2025-01-02,,s,https://example.org,,D
us_allies,American,2025-01-01,140,index point,,,,2025-01-02,,s,https://example.org,,A
"""


def straight() -> xr.Dataset:
    """Lines by which the answers below can be worked out by hand."""
    # Neither trend nor correlation from draw to draw, as in a good sample.
    mixed = np.random.default_rng(1).permutation(CHAINS * DRAWS)
    return projection(
        # Falls fourfold a year.
        cost_of_fixed_capability=(line([6.0, 6.0], -FOUR), "log10 USD"),
        # The follower is half a year behind: 20 points a year, 10 points less.
        capability_index=(line([140.0, 130.0], 20.0), "index point"),
        # 10 points an OOM: 27 at 140 points.
        effective_compute=(line([27.0, 26.0], 2.0), "log10 FLOP"),
        algorithmic_efficiency=(line(1.0, 1.0), "OOM"),
        training_compute=(line([26.0, 25.0], 1.0), "log10 FLOP"),
        # A FLOP costs 10^-18 USD.
        cost_of_largest_run=(line([8.0, 7.0], 1.0), "log10 USD"),
        # From 1 million to 10 million over the draws, in logs, at every date.
        compute_stock=(
            line([7.0, 6.0], 0.0) + spread(np.linspace(0, 1, CHAINS * DRAWS)[mixed]),
            "log10 H100e",
        ),
        chip_demand=(line([6.0, 5.0], 0.0) + spread(mixed < 25), "log10 H100e/year"),
        chip_access=(line([5.0, 5.5], 0.0), "log10 H100e/year"),
    )


def groups() -> dict[str, xr.Dataset]:
    rng = np.random.default_rng(0)
    names = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "toy.index": ((*names, "bloc"), np.full((*SIZE, 2), 1e-6)),
            "toy.cost": (names, np.full(SIZE, 1e-6)),
        },
        coords={"bloc": ["us_allies", "china"], "chain": np.arange(CHAINS), "draw": np.arange(SIZE[1])},
    )
    levels = rng.permuted(np.linspace(26.0, 28.0, SIZE[0] * SIZE[1])).reshape(*SIZE, 1)
    at_crossing = xr.Dataset(
        {"agi.training_compute": ((*names, "bloc"), np.concatenate([levels, levels + np.nan], axis=-1),
                                  {"unit": "log10 FLOP"})},
        coords={"bloc": ["us_allies", "china"]},
    )  # fmt: skip
    return {"projection": straight(), "posterior": posterior, "at_crossing": at_crossing}


def dates() -> xr.Dataset:
    """One bloc crosses in 2027 in half of the draws, later in the others; the other in a quarter, in 2027."""
    when = np.full((*SIZE, 2), np.inf)
    when[..., 0] = np.where(np.arange(SIZE[1]) < DRAWS, 2027.5, 2030.0)
    when[:, : DRAWS // 2, 1] = 2027.9
    return crossings_from(when)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "tables.toml").write_text(TABLES_TOML)
    (folder / "training_costs.csv").write_text(COSTS)
    (folder / "fleets.csv").write_text(FLEETS)
    (folder / "capability_index.csv").write_text(SCORES)
    return {("toy", name): table for name, table in read_tables(folder, "toy").items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_of(tmp_path_factory.mktemp("runs"), groups(), crossings=dates())


def check(run: Any, tables: Any, folder: Path, measure: str, claim: str = "stated = 4") -> dict[str, Any]:
    path = folder / "mine.toml"
    path.write_text(
        '[source]\ntitle = "S"\ndate = 2026-01-31\nurl = "https://example.org"\n'
        f'[claims.one]\nstatement = "It is so."\n{claim}\nmeasure = {{ {measure} }}\n'
    )
    checked = check_claims(run, read_claims([path]), tables)
    assert checked["schema"] == "forecast.claims/1" and checked["run"] == run.id
    (found,) = checked["claims"]
    return found


# Measures ----------------------------------------------------------------------------------------


def test_growth_is_the_lines_factor_per_year(run, tables, tmp_path):
    measure = ('kind = "growth", quantity = "cost_of_fixed_capability", bloc = "china", '
               "from = 2023-01-01, to = 2025-01-01")  # fmt: skip
    falls = check(run, tables, tmp_path, f"{measure}, falls = true", "stated = { low = 3.9, high = 4.1 }")
    assert falls["model"]["0.5"] == pytest.approx(4, rel=1e-4)
    assert (falls["verdict"], falls["unit"], falls["quantity"]) == (
        "consistent", "x/year", "cost_of_fixed_capability")  # fmt: skip
    rises = check(run, tables, tmp_path, measure)
    assert rises["model"]["0.95"] == pytest.approx(0.25, rel=1e-4) and rises["verdict"] == "contradicted"


def test_growth_of_the_leader_follows_whoever_leads(run, tables, tmp_path):
    measure = 'kind = "growth", quantity = "training_compute", from = 2023-01-01, to = 2025-01-01'
    assert check(run, tables, tmp_path, measure)["model"]["0.5"] == pytest.approx(10, rel=1e-4)


def test_a_lag_is_how_long_ago_the_leader_was_there(run, tables, tmp_path):
    measure = ('kind = "lag", quantity = "capability_index", leader = "us_allies", follower = "china", '
               "on = 2025-01-01")  # fmt: skip
    found = check(run, tables, tmp_path, measure, "stated = { low = 7, high = 10 }\nunit = 'month'")
    assert found["model"]["0.5"] == pytest.approx(6, abs=0.05)
    assert found["verdict"] == "contradicted"
    ahead = measure.replace(
        'leader = "us_allies", follower = "china"', 'leader = "china", follower = "us_allies"'
    )
    in_years = check(run, tables, tmp_path, ahead, "stated = -0.5\nunit = 'year'")
    assert in_years["model"]["0.5"] == pytest.approx(-0.5, abs=0.01)


def test_a_level_is_in_the_units_of_the_claim(run, tables, tmp_path):
    measure = 'kind = "level", quantity = "compute_stock", bloc = "china", on = 2027-12-31'
    found = check(run, tables, tmp_path, measure, "stated = 3.2\nunit = 'million H100e'")
    assert found["model"]["0.05"] == pytest.approx(10**0.05, rel=0.01)
    assert found["model"]["0.95"] == pytest.approx(10**0.95, rel=0.01)
    assert found["verdict"] == "consistent"


def test_a_level_that_is_to_be_reached_gives_a_probability(run, tables, tmp_path):
    measure = ('kind = "level", quantity = "compute_stock", bloc = "china", on = 2027-12-31, '
               'at_least = { value = 3.1623e6, unit = "H100e" }')  # fmt: skip
    found = check(run, tables, tmp_path, measure, 'stated = "millions"')
    assert (found["p"], found["verdict"], found["stated"]) == (0.5, "open", "millions")
    assert found["mcse"] == pytest.approx(0.05, abs=0.02) and found["model"] is None


def test_one_quantity_exceeds_another_in_a_share_of_draws(run, tables, tmp_path):
    measure = (
        'kind = "exceeds", quantity = "chip_demand", than = "chip_access", bloc = "china", on = 2027-07-01'
    )
    found = check(run, tables, tmp_path, measure, "")
    assert (found["p"], found["verdict"]) == (0.25, "unlikely")


def test_crossings_are_counted_in_their_period(run, tables, tmp_path):
    window = "from = 2026-01-01, to = 2027-12-31"
    first = check(run, tables, tmp_path, f'kind = "crossing", {window}', "")
    assert (first["p"], first["verdict"], first["unit"]) == (0.5, "open", "probability")
    assert check(run, tables, tmp_path, f'kind = "crossing", bloc = "china", {window}', "")["p"] == 0.25
    later = check(run, tables, tmp_path, 'kind = "crossing", from = 2028-01-01, to = 2030-12-31', "")
    assert later["p"] == 0.5


def test_levels_at_the_crossing_are_those_of_the_draws_that_cross(run, tables, tmp_path):
    measure = 'kind = "at_crossing", quantity = "training_compute", bloc = "us_allies"'
    found = check(run, tables, tmp_path, measure, 'stated = 1e27\nunit = "FLOP"')
    assert math.log10(found["model"]["0.05"]) == pytest.approx(26.1, abs=0.02)
    assert math.log10(found["model"]["0.5"]) == pytest.approx(27.0, abs=0.02)
    enough = check(
        run, tables, tmp_path, f'{measure}, at_least = {{ value = 27.5, unit = "log10 FLOP" }}', ""
    )
    assert enough["p"] == pytest.approx(0.25, abs=0.01)
    nobody = check(run, tables, tmp_path, measure.replace("us_allies", "china"), 'stated = 1\nunit = "FLOP"')
    assert nobody["verdict"] == "not available" and "only 0 draws cross agi" in nobody["reason"]


def test_worlds_are_told_apart_at_a_date(run, tables, tmp_path):
    measure = 'kind = "world", worlds = ["bipolar", "unipolar:us_allies"], on = 2027-12-31'
    found = check(run, tables, tmp_path, measure, "")
    assert found["p"] == 0.5
    assert found["details"]["worlds"] == {
        "neither": 0.5, "bipolar": 0.25, "unipolar:us_allies": 0.25, "unipolar:china": 0.0}  # fmt: skip
    other = check(run, tables, tmp_path, measure.replace("us_allies", "eu"), "")
    assert other["verdict"] == "not available" and "unipolar:eu" in other["reason"]


def test_a_ratio_of_published_figures_has_their_errors(run, tables, tmp_path):
    measure = ('kind = "ratio", of = { value = 5e5, unit = "H100e", source = "s" }, '
               'to = [{ table = "fleets", name = "A" }, { table = "fleets", name = "B" }]')  # fmt: skip
    found = check(run, tables, tmp_path, measure, "stated = { low = 0.333, high = 1 }\nunit = 'number'")
    assert found["model"]["0.25"] == pytest.approx(0.25, rel=0.03)
    assert found["model"]["0.75"] == pytest.approx(0.5, rel=0.03)
    assert found["verdict"] == "consistent"


def test_a_product_of_published_figures_multiplies_units_by_declaration(run, tables, tmp_path):
    measure = ('kind = "product", result = "USD", factors = [{ value = 5e4, unit = "count", source = "s" }, '
               '{ value = 2e4, low = 1e4, high = 4e4, unit = "USD", source = "s" }]')  # fmt: skip
    found = check(run, tables, tmp_path, measure, "stated = 1e9\nunit = 'USD'")
    assert found["model"]["0.5"] == pytest.approx(1e9, rel=0.05)
    assert found["model"]["0.95"] == pytest.approx(2e9, rel=0.05)


def test_rows_as_large_as_something_are_counted(run, tables, tmp_path):
    def counted(number: int, at_least: float, where: str = 'kind = "lab"') -> dict[str, Any]:
        measure = (f'kind = "count", table = "fleets", where = {{ {where} }}, number = {number}, '
                   f'at_least = {{ value = {at_least}, unit = "H100e" }}')  # fmt: skip
        return check(run, tables, tmp_path, measure, "")

    assert counted(2, 9e5)["p"] == 1 and counted(2, 9e5)["verdict"] == "likely"
    assert counted(2, 1e6)["p"] == pytest.approx(0.5, abs=0.05)  # A's figure is as often above as below
    assert counted(3, 9e5)["p"] == 0
    assert counted(3, 9e5, 'bloc = "us_allies"')["p"] == 1


def trend(subject: str = 'name = "V3"', beside: str = "") -> str:
    return (f'kind = "on_trend", subject = {{ {subject} }}, beside = [{beside}], index_error = 1e-6, '
            'index_scatter = "toy.index", cost_scatter = "toy.cost"')  # fmt: skip


def test_the_cost_on_the_trend_is_worked_out_by_hand(run, tables, tmp_path):
    """130 points are 10^26 FLOP; less one OOM of algorithms of 2025.0 10^25; at 10^-18 USD 10 million."""
    found = check(
        run, tables, tmp_path, trend(beside='{ name = "Sonnet", method = "amortised" }'), "stated = 1e6"
    )
    assert found["model"]["0.5"] == pytest.approx(1e7, rel=1e-3)
    assert (found["verdict"], found["unit"]) == ("contradicted", "USD")
    v3, sonnet = found["details"]["models"]
    assert (v3["model"], v3["published"], v3["quantile"]) == ("V3", 1e6, 0.0)
    # 120 points are 10^25 FLOP; no algorithms at 2024.0; 10 million.
    assert sonnet["expected"]["0.5"] == pytest.approx(1e7, rel=1e-3)
    assert (sonnet["published"], sonnet["quantile"], sonnet["date"]) == (3e7, 1.0, "2024-01-01")


def test_what_other_models_scatter_beyond_their_intervals_is_added():
    """Three American models, each half an OOM off an interval of no width: half an OOM for everybody."""

    def cost(bloc: str, published: float) -> ExpectedCost:
        draws = np.full(20_000, 1e7)
        return ExpectedCost("x", bloc, date(2025, 1, 1), 130.0, published, draws, draws)

    off = [cost("us_allies", 10 ** (7 + miss)) for miss in (0.5, -0.5, 0.5)]
    assert unexplained_scatter(off) == pytest.approx(0.5)
    assert unexplained_scatter(off[:2]) is None
    assert unexplained_scatter([cost("us_allies", 1e7)] * 3) == 0.0
    wide = [replace(one, alone=10 ** (7 + np.random.default_rng(1).normal(0, 1, 20_000))) for one in off]
    assert unexplained_scatter(wide) == 0.0
    subject = replace(cost("china", 1e6), scatter=0.5, compared=3)
    wider = np.log10(widened(subject, np.random.default_rng(2)).draws)
    low, high = np.quantile(wider, [0.05, 0.95])
    assert (low, high) == pytest.approx((7 - 0.5 * 2.353, 7 + 0.5 * 2.353), abs=0.05)  # Student-t with 3


SCATTER = "scatter_where = { bloc = 'us_allies', method = 'fitted' }"


def test_the_scatter_is_that_of_all_other_rows_of_a_filter(run, tables, tmp_path):
    """Four rows, expected to cost 10 million and published a factor of ten above or below."""
    without = check(run, tables, tmp_path, trend(), "stated = 1e6")
    assert without["details"]["scatter_of_others"] is None and without["verdict"] == "contradicted"
    assert "there are 0" in without["details"]["remark"]
    wide = check(run, tables, tmp_path, f"{trend()}, {SCATTER}", "stated = 1e6")
    v3 = wide["details"]["models"][0]
    assert (v3["scatter"], v3["compared"]) == (pytest.approx(1.0, rel=1e-3), 4)
    assert wide["verdict"] == "possible" and wide["model"]["0.5"] == pytest.approx(1e7, rel=0.1)
    # A tenth of what was expected is one scatter below: P(t4 < -1) = 0.187.
    assert (v3["quantile"], v3["quantile_alone"]) == (pytest.approx(0.187, abs=0.03), 0.0)
    assert v3["expected_alone"]["0.05"] == pytest.approx(1e7, rel=1e-3) and v3["expected"]["0.05"] < 1e6
    assert wide["details"]["verdict_alone"] == "contradicted"
    assert (
        "at the <1st without the scatter between models, 1 dex by 4 other models" in wide["details"]["remark"]
    )


def test_fewer_than_three_other_rows_say_nothing_on_the_scatter(run, tables, tmp_path):
    few = SCATTER.replace("'fitted'", "'amortised'")  # one with a score, one without
    found = check(run, tables, tmp_path, f"{trend()}, {few}", "stated = 1e6")
    v3 = found["details"]["models"][0]
    assert (v3["scatter"], v3["compared"], v3["quantile"]) == (None, 1, v3["quantile_alone"])
    # Of four rows the model itself is left out.
    own = check(run, tables, tmp_path, f"{trend('name = "F1"')}, {SCATTER}", "stated = 1e8")
    assert own["details"]["models"][0]["compared"] == 3


def test_a_model_has_one_interval_as_subject_and_beside_another(run, tables, tmp_path):
    sonnet = 'name = "Sonnet", method = "amortised"'
    beside = check(run, tables, tmp_path, f"{trend(beside=f'{{ {sonnet} }}')}, {SCATTER}", "stated = 1e6")
    alone = check(run, tables, tmp_path, f"{trend(sonnet)}, {SCATTER}", "stated = 1e6")
    assert beside["details"]["models"][1] == alone["details"]["models"][0]


def test_a_verdict_near_a_bound_of_its_rule_is_called_borderline(run, tables, tmp_path):
    draws = np.arange(1.0, 101.0)
    assert is_borderline(5, 5, draws) and is_borderline(6, 6, draws) and is_borderline(94, 99, draws)
    assert not is_borderline(10, 10, draws) and not is_borderline(40, 60, draws)
    found = check(run, tables, tmp_path, f"{trend()}, {SCATTER}", "stated = 1e7")
    assert found["details"]["borderline"] is False and "borderline" not in found["details"]["remark"]
    near = found["model"]["0.05"]
    again = check(run, tables, tmp_path, f"{trend()}, {SCATTER}", f"stated = {near}")
    assert (
        again["details"]["borderline"] is True and "The verdict is borderline" in again["details"]["remark"]
    )


def one_model(subject: str = '"V3"', more: str = "") -> str:
    return ('kind = "lag", quantity = "capability_index", leader = "us_allies", follower = "china", '
            f'on = 2025-01-01, index_scatter = "toy.index", subject = {{ name = {subject} }}'
            f"{more}")  # fmt: skip


def test_the_lag_of_one_model_is_of_its_own_score_with_its_error(run, tables, tmp_path):
    """The leader has 140 points at 2025.0 and 20 a year: 125 were three quarters of a year ago."""
    stated = "stated = { low = 7, high = 10 }"
    exact = check(run, tables, tmp_path, one_model(more=", index_error = 1e-6"), stated)
    assert exact["model"]["0.05"] == pytest.approx(9, abs=0.05) == exact["model"]["0.95"]
    assert exact["verdict"] == "consistent"
    # The row's 90% interval is 4 points either way, 2.4 months.
    own = check(run, tables, tmp_path, one_model(), stated)
    assert own["model"]["0.05"] == pytest.approx(9 - 2.4, abs=0.2)
    assert own["model"]["0.95"] == pytest.approx(9 + 2.4, abs=0.2)
    assert own["details"]["index"] == 125
    # In a table with a column index the score is there: V3's 130 points were half a year ago.
    column = check(
        run, tables, tmp_path, one_model(more=', table = "training_costs", index_error = 1e-6'), stated
    )
    assert column["model"]["0.5"] == pytest.approx(6, abs=0.05) and column["verdict"] == "contradicted"


def test_the_lag_of_one_model_has_the_scatter_of_the_leaders_models(tables, tmp_path):
    wide = groups()
    wide["posterior"]["toy.index"] = wide["posterior"]["toy.index"] * 0 + [3.0, 1e-6]
    run = run_of(tmp_path, wide, crossings=dates())
    found = check(run, tables, tmp_path, one_model(more=", index_error = 1e-6"), "stated = 9")
    # 3 points are 1.8 months.
    assert found["model"]["0.95"] - found["model"]["0.5"] == pytest.approx(1.645 * 1.8, abs=0.2)


def test_a_model_of_another_bloc_than_the_follower_has_no_lag_here(run, tables, tmp_path):
    found = check(run, tables, tmp_path, one_model('"American"'), "stated = 9")
    assert found["verdict"] == "not available" and "American is of us_allies" in found["reason"]


def test_what_is_at_a_level_but_for_rounding_is_at_least_that(tables, tmp_path):
    exact = groups()
    level = exact["at_crossing"]["agi.training_compute"]
    noise = np.random.default_rng(3).normal(0, 1e-13, level.shape)
    exact["at_crossing"]["agi.training_compute"] = level * 0 + 27.0 + noise
    exact["at_crossing"]["agi.training_compute"].attrs = {"unit": "log10 FLOP"}
    run = run_of(tmp_path, exact, crossings=dates())
    measure = 'kind = "at_crossing", quantity = "training_compute", bloc = "us_allies"'
    found = check(run, tables, tmp_path, f'{measure}, at_least = {{ value = 1e27, unit = "FLOP" }}', "")
    assert found["p"] == 1.0
    above = check(run, tables, tmp_path, f'{measure}, at_least = {{ value = 1.001e27, unit = "FLOP" }}', "")
    assert above["p"] == 0.0
    assert reaches(np.array([1e6 - 1e-6]), "count", Amount(value=1e6, unit="count")).all()
    assert not reaches(np.array([1e6 - 1]), "count", Amount(value=1e6, unit="count")).any()


def test_a_shares_error_knows_that_chains_disagree(tables, tmp_path):
    """Half of the draws demand more, mixed in both chains or all of one chain: then little is known."""
    errors = []
    for demands in (np.arange(CHAINS * DRAWS) % 2 == 0, np.arange(CHAINS * DRAWS) < DRAWS):
        lines = {**groups(), "projection": straight()}
        lines["projection"]["chip_demand"] = lines["projection"]["chip_access"] + spread(demands) - 0.5
        lines["projection"]["chip_demand"].attrs = {"unit": "log10 H100e/year"}
        run = run_of(tmp_path / str(len(errors)), lines, crossings=dates())
        measure = 'kind = "exceeds", quantity = "chip_demand", than = "chip_access", bloc = "china", '
        found = check(run, tables, tmp_path, f"{measure}on = 2027-07-01", "")
        assert found["p"] == 0.5
        errors.append(found["mcse"])
    assert errors[1] > 3 * errors[0]


def test_errors_of_score_and_cost_widen_what_was_expected(run, tables, tmp_path):
    wide = check(run, tables, tmp_path, trend().replace("1e-6", "10.0"), "stated = 1e6")
    # A tenth of an OOM a point: 10 points are one OOM.
    assert math.log10(wide["model"]["0.95"] / wide["model"]["0.5"]) == pytest.approx(1.645, abs=0.4)
    assert wide["verdict"] in ("possible", "consistent")
    assert 0.05 < wide["details"]["models"][0]["quantile"] < 0.35


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ('kind = "level", quantity = "capital", bloc = "china", on = 2027-01-01', "no quantity capital"),
        ('kind = "level", quantity = "compute_stock", bloc = "eu", on = 2027-01-01', "no bloc 'eu'"),
        ('kind = "level", quantity = "compute_stock", bloc = "china", on = 2099-01-01',
         "outside the run's dates"),
        ('kind = "growth", quantity = "capability_index", from = 2023-01-01, to = 2024-01-01',
         "needs a quantity in logs"),
        ('kind = "at_crossing", quantity = "capital", bloc = "china"',
         "did not store capital at the crossing"),
        ('kind = "product", result = "USD", factors = [{ table = "fleet", name = "A" }]',
         "did you mean 'fleets'"),
        ('kind = "product", result = "USD", factors = [{ table = "fleets", name = "Z" }]', "has no row Z"),
        ('kind = "product", result = "USD", factors = [{ table = "fleets", name = "A", where = { date = '
         '1999-01-01 } }]', "has no row A with {'date': '1999-01-01'}"),
        ('kind = "product", result = "USD", factors = [{ table = "fleets", name = "A", where = { x = 1 } }]',
         "has no column x"),
        (trend('name = "Sonnet"'), "has 2 rows Sonnet; say which"),
        (trend('name = "Blank"'), "no index score of Blank"),
        (trend().replace("toy.index", "toy.other"), "no parameter toy.other"),
    ],
)  # fmt: skip
def test_what_a_run_lacks_is_a_reason_and_no_error(run, tables, tmp_path, measure, words):
    found = check(
        run,
        tables,
        tmp_path,
        measure,
        'stated = 4\nunit = "USD"' if "growth" not in measure else "stated = 4",
    )
    assert found["verdict"] == "not available"
    assert words in found["reason"]
    assert found["model"] is None and found["p"] is None


def test_what_overflows_is_infinite_without_a_warning(run, tables, tmp_path):
    factor = '{ value = 1e100, unit = "USD", source = "s" }'
    measure = f'kind = "product", result = "USD", factors = [{", ".join([factor] * 4)}]'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check(run, tables, tmp_path, measure, 'stated = 4\nunit = "USD"')
    assert set(found["model"].values()) == {None} and found["verdict"] == "contradicted"


def test_of_days_after_the_horizon_no_draw_says_anything(run, tables, tmp_path):
    for measure in (
        'kind = "world", worlds = ["bipolar"], on = 2090-01-01',
        'kind = "crossing", from = 2027-01-01, to = 2090-01-01',
    ):
        found = check(run, tables, tmp_path, measure, "")
        assert (found["verdict"], found["p"]) == ("not available", None)
        assert "looks no further than its horizon, 20" in found["reason"]


def test_an_old_run_without_milestone_or_groups_gives_reasons(tables, tmp_path):
    old = run_of(tmp_path, {"posterior": xr.Dataset({"x": (("chain", "draw"), np.zeros(SIZE))})})
    for measure, words in (
        ('kind = "crossing", milestone = "asi", from = 2026-01-01, to = 2027-12-31', "no milestone asi"),
        ('kind = "at_crossing", quantity = "x", bloc = "china", at_least = { value = 1, unit = "USD" }',
         "no group at_crossing"),
        ('kind = "exceeds", quantity = "a", than = "b", bloc = "china", on = 2027-07-01', "no trajectories"),
    ):  # fmt: skip
        assert words in check(old, tables, tmp_path, measure, "")["reason"]


def test_a_unit_that_does_not_fit_is_the_files_mistake(run, tables, tmp_path):
    measure = 'kind = "level", quantity = "compute_stock", bloc = "china", on = 2027-12-31'
    with pytest.raises(InputError, match=r"mine.toml:5: \[claims\] one: .*cannot be converted"):
        check(run, tables, tmp_path, measure, "stated = 4\nunit = 'USD'")


# Rules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (3, 3, "consistent"), (2, 2, "consistent"), (4, 4, "consistent"), (0, 2, "consistent"),
        (0, 9, "consistent"),
        (1.99, 1.99, "possible"), (4.01, 9, "possible"), (1, 1, "possible"), (5, 5, "possible"),
        (0.99, 0.99, "contradicted"), (5.01, 9, "contradicted"),
    ],
)  # fmt: skip
def test_the_verdict_on_a_range_is_exact_at_its_edges(low, high, verdict):
    model = {"0.05": 1.0, "0.25": 2.0, "0.5": 3.0, "0.75": 4.0, "0.95": 5.0}
    assert verdict_of_range(low, high, model) == verdict


@pytest.mark.parametrize(
    ("p", "verdict"),
    [(0, "unlikely"), (1 / 3, "unlikely"), (0.34, "open"), (0.66, "open"), (2 / 3, "likely"), (1, "likely")],
)
def test_the_verdict_on_a_probability_is_exact_at_its_edges(p, verdict):
    assert verdict_of_probability(p) == verdict


def test_every_verdict_is_explained_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "claims.md").read_text()
    assert all(f"| {word} |" in text for word in VERDICTS)


def test_infinite_draws_give_infinite_quantiles():
    found = quantiles_of(np.array([1.0, 2.0, 3.0, np.inf, np.inf, np.inf]))
    assert found["0.05"] == 1 and found["0.95"] == np.inf
    found = quantiles_of(np.array([-np.inf, -np.inf, 1.0, 2.0, 3.0]))
    assert found["0.05"] == -np.inf and found["0.95"] == 3


def test_a_rising_path_reaches_a_level_once():
    years = np.array([2020.0, 2021.0, 2022.0])
    path = np.array([[0.0, 2.0, 2.0], [0.0, 1.0, 3.0], [0.0, 1.0, 1.0], [5.0, 6.0, 7.0]])
    found = first_reached(path, np.array([1.0, 2.0, 2.0, 1.0]), years)
    assert found == pytest.approx([2020.5, 2021.5, np.inf, 2020.0])


def test_a_relation_is_read_along_rising_paths_and_continued_at_their_ends():
    x = np.array([[0.0, 1.0, 1.0, 0.5, 3.0]] * 3)
    y = np.array([[0.0, 10.0, 10.0, 5.0, 30.0]] * 3)
    assert invert(x, y, np.array([2.0, 4.0, -1.0])) == pytest.approx([20.0, 40.0, -10.0])
    twice = invert(x, y, np.array([[2.0, 1.0], [4.0, 0.5], [-1.0, 0.0]]))
    assert twice == pytest.approx(np.array([[20.0, 10.0], [40.0, 5.0], [-10.0, 0.0]]))


# Picture -----------------------------------------------------------------------------------------


def test_the_picture_has_a_row_a_scored_claim_and_the_models(run, tables, tmp_path):
    measure = trend(beside='{ name = "Sonnet", method = "amortised" }')
    scored = check(run, tables, tmp_path, measure, "stated = 1e6")
    open_ = check(run, tables, tmp_path, 'kind = "crossing", from = 2026-01-01, to = 2027-12-31', "")
    none = {**open_, "p": None, "verdict": "not scored", "reason": "why"}
    checked = {"claims": [scored, open_, none], "run": run.id, "worldview": "w", "as_of": "2026-06-30",
               "prior_only": False}  # fmt: skip
    figure = claims_figure(checked, tmp_path / "claims.png")
    assert len(figure.axes) == 3
    said = [text.get_text() for text in figure.texts]
    assert "contradicted" in said and "open" in said and "not scored" not in said
    assert any("1 further claims are not scored" in text for text in said)
    labels = [label.get_text() for label in figure.axes[2].get_yticklabels()]
    assert labels == ["V3 (2025-01, index 130)", "Sonnet (2024-01, index 120)"]
    with pytest.raises(ForecastError, match="none of the claims is scored"):
        claims_figure({**checked, "claims": [none]})


def test_a_claim_that_never_ends_can_be_drawn(run, tables, tmp_path):
    measure = ('kind = "lag", quantity = "capability_index", leader = "china", follower = "us_allies", '
               "on = 2060-12-01")  # fmt: skip
    found = check(run, tables, tmp_path, measure, "stated = -6\nunit = 'month'")
    assert found["details"]["never"] == 1.0
    assert set(found["model"].values()) == {None}
    checked = {"claims": [found], "run": run.id, "worldview": "w", "as_of": "2026-06-30", "prior_only": True}
    assert claims_figure(checked).axes
