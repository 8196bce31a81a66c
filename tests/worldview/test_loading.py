"""A worldview from one file: what it holds, and what it refuses."""

from datetime import date

import pytest

from forecast.errors import InputError
from forecast.worldview import All, Bloc, Condition, Lead, Mixture, Window, list_worldviews, load_worldview
from tests.worldview.support import COMPLETE, NORMAL


def problems_of(*args, **kwargs):
    with pytest.raises(InputError) as caught:
        load_worldview(*args, **kwargs)
    return caught.value.problems


def test_every_shipped_worldview_loads():
    assert list_worldviews()[0] == "default"
    assert "amodei-2025" in list_worldviews()
    for name in list_worldviews():
        assert load_worldview(name).name == name


def test_no_argument_means_default():
    worldview = load_worldview()
    assert worldview == load_worldview("default")
    assert worldview.as_of == date(2026, 6, 30)
    assert worldview.horizon == date(2060, 12, 31)
    assert worldview.window == Window(date(2026, 1, 1), date(2027, 12, 31))
    assert worldview.blocs == (Bloc("us_allies", "US & allies"), Bloc("china", "China"))
    assert worldview.lead == Lead("us_allies", "china", 1.0)


def test_the_default_milestone_needs_compute_and_capability():
    agi = load_worldview().milestones["agi"]
    assert agi.not_yet_crossed and agi.unreachable == 0.10
    assert isinstance(agi.condition, All)
    compute, capability = agi.condition.conditions
    assert compute == Condition("training_compute", "training_compute")
    assert isinstance(capability, Mixture)
    quantities = [condition.quantity for condition in agi.conditions()]
    assert quantities == ["training_compute", "effective_compute", "time_horizon_80"]


def test_amodei_replaces_the_compute_condition_and_drops_its_threshold():
    worldview = load_worldview("amodei-2025")
    assert worldview.as_of == date(2025, 1, 29)
    assert "training_compute" not in worldview.thresholds
    low, high = worldview.thresholds["chips_in_run"].ppf([0.05, 0.95])
    assert (low, high) == pytest.approx((1e6, 1e7))
    assert any("training_compute" in note for note in worldview.notes)


def test_the_issue_example_reads(write):
    write(
        "mine.toml",
        """
title = "My view"
extends = "default"
as_of = 2026-06-30
[window]
start = 2026-01-01
end = 2027-12-31
[drivers]
disable = ["export-control-leakage"]
[priors.investment]
growth = { distribution = "Normal", mu = 0.35, sigma = 0.15, unit = "OOM/year", source = "..." }
[priors.investment.by_bloc.china]         # a bloc's own prior, beside the general one
growth = { distribution = "Normal", mu = 0.30, sigma = 0.15, unit = "OOM/year", source = "..." }
[priors.algorithmic-efficiency]
follow_lag = { distribution = "LogNormal", p05 = 0.3, p50 = 0.6, p95 = 1.2, unit = "year", source = "..." }
[milestones.agi]
title = "AGI"
not_yet_crossed = true
unreachable = 0.10
all = [ { quantity = "training_compute", at_least = "thresholds.training_compute" },
        { mixture = [
            { weight = 0.5, quantity = "effective_compute", at_least = "thresholds.effective_compute" },
            { weight = 0.5, quantity = "time_horizon_80", at_least = "thresholds.time_horizon" } ] } ]
[thresholds.training_compute]
distribution = "LogNormal"
p05 = 3e26
p50 = 3e27
p95 = 3e28
unit = "FLOP"
source = "..."
[thresholds.time_horizon]
distribution = "LogNormal"
p10 = 167
p50 = 1670
p90 = 16700
unit = "work hour"
success = 0.8
source = "..."
""",
    )
    worldview = load_worldview("mine.toml")
    assert worldview.title == "My view"
    assert worldview.disabled == ("export-control-leakage",)
    growth = worldview.driver_priors["investment"]["growth"]
    assert growth.priors["", ""].params["mu"] == 0.35
    assert growth.priors["by_bloc", "china"].params["mu"] == 0.30
    assert worldview.thresholds["time_horizon"].success == 0.8
    assert str(worldview.thresholds["time_horizon"].origin) == "mine.toml:31: [thresholds] time_horizon"


