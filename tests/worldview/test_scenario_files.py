"""Scenario files: what each kind may say, shipped ones by name, and that they are prior files."""

from __future__ import annotations

from datetime import date

import pytest

from forecast.errors import InputError
from forecast.worldview import list_scenarios, list_worldviews, load_worldview, read_scenarios
from tests.worldview.support import COMPLETE, NORMAL

EIGHT = [
    "algorithmic-stall",
    "domestic-breakthrough",
    "following-stops",
    "investment-bust",
    "licensed-sales",
    "no-controls",
    "no-smuggling",
    "perfect-enforcement",
]
OFF = 'kind = "intervene"\nintervene = [{ limit = "chip_access", bloc = "china", set = "off" }]\n'


def problems_of(*names):
    with pytest.raises(InputError) as caught:
        read_scenarios(names)
    return caught.value.problems


# Shipped -----------------------------------------------------------------------------------------


def test_the_eight_scenarios_are_shipped_and_none_is_a_worldview():
    assert set(EIGHT) <= set(list_scenarios())
    assert not set(list_scenarios()) & set(list_worldviews())


@pytest.mark.parametrize("name", list_scenarios())
def test_a_shipped_scenario_says_what_it_changes_and_why(name):
    (scenario,) = read_scenarios([name])
    assert scenario.name == name and scenario.kind == "intervene" and scenario.intervene
    for text in (scenario.title, scenario.description, scenario.source):
        assert len(text) > 5 and text != name


@pytest.mark.parametrize("name", list_scenarios())
def test_a_shipped_scenario_is_a_prior_file_too(name):
    (scenario,) = read_scenarios([name])
    over = load_worldview("default", name)
    assert over.intervene == scenario.intervene
    assert over.name == f"default-{name}" and over.title == scenario.title
    assert over.milestones == load_worldview("default").milestones
    assert load_worldview(name).intervene == over.intervene  # alone it lies over default


# Files of one's own ------------------------------------------------------------------------------


def test_a_file_is_read_with_its_changes(write):
    write("late.toml", 'title = "Late"\nsource = "mine"\n' + OFF.replace(" }]", ", from = 2030-01-01 }]"))
    (scenario,) = read_scenarios(["late.toml"])
    assert (scenario.name, scenario.title, scenario.source) == ("late", "Late", "mine")
    assert scenario.intervene[0].start == date(2030, 1, 1)


def test_changes_of_the_base_come_first_and_those_of_the_scenario_after(write):
    write("base.toml", 'intervene = [{ quantity = "investment", add = 0.1 }]\n')
    write("mine.toml", OFF)
    kinds = [change.kind for change in load_worldview("base.toml", "mine.toml").intervene]
    assert kinds == ["quantity", "limit"]


def test_a_scenario_can_be_laid_over_a_merged_worldview(write):
    write("base.toml", COMPLETE)
    write("mine.toml", f'kind = "assume"\n[priors.investment]\ngrowth = {{ {NORMAL} }}\n')
    merged = load_worldview("base.toml")
    over = load_worldview(merged, "mine.toml")
    assert over == load_worldview("base.toml", "mine.toml")
    assert over.name == "base-mine" and merged.driver_priors == {}


def test_one_that_is_named_twice_is_there_once(write):
    write("mine.toml", OFF)
    assert [one.name for one in read_scenarios(["mine.toml", "no-controls", "./mine.toml"])] == [
        "mine",
        "no-controls",
    ]


# What is refused -----------------------------------------------------------------------------------


def test_a_file_without_a_kind_is_refused(write):
    write("mine.toml", OFF.partition("\n")[2])
    (problem,) = problems_of("mine.toml")
    assert problem.startswith("mine.toml: kind: is missing") and '"intervene"' in problem


def test_a_kind_that_there_is_not_is_refused(write):
    write("mine.toml", OFF.replace('"intervene"', '"suppose"', 1))
    (problem,) = problems_of("mine.toml")
    assert problem == "mine.toml:1: kind: must be 'intervene' or 'assume', got 'suppose'"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"[priors.investment]\ngrowth = {{ {NORMAL} }}\n", "'priors'"),
        ('[set]\n"priors.investment.growth.mu" = 0.2\n', "'set'"),
        ("[window]\nstart = 2027-01-01\n", "'window'"),
        ("[drivers]\ndisable = ['capability']\n", "'drivers'"),
    ],
)
def test_an_intervention_that_also_assumes_would_need_a_refit(write, text, key):
    write("mine.toml", OFF + text)
    (problem,) = problems_of("mine.toml")
    assert problem.startswith("mine.toml:3: ") and key in problem
    assert "needs a run of its own (a refit)" in problem and 'make the kind "assume"' in problem


@pytest.mark.parametrize("text", ["", "intervene = []\n"])
def test_an_intervention_without_a_change_is_refused(write, text):
    write("mine.toml", f'kind = "intervene"\n{text}')
    (problem,) = problems_of("mine.toml")
    assert problem.startswith("mine.toml:") and "there is nothing to change" in problem


@pytest.mark.parametrize("text", ["", "[priors]\n", 'description = "x"\n'])
def test_an_assumption_of_nothing_is_refused(write, text):
    write("mine.toml", f'kind = "assume"\n{text}')
    (problem,) = problems_of("mine.toml")
    assert problem.startswith("mine.toml:1: kind: there is nothing to assume")


def test_an_assumption_of_changes_alone_is_told_its_kind(write):
    write("mine.toml", OFF.replace('"intervene"', '"assume"', 1))
    assert 'its kind is "intervene"' in problems_of("mine.toml")[0]


def test_a_scenario_extends_nothing(write):
    write("mine.toml", OFF + 'extends = "default"\n')
    (problem,) = problems_of("mine.toml")
    assert problem.startswith("mine.toml:3: extends") and "--priors" in problem


def test_an_unknown_name_is_answered_with_the_nearest():
    (problem,) = problems_of("no-control")
    assert "there is no scenario" in problem and "did you mean 'no-controls'?" in problem


def test_a_worldview_is_not_a_scenario():
    (problem,) = problems_of("amodei-2025")
    assert "is a worldview, not a scenario; name it with --priors" in problem


def test_two_files_of_one_name_are_refused(write):
    write("mine.toml", OFF)
    write("other/mine.toml", OFF)
    (problem,) = problems_of("mine.toml", "other/mine.toml")
    assert problem.startswith("other/mine.toml: another scenario is called 'mine'")


def test_problems_of_all_files_are_said_at_once(write):
    write("one.toml", OFF.replace('"off"', '"of"'))
    write("two.toml", OFF + "sed = 3\n")
    problems = problems_of("one.toml", "two.toml", "three.toml")
    assert [problem.partition(":")[0] for problem in problems] == ["one.toml", "two.toml", "three.toml"]
    assert problems[0].startswith("one.toml:2: ") and "did you mean 'seed'" in problems[1]
