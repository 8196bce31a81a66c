"""Hooks beside drivers: rows, importers, sections, named files; versions, deprecations, FORECAST_PLUGINS."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from forecast import deprecation, hookspecs, loading, vetting
from forecast.claims import read_claims
from forecast.deprecation import PluginDeprecationWarning, deprecated, deprecated_hook
from forecast.errors import InputError, PluginError
from forecast.host import load_host, load_plugins
from forecast.model import Model
from forecast.worldview import load_worldview, read_scenarios
from tests.toys import Line, driver, provides, spec_of, worldview
from tests.toys import future as future_graph

DRIVER = """
from forecast import Driver, hookimpl, provides

class Toy(Driver):
    name = "{name}"
    api_version = {version}

    @provides("{name}", unit="FLOP")
    def base(self, m):
        return 0.0

@hookimpl
def forecast_drivers():
    return [Toy()]
"""

PACK = """
from pathlib import Path
from forecast import Importer, MoreRows, ReportSection, hookimpl

api_version = 1
FOLDER = Path({folder!r})
"""


def toy(name: str = "toy", version: int = 1) -> str:
    return DRIVER.format(name=name, version=version)


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a plugin without drivers, with the body of one hook; returns its file."""
    monkeypatch.chdir(tmp_path)

    def write(hook: str, body: str, name: str = "pack.py", version: str = "api_version = 1") -> str:
        text = PACK.format(folder=str(tmp_path)).replace("api_version = 1", version)
        (tmp_path / name).write_text(f"{text}\n@hookimpl\ndef {hook}():\n    {body}\n")
        return name

    return write


def only(*plugins: str, **kwargs: Any) -> Any:
    return load_host(plugins, entry_points=False, **kwargs)


# Named files ---------------------------------------------------------------------------------------


def test_a_plugins_worldview_is_known_by_its_name_and_lies_over_the_default(pack, tmp_path):
    (tmp_path / "gulf.toml").write_text('title = "With the Gulf"\nseed = 3\n')
    shelf = only(pack("forecast_worldviews", "return [FOLDER / 'gulf.toml']")).shelf
    found = load_worldview("gulf", shelf=shelf)
    assert (found.name, found.title, found.seed) == ("gulf", "With the Gulf", 3)
    assert found.as_of == load_worldview().as_of
    both = load_worldview("skeptic", "gulf", shelf=shelf)
    assert both.seed == 3 and both.horizon == load_worldview("skeptic").horizon


def test_a_users_file_can_extend_a_plugins_worldview(pack, tmp_path):
    (tmp_path / "gulf.toml").write_text("seed = 3\n")
    (tmp_path / "mine.toml").write_text('extends = "gulf"\ntitle = "Mine"\n')
    shelf = only(pack("forecast_worldviews", "return [FOLDER / 'gulf.toml']")).shelf
    assert load_worldview(tmp_path / "mine.toml", shelf=shelf).seed == 3


def test_a_mistake_in_a_plugins_worldview_names_the_plugin_and_the_line(pack, tmp_path):
    (tmp_path / "gulf.toml").write_text('seed = "three"\n')
    shelf = only(pack("forecast_worldviews", "return [FOLDER / 'gulf.toml']")).shelf
    with pytest.raises(InputError, match=r"pack\.py: gulf\.toml:1: seed: must be a whole"):
        load_worldview("gulf", shelf=shelf)


def test_scenarios_and_claims_of_a_plugin_are_known_by_their_names(pack, tmp_path):
    (tmp_path / "moratorium.toml").write_text(
        'kind = "intervene"\nsource = "s"\nintervene = [{ quantity = "investment", add = -1 }]\n'
    )
    shelf = only(pack("forecast_scenarios", "return [FOLDER / 'moratorium.toml']")).shelf
    (scenario,) = read_scenarios(["moratorium"], shelf)
    assert scenario.intervene[0].add == -1
    with pytest.raises(InputError, match="there is no scenario"):
        read_scenarios(["moratorium"])
    text = Path(__file__).parents[1].joinpath("priors/claims/amodei-2025.toml").read_text()
    (tmp_path / "essay.toml").write_text(text)
    shelf = only(pack("forecast_claims", "return [FOLDER / 'essay.toml']", "claims.py")).shelf
    assert [claim.id for claim in read_claims(["essay"], shelf)] == [claim.id for claim in read_claims()]


