from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.dates import decimal_year, end_of, from_decimal_year, parse_date, parse_period


def test_a_day_is_the_moment_at_which_it_begins():
    assert decimal_year(date(2027, 1, 1)) == 2027
    assert decimal_year(date(2027, 7, 1)) == 2027 + 181 / 365
    assert decimal_year(date(2028, 7, 1)) == 2028 + 182 / 366


def test_an_end_is_inclusive():
    assert end_of(date(2027, 12, 31)) == 2028.0
    assert end_of(date(2028, 12, 31)) == 2029.0
    assert end_of(date(9999, 12, 31)) == 10000.0


@given(st.dates())
def test_a_decimal_year_gives_its_day_back(day):
    assert from_decimal_year(decimal_year(day)) == day


@given(st.dates(max_value=date(9999, 12, 30)))
def test_the_end_of_a_day_is_the_beginning_of_the_next(day):
    tomorrow = date.fromordinal(day.toordinal() + 1)
    assert end_of(day) == pytest.approx(decimal_year(tomorrow), abs=1e-9)


@pytest.mark.parametrize("year", [float("inf"), float("nan"), 0.5, 10_000.0])
def test_a_year_outside_the_calendar_is_refused(year):
    with pytest.raises(ValueError, match="calendar"):
        from_decimal_year(year)


def test_dates_are_read_from_dates_and_text():
    assert parse_date("2026-06-30") == parse_date(date(2026, 6, 30)) == date(2026, 6, 30)
    assert parse_period("2026-01-01:2027-12-31") == (date(2026, 1, 1), date(2027, 12, 31))


@pytest.mark.parametrize("value", [datetime(2026, 6, 30, 12), 2026, 2026.5, None, True, ["2026-06-30"]])
def test_what_is_no_day_is_refused_in_words(value):
    with pytest.raises(ValueError, match="must be a da"):
        parse_date(value)


@pytest.mark.parametrize(
    "text", ["", "2026", "20260630", "2026-W27-2", "30.06.2026", "2026-02-30", "2026-6-30"]
)
def test_text_that_is_no_iso_date_is_refused(text):
    with pytest.raises(ValueError, match="must be a date|no day of the calendar"):
        parse_date(text)


def test_a_period_needs_two_dates():
    with pytest.raises(ValueError, match="START:END"):
        parse_period("2026-01-01")
