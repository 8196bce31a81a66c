"""Evidence on the date of a milestone: draws are kept in proportion to what it says of them."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from scipy import stats

from forecast import PluginError, engine
from forecast.driver import observes_crossing
from forecast.errors import ForecastError
from forecast.inference import SamplerSettings
from forecast.report.terminal import print_summary
from forecast.results.summary import accepted_draws
from tests.toys import WORLDVIEW, Line, driver, table, worldview

TABLES = """\
[runs]
title = "Forecasts"
description = "When experts expect it, made up."
units = ["year"]
linear = true
default_error = 1
default_error_source = "made up"
"""

HEAD = "bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note\n"
SURVEY = "world,Survey {year},{year}-01-01,{value},year,,,,{year}-02-01,,made up,https://example.org,\n"
WIDTH = 'width = { value = 1.5, unit = "year", source = "a test" }'
INTERVENE = '[[intervene]]\nquantity = "compute"\nadd = -1.0\nfrom = 2027-01-01\n'
DRAWS = SamplerSettings(draws=2000, chains=2)


def said(x, data):
    """Each row is a normal measurement of the date on which the first bloc crosses."""
    first = np.where(np.isfinite(x.first), x.first, x.horizon + 10.0)
    return stats.norm.logpdf(data.columns["value"][None, :], first[:, None], x["width"][:, None]).sum(axis=1)


def experts(folder, rows, method=None, *, milestone="big"):
    evidence = table(folder, HEAD + rows, tables=TABLES, owner="experts")
    weigh = observes_crossing("runs", milestone=milestone)(method or (lambda self, x, data: said(x, data)))
    return driver("experts", WIDTH, evidence, weigh=weigh)


def run(folder, *drivers, prior_only=False, **changes):
    """No row reaches a parameter, so nothing is sampled: draws are those of the priors, weighed or not."""
    view = worldview(folder, overrides=[f"{key}={value}" for key, value in changes.items()])
    return engine.run(view, drivers=drivers, settings=DRAWS, prior_only=prior_only)


def first_crossings(found):
    crossings = found.results["crossings"].to_dataset()
    return crossings["big"].min("bloc").to_numpy(), accepted_draws(crossings)


ONE = SURVEY.format(year=2026, value=2031)


def test_draws_are_kept_in_proportion_to_the_likelihood(tmp_path):
    plain, all_of_them = first_crossings(run(tmp_path, Line()))
    weighed, kept = first_crossings(run(tmp_path, Line(), experts(tmp_path / "e", ONE)))
    np.testing.assert_array_equal(plain, weighed)  # the draws are the same; which of them count is not
    weights = np.where(all_of_them, stats.norm.pdf(2031, np.where(np.isfinite(plain), plain, 2043), 1.5), 0.0)
    for date in (2028.0, 2030.0, 2032.0):
        expected = np.sum(weights * (plain <= date)) / weights.sum()
        share = np.mean(plain[kept] <= date)
        error = np.sqrt(expected * (1 - expected) / kept.sum())
        assert abs(share - expected) < 4 * error + 0.01, date
        assert abs(np.mean(plain[all_of_them] <= date) - expected) > 5 * error  # it says something
    assert 0.05 < kept.mean() < 0.95


def test_the_counts_say_what_set_draws_aside(tmp_path, capsys):
    found = run(tmp_path, Line(), experts(tmp_path / "e", ONE))
    draws = found.summary["milestones"]["big"]["draws"]
    reasons = draws["set_aside_by"]
    assert list(reasons) == ["crossed", "experts/runs"]
    assert sum(reasons.values()) == draws["set_aside"] and reasons["experts/runs"] > 100
    stored = found.results["crossings"]["accepted"].attrs["set_aside"]
    assert json.loads(stored) == reasons


def test_rows_published_after_the_as_of_date_weigh_nothing(tmp_path):
    later = ONE + SURVEY.format(year=2027, value=2050)
    both = run(tmp_path, Line(), experts(tmp_path / "e", later))
    one = run(tmp_path, Line(), experts(tmp_path / "f", ONE))
    for found in (both, one):
        assert first_crossings(found)[1].sum() == first_crossings(one)[1].sum()


def test_draws_of_the_priors_alone_are_not_weighed(tmp_path):
    found = run(tmp_path, Line(), experts(tmp_path / "e", ONE), prior_only=True)
    assert list(found.summary["milestones"]["big"]["draws"]["set_aside_by"]) == ["crossed"]


def test_interventions_leave_what_the_evidence_keeps(tmp_path):
    late = {"quantity": "compute", "add": -1.0, "from": "2027-01-01"}
    base = run(tmp_path, Line(), experts(tmp_path / "e", ONE))
    changed = base.project([late]).crossings
    dates, kept = first_crossings(base)
    assert (changed["big"].min("bloc").to_numpy() > dates).mean() > 0.3  # another future ...
    np.testing.assert_array_equal(changed["accepted"], kept)  # ... of the same draws
    view = worldview(tmp_path, WORLDVIEW + INTERVENE)
    told = engine.run(view, drivers=(Line(), experts(tmp_path / "f", ONE)), settings=DRAWS)
    np.testing.assert_array_equal(first_crossings(told)[1], kept)
    np.testing.assert_array_equal(first_crossings(told)[0], changed["big"].min("bloc"))


def test_the_evidence_is_weighed_once_for_all_interventions_on_a_run(tmp_path):
    weighed = []

    def counted(self, x, data):
        weighed.append(len(x.dates))
        return said(x, data)

    base = run(tmp_path, Line(), experts(tmp_path / "e", ONE, counted))
    for add in (-1.0, -0.5):
        base.project([{"quantity": "compute", "add": add, "from": "2027-01-01"}])
    assert len(weighed) == 1


def test_a_wider_error_keeps_more_draws(tmp_path):
    narrow, wide = (
        run(tmp_path, Line(), experts(tmp_path / f"e{width}", ONE), **{"priors.experts.width.value": width})
        for width in (1, 8)
    )
    assert first_crossings(wide)[1].sum() > 1.3 * first_crossings(narrow)[1].sum()


def test_a_worldview_without_the_milestone_says_that_the_evidence_is_not_used(tmp_path):
    told = []

    class Listening(engine.Reporter):
        def warn(self, message):
            told.append(message)

    others = (Line(), experts(tmp_path / "e", ONE, milestone="agi"))
    engine.make_plan(worldview(tmp_path), drivers=others, prior_only=True, reporter=Listening())
    assert "experts/runs speaks of the milestone 'agi'" in told[0] and "is not used" in told[0]
    assert first_crossings(run(tmp_path, *others))[1].sum() == first_crossings(run(tmp_path, Line()))[1].sum()


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (lambda self, x, data: sys.exit(4), "weigh (evidence on big) failed: SystemExit: 4"),
        (lambda self, x, data: 1 / 0, "weigh (evidence on big) failed: ZeroDivisionError"),
        (lambda self, x, data: x.dates, "shape (4000, 2); it must be (4000,)"),
        (lambda self, x, data: x.first * np.nan, "is NaN or infinite in 100.0% of draws"),
        (lambda self, x, data: x.dates.fill(2030.0), "ValueError: assignment destination is read-only"),
        (lambda self, x, data: x["width"].fill(2.0), "ValueError: assignment destination is read-only"),
        (lambda self, x, data: x["heigth"], "no parameter 'heigth'; it has width"),
    ],
)
def test_a_method_that_fails_is_named(tmp_path, method, words):
    with pytest.raises(PluginError, match="driver 'experts' of this Python session") as caught:
        run(tmp_path, Line(), experts(tmp_path / "e", ONE, method))
    assert words in str(caught.value)


def test_evidence_that_excludes_every_draw_says_which_it_is(tmp_path):
    impossible = experts(tmp_path / "e", ONE, lambda self, x, data: np.full(len(x.dates), -np.inf))
    with pytest.raises(ForecastError, match="experts/runs"):
        run(tmp_path, Line(), impossible)


def test_the_terminal_says_how_many_draws_the_evidence_set_aside(tmp_path, capsys):
    found = run(tmp_path, Line(), experts(tmp_path / "e", ONE))
    print_summary(found.summary)
    assert "set aside by the evidence experts/runs" in " ".join(capsys.readouterr().out.split())
