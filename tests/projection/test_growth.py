"""What made the growth: parts by driver that add up, in every draw, to the growth of the quantity."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from forecast import engine
from forecast.cli import main
from forecast.driver import adds_to, limits, provides
from forecast.errors import InputError, PluginError
from forecast.inference import SamplerSettings
from forecast.inference.structure import Structure
from forecast.model import Layout, build_graph
from forecast.projection import Shocks, account, accounted, on_grid, project, quantity_evaluator
from forecast.projection.growth import SINCE
from forecast.report.growth_figure import growth_figure
from forecast.results import read_run
from forecast.results.growth import describe_growth
from forecast.results.trajectories import NotAvailable
from forecast.spec import history_end
from tests.toys import Line, draws_of, driver, future, spec_of, worldview

DRAWS = 24
LAUNCH = {"quantity": "chips", "add": -0.5, "from": "2028-01-01"}


def money(**declared):
    return driver(
        "money",
        """\
rise = { distribution = "Normal", mu = 0.3, sigma = 0.1, unit = "OOM/year", per = "bloc", source = "a test" }
luck = { value = 0.3, unit = "OOM/year", source = "a test" }
""",
        trend=provides("money", unit="USD/year", title="Money")(lambda self, m: 10.0 + m["rise"] * m.years),
        luck=adds_to("money", title="Luck")(
            lambda self, m: m.shock("luck", scale=m["luck"], persistence=2.0, bloc_share=0.5)
        ),
    )


def shop(grows_with=("money",), remainder="Cheaper chips"):
    return driver(
        "shop",
        'price = { distribution = "Normal", mu = 0.2, sigma = 0.05, unit = "OOM/year", source = "a test" }',
        bought=provides("chips", unit="H100e", title="Chips", grows_with=grows_with, remainder=remainder)(
            lambda self, m: m["money"] - 4.0 + m["price"] * m.years
        ),
        run=provides("compute", unit="FLOP", title="Compute", grows_with="chips")(
            lambda self, m: m["chips"] + 20
        ),
    )


def third_party():
    """An addition for China alone that hands on a quantity of its own, and a limit for China alone."""
    return driver(
        "third-party",
        """\
