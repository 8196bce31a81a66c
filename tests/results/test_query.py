"""Conditional questions: the language, its mistakes, and answers that numpy gives too."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ForecastError, InputError
from forecast.results import query
from forecast.results.query_events import And, Between, Never, Not, Or, Subject
from forecast.results.query_parser import Question, parse
from tests.results.synthetic import crossings_from, likely_crossings

INF = float("inf")
HORIZON = date(2060, 12, 31)
WORDS = [
    *"P ( ) | . .. - and or not before by after in never within at least of years months".split(),
    *"china us_allies agi run_1e27 2030 2026-06 2026-2027 2027-02-30 0.5 12 china.run_1e27".split(),
]


def two_milestones() -> xr.Dataset:
    crossings = likely_crossings()
    return crossings.assign(run_1e27=likely_crossings(seed=5)["agi"])[["run_1e27", "agi", "accepted"]]


def accepted_dates(crossings: xr.Dataset, milestone: str = "agi") -> tuple[np.ndarray, np.ndarray]:
    """Crossings of the US and its allies and of China in the accepted draws."""
    when = crossings[milestone].to_numpy()[crossings["accepted"].to_numpy()]
    return when[:, 0], when[:, 1]


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Years between two crossings, inf where one of them is never."""
    both = np.isfinite(one) & np.isfinite(other)
    return np.where(both, np.abs(np.where(both, one, 0) - np.where(both, other, 0)), INF)


def p(expression: str, **options: int) -> float:
    return query(two_milestones(), expression, horizon=HORIZON, **options).p


def read(text: str) -> Question:
    return parse(text, ["us_allies", "china"], ["agi", "run_1e27"], milestone="agi", horizon=HORIZON)


@pytest.mark.parametrize(
    ("atom", "known"),
    [
        ("china before 2030", lambda us, china: china < 2030),
        ("china before 2030-07", lambda us, china: china < 2030 + 181 / 365),
        ("china before 2030-07-01", lambda us, china: china < 2030 + 181 / 365),
        ("china by 2030", lambda us, china: china < 2031),
        ("china by 2028-02", lambda us, china: china < 2028 + 60 / 366),
        ("china by 2028-02-28", lambda us, china: china < 2028 + 59 / 366),
        ("china after 2030", lambda us, china: (china >= 2031) & np.isfinite(china)),
        ("china not by 2030", lambda us, china: china >= 2031),
        ("china in 2026-2027", lambda us, china: (china >= 2026) & (china < 2028)),
        ("china in 2026..2027", lambda us, china: (china >= 2026) & (china < 2028)),
        ("china in 2026 - 2027", lambda us, china: (china >= 2026) & (china < 2028)),
        ("china in 2030", lambda us, china: (china >= 2030) & (china < 2031)),
        ("china in 2029-07..2030-06-30",
         lambda us, china: (china >= 2029 + 181 / 365) & (china < 2030 + 181 / 365)),
        ("china never", lambda us, china: np.isinf(china)),
        ("china before us_allies", lambda us, china: china < us),
        ("china within 2 years of us_allies",
         lambda us, china: apart(us, china) <= 2),
        ("china within 6 months of us_allies",
         lambda us, china: apart(us, china) <= 0.5),
        ("china at least 1.5 years after us_allies",
         lambda us, china: (us < INF) & (china >= np.minimum(us, 1e9) + 1.5)),
        ("us_allies at least 1.5 years before china",
         lambda us, china: (us < INF) & (china >= np.minimum(us, 1e9) + 1.5)),
    ],
)  # fmt: skip
def test_an_atom_is_the_share_that_numpy_counts(atom: str, known) -> None:
    us, china = accepted_dates(two_milestones())
    share = known(us, china).mean()
    assert 0 < share < 1
    assert p(f"P({atom})") == pytest.approx(share)
    assert p(f"P(not {atom})") == pytest.approx(1 - share)


