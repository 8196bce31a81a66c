"""How drivers' terms become quantities: pulling, additions, channels, limits, failures, interventions."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.traversal import toposort

from forecast.driver import adds_to, limits, observes, provides
from forecast.errors import InputError, PluginError
from forecast.host import load_host
from forecast.model import Layout, build_graph
from forecast.projection import Evaluator
from tests.toys import (
    AS_OF,
    Boost,
    Line,
    Luck,
    Market,
    constant,
    draws_of,
    driver,
    future,
    spec_of,
    table,
    values,
    worldview,
)

K = 'k = { value = 24, unit = "log10 FLOP", source = "a test" }'
EPOCHS = """\
[epochs]
early = 2018-01-01
late = 2025-04-09
"""


@pytest.fixture
def view(tmp_path):
    return worldview(tmp_path)


def failure(view, *drivers, error=PluginError, changes=()):
    with pytest.raises(error) as caught:
        future(spec_of(view, *drivers), *changes)
    return str(caught.value)


# Pulling -----------------------------------------------------------------------------------------


def test_a_quantity_is_the_same_whichever_driver_comes_first(view):
    def reads(self, m):
        return m["a"] + 1.0

    first = driver("zz", K, base=provides("a", unit="FLOP")(lambda self, m: m["k"]))
    second = driver("aa", base=provides("b", unit="FLOP")(reads))
    for drivers in ((first, second), (second, first)):
        graph = future(spec_of(view, *drivers))
        assert values(graph, "b")["b"][:, [0, -1]] == pytest.approx(np.full((2, 2), 25.0))
        assert graph.quantities["b"].needs == {"a"} and graph.quantities["b"].reads == {("zz", "k")}
        assert graph.needs["aa"] == {"a"}
        built = {one.term.driver: one for one in graph.built}
        assert built["aa"].quantities == {"a"} and built["aa"].parameters == set()
        assert built["zz"].quantities == set() and built["zz"].parameters == {("zz", "k")}


def test_a_line_has_each_blocs_own_level_and_the_common_growth(view):
    graph = future(spec_of(view, Line()))
    draws = draws_of(graph)
    found = values(graph, "compute", draws=draws)["compute"]
    level, growth = draws["line", "level"][0], draws["line", "growth"][0]
    assert found == pytest.approx(level + growth * (graph.decimal[None, :] - 2024.0))
    assert level.shape == (2, 1) and level[0, 0] != level[1, 0]


def test_an_addition_adds_once_to_every_month(view):
    plain, boosted = (future(spec_of(view, *drivers)) for drivers in ((Line(),), (Line(), Boost())))
    gain = values(boosted, "compute")["compute"] - values(plain, "compute")["compute"]
    assert gain == pytest.approx(np.full_like(gain, 0.25))


def test_an_addition_whose_parameter_a_bloc_lacks_leaves_that_bloc_alone(view):
    text = 'g = { value = 0.5, unit = "OOM", blocs = ["china"], source = "a test" }'
    extra = driver("extra", text, more=adds_to("a")(lambda self, m: m["g"]))
    found = values(future(spec_of(view, driver("d", base=constant("a", 3.0)), extra)), "a")["a"]
    assert found[:, 5] == pytest.approx([3.0, 3.5])


def test_a_quantity_nobody_provides_is_none_for_get(view):
    seen = []

    def base(self, m):
        seen.append(m.get("nowhere"))
        return m["k"]

    future(spec_of(view, driver("d", K, base=provides("a", unit="FLOP")(base))))
    assert seen == [None]


def test_a_parameter_of_another_driver_is_read_by_its_full_name(view):
    first = driver("first", K, base=constant("a", 1.0))
    second = driver("second", base=provides("b", unit="FLOP")(lambda self, m: m["first.k"] + 1.0))
    assert values(future(spec_of(view, first, second)), "b")["b"][0, 0] == pytest.approx(25.0)


# Channels ----------------------------------------------------------------------------------------


def test_channels_add_up_linearly_and_a_bloc_without_any_is_not_limited(view):
    graph = future(spec_of(view, driver("d", base=constant("compute", 26.0)), Market()))
    total = np.log10(1e24 + 1e23)
    found = values(graph, "supply", "compute")
    assert found["supply"][1] == pytest.approx(np.full(len(graph.decimal), total))
    assert found["compute"][0] == pytest.approx(np.full(len(graph.decimal), 26.0), abs=1e-12)
    assert found["compute"][1] == pytest.approx(total, abs=1e-8)
    assert graph.quantities["supply"].present.tolist() == [False, True]


def test_one_channel_is_read_as_a_linear_flow_and_zero_where_a_bloc_lacks_it(view):
    def flow(self, m):
        return m.channel("supply", "grey")

    reader = driver("reader", base=provides("grey_flow", unit="FLOP", linear=True)(flow))
    found = values(future(spec_of(view, Market(), reader, Line())), "grey_flow")["grey_flow"]
    assert found[:, 0] == pytest.approx([0.0, 1e23])


def test_a_missing_channel_is_named_with_those_that_exist(view):
    reader = driver("reader", base=provides("x", unit="FLOP")(lambda self, m: m.channel("supply", "gray")))
    words = failure(view, Market(), reader, Line())
    assert "driver 'reader'" in words and "no channel 'gray'; it has grey, home" in words.replace(
        "home, grey", "grey, home"
    )


def test_the_gradient_through_missing_and_shut_channels_is_finite(view):
    """log10(0) in one branch would make the gradient NaN in the other."""
    text = """\
