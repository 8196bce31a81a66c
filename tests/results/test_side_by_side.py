"""Saved runs side by side: which numbers are shown, what differs, and what is said where they do not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.errors import ForecastError, InputError
from forecast.results import StoredRun, side_by_side
from forecast.results.run_settings import run_settings, setting_differences
from tests.results.synthetic import crossings_from, likely_crossings
from tests.results.variants import save_variant

GROWTH = """
[priors.investment]
growth = { distribution = "Normal", mu = 0.15, sigma = 0.1, unit = "OOM/year", source = "a guess" }
"""
RUN_1E27 = """
[milestones.run_1e27]
title = "A run of 1e27 FLOP"
quantity = "training_compute"
at_least = { value = 1e27, unit = "FLOP", source = "made up" }
"""


def differing(*runs: StoredRun) -> dict[str, list[Any]]:
    return {row["key"]: row["values"] for row in setting_differences(runs)}


def two_milestones(seed: int = 0) -> Any:
    return likely_crossings(seed).assign(run_1e27=likely_crossings(seed + 1)["agi"])


def one_bloc() -> Any:
    return likely_crossings().sel(bloc=["us_allies"])


@pytest.fixture
def plain(tmp_path: Path) -> StoredRun:
    return save_variant(tmp_path / "plain", "plain")


def test_every_run_has_its_summary_of_the_milestone(tmp_path: Path, plain: StoredRun) -> None:
    other = save_variant(tmp_path, "other", toml='name = "mine"\n', crossings=likely_crossings(seed=9))
    found = side_by_side([plain, other])
    assert found["schema"] == "forecast.compare/1"
    assert found["milestone"] == "agi"
    assert [row["run"] for row in found["runs"]] == ["plain", "other"]
    assert [row["worldview"] for row in found["runs"]] == ["default-plain", "default-mine"]
    for row, run in zip(found["runs"], (plain, other), strict=True):
        assert row["as_of"] == "2026-06-30"
        assert row["blocs"] == run.summary["milestones"]["agi"]["blocs"]
        assert row["lead"] == run.summary["milestones"]["agi"]["lead"]
    crossings = likely_crossings(seed=9)
    when = crossings["agi"].to_numpy()[crossings["accepted"].to_numpy()][:, 1]
    assert found["runs"][1]["blocs"]["china"]["p_in"] == pytest.approx(
        ((when >= 2026) & (when < 2028)).mean()
    )
    assert found["differences"] == []
    assert found["notes"] == []


def test_differing_settings_are_listed_with_a_value_for_each_run(tmp_path: Path, plain: StoredRun) -> None:
    other = save_variant(
        tmp_path,
        "other",
        overrides=[
            *("as_of=2025-06-30", "window.start=2028-01-01", "window.end=2029-12-31", "horizon=2070-12-31"),
            *(
                "seed=7",
                "lead.within_years=2",
                'drivers.disable=["leakage"]',
                "milestones.agi.unreachable=0.1",
            ),
        ],
        prior_only=True,
    )
    assert differing(plain, other) == {
        "as_of": ["2026-06-30", "2025-06-30"],
        "window": ["2026-01-01 to 2027-12-31", "2028-01-01 to 2029-12-31"],
        "horizon": ["2060-12-31", "2070-12-31"],
        "prior_only": [False, True],
        "lead.within_years": [1.0, 2.0],
        "drivers.disable": ["none", "leakage"],
        "milestones.agi.unreachable": [0.0, 0.1],
        "seed": [1, 7],
    }
    assert differing(plain, other, plain)["seed"] == [1, 7, 1]


def test_a_prior_that_one_run_does_not_state_is_the_drivers_default_there(
    tmp_path: Path, plain: StoredRun
) -> None:
    other = save_variant(tmp_path, "other", toml=GROWTH)
    third = save_variant(tmp_path, "third", toml=GROWTH.replace("0.15", "0.25"))
    assert differing(plain, other, third) == {
        "priors.investment.growth": [
            "the driver's default",
            "Normal(mu=0.15, sigma=0.1) OOM/year",
            "Normal(mu=0.25, sigma=0.1) OOM/year",
        ]
    }


def test_keys_set_on_a_drivers_default_are_shown_as_such(tmp_path: Path, plain: StoredRun) -> None:
    other = save_variant(
        tmp_path, "other", overrides=["priors.investment.growth.mu=0.3", "priors.investment.growth.sigma=0.2"]
    )
    assert differing(plain, other) == {
        "priors.investment.growth": [
            "the driver's default",
            "the driver's default with mu = 0.3, sigma = 0.2",
        ]
    }


def test_a_blocs_own_prior_is_set_beside_the_general_one_of_the_other_run(
    tmp_path: Path, plain: StoredRun
) -> None:
    own = GROWTH.replace("[priors.investment]", "[priors.investment.by_bloc.china]")
    other = save_variant(tmp_path, "other", toml=own)
    general = save_variant(tmp_path, "general", toml=GROWTH)
    edited = save_variant(tmp_path, "edited", overrides=["priors.investment.growth.mu=0.3"])
    law = "Normal(mu=0.15, sigma=0.1) OOM/year"
    found = differing(plain, other, general, edited)
    assert found["priors.investment.by_bloc.china.growth"] == [
        *("the driver's default", law, "its general prior", "the driver's default")
    ]


def test_a_driver_that_is_left_out_has_no_default(tmp_path: Path) -> None:
    stating = save_variant(tmp_path, "stating", toml=GROWTH, drivers={"investment": "a 1", "other": "a 1"})
    disabled = save_variant(tmp_path, "disabled", overrides=['drivers.disable=["investment"]'])
    absent = save_variant(tmp_path, "absent", drivers={"other": "a 2"})
    found = differing(stating, disabled, absent)
    assert found["priors.investment.growth"][1:] == ["the driver is left out"] * 2
    assert found["drivers.investment"] == ["a 1", None, None]
    assert found["drivers.other"] == ["a 1", None, "a 2"]


def test_the_evidence_used_and_the_version_are_part_of_what_differs(tmp_path: Path) -> None:
    first, second = (
        save_variant(
            tmp_path,
            f"run{n}",
            evidence={"investment/capex": 12 + n, "investment/gdp": 5},
            hashes={"evidence": f"{n}" * 64},
            versions={"agi-forecast": f"0.{n}.0", "numpy": f"{n}"},
        )
        for n in (1, 2)
    )
    assert differing(first, second) == {
        "evidence_rows.investment/capex": [13, 14],
        "evidence_hash": ["11111111", "22222222"],
        "versions.agi-forecast": ["0.1.0", "0.2.0"],
    }


def test_sources_titles_and_notes_are_no_difference(tmp_path: Path) -> None:
    first = save_variant(tmp_path, "first", toml=f'title = "One"\n{GROWTH}')
    second = save_variant(tmp_path, "second", toml=f'title = "Two"\n{GROWTH.replace("a guess", "a paper")}')
    assert differing(first, second) == {}


def test_thresholds_mixtures_and_conditions_are_told_in_one_line_each(tmp_path: Path) -> None:
    law, hours = ('unit = "log10 FLOP", source = "made up"', 'unit = "work hour", source = "made up"')
    run = save_variant(
        tmp_path,
        "run",
        toml=f"""
        [milestones.agi]
        any = [
            {{ quantity = "training_compute", at_least = "thresholds.hard" }},
            {{ mixture = [
                {{ weight = 0.3, quantity = "time_horizon", at_least = {{ value = 20.0, {hours} }} }},
                {{ weight = 0.7, quantity = "training_compute", at_least = "thresholds.easy" }},
            ] }},
        ]
        [thresholds]
        hard = {{ distribution = "Normal", mu = 29.0, sigma = 0.5, {law} }}
        easy = {{ mixture = [
            {{ weight = 0.25, distribution = "LogNormal", p05 = 25.0, p50 = 27.0, p95 = 29.16 }},
            {{ weight = 0.75, distribution = "Normal", mu = 26.0, sigma = 1.0 }},
        ], {law} }}
        """,
    )
    told = run_settings(run)
    assert told["thresholds.hard"] == "Normal(mu=29, sigma=0.5) log10 FLOP"
    assert told["thresholds.easy"] == (
        "mixture of 0.25 LogNormal(p05=25, p50=27, p95=29.16), 0.75 Normal(mu=26, sigma=1) log10 FLOP"
    )
    assert told["milestones.agi"] == (
        "any of (training_compute at least thresholds.hard; in each draw one of (0.3 time_horizon at least "
        "20 work hour; 0.7 training_compute at least thresholds.easy))"
    )


def test_what_a_later_version_writes_into_a_prior_file_is_compared_too(
    tmp_path: Path, plain: StoredRun
) -> None:
    other = save_variant(tmp_path, "other")
    path = other.path / "worldview.toml"
    text = path.read_text()
    path.write_text(
        f'{text}\n[brand_new]\nlevel = 3\non = true\n[[intervene]]\nlimit = "chip_access"\nset = "off"\n'
    )
    assert differing(plain, other) == {
        "intervene": ["none", "{limit = chip_access, set = off}"],
        "brand_new.level": [None, 3],
        "brand_new.on": [None, True],
    }


def test_the_first_choice_is_agi_where_two_runs_have_it_else_what_most_have(
    tmp_path: Path, plain: StoredRun
) -> None:
    both = save_variant(tmp_path, "both", toml=RUN_1E27, crossings=two_milestones())
    again = save_variant(tmp_path, "again", toml=RUN_1E27, crossings=two_milestones(3))
    only = save_variant(tmp_path, "only", toml=RUN_1E27, crossings=two_milestones()[["run_1e27", "accepted"]])
    assert side_by_side([both, again])["milestone"] == "agi"
    assert side_by_side([both, again, only])["milestone"] == "agi"
    assert side_by_side([plain, both, only])["milestone"] == "agi"
    assert side_by_side([both, only])["milestone"] == "run_1e27"
    assert side_by_side([both, again], "run_1e27")["milestone"] == "run_1e27"


def test_a_run_without_the_milestone_is_named_and_the_others_are_compared(
    tmp_path: Path, plain: StoredRun
) -> None:
    both = [save_variant(tmp_path, f"both{n}", toml=RUN_1E27, crossings=two_milestones(n)) for n in range(2)]
    found = side_by_side([*both, plain], "run_1e27")
    assert "Run 3 has no milestone 'run_1e27' but agi." in found["notes"]
    assert found["runs"][2]["blocs"] == {}
    assert found["runs"][2]["lead"] is None
    assert found["runs"][0]["blocs"]["china"]["p_never"] > 0
    rows = {row["key"]: row["values"] for row in found["differences"]}
    assert rows == {"milestones.run_1e27": ["training_compute at least 1e+27 FLOP"] * 2 + [None]}
    assert not any("different conditions" in note for note in found["notes"])


def test_a_milestone_that_cannot_be_compared_is_refused_in_words(tmp_path: Path, plain: StoredRun) -> None:
    both = save_variant(tmp_path, "both", toml=RUN_1E27, crossings=two_milestones())
    only = save_variant(tmp_path, "only", toml=RUN_1E27, crossings=two_milestones()[["run_1e27", "accepted"]])
    with pytest.raises(InputError, match=r"--milestone run_1e26: none .*did you mean 'run_1e27'"):
        side_by_side([both, plain], "run_1e26")
    with pytest.raises(
        InputError, match="only one of these runs has it; both has agi, run_1e27; plain has agi"
    ):
        side_by_side([both, plain], "run_1e27")
    with pytest.raises(InputError, match="no milestone in common.*plain has agi; only has run_1e27"):
        side_by_side([plain, only])


def test_blocs_windows_leads_and_verdicts_that_do_not_fit_are_said_in_words(
    tmp_path: Path, plain: StoredRun
) -> None:
    alone = save_variant(tmp_path, "alone", toml="[blocs]\nus_allies = 'US & allies'\n", crossings=one_bloc())
    turned = save_variant(
        tmp_path,
        "turned",
        overrides=[
            *("lead.leader=china", "lead.follower=us_allies", "lead.within_years=3"),
            *("window.end=2028-12-31", "horizon=2070-12-31"),
        ],
        ok=False,
        prior_only=True,
    )
    harder = save_variant(tmp_path, "harder", toml=RUN_1E27.replace("run_1e27", "agi"))
    notes = side_by_side([plain, alone, turned, harder])["notes"]
    assert notes == [
        "Only runs 1, 3 and 4 have the bloc 'china'.",
        "The runs define 'agi' by different conditions: their dates are of different things.",
        "The windows differ: P(in window) is about each run's own.",
        "The horizons differ: P(not by horizon) is about each run's own.",
        "The leads are not of the same blocs: us_allies over china in run 1; china over us_allies in run 3; "
        "us_allies over china in run 4.",
        "The limits between unipolar and bipolar differ: see lead.within_years.",
        "Run 3 is of the priors alone, without evidence.",
        "The diagnostics of run 3 failed: do not rely on what is said of it.",
    ]
    assert side_by_side([plain, alone])["runs"][1]["lead"] is None


def test_fewer_than_two_different_runs_are_refused(tmp_path: Path, plain: StoredRun) -> None:
    with pytest.raises(InputError, match="two or more"):
        side_by_side([plain])
    with pytest.raises(InputError, match="plain is named twice"):
        side_by_side([plain, dataclasses.replace(plain, path=plain.path / ".." / plain.path.name)])


def test_a_damaged_worldview_is_said_in_words(tmp_path: Path, plain: StoredRun) -> None:
    other = save_variant(tmp_path, "other")
    (other.path / "worldview.toml").write_text("as_of = [")
    with pytest.raises(ForecastError, match=r"worldview\.toml is damaged: it is not TOML"):
        side_by_side([plain, other])
    (other.path / "worldview.toml").unlink()
    with pytest.raises(ForecastError, match="cannot be read"):
        side_by_side([plain, other])


def test_draws_that_agree_give_the_numbers_of_their_run(tmp_path: Path) -> None:
    late = save_variant(tmp_path, "late", crossings=crossings_from(np.full((4, 50, 2), 2040.5)))
    early = save_variant(tmp_path, "early", crossings=crossings_from(np.full((4, 50, 2), 2027.5)))
    rows = side_by_side([late, early])["runs"]
    assert [row["blocs"]["china"]["quantiles"]["0.5"] for row in rows] == [2040.5, 2027.5]
    assert [row["blocs"]["china"]["p_in"] for row in rows] == [0, 1]
    assert [row["lead"]["p_bipolar"] for row in rows] == [1, 1]
