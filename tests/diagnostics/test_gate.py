"""The verdict: what passes, what fails, what cannot be judged, and what it says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import xarray as xr

from forecast.diagnostics import judge
from tests.results.synthetic import crossings_from, good_tree


def with_group(tree: xr.DataTree, group: str, **variables: Any) -> xr.DataTree:
    data = tree[group].to_dataset().assign(variables)
    return xr.DataTree.from_dict(
        {**{name: node.to_dataset() for name, node in tree.children.items()}, group: data}
    )


def check(verdict: dict[str, Any], code: str) -> dict[str, Any]:
    return next(found for found in verdict["checks"] if found["code"] == code)


def noise(*size: int) -> np.ndarray:
    return np.random.default_rng(9).normal(size=size)


def test_independent_draws_pass_every_check() -> None:
    verdict = judge(good_tree())
    assert verdict["ok"] is True
    assert verdict["verdict"] == "passed"
    assert verdict["r_hat_max"] < 1.01
    assert verdict["ess_bulk_min"] > 400
    assert verdict["ess_tail_min"] > 400
    assert verdict["divergences"] == 0
    assert verdict["e_bfmi_min"] > 0.3
    assert [found["state"] for found in verdict["checks"]] == ["pass"] * 6
    json.dumps(verdict, allow_nan=False)


def test_a_chain_elsewhere_fails_r_hat_and_is_named_with_its_bloc() -> None:
    values = noise(4, 500, 2)
    values[0, :, 1] += 1
    verdict = judge(with_group(good_tree(), "posterior", drift=(("chain", "draw", "bloc"), values)))
    assert verdict["ok"] is False
    assert "R-hat" in verdict["verdict"]
    failed = check(verdict, "r_hat")
    assert failed["state"] == "fail"
    assert failed["where"] == "drift[china]"
    assert failed["value"] > 1.01
    assert failed["threshold"] == 1.01
    assert "chains disagree" in failed["advice"]


def test_a_chain_of_another_width_fails_r_hat_though_the_means_agree() -> None:
    values = noise(4, 500)
    values[0] *= 4
    assert (
        check(judge(with_group(good_tree(), "posterior", width=(("chain", "draw"), values))), "r_hat")[
            "state"
        ]
        == "fail"
    )


def test_draws_that_move_slowly_fail_ess() -> None:
    steps = noise(4, 500)
    slow = np.zeros_like(steps)
    for draw in range(1, 500):
        slow[:, draw] = 0.95 * slow[:, draw - 1] + steps[:, draw]
    verdict = judge(with_group(good_tree(), "posterior", slow=(("chain", "draw"), slow)))
    assert check(verdict, "ess_bulk")["state"] == "fail"
    assert check(verdict, "ess_bulk")["where"] == "slow"
    assert verdict["ess_bulk_min"] < 400


def test_one_divergence_fails_and_names_its_chain() -> None:
    diverging = np.zeros((4, 500), dtype=bool)
    diverging[2, 7] = True
    verdict = judge(with_group(good_tree(), "sample_stats", diverging=(("chain", "draw"), diverging)))
    assert verdict["ok"] is False
    assert verdict["divergences"] == 1
    assert check(verdict, "divergences")["where"] == "chain 2 (1 of them)"


def test_energies_that_crawl_fail_e_bfmi() -> None:
    energy = np.cumsum(noise(4, 500), axis=1)
    verdict = judge(with_group(good_tree(), "sample_stats", energy=(("chain", "draw"), energy)))
    assert check(verdict, "e_bfmi")["state"] == "fail"
    assert verdict["e_bfmi_min"] < 0.3


def test_too_few_accepted_draws_fail_and_the_number_set_aside_is_told() -> None:
    accepted = np.ones((4, 500), dtype=bool)
    accepted[:3] = False
    verdict = judge(with_group(good_tree(), "crossings", accepted=(("chain", "draw"), accepted)))
    assert verdict["ok"] is False
    assert verdict["accepted"] == 500
    assert "1500 of 2000 draws were set aside" in check(verdict, "accepted")["advice"]
    assert judge(good_tree(), accepted_min=3000)["ok"] is False


def test_crossing_dates_are_judged_too_and_on_all_draws() -> None:
    tree = good_tree()
    dates = tree["crossings"]["agi"].to_numpy().copy()
    dates[0, :, 0] += 3  # a chain whose dates disagree, though its parameters do not
    accepted = np.ones((4, 500), dtype=bool)
    accepted[0] = False  # set aside, and judged all the same
    verdict = judge(
        with_group(
            tree,
            "crossings",
            agi=(("chain", "draw", "bloc"), dates),
            accepted=(("chain", "draw"), accepted),
        )
    )
    assert check(verdict, "r_hat")["where"] == "crossing date of agi[us_allies]"
    assert check(verdict, "r_hat")["state"] == "fail"


def test_dates_of_never_are_judged_as_later_than_every_other() -> None:
    dates = np.where(noise(4, 500, 2) > 0, np.inf, 2030.0)
    tree = good_tree()
    tree["crossings"] = xr.DataTree(crossings_from(dates))
    assert judge(tree)["ok"] is True
    assert judge(tree, horizon=2061.0)["r_hat_max"] == pytest.approx(judge(tree)["r_hat_max"])


def test_a_bloc_that_never_crosses_and_a_constant_parameter_are_not_judged() -> None:
    dates = np.full((4, 500, 2), np.inf)
    dates[..., 0] = 2030 + np.abs(noise(4, 500))
    tree = good_tree()
    tree["crossings"] = xr.DataTree(crossings_from(dates))
    verdict = judge(tree)
    assert verdict["ok"] is True
    assert check(verdict, "r_hat")["where"] != "fixed"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_draws_that_are_not_finite_fail_and_are_named(bad: float) -> None:
    values = noise(4, 500)
    values[1, 3] = bad
    verdict = judge(with_group(good_tree(), "posterior", broken=(("chain", "draw"), values)))
    assert verdict["ok"] is False
    assert verdict["r_hat_max"] is None
    assert check(verdict, "r_hat")["where"] == "broken"
    assert "NaN or infinity" in check(verdict, "r_hat")["advice"]
    json.dumps(verdict, allow_nan=False)


def test_chains_that_each_stand_still_at_another_place_fail() -> None:
    values = np.repeat(np.arange(4.0)[:, None], 500, axis=1)
    verdict = judge(with_group(good_tree(), "posterior", stuck=(("chain", "draw"), values)))
    assert verdict["ok"] is False
    assert check(verdict, "r_hat")["where"] == "stuck"


def test_one_chain_cannot_be_judged_and_the_rest_is() -> None:
    verdict = judge(good_tree(chains=1, draws=2000))
    assert verdict["ok"] is None
    assert verdict["verdict"] == "not available: R-hat"
    assert check(verdict, "r_hat")["state"] == "not-available"
    assert check(verdict, "ess_bulk")["state"] == "pass"


def test_a_failure_outweighs_what_could_not_be_judged() -> None:
    assert judge(good_tree(chains=1, draws=500))["ok"] is False  # too few accepted


def test_without_statistics_of_the_sampler_there_is_no_verdict() -> None:
    tree = good_tree()
    del tree["sample_stats"]
    verdict = judge(tree)
    assert verdict["ok"] is None
    assert verdict["divergences"] is None
    assert verdict["e_bfmi_min"] is None


def test_an_empty_tree_and_a_few_draws_are_not_available_and_do_not_crash() -> None:
    assert judge(xr.DataTree())["ok"] is None
    verdict = judge(good_tree(chains=2, draws=3))
    assert {found["state"] for found in verdict["checks"]} == {"not-available", "pass", "fail"}
    assert check(verdict, "r_hat")["state"] == "not-available"


def test_prior_draws_have_no_verdict_and_say_why() -> None:
    verdict = judge(good_tree(), prior_only=True)
    assert verdict["ok"] is None
    assert "prior draws only" in verdict["verdict"]
    assert verdict["accepted"] is not None
    assert verdict["r_hat_max"] is None