def test_a_level_may_be_a_number_in_place(write):
    write(
        "a.toml",
        COMPLETE.replace(
            'at_least = "thresholds.compute"', 'at_least = { value = 1e26, unit = "FLOP" }'
        ).split("[thresholds]")[0],
    )
    (condition,) = load_worldview("a.toml").milestones["agi"].conditions()
    assert condition.threshold.params == {"value": 1e26}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 7", "seed = -1", "a.toml:5: seed: must be a whole number"),
        ("seed = 7", "seed = true", "a.toml:5: seed: must be a whole number"),
        ("seed = 7", "seed = 7.5", "a.toml:5: seed: must be a whole number"),
        ("seed = 7", "seeed = 7", "a.toml:5: seeed: nothing reads this key (did you mean 'seed'?)"),
        (
            "as_of = 2026-06-30",
            "as_of = 2026-06-30T12:00:00",
            "a.toml:3: as_of: must be a day without a time",
        ),
        (
            "as_of = 2026-06-30",
            'as_of = "30 June 2026"',
            "a.toml:3: as_of: must be a date such as 2026-06-30",
        ),
        ("as_of = 2026-06-30", 'as_of = "today"', "a.toml:3: as_of: must be a date"),
        ("as_of = 2026-06-30", "as_of = 2026", "a.toml:3: as_of: must be a date"),
        ('title = "Complete"', "title = 3", "a.toml:1: title: must be text, got 3"),
        (
            "horizon = 2040-12-31",
            "horizon = 2026-06-01",
            "a.toml:4: horizon: the horizon 2026-06-01 is not after",
        ),
        ("horizon = 2040-12-31", "horizon = 2026-07-15", "is within a month of the as-of date"),
        (
            "horizon = 2040-12-31",
            "horizon = 2027-06-30",
            "[window] end: the window ends on 2027-12-31, after the horizon",
        ),
        ("horizon = 2040-12-31", "horizon = 2940-12-31", "must be from 1950-01-01 to 2200-12-31"),
        (
            "end = 2027-12-31",
            "end = 2025-12-31",
            "a.toml:8: [window] end: the window ends on 2025-12-31, before its start",
        ),
        ("end = 2027-12-31", "stop = 2027-12-31", "[window] stop: nothing reads this key"),
        ("end = 2027-12-31", "", "window.end is missing"),
        (
            'follower = "china"',
            'follower = "chyna"',
            "[lead] follower: 'chyna' is no bloc (did you mean 'china'?)",
        ),
        ('follower = "china"', 'follower = "us_allies"', "[lead] follower: is the leader itself"),
        ("within_years = 1", "within_years = 0", "[lead] within_years: must be a positive number of years"),
        ("within_years = 1", "within_years = inf", "[lead] within_years: must be a positive number of years"),
        ("within_years = 1", "within_years = 1e308", "[lead] within_years: must be 1000 years at most"),
        ("within_years = 1", "", "lead.within_years is missing"),
        ('china = "China"', "china = 3", "[blocs] china: must be text, got 3"),
        ('china = "China"', 'china = "Chi\\nna"', "china: must be one line without control characters"),
        ('china = "China"', f'china = "{"C" * 201}"', "must have 200 characters at most, got 201"),
        ("[milestones.agi]", '[milestones.agi]\ntitle = "\\u001b[2J"', "title: must be one line"),
        ('china = "China"', '"Chi na" = "China"', "a bloc's name has small letters"),
        ('china = "China"', 'world = "World"', "evidence about no bloc in particular"),
        ('china = "China"', 'leader = "Leader"', "whichever bloc has most, in claims, goes by this"),
        ('china = "China"', 'not = "Not"', "a word of the query language goes by this name"),
        ("[milestones.agi]", "[milestones.accepted]", "accepted: results go by this name already"),
        ("[milestones.agi]", "[milestones.draw]", "[milestones] draw: results go by this name already"),
        (
            "[milestones.agi]",
            "[milestones.agi]\nunreachable = 1.5",
            "[milestones.agi] unreachable: must be a probability",
        ),
        (
            "[milestones.agi]",
            "[milestones.agi]\nunreachable = nan",
            "[milestones.agi] unreachable: must be a probability",
        ),
        (
            "[milestones.agi]",
            "[milestones.agi]\nunreached = 0.5",
            "[milestones.agi] unreached: nothing reads this key",
        ),
        (
            "[milestones.agi]",
            "[milestones.agi]\nnot_yet_crossed = 1",
            "not_yet_crossed: must be true or false, got 1",
        ),
        (
            "thresholds.compute",
            "thresholds.comput",
            "there is no threshold 'comput' (did you mean 'compute'?)",
        ),
        ('"thresholds.compute"', '"compute"', 'at_least: must be "thresholds.<name>"'),
        ('"thresholds.compute"', "1e27", 'at_least: must be "thresholds.<name>"'),
        ('at_least = "thresholds.compute"', "", "at_least is missing"),
        ('quantity = "training_compute"', "quantity = 3", "quantity must be a name, got 3"),
        ('quantity = "training_compute"', "all = []", "exclude each other"),
        (
            "p05 = 3e26, p95 = 3e28",
            "mu = 60, sigma = -0.1",
            "a.toml:20: [thresholds] compute: sigma must be positive, got -0.1",
        ),
        ("p05 = 3e26, p95 = 3e28", "mu = 60, sigma = nan", "sigma must be a finite number, got nan"),
        ("p05 = 3e26, p95 = 3e28", "mu = 60, sigma = true", "sigma must be a number, got True"),
        ("p05 = 3e26, p95 = 3e28", 'mu = "60", sigma = 1', "mu must be a number, got '60'"),
        ("p05 = 3e26, p95 = 3e28", "mu = 60, sd = 1", "LogNormal has no parameter 'sd'"),
        ("p05 = 3e26, p95 = 3e28", "mu = 60, sigma = 1, p50 = 3", "not both"),
        ("p05 = 3e26, p95 = 3e28", "p05 = 3e26", "needs at least as many quantiles, got 1"),
        ("p05 = 3e26, p95 = 3e28", "p05 = 3e26, p5 = 3e26, p95 = 3e28", "p5 is given twice"),
        ("p05 = 3e26, p95 = 3e28", "p05 = 3e26, p50 = 3e26, p95 = 3e28", "must increase"),
        ("p05 = 3e26, p95 = 3e28", "p05 = 3e26, p95 = inf", "p95 must be a finite number, got inf"),
        ('"LogNormal"', '"Lognormal"', "unknown distribution 'Lognormal' (did you mean 'LogNormal'?)"),
        ('"LogNormal"', "3", "unknown distribution 3"),
        ('unit = "FLOP"', 'unit = "flops"', "unknown unit 'flops'"),
        ('unit = "FLOP", ', "", "[thresholds] compute: unit is missing"),
        ('source = "a test"', 'source = " "', "source is missing"),
        ('source = "a test"', 'source = "a test", success = 80', "success must be a rate between 0 and 1"),
        ('source = "a test"', 'source = "a test", blocs = ["china"]', "blocs has no meaning here"),
        ('source = "a test"', 'source = "a test", judgement = "yes"', "judgement must be true or false"),
        ('source = "a test"', 'source = "a test", colour = 3', "has no parameter 'colour'"),
        ("distribution =", "distributio =", "a prior needs distribution, value or mixture"),
        ("distribution =", "value = 3, distribution =", "value and distribution exclude each other"),
        ("extends = false", "extends = true", "extends: must be the name of a worldview, or false"),
        (
            "extends = false",
            'extends = "defualt"',
            "a.toml:2: extends: defualt: there is no worldview",
        ),
        ("extends = false", 'extends = "a.toml"', "goes in a circle: a.toml -> "),
        (
            "extends = false",
            "extends = false\n[priors.investment]\ngrowth = 0.3",
            "a.toml:4: [priors.investment] growth: a prior is a table",
        ),
        (
            "extends = false",
            "extends = false\npriors.investment = 3",
            "[priors] investment: must be a table of parameters",
        ),
        (
            "extends = false",
            "extends = false\n[priors.investment.by_bloc]\nchina = 3",
            "must be a table of one bloc's parameters",
        ),
    ],
)
def test_a_mistake_names_file_line_and_key(write, old, new, message):
    assert old in COMPLETE
    text = COMPLETE.replace(old, new, 1)
    if "priors" in new:  # a table must come after the top-level keys
        text = COMPLETE + new.removeprefix("extends = false\n")
        message = message.removeprefix("a.toml:4: ")
        text = text.replace("\npriors.investment = 3", "\n[priors]\ninvestment = 3")
    write("a.toml", text)
    problems = problems_of("a.toml")
    assert any(message in problem for problem in problems), problems
    assert all(problem.startswith("a.toml") for problem in problems), problems