@pytest.mark.parametrize(
    ("hook", "body", "words"),
    [
        ("forecast_worldviews", "return [FOLDER / 'default.toml']", "'default' that is shipped; rename"),
        ("forecast_worldviews", "return [FOLDER / 'no-controls.toml']", "the scenario 'no-controls' that is"),
        ("forecast_scenarios", "return [FOLDER / 'gone.toml']", "there is no such file"),
        ("forecast_claims", "return [FOLDER / 'pack.py']", "which is no .toml file"),
        ("forecast_claims", "return ['claims.toml']", "a list that holds 'claims.toml'; it holds paths"),
        ("forecast_scenarios", "return FOLDER", "not a list of paths; put it into a list"),
        ("forecast_importers", "return [3]", "a list that holds 3; it holds Importer"),
        ("forecast_importers", "return [Importer('A b', '', 'd', 't', list)]", "importer is called 'A b'"),
        (
            "forecast_report_sections",
            "return [ReportSection('x', 'X', str)] * 2",
            "the name of one of its own",
        ),
        ("forecast_evidence", "return None", "forecast_evidence() returned None"),
        ("forecast_evidence", "return 1 / 0", "ZeroDivisionError"),
        (
            "forecast_evidence",
            "return [MoreRows(['a'], 'b', FOLDER)]",
            "driver is ['a']; it must be text",
        ),
        (
            "forecast_evidence",
            "return [MoreRows('a', 'b', 'c.csv')]",
            "file is 'c.csv'; it must be a path",
        ),
        (
            "forecast_report_sections",
            "return [ReportSection('x', 'X', 5)]",
            "text is 5; it must be a",
        ),
        ("forecast_importers", "return [Importer('a', None, 'd', 't', list)]", "whose title is None"),
        ("forecast_evidence", r"raise ValueError('\x1b[2J')", r"ValueError: \x1b[2J"),
    ],
)
def test_rubbish_from_a_hook_is_named(pack, tmp_path, hook, body, words):
    for name in ("default", "no-controls"):
        (tmp_path / f"{name}.toml").write_text("seed = 1\n")
    with pytest.raises(PluginError, match="plugin 'pack.py'") as caught:
        only(pack(hook, body))
    assert words in str(caught.value)


def test_a_hook_of_a_later_contract_may_be_marked_as_optional(pack, tmp_path):
    file = pack("forecast_evidence", "return []")
    with (tmp_path / file).open("a") as stream:
        stream.write("\n@hookimpl(optionalhook=True)\ndef forecast_of_tomorrow():\n    return 1 / 0\n")
    (plugin,) = only(file).loaded.plugins
    assert (plugin.status, plugin.hooks) == ("ok", ("forecast_evidence",))


def test_a_driver_whose_name_leaves_the_process_is_set_aside(install):
    text = toy().replace('name = "toy"', "name = property(lambda self: exit(3))")
    install("toy", text, "agi-toy")
    (problem,) = load_host().problems
    assert "it called sys.exit(3)" in problem.message


def test_parameters_that_can_be_read_only_once_are_refused(install):
    install("toy", toy().replace("api_version", "parameters = iter(())\n    api_version"), "agi-toy")
    (problem,) = load_host().problems
    assert "parameters must be what load_parameters" in problem.message


def test_a_file_that_is_named_by_two_paths_is_one_plugin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.py").write_text(toy())
    assert list(only("toy.py", "./toy.py", str(tmp_path / "toy.py")).drivers) == ["toy"]


def test_a_package_is_loaded_from_its_init_file_with_what_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "lab_toy"
    package.mkdir()
    (package / "level.py").write_text("UNIT = 'FLOP'\n")
    (package / "priors.toml").write_text('level = { value = 3, unit = "FLOP", source = "s" }\n')
    text = f"from forecast import load_parameters\nfrom . import level\n{toy()}".replace(
        "api_version", "parameters = load_parameters(__package__, name)\n    api_version"
    )
    (package / "__init__.py").write_text(text)
    assert len(only("lab_toy/__init__.py").defaults()) == 1