def test_subjects_may_be_of_different_milestones() -> None:
    crossings = two_milestones()
    us, china = accepted_dates(crossings)
    us_run, _ = accepted_dates(crossings, "run_1e27")
    assert p("P(china.agi before us_allies.run_1e27)") == pytest.approx((china < us_run).mean())
    assert p("P(us_allies.run_1e27 before us_allies)") == pytest.approx((us_run < us).mean())


def test_without_agi_the_first_milestone_is_meant() -> None:
    crossings = two_milestones()[["run_1e27", "accepted"]]
    us, _ = accepted_dates(crossings, "run_1e27")
    assert query(crossings, "P(us_allies by 2030)").p == pytest.approx((us < 2031).mean())


def test_a_condition_leaves_only_the_accepted_draws_that_satisfy_it() -> None:
    us, china = accepted_dates(two_milestones())
    answer = query(two_milestones(), "P(china before 2032 | us_allies before 2030 and not us_allies by 2027)")
    left = (us < 2030) & (us >= 2028)
    assert answer.draws == left.sum()
    assert answer.accepted == len(us)
    assert answer.p == pytest.approx((china[left] < 2032).mean())
    assert answer.conditional


def test_draws_set_aside_count_nowhere() -> None:
    dates = [[[2020.0, 2020.0], [2030.5, INF], [2031.5, 2032.5]]]
    crossings = crossings_from(dates, [[False, True, True]])
    answer = query(crossings, "P(us_allies before 2031)", min_draws=1)
    assert (answer.p, answer.draws) == (0.5, 2)
    assert query(crossings, "P(us_allies before 2031 | china never)", min_draws=1).draws == 1


def test_a_tie_is_before_for_neither_and_never_is_before_nothing() -> None:
    crossings = crossings_from([[[2030.0, 2030.0], [INF, INF], [2030.0, INF], [2030.0, 2031.0]]])

    def share(expression: str) -> float:
        return query(crossings, expression, min_draws=1).p

    assert share("P(us_allies before china)") == 0.5
    assert share("P(china before us_allies)") == 0.0
    assert share("P(china at least 1 year after us_allies)") == 0.5
    assert share("P(china at least 0 years after us_allies)") == 0.75
    assert share("P(china within 1 year of us_allies)") == 0.5
    assert share("P(china within 0 years of us_allies)") == 0.25


def test_a_moment_is_after_a_day_or_by_it_and_never_both() -> None:
    crossings = crossings_from([[[2030.0, INF], [2031.0, INF], [np.nextafter(2031.0, 0), INF]]])
    assert query(crossings, "P(us_allies by 2030)", min_draws=1).p == pytest.approx(2 / 3)
    assert query(crossings, "P(us_allies after 2030)", min_draws=1).p == pytest.approx(1 / 3)
    assert query(crossings, "P(us_allies before 2030)", min_draws=1).p == 0
    assert query(crossings, "P(china after 2030 or china by 2030)", min_draws=1).p == 0


def test_not_binds_closer_than_and_and_and_closer_than_or() -> None:
    china, us = Subject("china", "agi"), Subject("us_allies", "agi")
    by = Between(us, end=2031.0)
    assert read("P(not china never and us_allies by 2030 or china never)").event == Or(
        (And((Not(Never(china)), by)), Never(china))
    )
    assert read("P(china never or us_allies by 2030 and not china never)").event == Or(
        (Never(china), And((by, Not(Never(china)))))
    )
    assert read("P(not (china never or us_allies by 2030))").event == Not(Or((Never(china), by)))
    assert read("p( NOT china NOT never )").event == Not(Not(Never(china)))


def test_the_chain_rule_holds() -> None:
    joint = p("P(china before 2033 and us_allies before 2031)")
    assert joint == pytest.approx(
        p("P(china before 2033 | us_allies before 2031)") * p("P(us_allies before 2031)")
    )


