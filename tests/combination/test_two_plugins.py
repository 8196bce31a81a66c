"""Two plugins on one quantity: both count, in any order, and neither takes the other's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forecast as library
from forecast.driver import adds_to, limits, observes, provides
from forecast.engine import make_plan
from forecast.errors import InputError
from forecast.inference import SamplerSettings
from forecast.model import build_graph
from tests.combination.support import good, line, listed, plugin, refused, run_tree, write
from tests.toys import (
    AS_OF,
    LINE,
    RUNS,
    TABLES,
    WORLDVIEW,
    Line,
    constant,
    driver,
    future,
    spec_of,
    table,
    values,
    worldview,
)

UP = plugin(
    "up",
    '@adds_to("compute")\ndef more(self, m):\n    return m["gain"]',
    'gain = { distribution = "Normal", mu = 0.3, sigma = 0.1, unit = "OOM", source = "a test" }',
)
DOWN = plugin(
    "down",
    '@adds_to("compute", unit="FLOP")\ndef less(self, m):\n    return -m["loss"]',
    'loss = { distribution = "HalfNormal", sigma = 0.2, unit = "OOM", source = "a test" }',
)
PLUGINS = ("line.py", "up.py", "down.py")
BOTH = tuple(word for name in PLUGINS for word in ("--plugin", name))
FEW = SamplerSettings(draws=30, chains=2)


pytestmark = pytest.mark.usefixtures("install")  # what a test installs or names is all that there is


def compute(tree: Any) -> Any:
    return tree["projection"]["compute"].to_numpy()


def prior(tree: Any, name: str) -> Any:
    return tree["prior"][name].to_numpy()[:, :, None, None]


def write_both() -> None:
    write(("line.py", line()), ("up.py", UP), ("down.py", DOWN))


# Additions -----------------------------------------------------------------------------------------


def again(*plugins: str, without: tuple[str, ...] = ()) -> library.Run:
    """The same from Python: nothing is written."""
    view = library.load_worldview("toys.toml", disable=without)
    return library.run(view, plugins=plugins, prior_only=True, settings=FEW)


def test_two_additions_are_both_in_and_each_can_go_without_the_other():
    write_both()
    both, without_up = (run_tree(*BOTH, *out) for out in ((), ("--without", "up")))
    without_down, neither = (again(*PLUGINS, without=out).results for out in (("down",), ("up", "down")))
    gain, loss = prior(both, "up.gain"), prior(both, "down.loss")
    assert gain.std() > 0.05 and loss.std() > 0.05
    assert compute(both) - compute(neither) == pytest.approx(gain - loss + 0 * compute(both), abs=1e-5)
    assert compute(without_down) - compute(neither) == pytest.approx(gain + 0 * compute(both), abs=1e-5)
    assert compute(without_up) - compute(neither) == pytest.approx(-loss + 0 * compute(both), abs=1e-5)
    assert np.array_equal(prior(without_down, "up.gain").astype(gain.dtype), gain)


def test_the_order_in_which_plugins_are_named_changes_not_a_bit():
    write_both()
    one = again(*PLUGINS)
    for names in (("down.py", "up.py", "line.py"), ("up.py", "line.py", "down.py")):
        other = again(*names)
        assert other.id == one.id  # a hash of all that decides the result
        for group in one.results.children:
            assert one.results[group].to_dataset().equals(other.results[group].to_dataset()), group


def test_the_order_in_which_distributions_are_installed_changes_not_a_bit(install):
    write()
    plugins = {"line": line(), "up": UP, "down": DOWN}
    found = []
    for names in (("line", "up", "down"), ("down", "line", "up")):
        infos = [install(name, plugins[name], f"agi-{name}") for name in names]
        found.append(again())
        for info in infos:
            for file in info.iterdir():
                file.unlink()
            info.rmdir()
    first, second = found
    assert first.id == second.id
    assert compute(first.results).tobytes() == compute(second.results).tobytes()
    assert first.plan.host.distribution_of("up") == "agi-up 1.0"


ROW = "us_allies,{name},2025-10-01,{value},FLOP,,,,2025-11-01,,made up,https://example.org,,\n"
ROWS = """
from pathlib import Path
from forecast import MoreRows, hookimpl

