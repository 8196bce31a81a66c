"""Layers: extends, several files, --set and [set]."""

from datetime import date

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.worldview import load_worldview
from tests.worldview.support import COMPLETE, NORMAL


def problems_of(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        load_worldview(*args, **kwargs)
    return caught.value.problems


def prior_of(worldview, driver, parameter, slot=("", "")):
    return worldview.driver_priors[driver][parameter].priors[slot]


def test_a_file_without_extends_lies_over_default(write):
    write("a.toml", "seed = 3\n")
    worldview = load_worldview("a.toml")
    assert worldview.seed == 3
    assert worldview.milestones == load_worldview().milestones
    assert worldview.name == worldview.title == "a"


def test_a_file_that_stands_alone_inherits_nothing(write):
    write("a.toml", "extends = false\nseed = 3\n")
    problems = problems_of("a.toml")
    assert any("as_of is missing" in problem for problem in problems)
    write("b.toml", COMPLETE)
    assert list(load_worldview("b.toml").thresholds) == ["compute"]


def test_extends_may_be_a_path_relative_to_the_file(write):
    write("folder/base.toml", 'extends = "amodei-2025"\nseed = 4\n')
    write("folder/mine.toml", 'extends = "base.toml"\nhorizon = 2050-12-31\n')
    worldview = load_worldview("folder/mine.toml")
    assert (worldview.seed, worldview.horizon, worldview.as_of) == (4, date(2050, 12, 31), date(2025, 1, 29))


def test_a_circle_of_extends_shows_its_path(write):
    write("a.toml", 'extends = "b.toml"\n')
    write("b.toml", 'extends = "a.toml"\n')
    (problem,) = problems_of("a.toml")
    assert "goes in a circle: a.toml -> " in problem and problem.endswith("a.toml")


def test_a_long_chain_of_extends_is_refused(write):
    for i in range(60):
        write(f"f{i}.toml", f'extends = "f{i + 1}.toml"\n')
    assert "more than 50 files" in problems_of("f0.toml")[0]


def test_later_files_lie_over_earlier_ones(write):
    write("a.toml", 'seed = 1\nhorizon = 2050-12-31\ntitle = "A"\n')
    write("b.toml", 'extends = "default"\nseed = 2\n')
    worldview = load_worldview("a.toml", "b.toml")
    assert (worldview.seed, worldview.horizon) == (2, date(2050, 12, 31))  # b's base does not undo a
    assert (worldview.name, worldview.title) == ("a-b", "A")
    assert load_worldview("amodei-2025", "a.toml").as_of == date(2025, 1, 29)


def test_a_prior_is_replaced_whole(write):
    write("a.toml", f"[priors.x]\ny = {{ {NORMAL} }}\n")
    write(
        "b.toml",
        '[priors.x]\ny = { distribution = "LogNormal", p05 = 1, p95 = 2, unit = "OOM/year", source = "b" }\n',
    )
    prior = prior_of(load_worldview("a.toml", "b.toml"), "x", "y")
    assert (prior.family, prior.source, set(prior.params)) == ("LogNormal", "b", {"mu", "sigma"})


def test_a_general_prior_clears_lower_priors_by_bloc_and_says_so(write):
    write("a.toml", f"[priors.x.by_bloc.china]\ny = {{ {NORMAL} }}\nz = {{ {NORMAL} }}\n")
    write("b.toml", f"[priors.x]\ny = {{ {NORMAL} }}\n[priors.x.by_bloc.us_allies]\ny = {{ {NORMAL} }}\n")
    worldview = load_worldview("a.toml", "b.toml")
    assert set(worldview.driver_priors["x"]["y"].priors) == {("", ""), ("by_bloc", "us_allies")}
    assert set(worldview.driver_priors["x"]["z"].priors) == {("by_bloc", "china")}
    assert worldview.notes == ("b.toml:2: [priors.x] y clears [priors.x.by_bloc.china] y of a.toml:2",)


def test_setting_one_key_clears_nothing(write):
    write("a.toml", f"[priors.x]\ny = {{ {NORMAL} }}\n[priors.x.by_bloc.china]\ny = {{ {NORMAL} }}\n")
    worldview = load_worldview("a.toml", overrides=["priors.x.y.mu=0.2"])
    assert prior_of(worldview, "x", "y").params["mu"] == 0.2
    assert prior_of(worldview, "x", "y", ("by_bloc", "china")).params["mu"] == 0.35


def test_a_threshold_that_is_no_longer_read_is_dropped_if_inherited(write):
    write(
        "a.toml",
        '[milestones.agi]\nquantity = "training_compute"\nat_least = { value = 1e27, unit = "FLOP" }\n',
    )
    worldview = load_worldview("a.toml")
    assert worldview.thresholds == {}
    assert worldview.milestones["agi"].unreachable == 0.10  # other keys of the milestone are inherited
    write("b.toml", 'extends = "a.toml"\n[thresholds]\nlate = { value = 1, unit = "FLOP", source = "s" }\n')
    assert "nothing reads this threshold" in problems_of("b.toml")[0]


def test_blocs_are_replaced_whole_and_their_priors_with_them(write):
    write("a.toml", f"[priors.x.by_bloc.china]\ny = {{ {NORMAL} }}\n")
    write("b.toml", '[blocs]\nus_allies = "US"\neu = "EU"\n[lead]\nfollower = "eu"\n')
    worldview = load_worldview("a.toml", "b.toml")
    assert worldview.bloc_names == ("us_allies", "eu")
    assert worldview.driver_priors == {}


def test_an_unknown_bloc_in_a_worldview_is_refused(write):
    write("a.toml", f"[priors.x.by_bloc.chian]\ny = {{ {NORMAL} }}\n")
    assert problems_of("a.toml") == (
        "a.toml:2: [priors.x.by_bloc.chian] y: 'chian' is no bloc (did you mean 'china'?)",
    )
    write("b.toml", f"[priors.x]\ny = {{ {NORMAL}, blocs = ['eu'] }}\n")
    assert "blocs: 'eu' is no bloc" in problems_of("b.toml")[0]


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("seed=9", lambda w: w.seed == 9),
        ("as_of=2026-01-31", lambda w: w.as_of == date(2026, 1, 31)),
        ('as_of="2026-01-31"', lambda w: w.as_of == date(2026, 1, 31)),
        ("horizon = 2050-01-31", lambda w: w.horizon == date(2050, 1, 31)),
        ("window.start=2027-01-01", lambda w: w.window.start == date(2027, 1, 1)),
        ("window={start=2027-01-01,end=2029-12-31}", lambda w: w.window.end == date(2029, 12, 31)),
        ("lead.within_years=0.5", lambda w: w.lead.within_years == 0.5),
        ("lead.follower=us_allies,lead", None),
        ("blocs.eu=European Union", lambda w: w.bloc_names == ("us_allies", "china", "eu")),
        ("drivers.disable=['capability']", lambda w: w.disabled == ("capability",)),
        ("title=Mine", lambda w: w.title == "Mine"),
        ("milestones.agi.unreachable=0.2", lambda w: w.milestones["agi"].unreachable == 0.2),
        ("milestones.agi.not_yet_crossed=false", lambda w: not w.milestones["agi"].not_yet_crossed),
        ("thresholds.training_compute.mu=28", lambda w: w.thresholds["training_compute"].params["mu"] == 28),
        ("thresholds.time_horizon.p50=1700", lambda w: w.thresholds["time_horizon"].quantiles[0.5] == 1700),
        ("thresholds.time_horizon.success=0.5", lambda w: w.thresholds["time_horizon"].success == 0.5),
        (
            'thresholds.training_compute={value=1e27,unit="FLOP",source="s"}',
            lambda w: w.thresholds["training_compute"].is_constant,
        ),
        ("priors.x.y.mu=3", lambda w: w.driver_priors["x"]["y"].edits == {("", ""): {"mu": 3}}),
        ("priors.x.y={mu=3}", lambda w: w.driver_priors["x"]["y"].edits == {("", ""): {"mu": 3}}),
        (
            "priors.x.by_bloc.china.y.p05=3",
            lambda w: w.driver_priors["x"]["y"].edits == {("by_bloc", "china"): {"p05": 3}},
        ),
        (f"priors.x.y={{{NORMAL}}}", lambda w: w.driver_priors["x"]["y"].priors["", ""].params["mu"] == 0.35),
    ],
)
def test_set_reaches_every_key(override, read):
    if read is None:
        assert problems_of(overrides=[override])
    else:
        assert read(load_worldview(overrides=[override]))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "must be KEY=VALUE"),
        ("=3", "must be KEY=VALUE"),
        ("sed=3", "leads nowhere: 'sed' is not known (did you mean 'seed'?)"),
        ("seed.x=3", "seed is no table"),
        ("seed=x", "must be a whole number"),
        ("window.begin=2027-01-01", "leads nowhere: 'begin' is not known"),
        ("window.start.day=2", "leads nowhere"),
        ("window=3", "is a table: set its keys"),
        ("extends=default", "belongs to a file"),
        ("milestones.agy.unreachable=0.2", "leads nowhere: 'agy' is not known (did you mean 'agi'?)"),
        ("milestones.agi.unreachabel=0.2", "did you mean 'unreachable'"),
        ("milestones.agi.unreachable=2", "must be a probability between 0 and 1, got 2"),
        ("milestones.agi.all.quantity=x", "set milestones.agi.all as a whole"),
        ("thresholds.training_computer.mu=28", "did you mean 'training_compute'"),
        ("thresholds.training_compute.nu=28", "no parameter 'nu'"),
        ("thresholds.training_compute.moo=28", "leads nowhere: 'moo' is not known"),
        ("thresholds.training_compute.p50=28", "is given by mu, sigma, not by quantiles"),
        (
            "thresholds.training_compute.sigma=-1",
            "[thresholds] training_compute: sigma must be positive, got -1",
        ),
        ("thresholds.training_compute=28", "a prior is a table"),
        ("thresholds.time_horizon.p50=1e9", "must increase"),
        ("priors.x.y=3", "a prior is a table"),
        ("priors.x.y.mu.z=3", "leads nowhere"),
        ("priors.x.y.per=bloc", "leads nowhere"),
        ("priors.x.y.sigm=3", "leads nowhere: 'sigm' is not known (did you mean 'sigma'?)"),
        ("priors.x.by_bloc.nowhere.y.mu=3", "'nowhere' is no bloc"),
        ("priors.x=3", "is a table"),
        ("priors=3", "is a table"),
        ("a..b=3", "leads nowhere"),
        ("blocs.eu.x=3", "leads nowhere"),
    ],
)
def test_a_set_that_leads_nowhere_names_itself(override, message):
    problems = problems_of(overrides=[override])
    assert any(message in problem for problem in problems), problems
    assert all(problem.startswith(f"--set {override}: ") for problem in problems), problems