home = { distribution = "Normal", mu = 24, sigma = 1, unit = "log10 FLOP", blocs = ["china"], source = "t" }
"""
    market = driver(
        "market",
        text,
        supply=provides("supply", unit="FLOP", channels=True)(lambda self, m: None),
        home=adds_to("supply", channel="home")(lambda self, m: m["home"]),
        supplied=limits("compute")(lambda self, m: m["supply"]),
    )
    spec = spec_of(view, Line(), market)
    for changes in ([], [{"channel": "home", "of": "supply", "scale": 0}]):
        graph = future(spec, *changes)
        inputs = list(graph.parameters.values())
        gradient = pt.grad(pt.sum(graph.quantities["compute"].tensor), inputs, disconnected_inputs="ignore")
        data = [symbol for symbol, _ in graph.data.values()]
        function = pytensor.function(
            [*inputs, *data],
            gradient,
            mode=Mode(linker="py", optimizer="fast_compile"),
            on_unused_input="ignore",
        )
        draws = draws_of(graph)
        found = function(*(draws[key][0] for key in graph.parameters), *(v for _, v in graph.data.values()))
        assert all(np.all(np.isfinite(part)) for part in found)


# Limits ------------------------------------------------------------------------------------------


def limited(view, *bounds, base=10.0, sharpness=4.0):
    def bound(value):
        return limits("a")(lambda self, m: value)

    owner = driver("owner", base=constant("a", base, sharpness=sharpness))
    others = [driver(f"cap{number}", cap=bound(value)) for number, value in enumerate(bounds)]
    return values(future(spec_of(view, owner, *others)), "a")["a"][0, 0]


@pytest.mark.parametrize("sharpness", [1.0, 4.0])
def test_limits_enter_one_softmin_of_the_stated_sharpness(view, sharpness):
    found = limited(view, 10.0, base=10.0, sharpness=sharpness)
    assert found == pytest.approx(10.0 - np.log10(2) / sharpness, abs=1e-12)


def test_two_equal_limits_are_one_softmin_of_three_and_not_two_in_a_row_of_the_bent_base(view):
    assert limited(view, 10.0, 10.0) == pytest.approx(10.0 - np.log10(3) / 4, abs=1e-12)
    far = limited(view, 8.0, 8.0)
    assert far == pytest.approx(-np.log10(10.0**-40 + 2 * 10.0**-32) / 4, abs=1e-12)


def test_a_limit_far_above_changes_nothing(view):
    assert limited(view, 40.0) == 10.0


def test_an_addition_comes_before_the_limits(view):
    owner = driver("owner", base=constant("a", 10.0))
    more = driver("more", more=adds_to("a")(lambda self, m: 1.0))
    cap = driver("cap", cap=limits("a")(lambda self, m: 11.0))
    found = values(future(spec_of(view, owner, more, cap)), "a")["a"][0, 0]
    assert found == pytest.approx(11.0 - np.log10(2) / 4, abs=1e-12)


# What goes wrong ---------------------------------------------------------------------------------


def test_a_cycle_is_printed_with_its_path(view):
    one = driver("one", base=provides("a", unit="FLOP")(lambda self, m: m["b"]))
    two = driver("two", base=provides("b", unit="FLOP")(lambda self, m: m["c"]))
    three = driver("three", more=adds_to("c")(lambda self, m: m["a"]), base=constant("c", 0.0))
    words = failure(view, one, two, three)
    assert "circle: a -> b -> c -> a" in words
    assert words.startswith("driver 'three' of this Python session: ")


def test_a_missing_quantity_is_named_with_the_nearest_one_and_the_driver(view):
    bad = driver("bad", base=provides("x", unit="FLOP")(lambda self, m: m["compte"]))
    words = failure(view, Line(), bad)
    assert words.startswith("driver 'bad' of this Python session: ")
    assert "it asks for 'compte'" in words and "did you mean 'compute'?" in words


def test_what_needs_a_driver_that_was_left_out_is_the_users_to_leave_out_too(view):
    bad = driver("bad", base=provides("x", unit="FLOP")(lambda self, m: m["far"]))
    spec = dataclasses.replace(spec_of(view, Line(), bad), disabled=("distance",))
    with pytest.raises(InputError, match=r"driver 'bad'.*'far'.*left out: distance.*--without bad"):
        future(spec)


def test_an_unknown_parameter_is_named_with_the_nearest_one(view):
    bad = driver(
        "bad",
        'level_now = { value = 1, unit = "FLOP", source = "t" }',
        base=provides("x", unit="FLOP")(lambda self, m: m.parameter("level_no")),
    )
    words = failure(view, bad)
    assert "'level_no'" in words and "did you mean 'level_now'?" in words and "driver 'bad'" in words


def test_two_owners_of_a_quantity_are_both_named():
    with pytest.raises(PluginError) as caught:
        load_host(drivers=[Line(), driver("twin", base=constant("compute", 1.0))], entry_points=False)
    words = str(caught.value)
    assert "quantity 'compute' is provided by two drivers" in words
    assert "'line'" in words and "'twin'" in words and "--without twin" in words


def test_two_drivers_of_one_name_are_refused():
    with pytest.raises(PluginError, match="two drivers are called 'line'"):
        load_host(drivers=[Line(), Line()], entry_points=False)


def test_an_exception_inside_a_term_is_named_with_method_quantity_driver_and_distribution(view):
    def broken(self, m):
        return 1 / 0

    words = failure(view, driver("bad", base=provides("x", unit="FLOP")(broken)))
    assert words == (
        "driver 'bad' of this Python session: base (base of x) failed: ZeroDivisionError: division by zero"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros(2), "it has one axis; use (bloc, 1), (1, time) or (bloc, time)"),
        (np.zeros((3, 1)), "does not fit (bloc, time) with 2 blocs"),
        (np.zeros((1, 2, 5)), "does not fit (bloc, time) with 2 blocs"),
        (None, "it returned None where a tensor is needed"),
        ("rubbish", "base (base of x) failed"),
    ],
)
def test_a_wrong_shape_or_rubbish_is_named_with_the_driver(view, value, words):
    found = failure(view, driver("bad", base=constant("x", value)))
    assert words in found and "driver 'bad' of this Python session" in found


def test_a_wrong_time_axis_is_named_with_the_driver(view):
    words = failure(view, driver("bad", base=constant("x", np.zeros((2, 7)))))
    assert "driver 'bad'" in words and "(2, 7)" in words


def test_a_base_needs_its_parameter_for_every_bloc(view):
    text = 'only = { value = 1, unit = "FLOP", blocs = ["china"], source = "t" }'
    bad = driver("lame", text, base=provides("x", unit="FLOP")(lambda self, m: m["only"]))
    words = failure(view, bad, error=InputError)
    assert "[priors.lame] only: bloc 'us_allies' has no prior for it, and x needs one" in words
    assert "[priors.lame.by_bloc.us_allies]" in words


def test_a_row_about_no_bloc_cannot_be_placed_on_the_grid(view, tmp_path):
    world = table(tmp_path / "e", csv=table_csv("world"), owner="d")
    bad = driver(
        "d",
        K,
        world,
        base=provides("x", unit="FLOP")(lambda self, m: m["k"]),
        seen=observes("runs")(lambda self, m, data: m.normal(data, mean=m.at(m["x"], data), sd=1.0)),
    )
    words = failure(view, bad)
    assert "row 'A' is about 'world', which is no bloc of the model" in words and "driver 'd'" in words


def table_csv(bloc):
    return (
        "bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note,period_months\n"
        f"{bloc},A,2023-07-01,5e24,FLOP,,,,2023-08-01,,made up,https://example.org,,\n"
    )


# Epochs ------------------------------------------------------------------------------------------


def epochs(view, body):
    base = driver("d", EPOCHS + body, base=provides("a", unit="FLOP")(lambda self, m: m.by_epoch("x")))
    graph = future(spec_of(view, base))
    return graph, values(graph, "a")["a"]


def entry(label, value, blocs=""):
    restricted = f", blocs = [{blocs}]" if blocs else ""
    return f'[by_epoch.{label}]\nx = {{ value = {value}, unit = "FLOP"{restricted}, source = "t" }}\n'


def test_by_epoch_steps_at_the_first_month_start_of_the_new_epoch(view):
    graph, found = epochs(view, entry("early", 1) + entry("late", 2))
    late = graph.months >= np.datetime64("2025-04-09")
    assert found == pytest.approx(np.where(late, 2.0, 1.0) * np.ones((2, 1)))
    assert found[0, np.flatnonzero(late)[0] - 1] == 1.0


def test_an_epoch_differs_by_bloc(view):
    both = '"us_allies", "china"'
    _, found = epochs(view, entry("early", 1, both) + entry("late", 2, both))
    assert found[:, [0, -1]] == pytest.approx(np.array([[1.0, 2.0], [1.0, 2.0]]))


@pytest.mark.parametrize("lacks", ["early", "late"])
def test_a_bloc_without_one_of_the_epochs_never_takes_another_parameters_number(view, lacks):
    """It may be refused, or left out; it may not silently read what belongs to something else."""
    both, one = '"us_allies", "china"', '"china"'
    body = entry("early", 1, one if lacks == "early" else both) + entry(
        "late", 2, one if lacks == "late" else both
    )
    other = 'zz_last = { value = 99, unit = "FLOP", source = "t" }\n'
    base = driver(
        "d",
        other + EPOCHS + body,
        base=provides("a", unit="FLOP")(lambda self, m: m.by_epoch("x") + 0.0 * m["zz_last"]),
    )
    try:
        found = values(future(spec_of(view, base)), "a")["a"]
    except (InputError, PluginError) as error:
        assert "us_allies" in str(error)
    else:
        there = found[0, -1] if lacks == "early" else found[0, 0]
        missing = found[0, 0] if lacks == "early" else found[0, -1]
        assert there == (2.0 if lacks == "early" else 1.0)
        assert np.isnan(missing)


# Interventions -----------------------------------------------------------------------------------


def paired(view, change, *drivers, name="compute", horizon=date(2030, 12, 31)):
    spec = spec_of(view, *drivers)
    before, after = future(spec, horizon=horizon), future(spec, change, horizon=horizon)
    return before, values(before, name)[name], values(after, name)[name]


def test_a_limit_that_is_off_leaves_the_base_after_the_date_and_the_past_alone(view):
    graph, limited_, free = paired(
        view,
        {"limit": "supplied", "bloc": "china", "set": "off", "from": "2028-01-01"},
        driver("d", base=constant("compute", 26.0)),
        Market(),
    )
    past = graph.decimal < 2028.0  # the first day named is the first day changed
    assert free[:, past] == pytest.approx(limited_[:, past], abs=0)
    assert free[1, ~past] == pytest.approx(26.0, abs=1e-12) and limited_[1, -1] < 24.1


def test_a_change_without_a_date_begins_after_the_as_of_date(view):
    graph, before, after = paired(view, {"quantity": "compute", "add": -0.5}, Line())
    future_ = graph.decimal > 2026 + 180 / 365
    assert after[:, ~future_] == pytest.approx(before[:, ~future_], abs=0)
    assert after[:, future_] == pytest.approx(before[:, future_] - 0.5, abs=1e-12)
    assert graph.months[np.flatnonzero(future_)[0]] == np.datetime64("2026-07-01")


def test_a_date_before_the_as_of_date_cannot_change_the_past(view):
    _, before, after = paired(view, {"quantity": "compute", "add": -0.5, "from": "2020-01-01"}, Line())
    assert np.flatnonzero(before[0] != after[0])[0] == 102  # 2026-07, counted from 2018-01


def test_a_quantity_is_set_for_one_bloc_only(view):
    _, before, after = paired(view, {"quantity": "compute", "bloc": "china", "set": 20.0}, Line())
    assert after[0] == pytest.approx(before[0], abs=0)
    assert np.all(after[1, 102:] == 20.0) and after[1, 101] == before[1, 101]


def test_a_quantity_that_is_changed_carries_into_what_reads_it(view):
    twice = driver("twice", base=provides("twice", unit="FLOP")(lambda self, m: m["compute"] + 0.3))
    _, before, after = paired(view, {"quantity": "compute", "add": 1.0}, Line(), twice, name="twice")
    assert (after - before)[:, -1] == pytest.approx([1.0, 1.0])


def test_a_channel_is_scaled_and_may_be_shut(view):
    for scale, total in ((0, 1e24), (0.5, 1.05e24), (3, 1.3e24)):
        _, _, after = paired(
            view,
            {"channel": "grey", "of": "supply", "scale": scale},
            Line(),
            Market(),
            name="supply",
        )
        assert after[1, -1] == pytest.approx(np.log10(total), abs=1e-9)
        assert after[1, 0] == pytest.approx(np.log10(1.1e24), abs=1e-9)


def test_a_channel_is_set_to_a_flow_for_the_blocs_that_have_it(view):
    change = {"channel": "grey", "of": "supply", "set": 5e24, "from": "2028-01-01"}
    before, _, after = paired(view, change, Line(), Market(), name="supply")
    late = before.decimal >= 2028.0
    assert after[1, late] == pytest.approx(np.log10(6e24), abs=1e-9)
    assert after[1, ~late] == pytest.approx(np.log10(1.1e24), abs=1e-9)
    flow = values_of(future(spec_of(view, Line(), Market()), change), "supply", "grey")
    assert np.all(flow[0] == 0.0)  # the bloc without the channel still has none


@pytest.mark.parametrize(("floor", "flow"), [(5e24, 5e24), (5e22, 1e23)])
def test_a_floor_raises_a_channel_that_is_below_it_and_leaves_a_larger_one_alone(view, floor, flow):
    change = {"channel": "grey", "of": "supply", "bloc": "china", "at_least": floor, "from": "2028-01-01"}
    spec = spec_of(view, Line(), Market())
    found = future(spec, change)
    grey = values_of(found, "supply", "grey")
    late = found.decimal >= 2028.0
    assert grey[1, late] == pytest.approx(np.full(late.sum(), flow))
    assert grey[1, ~late] == pytest.approx(np.full((~late).sum(), 1e23))
    del change["bloc"]
    everybody = values_of(future(spec, change), "supply", "grey")
    assert np.all(everybody[0] == 0.0)  # the bloc without the channel still has none


def policy(start=1):
    """A state that switches often."""
    hazards = [[0.0, 2.0, 0.0], [1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]
    states = provides("policy", states=("tight", "as now", "loose"))
    return driver("policy", K, policy=states(lambda self, m: m.switching("policy", hazards, start)))


def test_a_state_that_is_set_holds_from_its_date_on(view):
    spec = spec_of(view, policy())
    change = {"state": "policy", "set": "loose", "from": "2028-01-01"}
    free, fixed = (
        drawn_states(future(spec, *changes, horizon=date(2032, 1, 1))) for changes in ((), (change,))
    )
    late = future(spec, horizon=date(2032, 1, 1)).decimal >= 2028.0
    assert np.all(fixed[:, late] == 2.0) and not np.all(free[:, late] == 2.0)
    assert np.array_equal(free[:, ~late], fixed[:, ~late])
    past = build_graph(spec, AS_OF)
    assert np.all(values(past, "policy")["policy"] == 1.0)


def test_a_state_that_does_not_exist_is_refused_with_the_nearest(view):
    said = failure(view, policy(), error=InputError, changes=[{"state": "policy", "set": "tigt"}])
    assert "no state 'tigt' (did you mean 'tight'?)" in said and "tight, as now, loose" in said
    said = failure(view, Line(), error=InputError, changes=[{"state": "compute", "set": "tight"}])
    assert "it is no state" in said
    said = failure(view, policy(), error=InputError, changes=[{"quantity": "policy", "add": 1}])
    assert "it is a state, which is set by its name" in said


def drawn_states(graph, size=50):
    time = len(graph.decimal)
    rng = np.random.default_rng(4)
    shocks = {"policy.policy": (rng.normal(size=(size, 1, time)), np.zeros((size, 2, time)))}
    return Evaluator(graph, {"policy": graph.quantities["policy"].tensor})(
        draws_of(graph, size), shocks, size=size
    )["policy"][:, 0]


def values_of(graph, quantity, channel):
    return Evaluator(graph, {channel: graph.quantities[quantity].channels[channel]})(draws_of(graph, 1))[
        channel
    ][0]


def test_a_numpy_function_is_refused_where_a_gradient_is_needed(view):
    base = driver(
        "d", K, base=provides("x", unit="FLOP")(lambda self, m: m.numpy(np.positive, m["k"] + 0 * m.years))
    )
    with pytest.raises(PluginError, match=r"call it only if m\.projecting"):
        build_graph(spec_of(view, base), AS_OF)
    assert values(future(spec_of(view, base)), "x")["x"] == pytest.approx(24.0)


def test_a_term_that_is_off_keeps_the_value_it_had(view):
    def base(self, m):
        return m["k"] + m.term("catching_up", 1.0 * m.years + 0.0 * m["k"])

    _, before, after = paired(
        view,
        {"term": "catching_up", "set": "off", "from": "2028-01-01"},
        driver("d", K, base=provides("compute", unit="FLOP")(base)),
    )
    assert before[0, -1] == pytest.approx(24.0 + 7.0)
    assert after[:, 120:] == pytest.approx(28.0)  # 2028-01-01 is four years after 2024-01-01
    assert after[:, :120] == pytest.approx(before[:, :120])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"limit": "suplied", "set": "off"}, "there is no limit 'suplied'; there are supplied"),
        ({"channel": "gray", "of": "supply", "scale": 0}, "there is no channel 'gray' of supply"),
        ({"quantity": "compte", "add": 1}, "there is no quantity 'compte'; there are compute, supply"),
        ({"term": "following", "set": "off"}, "there is no term 'following'; there are none"),
        ({"quantity": "compute", "bloc": "chona", "add": 1}, "unknown bloc 'chona' (did you mean 'china'?)"),
        ({"quantity": "compute"}, "a quantity takes either add or set"),
        ({"quantity": "compute", "add": 1, "set": 2}, "a quantity takes either add or set"),
        ({"quantity": "compute", "add": float("nan")}, "add must be a finite number"),
        ({"quantity": "compute", "add": True}, "add must be a finite number"),
        ({"limit": "supplied"}, 'a limit can only be set = "off"'),
        ({"limit": "supplied", "scale": 0}, "unknown key 'scale'; a limit takes bloc, from, limit, set"),
        ({"channel": "grey", "of": "supply", "scale": -1}, "scale must not be negative"),
        ({"channel": "grey", "scale": 1}, 'a channel needs of = "QUANTITY", and exactly one of'),
        ({"channel": "grey", "of": "supply", "scale": 1, "set": 1}, "exactly one of scale, set and at_least"),
        ({"channel": "grey", "of": "supply", "set": -1}, "a channel cannot be set below zero"),
        ({"channel": "grey", "of": 3, "scale": 1}, "of must be a name"),
        ({"quantity": "compute", "bloc": ["china"], "add": 1}, "bloc must be a name"),
        ({"state": "policy", "set": 2}, 'a state takes set = "NAME OF A STATE"'),
        ({"state": "policy", "bloc": "china", "set": "tight"}, "for all blocs at once"),
        ({"state": "policy", "set": "tight"}, "there is no state 'policy'; there are none"),
        ({"set": "off"}, "name exactly one of limit, channel, quantity, term, state"),
        (
            {"limit": "a", "term": "b", "set": "off"},
            "name exactly one of limit, channel, quantity, term, state",
        ),
        ({"quantity": "compute", "add": 1, "from": "soon"}, "from must be a date like 2027-01-01"),
        ({"quantity": "compute", "add": 10**400}, "add must be a finite number"),
        ({"quantity": "compute", "add": -1e300}, "add must be a finite number"),
        ({"limit": "supplied", "set": "off", "bloc": "us_allies"}, "bloc 'us_allies' has none"),
        ({"quantity": "supply", "add": 1, "bloc": "us_allies"}, "bloc 'us_allies' has none"),
        (
            {"channel": "grey", "of": "supply", "scale": 0, "bloc": "us_allies"},
            "intervention on channel 'grey': bloc 'us_allies' has none, so it would change nothing",
        ),
        (
            {"limit": "supplied", "set": "off", "from": "2031-01-01"},
            "it begins on 2031-01-01, after the horizon 2030-12-31, so it would change nothing",
        ),
    ],
)
def test_a_change_that_fits_nothing_is_refused_in_words(view, change, words):
    assert words in failure(view, Line(), Market(), error=InputError, changes=[change])


@pytest.mark.parametrize("day", [2027, 2027.5, ["2027-01-01"]])
def test_a_from_that_is_no_date_is_refused_in_words(view, day):
    change = {"quantity": "compute", "add": 1, "from": day}
    assert "from must be a date" in failure(view, Line(), error=InputError, changes=[change])


def at_as_of(m):
    """What growth of the future is measured against."""
    return m.at_date(m["compute"], m.as_of_date)


def test_the_value_at_the_as_of_date_is_not_moved_by_a_change_after_it(view):
    """The as-of date lies inside a month whose end is already the future."""
    now = driver("now", now=provides("now", unit="FLOP")(lambda self, m: at_as_of(m)))
    _, before, after = paired(view, {"quantity": "compute", "add": 1.0}, Line(), now, name="now")
    assert after == pytest.approx(before, abs=1e-9)


def test_the_value_at_the_as_of_date_is_not_moved_by_a_shock_after_it(view):
    now = driver("now", now=provides("now", unit="FLOP")(lambda self, m: at_as_of(m)))
    graph = future(spec_of(view, Line(), Luck(), now))
    draws, time = draws_of(graph, 1), len(graph.decimal)
    found = [
        Evaluator(graph, {"now": graph.quantities["now"].tensor})(
            draws, {"luck.luck": (np.full((1, 1, time), size), np.zeros((1, 2, time)))}
        )["now"]
        for size in (0.0, 3.0)
    ]
    assert found[1] == pytest.approx(found[0], abs=1e-9)


# Operations --------------------------------------------------------------------------------------


def operated(view, function, **fields):
    base = driver("d", K, base=provides("x", **({"unit": "FLOP"} | fields))(function))
    graph = future(spec_of(view, base))
    return graph, values(graph, "x")["x"]


def test_at_date_interpolates_within_the_month_and_is_clamped_to_the_grid(view):
    for day, expected in (
        (date(2025, 7, 2), 1 + 182 / 365),
        (date(2010, 1, 1), -6.0),
        (date(2099, 1, 1), 7.0),
        (1.25, 1.25),
    ):
        _, found = operated(view, lambda self, m, day=day: m.at_date(m.years + 0 * m["k"], day))
        assert found == pytest.approx(np.full_like(found, expected), abs=1e-9), day


def test_max_over_blocs_is_the_leaders_value_for_all(view):
    graph = future(
        spec_of(
            view,
            Line(),
            driver("d", b=provides("x", unit="FLOP")(lambda s, m: m.max_over_blocs(m["compute"]))),
        )
    )
    found = values(graph, "x", "compute")
    assert found["x"] == pytest.approx(np.tile(found["compute"].max(axis=0), (2, 1)), abs=0)


def test_before_after_and_since_2024_split_time_at_the_as_of_date(view):
    graph, found = operated(view, lambda self, m: m.before + 1000 * m.after + 0 * m["k"])
    as_of = 2 + 180 / 365
    years = graph.decimal - 2024
    expected = np.minimum(years, as_of) + 1000 * np.maximum(years - as_of, 0)
    assert found == pytest.approx(np.tile(expected, (2, 1)))
    _, day = operated(view, lambda self, m: m.since_2024(date(2025, 4, 1)) + 0 * m["k"])
    assert day[0, 0] == pytest.approx(1 + 90 / 365)


def test_a_shock_of_history_is_zero(view):
    spec = spec_of(view, Line(), Luck())
    graph = build_graph(spec, AS_OF)
    plain = build_graph(spec_of(view, Line()), AS_OF)
    assert graph.shocks == {}
    assert values(graph, "compute")["compute"] == pytest.approx(values(plain, "compute")["compute"], abs=0)


def test_a_graph_knows_what_is_inferred_and_what_is_only_projected(view, tmp_path):
    spec = spec_of(view, Line(table(tmp_path / "e")), Luck())
    graph = build_graph(spec, AS_OF)
    # The size of a future shock is asked for by a term that rows read, and is no part of what they say.
    assert graph.inferred == {("line", "level"), ("line", "growth"), ("line", "scatter")}
    assert [entry.key for entry in Layout(spec.parameters, spec.blocs).entries] == [
        ("line", "growth"),
        ("line", "scatter"),
        ("line", "level"),
        ("line", "level"),
        ("luck", "size"),
    ]


def test_a_limit_that_is_out_of_reach_and_a_bloc_without_a_channel_cost_nothing(view):
    def nodes(*drivers):
        graph = future(spec_of(view, Line(), *drivers))
        return len(list(toposort([graph.quantities["compute"].tensor]))), values(graph, "compute")["compute"]

    never = driver("never", cap=limits("compute")(lambda self, m: 1e3))
    there = driver("there", cap=limits("compute")(lambda self, m: 25.0))
    (without, free), (with_it, same), (_, bent) = nodes(), nodes(never), nodes(there)
    assert with_it == without and np.array_equal(same, free)
    assert bent.max() <= 25.0 < free.max()
    graph = future(spec_of(view, Line(), Market()))  # of which only the second bloc has channels
    flow = graph.quantities["supply"].channels["home"]
    powers = [one.outputs[0].type.shape for one in toposort([flow]) if str(one.op) == "Pow"]
    assert powers == [(1, len(graph.decimal))]


def test_the_grid_is_part_of_the_structure_and_no_number_of_it(view):
    graph = future(spec_of(view, Line()))
    assert "years" not in graph.data and "as_of" in graph.data