def test_all_problems_of_all_files_come_at_once(write):
    write(
        "a.toml",
        "seed = -1\nhorizont = 2040-01-01\n" + f"[priors.x]\ny = {{ {NORMAL} }}\n".replace("0.15", "-1"),
    )
    write("b.toml", '[thresholds]\nc = { value = "big", unit = "FLOP" }\n')
    problems = problems_of("a.toml", "b.toml")
    assert [problem.split(": ")[0] for problem in problems] == [
        "a.toml:1",
        "a.toml:2",
        "a.toml:4",
        "b.toml:2",
        "b.toml:2",
    ]


def test_a_negative_sigma_names_file_line_and_key(write):
    write(
        "mine.toml", f"# a comment\n\n[priors.investment]\ngrowth = {{ {NORMAL.replace('0.15', '-0.1')} }}\n"
    )
    assert problems_of("mine.toml") == (
        "mine.toml:4: [priors.investment] growth: sigma must be positive, got -0.1",
    )


def test_a_problem_inside_a_long_table_names_its_own_line(write):
    write(
        "a.toml", "[thresholds.c]\ndistribution = 'Normal'\nmu = 1\nsigma = -3\nunit = 'FLOP'\nsource = 's'\n"
    )
    assert problems_of("a.toml") == ("a.toml:4: [thresholds] c: sigma must be positive, got -3",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.toml: the file is empty"),
        (b"# only a comment\n", "a.toml: the file is empty"),
        (b"\x00\xff\xfe\x80binary", "a.toml: not a text file in UTF-8 (byte 1 is 0xff)"),
        (b"a = \x00", "a.toml:1: not valid TOML"),
        (b"title = \n", "a.toml:1: not valid TOML"),
        (b"title = 'x'\ntitle = 'y'\n", "a.toml:2: not valid TOML: Cannot overwrite a value"),
        (b"seed = " + b"9" * 5000, "a.toml: not valid TOML: Exceeds the limit"),
        (b"seed = " + b"9" * 400, "seed: must be a whole number from 0"),
        (b"as_of = 2026-13-45", "not valid TOML"),
        (b"x = " + b"[" * 5000 + b"]" * 5000, "a.toml"),
        (b"a." * 3000 + b"a = 1", "a.toml"),
        (b"thresholds = " + b"{a=" * 400 + b"1" + b"}" * 400, "a.toml"),
        (b"milestones.m.all = " + b"[{all=" * 30 + b"[]" + b"}]" * 30, "nested more than 20 deep"),
    ],
)
def test_a_file_that_is_no_prior_file_is_refused_in_one_paragraph(write, content, message):
    write("a.toml", content)
    problems = problems_of("a.toml")
    assert message in problems[0]
    assert all("\n" not in problem and len(problem) < 600 for problem in problems)


