"""The default worldview at prior draws, for the tests of this folder: no fit and no compiler."""

from __future__ import annotations

import numpy as np

from forecast.model import Layout
from forecast.projection import future_graph, project
from forecast.worldview import read_interventions


def prior_draws(spec, view, *, seed=1, size=200):
    """Draws of every parameter of the projection, as its graph takes them."""
    graph = future_graph(spec, view.horizon)
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    return layout.shaped(layout.draw(seed, size))


def projected(spec, view, draws, *changes, seed=1):
    """Every draw's trajectories and crossings under interventions; one seed gives pairs."""
    graph = future_graph(spec, view.horizon, read_interventions(changes))
    size = len(next(iter(draws.values())))
    return project(
        graph,
        {key: draws[key] for key in graph.parameters},
        chains=1,
        milestones=view.milestones,
        thresholds=view.thresholds,
        seed=seed,
        keep=size,
    )


def assert_near(found, expected, within):
    """Every number is within so much of what is expected; on large arrays pytest.approx takes seconds."""
    wanted = np.broadcast_to(expected, np.shape(found))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=within, equal_nan=False)


def q(found, name):
    """A quantity's draws, (draw, bloc, time)."""
    return found.trajectories[name].values[0].astype(float)
