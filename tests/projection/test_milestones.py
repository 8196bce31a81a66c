"""Milestones on draws: units, success rates, unreachable levels, and what has not been crossed yet."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.projection import project
from tests.toys import WORLDVIEW, constant, draws_of, driver, future, spec_of, worldview

HEAD = WORLDVIEW[: WORLDVIEW.index("[milestones.big]")]
K = 'k = { distribution = "Normal", mu = 0, sigma = 1, unit = "OOM", source = "t" }'


def ramp(name="ramp", quantity="length", unit="minute", success=None, **fields):
    """A quantity that rises by one a year from 0 at 2024, the same in every draw."""
    from forecast.driver import provides

    def base(self, m):
        return m.years + 0.0 * m["k"]

    return driver(name, K, base=provides(quantity, unit=unit, success=success, **fields)(base))


def projected(tmp_path, milestones, *drivers, size=50, seed=11):
    view = worldview(tmp_path, HEAD + milestones)
    graph = future(spec_of(view, *(drivers or (ramp(),))), horizon=view.horizon)
    return project(
        graph,
        draws_of(graph, size),
        chains=2,
        milestones=view.milestones,
        thresholds=view.thresholds,
        seed=seed,
    )


def refused(tmp_path, milestones, *drivers):
    with pytest.raises(InputError) as caught:
        projected(tmp_path, milestones, *drivers)
    return str(caught.value)


def single(level, quantity="length", extra=""):
    return f'[milestones.m]\nquantity = "{quantity}"\nat_least = {{ {level}, source = "t" }}\n{extra}\n'


@pytest.mark.parametrize(
    ("level", "when"),
    [
        ('value = 1e4, unit = "minute"', 2028.0),
        ('value = 4, unit = "log10 minute"', 2028.0),
        ('value = 100, unit = "work hour"', 2024 + np.log10(6000)),
        ('value = 1, unit = "work month"', 2024 + np.log10(167 * 60)),
    ],
)
def test_a_threshold_in_another_unit_is_converted_to_the_quantitys_scale(tmp_path, level, when):
    found = projected(tmp_path, single(level)).crossings["m"].values
    assert found.shape == (2, 25, 2)
    assert found == pytest.approx(np.full((2, 25, 2), when), abs=1e-9)


def test_a_linear_quantity_is_compared_as_it_is(tmp_path):
    index = ramp(quantity="index", unit="index point", linear=True)
    found = projected(tmp_path, single('value = 2.5, unit = "index point"', "index"), index)
    assert found.crossings["m"].values == pytest.approx(np.full((2, 25, 2), 2026 + 181 / 365), abs=0.01)


def test_a_threshold_in_place_is_drawn_and_a_named_one_is_shared(tmp_path):
    text = """\
[milestones.one]
quantity = "length"
at_least = "thresholds.t"
[milestones.two]
all = [{ quantity = "length", at_least = "thresholds.t" }]
[milestones.own]
quantity = "length"
at_least = { distribution = "Normal", mu = 4, sigma = 0.5, unit = "log10 minute", source = "t" }
[thresholds]
t = { distribution = "Normal", mu = 4, sigma = 0.5, unit = "log10 minute", source = "t" }
"""
    found = projected(tmp_path, text, size=2000)
    one, two, own = (found.crossings[name].values for name in ("one", "two", "own"))
    assert np.array_equal(one, two)
    assert np.all(one[..., 0] != own[..., 0])
    # Standard error 0.011; four of them.
    assert own[..., 0].mean() == pytest.approx(2028.0, abs=0.045)
    assert found.thresholds["t"] == pytest.approx(one[..., 0].ravel() - 2024, abs=1e-3)


def test_an_unknown_quantity_is_named_with_the_nearest_and_its_place(tmp_path):
    words = refused(tmp_path, single('value = 1, unit = "minute"', "lenght"))
    assert "no loaded driver provides the quantity 'lenght' (did you mean 'length'?)" in words
    assert "toys.toml:17: [milestones.m] quantity" in words


def test_a_threshold_in_a_unit_of_another_kind_is_refused(tmp_path):
    words = refused(tmp_path, single('value = 1, unit = "FLOP"'))
    assert "does not fit length [minute]" in words and "[milestones.m] at_least" in words


@pytest.mark.parametrize(
    ("quantity", "words"), [(0.5, "length is about 0.5"), (None, "length is about none")]
)
def test_a_threshold_about_another_success_rate_is_refused(tmp_path, quantity, words):
    found = refused(tmp_path, single('value = 1, unit = "minute", success = 0.8'), ramp(success=quantity))
    assert "the threshold is about a success rate of 0.8" in found and words in found


def test_a_threshold_about_the_same_success_rate_is_accepted(tmp_path):
    projected(tmp_path, single('value = 1, unit = "minute", success = 0.8'), ramp(success=0.8))


def test_every_problem_of_the_milestones_is_said_at_once(tmp_path):
    text = single('value = 1, unit = "FLOP"') + single('value = 1, unit = "minute"', "nope").replace(
        ".m]", ".n]"
    )
    assert len(refused(tmp_path, text).splitlines()) == 2


def test_the_unreachable_share_of_draws_never_crosses_for_any_bloc(tmp_path):
    text = single('value = 1e4, unit = "minute"', extra="unreachable = 0.25")
    never = np.isinf(projected(tmp_path, text, size=4000).crossings["m"].values)
    assert np.array_equal(never[..., 0], never[..., 1])
    # Standard error 0.0068; four of them.
    assert never[..., 0].mean() == pytest.approx(0.25, abs=0.028)


def test_a_mixture_chooses_by_weight_and_its_parts_differ(tmp_path):
    text = """\