def test_a_byte_order_mark_is_no_mistake(write):
    write("a.toml", b"\xef\xbb\xbf" + COMPLETE.encode())
    assert load_worldview("a.toml").title == "Complete"


def test_a_missing_file_a_folder_and_an_impossible_name_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    assert problems_of("nowhere.toml") == ("nowhere.toml: there is no such file",)
    assert problems_of("./folder") == ("./folder: is a folder, not a prior file",)
    assert "did you mean 'default'" in problems_of("defautl")[0]
    for name in ("a\0b", "x" * 5000 + ".toml", "", "   ", "a\udcffb.toml"):
        assert len(problems_of(name)) == 1


def test_an_unreadable_file_is_refused(write, monkeypatch):
    write("a.toml", COMPLETE)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert problems_of("a.toml") == ("a.toml: cannot be read: Permission denied",)


def test_an_unused_threshold_is_refused(write):
    write("a.toml", COMPLETE + 'other = { value = 1, unit = "FLOP", source = "s" }\n')
    (problem,) = problems_of("a.toml")
    assert problem.startswith("a.toml:21: [thresholds] other: nothing reads this threshold")


def test_weights_of_a_mixture_must_sum_to_one(write):
    text = COMPLETE.replace(
        'quantity = "training_compute"\nat_least = "thresholds.compute"',
        "mixture = [{ weight = 0.5, quantity = 'x', at_least = 'thresholds.compute' },"
        " { weight = 0.6, quantity = 'y', at_least = 'thresholds.compute' }]",
    )
    write("a.toml", text)
    assert (
        "[milestones.agi] mixture: the weights of a mixture must sum to 1, these sum to 1.1"
        in problems_of("a.toml")[0]
    )


