"""The host: plugins are found, imported one by one, checked, and named when they fail."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from forecast import discovery
from forecast.driver import API_VERSION, Driver, adds_to, limits, observes, parameters_from_text, provides
from forecast.errors import InputError, PluginError
from forecast.host import Host, LoadedDriver, Problem, load_host

PLUGIN = """
from forecast.driver import Driver, adds_to, provides
from forecast.hookspecs import hookimpl

class {cls}(Driver):
    name = "{name}"
    api_version = 1

    @provides("{quantity}", unit="FLOP")
    def base(self, m):
        return 0.0

@hookimpl
def forecast_drivers():
    return [{cls}()]
"""


def plugin_text(name: str = "toy", quantity: str = "toys", cls: str = "Toy") -> str:
    return PLUGIN.format(name=name, quantity=quantity, cls=cls)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a plugin file and stand in its folder, so that messages show its bare name."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str, name: str = "mine.py") -> str:
        (tmp_path / name).write_text(dedent(text))
        return name

    return write_file


def only(*plugins: str, **kwargs: Any) -> Host:
    return load_host(plugins, entry_points=False, **kwargs)


# What a host holds ---------------------------------------------------------------------------------


class Stock(Driver):
    name = "stock"
    title = "Stock"
    api_version = API_VERSION
    parameters = parameters_from_text('level = { value = 3, unit = "FLOP", source = "a test" }', "stock")

    @provides("stock", unit="FLOP")
    def base(self, m: Any) -> Any:
        return m["level"]

    @provides("supply", unit="FLOP", channels=True)
    def supply(self, m: Any) -> None:
        return None

    @adds_to("supply", channel="home")
    def home(self, m: Any) -> Any:
        return 0.0


class Cap(Driver):
    name = "cap"
    api_version = API_VERSION

    @limits("stock")
    def cap(self, m: Any) -> Any:
        return m["supply"]


def test_drivers_made_in_python_are_loaded_in_the_order_of_their_names():
    host = load_host(drivers=[Stock(), Cap()], entry_points=False)
    assert list(host.drivers) == ["cap", "stock"]
    assert isinstance(host.drivers["stock"], LoadedDriver)
    assert host.drivers["stock"].source.endswith("test_host.py")
    assert host.problems == [] and host.disabled == ()


def test_terms_owner_and_defaults_cover_all_drivers_in_use():
    host = load_host(drivers=[Stock(), Cap()], entry_points=False)
    assert [(t.driver, t.kind, t.target) for t in host.terms()] == [
        ("cap", "limit", "stock"),
        ("stock", "base", "stock"),
        ("stock", "base", "supply"),
        ("stock", "channel", "supply"),
    ]
    assert host.owner("stock") == "stock"
    assert host.owner("nothing") is None
    assert [(p.driver, p.name) for p in host.defaults()] == [("stock", "level")]
    assert host.evidence() == {}


def test_a_disabled_driver_gives_nothing():
    host = load_host(drivers=[Stock(), Cap()], disable=["stock", "stock"], entry_points=False)
    assert list(host.drivers) == ["cap"]
    assert host.disabled == ("stock",)
    assert host.owner("stock") is None and host.defaults() == []


def test_disabling_an_unknown_driver_is_wrong_input_with_the_nearest_name():
    with pytest.raises(
        InputError, match=r"'stok': no driver of this name is loaded \(did you mean 'stock'\?\)"
    ):
        load_host(drivers=[Stock()], disable=["stok"], entry_points=False)


def test_two_hosts_share_nothing(write):
    first = only(write(plugin_text()))
    second = load_host(entry_points=False)
    assert list(first.drivers) == ["toy"] and second.drivers == {}


# Installed plugins ---------------------------------------------------------------------------------


def test_an_installed_plugin_is_loaded_with_its_distribution(install):
    install("toy", plugin_text(), "agi-toys", "2.1")
    host = load_host()
    assert host.drivers["toy"].distribution == "agi-toys"
    assert host.drivers["toy"].version == "2.1"
    assert host.distribution_of("toy") == "agi-toys 2.1"
    assert host.distribution_of("nobody") == ""


def test_the_order_of_installation_does_not_matter(install):
    install("a", plugin_text("beta", "y"), "one")
    install("b", plugin_text("alpha", "x"), "two")
    assert [t.target for t in load_host().terms()] == ["x", "y"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("import no_such_torch", "fake_bad.py:1: ModuleNotFoundError: No module named 'no_such_torch'"),
        ("raise SystemExit(3)", "fake_bad.py:1: it called sys.exit(3)"),
        ("raise RuntimeError('kaputt\\n  twice')", "fake_bad.py:1: RuntimeError: kaputt twice"),
        ("raise MemoryError", "fake_bad.py:1: MemoryError"),
        ("def f(:", "fake_bad.py:1: SyntaxError: invalid syntax"),
        ("x = 1\ny = x / 0", "fake_bad.py:2: ZeroDivisionError: division by zero"),
        ("x = 1", "has no hook; define a function forecast_drivers() marked with"),
        (
            "from forecast.errors import InputError as E\nraise E(['p.toml:3: no x', 'p.toml:4: no y'])",
            "p.toml:3: no x; p.toml:4: no y",
        ),
    ],
)
def test_a_broken_installed_plugin_is_set_aside_and_the_others_work(install, broken, said):
    install("bad", broken, "agi-bad", "0.3")
    install("good", plugin_text("good", "x"), "agi-good")
    host = load_host()
    assert list(host.drivers) == ["good"]
    (problem,) = host.problems
    assert problem.plugin == "bad" and problem.distribution == "agi-bad 0.3"
    assert said in problem.message
    assert "\n" not in str(problem)
    assert str(problem).startswith("plugin 'bad' of agi-bad 0.3: ")


def test_ctrl_c_while_a_plugin_is_imported_is_not_swallowed(install):
    install("slow", "raise KeyboardInterrupt", "agi-slow")
    with pytest.raises(KeyboardInterrupt):
        load_host()


def test_what_a_plugin_prints_while_it_is_imported_stays_off_stdout(install, capsys):
    install("toy", "print('hello from a plugin')" + plugin_text(), "agi-toys")
    load_host()
    captured = capsys.readouterr()
    assert captured.out == "" and "hello from a plugin" in captured.err


def test_one_bad_driver_of_a_plugin_does_not_take_the_good_one_with_it(install):
    text = plugin_text() + "\n@hookimpl\ndef forecast_drivers():\n    return [Toy(), 'rubbish']\n"
    install("two", text, "agi-two")
    host = load_host()
    assert list(host.drivers) == ["toy"]
    assert [p.plugin for p in host.problems] == ["two"]


def test_a_broken_plugin_that_the_user_leaves_out_is_not_mentioned(install):
    install("bad", "raise RuntimeError('kaputt')", "agi-bad")
    host = load_host(disable=["bad"])
    assert host.problems == [] and host.disabled == ("bad",)


# Plugins that the user names ----------------------------------------------------------------------


def test_a_one_file_plugin_is_loaded_and_leaves_no_bytecode_beside_it(write, tmp_path):
    host = only(write(plugin_text()))
    assert host.distribution_of("toy") == "mine.py"
    assert host.drivers["toy"].source == "mine.py"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.py"]


def test_a_file_that_changed_is_read_again(write):
    assert list(only(write(plugin_text("aaa"))).drivers) == ["aaa"]
    assert list(only(write(plugin_text("bbb"))).drivers) == ["bbb"]


def test_two_files_of_one_name_do_not_meet(write, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    write(plugin_text("one", "x"), "one/driver.py")
    write(plugin_text("two", "y"), "two/driver.py")
    host = only("one/driver.py", "two/driver.py")
    assert {d.driver.name: d.source for d in host.drivers.values()} == {
        "one": "one/driver.py",
        "two": "two/driver.py",
    }


def test_a_one_file_plugin_may_hold_dataclasses(write):
    text = plugin_text() + "\nfrom dataclasses import dataclass\n@dataclass\nclass D:\n    x: 'int' = 0\n"
    assert list(only(write("from __future__ import annotations\n" + text)).drivers) == ["toy"]


def test_a_module_is_loaded_by_name(write, tmp_path, monkeypatch):
    write(plugin_text(), "toys_by_name.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    host = only("toys_by_name")
    assert host.distribution_of("toy") == "toys_by_name"
    sys.modules.pop("toys_by_name")


def test_naming_an_installed_plugin_again_changes_nothing(install):
    install("toy", plugin_text(), "agi-toys")
    host = load_host(["fake_toy"])
    assert host.distribution_of("toy") == "agi-toys 1.0"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere.py", "nowhere.py: there is no such file"),
        ("no/such/folder.py", "there is no such file"),
        ("folder.py", "is a folder, not a .py file"),
        ("some/thing.txt", "there is no such file"),
        ("no_such_module_at_all", "no module of this name is installed"),
        ("json.no_such_module", "no module of this name is installed"),
        ("not a module", "neither a .py file nor the name of a module"),
        ("mine", "no module of this name is installed; for the file here say --plugin mine.py"),
        ("", "give the path of a .py file or the name of a module"),
        ("x\0.py", "give the path of a .py file or the name of a module"),
        ("a" * 5000 + ".py", "name too long"),
    ],
)
def test_a_plugin_that_does_not_exist_is_wrong_input(write, tmp_path, given, said):
    write(plugin_text())
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(InputError) as caught:
        only(given)
    assert said.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:\n", "mine.py:1: SyntaxError: invalid syntax"),
        ("\n\nimport no_such_thing\n", "mine.py:3: ModuleNotFoundError: No module named 'no_such_thing'"),
        ("raise SystemExit\n", "mine.py:1: it called sys.exit()"),
        ("import json\n\ndef f():\n    json.loads('{')\n\nf()\n", "mine.py:4: JSONDecodeError"),
        ("x = 1\n", "has no hook"),
        ("x = '\0'\n", "SyntaxError: source code string cannot contain null bytes"),
        ("", "has no hook"),
    ],
)
def test_a_broken_plugin_that_the_user_named_stops_with_file_and_line(write, text, said):
    with pytest.raises(PluginError) as caught:
        only(write(text))
    assert str(caught.value).startswith("plugin 'mine.py': ")
    assert said in str(caught.value)
    assert caught.value.distribution == "mine.py"


def test_a_binary_plugin_is_an_error_in_words(tmp_path):
    path = tmp_path / "mine.py"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(PluginError, match="SyntaxError"):
        only(str(path))


def test_an_exception_that_cannot_be_shown_is_still_named(write):
    text = "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd\n"
    with pytest.raises(PluginError, match=r"mine.py:4: Odd$"):
        only(write(text))


def test_a_misspelt_hook_is_caught_with_the_name_that_was_meant(write):
    text = plugin_text().replace("def forecast_drivers", "def forecast_driver")
    with pytest.raises(
        PluginError, match=r"a hook that does not exist: 'forecast_driver' .*'forecast_drivers'"
    ):
        only(write(text))


def test_a_hook_with_an_argument_that_does_not_exist_is_caught(write):
    text = plugin_text().replace("def forecast_drivers()", "def forecast_drivers(config)")
    with pytest.raises(PluginError, match="config"):
        only(write(text))


def test_an_exception_inside_the_hook_names_file_and_line(write):
    text = plugin_text().replace("return [Toy()]", "return [Toy(), 1 / 0]")
    with pytest.raises(PluginError, match=r"mine.py:1\d: ZeroDivisionError"):
        only(write(text))


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("None", "returned None, not a list of drivers"),
        ("5", "returned a int, not a list of drivers"),
        ("'toy'", "returned a str, not a list"),
        ("Toy", "returned the class Toy, not a list"),
        ("Toy()", "returned a Toy, not a list of drivers; put it into a list"),
        ("[Toy]", r"returned the class Toy; return Toy\(\)"),
        ("[None]", "returned None, not a forecast.driver.Driver"),
        ("[Toy(), object()]", "not a forecast.driver.Driver"),
        ("(d for d in [Toy()])", "returned a generator, not a list"),
    ],
)
def test_rubbish_from_the_hook_is_an_error_in_words(write, returned, said):
    text = plugin_text().replace("return [Toy()]", f"return {returned}")
    with pytest.raises(PluginError, match=said):
        only(write(text))


def test_an_empty_list_from_the_hook_is_fine(write):
    assert only(write(plugin_text().replace("return [Toy()]", "return []"))).drivers == {}


# Checks of one driver -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('name = "toy"', "", r'the driver Toy has no name; write name = "..."'),
        ('name = "toy"', "name = 5", "the driver Toy has no name"),
        ('name = "toy"', 'name = "My Toy"', "called 'My Toy'; a name is lower-case words joined by hyphens"),
        ("api_version = 1", "", "driver 'toy' of mine.py: states no api_version; .* supports api_version 1"),
        (
            "api_version = 1",
            "api_version = 2",
            "api_version 2; .* supports api_version 1: update agi-forecast",
        ),
        ("api_version = 1", "api_version = 0", "api_version 0; .* supports api_version 1: update the plugin"),
        ("api_version = 1", "api_version = '1'", "api_version must be a whole number, got '1'"),
        ("api_version = 1", "api_version = True", "api_version must be a whole number, got True"),
        (
            "api_version = 1",
            "api_version = 1; parameters = {'a': 1}",
            "parameters must be what load_parameters",
        ),
        (
            "api_version = 1",
            "api_version = 1; parameters = [1]",
            "parameters holds 1; use what load_parameters",
        ),
        ("api_version = 1", "api_version = 1; title = 7", "has the title 7; it must be text"),
        ("api_version = 1", "api_version = 1; parameters = 7", "parameters must be what load_parameters"),
        ("api_version = 1", "api_version = 1; evidence = []", "evidence must be what load_evidence returns"),
        (
            "api_version = 1",
            "api_version = 1; evidence = {'t': 1}",
            "evidence 't' is 1; use what load_evidence",
        ),
        (
            "api_version = 1",
            "api_version = 1; terms = lambda self: 3",
            r"terms\(\) must return a list of Term",
        ),
        ("api_version = 1", "api_version = 1; terms = lambda self: 1 / 0", "mine.py:7: ZeroDivisionError"),
        (
            "api_version = 1",
            "api_version = 1; evidence = property(lambda self: {}['x'])",
            "mine.py:7: KeyError: 'x'",
        ),
    ],
)
def test_a_driver_that_breaks_the_contract_is_named_with_what_to_do(write, line, instead, said):
    with pytest.raises(PluginError, match=said):
        only(write(plugin_text().replace(line, instead)))


def test_a_driver_may_inherit_its_api_version_from_a_base_of_its_own():
    class Base(Driver):
        api_version = API_VERSION

    class Child(Base):
        name = "child"

    assert list(load_host(drivers=[Child()], entry_points=False).drivers) == ["child"]


def test_a_driver_made_in_python_is_checked_like_any_other():
    class Nameless(Driver):
        api_version = API_VERSION

    with pytest.raises(PluginError, match="plugin 'this Python session': the driver Nameless has no name"):
        load_host(drivers=[Nameless()], entry_points=False)


def test_parameters_of_another_driver_are_refused():
    class Thief(Driver):
        name = "thief"
        api_version = API_VERSION
        parameters = Stock.parameters

    with pytest.raises(PluginError, match="driver 'thief' .*'level' says that it belongs to driver 'stock'"):
        load_host(drivers=[Thief()], entry_points=False)


def test_two_parameters_of_one_name_are_refused():
    class Twice(Stock):
        parameters = [*Stock.parameters, *Stock.parameters]

    with pytest.raises(PluginError, match="two parameters called 'level'"):
        load_host(drivers=[Twice()], entry_points=False)


def test_observing_a_table_that_the_driver_does_not_have_is_refused():
    class Blind(Driver):
        name = "blind"
        api_version = API_VERSION

        @observes("sightings")
        def see(self, m: Any, data: Any) -> None:
            return None

    with pytest.raises(PluginError, match="observes the evidence table 'sightings', which it does not have"):
        load_host(drivers=[Blind()], entry_points=False)


def test_providing_a_quantity_or_a_channel_twice_is_refused():
    class Twice(Stock):
        @provides("stock", unit="FLOP")
        def again(self, m: Any) -> Any:
            return 0.0

    class Echo(Stock):
        @adds_to("supply", channel="home")
        def echo(self, m: Any) -> Any:
            return 0.0

    with pytest.raises(PluginError, match="provides 'stock' twice"):
        load_host(drivers=[Twice()], entry_points=False)
    with pytest.raises(PluginError, match="provides channel 'home' of 'supply' twice"):
        load_host(drivers=[Echo()], entry_points=False)


# Checks of drivers together -----------------------------------------------------------------------


def test_two_drivers_of_one_name_stop_the_run_and_both_distributions_are_named(install):
    install("a", plugin_text("toy", "x"), "agi-one", "1.0")
    install("b", plugin_text("toy", "y"), "agi-two", "2.0")
    with pytest.raises(
        PluginError, match=r"called 'toy': one of agi-one 1.0.*, one of agi-two 2.0.*; rename"
    ):
        load_host()
    assert load_host(disable=["toy"]).drivers == {}


def test_two_owners_of_a_quantity_stop_the_run_and_both_drivers_are_named(install):
    install("a", plugin_text("one", "x"), "agi-one")
    install("b", plugin_text("two", "x"), "agi-two")
    with pytest.raises(PluginError) as caught:
        load_host()
    assert str(caught.value) == (
        "quantity 'x' is provided by two drivers: 'one' of agi-one 1.0 and 'two' of agi-two 1.0; "
        "leave one out with --without one or --without two, or with [drivers] disable in a prior file"
    )
    assert list(load_host(disable=["one"]).drivers) == ["two"]


def test_one_channel_from_two_drivers_stops_the_run():
    class Other(Driver):
        name = "other"
        api_version = API_VERSION

        @adds_to("supply", channel="home")
        def home(self, m: Any) -> Any:
            return 0.0

        @adds_to("stock")
        def more(self, m: Any) -> Any:
            return 0.0

    with pytest.raises(PluginError, match="channel 'home' of quantity 'supply' is provided by two drivers"):
        load_host(drivers=[Stock(), Other()], entry_points=False)


def test_additions_and_limits_of_one_quantity_may_come_from_many_drivers():
    class AnotherCap(Cap):
        name = "another-cap"

    load_host(drivers=[Stock(), Cap(), AnotherCap()], entry_points=False).check()


# What something needs -----------------------------------------------------------------------------


def test_a_needed_driver_that_is_broken_stops_the_run_with_the_reason(install, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    install("bad", "raise RuntimeError('kaputt')", "agi-bad", "0.3")
    host = load_host()
    with pytest.raises(PluginError) as caught:
        host.require(["bad"], "the worldview sets its priors")
    assert str(caught.value) == (
        "driver 'bad' of agi-bad 0.3: is needed (the worldview sets its priors) but cannot be used: "
        f"{Path('site', 'fake_bad.py')}:1: RuntimeError: kaputt"
    )


def test_a_needed_driver_that_is_missing_stops_the_run_with_the_nearest_name():
    host = load_host(drivers=[Stock()], entry_points=False)
    with pytest.raises(PluginError, match=r"driver 'stok': is needed \(x\) but is not installed .*'stock'"):
        host.require(["stok"], "x")


def test_the_broken_plugins_are_mentioned_where_a_needed_driver_is_missing(install):
    install("bundle", "raise RuntimeError('kaputt')", "agi-bad")
    with pytest.raises(PluginError, match="these plugins could not be used: 'bundle'"):
        load_host().require(["part"], "x")


def test_a_needed_driver_that_is_loaded_or_that_the_user_left_out_is_no_problem():
    host = load_host(drivers=[Stock(), Cap()], disable=["cap"], entry_points=False)
    host.require(["stock", "cap"], "x")


def test_a_problem_reads_as_one_line():
    assert str(Problem("a", "", "broken")) == "plugin 'a' of this Python session: broken"


def test_only_metadata_is_read_until_a_plugin_is_loaded(install):
    install("toy", plugin_text(), "agi-toys", "2.0")
    (candidate,) = discovery.installed_plugins()
    assert (candidate.name, candidate.distribution, candidate.version) == ("toy", "agi-toys", "2.0")
    assert "fake_toy" not in sys.modules
