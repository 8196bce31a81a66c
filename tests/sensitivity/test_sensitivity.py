"""Sensitivity of runs whose answer is known. Seeds are fixed; tolerances are over four errors."""

from __future__ import annotations

import arviz as az
import jsonschema
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.diagnostics import diagnose
from forecast.errors import ForecastError, InputError
from forecast.sensitivity import sensitivity, sensitivity_schema, still_of
from forecast.sensitivity.outcomes import normal_scores, weighted_medians
from forecast.sensitivity.weights import distances, smoothed_weights
from tests.results.synthetic import small_worldview
from tests.sensitivity.trees import CHAINS, DRAWS, ROWS, known_tree, prior_only_tree, without

WORLDVIEW = small_worldview()
TOTAL, PRECISION = sum(ROWS), 1 + len(ROWS)


def found_in(tree: xr.DataTree, **options):
    found = sensitivity(tree, WORLDVIEW, run="a-run", **options)
    jsonschema.validate(found, sensitivity_schema())
    return found


def component(found, name):
    return next(row for row in found["components"] if row["name"] == name)


@pytest.fixture(scope="module")
def known() -> dict:
    return found_in(known_tree())


@pytest.fixture(scope="module")
def mixed() -> dict:
    return found_in(known_tree(pace=1.0, idle=3.0, luck=2.0, accepted=0.9, centre=2030.0))


@pytest.mark.parametrize(("name", "kind"), [("two.idle", "prior"), ("measured", "likelihood")])
def test_psi_is_that_of_arviz(name: str, kind: str) -> None:
    tree = known_tree(pace=2.0, idle=1.0, luck=0.1)
    row = component(found_in(tree), name)
    dates = tree["crossings"]["agi"].to_numpy()[..., 0]
    scores = xr.zeros_like(tree["posterior"]["two.idle"])
    scores[:] = normal_scores(dates.ravel()).reshape(CHAINS, DRAWS)
    small = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({"s": scores}),
            **{group: tree[group].to_dataset() for group in ("log_prior", "log_likelihood")},
        }
    )
    theirs = float(az.psense(small, var_names=["s"], group=kind, group_var_names=[name])["s"])
    assert theirs > 0.02
    assert row["outcomes"]["date.us_allies"] == pytest.approx(theirs, rel=0.02)
    summary = az.psense_summary(
        small, var_names=["s"], round_to=6,
        **{"prior_var_names" if kind == "prior" else "likelihood_var_names": [name]},
    )  # fmt: skip
    assert row["outcomes"]["date.us_allies"] == pytest.approx(float(summary.loc["s", kind]), rel=0.02)


def test_scaling_a_prior_moves_the_median_as_the_conjugate_posterior_says(known: dict) -> None:
    row = component(known, "one.pace")
    low, high = (TOTAL / (len(ROWS) + power) for power in (0.8, 1.25))
    assert row["median_shift_years"] == pytest.approx(2 * (high - low), abs=0.02)
    assert (row["kind"], row["reliable"], row["moved"]) == ("prior", True, True)
    inside = [
        np.diff(stats.norm.cdf([2026, 2028], 2026.5 + 2 * TOTAL / size, 2 * size**-0.5))[0]
        for size in (len(ROWS) + power for power in (0.8, 1.25))
    ]
    assert row["p_in_shift"] == pytest.approx(inside[1] - inside[0], abs=4 * row["p_in_shift_mcse"])
    assert row["p_in_shift_mcse"] < 0.2 * abs(row["p_in_shift"])


def test_scaling_the_evidence_moves_the_median_as_the_conjugate_posterior_says(known: dict) -> None:
    row = component(known, "measured")
    low, high = (power * TOTAL / (power * len(ROWS) + 1) for power in (0.8, 1.25))
    assert row["median_shift_years"] == pytest.approx(2 * (high - low), abs=0.02)
    assert (row["kind"], row["moved"]) == ("likelihood", None)
    assert known["components"][0]["name"] == "measured"


def test_a_prior_that_does_nothing_has_no_sensitivity(known: dict) -> None:
    row = component(known, "three.noise")
    assert row["psi"] < 0.05 < component(known, "measured")["psi"]
    assert abs(row["p_in_shift"]) < 4 * row["p_in_shift_mcse"]


def test_without_a_row_the_date_is_that_of_the_other_rows(known: dict) -> None:
    for row in known["evidence"]:
        left = ROWS[int(row["row"].removeprefix("row "))]
        expected = 2 * ((TOTAL - left) / (PRECISION - 1) - TOTAL / PRECISION)
        assert row["influence"] == pytest.approx(expected, abs=4 * row["mcse"] + 0.005)
        assert 0 < row["mcse"] < 0.05
        assert row["table"] == "measured" and row["reliable"]
    clear = [row for row in known["evidence"] if row["clear"]]
    assert clear == known["evidence"][: len(clear)]
    sizes = [abs(row["influence"]) for row in clear]
    assert sizes == sorted(sizes, reverse=True) and clear[0]["row"] == "row 3"


