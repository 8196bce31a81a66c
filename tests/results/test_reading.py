"""P(crossed by a day) and cumulative curves, from stored crossings."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from forecast.errors import ForecastError, InputError
from forecast.results import choose_milestones, crossed_by, crossing_curves, write_curves
from forecast.results.reading import month_ends
from tests.results.synthetic import crossings_from, likely_crossings

INF = float("inf")


def test_a_day_counts_whole() -> None:
    crossings = crossings_from([[[2030.999, INF], [2031.0, INF]]])
    found = crossed_by(crossings, "agi", [date(2030, 12, 31), date(2031, 1, 1)])
    assert found["us_allies"]["2030-12-31"]["p"] == 0.5
    assert found["us_allies"]["2031-01-01"]["p"] == 1.0
    assert found["china"]["2030-12-31"]["p"] == 0.0
    assert found["china"]["2030-12-31"]["mcse"] > 0


def test_months_end_on_their_last_days() -> None:
    assert month_ends(date(2027, 12, 5), date(2028, 2, 1)) == [
        date(2027, 12, 31),
        date(2028, 1, 31),
        date(2028, 2, 29),
    ]


def test_curves_rise_to_the_share_that_crosses_by_the_horizon() -> None:
    crossings = likely_crossings()
    accepted = crossings["accepted"].to_numpy()
    rows = list(crossing_curves(crossings, ["agi"], date(2026, 6, 30), date(2060, 12, 31)))
    assert len(rows) == 2 * 415
    for index, bloc in enumerate(("us_allies", "china")):
        shares = [p for _, name, _, p in rows if name == bloc]
        assert shares == sorted(shares)
        crossed = np.isfinite(crossings["agi"].to_numpy()[..., index][accepted]).mean()
        assert shares[-1] == pytest.approx(crossed)


def test_curves_agree_with_the_share_crossed_by_the_day() -> None:
    crossings = likely_crossings()
    day = date(2030, 12, 31)
    curve = {
        (b, d): p for _, b, d, p in crossing_curves(crossings, ["agi"], date(2026, 6, 30), date(2060, 12, 31))
    }
    for bloc, shares in crossed_by(crossings, "agi", [day]).items():
        assert curve[bloc, day] == pytest.approx(shares[day.isoformat()]["p"])


def test_curves_are_written_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    write_curves(path, crossings_from([[[2026.6, INF]]]), ["agi"], date(2026, 6, 30), date(2026, 9, 30))
    rows = list(csv.reader(path.open()))
    assert rows[0] == ["milestone", "bloc", "date", "p_crossed"]
    assert rows[1:4] == [
        ["agi", "us_allies", "2026-06-30", "0.0"],
        ["agi", "us_allies", "2026-07-31", "0.0"],
        ["agi", "us_allies", "2026-08-31", "1.0"],
    ]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "curves.csv"
    with pytest.raises(ForecastError, match=r"curves\.csv: the curves could not be written"):
        write_curves(path, likely_crossings(), ["agi"], date(2026, 6, 30), date(2026, 9, 30))


def test_an_unknown_milestone_is_answered_with_those_that_there_are() -> None:
    assert choose_milestones(likely_crossings(), None) == ["agi"]
    with pytest.raises(InputError, match="it has agi"):
        choose_milestones(likely_crossings(), "asi")
