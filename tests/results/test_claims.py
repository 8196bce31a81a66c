"""Claims against runs made of straight lines: every measure's answer is known."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.errors import ForecastError, InputError
from forecast.evidence import read_tables
from forecast.report.claims_figure import claims_figure
from forecast.results import check_claims, read_claims
from forecast.results.claims import VERDICTS, quantiles_of, verdict_of_probability, verdict_of_range
from forecast.results.measures import first_reached
from forecast.results.on_trend import ExpectedCost, invert, unexplained_scatter, widened
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
method = ["developer", "amortised"]
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
"""
HEADER = "bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note"
COSTS = f"""{HEADER},method,index
china,V3,2025-01-01,1e6,USD,,,,2025-01-02,,s,https://example.org,,developer,130
us_allies,Sonnet,2024-01-01,1e8,USD,,,,2025-01-02,,s,https://example.org,,developer,120
us_allies,Sonnet,2024-01-01,3e7,USD,,,,2025-01-02,,s,https://example.org,,amortised,120
us_allies,Blank,2024-01-01,3e7,USD,,,,2025-01-02,,s,https://example.org,,amortised,
"""
FLEETS = f"""{HEADER},kind
us_allies,A,2025-12-31,1e6,H100e,9.99e5,1.001e6,0.9,2026-01-01,,s,https://example.org,,lab
us_allies,B,2025-12-31,2e6,H100e,1.9e6,2.1e6,0.9,2026-01-01,,s,https://example.org,,lab
us_allies,C,2025-12-31,4e6,H100e,3.9e6,4.1e6,0.9,2026-01-01,,s,https://example.org,,cloud
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
        return ExpectedCost("x", bloc, date(2025, 1, 1), 130.0, published, np.full(20_000, 1e7))

    off = [cost("us_allies", 10 ** (7 + miss)) for miss in (0.5, -0.5, 0.5)]
    assert unexplained_scatter(off) == pytest.approx(0.5)
    assert unexplained_scatter(off[:2]) is None
    assert unexplained_scatter([cost("us_allies", 1e7)] * 3) == 0.0
    wide = [replace(one, draws=10 ** (7 + np.random.default_rng(1).normal(0, 1, 20_000))) for one in off]
    assert unexplained_scatter(wide) == 0.0
    wider = np.log10(widened(cost("china", 1e6), 0.5, 3, np.random.default_rng(2)).draws)
    low, high = np.quantile(wider, [0.05, 0.95])
    assert (low, high) == pytest.approx((7 - 0.5 * 2.353, 7 + 0.5 * 2.353), abs=0.05)  # Student-t with 3


def test_models_beside_widen_what_is_expected_of_the_subject(run, tables, tmp_path):
    beside = '{ name = "Sonnet", method = "amortised" }, { name = "Sonnet", method = "developer" }'
    narrow = check(run, tables, tmp_path, trend(beside=beside), "stated = 1e6")
    assert narrow["details"]["scatter_of_others"] is None and narrow["verdict"] == "contradicted"
    beside += ', { name = "Sonnet", method = "amortised" }'
    wide = check(run, tables, tmp_path, trend(beside=beside),
                 "stated = 1e6")  # fmt: skip
    # Expected 10 million each; published 30, 100 and 30: 0.48, 1 and 0.48 OOM.
    assert wide["details"]["scatter_of_others"] == pytest.approx(math.sqrt((2 * 0.4771**2 + 1) / 3), rel=1e-3)
    assert wide["verdict"] == "possible" and wide["model"]["0.5"] == pytest.approx(1e7, rel=0.6)


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
        ('kind = "product", result = "USD", factors = [{ table = "fleets", name = "Z" }]', "no such row Z"),
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