def test_setting_a_parameter_of_a_prior_given_by_quantiles_converts_it_first(write):
    write(
        "a.toml",
        '[priors.x]\ny = { distribution = "LogNormal", p05 = 1, p95 = 100, unit = "year", source = "s" }\n',
    )
    before = prior_of(load_worldview("a.toml"), "x", "y")
    after = prior_of(load_worldview("a.toml", overrides=["priors.x.y.sigma=0.5"]), "x", "y")
    assert after.params == {"mu": before.params["mu"], "sigma": 0.5}
    assert after.quantiles == {}


def test_overrides_may_be_a_mapping():
    worldview = load_worldview(
        overrides={"seed": np.int64(4), "thresholds.training_compute.mu": np.float32(28)}
    )
    assert (worldview.seed, worldview.thresholds["training_compute"].params["mu"]) == (4, 28)


@pytest.mark.parametrize("value", [None, object(), {1, 2}, "\udcff"])
def test_an_override_that_no_file_could_hold_is_refused(value):
    assert "is no value of TOML" in problems_of(overrides={"priors.x.y.note": value})[0]


def test_the_set_table_of_a_file_does_what_set_does(write):
    write(
        "a.toml",
        '[set]\n"thresholds.training_compute.mu" = 28\nlead.within_years = 2\n"priors.x.y.mu" = 0.2\n',
    )
    worldview = load_worldview("a.toml")
    assert worldview.thresholds["training_compute"].params["mu"] == 28
    assert worldview.lead.within_years == 2
    assert worldview.driver_priors["x"]["y"].edits == {("", ""): {"mu": 0.2}}
    write("b.toml", 'seed = 1\n[set]\n"thresholds.training_computer.mu" = 28\n')
    (problem,) = problems_of("b.toml")
    assert problem.startswith("b.toml:3: [set] thresholds.training_computer: leads nowhere")


def test_where_a_key_came_from_is_recorded(write):
    write("a.toml", "seed = 3\n")
    worldview = load_worldview("a.toml", overrides=["lead.within_years=2"])
    assert str(worldview.provenance["seed"]) == "a.toml:1: seed"
    assert worldview.provenance["horizon"].file == "priors/default.toml"
    assert worldview.provenance["lead.within_years"].file == "--set lead.within_years=2"