def test_conditions_nest(write):
    text = COMPLETE.replace(
        'quantity = "training_compute"\nat_least = "thresholds.compute"',
        "any = [{ all = [{ quantity = 'a', at_least = 'thresholds.compute' }] },"
        " { mixture = [{ weight = 1, any = [{ quantity = 'b', at_least = { value = 3, unit = 'year' } }] }] }"
        "]",
    )
    write("a.toml", text)
    assert [c.quantity for c in load_worldview("a.toml").milestones["agi"].conditions()] == ["a", "b"]


def test_settings_may_be_given_as_arguments():
    worldview = load_worldview(
        as_of="2026-01-31",
        horizon=date(2050, 6, 30),
        window="2027-01-01:2028-12-31",
        seed=3,
        disable=["capability"],
    )
    assert (worldview.as_of, worldview.horizon, worldview.seed) == (date(2026, 1, 31), date(2050, 6, 30), 3)
    assert worldview.window == Window(date(2027, 1, 1), date(2028, 12, 31))
    assert worldview.disabled == ("capability",)


def test_today_is_accepted_as_an_argument_only():
    assert load_worldview(as_of="today").as_of == date.today()
    assert "must be a date" in problems_of(overrides=["as_of=today"])[0]


def test_wrong_arguments_name_the_option():
    assert problems_of(as_of="soon") == ("--as-of soon: must be a date such as 2026-06-30, got 'soon'",)
    assert problems_of(window="2027-01-01")[0].startswith("--window 2027-01-01: must be START:END")
    assert problems_of(window="2028-01-01:2027-01-01")[0].startswith(
        "--window 2028-01-01:2027-01-01: [window] end"
    )
    assert problems_of(horizon="2026-07-01")[0].startswith(
        "--horizon 2026-07-01: horizon: the horizon 2026-07-01 is within"
    )
    assert problems_of(seed=-1)[0].startswith("--seed -1: must be a whole number")


def test_replace_checks_again():
    worldview = load_worldview()
    other = worldview.replace(
        as_of="2025-01-29", seed=5, window=(date(2026, 1, 1), date(2030, 12, 31)), disabled=["x"]
    )
    assert (other.as_of, other.seed, other.disabled) == (date(2025, 1, 29), 5, ("x",))
    assert worldview.seed == 20260630
    with pytest.raises(
        InputError, match="--horizon 2020-01-01: horizon: the horizon 2020-01-01 is not after"
    ):
        worldview.replace(horizon="2020-01-01")


def test_a_worldview_of_one_bloc_has_no_lead(write):
    write("a.toml", '[blocs]\nchina = "China"\n')
    worldview = load_worldview("a.toml")
    assert worldview.bloc_names == ("china",) and worldview.lead is None


def test_two_blocs_without_the_inherited_leader_are_refused(write):
    write("a.toml", '[blocs]\nchina = "China"\neu = "EU"\n')
    assert "[lead] leader: 'us_allies' is no bloc" in problems_of("a.toml")[0]