def test_the_error_of_a_condition_is_that_of_the_draws_that_satisfy_it() -> None:
    answer = query(likely_crossings(draws=2000), "P(china before 2033 | us_allies before 2030)")
    whole = query(likely_crossings(draws=2000), "P(china before 2033)")
    # The draws are independent, so both errors are near that of a share of so many draws.
    for found in (answer, whole):
        assert found.mcse == pytest.approx(np.sqrt(found.p * (1 - found.p) / found.draws), rel=0.15)
    assert answer.mcse > whole.mcse


def test_the_error_covers_the_spread_over_repeated_runs() -> None:
    expression = "P(china before 2033 | us_allies before 2029)"
    answers = [query(likely_crossings(seed, draws=250), expression) for seed in range(60)]
    spread = np.std([answer.p for answer in answers], ddof=1)
    # 60 runs know their spread to about 9%, so four standard deviations of it.
    assert np.mean([answer.mcse for answer in answers]) == pytest.approx(spread, rel=0.4)


def test_draws_that_follow_one_another_closely_have_a_larger_error() -> None:
    rng = np.random.default_rng(3)
    walk = np.zeros((4, 500))
    for draw in range(1, 500):
        walk[:, draw] = 0.95 * walk[:, draw - 1] + rng.normal(size=4)
    sticky = crossings_from(2030 + np.stack([walk, walk + rng.normal(size=walk.shape)], axis=-1))
    found = query(sticky, "P(china before 2030 | us_allies before 2031)")
    assert found.mcse > 2 * np.sqrt(found.p * (1 - found.p) / found.draws)


def test_agreement_of_all_draws_is_not_certainty() -> None:
    answer = query(likely_crossings(), "P(china before 2033 | china before 2033)")
    assert answer.p == 1
    assert answer.mcse > 0


def test_too_few_draws_are_refused_with_what_remains_and_what_to_do() -> None:
    us, _ = accepted_dates(likely_crossings())
    left = int((us < 2027).sum())
    assert 0 < left < 100
    with pytest.raises(
        ForecastError, match=f"^{left} of 1,9.. accepted draws satisfy the condition"
    ) as caught:
        query(likely_crossings(), "P(china before 2033 | us_allies before 2027)")
    assert not isinstance(caught.value, InputError)
    assert "weaker condition" in str(caught.value)
    assert "--draws" in str(caught.value)
    assert "--min-draws" in str(caught.value)
    assert (
        query(likely_crossings(), "P(china before 2033 | us_allies before 2027)", min_draws=left).draws
        == left
    )


def test_few_draws_are_refused_without_a_condition_too() -> None:
    few = likely_crossings(chains=1, draws=50)
    with pytest.raises(ForecastError, match="accepted draws, and an answer needs 100: make a run with more"):
        query(few, "P(china before 2033)")
    assert query(few, "P(china before 2033)", min_draws=10).draws > 40