skill = { value = 0.15, unit = "OOM/year", blocs = ["china"], source = "a test" }
room = { value = 26.3, unit = "log10 FLOP", blocs = ["china"], source = "a test" }
""",
        craft=provides("craft", unit="OOM", title="Craft")(lambda self, m: 0.1 * m.years),
        skilled=adds_to("compute", title="Skill", grows_with="craft")(
            lambda self, m: m["craft"] + m["skill"] * m.years
        ),
        room=limits("compute", title="room")(lambda self, m: m["room"]),
    )


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    return worldview(tmp_path_factory.mktemp("growth"))


@pytest.fixture(scope="module")
def graph(view):
    return future(spec_of(view, money(), shop(), third_party()), LAUNCH, horizon=view.horizon)


@pytest.fixture(scope="module")
def values(graph):
    """Every step of every quantity in every draw, (draw, bloc, time)."""
    evaluate = quantity_evaluator(graph, stages=True)
    found = evaluate(draws_of(graph, DRAWS), Shocks(graph, 5).next(DRAWS), size=DRAWS)
    return {name: on_grid(value, graph) for name, value in found.items()}


def month(graph, text):
    return int(np.flatnonzero(graph.months == np.datetime64(text))[0])


@pytest.fixture(scope="module")
def parts(graph, values):
    start = month(graph, "2022-01-01")
    growth = {name: value - value[..., start : start + 1] for name, value in values.items()}
    found = account(graph.quantities["compute"], graph, growth)
    return {part.name: part for part in found}, {part.name: series for part, series in found.items()}


# The identity ------------------------------------------------------------------------------------


def test_parts_add_up_to_the_growth_in_every_draw_bloc_and_month(graph, values, parts):
    start = month(graph, "2022-01-01")
    compute = values["compute"]
    total = compute - compute[..., start : start + 1]
    assert np.abs(total).max() > 1
    np.testing.assert_allclose(sum(parts[1].values()), total, atol=1e-12)


def test_each_part_is_told_of_whoever_made_it(parts):
    told = [(name, part.driver, part.kind, part.title) for name, part in parts[0].items()]
    assert told == [
        ("money", "money", "base", "Money"),
        ("money.money.luck", "money", "addition", "Luck"),
        ("chips", "shop", "base", "Cheaper chips"),
        ("interventions", "", "intervention", "Interventions"),
        ("compute", "shop", "base", "Compute"),
        ("craft", "third-party", "base", "Craft"),
        ("compute.third-party.skilled", "third-party", "addition", "Skill"),
        ("compute.third-party.room", "third-party", "limit", "Limit: room"),
    ]


def test_each_part_is_what_its_term_did(graph, values, parts):
    series, draws = parts[1], draws_of(graph, DRAWS)
    years = (graph.decimal - 2022)[None, None, :]
    np.testing.assert_allclose(series["money"], draws["money", "rise"] * years, atol=1e-12)
    price = np.broadcast_to(draws["shop", "price"][:, None, None] * years, series["chips"].shape)
    np.testing.assert_allclose(series["chips"], price, atol=1e-12)
    assert np.abs(series["compute"]).max() < 1e-12  # it hands on all that it has
    past = graph.decimal < 2026.4
    assert (
        np.all(series["money.money.luck"][..., past] == 0) and np.abs(series["money.money.luck"]).max() > 0.1
    )
    late = month(graph, "2030-01-01")
    assert np.allclose(series["interventions"][..., late], -0.5)
    assert np.all(series["interventions"][..., : month(graph, "2027-12-01")] == 0)
    ours, theirs = 0, 1
    for name in ("craft", "compute.third-party.skilled", "compute.third-party.room"):
        assert np.all(series[name][:, ours] == 0), name  # a bloc that the term does not reach
    np.testing.assert_allclose(
        series["craft"][:, theirs], np.broadcast_to(0.1 * years[0], (DRAWS, years.size))
    )
    assert np.all(series["compute.third-party.room"][:, theirs, late] < 0)


def test_without_a_word_all_growth_of_a_base_is_its_owners(view):
    graph = future(spec_of(view, money(), shop(grows_with=(), remainder="")), horizon=view.horizon)
    found = project_(view, graph).growth
    assert list(found["part"].values) == ["chips"] and list(found["title"].values) == ["Chips"]


def test_what_is_accounted_for_are_the_last_of_the_chain_and_what_milestones_name(view, graph):
    assert [one.name for one in accounted(graph, {})] == ["compute"]
    assert [one.name for one in accounted(graph, view.milestones)] == ["compute"]
    plain = future(spec_of(view, Line()), horizon=view.horizon)
    assert accounted(plain, view.milestones) == []  # one step: nothing to tell apart
    assert project_(view, plain).growth is None


# Beside a forecast -------------------------------------------------------------------------------


def project_(view, graph, size=DRAWS, **fields):
    return project(
        graph, draws_of(graph, size), chains=2, milestones=view.milestones, thresholds=view.thresholds,
        seed=4, size=size, **fields,
    )  # fmt: skip


def test_a_projection_has_the_means_over_the_accepted_ones_of_its_trajectories(view, graph):
    found = project_(view, graph, size=400, keep=80)
    growth, accepted = found.growth, found.crossings["accepted"].values[:, ::5]
    assert 0 < accepted.sum() < accepted.size == 80 and growth.attrs["draws"] == accepted.sum()
    assert growth["compute"].dims == ("part", "bloc", "time") and growth["compute"].dtype == np.float32
    assert growth.attrs["since"] == "2022-01-01" == SINCE.isoformat()
    kept = found.trajectories["compute"].sel(time=growth["time"]).values.astype(float)[accepted].mean(axis=0)
    since = list(growth["time"].values).index(np.datetime64("2022-01-01"))
    expected = kept - kept[:, since : since + 1]
    np.testing.assert_allclose(growth["compute"].sum("part").values, expected, atol=1e-5)


def test_an_as_of_date_before_that_counts_from_the_beginning(tmp_path):
    early = worldview(tmp_path).replace(as_of="2021-06-30")
    graph = future(spec_of(early, money(), shop()), horizon=early.horizon)
    assert project_(early, graph).growth.attrs["since"] == "2018-01-01"


def test_the_fit_knows_nothing_of_it(view):
    def structure(*drivers):
        spec = spec_of(view, *drivers)
        graph = build_graph(spec, history_end(spec))
        assert all(not one.stages for one in graph.quantities.values())
        layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
        return Structure.of(graph, layout), spec

    assert structure(money(), shop())[0] == structure(money(), shop(grows_with=(), remainder=""))[0]


# What may be declared ----------------------------------------------------------------------------


def other(**fields):
    """A base that reads money and a quantity that is not in log10, and may ask for another."""

    def use(self, m):
        m.get("absent")
        return m["money"] + m["index"]

    return driver(
        "other",
        index=provides("index", unit="index point", linear=True)(lambda self, m: 0.1 * m.years),
        used=provides("use", unit="FLOP", **fields)(use),
    )


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("mony", r"used \(base of use\) says that it grows with 'mony', which it does not read \(did you "
                 r"mean 'money'\?\); the quantities that it reads: index, money"),
        ("index", r"it grows with 'index', which is not in log10, .*leave it out of grows_with"),
    ],
)  # fmt: skip
def test_a_quantity_that_is_not_read_or_not_in_log10_is_refused_in_words(view, named, words):
    with pytest.raises(PluginError, match=words) as caught:
        future(spec_of(view, money(), other(grows_with=["money", named])))
    assert "driver 'other'" in str(caught.value)


def test_a_quantity_that_may_be_read_and_that_nobody_provides_is_let_pass(view):
    graph = future(spec_of(view, money(), other(grows_with=["money", "absent"])))
    assert graph.quantities["use"].stages[0].grows_with == ("money",)


def test_an_addition_to_what_is_not_in_log10_has_no_growth_in_oom(view):
    def more(self, m):
        return m["money"]

    adding = driver("adding", more=adds_to("index", grows_with="money")(more))
    with pytest.raises(
        PluginError, match=r"more \(addition of index\) says grows_with.*'index' is not in log10"
    ):
        future(spec_of(view, money(), other(), adding))


@pytest.mark.parametrize(
    "declare",
    [
        lambda: provides("x", unit="year", linear=True, grows_with="money"),
        lambda: provides("x", states=["a", "b"], remainder="Rest"),
        lambda: adds_to("x", channel="c", grows_with="money"),
    ],
)
def test_a_declaration_that_has_no_meaning_is_refused_where_it_is_made(declare):
    with pytest.raises(TypeError, match="leave"):
        declare()


# Reading it --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    view = worldview(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("run_pictures.draw_crossings", "run_pictures.draw_worlds", "run_pictures.draw_channels"):
            patch.setattr(f"forecast.report.{name}", lambda *_, **__: None)
        settings = SamplerSettings(draws=60, chains=2)
        made = engine.run(view, drivers=[money(), shop(), third_party()], settings=settings, prior_only=True)
        return read_run(made.save(folder))


def test_the_description_adds_up_and_may_count_from_another_date(saved):
    found = describe_growth(saved.tree)
    assert (found["quantity"], found["unit"], found["since"]) == ("compute", "OOM", "2022-01-01")
    assert found["years"][:5] == [2022, 2023, 2024, 2025, 2026] and found["years"][-1] == 2033
    assert found["years"][5] == pytest.approx(2026 + 181 / 365)  # the end of the as-of date
    assert [part["driver"] for part in found["parts"]] == ["money", "money", "shop", *["third-party"] * 3]
    for told in found["blocs"].values():
        assert told["total"] == np.sum(told["parts"], axis=0).tolist() and told["total"][0] == 0
    stored = saved.tree["growth"]["compute"].sel(bloc="china", time="2026-01-01").sum("part")
    assert found["blocs"]["china"]["total"][4] == pytest.approx(float(stored), abs=1e-6)
    later = describe_growth(saved.tree, "compute", "china", since=engine.date(2024, 7, 1))
    assert list(later["blocs"]) == ["china"] and later["years"][:2] == [
        pytest.approx(2024.4973, abs=1e-3),
        2025,
    ]
    at = [found["blocs"]["china"]["total"][place] for place in (3, 4)]
    again = later["blocs"]["china"]["total"]
    assert again[0] == 0 and again[2] - again[1] == pytest.approx(at[1] - at[0])
    json.dumps(found, allow_nan=False)


def test_what_a_run_does_not_have_is_said_in_words(saved):
    with pytest.raises(InputError, match=r"'computer' \(did you mean 'compute'\?\); it has compute"):
        describe_growth(saved.tree, "computer")
    with pytest.raises(InputError, match=r"no bloc 'chin' \(did you mean 'china'\?\)"):
        describe_growth(saved.tree, bloc="chin")
    with pytest.raises(InputError, match=r"--since 1999-01-01: .* from 2018-01-01 to 2033-01-01"):
        describe_growth(saved.tree, since=engine.date(1999, 1, 1))
    with pytest.raises(NotAvailable, match="no account of growth.*earlier version"):
        describe_growth(saved.tree.drop_nodes("growth"))


def growth(saved, *arguments):
    return CliRunner().invoke(main, ["growth", str(saved.path), *arguments])


def test_the_command_shows_each_drivers_sum_over_its_parts_and_the_total(saved):
    result = growth(saved, "--bloc", "china")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["2026-06-30", "2028", "2031"] in lines and not any("US" in line for line in lines)
    rows = {" ".join(line[:-3]): [float(one) for one in line[-3:]] for line in lines if len(line) > 3 and
            all(one.strip("+-.0123456789") == "" for one in line[-3:])}  # fmt: skip
    assert rows["money"] == pytest.approx(np.add(rows["Money"], rows["Luck"]), abs=0.011)
    assert rows["all of it"] == pytest.approx(
        np.sum([rows[name] for name in ("money", "shop", "third-party")], axis=0), abs=0.02
    )
    assert rows["Limit: room"][2] < -0.1
    assert "priors alone" in result.stdout and "what would be lost without it" in " ".join(
        result.stdout.split()
    )


def test_json_and_the_picture(saved, tmp_path):
    result = growth(saved, "--json", "--output", str(tmp_path / "growth.png"))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "forecast.growth/1" and found["run"] == saved.id and found["prior_only"] is True
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_a_day_that_is_none_is_wrong_input(saved):
    result = growth(saved, "--since", "soon")
    assert result.exit_code == 2 and "--since: must be a date" in result.stderr


def test_the_picture_stacks_every_part_and_draws_the_total(saved):
    found = describe_growth(saved.tree)
    figure = growth_figure(found, {"china": "China"}, worldview="toys", prior_only=True, run_id="some-run")
    panels = [axes for axes in figure.axes if axes.lines]
    assert [axes.get_title(loc="left") for axes in panels] == ["us_allies", "China"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0] == "Growth, all parts together" and "Limit: room\n(third-party)" in labels
    years = np.array(found["years"])
    for axes, bloc in zip(panels, found["blocs"], strict=True):
        total = np.array(found["blocs"][bloc]["total"])
        assert np.array_equal(axes.lines[0].get_ydata(), total[: axes.lines[0].get_ydata().size])
        corners = np.concatenate([area.get_paths()[0].vertices for area in axes.collections])
        last = corners[np.isclose(corners[:, 0], years[-1]), 1]
        ends = np.array([series[-1] for series in found["blocs"][bloc]["parts"]])
        assert last.max() == pytest.approx(ends[ends > 0].sum(), abs=1e-6)
        assert last.min() == pytest.approx(min(0.0, ends[ends < 0].sum()), abs=1e-6)
    words = " ".join(text.get_text() for text in figure.texts)
    assert "priors alone of worldview 'toys'" in words.replace("\n", " ") and "Run some-run" in words


def test_a_quantity_that_the_run_does_not_have_is_wrong_input(saved):
    with pytest.raises(InputError, match="no account of the growth of 'chips_in_rum'"):
        describe_growth(saved.tree, "chips_in_rum")
