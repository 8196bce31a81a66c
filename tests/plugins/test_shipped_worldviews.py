"""The shipped worldviews on the built-in drivers, without a fit."""

from __future__ import annotations

import pytest

from forecast.engine import make_plan
from forecast.model import Layout
from forecast.projection import check_milestones, future_graph
from forecast.worldview import list_worldviews, load_worldview

NAMES = {"amodei-2025", "china-catches-up", "controls-bite", "default", "short-timelines", "skeptic", "small"}


def layout_of(name):
    plan = make_plan(name)
    graph = future_graph(plan.spec, plan.worldview.horizon)
    check_milestones(plan.worldview.milestones, plan.worldview.thresholds, graph.quantities)
    return Layout({key: plan.spec.parameters[key] for key in graph.parameters}, plan.spec.blocs)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_builds_and_says_what_it_is(name):
    assert set(list_worldviews()) == NAMES
    view = load_worldview(name)
    assert view.title and view.description and view.as_of.year >= 2025
    assert layout_of(name).is_random


def test_small_has_ten_uncertain_numbers():
    layout = layout_of("small")
    uncertain = [entry for entry in layout.entries if not entry.prior.is_constant]
    assert len(uncertain) == 10, [entry.key for entry in uncertain]
    assert len(load_worldview("small").thresholds) == 2


def test_every_number_of_a_shipped_worldview_has_a_source():
    for name in NAMES - {"default"}:
        view = load_worldview(name)
        said = [
            prior
            for drivers in view.driver_priors.values()
            for one in drivers.values()
            for prior in one.priors.values()
        ]
        assert all(prior.source.strip() for prior in [*said, *view.thresholds.values()])
