"""What two plugins cannot do together is said in words, with both names and what to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import forecast as library
from forecast.driver import adds_to, limits, provides
from forecast.engine import Reporter, make_plan
from forecast.errors import InputError, PluginError
from forecast.host import load_host
from tests.combination.support import FEW, base, forecast, good, line, plugin, refused, run_tree, write
from tests.toys import WORLDVIEW, Line, constant, driver, future, spec_of, worldview

pytestmark = pytest.mark.usefixtures("install")  # what a test installs or names is all that there is

TOYS = ("--priors", "toys.toml")


def warned(*arguments: str) -> list[str]:
    """Warnings of a command that works."""
    result = forecast(*arguments)
    assert result.exit_code == 0, result.output
    words = " ".join(result.stderr.split())
    return [one.strip() for one in words.split("Warning: ")[1:]]


# One name twice ------------------------------------------------------------------------------------


def test_two_drivers_of_one_name_can_be_told_apart_by_their_distributions(install, monkeypatch):
    write()
    install("one", base("line"), "agi-one", "1.0")
    install("two", line(), "agi-two", "2.0")
    words = refused("run", *TOYS, *FEW)
    assert "two drivers are called 'line': one of agi-one 1.0" in words and "one of agi-two 2.0" in words
    assert "rename one of them, uninstall its distribution, or name what to load in FORECAST_PLUGINS" in words
    assert "two drivers are called 'line'" in " ".join(warned("evidence"))  # which asks for no model
    monkeypatch.setenv("FORECAST_PLUGINS", "agi-two")
    assert "agi-two 2.0" in good("drivers", *TOYS)
    monkeypatch.setenv("FORECAST_PLUGINS", "two")  # of the entry point
    assert load_host().distribution_of("line") == "agi-two 2.0"


def test_two_owners_of_a_quantity_say_what_to_type_and_it_helps(install):
    write()
    install("one", base("first"), "agi-one")
    install("two", base("second"), "agi-two")
    for command in ("run", "drivers", "graph"):
        words = refused(command, *TOYS)
        assert (
            "quantity 'compute' is provided by two drivers: 'first' of agi-one 1.0 and 'second' of" in words
        )
    assert "--without first" in " ".join(warned("plugins", *TOYS))
    assert run_tree("--without", "first")["projection"]["compute"].attrs["driver"] == "second"
    Path("mine.toml").write_text('extends = "toys.toml"\n[drivers]\ndisable = ["second"]\n')
    assert library.run("mine.toml", prior_only=True).plan.host.owner("compute") == "first"


PACK = """
from pathlib import Path
from forecast import hookimpl

api_version = 1

@hookimpl
def forecast_worldviews():
    return [Path({folder!r}) / "gulf.toml"]