api_version = 1

@hookimpl
def forecast_evidence():
    return [MoreRows("line", "runs", Path(__file__).parent / "{file}")]
"""
OWNER = """
from pathlib import Path
from forecast import hookimpl
from tests.toys import Line, table

@hookimpl
def forecast_drivers():
    return [Line(table(Path(__file__).parent / "evidence"))]
"""


def test_rows_of_two_plugins_join_one_table_in_an_order_of_their_own():
    header = RUNS.partition("\n")[0]
    for name, value in (("a", "8e25"), ("b", "9e25")):
        Path(f"{name}.csv").write_text(f"{header}\n{ROW.format(name=name.upper(), value=value)}")
    write(
        ("line.py", OWNER), ("rows_a.py", ROWS.format(file="a.csv")), ("rows_b.py", ROWS.format(file="b.csv"))
    )
    found = []
    for names in (("rows_a.py", "rows_b.py"), ("rows_b.py", "rows_a.py")):
        named = [word for name in ("line.py", *names) for word in ("--plugin", name)]
        rows = listed("evidence", "runs", *named)["data"]
        assert [row["name"] for row in rows][-2:] == ["A", "B"]
        found.append(make_plan("toys.toml", plugins=["line.py", *names], prior_only=True))
    assert found[0].id == found[1].id
    assert len(found[0].spec.evidence["line", "runs"]) == 7


# Limits and channels -------------------------------------------------------------------------------


@pytest.fixture
def view(tmp_path: Path) -> Any:
    return worldview(tmp_path)


def test_limits_of_two_plugins_enter_one_soft_minimum(view):
    owner = driver("owner", base=constant("a", 25.0))
    low = driver("low", cap=limits("a", unit="FLOP")(lambda self, m: 25.1))
    high = driver("high", cap=limits("a")(lambda self, m: 25.2))
    found = values(future(spec_of(view, owner, low, high)), "a")["a"]
    assert found == pytest.approx(np.full(found.shape, softmin(25.0, 25.1, 25.2)))
    without = values(future(spec_of(view, owner, high)), "a")["a"]
    assert without == pytest.approx(np.full(found.shape, softmin(25.0, 25.2)))


def softmin(*levels: float) -> float:
    return float(-np.log10(np.sum(10.0 ** (-4.0 * np.array(levels)))) / 4.0)


MARKET = plugin("market", '@provides("compute", unit="FLOP", channels=True)\ndef base(self, m):\n    pass')


def channel(name: str, of: str, level: float) -> str:
    return plugin(name, f'@adds_to("compute", channel="{of}")\ndef flow(self, m):\n    return {level}')


def test_channels_of_two_plugins_add_up_and_each_has_its_name():
    write(
        ("market.py", MARKET),
        ("sea.py", channel("by-sea", "sea", 25.0)),
        ("air.py", channel("by-air", "air", 24.0)),
    )
    named = ("--plugin", "sea.py", "--plugin", "market.py", "--plugin", "air.py")
    tree = run_tree(*named)
    assert sorted(tree["projection"]["channel"].values) == ["air", "sea"]
    assert 10.0 ** (compute(tree) - 25.0) == pytest.approx(1.1 + 0 * compute(tree), rel=1e-4)
    alone = again(*named[1::2], without=("by-air",)).results
    assert compute(alone) == pytest.approx(25.0 + 0 * compute(tree))


def test_one_channel_of_two_plugins_is_a_conflict_that_names_both_and_the_way_out(install):
    write()
    install("market", MARKET, "agi-market")
    install("sea", channel("by-sea", "sea", 25.0), "agi-sea", "2.0")
    install("ship", channel("ships", "sea", 24.0), "agi-ships", "3.1")
    for command in ("run", "drivers", "graph"):
        words = refused(command, "--priors", "toys.toml")
        assert "channel 'sea' of quantity 'compute' is provided by two drivers" in words
        assert "'by-sea' of agi-sea 2.0 and 'ships' of agi-ships 3.1" in words
        assert "--without by-sea or --without ships" in words and "[drivers] disable" in words
    alone = again(without=("ships",)).results
    assert alone["projection"]["channel"].values.tolist() == ["sea"]


# Names of their own --------------------------------------------------------------------------------


def lucky(name: str, shock: str = "luck") -> Any:
    return driver(
        name,
        lucky=adds_to("compute")(
            lambda self, m: m.shock(shock, scale=0.3, persistence=3.0, bloc_share=0.5),
        ),
    )


def luck_of(view: Any, *drivers: Any) -> Any:
    """What shocks add to compute, draw by draw."""
    runs = [
        library.run(view, drivers=[Line(), *chosen], prior_only=True, settings=FEW)
        for chosen in ((), drivers)
    ]
    return compute(runs[1].results) - compute(runs[0].results)


def test_two_plugins_whose_shocks_have_one_name_do_not_share_draws(view):
    one, two, both = (
        luck_of(view, *found) for found in ((lucky("a"),), (lucky("b"),), (lucky("a"), lucky("b")))
    )
    assert both == pytest.approx(one + two, abs=1e-4)  # neither draws otherwise beside the other
    late = one[..., -1].ravel(), two[..., -1].ravel()
    assert abs(np.corrcoef(*late)[0, 1]) < 0.6 and np.std(late[0]) > 0.1


def test_a_plugin_can_name_the_shock_of_another_to_share_its_draws(view):
    one, both = (luck_of(view, *found) for found in ((lucky("a"),), (lucky("a"), lucky("b", "a.luck"))))
    assert both == pytest.approx(2 * one, abs=1e-4)


def test_two_plugins_whose_numbers_have_one_name_keep_their_own(view):
    first, second = (
        driver(name, **{name: adds_to("a")(lambda self, m, up=up: m.constant("shift", [[up]], fixed=True))})
        for name, up in (("one", 0.5), ("two", 0.25))
    )
    owner = driver("owner", base=constant("a", 1.0))
    found = values(future(spec_of(view, owner, first, second)), "a")["a"]
    assert found == pytest.approx(np.full(found.shape, 1.75))


def part(name: str, quantity: str) -> Any:
    return driver(
        name,
        base=provides(quantity, unit="FLOP")(lambda self, m: m.term("rise", 1.0 * m.years)),
        cap=limits(quantity)(lambda self, m: 1.0),
    )


@pytest.mark.parametrize(("kind", "name"), [("term", "rise"), ("limit", "cap")])
def test_an_intervention_on_a_name_of_two_plugins_asks_which_is_meant(view, kind, name):
    spec = spec_of(view, part("one", "a"), part("two", "b"))
    with pytest.raises(InputError) as caught:
        future(spec, {kind: name, "set": "off"})
    assert str(caught.value) == (
        f"intervention: {kind} '{name}' is of 2 drivers, one and two; say which: 'one.{name}' or 'two.{name}'"
    )
    free, changed = (
        values(future(spec, *changes), "a", "b") for changes in ((), ({kind: f"two.{name}", "set": "off"},))
    )
    assert np.array_equal(free["a"], changed["a"]) and not np.array_equal(free["b"], changed["b"])
    alone = future(spec_of(view, part("two", "b")), {kind: name, "set": "off"})
    assert np.array_equal(values(alone, "b")["b"], changed["b"])


def watching(folder: Path, name: str) -> Any:
    def measured(self: Any, m: Any, data: Any) -> None:
        m.normal(data, mean=m.at(m[name], data), sd=data.error)

    return driver(
        name,
        evidence=table(folder / name, owner=name),
        base=constant(name, 25.0),
        measured=observes("runs")(measured),
    )


def test_tables_of_one_name_are_told_apart_by_their_drivers(view, tmp_path):
    spec = spec_of(view, Line(table(tmp_path / "line")), watching(tmp_path, "one"), watching(tmp_path, "two"))
    graph = build_graph(spec, AS_OF)
    assert [one.label for one in graph.likelihoods] == ["line.runs", "one.runs", "two.runs"]
    assert len({name for name in graph.data if name.endswith(".value")}) == 3


def test_a_table_that_two_plugins_have_is_asked_for_with_its_driver(tmp_path):
    body = f'evidence = read_tables(Path("{tmp_path}") / NAME, NAME)'
    for name in ("one", "two"):
        table(tmp_path / name, owner=name, tables=TABLES)
        Path(f"{name}.py").write_text(plugin(name, body.replace("NAME", repr(name))))
    named = ("--plugin", "one.py", "--plugin", "two.py")
    words = refused("evidence", "runs", *named, code=2)
    assert "evidence table 'runs' belongs to several drivers: say one/runs or two/runs" in words
    assert "Largest runs, made up." in good("evidence", "two/runs", *named)


# A real fit ----------------------------------------------------------------------------------------

GULF = (
    WORLDVIEW.replace('china = "China"', 'china = "China"\ngulf = "Gulf states"')
    + """
