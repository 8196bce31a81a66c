"""Stored trajectories: interpolation, accepted draws, parameters, and what is not there."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import xarray as xr

from forecast.results.trajectories import LEADER, NotAvailable, Trajectories, interval
from tests.results.synthetic import crossings_from
from tests.results.trajectory_runs import CHAINS, DRAWS, line, projection, run_of, spread


@pytest.fixture
def run(tmp_path):
    draws = np.arange(CHAINS * DRAWS)
    stored = projection(
        investment=(line([10.0, 9.0], [0.5, 1.0]) + spread(draws) * 0, "log10 USD/year"),
        numbered=(line(0.0, 0.0) + spread(draws), "count"),
    )
    marks = np.ones((CHAINS, 2 * DRAWS), dtype=bool)
    marks[0, 0] = marks[1, 98] = False  # the first and the last stored draw
    marks[0, 1] = False  # not stored
    names = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "toy.scatter": (names, np.arange(200.0).reshape(CHAINS, 100)),
            "toy.by_bloc": ((*names, "bloc"), np.stack([np.zeros((2, 100)), np.ones((2, 100))], axis=-1)),
        },
        coords={"bloc": ["us_allies", "china"], "chain": [0, 1], "draw": np.arange(100)},
    )
    crossings = crossings_from(np.full((CHAINS, 100, 2), np.inf), marks)
    return Trajectories.of(
        run_of(tmp_path, {"projection": stored, "posterior": posterior}, crossings=crossings)
    )


def test_only_accepted_draws_count(run):
    assert run.values("numbered", "china")[:, 0].tolist() == list(range(1, 99))


def test_parameters_are_those_of_the_stored_draws(run):
    # Every second draw is stored, and the first and last are set aside.
    assert run.parameter("toy.scatter").tolist() == [2.0 * n for n in range(1, 99)]
    assert set(run.parameter("toy.by_bloc", "china")) == {1.0}


def test_values_are_interpolated_between_months(run):
    assert run.at("investment", "us_allies", date(2025, 7, 17)) == pytest.approx(
        10 + 0.5 * 197 / 365, abs=1e-6
    )
    assert run.at("investment", "china", date(2025, 1, 1)) == pytest.approx(9.0)


def test_the_leader_is_whoever_has_most_at_the_date(run):
    leader = run.values("investment", LEADER)
    assert run.interpolated(leader, 2025.0) == pytest.approx(10.0, abs=1e-6)
    assert run.interpolated(leader, 2029.0) == pytest.approx(13.0, abs=1e-6)  # China since 2027


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda run: run.values("capital"), "no quantity capital"),
        (lambda run: run.values("investment", "eu"), "no bloc 'eu'; it has us_allies, china"),
        (lambda run: run.values("investment", "china", "smuggled"), "no channel 'smuggled'"),
        (lambda run: run.at("investment", "china", date(2070, 1, 1)), "outside the run's dates"),
        (lambda run: run.at("investment", "china", date(2000, 1, 1)), "2018-01-01 to 2061-01-01"),
        (lambda run: run.parameter("toy.none"), "no parameter toy.none"),
        (lambda run: run.parameter("toy.by_bloc", "eu"), "no draws for bloc 'eu'"),
        (lambda run: run.parameter("toy.by_bloc"), "no draws for bloc None"),
    ],
)
def test_what_is_not_there_is_said(run, ask, words):
    with pytest.raises(NotAvailable, match=words):
        ask(run)


def test_a_run_without_trajectories_says_so(tmp_path):
    empty = xr.Dataset({"x": (("chain", "draw"), np.zeros((2, 100)))})
    with pytest.raises(NotAvailable, match="no trajectories"):
        Trajectories.of(run_of(tmp_path, {"posterior": empty})).values("investment")


def test_an_interval_names_its_levels():
    assert interval(np.arange(101.0)) == pytest.approx({"0.05": 5.0, "0.5": 50.0, "0.95": 95.0})


def test_a_channel_is_looked_for_in_other_quantities(tmp_path):
    dims = ("chain", "draw", "bloc", "channel", "time")
    sizes = (1, 2, 2, 2, 3)
    projection = xr.Dataset(
        {
            "access": (("chain", "draw", "bloc", "time"), np.zeros((1, 2, 2, 3))),
            "flows": (dims, np.ones(sizes)),
        },
        coords={"bloc": ["us_allies", "china"], "channel": ["home", "grey"]},
    )
    crossings = xr.Dataset({"accepted": (("chain", "draw"), np.ones((1, 2), bool))})
    run = Trajectories(xr.DataTree.from_dict({"projection": projection, "crossings": crossings}))
    with pytest.raises(NotAvailable, match="access has no channel 'grey'; flows has"):
        run.values("access", "china", "grey")


def test_draws_that_are_not_beside_the_trajectories_are_not_taken_for_them(run):
    """A fitted run that lost its posterior still has draws of the prior, and of another number."""
    groups = {name: node.to_dataset() for name, node in run.tree.children.items()}
    groups["prior"] = groups.pop("posterior").isel(chain=[0])
    lost = Trajectories(xr.DataTree.from_dict(groups))
    with pytest.raises(NotAvailable, match="no draws of toy.scatter beside its trajectories"):
        lost.parameter("toy.scatter")
