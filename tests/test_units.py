import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.units import PREFIXES, UnitError, UnknownUnit, convert, parse_unit, unit_names


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1, "work month", "minute", 167 * 60),
        (1, "work year", "work hour", 2000),
        (1, "work day", "hour", 8),
        (12, "month", "year", 1),
        (50, "percent", "share", 0.5),
        (2.5, "million H100e", "H100e", 2.5e6),
        (3, "billion USD/year", "million USD/year", 3000),
        (1, "GW", "kW", 1e6),
        (500, "MW", "GW", 0.5),
        (27, "log10 FLOP", "FLOP", 1e27),
        (1e27, "FLOP", "log10 FLOP", 27),
        (0, "log10 hour", "log10 minute", np.log10(60)),
        (6, "log10 H100e", "log10 million H100e", 0),
        (10, "x/year", "OOM/year", 1),
        (1, "OOM/year", "x/year", 10),
        (0.5, "dex/year", "log10 x/year", 0.5),
        (4, "x/year", "log10 OOM/year", np.log10(np.log10(4))),
        (5, "number", "count", 5),
    ],
)
def test_units_of_one_dimension_convert(value, source, target, expected):
    assert convert(value, source, target) == pytest.approx(expected)


def test_arrays_convert_element_by_element():
    converted = convert(np.array([1.0, 2.0]), "thousand H100e", "H100e")
    np.testing.assert_allclose(converted, [1000, 2000])


def test_units_of_two_dimensions_do_not_convert():
    with pytest.raises(UnitError, match="'FLOP' .* cannot be converted to 'USD'"):
        convert(1.0, "FLOP", "USD")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("FLOPS", "'FLOP'"),
        ("hours", "'hour'"),
        ("work months", "'work month'"),
        ("log10 FLOPs", "'log10 FLOP'"),
        ("million H100", "'million H100e'"),
        ("OOM/yr", "'OOM/year'"),
    ],
)
def test_an_unknown_unit_names_the_nearest(name, near):
    with pytest.raises(UnknownUnit, match="did you mean") as caught:
        parse_unit(name)
    assert near in str(caught.value)
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    "name", ["", "log10", "log10 ", "million", "log10 log10 FLOP", "million x/year", "flop", 3]
)
def test_nonsense_is_no_unit(name):
    with pytest.raises(UnknownUnit):
        parse_unit(name)


@given(
    st.sampled_from(unit_names()),
    st.sampled_from(["", *(p + " " for p in PREFIXES)]),
    st.sampled_from(["", *(p + " " for p in PREFIXES)]),
    st.booleans(),
    st.booleans(),
    st.floats(1e-3, 1e3),
)
def test_there_and_back_is_the_same_value(name, prefix_a, prefix_b, log_a, log_b, value):
    if name == "x/year":
        prefix_a = prefix_b = ""
    a = ("log10 " if log_a else "") + prefix_a + name
    b = ("log10 " if log_b else "") + prefix_b + name
    if parse_unit(a).log10 or parse_unit(a).growth or name == "x/year":
        value = 1 + value / 1e3  # 10**1000 is no float
    assert convert(convert(value, a, b), b, a) == pytest.approx(value, rel=1e-6, abs=1e-6)


def test_a_negative_amount_lies_below_everything_that_has_a_log():
    assert convert(-5.0, "FLOP", "log10 FLOP") == -np.inf
    found = convert(np.array([-1.0, 0.0, 100.0, np.nan]), "FLOP", "log10 FLOP")
    assert np.array_equal(found, [-np.inf, -np.inf, 2.0, np.nan], equal_nan=True)
