"""The table of a forecast on the terminal."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from forecast.diagnostics import judge
from forecast.report import print_summary
from forecast.report.terminal import compact
from forecast.results import month_or_never, summarise
from tests.results.synthetic import (
    crossings_from,
    full_tree,
    good_tree,
    likely_crossings,
    small_worldview,
    steps_worldview,
)

INF = float("inf")
DIAGNOSTICS = judge(good_tree())


def summary_of(crossings=None, worldview=None, diagnostics=None, **changes: Any) -> dict[str, Any]:
    return summarise(
        likely_crossings() if crossings is None else crossings,
        worldview or small_worldview(),
        run_id="2026-06-30-default-0a1b2c3d",
        diagnostics=diagnostics or DIAGNOSTICS,
        timings={},
        **changes,
    )


def printed(summary: dict[str, Any], **options: Any) -> str:
    file = io.StringIO()
    print_summary(summary, Console(file=file, width=80), **options)
    return file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_table_says_what_the_summary_holds() -> None:
    text = flat(printed(summary_of(), saved=Path("runs/2026-06-30-default-0a1b2c3d")))
    assert "Forecast as of 2026-06-30, horizon 2060-12-31" in text
    assert "Conditional on worldview 'default'; not a prophecy." in text
    assert "75% of it (549 days) was left at the as-of date" in text
    assert "AGI US & allies China" in text
    assert "median 2031-01 2034-08" in text
    assert "P(2026-01-01 to 2027-12-31) 0.102 ±0.00" in text
    assert "P(not by 2060-12-31) 0.107 ±0.007" in text
    assert "P(unipolar: US & allies alone for 1 year)" in text
    assert "P(bipolar: two within 1 year)" in text
    assert "P(neither by 2060-12-31)" in text
    assert "36 set aside" in text
    assert "Diagnostics passed: R-hat 1.00" in text
    assert "Saved in runs/2026-06-30-default-0a1b2c3d" in text
    assert "To cite: AGI, US & allies: median" in text


def test_it_fits_eighty_columns_and_is_plain_when_piped() -> None:
    names = ("us_allies", "china", "european_union", "a_bloc_with_quite_a_long_name", "india")
    dates = 2027 + np.random.default_rng(0).exponential(5, (2, 50, 5))
    many = summary_of(crossings_from(dates, blocs=names), small_worldview(*names))
    for summary in (summary_of(), many):
        text = printed(summary, saved=Path("runs/x"))
        assert max(len(line) for line in text.splitlines()) <= 80
        assert "\x1b" not in text
        assert "…" not in text


def test_a_long_path_is_not_broken() -> None:
    path = Path("/a") / ("long" * 30)
    assert f"Saved in {path}\n" in printed(summary_of(), saved=path)


def test_an_identical_run_is_said_to_have_been_kept() -> None:
    assert "An identical run was there and was kept: runs/x" in printed(
        summary_of(), saved=Path("runs/x"), existed=True
    )


def test_never_and_an_infinite_lead_are_words_and_signs() -> None:
    dates = [[[2030.0, INF], [2031.0, 2033.5], [2031.0, 2033.5], [2031.0, 2033.5], [INF, 2032.0]]]
    text = flat(printed(summary_of(crossings_from(dates))))
    assert "75% by 2031-01 2033-07" in text
    assert "median, years +2.5" in text
    assert "10% to 90%, years -inf to +inf" in text
    assert "median 2030-01 >2060" in flat(printed(summary_of(crossings_from([[[2030.0, INF]]]))))
    only = flat(printed(summary_of(crossings_from([[[2030.0, INF]]]))))
    assert "median, years not finite" in only


def test_a_failed_check_says_what_where_and_what_to_do() -> None:
    tree = good_tree()
    tree["sample_stats"]["diverging"][0, 3] = True
    text = flat(printed(summary_of(diagnostics=judge(tree))))
    assert "Diagnostics FAILED: do not rely on these numbers." in text
    assert "divergences: 1 at chain 0 (1 of them), should be at most 0. The sampler could not" in text
    assert "R-hat:" not in text  # it passed


def test_an_r_hat_just_above_the_limit_is_not_rounded_to_it() -> None:
    diagnostics = {**DIAGNOSTICS, "ok": False}
    diagnostics["checks"] = [
        {**check, "state": "fail", "value": 1.0103, "where": "a[b]"} if check["code"] == "r_hat" else check
        for check in DIAGNOSTICS["checks"]
    ]
    assert "R-hat: 1.01030 at a[b], should be at most 1.01" in flat(
        printed(summary_of(diagnostics=diagnostics))
    )


def test_what_could_not_be_judged_is_said() -> None:
    text = flat(printed(summary_of(diagnostics=judge(good_tree(chains=1, draws=2000)))))
    assert "Diagnostics not available: convergence could not be judged." in text
    assert "R-hat: not available. It needs two chains or more" in text


def test_prior_draws_are_called_so() -> None:
    summary = summary_of(diagnostics=judge(good_tree(), prior_only=True), prior_only=True)
    text = flat(printed(summary))
    assert "Conditional on priors alone, without evidence, of worldview 'default'" in text
    assert "Diagnostics: prior draws only: no sampler was run, so there is no verdict." in text


def test_brackets_in_titles_are_no_markup() -> None:
    worldview = small_worldview()
    blocs = tuple(dataclasses.replace(bloc, title=f"[red]{bloc.name}[/]") for bloc in worldview.blocs)
    text = printed(summary_of(worldview=dataclasses.replace(worldview, blocs=blocs)))
    assert "[red]china[/]" in text


@pytest.mark.parametrize(("blocs", "shape"), [(("a",), (1, 3, 1)), (("a", "b", "c"), (1, 3, 3))])
def test_one_bloc_has_no_lead_and_three_have_three_unipolar_lines(
    blocs: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    text = printed(summary_of(crossings_from(np.full(shape, 2030.0), blocs=blocs), small_worldview(*blocs)))
    assert text.count("P(unipolar") == (3 if len(blocs) == 3 else 0)


@pytest.fixture(scope="module")
def steps() -> dict[str, Any]:
    return summary_of(full_tree(), steps_worldview())


def test_chips_dollars_and_flop_at_the_crossing_have_a_block_of_their_own(steps: dict[str, Any]) -> None:
    text = flat(printed(steps))
    assert "When it crosses (5-95%) US & allies China" in text
    assert "exists inside the laboratory 2032-05" in text
    assert "training compute, FLOP 1e28 (1.1e27-9.7e28)" in text
    assert "chips in the run, H100e 1.6M (160k-16M)" in text
    assert "spending, USD/year 320B (34B-3.2T)" in text
    assert "months behind the first 0 (0-67)" in text
    assert "P(million chips in the run) 0.631 ±0.011" in text
    assert "P(cluster of $10 billion) 0.682 ±0.011" in text


def test_of_several_milestones_one_is_printed_in_full_and_the_others_in_one_table(
    steps: dict[str, Any],
) -> None:
    text = printed(steps)
    assert flat(text).count("P(after, by 2060-12-31)") == 1
    assert text.count("When it crosses") == 1
    assert text.count("Other milestones") == 1
    quantiles = steps["milestones"]["big_run"]["blocs"]["us_allies"]["quantiles"]
    row = next(line for line in text.splitlines() if line.strip().startswith("A big run  "))
    dates = [month_or_never(quantiles[level], "2060-12-31") for level in ("0.1", "0.5", "0.9")]
    assert row.split()[-3:] == dates
    assert "A big run US & allies" in flat(text)


def test_days_asked_for_are_in_the_table_of_other_milestones_too(steps: dict[str, Any]) -> None:
    asked = json.loads(json.dumps(steps))
    for milestone in asked["milestones"].values():
        for bloc in milestone["blocs"].values():
            bloc["crossed_by"] = {"2030-12-31": {"p": 0.625, "mcse": 0.01}}
    text = printed(asked)
    assert text.count("0.625 ±0.010") == 2  # both blocs of the first
    assert text.count("0.625") == 4
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_block_of_levels_fits_and_says_nothing_where_nothing_is_known(steps: dict[str, Any]) -> None:
    assert max(len(line) for line in printed(steps).splitlines()) <= 80
    old = json.loads(json.dumps(steps))
    for bloc in old["milestones"]["agi"]["blocs"].values():
        for key in ("at_crossing", "p_million_chips", "p_ten_billion_usd", "inside"):
            del bloc[key]
    assert "When it crosses" not in printed(old)
    never = printed(summary_of(crossings_from(np.full((1, 3, 2), INF))))
    assert "When it crosses" not in never
    one = flat(printed(summary_of(crossings_from([[[2030.0, INF]]]))))
    assert "months behind the first 0 -" in one  # the other bloc never crosses


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.52, "0.52"),
        (12.7, "13"),
        (850e3, "850k"),
        (999_999, "1M"),
        (2.13e6, "2.1M"),
        (1.4e10, "14B"),
        (3.2e12, "3.2T"),
        (3.24e27, "3.2e27"),
        (1e28, "1e28"),
    ],
)
def test_amounts_are_written_in_two_digits(value: float, text: str) -> None:
    assert compact(value) == text