def test_two_plugins_with_a_worldview_of_one_name_are_both_named(pack, tmp_path):
    (tmp_path / "gulf.toml").write_text("seed = 1\n")
    files = [pack("forecast_worldviews", "return [FOLDER / 'gulf.toml']", name) for name in ("a.py", "b.py")]
    with pytest.raises(PluginError, match=r"plugin 'b\.py'.*the worldview 'gulf' of a\.py; rename"):
        only(*files)


def test_a_plugin_without_drivers_states_its_version_in_the_module(pack, tmp_path):
    with pytest.raises(PluginError, match="states no api_version; write api_version = 1 in the module"):
        only(pack("forecast_evidence", "return []", version=""))
    with pytest.raises(PluginError, match="was written for api_version 9.*update agi-forecast"):
        only(pack("forecast_evidence", "return []", version="api_version = 9"))


# More rows -----------------------------------------------------------------------------------------

ROW = "us_allies,{name},2025-10-01,9e25,FLOP,,,,2025-11-01,,made up,https://example.org,,\n"
HEADER = "bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note,period_months\n"


def with_rows(pack: Any, tmp_path: Path, rows: str, driver: str = "line", table: str = "runs") -> Any:
    from tests.toys import table as toy_table

    (tmp_path / "more.csv").write_text(HEADER + rows)
    file = pack("forecast_evidence", f"return [MoreRows({driver!r}, {table!r}, FOLDER / 'more.csv')]")
    return only(file, drivers=[Line(toy_table(tmp_path / "evidence"))])


def test_rows_of_a_plugin_join_the_table_of_a_driver(pack, tmp_path):
    rows = with_rows(pack, tmp_path, ROW.format(name="F")).evidence()["line", "runs"].rows
    assert [row.name for row in rows] == ["A", "B", "C", "D", "E", "F"]


@pytest.mark.parametrize(
    ("rows", "driver", "table", "words"),
    [
        (ROW.format(name="F"), "line", "run", "rows for line/run, and there is no such table"),
        (ROW.format(name="F"), "lime", "runs", "rows for the driver 'lime', which is not installed"),
        (ROW.format(name="F").replace("9e25", "much"), "line", "runs", "more.csv:2: value"),
        (ROW.format(name="F") * 2, "line", "runs", "more.csv:3: name: 'F' repeats line 2"),
        (
            "us_allies,C,2025-07-01,7e25,FLOP,,,,2025-08-01,,made up,https://example.org,,\n",
            "line",
            "runs",
            "'C' is in evidence/runs.csv already (line 4)",
        ),
    ],
)
def test_rows_that_do_not_fit_are_named(pack, tmp_path, rows, driver, table, words):
    with pytest.raises(PluginError, match="plugin 'pack.py'") as caught:
        with_rows(pack, tmp_path, rows, driver, table)
    assert words in str(caught.value)


def test_rows_for_a_driver_that_is_left_out_are_left_alone(pack, tmp_path):
    (tmp_path / "more.csv").write_text(HEADER + ROW.format(name="F"))
    file = pack("forecast_evidence", "return [MoreRows('line', 'runs', FOLDER / 'more.csv')]")
    assert only(file, drivers=[Line()], disable=["line"]).evidence() == {}


# Versions and deprecations -------------------------------------------------------------------------


def test_an_older_version_that_is_still_understood_warns_once_and_names_the_plugin(install, monkeypatch):
    for module in (vetting, loading):
        monkeypatch.setattr(module, "API_VERSION", 2, raising=False)
    monkeypatch.setattr(deprecation, "_said", set())
    install("toy", toy(), "agi-toys", "2.0")
    with pytest.warns(PluginDeprecationWarning) as told:
        assert list(load_host().drivers) == ["toy"]
        load_host()
    assert [str(one.message) for one in told] == [
        "driver 'toy' of agi-toys 2.0: was written for api_version 1, which is deprecated; update the plugin"
    ]


