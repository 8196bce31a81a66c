"""Correlations between priors: reading, layering, what is refused, and the way back to a file."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.worldview import (
    Number,
    correlation_matrix,
    correlations_in_force,
    load_worldview,
    resolve_priors,
)
from tests.worldview.support import COMPLETE, toy_defaults

CONDITIONS = """\
all = [
    { quantity = "training_compute", at_least = "thresholds.compute" },
    { quantity = "time_horizon", at_least = "thresholds.hours" },
]"""
BASE = (
    COMPLETE.replace('quantity = "training_compute"\nat_least = "thresholds.compute"', CONDITIONS)
    + 'hours = { distribution = "LogNormal", p05 = 99, p95 = 9999, unit = "work hour", source = "s" }\n'
)
SHARE, GROWTH = '"toy.share"', '"toy.growth[china]"'


def entry(name, one, other, strength, more=""):
    return (
        f"[correlations.{name}]\nbetween = [{one}, {other}]\ncorrelation = {strength}\n"
        f'source = "a test"\n{more}'
    )


@pytest.fixture(autouse=True)
def base(write):
    """A worldview with two thresholds, under every other file of this module."""
    write("base.toml", BASE)


def resolved(*files, **kwargs):
    view = load_worldview("base.toml", *files, **kwargs)
    return view, resolve_priors(view, toy_defaults())


def problems_of(*files, **kwargs):
    with pytest.raises(InputError) as caught:
        resolved(*files, **kwargs)
    assert caught.value.exit_code == 2
    return caught.value.problems


def problem_of(write, text, **kwargs):
    write("a.toml", text)
    (problem,) = problems_of("a.toml", **kwargs)
    return problem


# Reading -----------------------------------------------------------------------------------------


def test_an_entry_reads_into_two_numbers_and_a_correlation(write):
    write("a.toml", entry("money", SHARE, '"toy.licensed[china,late]"', 0.4))
    view, _ = resolved("a.toml")
    (one,) = view.correlations
    assert (one.name, one.correlation, one.source) == ("money", 0.4, "a test")
    assert one.between == (Number("toy", "share"), Number("toy", "licensed", "china, late"))
    assert [str(member) for member in one.between] == ["toy.share", "toy.licensed[china, late]"]
    assert str(one.origin()) == "a.toml:2: [correlations.money] between"
    assert str(one.origin("correlation")) == "a.toml:3: [correlations.money] correlation"


def test_a_threshold_is_named_as_conditions_name_it(write):
    write("a.toml", entry("t", SHARE, '"thresholds.compute"', -0.5))
    view, found = resolved("a.toml")
    assert view.correlations[0].between[1] == Number("thresholds", "compute")
    assert correlations_in_force(view, found) == view.correlations


def test_no_correlation_is_the_default_and_leaves_the_file_as_it_was():
    view, _ = resolved()
    assert view.correlations == () and "correlations" not in view.to_toml()


def test_a_worldview_with_correlations_reads_back_equal_from_its_own_text(write):
    text = entry("t", SHARE, '"thresholds.compute"', -0.5) + entry("money", SHARE, GROWTH, 0.25)
    write("a.toml", text)
    view, _ = resolved("a.toml", overrides=["correlations.money.correlation=0.125"])
    write("again.toml", view.to_toml())
    again = load_worldview("again.toml")
    assert again == view and [one.correlation for one in again.correlations] == [-0.5, 0.125]
    assert again.to_toml() == view.to_toml()
    assert dataclasses.replace(view, correlations=()).to_toml() != view.to_toml()


def test_the_matrix_has_the_correlations_at_their_places_and_zero_elsewhere(write):
    write("a.toml", entry("x", SHARE, GROWTH, 0.4) + entry("y", '"toy.discount[china]"', SHARE, -0.2))
    view, _ = resolved("a.toml")
    share, growth, discount = (
        Number("toy", "share"),
        Number("toy", "growth", "china"),
        Number("toy", "discount", "china"),
    )
    matrix = correlation_matrix(view.correlations, [share, growth, discount])
    assert matrix.tolist() == [[1, 0.4, -0.2], [0.4, 1, 0], [-0.2, 0, 1]]
    assert np.array_equal(correlation_matrix(view.correlations, [growth, discount]), np.eye(2))


# Layers ------------------------------------------------------------------------------------------


def test_layers_merge_by_the_entrys_name_and_a_later_one_replaces_it_whole(write):
    write("a.toml", entry("one", SHARE, GROWTH, 0.4) + entry("two", SHARE, '"toy.discount[china]"', 0.1))
    write("b.toml", entry("one", GROWTH, '"toy.discount[china]"', -0.3))
    view, _ = resolved("a.toml", "b.toml")
    assert {one.name: one.correlation for one in view.correlations} == {"one": -0.3, "two": 0.1}
    assert view.correlations[0].between[0] == Number("toy", "growth", "china")
    assert view.correlations[0].origin("correlation").place == "b.toml:3"


def test_one_key_is_set_from_the_command_line_and_in_a_files_set_table(write):
    write("a.toml", entry("one", SHARE, GROWTH, 0.4))
    view, _ = resolved("a.toml", overrides=["correlations.one.correlation=0.2"])
    assert view.correlations[0].correlation == 0.2
    option = "--set correlations.one.correlation=0.2"
    assert str(view.correlations[0].origin("correlation")) == f"{option}: [correlations.one] correlation"
    assert view.correlations[0].origin().place == "a.toml:2"
    write("b.toml", '[set]\n"correlations.one.correlation" = 0.3\n')
    view, _ = resolved("a.toml", "b.toml")
    assert view.correlations[0].correlation == 0.3
    assert view.correlations[0].origin("correlation").place == "b.toml:2"


def test_a_replaced_entry_forgets_where_its_single_keys_were_set(write):
    write("a.toml", entry("one", SHARE, GROWTH, 0.4) + '[set]\n"correlations.one.correlation" = 0.3\n')
    write("b.toml", entry("one", SHARE, GROWTH, 0.1))
    view, _ = resolved("a.toml", "b.toml")
    assert view.correlations[0].correlation == 0.1
    assert view.correlations[0].origin("correlation").place == "b.toml:3"


def test_a_whole_entry_may_be_set(write):
    write("a.toml", "seed = 1\n")
    value = '{ between = ["toy.share", "toy.growth[china]"], correlation = 0.5, source = "me" }'
    view, _ = resolved("a.toml", overrides=[f"correlations.new={value}"])
    assert view.correlations[0].correlation == 0.5 and view.correlations[0].source == "me"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("correlations.on.correlation=0.2", "'on' is not known (did you mean 'one'?)"),
        ("correlations.one.correlatoin=0.2", "'correlatoin' is not known (did you mean 'correlation'?)"),
        ("correlations.one.correlation.x=0.2", "correlations.one.correlation is no table"),
        ("correlations.one=0.2", "is a table: set its keys"),
        ("correlations.one.correlation=1.5", "must be a number above -1 and below 1, got 1.5"),
    ],
)
def test_a_key_that_leads_nowhere_is_refused_with_the_nearest(write, override, said):
    write("a.toml", entry("one", SHARE, GROWTH, 0.4))
    (problem,) = problems_of("a.toml", overrides=[override])
    assert problem.startswith(f"--set {override}: ") and said in problem


def test_correlations_of_a_bloc_that_a_later_layer_takes_away_go_with_it_and_are_noted(write):
    write("a.toml", entry("one", SHARE, GROWTH, 0.4) + entry("two", SHARE, '"toy.growth[us_allies]"', 0.1))
    write("b.toml", '[blocs]\nus_allies = "US"\n')
    view, _ = resolved("a.toml", "b.toml")
    assert [one.name for one in view.correlations] == ["two"]
    assert "[correlations.one] of a.toml:2 is left out: china is no bloc any more" in view.notes
    write("c.toml", entry("three", SHARE, GROWTH, 0.4))
    (problem,) = problems_of("a.toml", "b.toml", "c.toml")
    assert "c.toml:2: [correlations.three] between: toy.growth has one number per bloc" in problem


def test_correlations_with_a_threshold_that_no_milestone_reads_any_more_are_left_out_and_noted(write):
    write("a.toml", entry("one", SHARE, '"thresholds.hours"', 0.4))
    replaced = '[milestones.agi]\nquantity = "training_compute"\nat_least = "thresholds.compute"\n'
    write("b.toml", replaced)
    view, _ = resolved("a.toml", "b.toml")
    assert view.correlations == ()
    assert any("left out: no milestone reads thresholds.hours any more" in n for n in view.notes)


def test_correlations_of_a_disabled_driver_have_no_effect(write):
    write("a.toml", entry("one", SHARE, '"thresholds.compute"', 0.4))
    view, found = resolved("a.toml", disable=["toy"])
    assert len(view.correlations) == 1 and correlations_in_force(view, found) == ()


# What is refused ---------------------------------------------------------------------------------


def test_all_problems_of_a_file_are_told_at_once_with_line_and_key(write):
    text = (
        "[correlations.one]\nbetween = [1, 2]\ncorrelation = 1\n"
        '[correlations.two]\nbetween = ["toy.share"]\ncorrelation = true\nsource = " "\n'
        '[correlations.three]\nbetween = ["toy.share", "toy"]\ncorelation = 0.1\nsource = 4\n'
        "[correlations]\n2x = 3\n"
    )
    write("a.toml", text)
    problems = problems_of("a.toml")
    for expected in (
        "a.toml:2: [correlations.one] between: between must name two numbers",
        "a.toml:3: [correlations.one] correlation: correlation must be a number above -1 and below 1, got 1",
        "a.toml:1: [correlations] one: source is missing",
        "a.toml:5: [correlations.two] between: between must name two numbers",
        "a.toml:6: [correlations.two] correlation: correlation must be a number above -1 and below 1, got T",
        "a.toml:7: [correlations.two] source: source is missing",
        "a.toml:9: [correlations.three] between: 'toy' names no number",
        "a.toml:10: [correlations.three] corelation: nothing reads this key (did you mean 'correlation'?)",
        "a.toml:11: [correlations.three] source: must be text, got 4",
        "a.toml:8: [correlations] three: correlation must be a number above -1 and below 1, it is missing",
        "a.toml:13: [correlations] 2x: must be a table, got 3",
        "a.toml:13: [correlations] 2x: a name has letters",
    ):
        assert any(problem.startswith(expected) for problem in problems), (expected, problems)


@pytest.mark.parametrize("strength", ["1", "-1", "1.5", "inf", "nan", '"0.3"', "true"])
def test_a_correlation_lies_strictly_between_minus_one_and_one(write, strength):
    assert "must be a number above -1 and below 1" in problem_of(write, entry("x", SHARE, GROWTH, strength))


def test_a_number_is_not_correlated_with_itself(write):
    said = problem_of(write, entry("x", GROWTH, GROWTH, 0.3))
    assert "toy.growth[china] cannot be correlated with itself" in said


def test_a_pair_is_given_once_whatever_its_order_and_the_later_layer_is_to_blame(write):
    write("a.toml", entry("one", SHARE, GROWTH, 0.3))
    write("b.toml", entry("two", GROWTH, SHARE, 0.2))
    (problem,) = problems_of("a.toml", "b.toml")
    assert problem.startswith("b.toml:2: [correlations.two] between: ")
    assert "are correlated by [correlations.one] of a.toml:2 already; use its name to replace it" in problem


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("toy.shar", "driver 'toy' has no parameter 'shar' (did you mean 'share'?)"),
        ("tog.share", "there is no driver 'tog' (did you mean 'toy'?)"),
        ("thresholds.hour", "there is no threshold 'hour' (did you mean 'hours'?)"),
        ("thresholds.hours[china]", "a threshold is one number: write thresholds.hours"),
        ("toy.growth", "has one number per bloc: write toy.growth[us_allies] or toy.growth[china]"),
        ("toy.growth[chna]", "toy.growth[chna] is none of them; write toy.growth[us_allies] or"),
        ("toy.discount", "has one number per bloc: write toy.discount[china]"),
        ("toy.discount[us_allies]", "toy.discount[us_allies] is none of them; write toy.discount[china]"),
        (
            "toy.licensed[late]",
            "has one number per bloc and epoch: toy.licensed[late] is none of them; "
            "write toy.licensed[china, early] or toy.licensed[china, late]",
        ),
        ("toy.share[china]", "toy.share is one number: write it without brackets"),
        ("toy.life", "toy.life is a constant, and a constant correlates with nothing"),
        ("toy.share[]", "'toy.share[]' names no number"),
        ("share", "'share' names no number: write driver.parameter"),
    ],
)
def test_a_name_that_is_no_number_is_refused_and_says_what_to_write(write, member, said):
    other = '"toy.level[china]"'
    problem = problem_of(write, entry("x", f'"{member}"', other, 0.3))
    assert problem.startswith("a.toml:2: [correlations.x] between: ") and said in problem


def test_a_correlation_of_zero_stands_in_no_constants_way(write):
    write("a.toml", entry("x", SHARE, GROWTH, 0.3))
    constant = '{ value = 0.4, unit = "share", source = "fixed" }'
    overrides = [f"priors.toy.share={constant}"]
    (problem,) = problems_of("a.toml", overrides=overrides)
    assert "set correlations.x.correlation to 0" in problem
    view, found = resolved("a.toml", overrides=[*overrides, "correlations.x.correlation=0"])
    assert correlations_in_force(view, found) == ()


def test_correlations_that_cannot_all_hold_are_refused_with_eigenvalue_and_what_to_do(write):
    """Of three numbers two pairs are at 0.8 and the third at 0: the smallest eigenvalue is 1 - 0.8 sqrt 2."""
    discount = '"toy.discount[china]"'
    text = entry("ab", SHARE, GROWTH, 0.8) + entry("bc", GROWTH, discount, 0.8)
    problem = problem_of(write, text)
    assert problem.startswith("a.toml:7: [correlations.bc] correlation: ")
    assert (
        "toy.share, toy.growth[china], toy.discount[china] ([correlations.ab], [correlations.bc])" in problem
    )
    assert f"smallest eigenvalue is {1 - 0.8 * np.sqrt(2):.3g} and must be above 0" in problem
    assert "give toy.share with toy.discount[china] a correlation too" in problem
    assert "all of them times 0.88" in problem
    write("a.toml", text + entry("ac", SHARE, discount, 0.6))
    assert len(resolved("a.toml")[0].correlations) == 3
    scaled = entry("ab", SHARE, GROWTH, 0.8 * 0.88) + entry("bc", GROWTH, discount, 0.8 * 0.88)
    write("a.toml", scaled)
    assert len(resolved("a.toml")[0].correlations) == 2


def test_only_the_group_that_cannot_hold_is_named(write):
    level, licensed = '"toy.level[china]"', '"toy.licensed[china, late]"'
    text = (
        entry("fine", level, licensed, 0.95)
        + entry("ab", SHARE, GROWTH, 0.8)
        + entry("bc", GROWTH, '"toy.discount[china]"', 0.8)
    )
    assert "toy.level" not in problem_of(write, text)


def test_problems_of_priors_and_of_correlations_are_told_together(write):
    write("a.toml", "[priors.toy]\nshare = { value = 1, unit = 'year', source = 's' }\n" + entry(
        "x", '"toy.shar"', GROWTH, 0.3) + entry("y", SHARE, GROWTH, 0.3))  # fmt: skip
    problems = problems_of("a.toml")
    assert len(problems) == 2
    assert "is in 'year'" in problems[0] and "no parameter 'shar'" in problems[1]