[milestones.m]
mixture = [
  { weight = 0.3, quantity = "length", at_least = { value = 3, unit = "log10 minute", source = "t" } },
  { weight = 0.7, quantity = "length", at_least = { value = 5, unit = "log10 minute", source = "t" } },
]
"""
    found = projected(tmp_path, text, size=4000).crossings["m"].values
    assert set(np.round(found.ravel(), 6)) == {2027.0, 2029.0}
    # Standard error 0.0072; four of them.
    assert np.mean(found[..., 0] < 2028) == pytest.approx(0.3, abs=0.029)


def test_the_parts_of_a_milestone_are_dated_apart(tmp_path):
    text = """\
[milestones.m]
all = [
  { quantity = "length", at_least = { value = 3, unit = "log10 minute", source = "t" } },
  { quantity = "length", at_least = { value = 4, unit = "log10 minute", source = "t" } },
]
"""
    found = projected(tmp_path, text)
    assert np.all(found.conditions["m.0"].values == pytest.approx(2027.0))
    assert np.all(found.conditions["m.1"].values == pytest.approx(2028.0))
    assert np.all(found.crossings["m"].values == pytest.approx(2028.0))


@pytest.mark.parametrize("condition", ["leaf", "mixture"])
def test_a_milestone_of_one_part_and_that_part_have_the_same_dates(tmp_path, condition):
    leaf = 'quantity = "length", at_least = {{ {}, unit = "log10 minute", source = "t" }}'.format
    ways = f"{{ weight = 0.5, {leaf('value = 3')} }}, {{ weight = 0.5, {leaf('value = 5')} }}"
    only = leaf('distribution = "Uniform", lower = 2, upper = 5').replace(", at_least", "\nat_least")
    text = f"[milestones.m]\n{only if condition == 'leaf' else f'mixture = [{ways}]'}\n"
    found = projected(tmp_path, text)
    assert np.array_equal(found.conditions["m.0"].values, found.crossings["m"].values)
    assert found.crossings["m"].values.std() > 0


def test_exactly_the_draws_in_which_a_bloc_crossed_by_the_end_of_the_as_of_date_are_set_aside(tmp_path):
    text = """\
[milestones.m]
not_yet_crossed = true
quantity = "length"
at_least = "thresholds.t"
[milestones.passed]
quantity = "length"
at_least = { value = 0, unit = "log10 minute", source = "t" }
[thresholds]
t = { distribution = "Uniform", lower = 2, upper = 3, unit = "log10 minute", source = "t" }
"""
    found = projected(tmp_path, text, size=2000).crossings
    dates, accepted = found["m"].values, found["accepted"].values
    assert accepted.shape == (2, 1000) and accepted.dtype == bool
    assert np.array_equal(accepted, np.all(dates > 2026 + 181 / 365, axis=-1))  # the end of 2026-06-30
    # The ramp is at 2.4959 then: a share of 0.504 of the levels is still ahead. Four errors of 0.011.
    assert accepted.mean() == pytest.approx(0.504, abs=0.045)
    assert np.all(found["passed"].values == pytest.approx(2024.0))


def test_one_bloc_is_enough_to_set_a_draw_aside(tmp_path):
    def base(self, m):
        return m.years + m["k"] * np.array([[0.0], [100.0]])

    from forecast.driver import provides

    one = driver("ramp", K, base=provides("length", unit="minute")(base))
    text = single('value = 4, unit = "log10 minute"', extra="not_yet_crossed = true")
    found = projected(tmp_path, text, one, size=400).crossings
    assert np.all(found["m"].values[..., 0] == pytest.approx(2028.0))
    early = found["m"].values[..., 1] <= 2026 + 181 / 365
    assert 0.3 < early.mean() < 0.7
    assert np.array_equal(found["accepted"].values, ~early)


def test_a_crossing_after_the_horizon_is_never(tmp_path):
    """The grid ends at a month start; the horizon may lie before it."""
    view = worldview(tmp_path, HEAD + single('value = 6.44, unit = "log10 minute"')).replace(
        horizon="2030-06-05"
    )
    graph = future(spec_of(view, ramp()), horizon=view.horizon)
    found = (
        project(
            graph,
            draws_of(graph, 4),
            chains=1,
            milestones=view.milestones,
            thresholds={},
            seed=1,
            horizon=view.horizon,
        )
        .crossings["m"]
        .values
    )
    assert np.all(np.isinf(found)), found[0, 0]  # 2030.44 is 2030-06-10


def test_draws_do_not_change_with_another_milestone_beside(tmp_path):
    text = single('value = 1e4, unit = "minute"', extra="unreachable = 0.25")
    other = text.replace(".m]", ".a]").replace("1e4", "1e3").replace("0.25", "0.5")
    alone, beside = projected(tmp_path, text), projected(tmp_path, other + text)
    assert np.array_equal(alone.crossings["m"].values, beside.crossings["m"].values)


def test_an_unowned_constant_driver_is_no_trouble(tmp_path):
    still = driver("still", K, base=constant("level", 3.0))
    found = projected(tmp_path, single('value = 2, unit = "log10 FLOP"', "level"), still, ramp())
    assert np.all(found.crossings["m"].values == 2018.0)
