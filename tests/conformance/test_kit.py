"""Each check of the conformance kit passes what is right and fails what is wrong, in words."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytensor.tensor as pt
import pytest

from forecast.conformance import CHECKS, Setting, check_driver, run_check, subject_of
from forecast.conformance.calibration import STATES, p_values
from forecast.conformance.density import Density
from forecast.driver import (
    API_VERSION,
    Driver,
    adds_to,
    limits,
    observes,
    observes_crossing,
    parameters_from_text,
    provides,
)
from forecast.evidence import WORLD
from forecast.inference.compiling import starting_point
from forecast.inference.points import unconstrained
from forecast.model import Layout
from tests import toys

pytestmark = pytest.mark.slow

SAID = 'judgement = true, source = "A toy, made up for a test"'


def cited(text):
    return text.replace('source = "a test"', SAID)


class Line(toys.Line):
    """The toy of all tests, with sources that the kit accepts."""

    parameters = parameters_from_text(cited(toys.LINE), "line")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return toys.table(tmp_path_factory.mktemp("evidence"))


@pytest.fixture(scope="module")
def line(tables):
    return Line(tables)


def outcome(code, driver, *company):
    return run_check(code, subject_of(driver, [driver, *company]))


def failed(code, driver, *company):
    check = outcome(code, driver, *company)
    assert check.state == "failed", check
    return check.detail


def steady(**methods):
    """A driver of one quantity, `thing`, that is a parameter and whatever `methods` make of it."""
    priors = f'level = {{ distribution = "Normal", mu = 3, sigma = 1, unit = "log10 FLOP", {SAID} }}'
    return toys.driver("steady", priors, **methods)


def base(function):
    return provides("thing", unit="FLOP")(function)


def reading(names):
    return lambda self, m: sum((m[name] for name in names), 0.0)


def owner(name, quantity, *, read=(), use=()):
    """A driver that provides a quantity, reads some, and uses some others if they are there."""

    def build(self, m):
        optional = [x for x in (m.get(one) for one in use) if x is not None]
        return sum((m[one] for one in read), 1.0) + sum(optional, 0.0)

    return toys.driver(name, q=provides(quantity, unit="FLOP")(build))


# All of it ---------------------------------------------------------------------------------


def test_a_good_driver_passes_every_check_and_the_report_is_as_promised(line):
    report = check_driver(line, company=[owner("apart", "qp")])
    assert [check.code for check in report.checks] == list(CHECKS)
    assert {check.state for check in report.checks} == {"passed"}, report
    found = json.loads(json.dumps(report.to_json()))
    assert list(found) == ["plugin", "ok", "checks"] and found["ok"] is True and found["plugin"] == "line"
    assert all(list(check) == ["code", "state", "detail"] for check in found["checks"])


def test_what_is_costly_is_shared_by_the_drivers_of_one_setting(line):
    setting = Setting([line, owner("apart", "qp")])
    before = setting.compiler.compilations + setting.compiler.loads
    reports = [check_driver(driver, company=setting) for driver in setting.drivers]
    assert setting.compiler.compilations + setting.compiler.loads <= before + 1
    states = {check.code: check.state for check in reports[1].checks}
    assert states["gradient"] == states["calibration"] == "not applicable"  # no row depends on its parameter
    assert states["prior-predictive"] == states["removal"] == "passed"


def test_a_driver_that_cannot_be_built_fails_once_and_the_rest_does_not_apply():
    lost = steady(thing=base(lambda self, m: m["compuet"]))
    report = check_driver(lost, company=[])
    states = {check.code: check for check in report.checks}
    assert "asks for 'compuet'" in states["builds"].detail and states["builds"].state == "failed"
    assert states["priors-cited"].state == "passed"
    others = [check for code, check in states.items() if code not in ("builds", "priors-cited")]
    assert {check.state for check in others} == {"not applicable"}


def test_a_driver_that_is_not_sound_by_itself_fails_to_build(line):
    class Nameless(Line):
        name = "Not A Name"

    for driver, words in ((Nameless(), "lower-case words"), (Line, "the class Line")):
        report = check_driver(driver)
        assert report.checks[0].state == "failed" and words in report.checks[0].detail
        assert not report.ok


def test_the_same_seed_gives_the_same_report(line):
    subjects = [subject_of(line, [], seed=seed) for seed in (1, 1, 2)]
    once, again, other = (run_check("calibration", subject).detail for subject in subjects)
    assert once == again
    assert once != other  # p-values differ


# Sources -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "judgement"),
    [
        ("Epoch AI, https://epoch.ai/data", False),
        ("doi: 10.1000/182", False),
        ("Ho et al. (2024), table 3", False),
        ("Zero by definition: the leader's", False),
        ("Because nothing else is known of it", True),
    ],
)
def test_a_source_is_an_address_a_year_a_definition_or_a_reason(source, judgement):
    text = f'a = {{ value = 1, unit = "OOM", source = "{source}"{", judgement = true" * judgement} }}'
    check = outcome("priors-cited", toys.driver("cited", text))
    assert check.state == "passed", check.detail


@pytest.mark.parametrize(
    ("source", "judgement", "words"),
    [("a guess", False, "neither an address nor a year"), ("ours", True, "needs words that say why")],
)
def test_a_source_that_says_nothing_fails_and_names_the_parameter(source, judgement, words):
    text = f'a = {{ value = 1, unit = "OOM", source = "{source}"{", judgement = true" * judgement} }}'
    said = failed("priors-cited", toys.driver("cited", f"[by_bloc.china]\n{text}"))
    assert said.startswith("by_bloc.china.a: ") and words in said


def test_a_unit_that_does_not_exist_and_a_row_without_source_fail(line, tables):
    wrong = Line(tables)
    prior = dataclasses.replace(Line.parameters[0].general, unit="furlong")
    wrong.parameters = [dataclasses.replace(Line.parameters[0], general=prior)]
    rows = [dataclasses.replace(row, url="a book", source=" ") for row in tables["runs"].rows[:1]]
    wrong.evidence = {"runs": tables["runs"].with_rows(rows)}
    said = failed("priors-cited", wrong)
    assert "unknown unit 'furlong'" in said
    assert "source is missing" in said and "url must be an address" in said


# Prior predictive --------------------------------------------------------------------------


def test_a_quantity_that_is_not_finite_fails_and_says_where():
    said = failed("prior-predictive", steady(thing=base(lambda self, m: pt.log10(m["level"] - 3.0))))
    assert "thing is not finite in" in said and "for us_allies in 2018-01" in said


def test_a_quantity_that_is_not_finite_after_the_as_of_date_fails():
    said = failed(
        "prior-predictive", steady(thing=base(lambda self, m: pt.log10(1.0 - m.after) + m["level"]))
    )
    assert "on the future grid" in said


def test_rows_on_another_scale_than_the_priors_fail(tables):
    class Wrong(Line):
        parameters = parameters_from_text(cited(toys.LINE.replace("mu = 2", "mu = 1")), "line")

    said = failed("prior-predictive", Wrong(tables))
    assert "5 of 5 rows lie outside" in said and "on another scale" in said


def test_a_prior_that_says_nothing_of_the_scale_fails(tables):
    class Vague(Line):
        parameters = parameters_from_text(cited(toys.LINE.replace("sigma = 1,", "sigma = 9,")), "line")

    said = failed("prior-predictive", Vague(tables))
    assert "orders of magnitude, more than 10: narrow" in said


def test_what_weighs_dates_is_tried_at_dates_and_at_never(tables):
    def weigh(result):
        return toys.driver(
            "seer", evidence=owned, said=observes_crossing("runs")(lambda self, x, data: result(x))
        )

    owned = {"runs": dataclasses.replace(tables["runs"], driver="seer")}
    good = outcome("prior-predictive", weigh(lambda x: -np.minimum(x.first, 2040.0)))
    assert good.state == "passed" and "dates of agi" in good.detail
    assert "NaN" in failed("prior-predictive", weigh(lambda x: np.full(len(x.dates), np.nan)))


# Structure ---------------------------------------------------------------------------------


def test_two_blocs_written_into_an_equation_fail_with_one_and_with_five():
    contrast = np.array([[1.0], [-1.0]])
    said = failed("dimensions", steady(thing=base(lambda self, m: m["level"] * contrast)))
    assert "with 1 bloc:" in said and "with 5 blocs:" in said and "with 2 blocs" not in said


def test_blocs_that_no_prior_knows_are_given_one_and_restrictions_are_kept(line):
    market = toys.Market()
    setting = Setting([line, market])
    five = setting.build(dataclasses.replace(setting.variation, blocs=setting.blocs(5)))
    assert five.spec.blocs[:2] == toys.BLOCS
    assert five.spec.parameters["line", "level"].blocs == five.spec.blocs
    assert five.spec.parameters["market", "home"].blocs == ("china",)
    assert run_check("dimensions", subject_of(market, setting)).state == "passed"


def test_a_row_about_the_world_in_a_model_by_bloc_fails(tables):
    rows = [dataclasses.replace(row, bloc=WORLD) for row in tables["runs"].rows]
    said = failed("builds", Line({"runs": tables["runs"].with_rows(rows)}))
    assert "is no bloc of the model" in said


def test_what_a_driver_keeps_of_a_build_fails():
    def remembering(self, m):
        self.first = getattr(self, "first", len(m.blocs))
        return m["level"] + float(self.first)

    said = failed("no-state", steady(thing=base(remembering)))
    assert "changes first" in said and "must not assign to self" in said


def test_what_a_driver_keeps_of_the_build_that_finds_its_company_fails(monkeypatch):
    def remembering(self, m):
        self.seen = True
        return m["level"]

    monkeypatch.setattr("forecast.conformance.kit.installed_beside", lambda drivers: [owner("apart", "qp")])
    check = run_check("no-state", subject_of(steady(thing=base(remembering))))
    assert check.state == "failed" and "changes seen" in check.detail


BUILDS: list[int] = []


class Counting(Driver):
    name = "counting"
    api_version = API_VERSION

    @provides("thing", unit="FLOP")
    def counted(self, m):
        BUILDS.append(1)
        return float(len(BUILDS))


def test_a_count_of_builds_in_the_module_fails():
    said = failed("no-state", Counting())
    assert "thing (of counting) is no longer the same" in said
    assert "building changes" in said and "test_kit.BUILDS" in said


def test_rows_kept_from_an_earlier_build_fail(tables):
    kept = {}

    def prepare(table, context):
        kept.setdefault("rows", table)
        return context.observations(kept["rows"])

    class Keeping(Line):
        @observes("runs", prepare=prepare)
        def measured(self, m, data):
            m.normal(data, mean=m.per_bloc(m["level"], data), sd=data.error)

    said = failed("no-state", Keeping(tables))
    assert "after a first build, one with other blocs" in said and "no bloc of the model" in said


def test_a_past_that_depends_on_the_projection_fails_and_says_when_first():
    shifted = steady(
        thing=base(lambda self, m: m["level"] + (0.1 if m.projecting else 0.0) * (m.years > 1.0))
    )
    said = failed("grids-agree", shifted)
    assert "differs by up to 0.1, first for us_allies in 2025-02" in said


@pytest.mark.parametrize(
    ("what", "mean"),
    [
        ("an earlier as-of date", lambda m, data: m["level"] + float(m.as_of_date.year - 2024)),
        ("half of the rows", lambda m, data: m["level"] / float(len(data))),
        ("other values", lambda m, data: m["level"] + data.observations.columns["value"].mean()),
        ("other numbers in the priors", lambda m, data: m["level"] + baked(m)),
    ],
)
def test_a_number_that_is_baked_in_would_be_compiled_anew(tables, what, mean):
    class Baked(Line):
        @observes("runs")
        def measured(self, m, data):
            value = mean(m, data)
            m.normal(data, mean=m.per_bloc(value, data), sd=data.error)

    said = failed("numbers-as-data", Baked(tables))
    assert what in said and "m.constant" in said


def baked(m):
    (prior,) = m.spec.parameters["line", "growth"].entries.values()
    return prior.params["mu"]


# Fit ---------------------------------------------------------------------------------------


def test_a_gradient_that_is_not_finite_fails_and_names_the_parameter(tables):
    class Rooted(Line):
        @observes("runs")
        def measured(self, m, data):
            bent = pt.sqrt(pt.maximum(m["growth"] - 0.5, 0.0))  # below 0.5 its slope is infinity times zero
            m.normal(data, mean=m.at(m["compute"], data) + bent, sd=data.error)

    said = failed("gradient", Rooted(tables))
    assert "growth (" in said and "square root" in said


def test_a_gradient_that_is_not_the_densitys_fails(line, monkeypatch):
    right = Density.__call__

    def halved(self, x):
        value, slope = right(self, x)
        return value, slope / 2

    monkeypatch.setattr(Density, "__call__", halved)
    assert "agrees with a finite difference at 0 of 100" in failed("gradient", line)


def test_a_likelihood_that_counts_its_rows_twice_fails_calibration(tables):
    class Twice(Line):
        @observes("runs")
        def measured(self, m, data):
            sd = pt.sqrt(m["scatter"] ** 2 + data.error**2)
            m.normal(data, mean=(m.at(m["compute"], data) + data.value) / 2.0, sd=sd)

    said = failed("calibration", Twice(tables))
    assert "level (us_allies) (too narrow" in said and "rows' own values" in said


def test_p_values_are_exact():
    pairs = np.stack(np.meshgrid(np.arange(STATES + 1), np.arange(STATES + 1)), axis=-1).reshape(-1, 2)
    found = np.array([p_values(pair) for pair in pairs])
    totals = pairs.sum(axis=1)
    expected = [min(1.0, 2 * min(np.mean(totals <= total), np.mean(totals >= total))) for total in totals]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-12)
    # An exact two-sided p-value is at most its level with at most that probability.
    for level in (0.01, 0.05, 0.2):
        assert np.all(np.mean(found <= level, axis=0) <= level + 1e-12)


def test_ranks_that_are_shifted_or_too_far_out_have_small_p_values():
    rng = np.random.default_rng(3)
    uniform = rng.integers(STATES + 1, size=200)
    assert min(p_values(uniform)) > 0.01
    assert p_values(np.maximum(uniform - 5, 0))[0] < 1e-9
    outer = np.where(rng.random(200) < 0.4, rng.choice([0, STATES], 200), uniform)
    assert p_values(outer)[0] > 0.01 and p_values(outer)[1] < 1e-9


def test_a_point_on_the_samplers_scale_is_where_compiled_models_start():
    text = "\n".join(
        f'{name} = {{ {law}, unit = "number", source = "a test" }}'
        for name, law in {
            "a": 'distribution = "Normal", mu = 2, sigma = 3',
            "b": 'distribution = "LogNormal", mu = 1, sigma = 0.5',
            "c": 'distribution = "HalfNormal", sigma = 2',
            "d": 'distribution = "Beta", alpha = 2, beta = 5',
            "e": 'distribution = "Uniform", lower = -1, upper = 4',
            "f": "value = 7",
        }.items()
    )
    setting = Setting([toys.driver("many", text, q=provides("q", unit="FLOP")(reading("abcdef")))])
    layout = Layout(setting.main.layout.parameters, setting.main.spec.blocs)
    names = ["standard", "number.2_log__", "number.3_logodds__", "number.4_interval__"]
    medians = np.array([[entry.prior.centre() for entry in layout.entries]])
    np.testing.assert_allclose(unconstrained(names, layout, medians)[0], starting_point(names, 5, layout))


# Company and removal -----------------------------------------------------------------------


def test_a_driver_needs_the_owners_of_what_it_reads_and_theirs_but_not_of_what_it_merely_uses():
    from forecast.conformance.company import closure

    others = [
        owner("a", "qa", read=["qb"]),
        owner("b", "qb", use=["qc"]),
        owner("c", "qc"),
        owner("d", "qd"),
        toys.driver("e", 'x = { value = 1, unit = "OOM", source = "a test" }'),
    ]
    reads_a = owner("mine", "q", read=["qa"], use=["qd"])
    assert [driver.name for driver in closure([reads_a], others)] == ["mine", "a", "b"]
    bends_b = toys.driver("mine", more=adds_to("qb")(lambda self, m: m["e.x"]))
    assert [driver.name for driver in closure([bends_b], others)] == ["mine", "b", "e"]
    limits_d = toys.driver("mine", most=limits("qd")(lambda self, m: 1.0))
    assert [driver.name for driver in closure([limits_d], others)] == ["mine", "d"]


def test_installed_drivers_are_company_unless_the_driver_replaces_them(monkeypatch):
    from forecast.conformance.company import installed_beside
    from forecast.loading import load_plugins

    loaded = load_plugins(entry_points=False, drivers=[owner("a", "qa"), owner("b", "qb"), owner("c", "qa")])
    assert [one.name for one in installed_beside([owner("mine", "q")], loaded)] == ["a", "b"]  # c excludes a
    assert [one.name for one in installed_beside([owner("mine", "qb")], loaded)] == ["a"]
    assert [one.name for one in installed_beside([owner("a", "q")], loaded)] == ["b", "c"]


def test_the_drivers_that_require_one_are_named_and_others_are_what_they_were():
    mine = owner("mine", "q")
    needs, uses, apart = (
        owner("needs", "qn", read=["q"]),
        owner("uses", "qu", use=["q"]),
        owner("apart", "qp"),
    )
    check = outcome("removal", mine, needs, uses, apart)
    assert check.state == "passed"
    assert check.detail.startswith("required by needs; without it 1 trajectory")


def test_a_driver_that_changes_what_it_does_not_declare_fails():
    def meddling(self, m):
        x = m["qp"]
        m.graph.quantities["qp"].tensor = x + 1.0
        return 1.0

    mine = toys.driver("mine", q=provides("q", unit="FLOP")(meddling))
    said = failed("removal", mine, owner("apart", "qp"))
    assert "qp (of apart) is another without the driver" in said


def test_a_driver_without_which_another_breaks_otherwise_fails():
    def fragile(self, m):
        return 1.0 / (0 if m.get("q") is None else 1)

    frail = toys.driver("frail", q=provides("qf", unit="FLOP")(fragile))
    said = failed("removal", owner("mine", "q"), frail)
    assert "without the driver the model cannot be built" in said and "ZeroDivisionError" in said


def test_alone_there_is_nothing_to_remove_it_from():
    assert outcome("removal", owner("mine", "q")).state == "not applicable"
