"""What medians of experts say of a date, what they do not, and what is imported and reported."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from forecast_expert_survey import ExpertSurvey, fitted
from forecast_expert_survey.importing import IMPORTER
from forecast_expert_survey.section import SECTION

from forecast import InputError, load_worldview
from forecast.model.observations import PrepareContext
from forecast.projection import CrossingDates
from forecast.testing import DriverConformance

AS_OF = date(2026, 6, 30)
BLOCS = ("us_allies", "china")
CENTRE = {
    "common": 0.6,
    "between": 0.28,
    "memory": 5.0,
    "weaker": -0.3,
    "stronger": 0.1,
    "definition_error": 0.2,
    "beyond": 0.5,
}


class TestExpertSurvey(DriverConformance):
    driver = ExpertSurvey()
    company = ()


def seen(first, horizon=2061.0, **parameters):
    """What the driver sees: dates of the first bloc, the other ten years later."""
    first = np.atleast_1d(np.asarray(first, dtype=float))
    own = {name: np.broadcast_to(value, first.shape) for name, value in (CENTRE | parameters).items()}
    return CrossingDates(np.stack([first, first + 10], axis=1), BLOCS, 2026.5, horizon, own)


def observed(as_of=AS_OF, rows=None):
    table = ExpertSurvey().evidence["forecasts"].known_by(as_of)
    return fitted(table if rows is None else table.with_rows(rows), PrepareContext(as_of, BLOCS))


def log_likelihood(first, data=None, **how):
    return ExpertSurvey().medians(seen(first, **how), observed() if data is None else data)


def width(data, **how):
    """Standard deviation of log10 of the years from the forecasts to the crossing, with a flat prior."""
    logs = np.linspace(-1.0, 4.0, 201)
    weight = np.exp(log_likelihood(data.columns["date"][0] + 10**logs, data, **how))
    mean = np.average(logs, weights=weight)
    return np.sqrt(np.average((logs - mean) ** 2, weights=weight))


def test_the_likeliest_date_lies_among_the_medians_and_dates_far_off_are_less_likely():
    years = np.arange(2026.6, 2061.0, 0.1)
    found = log_likelihood(years)
    best = years[np.argmax(found)]
    assert 2029 < best < 2040
    assert np.all(np.diff(found[years > best]) < 0) and found[0] < found.max() - 1


def test_the_date_of_the_first_bloc_counts_whichever_it_is():
    x = seen(2033.0)
    swapped = replace(x, dates=x.dates[:, ::-1])
    assert ExpertSurvey().medians(swapped, observed()) == ExpertSurvey().medians(x, observed())


def test_the_common_error_is_integrated_out_exactly():
    """Against a sum over its values, for forecasts of one day and one definition."""
    (row,) = [row for row in observed().rows if row.name.startswith("Samotsvety")]
    rows = [replace(row, name=str(n), value=value) for n, value in enumerate((2035.5, 2041.5, 2060.5))]
    data = observed(rows=rows)
    first, made = 2038.0, data.columns["date"]
    said = np.log10(data.columns["value"] - made)
    own = np.sqrt(0.28**2 + (0.29 / (data.columns["value"] - made) / np.log(10)) ** 2)
    errors = np.linspace(-5, 5, 20001)
    apart = said - np.log10(first - made) - errors[:, None]
    each = np.exp(-0.5 * (apart / own) ** 2) / own / np.sqrt(2 * np.pi)
    prior = np.exp(-0.5 * (errors / 0.6) ** 2) / 0.6 / np.sqrt(2 * np.pi)
    expected = np.log(np.trapezoid(each.prod(axis=1) * prior, errors))
    assert log_likelihood(first, data)[0] == pytest.approx(expected, abs=1e-6)


def test_fifty_experts_of_one_day_know_little_more_than_five():
    (row,) = [row for row in observed().rows if row.name.startswith("Metaculus 5121")]
    five, fifty = (observed(rows=[replace(row, name=str(n)) for n in range(count)]) for count in (5, 50))
    assert 0.55 < width(fifty) < width(five) < 0.65
    assert width(fifty, common=0.01) < 0.1  # what independent experts would know


def test_a_forecaster_counts_once_with_the_latest_that_was_known():
    for day, count in ((date(2023, 6, 30), 4), (AS_OF, 8), (date(2026, 11, 1), 9)):
        names = [row.name for row in observed(day).rows]
        assert len(names) == len(set(names)) == count
    early, late = ({row.name: row.value for row in observed(day).rows} for day in (date(2022, 1, 1), AS_OF))
    assert early["Metaculus 5121, first general AI system"] == pytest.approx(2070.5)
    assert late["Metaculus 5121, first general AI system"] == pytest.approx(2033.5)


def test_a_crossing_after_the_horizon_is_less_likely_than_one_at_it_and_not_excluded():
    at_horizon, never = log_likelihood([2061.0, np.inf])
    assert at_horizon - 3 < never < at_horizon
    assert log_likelihood([np.inf], horizon=2101.0) < never  # a further horizon: later still
    assert log_likelihood([np.inf], beyond=0.01) == pytest.approx(at_horizon, abs=0.05)


def test_what_is_weaker_by_definition_comes_sooner_than_the_milestone():
    weak = [row for row in observed().rows if row.extra["definition"] == "weaker"]
    alike = [replace(row, extra=row.extra | {"definition": "alike"}) for row in weak]
    years = np.arange(2026.6, 2061.0, 0.1)
    later, sooner = (years[np.argmax(log_likelihood(years, observed(rows=rows)))] for rows in (weak, alike))
    assert later > sooner + 1


def test_rows_that_are_not_fitted_change_nothing():
    known = ExpertSurvey().evidence["forecasts"].known_by(AS_OF)
    assert len(known) > len(observed()) and all(row.extra["fitted"] for row in observed().rows)
    assert np.allclose(log_likelihood([2028.0, 2040.0, np.inf], observed(rows=[])), 0.0)


def test_ranks_of_true_dates_are_uniform():
    """Simulated medians of 200 worlds; the rank of each true date among draws weighed by the driver.

    Twenty classes of ten on average; chi-squared above 43.8 in one of a thousand right implementations.
    """
    chance = np.random.default_rng(7)
    data = observed()
    made = data.columns["date"]
    kinds = np.array([row.extra["definition"] for row in data.rows])
    offset = np.select([kinds == "weaker", kinds == "stronger"], [-0.3, 0.1])
    prior = 2026.5 + 10 ** chance.normal(0.8, 0.4, 600)
    x = seen(prior)
    together = np.exp(-np.abs(made[:, None] - made) / 5.0) * 0.6**2
    together += 0.2**2 * ((kinds[:, None] == kinds) & (kinds != "alike")) + 0.28**2 * np.eye(len(made))
    ranks = []
    for _ in range(200):
        truth = 2026.5 + 10 ** chance.normal(0.8, 0.4)
        said = np.log10(truth - made) + offset + chance.multivariate_normal(np.zeros(len(made)), together)
        columns = dict(data.columns) | {"value": made + 10**said}
        weight = np.exp(ExpertSurvey().medians(x, replace(data, columns=columns)))
        ranks.append(np.sum(weight[prior < truth]) / np.sum(weight))
    counts = np.histogram(ranks, bins=20, range=(0, 1))[0]
    assert np.sum((counts - 10) ** 2 / 10) < 43.8


def test_enough_draws_are_kept_where_the_model_says_what_experts_say():
    """At least 1,000 of 6,000, for a prior like that of the default worldview."""
    chance = np.random.default_rng(3)
    dates = 2026.6 + 10 ** chance.normal(0.7, 0.45, 6000)
    dates[dates > 2061.0] = np.inf
    dates[:800] = np.inf
    found = log_likelihood(dates, common=chance.uniform(0.45, 0.8, 6000))
    assert np.mean(np.exp(found - found.max())) * 6000 > 1500


# Import and report -------------------------------------------------------------------------------


def test_a_plain_export_becomes_rows_of_the_table(tmp_path):
    file = tmp_path / "export.csv"
    file.write_text(
        "question,date,median,lower,upper\n"
        "A platform,2026-05-01,2032-07-02,2029,2041.5\n"
        '"A group, of five",2026-06-01,2035,,\n'
    )
    first, second = IMPORTER.read(file)
    assert first["value"] == pytest.approx(2032.5) and (first["low"], first["high"]) == (2029.5, 2041.5)
    assert first["published"] == date(2026, 5, 1) and first["level"] == 0.5
    assert second["value"] == 2035.5 and "low" not in second
    assert ".invalid" in first["url"] and "give the address" in first["note"]  # nothing is made up
    assert (IMPORTER.driver, IMPORTER.table) == ("expert-survey", "forecasts")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("question,date,median\nA,2026-05-01,2032\n", "no column lower, upper"),
        ("question,date,median,lower,upper\nA,May 2026,2032,,\n", "export.csv:2.*May 2026"),
        ("question,date,median,lower,upper\nA,2026-05-01,soon,,\n", "export.csv:2.*soon"),
    ],
)
def test_a_file_that_is_no_such_export_is_refused_in_words(tmp_path, text, words):
    file = tmp_path / "export.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=words):
        IMPORTER.read(file)


@pytest.fixture
def run():
    dates = np.array([[[2030.0, 2034.0], [2035.0, 2033.0], [np.inf, np.inf], [2027.0, 2028.0]]])
    accepted = np.array([[True, True, True, False]])
    crossings = xr.Dataset(
        {"agi": (("chain", "draw", "bloc"), dates), "accepted": (("chain", "draw"), accepted)}
    )
    return SimpleNamespace(crossings=crossings, worldview=load_worldview("default"))


def test_the_section_puts_experts_beside_the_run(run, tmp_path):
    text = SECTION.text(run)
    assert "in 2033.0 (median of 3 accepted draws)" in text
    assert "Metaculus 5121, first general AI system (2026-02-28): 2033; 67% of this run by then." in text
    assert "Good Heart" not in text  # published later
    SECTION.picture(run, tmp_path / "section.png")
    assert (tmp_path / "section.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_run_without_the_milestone_has_no_such_section(run):
    run.crossings = run.crossings.drop_vars("agi")
    assert SECTION.text(run) == ""
