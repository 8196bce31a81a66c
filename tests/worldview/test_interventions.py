"""The list ``intervene`` of a prior file: reading, layering, mistakes, and writing."""

from __future__ import annotations

from datetime import date

import pytest

from forecast.errors import InputError
from forecast.worldview import Intervention, load_worldview
from tests.worldview.support import COMPLETE

CHANGES = """\
[[intervene]]
channel = "smuggled"
of = "chip_access"
bloc = "china"
from = 2027-01-01
scale = 0
[[intervene]]
quantity = "investment"
add = -0.5
"""

ALL = [
    {"limit": "chip_access", "bloc": "china", "set": "off"},
    {"channel": "smuggled", "of": "chip_access", "scale": 0.5, "from": date(2027, 1, 1)},
    {"channel": "licensed", "of": "chip_access", "set": 1e6},
    {"channel": "licensed", "of": "chip_access", "bloc": "china", "at_least": 4e5},
    {"quantity": "investment", "add": -0.5},
    {"quantity": "investment", "set": 12},
    {"term": "following", "set": "off"},
    {"state": "policy", "set": "tight"},
]


def refusal(*files):
    with pytest.raises(InputError) as caught:
        load_worldview(*files)
    return caught.value.problems


def test_changes_are_read_in_order(write):
    first, second = load_worldview(write("mine.toml", COMPLETE + CHANGES)).intervene
    assert (first.kind, first.name, first.of, first.bloc) == ("channel", "smuggled", "chip_access", "china")
    assert (first.start, first.scale) == (date(2027, 1, 1), 0.0)
    assert (second.kind, second.name, second.add) == ("quantity", "investment", -0.5)


def test_changes_of_a_later_file_come_after_those_of_an_earlier_one(write):
    below = write("below.toml", COMPLETE + CHANGES)
    above = write("above.toml", '[[intervene]]\nterm = "following"\nset = "off"\n')
    assert [change.name for change in load_worldview(below, above).intervene] == [
        "smuggled",
        "investment",
        "following",
    ]


@pytest.mark.parametrize("table", ALL, ids=lambda table: next(iter(table)))
def test_a_change_reads_back_as_it_was_written(table):
    change = Intervention.read(table)
    assert Intervention.read(change.to_toml()) == change


def test_a_worldview_with_changes_writes_itself_whole(write):
    view = load_worldview(write("mine.toml", COMPLETE + CHANGES))
    again = load_worldview(write("again.toml", view.to_toml()))
    assert again.intervene == view.intervene and len(again.intervene) == 2


def test_a_wrong_change_names_its_file_and_line_and_others_are_still_reported(write):
    text = COMPLETE + CHANGES.replace("scale = 0", "scale = -1").replace("add = -0.5", "adds = 1")
    first, second = refusal(write("mine.toml", text))
    assert "mine.toml:" in first and "scale must not be negative" in first
    assert "unknown key 'adds'" in second


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("intervene = 3", "must be a list"),
        ("intervene = [3]", "must be a table"),
        ("intervene = [{}]", "name exactly one of"),
        ('kind = "guess"', "kind"),
    ],
)
def test_rubbish_is_refused_in_words(write, line, words):
    (problem,) = refusal(write("mine.toml", f"{line}\n{COMPLETE}"))
    assert words in problem and "mine.toml:1" in problem


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "exactly one of scale, set and at_least"),
        ({"scale": 1, "at_least": 5}, "exactly one of scale, set and at_least"),
        ({"set": 1, "at_least": 5}, "exactly one of scale, set and at_least"),
        ({"at_least": -1}, "at_least must not be negative"),
        ({"at_least": "much"}, "at_least must be a finite number"),
    ],
)
def test_a_channel_takes_exactly_one_change_and_no_floor_below_zero(given, words):
    with pytest.raises(InputError, match=words):
        Intervention.read({"channel": "licensed", "of": "chip_access", **given})


def test_only_a_channel_has_a_floor():
    with pytest.raises(InputError, match="unknown key 'at_least'"):
        Intervention.read({"quantity": "investment", "at_least": 12})
