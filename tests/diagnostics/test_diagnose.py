"""What a diagnosis finds: each check passes on a good fit and fails on one spoilt in its own way."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
import xarray as xr
from scipy import stats

from forecast.diagnostics import KINDS, diagnose, diagnosis_schema, judge
from tests.diagnostics.fits import CHAINS, DRAWS, changed, normal_fit, without
from tests.results.synthetic import full_tree, good_tree

PAIR = ("chain", "draw")


@pytest.fixture(scope="module")
def good() -> xr.DataTree:
    return normal_fit()


def diagnosed(tree: xr.DataTree, **options: Any) -> dict[str, Any]:
    """The diagnosis of a fit of others, valid under the published schema."""
    found = diagnose(tree, run="fit.nc", **{"ours": False, **options})
    jsonschema.validate(json.loads(json.dumps(found, allow_nan=False)), diagnosis_schema())
    return found


def check(found: dict[str, Any], code: str) -> dict[str, Any]:
    return next(one for one in found["checks"] if one["code"] == code)


def states(found: dict[str, Any]) -> dict[str, str]:
    return {one["code"]: one["state"] for one in found["checks"]}


# A good fit ----------------------------------------------------------------------------------------


def test_a_good_fit_passes_every_check_and_advises_nothing(good):
    found = diagnosed(good)
    assert found["ok"] is True
    assert set(states(found).values()) == {"pass"}
    assert set(states(found)) == set(KINDS) - {"accepted"}
    assert not any(one["advice"] for one in found["checks"])
    assert found["verdict"].startswith("The draws may be relied on")
    assert not found["influential"] and not found["conflicts"] and not found["divergent"]


def test_the_verdict_on_a_run_of_ours_is_that_of_the_run():
    found = diagnosed(full_tree(), ours=True)
    verdict = judge(full_tree())
    assert found["ok"] == verdict["ok"]
    assert found["checks"][: len(verdict["checks"])] == verdict["checks"]
    assert found["deciding"] == [one["code"] for one in verdict["checks"]]
    assert any(row["name"] == "crossing date of agi[china]" for row in found["parameters"])


def test_a_parameter_of_which_no_data_speak_is_named_as_not_moved(good):
    found = diagnosed(good)
    assert found["unmoved"] == ["idle"]
    by_name = {row["name"]: row for row in found["parameters"]}
    # The prior sd is 2 and that of the posterior 1 / sqrt(1/4 + 40).
    assert by_name["mu"]["contraction"] == pytest.approx(1 - 0.1576 / 2, abs=0.02)
    assert by_name["idle"]["contraction"] == pytest.approx(0, abs=0.1)


def test_a_model_that_ignores_its_data_fails_the_shrinkage(good):
    prior = np.random.default_rng(4).normal(0, 2, (CHAINS, DRAWS))
    found = check(diagnosed(changed(good, "posterior", mu=(PAIR, prior))), "shrinkage")
    assert (found["state"], found["value"]) == ("fail", 1.0)
    assert found["where"] == "2 of 2 parameters: mu, idle"


# Convergence ---------------------------------------------------------------------------------------


def test_chains_in_two_modes_fail_r_hat_ess_and_mcse_and_their_parameter_leads_the_table(good):
    mu = good["posterior"]["mu"].to_numpy().copy()
    mu[:2] += 3
    energy = good["sample_stats"]["energy"].to_numpy().copy()
    energy[:2] += 2
    spoilt = changed(changed(good, "posterior", mu=(PAIR, mu)), "sample_stats", energy=(PAIR, energy))
    found = diagnosed(spoilt)
    assert found["ok"] is False
    for code in ("r_hat", "ess_bulk", "mcse"):
        assert (check(found, code)["state"], check(found, code)["where"]) == ("fail", "mu"), code
    assert check(found, "energy")["state"] == "fail"
    assert "R-hat" in found["verdict"] and found["verdict"].startswith("Do not rely")
    assert max(found["parameters"], key=lambda row: row["r_hat"])["name"] == "mu"


@pytest.fixture(scope="module")
def funnel(good):
    """Divergences in the neck of a funnel: where `log_tau` is low; `idle` has nothing to do with them."""
    rng = np.random.default_rng(8)
    log_tau = rng.normal(size=(CHAINS, DRAWS))
    diverging = (log_tau < -1.2) & (rng.random(log_tau.shape) < 0.2)
    tree = changed(good, "posterior", log_tau=(PAIR, log_tau))
    return changed(tree, "sample_stats", diverging=(PAIR, diverging))


def test_divergences_fail_and_the_neck_of_the_funnel_is_named(funnel):
    found = diagnosed(funnel)
    assert found["ok"] is False
    failed = check(found, "divergences")
    assert failed["value"] == funnel["sample_stats"]["diverging"].sum()
    assert "; at low log_tau (-1.5" in failed["where"]
    assert "non-centred" in failed["advice"]
    assert [one["parameter"] for one in found["divergent"]] == ["log_tau"]
    assert found["divergent"][0]["divergent"] < -1.2 < found["divergent"][0]["others"]


def test_divergences_that_lie_anywhere_name_no_parameter(good):
    anywhere = np.random.default_rng(5).random((CHAINS, DRAWS)) < 0.02
    found = diagnosed(changed(good, "sample_stats", diverging=(PAIR, anywhere)))
    assert found["divergent"] == []
    assert check(found, "divergences")["where"].endswith("no parameter tells them from the others")


def test_trajectories_that_were_cut_off_are_counted_and_do_not_decide(good):
    hits = np.zeros((CHAINS, DRAWS), dtype=bool)
    hits[2, :7] = True
    for name in ("reached_max_treedepth", "maxdepth_reached"):  # as PyMC and as nutpie call it
        tree = changed(good, "sample_stats", **{name: (PAIR, hits)})
        if name == "maxdepth_reached":
            tree["sample_stats"] = tree["sample_stats"].to_dataset().drop_vars("reached_max_treedepth")
        found = diagnosed(tree)
        assert check(found, "tree_depth")["state"] == "fail"
        assert check(found, "tree_depth")["where"] == "chain 2 (7 of them)"
        assert found["ok"] is True


# Evidence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("truth", "held"), [(2.5, "too few"), (0.25, "too many")])
def test_an_error_of_the_wrong_size_fails_coverage_and_loo_pit(truth, held):
    y = np.random.default_rng(3).normal(0.5, truth, 40)  # the model says 1
    found = diagnosed(normal_fit(y))
    assert check(found, "coverage")["state"] == check(found, "loo_pit")["state"] == "fail"
    in_half = found["tables"][0]["coverage"]["0.5"]
    assert in_half < 0.35 if held == "too few" else in_half > 0.7
    assert found["ok"] is True  # the sampler did its work; the model is wrong
    assert "LOO coverage" in found["verdict"]


def test_a_biased_table_among_good_ones_is_the_one_named():
    rng = np.random.default_rng(6)
    tree = normal_fit()
    for group in ("observed_data", "posterior_predictive", "log_likelihood"):
        data = tree[group].to_dataset()
        tree[group] = xr.DataTree(data.assign({name: data["y"] for name in ("a", "b")}))
    skewed = rng.exponential(1.0, 40) ** 2 - 2  # the scale is right, the shape is not
    likelihood = stats.norm.logpdf(skewed, tree["posterior"]["mu"].to_numpy()[..., None], 1.0)
    tree = changed(tree, "observed_data", b=("row", skewed))
    found = diagnosed(changed(tree, "log_likelihood", b=((*PAIR, "row"), likelihood)))
    assert check(found, "loo_pit")["state"] == "fail"
    assert check(found, "loo_pit")["where"] == "b"
    by_name = {row["table"]: row for row in found["tables"]}
    assert by_name["b"]["loo_pit_p"] < 0.01 < by_name["a"]["loo_pit_p"] == by_name["y"]["loo_pit_p"]
    # The check is of three tables: the smallest of three p-values is not extraordinary.
    assert check(found, "loo_pit")["value"] == pytest.approx(3 * by_name["b"]["loo_pit_p"])


def test_an_outlier_has_a_high_pareto_k_and_is_named_by_its_row():
    y = np.random.default_rng(2).normal(0.5, 1.0, 20)
    y[7] = 22.0
    found = diagnosed(normal_fit(y))
    failed = check(found, "pareto_k")
    assert failed["state"] == "fail"
    assert failed["where"].startswith("y: row 7 (k ")
    assert failed["threshold"] == pytest.approx(1 - 1 / np.log10(CHAINS * DRAWS))
    assert [row["row"] for row in found["influential"]] == ["row 7"]
    assert found["influential"][0]["pareto_k"] == failed["value"] > 0.7
    assert check(found, "predictive")["state"] == "fail"
    assert check(found, "predictive")["where"].startswith("y: row 7 (")
    assert found["tables"][0]["farthest"]["row"] == "row 7"


def test_a_prior_that_the_data_contradict_fails_and_is_named():
    y = np.random.default_rng(2).normal(0.0, 1.0, 10)
    found = diagnosed(normal_fit(y, prior=8.0, prior_sd=1.0))
    failed = check(found, "prior_data_conflict")
    assert failed["state"] == "fail" and failed["value"] > 0.05
    assert failed["where"].startswith("mu (prior ")
    conflict = found["conflicts"][0]
    assert conflict["parameter"] == "mu" and min(conflict["prior"], conflict["likelihood"]) > 0.05
    # Data of mean 0 under the prior predictive of their mean, N(8, 1 + 1/10).
    assert conflict["distance"] == pytest.approx(-8 / np.sqrt(1.1), rel=0.15)
    assert found["ok"] is True


def test_a_prior_as_strong_as_the_data_is_no_conflict_where_they_agree():
    y = np.random.default_rng(2).normal(0.0, 1.0, 4)
    assert check(diagnosed(normal_fit(y, prior_sd=0.5)), "prior_data_conflict")["state"] == "pass"


def test_without_prior_draws_the_conflict_is_that_of_power_scaling_alone():
    y = np.random.default_rng(2).normal(0.0, 1.0, 10)
    found = diagnosed(without(normal_fit(y, prior=8.0, prior_sd=1.0), "prior"))
    assert check(found, "prior_data_conflict")["state"] == "fail"
    assert check(found, "prior_data_conflict")["where"].startswith("mu (prior ")
    assert found["conflicts"][0]["distance"] is None


def test_rows_that_say_at_least_are_judged_as_such(good):
    """A third of the rows are cut off at 0.8; unless that is known, their PIT piles up below one."""
    rng = np.random.default_rng(11)
    y = np.minimum(rng.normal(0.5, 1.0, 60), 0.8)
    tree = normal_fit(y)
    mu = good["posterior"]["mu"].to_numpy()  # of the uncensored rows: about what the censored say too
    tree = changed(tree, "posterior", mu=(PAIR, mu))
    drawn = rng.normal(mu[..., None], 1.0, (*mu.shape, 60))
    law = stats.norm(mu[..., None], 1.0)
    likelihood = np.where(y >= 0.8, law.logsf(0.8), law.logpdf(y))
    tree = changed(tree, "posterior_predictive", y=((*PAIR, "row"), drawn))
    tree = changed(tree, "log_likelihood", y=((*PAIR, "row"), likelihood))
    assert check(diagnosed(tree), "loo_pit")["state"] == "fail"
    told = changed(tree, "observed_data", y=("row", y, {"upper": [0.8] * 60}))
    assert check(diagnosed(told), "loo_pit")["state"] == "pass"
    assert check(diagnosed(told), "coverage")["state"] == "pass"


def test_counts_have_a_pit_too():
    rng = np.random.default_rng(12)
    rate = rng.gamma(200.0, 1 / 40, (CHAINS, DRAWS))
    tree = normal_fit(rng.poisson(5.0, 40))
    drawn = rng.poisson(rate[..., None], (*rate.shape, 40))
    observed = tree["observed_data"]["y"].astype(int)
    likelihood = stats.poisson.logpmf(observed.to_numpy(), rate[..., None])
    tree = changed(tree, "observed_data", y=observed)
    tree = changed(tree, "posterior_predictive", y=((*PAIR, "row"), drawn))
    found = diagnosed(changed(tree, "log_likelihood", y=((*PAIR, "row"), likelihood)))
    assert check(found, "loo_pit")["state"] == check(found, "coverage")["state"] == "pass"


# What cannot be checked ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "missing"),
    [
        (("sample_stats",), {"divergences", "e_bfmi", "energy", "tree_depth"}),
        (("log_likelihood",), {"loo_pit", "coverage", "pareto_k", "prior_data_conflict"}),
        (("posterior_predictive",), {"predictive", "loo_pit", "coverage"}),
        (("observed_data",), {"predictive", "loo_pit", "coverage"}),
        (("log_prior",), {"prior_data_conflict"}),
        (("prior",), {"shrinkage"}),
        (
            ("log_likelihood", "observed_data", "posterior_predictive"),
            {"predictive", "loo_pit", "coverage", "pareto_k", "prior_data_conflict"},
        ),
    ],
)
def test_what_a_missing_group_leaves_unchecked_is_not_available_with_the_reason(good, groups, missing):
    found = diagnosed(without(good, *groups))
    assert {code for code, state in states(found).items() if state == "not-available"} == missing
    assert "fail" not in states(found).values()
    for code in missing:
        assert check(found, code)["value"] is None and check(found, code)["advice"].endswith("."), code
    assert found["ok"] is (None if "divergences" in missing else True)


def test_one_chain_leaves_the_verdict_open():
    tree = normal_fit(draws=2000)
    one = {name: node.to_dataset().isel(chain=[0], missing_dims="ignore") for name, node in tree.items()}
    found = diagnosed(xr.DataTree.from_dict(one))
    assert found["ok"] is None
    assert check(found, "r_hat")["state"] == "not-available"
    assert check(found, "pareto_k")["state"] == "pass"
    assert found["parameters"][0]["r_hat"] is None
    assert "--chains" not in check(found, "r_hat")["advice"]


def test_draws_of_the_priors_alone_have_nothing_to_judge():
    found = diagnosed(without(good_tree(), "posterior", "sample_stats"), ours=True, prior_only=True)
    assert found["ok"] is None
    assert set(states(found).values()) == {"pass", "not-available"}
    assert check(found, "accepted")["state"] == "pass"
    assert "priors alone" in found["verdict"]


def test_a_parameter_that_became_nan_fails_and_is_named_and_the_rest_is_still_judged(good):
    mu = good["posterior"]["mu"].to_numpy().copy()
    mu[1, 3] = np.nan
    found = diagnosed(changed(good, "posterior", mu=(PAIR, mu)))
    assert found["ok"] is False
    for code in ("r_hat", "ess_bulk", "mcse"):
        failed = check(found, code)
        assert (failed["state"], failed["value"], failed["where"]) == ("fail", None, "mu"), code
    rows = {row["name"]: row for row in found["parameters"]}
    assert rows["mu"]["r_hat"] is None and rows["idle"]["r_hat"] < 1.01


def test_a_constant_is_no_parameter_that_failed_and_constants_alone_are_not_a_pass(good):
    assert diagnosed(changed(good, "posterior", fixed=(PAIR, np.ones((CHAINS, DRAWS)))))["ok"] is True
    still = {name: (PAIR, np.zeros((CHAINS, DRAWS))) for name in ("mu", "idle")}
    found = diagnosed(changed(good, "posterior", **still))
    assert found["ok"] is None
    assert check(found, "r_hat")["advice"] == "No parameter of its posterior varies."


def test_a_likelihood_that_is_not_finite_says_of_which_row(good):
    likelihood = good["log_likelihood"]["y"].to_numpy().copy()
    likelihood[0, 0, 4] = -np.inf
    found = diagnosed(changed(good, "log_likelihood", y=((*PAIR, "row"), likelihood)))
    assert check(found, "pareto_k")["advice"] == "y: its log_likelihood is not finite for row 4."
    assert found["tables"][0]["reasons"]["loo_pit"]


def test_a_table_that_cannot_be_judged_is_named_beside_those_that_can(good):
    tree = changed(good, "log_likelihood", only=((*PAIR, "other"), np.zeros((CHAINS, DRAWS, 3))))
    found = diagnosed(tree)
    assert check(found, "loo_pit")["where"] == "y (not judged: only)"
    assert [row["rows"] for row in found["tables"]] == [40, 3]


def test_observations_on_a_grid_are_rows_named_by_both_axes():
    tree = normal_fit(np.random.default_rng(9).normal(0.5, 1, 12))
    for group in ("observed_data", "posterior_predictive", "log_likelihood"):
        data = tree[group].to_dataset()["y"].drop_vars("row")
        sizes = (*data.shape[:-1], 3, 4)
        dims = (*data.dims[:-1], "site", "year")
        labels = {"site": ["a", "b", "c"], "year": [2021, 2022, 2023, 2024]}
        tree[group] = xr.DataTree(xr.Dataset({"y": (dims, data.to_numpy().reshape(sizes))}, coords=labels))
    found = diagnosed(tree)
    assert found["tables"][0]["rows"] == 12
    assert found["tables"][0]["farthest"]["row"].split(", ")[0] in "abc"
    assert check(found, "loo_pit")["state"] == "pass"


def test_a_thousand_parameters_are_judged_and_the_worst_is_found():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(4, 100, 1000))
    values[0, :, 234] += 5
    tree = without(normal_fit(draws=100), "prior", "log_prior")
    found = diagnosed(changed(tree, "posterior", effect=((*PAIR, "person"), values)))
    assert check(found, "r_hat")["where"] == "effect[234]"
    assert len(found["parameters"]) == 1002


# Thresholds ----------------------------------------------------------------------------------------


def test_a_threshold_can_be_set_and_the_diagnosis_says_so(good, funnel):
    found = diagnosed(funnel, thresholds={"divergences": 1000.0, "r_hat": 1.5})
    assert found["ok"] is True
    assert check(found, "divergences")["threshold"] == 1000
    assert found["thresholds_set"] == {"divergences": 1000.0, "r_hat": 1.5}
    strict = diagnosed(good, thresholds={"pareto_k": 0.0, "ess_bulk": 1e6})
    assert check(strict, "pareto_k")["state"] == "fail"
    assert len(strict["influential"]) > 5
    assert strict["ok"] is False


def test_every_threshold_but_that_of_accepted_draws_has_a_source(good):
    references = diagnosed(good)["references"]
    assert all(references[code] for code in KINDS if code != "accepted")


def test_advice_on_the_fits_of_others_names_no_option_of_ours(good):
    mu = good["posterior"]["mu"].to_numpy().copy()
    mu[0] += 3
    spoilt = changed(good, "posterior", mu=(PAIR, mu))
    assert "--draws" in check(diagnosed(spoilt, ours=True), "r_hat")["advice"]
    assert not any("--" in one["advice"] for one in diagnosed(spoilt)["checks"])
