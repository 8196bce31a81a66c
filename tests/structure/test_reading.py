"""How a model fits together, found from toys: who provides, adds, limits, reads, measures and waits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from forecast.driver import observes, observes_crossing, provides
from forecast.errors import InputError, PluginError
from forecast.host import load_host
from forecast.structure import as_json, structure_of
from tests.toys import WORLDVIEW, Boost, Line, Luck, Market, constant, driver, table, worldview

MILESTONES = """
[milestones.seen]
title = "Seen"
announced_after = "wait"
mixture = [
    { weight = 0.25, quantity = "compute", at_least = "thresholds.compute" },
    { weight = 0.75, any = [
        { quantity = "compute", at_least = { value = 1e26, unit = "FLOP" } },
        { quantity = "supply", at_least = { value = 24, unit = "log10 FLOP" } },
    ] },
]
"""


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return worldview(
        tmp_path_factory.mktemp("view"), WORLDVIEW.replace("[thresholds]", MILESTONES + "[thresholds]")
    )


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return table(tmp_path_factory.mktemp("evidence"))


def structure(view: Any, *drivers: Any) -> Any:
    return structure_of(view, load_host(drivers=(waiting(), *drivers), entry_points=False))


def waiting() -> Any:
    return driver("wait", base=constant("wait", 0.5, unit="year", linear=True))


def edges(found: Any) -> set[tuple[str, str, str]]:
    return {(one["from"], one["to"], one["kind"]) for one in as_json(found)["edges"]}


@pytest.fixture(scope="module")
def found(view: Any, evidence: Any) -> Any:
    return structure(view, Line(evidence), Boost(), Market(), Luck())


def test_a_quantity_has_its_terms_with_who_makes_them_and_what_they_read(found):
    (compute,) = (one for one in found.quantities if one.name == "compute")
    assert (compute.title, compute.driver, compute.unit, compute.scale) == (
        "Largest run", "line", "FLOP", "log10 FLOP",
    )  # fmt: skip
    said = [(one.kind, one.driver, one.name, one.reads, one.reads_parameters) for one in compute.terms]
    assert said == [
        ("base", "line", "line", (), ("line.growth", "line.level")),
        ("addition", "boost", "boosted", (), ("boost.gain",)),
        ("addition", "luck", "lucky", (), ("luck.size",)),
        ("limit", "market", "supplied", ("supply",), ()),
    ]
    (supply,) = (one for one in found.quantities if one.name == "supply")
    assert supply.channels == ("home", "grey")


def test_edges_say_what_each_driver_does_and_what_flows_where(found):
    assert {
        ("driver:line", "quantity:compute", "provides"),
        ("driver:boost", "quantity:compute", "adds_to"),
        ("driver:market", "quantity:compute", "limits"),
        ("driver:market", "quantity:supply", "adds_channel"),
        ("quantity:supply", "quantity:compute", "limit"),
        ("evidence:line.runs", "quantity:compute", "measures"),
        ("quantity:compute", "milestone:big", "condition"),
        ("quantity:supply", "milestone:seen", "condition"),
        ("quantity:wait", "milestone:seen", "delay"),
    } <= edges(found)


def test_every_end_of_an_edge_is_a_part_and_no_edge_comes_twice(found):
    data = as_json(found)
    parts = {one["id"] for key in ("drivers", "quantities", "evidence", "milestones") for one in data[key]}
    assert {end for one in data["edges"] for end in (one["from"], one["to"])} <= parts
    assert len(edges(found)) == len(data["edges"])


def test_what_a_driver_reads_of_others_is_named_quantity_and_parameter_alike(view):
    reader = driver(
        "reader", base=provides("double", unit="FLOP")(lambda self, m: m["compute"] + m["boost.gain"])
    )
    found = structure(view, Line(), Boost(), Market(), reader)
    (entry,) = (one for one in found.drivers if one.name == "reader")
    assert entry.reads == ("compute",) and entry.reads_parameters == ("boost.gain",)
    assert {
        ("quantity:compute", "driver:reader", "reads"),
        ("driver:boost", "driver:reader", "parameter"),
        ("quantity:compute", "quantity:double", "base"),
    } <= edges(found)


def test_rows_are_those_used_as_of_the_date_and_one_that_two_models_use_counts_once(tmp_path, evidence):
    view = worldview(tmp_path, overrides=["as_of=2024-12-31"])

    def measured(self, m, data):
        m.normal(data, mean=m.at(m["compute"], data), sd=data.error)

    def only_china(table, context):
        return context.observations(table.filter(bloc="china"))

    twice = driver(
        "line",
        evidence=evidence,
        base=constant("compute", 25.0),
        both=observes("runs")(lambda self, m, data: measured(self, m, data)),
        china=observes("runs", prepare=only_china)(lambda self, m, data: measured(self, m, data)),
    )
    (entry,) = structure_of(view, load_host(drivers=[twice], entry_points=False)).evidence
    assert (entry.driver, entry.table, entry.title, entry.rows, entry.of) == ("line", "runs", "Runs", 3, 5)


def test_evidence_on_a_parameter_alone_informs_what_reads_that_parameter(view, evidence):
    def studied(self, m, data):
        m.normal(data, mean=m["rate"] + 0.0 * data.value, sd=data.error)

    prior = 'rate = { distribution = "Normal", mu = 25, sigma = 1, unit = "log10 FLOP", source = "a test" }'
    studies = driver(
        "line",
        prior,
        evidence=evidence,
        base=provides("compute", unit="FLOP")(lambda self, m: m["rate"]),
        other=constant("other", 1.0),
        studied=observes("runs")(studied),
    )
    found = structure(view, studies, Market())
    assert found.evidence[0].measures == () and found.evidence[0].informs == ("compute",)
    assert ("evidence:line.runs", "quantity:compute", "informs") in edges(found)
    assert ("evidence:line.runs", "quantity:other", "informs") not in edges(found)


def test_evidence_on_a_date_points_at_the_milestone(view, tmp_path):
    rows = table(tmp_path, owner="survey")
    survey = driver(
        "survey",
        evidence=rows,
        weigh=observes_crossing("runs", milestone="seen")(lambda self, x, data: np.zeros(len(x.dates))),
    )
    found = structure(view, Line(), Market(), survey)
    assert ("evidence:survey.runs", "milestone:seen", "dates") in edges(found)
    assert found.evidence[0].rows == 5 and found.evidence[0].measures == ()


def test_a_milestones_tree_is_in_words_with_medians_and_as_a_prior_file_writes_it(found):
    seen = found.milestones[1]
    assert seen.lines == (
        (0, "in each draw one of"),
        (1, "25% compute ≥ 27 log10 FLOP (median)"),
        (1, "75% any of"),
        (2, "compute ≥ 1e26 FLOP"),
        (2, "supply ≥ 24 log10 FLOP"),
    )
    written = as_json(found)["milestones"][1]
    assert written["condition"]["mixture"][0]["at_least"] == "thresholds.compute"
    assert written["announced_after"] == "wait" and written["reads"] == ("compute", "supply")


def test_a_driver_that_replaces_another_takes_its_place(view, evidence):
    steps = driver("steps", base=constant("compute", 25.0, title="Steps"))
    drivers = (Line(evidence), Market(), steps, waiting())
    found = structure_of(view, load_host(drivers=drivers, disable=["line"], entry_points=False))
    (compute,) = (one for one in found.quantities if one.name == "compute")
    assert compute.driver == "steps" and "line" not in {one.name for one in found.drivers}


def test_a_model_that_does_not_fit_together_is_explained_as_for_a_run(view):
    lost = driver("lost", base=provides("x", unit="FLOP")(lambda self, m: m["nothing"]))
    with pytest.raises(PluginError, match="neither a parameter of it nor a quantity"):
        structure(view, Line(), Market(), lost)
    with pytest.raises(InputError, match="no loaded driver provides the quantity 'supply'"):
        structure(view, Line())
