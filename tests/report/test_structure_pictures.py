"""Diagrams of toys in both formats: everything is there, nothing is broken by odd names."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from forecast.driver import adds_to, limits, provides
from forecast.host import load_host
from forecast.report.structure_mermaid import mermaid
from forecast.report.structure_nodes import boxes_and_lines
from forecast.report.structure_svg import svg
from forecast.report.svg_shapes import text_width
from forecast.structure import structure_of
from tests.toys import WORLDVIEW, Boost, Line, Market, constant, driver, table, worldview

SVG = "{http://www.w3.org/2000/svg}"
ODD = 'A <b>"quoted"</b> & #1; `x` ]) %% end\\n\x07 \u6295\u8d44'


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Toys of every kind; the title of one quantity has all that could break a format."""
    folder = tmp_path_factory.mktemp("toys")
    odd = driver(
        "odd",
        base=constant("oddity", 1.0, title=ODD),
        relay=provides("relay", unit="FLOP")(lambda self, m: m["compute"] - 1.0),
        cap=limits("relay")(lambda self, m: m["oddity"]),
    )
    outside = driver(
        "outside",
        lift=adds_to("relay")(lambda self, m: 0.1 * m["compute"]),
        stop=limits("oddity")(lambda self, m: 30.0),
    )
    drivers = (Line(table(folder)), Boost(), Market(), odd, outside)
    return structure_of(worldview(folder, WORLDVIEW), load_host(drivers=drivers, entry_points=False))


def lines(found: Any) -> set[tuple[tuple[str, ...], tuple[str, ...], str]]:
    boxes, ties = boxes_and_lines(found)
    return {(boxes[one.start].id, boxes[one.end].id, one.tie) for one in ties}


def test_a_term_of_another_driver_is_a_box_unless_it_hands_on_its_drivers_own_quantity(found):
    boxes = {box.id for box in boxes_and_lines(found)[0]}
    assert {one for one in boxes if one[0] == "term"} == {
        ("term", "boost", "compute", "boosted"),
        ("term", "outside", "relay", "lift"),
        ("term", "outside", "oddity", "stop"),
    }
    assert {
        (("quantity", "supply"), ("quantity", "compute"), "limit"),  # Market hands on its own supply
        (("quantity", "compute"), ("term", "outside", "relay", "lift"), "base"),
        (("term", "outside", "relay", "lift"), ("quantity", "relay"), "addition"),
        (("evidence", "line", "runs"), ("quantity", "compute"), "evidence"),
        (("quantity", "compute"), ("milestone", "big"), "condition"),
    } <= lines(found)


def texts(found: Any) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(svg(found)).iter(f"{SVG}text")]


def test_the_svg_has_every_part_as_text_and_says_in_words_what_it_shows(found):
    root = ElementTree.fromstring(svg(found))
    said = " ".join(texts(found))
    for words in (
        "Largest run", "supply", "log10 FLOP", "channels: home, grey", "boosted", "5 of 5 rows used",
        "A big run", "compute ≥ 27 log10 FLOP (median)", "is evidence on",
    ):  # fmt: skip
        assert words in said
    assert root.get("role") == "img"
    title, desc = (root.find(f"{SVG}{name}") for name in root.get("aria-labelledby", "").split())
    assert title is not None and title.text == "How the model fits together: Toys, as of 2026-06-30"
    assert desc is not None and "5 drivers, 4 quantities, 1 evidence table, 1 milestone" in str(desc.text)


def test_the_svg_shows_an_odd_title_as_written_and_without_what_xml_cannot_hold(found):
    shown = " ".join(texts(found))
    assert '<b>"quoted"</b>' in shown and "\u6295\u8d44" in shown and "\x07" not in shown


def test_text_of_the_svg_stays_inside_its_box_and_all_inside_the_picture(found):
    root = ElementTree.fromstring(svg(found))
    _, _, width, height = map(float, root.get("viewBox", "").split())
    checked = 0
    for group in root.iter(f"{SVG}g"):
        frame = group.find(f"{SVG}rect")
        if frame is None or group.find(f"{SVG}title") is None:
            continue
        left, right = float(frame.get("x", 0)), float(frame.get("x", 0)) + float(frame.get("width", 0))
        assert 0 <= left and right <= width and float(frame.get("y", 0)) + 20 <= height
        for one in group.findall(f"{SVG}text"):
            mono, bold = "font-family" in one.attrib, "font-weight" in one.attrib
            room = text_width(one.text or "", float(one.get("font-size", 0)), bold=bold, mono=mono)
            assert left < float(one.get("x", 0)) and float(one.get("x", 0)) + room <= right
            checked += 1
    assert checked > 20


def test_equal_models_give_equal_pictures(found):
    assert svg(found) == svg(found) and mermaid(found) == mermaid(found)


def test_the_mermaid_text_has_a_frame_a_driver_and_an_arrow_for_every_kind_of_tie(found):
    text = mermaid(found)
    assert text.startswith("flowchart TB\n")
    assert re.findall(r'subgraph d\d+ \["(.+)"\]', text) == ["boost", "line", "market", "odd", "outside"]
    for arrow in ("-- adds --o", "-- limits --x", "-.->", "==>"):
        assert arrow in text
    assert text.count("subgraph") == text.count("\n  end\n")


def test_nothing_in_a_mermaid_label_can_end_it_or_begin_another_language(found):
    labels = re.findall(r'"(.*)"', mermaid(found))
    (odd,) = (label for label in labels if "oddity" in label)
    assert "#34;quoted#34;" in odd and "#60;b#62;" in odd and "#35;1#59;" in odd and "#96;x#96;" in odd
    assert "\u6295\u8d44" in odd
    for label in labels:
        assert not re.search(r'["`&;]', re.sub(r"#\d+;|&emsp;", "", label)), label


def test_names_in_mermaid_are_unlike_whatever_the_quantities_are_called(tmp_path):
    same = driver("same", one=constant("end", 1.0), two=constant("end ", 1.0), three=constant("compute", 1.0))
    view = worldview(tmp_path)
    text = mermaid(structure_of(view, load_host(drivers=[same], entry_points=False)))
    names = re.findall(r"^    (\w+)\[", text, re.MULTILINE)
    assert len(names) == len(set(names)) == 3 and "end" not in names