"""


def test_a_worldview_of_two_plugins_is_the_firsts_and_the_other_is_named(install, tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gulf.toml").write_text(f'title = "Of {name}"\n')
        install(name, PACK.format(folder=str(tmp_path / name)), f"agi-{name}")
    listing = forecast("priors", "list")
    assert "Of a" in listing.stdout and "Of b" not in listing.stdout
    (words,) = load_host().warnings()
    assert words == (
        "plugin 'b' of agi-b 1.0: gulf.toml: its name is that of the worldview 'gulf' of agi-a 1.0; rename "
        "the file, or name what to load in FORECAST_PLUGINS"
    )
    monkeypatch.setenv("FORECAST_PLUGINS", "agi-b")
    assert "Of b" in good("priors", "list") and load_host().warnings() == []


# What is needed and not there, or goes round -------------------------------------------------------


def test_a_quantity_that_nobody_provides_names_the_plugin_that_needs_it(install):
    write()
    install("line", line(), "agi-line")
    install("shy", base("shy", "more", reads='m["chips_in_use"]'), "agi-shy", "0.4")
    for command in (("run", *FEW), ("drivers",), ("graph",)):
        words = refused(*command, *TOYS)
        assert (
            "driver 'shy' of agi-shy 0.4: it asks for 'chips_in_use', which is neither a parameter of"
            in words
        )
        assert "nor a quantity that a loaded driver provides" in words
    assert "compute [log10 FLOP]" in good("drivers", *TOYS, "--without", "shy")


def test_a_circle_of_two_plugins_is_printed_with_who_reads_what_and_the_way_out(install):
    write()
    install("one", base("chips", reads='m["speed"]'), "agi-chips")
    install("two", base("quick", "speed"), "agi-quick", "2.0")
    circle = plugin("loop", '@adds_to("speed")\ndef faster(self, m):\n    return 0.1 * m["compute"]')
    install("three", circle, "agi-loop", "3.0")
    for command in (("run", *FEW), ("graph",), ("drivers",)):
        words = refused(*command, *TOYS)
        assert "quantities depend on each other in a circle: compute -> speed -> compute: " in words
        assert "'base' of driver 'chips' (base of compute) reads speed" in words
        assert "'faster' of driver 'loop' (addition of speed) reads compute" in words
        assert "driver 'loop' of agi-loop 3.0: " in words and "(--without chips or --without loop)" in words
    assert "in a circle" in " ".join(warned("plugins", *TOYS))
    assert "needs" in good("drivers", *TOYS, "--without", "loop")


# What has no effect --------------------------------------------------------------------------------

ADDS = {
    "addition": ('@adds_to("compuet")', "'more' adds to 'compuet'"),
    "limit": ('@limits("compuet")', "'more' limits 'compuet'"),
    "channel": ('@adds_to("compuet", channel="sea")', "'sea' is a channel of 'compuet'"),
}


@pytest.mark.parametrize("kind", ADDS)
def test_what_enters_a_quantity_that_nobody_provides_is_told_with_the_nearest_name(install, kind):
    decorator, does = ADDS[kind]
    write()
    install("line", line(), "agi-line")
    install("vain", plugin("vain", f"{decorator}\ndef more(self, m):\n    return 1.0"), "agi-vain", "0.2")
    expected = (
        f"driver 'vain' of agi-vain 0.2: {does}, which no driver in use provides (did you mean 'compute'?); "
        "it has no effect"
    )
    commands = [("drivers",), ("plugins",), ("graph",)]
    if kind == "addition":
        commands.append(("run", *FEW))
    for command in commands:
        assert warned(*command, *TOYS)[0].startswith(expected), command


def test_from_python_it_is_told_to_the_reporter_and_a_prior_of_it_is_refused(tmp_path):
    cost = 'cost = { value = 1, unit = "OOM", source = "a test" }'
    told = Told()
    view = worldview(tmp_path)
    make_plan(view, drivers=[Line(), driver("fine", cost, more=adding("compute"))], reporter=told)
    assert told.words == []
    vain = driver("vain", cost, more=adding("compuet"))
    make_plan(view, drivers=[Line(), vain], reporter=told)
    assert ["'more' adds to 'compuet'" in one for one in told.words] == [True]
    mine = worldview(tmp_path, f"{WORLDVIEW}[priors.vain]\n{cost}\n")
    with pytest.raises(InputError, match=r"\[priors\.vain\] cost: no loaded driver reads it"):
        library.run(mine, drivers=[Line(), vain], prior_only=True)


def adding(quantity: str) -> Any:
    return adds_to(quantity)(lambda self, m: -m["cost"])


class Told(Reporter):
    def __init__(self) -> None:
        self.words: list[str] = []

    def warn(self, message: str) -> None:
        self.words.append(message)


def test_what_enters_a_quantity_of_a_driver_that_is_left_out_names_that_driver():
    host = load_host(
        drivers=[Line(), driver("chips", base=constant("chips", 1.0)), driver("more", more=adding("chips"))],
        disable=["chips"],
        entry_points=False,
    )
    assert host.warnings() == [
        "driver 'more' of this Python session: 'more' adds to 'chips', which no driver in use provides: "
        "chips, which provides it, is left out; it has no effect"
    ]


# What does not fit ---------------------------------------------------------------------------------

STATES = '@provides("policy", states=("tight", "loose"))\ndef base(self, m):\n    return 0.0'
MISFITS = {
    "a channel of what is no sum": (
        base("owner", "a"),
        '@adds_to("a", channel="sea")',
        "'sea' is a channel of 'a' of driver 'owner' of agi-owner 1.0, which is no sum of channels; add to "
        "it without a channel, or let its owner say channels=True",
    ),
    "a limit of a state": (
        plugin("owner", STATES),
        '@limits("policy")',
        "'more' limits 'policy' of driver 'owner' of agi-owner 1.0, which is a state (tight, loose) and "
        "takes no other terms",
    ),
    "an addition to a state": (plugin("owner", STATES), '@adds_to("policy")', "'more' adds to 'policy' of"),
    "a limit in another unit": (
        base("owner", "a", 'unit="billion USD/year"'),
        '@limits("a", unit="USD/year")',
        "'more' limits 'a' in USD/year, and 'a' of driver 'owner' of agi-owner 1.0 is in billion USD/year",
    ),
    "a channel in another unit": (
        base("owner", "a", 'unit="GW", channels=True'),
        '@adds_to("a", channel="sea", unit="MW")',
        "'sea' is a channel of 'a' in MW, and 'a' of driver 'owner' of agi-owner 1.0 is in GW",
    ),
    "a unit of nobody's": (
        base("owner", "a", 'unit="widgets"'),
        '@limits("a", unit="gadgets")',
        "'more' limits 'a' in gadgets, and 'a' of driver 'owner' of agi-owner 1.0 is in widgets",
    ),
}


@pytest.mark.parametrize("what", MISFITS)
def test_what_does_not_fit_a_quantity_of_another_plugin_is_refused(install, what):
    owner, decorator, expected = MISFITS[what]
    write()
    install("line", line(), "agi-line")
    install("owner", owner, "agi-owner")
    install("guest", plugin("guest", f"{decorator}\ndef more(self, m):\n    return 1.0"), "agi-guest", "0.9")
    for command in (("run", *FEW), ("graph",)):
        words = refused(*command, *TOYS)
        assert "driver 'guest' of agi-guest 0.9: " in words and expected in words
        assert "--without guest" in words
    assert good("drivers", *TOYS, "--without", "guest")


@pytest.mark.parametrize("unit", ["USD/year", "log10 USD/year", "widgets"])
def test_a_unit_that_is_the_owners_is_none_to_refuse(unit):
    owner = driver("owner", base=constant("a", 1.0, unit=unit.removeprefix("log10 ")))
    guest = driver("guest", more=limits("a", unit=unit)(lambda self, m: 2.0))
    assert load_host(drivers=[owner, guest], entry_points=False).warnings() == []


def test_two_numbers_of_one_name_within_a_driver_are_refused(tmp_path):
    twice = provides("a", unit="FLOP")(lambda self, m: m.constant("w", [[1.0]]) + m.constant("w", [[2.0]]))
    spec = spec_of(worldview(tmp_path, WORLDVIEW), driver("twice", base=twice))
    with pytest.raises(PluginError, match=r"driver 'twice'.*m\.constant\('w'\) holds other numbers already"):
        future(spec)


def test_no_worldview_that_is_shipped_has_a_loose_end(monkeypatch):
    monkeypatch.undo()  # the built-in drivers, and whatever else is installed
    from forecast.host import host_of, load_plugins
    from forecast.worldview import load_worldview, shipped_shelf

    loaded = load_plugins()
    ours = [one.driver.name for one in loaded.drivers if one.distribution == "agi-forecast"]
    others = [one.driver.name for one in loaded.drivers if one.driver.name not in ours]
    for name in shipped_shelf().worldviews:
        view = load_worldview(name)
        assert host_of(loaded, [*view.disabled, *others]).warnings() == [], name
    assert len(ours) >= 9