@pytest.mark.parametrize(("version", "remedy"), [(0, "update the plugin"), (2, "update agi-forecast")])
def test_an_incompatible_driver_is_refused_by_name_with_what_to_do(install, version, remedy):
    install("toy", toy(version=version), "agi-toys", "2.0")
    (problem,) = load_host().problems
    assert str(problem) == (
        f"plugin 'toy' of agi-toys 2.0: was written for api_version {version}; this forecast supports "
        f"api_version 1: {remedy}"
    )
    (plugin,) = load_plugins().plugins
    assert plugin.status == "incompatible"


def test_a_deprecated_hook_warns_once_and_names_the_plugin(install, monkeypatch):
    monkeypatch.setattr(deprecation, "_said", set())
    spec = hookspecs.forecast_drivers
    monkeypatch.setattr(hookspecs, "forecast_drivers", deprecated_hook("use forecast_terms")(spec))
    install("toy", toy(), "agi-toys", "2.0")
    with pytest.warns(PluginDeprecationWarning) as told:
        load_host()
        load_host()
    assert [str(one.message) for one in told] == [
        "plugin 'toy' of agi-toys 2.0: its hook forecast_drivers is deprecated; use forecast_terms"
    ]
    del spec.__forecast_instead__


def test_a_deprecated_method_of_the_model_warns_once_for_each_driver(tmp_path, monkeypatch):
    monkeypatch.setattr(deprecation, "_said", set())
    monkeypatch.setattr(Model, "old", deprecated("use m.years")(lambda m: m.years), raising=False)
    drivers = [
        driver(name, base=provides(name, unit="FLOP")(lambda self, m: m.old() + m.old()))
        for name in ("one", "two")
    ]
    spec = spec_of(worldview(tmp_path), *drivers)
    with pytest.warns(PluginDeprecationWarning) as told:
        future_graph(spec)
        future_graph(spec)
    assert [str(one.message) for one in told] == [
        f"driver '{name}' of this Python session: m.<lambda> is deprecated; use m.years"
        for name in ("one", "two")
    ]


def test_nothing_that_is_shipped_is_deprecated(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", PluginDeprecationWarning)
        load_host()


# FORECAST_PLUGINS ----------------------------------------------------------------------------------


@pytest.fixture
def three(install: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two third-party distributions and ours; returns a function that sets the variable and loads."""
    install("one", toy("one"), "agi-one")
    install(
        "two", toy("two").replace("[Toy()]", "[Toy(), type('More', (Toy,), {'name': 'more'})()]"), "agi-two"
    )
    install("own", toy("own"), "agi-forecast")

    def load(value: str | None) -> list[str]:
        if value is None:
            monkeypatch.delenv("FORECAST_PLUGINS", raising=False)
        else:
            monkeypatch.setenv("FORECAST_PLUGINS", value)
        return [one.driver.name for one in load_plugins().drivers]

    return load


def test_without_the_variable_everything_is_loaded(three):
    assert sorted(three(None)) == ["more", "one", "own", "two"]


@pytest.mark.parametrize(
    ("value", "loaded"),
    [
        ("", ["own"]),
        ("agi-one", ["one", "own"]),
        ("one, agi-two", ["more", "one", "own", "two"]),
        ("more", ["more", "own"]),
        ("own", ["own"]),
        ("agi-forecast one", ["one", "own"]),
        ("AGI_one", ["one", "own"]),
    ],
)
def test_the_variable_selects_distributions_plugins_and_drivers(three, value, loaded):
    assert sorted(three(value)) == loaded


def test_a_name_that_nothing_has_is_refused_with_the_nearest(three):
    with pytest.raises(InputError, match=r"FORECAST_PLUGINS: no plugin.* 'agi-on'.*'agi-one'"):
        three("agi-on")


def test_what_is_not_selected_is_not_imported_and_a_broken_one_is_not_a_problem(three, install, monkeypatch):
    install("bad", "raise RuntimeError('kaputt')", "agi-bad")
    three("agi-one")
    assert load_plugins().problems == []
    states = {plugin.name: plugin.status for plugin in load_plugins().plugins}
    assert states == {"one": "ok", "own": "ok", "two": "disabled", "bad": "disabled"}
