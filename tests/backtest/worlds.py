"""A world whose truth is known: runs along a line for each bloc, published a month after they are made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from forecast.dates import decimal_year
from forecast.engine import Plan, make_plan
from forecast.inference import SamplerSettings
from tests import toys

GROWTH = 0.5
LEVEL = {"us_allies": 25.0, "china": 24.5}
SD = 0.25  # scatter 0.15 beside the table's error of 0.2
HEADER = toys.RUNS.splitlines()[0]
QUICK = SamplerSettings(draws=200, tune=200, chains=2)


def row(bloc: str, day: date, value: float, published: date) -> str:
    """A line of the table of runs; `value` in log10 FLOP."""
    name = f"{bloc} {day}"
    return f"{bloc},{name},{day},{10**value:.6e},FLOP,,,,{published},,made up,https://example.org,,"


def runs(seed: int = 1, *, last: date = date(2026, 3, 31), extra: Sequence[str] = ()) -> str:
    """A table of runs, one every two months and bloc from 2022 on."""
    noise = np.random.default_rng(seed)
    lines = [HEADER]
    for bloc, level in LEVEL.items():
        day = date(2022, 1, 15)
        while day <= last:
            value = level + GROWTH * (decimal_year(day) - 2024) + SD * noise.standard_normal()
            lines.append(row(bloc, day, value, day + timedelta(days=30)))
            day += timedelta(days=61)
    return "\n".join([*lines, *extra]) + "\n"


def plan(folder: Path, csv: str, overrides: Sequence[str] = (), settings: SamplerSettings = QUICK) -> Plan:
    """A plan of the toy line on these runs."""
    line = toys.Line(toys.table(folder / "evidence", csv))
    return make_plan(toys.worldview(folder, overrides=overrides), drivers=[line], settings=settings)