def test_a_condition_that_no_draw_satisfies_is_refused_whatever_the_limit() -> None:
    with pytest.raises(ForecastError, match="^0 of") as caught:
        query(likely_crossings(), "P(china before 2033 | us_allies before 2020)", min_draws=1)
    assert "--min-draws" not in str(caught.value)
    with pytest.raises(InputError, match="at least 1"):
        query(likely_crossings(), "P(china before 2033)", min_draws=0)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", r"position 1: expected P\(EVENT\) or P\(EVENT \| CONDITION\), found the end"),
        ("china before 2030", "position 1: expected P"),
        ("P(china before 2030", r"position 20: expected 'and', 'or', '\|' or '\)', found the end"),
        ("P(china before 2030) x", "position 22: expected the end, found 'x'"),
        ("P()", r"position 3: expected a bloc, or BLOC.MILESTONE, found '\)'"),
        ("P(chna before 2030)", r"position 3: .*there is no bloc 'chna' \(did you mean 'china'\?\)"),
        ("P(agi before 2030)", "there is no bloc 'agi' .a milestone: write BLOC.agi"),
        ("P(china.ag never)", r"position 9: expected a milestone.* \(did you mean 'agi'\?\)"),
        ("P(china. never)", "position 10: expected a milestone: there is none called 'never'"),
        ("P(china befor 2030)", r"position 9: expected 'before', .* \(did you mean 'before'\?\)"),
        ("P(china before 20300)", r"position 16: expected a date \(YEAR, YEAR-MM or YEAR-MM-DD\)"),
        ("P(china before 2030-13)", "position 16: 2030-13 is not in the calendar"),
        ("P(china by 2030-02-30)", "position 12: 2030-02-30 is not in the calendar"),
        ("P(china before 0000)", "0000 is not in the calendar"),
        ("P(china by us_allies)", "position 12: expected a date"),
        ("P(china after us_allies)", "write 'us_allies.agi before china.agi'"),
        ("P(china in 2027-2026)", "this period ends before it begins"),
        ("P(china in 2027..2026-05)", "this period ends before it begins"),
        ("P(china before china)", "china.agi is compared with itself"),
        ("P(china within years of us_allies)", "position 16: expected a number of years or months"),
        ("P(china within 2 days of us_allies)", "position 18: expected 'years' or 'months', found 'days'"),
        ("P(china within 2 years us_allies)", "position 24: expected 'of' and a bloc"),
        ("P(china at 2 years after us_allies)", "position 12: expected 'least'"),
        ("P(china at least 2 years us_allies)", "expected 'after' or 'before' and a bloc"),
        ("P(china never adn us_allies never)", r"position 15: .*found 'adn' \(did you mean 'and'\?\)"),
        ("P(china never | us_allies never | china never)", r"position 33: expected 'and', 'or' or '\)'"),
        ("P((china never | us_allies never))", r"position 16: expected 'and', 'or' or '\)', found '\|'"),
        ("P(china before 2030%)", "found '%'"),
        ("P(" + "(" * 60, "position 53: events are nested more than 50 deep"),
        ("P(" + "not " * 60, "nested more than 50 deep"),
        ("P(china by 2061)", "position 12: this run looks no further than its horizon, 2060-12-31"),
        ("P(china in 2059..2062)", "no further than its horizon"),
        ("P(china before 2062)", "no further than its horizon"),
        ("P(china after 2060)", "no further than its horizon"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_position_and_what_was_expected(expression: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        query(two_milestones(), expression, horizon=HORIZON)
    if expression:
        *_, caret = str(caught.value).splitlines()
        assert caret.strip() == "^"


def test_the_last_days_before_the_horizon_may_be_asked_about() -> None:
    assert p("P(china before 2061)") == pytest.approx(p("P(china by 2060)"))
    assert p("P(china before 2061 or china never)") == 1
    assert 0 <= p("P(china after 2059)") < 0.1


def test_the_caret_stands_below_the_mistake_also_far_inside_a_long_line() -> None:
    expression = f"P({'china never or ' * 20}chna never)"
    with pytest.raises(InputError) as caught:
        query(two_milestones(), expression)
    _, line, caret = str(caught.value).splitlines()
    assert line[caret.index("^") :].startswith("chna never)")


@settings(deadline=None, max_examples=400)
@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    for expression in (text, f"P({text})", f"P(china {text})", f"P(china never | {text})"):
        try:
            assert isinstance(read(expression), Question)
        except InputError as error:
            assert str(error).startswith("position ")


@settings(deadline=None, max_examples=60)
@given(
    year=st.integers(2026, 2059),
    month=st.integers(1, 12),
    other=st.sampled_from(["us_allies", "us_allies.run_1e27"]),
)
def test_before_in_after_and_never_share_the_draws_out(year: int, month: int, other: str) -> None:
    day = f"{year}-{month:02d}"
    parts = [f"china before {day}", f"china in {day}", f"china after {day}", "china never"]
    assert sum(p(f"P({part} | {other} before 2040)") for part in parts) == pytest.approx(1)
    assert p(f"P({' or '.join(parts)})") == 1