[priors.line.by_bloc.gulf]
level = { distribution = "Normal", mu = 24, sigma = 1, unit = "log10 FLOP", source = "a test" }
"""
)
GULF_RUNS = RUNS + "".join(
    f"gulf,{name},{day},{value},FLOP,,,,2025-08-01,,made up,https://example.org,,\n"
    for name, day, value in (("F", "2024-01-01", "2e24"), ("G", "2025-01-01", "7e24"))
)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three blocs, two plugins that add to one quantity, and NUTS."""
    folder = tmp_path_factory.mktemp("fit")
    gains = [
        driver(
            name,
            f'gain = {{ distribution = "Normal", mu = {mean}, sigma = 0.01, unit = "OOM", source = "s" }}',
            more=adds_to("compute")(lambda self, m: m["gain"] * (m.after > 0)),
        )
        for name, mean in (("up", 0.5), ("down", -0.2))
    ]
    return library.run(
        worldview(folder, GULF),
        drivers=[Line(table(folder / "evidence", GULF_RUNS)), *gains],
        settings=SamplerSettings(draws=150, tune=250, chains=2, cores=1, sampler="pymc"),
    )


def test_a_fit_of_three_blocs_learns_about_each_and_keeps_both_additions(fitted):
    posterior = fitted.results["posterior"]
    assert posterior["line.level"]["bloc"].values.tolist() == ["us_allies", "china", "gulf"]
    level = posterior["line.level"].sel(bloc="gulf")
    assert float(level.std()) < 0.4 and float(level.mean()) == pytest.approx(24.35, abs=0.35)  # prior: 24 ± 1
    assert fitted.results["log_likelihood"]["runs"].sizes["runs_row"] == 7
    compute = fitted.results["projection"]["compute"].sel(bloc="gulf")
    growth = posterior["line.growth"]
    since = 1 / 12
    step = compute.sel(time="2026-08-01") - compute.sel(time="2026-07-01")
    assert abs(float((step - growth * since).mean())) < 0.02
    jump = compute.sel(time="2026-08-01") - compute.sel(time="2026-06-01") - growth * 2 * since
    assert float(jump.mean()) == pytest.approx(0.3, abs=0.02)


def test_worlds_of_three_blocs_add_up_to_one(fitted):
    blocs = fitted.summary["milestones"]["big"]["blocs"]
    lead = fitted.summary["milestones"]["big"]["lead"]
    assert list(blocs) == ["us_allies", "china", "gulf"] and set(lead["p_unipolar"]) == set(blocs)
    total = sum(lead["p_unipolar"].values()) + lead["p_bipolar"] + lead["p_neither"]
    assert total == pytest.approx(1.0)
    assert LINE.count("gulf") == 0  # the driver itself knows nothing of the third bloc
