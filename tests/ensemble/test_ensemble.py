"""Mixtures of saved runs: weights, the mixture itself, and what cannot be mixed."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from scipy import stats

from forecast.cli import main
from forecast.ensemble import ensemble
from forecast.ensemble.rows import common_rows
from forecast.ensemble.weights import score_weights, stacking_weights
from forecast.errors import ForecastError, InputError
from forecast.results import quantiles, read_run
from forecast.results.summary import accepted_draws
from tests.results.synthetic import good_tree, likely_crossings, save_run, small_worldview

CASE = {"series": "capex", "bloc": "world", "as_of": "2024-06-30", "months_ahead": 12, "method": "model"}
VALUES = np.array([0.3, -0.5, 1.1, 0.2, 0.9, -1.0, 0.4, 1.6, 0.1, -0.2, 0.7, 0.6])


def fitted_tree(prior_mean, *, seed=1, values=VALUES, names=None, later=0.0, scatter=1.0):
    """A run fitted to rows y ~ N(theta, scatter), prior theta ~ N(prior_mean, 1), its posterior exact."""
    rng = np.random.default_rng(seed)
    tree = good_tree(seed)
    crossings = likely_crossings(seed)
    crossings["agi"] = crossings["agi"] + later
    precision = 1 + values.size / scatter**2
    mean = (prior_mean + values.sum() / scatter**2) / precision
    theta = rng.normal(mean, precision**-0.5, size=(4, 500))
    logs = stats.norm.logpdf(values, theta[..., None], scatter)
    rows = names or [f"row {number}" for number in range(values.size)]
    coordinates = {"capex_row": rows}
    tree["crossings"] = crossings
    tree["log_likelihood"] = xr.Dataset({"capex": (("chain", "draw", "capex_row"), logs)}, coords=coordinates)
    tree["observed_data"] = xr.Dataset({"capex": (("capex_row",), values)}, coords=coordinates)
    return tree


def exact_elpd(prior_mean, scatter=1.0):
    """Log predictive density of each row given the others."""
    found = []
    for at, value in enumerate(VALUES):
        others = np.delete(VALUES, at)
        precision = 1 + others.size / scatter**2
        mean = (prior_mean + others.sum() / scatter**2) / precision
        found.append(stats.norm.logpdf(value, mean, np.sqrt(scatter**2 + 1 / precision)))
    return np.array(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder, "2026-06-30-near-00000001", tree=fitted_tree(0.0))
    save_run(folder, "2026-06-30-far-00000002", tree=fitted_tree(0.0, seed=2, later=6.0, scatter=3.0))
    other = dataclasses.replace(small_worldview(), horizon=date(2045, 12, 31), name="short")
    save_run(folder, "2026-06-30-short-00000003", tree=fitted_tree(0.0, seed=3), worldview=other)
    return folder


@pytest.fixture(scope="module")
def pair(folder):
    return [read_run(folder / name) for name in ("2026-06-30-near-00000001", "2026-06-30-far-00000002")]


def saved(tmp_path, tree, name="2026-06-30-other-00000009", **more):
    return read_run(save_run(tmp_path, name, tree=tree, **more))


# Weights ---------------------------------------------------------------------------------------------


def test_stacking_finds_the_weights_that_are_best_by_hand():
    """Two members that give 0.8 and 0.2 to the same event, which happens in 60%: 0.2 + 0.6 w = 0.6."""
    happened = np.repeat([True, False], [60, 40])
    densities = np.log(np.where(happened[:, None], [0.8, 0.2], [0.2, 0.8]))
    assert stacking_weights(densities) == pytest.approx([2 / 3, 1 / 3], abs=0.002)
    assert stacking_weights(np.log(np.tile([0.8, 0.2, 0.1], (50, 1))))[0] > 0.999


def test_stacked_weights_are_better_than_any_others():
    rng = np.random.default_rng(8)
    densities = rng.normal(size=(200, 4))
    best = np.log(np.exp(densities) @ stacking_weights(densities)).mean()
    others = np.log(np.exp(densities) @ rng.dirichlet(np.ones(4), size=500).T).mean(axis=0)
    assert best >= others.max() - 1e-5


def test_weights_by_one_series_are_a_softmax_and_more_series_make_them_less_sure():
    assert score_weights(np.array([[1.0, 0.0]])) == pytest.approx([np.e / (1 + np.e), 1 / (1 + np.e)])
    split = score_weights(np.array([[4.0, 0.0], [-3.0, 0.0]]))
    assert 0.5 < split[0] < np.e / (1 + np.e)  # the same sum, but the series disagree
    assert score_weights(np.zeros((5, 4))) == pytest.approx(np.full(4, 0.25))


def test_a_row_left_out_has_its_exact_density(pair):
    common = common_rows(pair)
    assert [row for _, row in common.rows] == [f"row {number}" for number in range(VALUES.size)]
    # 2,000 draws; the tails of the weights are short, so that errors are near 0.01.
    assert common.densities[:, 0] == pytest.approx(exact_elpd(0.0), abs=0.06)
    assert common.densities[:, 1] == pytest.approx(exact_elpd(0.0, 3.0), abs=0.06)


def test_stacking_prefers_the_run_whose_errors_are_right(pair):
    found = ensemble(pair, "stacking")
    weights = [member["weight"] for member in found["members"]]
    assert weights[0] > 0.95 and sum(weights) == pytest.approx(1)
    assert found["rows"]["common"] == VALUES.size and found["rows"]["tables"] == {"capex": VALUES.size}
    assert found["members"][0]["elpd"] == pytest.approx(exact_elpd(0.0).sum(), abs=0.2)


def test_only_rows_that_all_members_have_count(pair, tmp_path):
    values, names = VALUES[4:], [f"row {number}" for number in range(4, VALUES.size)]
    other = saved(tmp_path, fitted_tree(0.0, values=values, names=names))
    found = ensemble([pair[0], other], "stacking")
    assert found["rows"]["common"] == 8 and found["rows"]["of_members"] == [12, 8]
    assert any("Rows that not all members were fitted to" in note for note in found["notes"])
    assert any("do not tell these runs apart" in note for note in found["notes"])


def test_weights_by_backtest_are_of_what_all_were_scored_on(pair, tmp_path):
    files = []
    for place, more in enumerate((0.0, -0.5)):
        scores = [
            CASE | {"n": 4, "log_score": -1.0 + more},
            CASE | {"n": 4, "log_score": -1.0 + more, "months_ahead": 6},
            CASE | {"n": 9, "log_score": 5.0, "method": "log-linear"},
            CASE | {"n": 9, "log_score": 50.0 * place, "as_of": f"202{place}-06-30"},
        ]
        files.append(tmp_path / f"{place}.json")
        files[-1].write_text(json.dumps({"scores": scores}))
    found = ensemble(pair, "backtest", scores=files)
    # Rows that were predicted from two distances count once: 8 predictions, a difference of 8 x 0.5 / 2.
    assert [one["elpd"] for one in found["members"]] == pytest.approx([-4.0, -6.0])
    assert found["members"][0]["weight"] == pytest.approx(1 / (1 + np.exp(-2)))
    assert found["series"] == {"names": ["capex"], "predictions": 8}
    assert any("one series" in note for note in found["notes"])


# The mixture -----------------------------------------------------------------------------------------


def test_shares_are_weighted_means_and_quantiles_those_of_the_pooled_draws(pair):
    found = ensemble(pair)
    for index, bloc in enumerate(("us_allies", "china")):
        own = [run.summary["milestones"]["agi"]["blocs"][bloc] for run in pair]
        mixed = found["milestones"]["agi"]["blocs"][bloc]
        for key in ("p_before", "p_in", "p_after", "p_never"):
            assert mixed[key] == pytest.approx(np.mean([one[key] for one in own]))
            errors = [one["mcse"][key] for one in own]
            if all(0 < one[key] < 1 for one in own):  # their draws happen to be independent
                assert mixed["mcse"][key] == pytest.approx(np.hypot(*errors) / 2, rel=0.05)
            else:  # nothing tells how far they are
                assert mixed["mcse"][key] == pytest.approx(np.mean(errors))
        parts = [member["milestones"]["agi"][bloc]["part_of_p_in"] for member in found["members"]]
        assert sum(parts) == pytest.approx(1) and parts[0] > 0.8  # the other one is six years later
        drawn = [run.crossings["agi"].to_numpy()[accepted_draws(run.crossings)][:, index] for run in pair]
        pooled = quantiles(np.concatenate(drawn))  # nearly as many accepted draws in both
        for level in ("0.1", "0.5", "0.75"):
            assert mixed["quantiles"][level] == pytest.approx(pooled[level], abs=0.05)
    assert own[0]["quantiles"]["0.5"] + 1 < mixed["quantiles"]["0.5"] < own[1]["quantiles"]["0.5"] - 1
    lead = found["milestones"]["agi"]["lead"]
    worlds = [*lead["p_unipolar"].values(), lead["p_bipolar"], lead["p_neither"]]
    assert sum(worlds) == pytest.approx(1)
    assert found["schema"] == "forecast.ensemble/1" and found["weights"] == "equal"


def test_errors_of_runs_that_share_their_draws_do_not_cancel(pair, tmp_path):
    """Runs of one seed have the same luck: a copy of a run tells nothing new, and no error shrinks by it."""
    first = pair[0]
    copy = saved(tmp_path, fitted_tree(0.0))
    fewer = saved(tmp_path, good_tree(5, draws=300), name="2026-06-30-fewer-00000008")
    own = first.summary["milestones"]["agi"]
    both, mixed = (ensemble([first, other])["milestones"]["agi"] for other in (copy, fewer))
    for bloc in ("us_allies", "china"):
        for key, error in both["blocs"][bloc]["mcse"].items():
            assert error == pytest.approx(own["blocs"][bloc]["mcse"][key])
    assert both["lead"]["mcse"]["p_bipolar"] == pytest.approx(own["lead"]["mcse"]["p_bipolar"])
    assert both["lead"]["mcse"]["p_unipolar"] == pytest.approx(own["lead"]["mcse"]["p_unipolar"])
    # Other numbers of draws cannot be matched: the worst case is taken.
    other = fewer.summary["milestones"]["agi"]["blocs"]["china"]["mcse"]["p_in"]
    expected = (own["blocs"]["china"]["mcse"]["p_in"] + other) / 2
    assert mixed["blocs"]["china"]["mcse"]["p_in"] == pytest.approx(expected)


def test_the_nearest_horizon_counts_and_another_window_may_be_asked(folder, pair):
    short = read_run(folder / "2026-06-30-short-00000003")
    found = ensemble([pair[0], short], window=(date(2028, 1, 1), date(2030, 12, 31)))
    assert found["horizon"] == "2045-12-31" and any("horizons differ" in note for note in found["notes"])
    dates = pair[0].crossings["agi"].to_numpy()[accepted_draws(pair[0].crossings)]
    member = found["members"][0]["milestones"]["agi"]["china"]
    assert member["p_never"] == pytest.approx(np.mean(dates[:, 1] > 2046))
    assert member["p_in"] == pytest.approx(np.mean((dates[:, 1] >= 2028) & (dates[:, 1] < 2031)))


def test_a_window_that_ends_after_the_nearest_horizon_is_refused_and_the_run_named(folder, pair):
    short = read_run(folder / "2026-06-30-short-00000003")
    beyond = (date(2044, 1, 1), date(2050, 12, 31))
    assert ensemble(pair, window=beyond)["window"]["end"] == "2050-12-31"
    with pytest.raises(
        InputError, match=r"ends on 2050-12-31, after the horizon of \S+-short-\S+, 2045-12-31"
    ):
        ensemble([pair[0], short], window=beyond)


def test_a_window_of_which_nothing_was_left_is_said_to_be_one(pair):
    past = ensemble(pair, window=(date(2020, 1, 1), date(2026, 6, 30)))["notes"]
    assert any(
        "0% of the window 2020-01-01 to 2026-06-30 was left at the as-of date of" in one for one in past
    )
    assert not any("was left" in note for note in ensemble(pair)["notes"])


# What cannot be mixed --------------------------------------------------------------------------------


def test_other_values_of_the_same_row_are_refused_with_the_row(pair, tmp_path):
    values = VALUES.copy()
    values[3] = 0.25
    other = saved(tmp_path, fitted_tree(0.0, values=values))
    with pytest.raises(InputError, match=r"different values of the same row.*capex: row 3 \(0.2 and 0.25\)"):
        ensemble([pair[0], other], "stacking")


def test_runs_without_a_common_row_cannot_be_stacked(pair, tmp_path):
    names = [f"another {number}" for number in range(VALUES.size)]
    other = saved(tmp_path, fitted_tree(0.0, names=names))
    with pytest.raises(InputError, match="no row of evidence in common.*--weights equal"):
        ensemble([pair[0], other], "stacking")


def test_a_run_without_likelihoods_cannot_be_stacked(pair, tmp_path):
    other = saved(tmp_path, good_tree(5))
    with pytest.raises(ForecastError, match="has no group 'log_likelihood'"):
        ensemble([pair[0], other], "stacking")
    alone = dataclasses.replace(pair[1], summary=pair[1].summary | {"prior_only": True})
    with pytest.raises(InputError, match="of the priors alone"):
        ensemble([pair[0], alone], "stacking")
    assert any("priors alone" in note for note in ensemble([pair[0], alone])["notes"])


def test_one_run_or_the_same_twice_or_other_blocs_are_refused(pair, tmp_path):
    with pytest.raises(InputError, match="two or more runs"):
        ensemble(pair[:1])
    with pytest.raises(InputError, match="named twice"):
        ensemble([pair[0], pair[0]])
    tree = good_tree(5)
    crossings = tree["crossings"].to_dataset().assign_coords(bloc=["us_allies", "gulf"])
    tree["crossings"] = crossings
    other = saved(tmp_path, tree, worldview=small_worldview("us_allies", "gulf"))
    with pytest.raises(InputError, match="blocs china, us_allies and .* has gulf, us_allies"):
        ensemble([pair[0], other])
    renamed = good_tree(6)
    renamed["crossings"] = renamed["crossings"].to_dataset().rename(agi="other")
    with pytest.raises(InputError, match="no milestone in common"):
        ensemble([pair[0], saved(tmp_path, renamed, "2026-06-30-other-00000010")])


def test_weights_by_backtest_need_a_backtest_of_each(pair, tmp_path):
    with pytest.raises(InputError, match="no backtest scores of 2026-06-30-near.*forecast backtest"):
        ensemble(pair, "backtest")
    with pytest.raises(InputError, match="1 given for 2 runs"):
        ensemble(pair, "backtest", scores=[tmp_path / "a.json"])
    for name, text in (
        ("a.json", json.dumps({"scores": [CASE | {"n": 3, "log_score": -1}]})),
        ("b.json", "{}"),
    ):
        (tmp_path / name).write_text(text)
    with pytest.raises(ForecastError, match="b.json is damaged"):
        ensemble(pair, "backtest", scores=[tmp_path / "a.json", tmp_path / "b.json"])
    (tmp_path / "b.json").write_text(json.dumps({"scores": [CASE | {"n": 4, "log_score": -1}]}))
    with pytest.raises(InputError, match="No series was predicted from the same dates"):
        ensemble(pair, "backtest", scores=[tmp_path / "a.json", tmp_path / "b.json"])
    with pytest.raises(InputError, match="--scores is read for"):
        ensemble(pair, scores=[tmp_path / "a.json"] * 2)


# On the command line ---------------------------------------------------------------------------------


def test_the_command_shows_members_mixture_and_picture(folder, pair, tmp_path):
    def forecast(*more):
        return CliRunner().invoke(
            main, ["ensemble", "2026-06-30-near", "2026-06-30-far", "--out", str(folder), *more]
        )

    shown = forecast("--weights", "stacking", "--output", str(tmp_path / "e.png"))
    assert shown.exit_code == 0, shown.output
    assert "mixture" in shown.stdout and "12 common rows" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines() if str(tmp_path) not in line) <= 80
    assert (tmp_path / "e.png").stat().st_size > 10_000
    found = json.loads(forecast("--json").stdout)
    assert found == json.loads(json.dumps(ensemble(pair)))
    assert forecast("--window", "2030-01-01:2029-01-01").exit_code == 2


def test_a_member_whose_diagnostics_failed_is_named(pair):
    diagnostics = pair[1].summary["diagnostics"] | {"ok": False}
    failed = dataclasses.replace(pair[1], summary=pair[1].summary | {"diagnostics": diagnostics})
    notes = ensemble([pair[0], failed])["notes"]
    assert any("2026-06-30-far-00000002 failed: do not rely" in note for note in notes)