def test_a_row_that_these_draws_cannot_be_without_is_not_called_reliable() -> None:
    tree = known_tree(rows=(*ROWS, 9.0))
    worst = next(row for row in found_in(tree)["evidence"] if row["row"] == "row 6")
    assert worst["k"] > 0.7 and not worst["reliable"] and not worst["clear"]


def test_drivers_share_the_variance_and_the_rest_is_luck(mixed: dict) -> None:
    shares = {row["name"]: row["by_outcome"]["date.us_allies"] for row in mixed["drivers"]}
    variance = 1 / PRECISION + 9 + 4
    assert shares["two"] == pytest.approx(9 / variance, abs=0.04)
    assert shares["one"] == pytest.approx(1 / PRECISION / variance, abs=0.01)
    assert abs(shares["three"]) < 0.005
    assert mixed["unexplained"]["variance_share"] == pytest.approx(1 - sum(shares.values()))
    assert mixed["drivers"][0]["name"] == "two"
    assert mixed["drivers"][0]["variance_share"] == shares["two"]


def test_the_tornado_is_the_answer_on_either_side_of_a_parameter(mixed: dict) -> None:
    tree = known_tree(pace=1.0, idle=3.0, luck=2.0, accepted=0.9, centre=2030.0)
    accepted = tree["crossings"]["accepted"].to_numpy()
    idle = tree["posterior"]["two.idle"].to_numpy()[accepted]
    dates = tree["crossings"]["agi"].to_numpy()[accepted]
    side = idle <= np.sort(idle)[round(0.1 * idle.size) - 1]
    row = next(one for one in mixed["tornado"] if one["name"] == "two.idle")
    assert mixed["tornado"][0] is row and mixed["side_share"] == 0.1
    start, end = 2026.0, 2028.0
    assert row["p_in_low"] == pytest.approx(((dates[side, 0] >= start) & (dates[side, 0] < end)).mean())
    assert row["p_in_mcse_low"] == pytest.approx((0.25 / side.sum()) ** 0.5, rel=0.5)
    assert row["lead_low"] == pytest.approx(np.median(dates[side, 1] - dates[side, 0]), abs=0.02)
    assert row["lead_low"] < mixed["answer"]["lead"] < row["lead_high"]
    assert row["low"] < -1 < 1 < row["high"]


def test_parameters_that_the_data_did_not_move_are_named(mixed: dict) -> None:
    assert mixed["not_moved"] == ["two.idle", "three.noise"]
    assert component(mixed, "two.idle")["moved"] is False
    assert "the prior of two.idle, which no data moved" in mixed["headline"]
    # A draw's definition of a milestone is no parameter, and comes before any luck of the future.
    assert "which of its definitions, or never" in mixed["headline"]


def test_draws_that_were_set_aside_do_not_count() -> None:
    tree = known_tree()
    crossings = tree["crossings"].to_dataset()
    crossings["accepted"] = crossings["accepted"].copy(data=tree["posterior"]["two.idle"].to_numpy() > 0)
    spoilt = crossings["agi"].where(crossings["accepted"], 2027.0)
    tree["crossings"] = xr.DataTree(crossings.assign(agi=spoilt))
    found = found_in(tree)
    assert found["draws"]["set_aside"] == int((~crossings["accepted"]).sum())
    assert found["answer"]["median"] == pytest.approx(2026.5 + 2 * TOTAL / PRECISION, abs=0.1)
    assert all(row["low"] > 0 for row in found["tornado"] if row["name"] == "two.idle")


def test_where_most_draws_never_cross_medians_are_null_and_the_rest_is_there() -> None:
    found = found_in(known_tree(centre=2062.0, pace=4.0, idle=3.0, luck=1.0))
    assert found["answer"]["median"] is None
    assert component(found, "two.idle")["median_shift_years"] is None
    assert component(found, "two.idle")["psi"] > 0.05
    assert any(row["influence"] != 0 for row in found["evidence"])


def test_an_outcome_that_never_varies_is_left_out() -> None:
    found = found_in(known_tree(centre=2045.0))
    assert [one["name"] for one in found["outcomes"]] == ["date.us_allies", "date.china", "lead"]
    assert found["answer"]["p_in"] == 0 < found["answer"]["p_in_mcse"]


