"""A run as one HTML page: what it says, what it escapes, and what it does without."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from forecast.cli import main
from forecast.cli._findings import finding
from forecast.errors import ForecastError
from forecast.report.page import Brought, page, render
from forecast.report.page.chart import fixed, numbers
from forecast.report.page.render import _environment, embedded, link, linked
from forecast.results import StoredRun, read_run
from tests.report.page_runs import CODE, SCRIPT, everything, full_run
from tests.results.synthetic import (
    crossings_from,
    full_tree,
    good_tree,
    likely_crossings,
    save_run,
    small_worldview,
    steps_worldview,
)

MOST = 5_000_000  # bytes


class Reader(HTMLParser):
    """Elements of a page with their attributes, and the text of those that a test asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.seen: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append((self.elements[-1][1], data))
        elif self._inside != "style":
            self.seen.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    return full_run(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def written(run: StoredRun, tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(run, everything(run, tmp_path_factory.mktemp("pictures")))


@pytest.fixture(scope="module")
def read(written: str) -> Reader:
    return Reader(written)


def data_of(read: Reader) -> dict[str, Any]:
    return json.loads(next(text for attributes, text in read.scripts if attributes.get("id") == "data"))


def test_every_number_of_the_answer_is_that_of_the_summary(run: StoredRun, written: str, read: Reader):
    found = {entry["data-key"]: entry["value"] for entry in read.all("data")}
    assert len(found) >= 2 * 8
    for key, value in found.items():
        expected: Any = run.summary
        parts = re.findall(r"0\.\d+|[^.]+", key)
        for part in parts:
            expected = expected[part]
        assert value == ("" if expected is None else repr(expected)), key
    lead = run.summary["milestones"]["agi"]["lead"]
    assert f"{lead['p_bipolar']:.3f} ± {lead['mcse']['p_bipolar']:.3f}" in read.text
    for bloc in run.summary["milestones"]["agi"]["blocs"].values():
        assert f"{bloc['p_in']:.3f} ± {bloc['mcse']['p_in']:.3f}" in read.text
    assert run.summary["citation"] in read.text
    assert "not a prophecy" in read.text


def test_curves_end_where_the_summary_says(run: StoredRun, read: Reader):
    figure = data_of(read)["charts"]["crossings"]["figures"]["agi|cumulative"]
    for trace, bloc in zip(figure["traces"], run.summary["milestones"]["agi"]["blocs"].values(), strict=True):
        assert trace["y"][-1] == pytest.approx(1 - bloc["p_never"], abs=2e-3)
        median = bloc["quantiles"]["0.5"]
        at = next(x for x, y in zip(trace["x"], trace["y"], strict=True) if y >= 0.5)
        assert float(at[:4]) + float(at[5:7]) / 12 == pytest.approx(median, abs=0.35)


def test_what_users_and_plugins_wrote_is_text_and_never_code(written: str, read: Reader):
    names = [name for name, _ in read.elements]
    assert names.count("script") == 3  # data, plotly.js and ours
    assert SCRIPT in read.text
    assert "<b>bold</b> %{x} {{ 7 * 7 }} & co." in read.text
    assert not [entry for entry in read.all("img") if not (entry["src"] or "").startswith("data:image/png")]
    assert all(not key.startswith("on") for _, entry in read.elements for key in entry)
    addresses = [entry["href"] or "" for entry in read.all("a")]
    assert CODE in read.text and CODE not in addresses
    assert all(re.match(r"#\w|https://[\w.-]+/", address) for address in addresses), addresses
    outside = [entry for entry in read.all("a") if not (entry["href"] or "").startswith("#")]
    assert outside and all("noopener" in (entry["rel"] or "") for entry in outside)


def test_what_plotly_would_read_as_markup_is_escaped(read: Reader):
    fan = data_of(read)["charts"]["fan"]["figures"]["chip_access"]["traces"]
    hovers = [text for trace in fan if trace.get("name") == "evidence" for text in trace["text"]]
    assert len(hovers) == 2  # the row in another unit is not of this chart
    assert any("&lt;img src=" in text and "<img" not in text for text in hovers)
    assert any(
        "A shipment" in text and "90k (50k to 150k) H100e/year" in text and "A paper" in text
        for text in hovers
    )


def test_the_policy_allows_no_network_and_the_page_s_own_scripts_alone(read: Reader):
    policy = next(entry["content"] for entry in read.all("meta") if entry.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe-eval" not in policy and "http" not in policy
    scripts = [text for attributes, text in read.scripts if not attributes]
    assert len(scripts) == 2
    for script in scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy
    assert not [
        entry for _, entry in read.elements if "src" in entry and not (entry["src"] or "").startswith("data:")
    ]
    assert not read.all("link")


def test_headings_are_in_order_and_everything_has_a_name(read: Reader):
    assert read.headings[0] == 1 and read.headings.count(1) == 1
    assert all(later <= before + 1 for before, later in zip(read.headings, read.headings[1:], strict=False))
    assert read.all("html")[0]["lang"] == "en"
    assert all(entry.get("alt") for entry in read.all("img"))
    assert all(entry.get("scope") for entry in read.all("th"))
    ids = [entry["id"] for _, entry in read.elements if "id" in entry]
    assert len(ids) == len(set(ids))
    for _, entry in read.elements:
        for key in ("aria-labelledby", "aria-describedby"):
            assert not entry.get(key) or entry[key] in ids
    for name, entry in read.elements:
        if name == "div" and entry.get("class") == "scroll":
            assert entry["tabindex"] == "0" and entry["aria-label"]


def test_it_is_small(written: str):
    assert len(written.encode()) < MOST / 2


def test_each_section_that_a_run_lacks_says_so(tmp_path: Path):
    stored = read_run(save_run(tmp_path))
    text = Reader(page(stored)).text
    for words in (
        "This run does not list its evidence and priors",
        "This run has no account of growth",
        "Claims were not checked for this page.",
        "No scenario was run on this run",
        "The sensitivity was not computed for this page.",
        "The diagnosis was not made for this page.",
        "No plugin that is loaded has a section for this run.",
    ):
        assert words in text, words
    assert str(tmp_path) not in page(stored)


def test_reasons_are_told_where_a_part_failed(tmp_path: Path):
    stored = read_run(save_run(tmp_path))
    text = Reader(page(stored, Brought(reasons={"sensitivity": "It lacks <a group>."}))).text
    assert "It lacks <a group>." in text


def test_a_manifest_without_readable_settings_still_makes_a_page(run: StoredRun):
    odd = dataclasses.replace(run, manifest=run.manifest | {"settings": 3})
    assert "How to reproduce it" in Reader(page(odd, Brought())).text


@pytest.mark.parametrize("found", [{}, {"milestone_title": "AGI", "horizon": "2060-12-31", "base": 3}])
def test_scenarios_that_are_damaged_are_told_in_the_page_and_do_not_stop_it(
    run: StoredRun, found: dict[str, Any]
):
    text = Reader(page(run, Brought(scenarios=found))).text
    assert "scenarios.json is damaged (" in text and "forecast scenario writes it again" in text


def without(tree: xr.DataTree, *groups: str) -> xr.DataTree:
    return xr.DataTree.from_dict(
        {name: node.to_dataset() for name, node in tree.children.items() if name not in groups}
    )


@pytest.mark.parametrize("group", ["posterior", "sample_stats", "projection", "growth"])
def test_a_group_that_is_missing_takes_its_section_and_no_more(tmp_path: Path, group: str):
    stored = read_run(
        save_run(tmp_path, tree=without(full_tree(draws=100), group), worldview=steps_worldview())
    )
    assert 'id="crossings"' in page(stored)


def test_a_run_of_the_priors_alone_has_no_verdict(tmp_path: Path):
    tree = full_tree()
    tree = xr.DataTree.from_dict(
        {"prior": tree["posterior"].to_dataset(), "crossings": tree["crossings"].to_dataset()}
    )
    path = save_run(tmp_path, tree=tree, worldview=steps_worldview())
    summary = json.loads((path / "summary.json").read_text()) | {"prior_only": True}
    (path / "summary.json").write_text(json.dumps(summary))
    text = Reader(page(read_run(path))).text
    assert "Priors alone, without evidence: no sampler was run" in text
    assert "This run drew from the priors alone" in text


@pytest.mark.parametrize("blocs", [("one",), ("one", "two", "three")])
def test_one_bloc_or_three(tmp_path: Path, blocs: tuple[str, ...]):
    when = likely_crossings()["agi"].to_numpy()
    dates = (
        when[..., :1]
        if len(blocs) == 1
        else xr.concat([likely_crossings()["agi"]] * 2, "bloc").to_numpy()[..., :3]
    )
    tree = xr.DataTree.from_dict({"crossings": crossings_from(dates, blocs=blocs)})
    stored = read_run(save_run(tmp_path, tree=tree, worldview=small_worldview(*blocs)))
    read = Reader(page(stored))
    assert all(bloc.title() in read.text for bloc in blocs)
    assert ("This run has one bloc" in read.text) == (len(blocs) == 1)


def test_a_run_without_a_milestone_is_damaged_since_no_worldview_is_without(tmp_path: Path):
    tree = good_tree()
    tree["crossings"] = tree["crossings"].to_dataset()[["accepted"]]
    with pytest.raises(ForecastError, match=r"summary.json is damaged: milestones is empty"):
        read_run(save_run(tmp_path, tree=tree))


def test_a_run_without_a_lead_is_a_page_too(tmp_path: Path):
    crossings = crossings_from(likely_crossings()["agi"].to_numpy(), blocs=("two", "three"))
    view = small_worldview("one", "two", "three")  # led by one over two
    tree = xr.DataTree.from_dict({"crossings": crossings})
    read = Reader(page(read_run(save_run(tmp_path, tree=tree, worldview=view))))
    assert "This worldview names no lead between two of its blocs." in read.text


def test_a_failed_diagnosis_is_said_where_the_answer_is(run: StoredRun, tmp_path: Path):
    found = everything(run, tmp_path)
    assert found.diagnosis is not None
    failed = {**found.diagnosis, "ok": False, "verdict": "Do not rely on these draws: failed R-hat."}
    written = page(run, dataclasses.replace(found, diagnosis=failed))
    answer = written[written.index('<section id="answer"') : written.index('<section id="dates"')]
    assert 'class="verdict bad"' in answer and "do not rely on these numbers" in answer
    assert "failed R-hat" in answer


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        " java\nscript:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://",
        "//x.org",
        "",
        None,
    ],
)
def test_only_web_addresses_become_links(text: str | None):
    assert link(text) is None
    assert "<a" not in linked(text)


def test_addresses_in_a_text_become_links_and_the_rest_is_escaped():
    assert str(linked("<see> https://example.org/a?b=1&c=2.")) == (
        '&lt;see&gt; <a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer">'
        "https://example.org/a?b=1&amp;c=2</a>."
    )


def test_json_in_the_page_cannot_end_its_element():
    text = str(embedded({"a": "</script><!--\u2028&"}))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028&"}


def test_the_command_writes_it_into_the_run_and_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORECAST_PLUGINS", "")
    path = save_run(tmp_path / "runs", tree=full_tree(draws=100), worldview=steps_worldview())
    done = CliRunner().invoke(main, ["report", "latest", "--out", str(tmp_path / "runs")])
    assert done.exit_code == 0, done.output
    assert str(path / "report.html") in done.output
    written = Reader((path / "report.html").read_text(encoding="utf-8"))
    assert "R-hat" in written.text and "The diagnosis was not made" not in written.text
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


@pytest.mark.parametrize(
    ("output", "words"), [("page.pdf", "must end in .html"), ("nowhere/page.html", "there is no folder")]
)
def test_a_wrong_place_is_refused_before_anything_is_read(tmp_path: Path, output: str, words: str):
    done = CliRunner().invoke(
        main, ["report", "latest", "--out", str(tmp_path), "--output", str(tmp_path / output)]
    )
    assert done.exit_code == 2
    assert words in done.output


def test_a_diagnosis_that_breaks_is_told_in_the_page_and_does_not_stop_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with finding(tmp_path / "no such run") as found:
        told = found()
    assert told["diagnosis"] is None and told["sensitivity"] is None
    assert "no such run" in told["reasons"]["diagnosis"]
    assert "Warning: diagnostics and sensitivity of the run failed" in capsys.readouterr().err


def test_numbers_of_a_chart_are_rounded_and_those_that_are_none_are_null():
    values = [1234.5678, float("nan"), float("-inf"), np.float32(0.1), -0.00012345]
    assert numbers(values, 3) == [1230.0, None, None, 0.1, -0.000123]
    assert fixed(np.array(values)) == [1234.568, None, None, 0.1, -0.0]
    assert numbers(iter(values[:1])) == [1235.0]
    assert {type(one) for one in (*numbers(np.array(values)), *fixed(values))} == {float, type(None)}


def test_all_templates_are_compiled_before_what_is_brought_is_asked_for(run: StoredRun, monkeypatch):
    monkeypatch.setattr("forecast.report.page.render._environment", cache(_environment.__wrapped__))

    def brought() -> Brought:
        compiled = len(render._environment().cache)
        assert compiled == len(list((Path(render.__file__).parent / "templates").iterdir())) > 5
        raise InterruptedError

    with pytest.raises(InterruptedError):
        page(run, brought)
