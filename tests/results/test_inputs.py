"""What went into a run is in its folder, so that reading it needs neither plugins nor evidence."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from forecast.driver import observes, observes_crossing
from forecast.engine import reopen, run
from forecast.errors import ForecastError
from forecast.inference import SamplerSettings
from forecast.results import read_run
from forecast.results.trajectories import NotAvailable
from tests.toys import RUNS, WORLDVIEW, Boost, Line, driver, table, worldview

LATER = "china,F,2026-01-01,2e25,FLOP,,,,2026-07-01,,made up,https://example.org/f,after the as-of date,\n"
KINDS = """\
kind = { source = "two kinds", unit = "OOM", mixture = [
  { weight = 0.3, distribution = "Normal", mu = 0, sigma = 0.1, source = "one paper" },
  { weight = 0.7, distribution = "Normal", mu = 0.2, sigma = 0.1, source = "another paper" },
] }
[epochs]
early = 2000-01-01
late = 2024-01-01
[by_epoch.early]
rate = { value = 0.1, unit = "OOM/year", source = "a test", judgement = true }
[by_epoch.late]
rate = { distribution = "Normal", mu = 0.2, sigma = 0.1, unit = "OOM/year", source = "a test" }
"""


def ours_alone(rows, context):
    return context.observations(rows.with_rows(row for row in rows.rows if row.bloc == "us_allies"))


def twice(self, m, data):
    m.normal(data, mean=m.at(m["compute"] + m.by_epoch("rate"), data) + m["kind"], sd=data.error)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run of the priors alone: rows of two blocs and the world, a later one, and a date that is weighed."""
    folder = tmp_path_factory.mktemp("inputs")
    mine = '[priors.line]\ngrowth = { value = 0.4, unit = "OOM/year", source = "mine" }\n'
    view = worldview(folder, WORLDVIEW + mine)
    runs = table(folder / "line", RUNS + LATER)
    other = driver(
        "other",
        KINDS,
        table(folder / "other", RUNS, owner="other"),
        ours=observes("runs", prepare=ours_alone)(twice),
        weigh=observes_crossing("runs", milestone="big", prepare=ours_alone)(
            lambda self, x, data: np.zeros(len(x.dates))
        ),
    )
    made = run(
        view, drivers=[Line(runs), Boost(), other], settings=SamplerSettings(draws=50), prior_only=True
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("run_pictures.draw_crossings", "run_pictures.draw_worlds", "run_pictures.draw_channels"):
            patch.setattr(f"forecast.report.{name}", lambda *_, **__: None)
        return made, made.save(folder)


@pytest.fixture
def stored(saved, tmp_path):
    """The saved run, copied so that a test may damage it."""
    return read_run(Path(shutil.copytree(saved[1], tmp_path / "copy")))


def rows(found, driver_):
    return [row for row in found["evidence"] if row["driver"] == driver_]


def test_every_row_public_by_the_as_of_date_is_there_as_its_table_has_it(saved, stored):
    found = stored.inputs
    assert found["schema"] == "forecast.inputs/1" and found["as_of"] == "2026-06-30"
    assert [row["name"] for row in rows(found, "line")] == ["A", "B", "C", "D", "E"]
    expected = {"value": 2e25, "unit": "FLOP", "low": 1e25, "high": 4e25, "level": 0.9}
    expected |= {"bloc": "us_allies", "date": "2024-07-01", "published": "2024-08-01", "source": "made up"}
    expected |= {"table": "runs", "url": "https://example.org", "note": ""}
    row = rows(found, "line")[1]
    assert {key: row[key] for key in expected} == expected
    assert rows(found, "line")[0]["low"] is None  # no interval is null, not NaN
    assert found["tables"][0]["title"] == "Runs" and found["tables"][0]["default_error"] == 0.2
    assert found == json.loads(json.dumps(saved[0].inputs))


def test_a_row_says_what_reads_it_and_under_which_names_the_results_have_it(stored):
    found = stored.inputs
    in_results = stored.tree["prior_predictive"].data_vars
    for row in rows(found, "line"):
        assert row["fitted"] and row["label"] in in_results and row["quantities"] == ["compute"]
    ours, theirs = rows(found, "other")[0], rows(found, "other")[3]
    assert ours["fitted"] and ours["labels"] == [ours["label"], "other/runs"] and ours["label"] in in_results
    assert theirs["bloc"] == "china" and not theirs["fitted"]
    assert theirs["label"] == "" and theirs["labels"] == theirs["quantities"] == []


def test_every_number_with_a_prior_is_there_with_its_source_and_where_it_was_given(stored):
    priors = {(one["driver"], one["name"], one["bloc"], one["epoch"]): one for one in stored.inputs["priors"]}
    assert set(priors) == {
        ("thresholds", "compute", None, None),
        ("line", "growth", None, None),
        ("line", "scatter", None, None),
        ("line", "level", "us_allies", None),
        ("line", "level", "china", None),
        ("boost", "gain", None, None),
        ("other", "kind", None, None),
        ("other", "rate", None, "early"),
        ("other", "rate", None, "late"),
    }
    growth = priors["line", "growth", None, None]
    assert growth["prior"] == "0.4" and growth["source"] == "mine" and growth["constant"]
    assert growth["origin"].partition(":")[0].endswith("toys.toml")
    level = priors["line", "level", "china", None]
    assert level["prior"] == "Normal(mu=24.5, sigma=1)" and level["unit"] == "log10 FLOP"
    assert not level["judgement"] and not level["origin"].partition(":")[0].endswith("toys.toml")
    assert priors["other", "rate", None, "early"]["judgement"]
    kind = priors["other", "kind", None, None]
    assert (
        kind["prior"].startswith("mixture of 0.3 Normal")
        and kind["source"] == "two kinds; one paper; another paper"
    )


def test_a_run_of_an_earlier_version_says_that_it_lacks_the_list(stored):
    (stored.path / "inputs.json").unlink()
    again = read_run(stored.path)  # still a whole run
    with pytest.raises(NotAvailable, match=r"no inputs\.json.*earlier version.*Make the run again"):
        again.inputs  # noqa: B018


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-10], "it is not JSON"),
        (
            lambda text: text.replace("forecast.inputs/1", "forecast.inputs/9"),
            "its schema is 'forecast.inputs/9'",
        ),
        (lambda text: text.replace('"published"', '"pub"', 1), r"evidence\[0\] lacks published"),
        (lambda text: text.replace('"priors"', '"prior"', 1), "priors is no list"),
        (lambda text: re.sub(r'"value": [^,]+', '"value": "many"', text), r"evidence\[0\] value is 'many'"),
        (lambda text: re.sub(r'"date": [^,]+', '"date": "9999-99-99"', text), "date is '9999-99-99'"),
        (lambda text: re.sub(r'"bloc": [^,]+', '"bloc": ["us"]', text), r"bloc is \['us'\]"),
        (lambda text: text.replace('"fitted": true', '"fitted": 1', 1), "fitted is 1"),
        (lambda text: re.sub(r'"quantities": \[[^]]*\]', '"quantities": 3', text), "quantities is 3"),
        (lambda text: text.replace('"licence"', '"license"', 1), r"tables\[0\] lacks licence"),
        (lambda text: "[]", "list where a table belongs"),
    ],
)
def test_a_damaged_list_is_told_in_words(stored, damage, words):
    path = stored.path / "inputs.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(ForecastError, match=rf"inputs\.json is damaged: .*{words}"):
        read_run(stored.path).inputs  # noqa: B018


@pytest.mark.usefixtures("no_pictures")
def test_a_run_that_was_taken_up_again_writes_the_same_list(saved, stored, tmp_path):
    again = reopen(stored, saved[0].plan).save(tmp_path)
    assert (again / "inputs.json").read_bytes() == (saved[1] / "inputs.json").read_bytes()