def test_a_run_of_the_priors_alone_has_drivers_and_says_what_it_has_not() -> None:
    found = found_in(prior_only_tree(idle=3.0, luck=1.0), prior_only=True)
    assert found["components"] == found["evidence"] == [] and found["not_moved"] is None
    assert set(found["why"]) == {"components", "evidence", "not_moved"}
    assert "priors alone" in found["why"]["evidence"]
    assert found["drivers"][0]["name"] == "two"
    assert {row["name"] for row in found["tornado"]} == {"one.pace", "two.idle", "three.noise"}


def test_correlated_priors_and_thresholds_are_components_too() -> None:
    tree = known_tree()
    idle = tree["posterior"]["two.idle"]
    for group, name, values in (
        ("posterior", "thresholds.level", 2 * idle + 27),
        ("log_prior", "thresholds.level", -0.5 * idle**2),
        ("log_prior", "correlations", 0.1 * idle),
    ):
        tree[group] = xr.DataTree(tree[group].to_dataset().assign({name: values}))
    found = found_in(tree)
    assert {"thresholds.level", "correlations"} <= {row["name"] for row in found["components"]}
    assert component(found, "thresholds.level")["moved"] is None
    assert "thresholds" in [row["name"] for row in found["drivers"]]


def test_a_flat_prior_cannot_be_scaled_and_has_no_sensitivity() -> None:
    tree = known_tree()
    flat = xr.full_like(tree["log_prior"]["two.idle"], -1.0)
    tree["log_prior"] = xr.DataTree(tree["log_prior"].to_dataset().assign({"two.idle": flat}))
    row = component(found_in(tree), "two.idle")
    assert row["psi"] == pytest.approx(0, abs=1e-5)
    assert row["p_in_shift"] == pytest.approx(0, abs=1e-12)
    assert (row["k"], row["reliable"]) == (None, True)


@pytest.mark.parametrize("missing", ["log_prior", "log_likelihood", "posterior", "crossings"])
def test_a_run_without_a_group_says_which(missing: str) -> None:
    with pytest.raises(ForecastError, match=missing):
        sensitivity(without(known_tree(), missing), WORLDVIEW)


def test_what_cannot_be_answered_is_said_in_words() -> None:
    with pytest.raises(InputError, match="no such milestone; it has agi"):
        sensitivity(known_tree(), WORLDVIEW, milestone="agee")
    tree = known_tree()
    bare = tree["crossings"].to_dataset().drop_vars("agi")
    tree["crossings"] = xr.DataTree(bare)
    with pytest.raises(ForecastError, match="names no milestone"):
        sensitivity(tree, WORLDVIEW)
    with pytest.raises(ForecastError, match="too few"):
        sensitivity(known_tree(draws=20), WORLDVIEW)
    with pytest.raises(ForecastError, match="same answer"):
        sensitivity(known_tree(centre=2100), WORLDVIEW)
    broken = known_tree()
    values = broken["log_likelihood"]["measured"].to_numpy().copy()
    values[0, 0, 2] = -np.inf
    likelihood = broken["log_likelihood"].to_dataset()
    broken["log_likelihood"] = xr.DataTree(
        likelihood.assign(measured=likelihood["measured"].copy(data=values))
    )
    with pytest.raises(ForecastError, match="measured is not finite"):
        sensitivity(broken, WORLDVIEW)


def test_the_distance_of_many_draws_is_that_of_arviz_on_all_of_them() -> None:
    rng = np.random.default_rng(8)
    values = rng.normal(size=5000)
    weights, k = smoothed_weights(np.stack([0.2 * values, 0.1 * values**2], axis=1))
    from arviz_stats.base.diagnostics import _DiagnosticsBase

    exact = [
        max(_DiagnosticsBase._cjs_dist(sign * values, column) for sign in (1, -1)) for column in weights.T
    ]
    assert distances(values, weights) == pytest.approx(exact, rel=0.01)
    assert (k < 0.7).all()


def test_weighted_medians_leave_out_what_is_unknown_and_keep_never_last() -> None:
    values = np.array([3.0, np.nan, 1.0, np.inf])
    weights = np.array([[0.2, 0.1], [0.2, 0.7], [0.4, 0.05], [0.2, 0.15]])
    assert weighted_medians(values, weights).tolist() == [1.0, 3.0]
    assert weighted_medians(values, np.array([[0.1], [0.1], [0.1], [0.7]])).tolist() == [np.inf]


def test_what_a_diagnosis_says_of_unmoved_parameters_need_not_be_computed_again(known: dict) -> None:
    tree = known_tree()
    still = still_of(diagnose(tree, run="a-run"))
    assert still == {"one.pace": False, "two.idle": True, "three.noise": True}
    assert found_in(tree, still=still) == known
    assert found_in(tree, still=dict.fromkeys(still, False))["not_moved"] == []
