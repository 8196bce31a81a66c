"""A model of medium size twice: as six drivers for the engine, and as one PyMC script by hand.

The script has the engine's equations with its numbers as constants, one PyMC
variable a parameter, and none of the engine's code.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from forecast.dates import decimal_year
from forecast.driver import API_VERSION, Driver, adds_to, limits, observes, parameters_from_text, provides
from forecast.evidence import EvidenceTable, read_tables
from forecast.testing import worldview_about
from forecast.worldview import Worldview

Array = NDArray[Any]
LN10, LIFETIME, SHARPNESS = np.log(10.0), 4.0, 4.0
BLOCS = ("us_allies", "china")

# Driver, then parameter: family, its numbers (two stand for the blocs), unit.
Law = tuple[str, dict[str, tuple[float, ...]], str]
PRIORS: dict[str, dict[str, Law]] = {
    "money": {
        "level": ("Normal", {"mu": (11.0, 10.3), "sigma": (0.2, 0.3)}, "log10 USD/year"),
        "growth": ("Normal", {"mu": (0.25,), "sigma": (0.1,)}, "OOM/year"),
        "scatter": ("HalfNormal", {"sigma": (0.2,)}, "dex"),
    },
    "boom": {
        "lift": ("Normal", {"mu": (0.1,), "sigma": (0.1,)}, "OOM"),
        "width": ("LogNormal", {"mu": (-0.7,), "sigma": (0.3,)}, "year"),
    },
    "chips": {
        "price": ("Normal", {"mu": (-4.5,), "sigma": (0.1,)}, "log10 H100e/USD"),
        "cheaper": ("Normal", {"mu": (0.13,), "sigma": (0.03,)}, "OOM/year"),
        "initial": ("Normal", {"mu": (4.5, 4.0), "sigma": (0.3, 0.3)}, "log10 H100e"),
    },
    "supply": {
        "world": ("Normal", {"mu": (6.6,), "sigma": (0.2,)}, "log10 H100e/year"),
        "expansion": ("Normal", {"mu": (0.3,), "sigma": (0.05,)}, "OOM/year"),
        "home": ("Normal", {"mu": (6.5, 5.3), "sigma": (0.2, 0.3)}, "log10 H100e/year"),
        "abroad": ("Normal", {"mu": (6.5, 5.5), "sigma": (0.2, 0.3)}, "log10 H100e/year"),
        "abroad_growth": ("Normal", {"mu": (0.2,), "sigma": (0.1,)}, "OOM/year"),
    },
    "runs": {
        "share": ("Normal", {"mu": (19.0,), "sigma": (0.3,)}, "log10 FLOP/H100e"),
        "share_growth": ("Normal", {"mu": (0.1,), "sigma": (0.05,)}, "OOM/year"),
        "run_scatter": ("HalfNormal", {"sigma": (0.3, 0.4)}, "dex"),
    },
    "skill": {
        "index": ("Normal", {"mu": (100.0,), "sigma": (10.0,)}, "index point"),
        "slope": ("LogNormal", {"mu": (2.5,), "sigma": (0.3,)}, "index point"),
        "delay": ("LogNormal", {"mu": (-0.9,), "sigma": (0.3,)}, "year"),
        "skill_scatter": ("HalfNormal", {"sigma": (5.0,)}, "index point"),
    },
}

ROWS = {"capex": 20, "runs_made": 50, "scores": 40}
"""Rows of each table; every other one is of the second bloc."""


def drivers(folder: Path) -> list[Driver]:
    """The model as drivers; `folder` is where their tables are written.

    Each call makes new instances of new classes, as an import would.
    """
    tables = {name: _table(folder, *one) for name, one in _OWNERS.items()}

    class Money(Driver):
        name, api_version, parameters = "money", API_VERSION, _parameters("money")
        evidence = tables["capex"]

        @provides("budget", unit="USD/year")
        def trend(self, m: Any) -> Any:
            return m["level"] + m["growth"] * m.years

        @observes("capex")
        def spent(self, m: Any, data: Any) -> None:
            sd = pt.sqrt(m["scatter"] ** 2 + data.error**2)
            m.normal(data, mean=m.mean_over(10.0 ** m["budget"], data), sd=sd)

    class Boom(Driver):
        name, api_version, parameters = "boom", API_VERSION, _parameters("boom")

        @adds_to("budget")
        def boom(self, m: Any) -> Any:
            return m["lift"] * pt.sigmoid((m.years - 1.0) / m["width"])

    class Chips(Driver):
        name, api_version, parameters = "chips", API_VERSION, _parameters("chips")

        @provides("purchases", unit="H100e/year")
        def wanted(self, m: Any) -> Any:
            return m["budget"] + m["price"] + m["cheaper"] * m.years

        @provides("stock", unit="H100e")
        def in_use(self, m: Any) -> Any:
            flow, first = 10.0 ** m["purchases"], 10.0 ** m["initial"]
            return pt.log10(m.integral(flow, lifetime=LIFETIME, initial=first))

    class Supply(Driver):
        name, api_version, parameters = "supply", API_VERSION, _parameters("supply")

        @provides("access", unit="H100e/year", channels=True)
        def access(self, m: Any) -> None:
            """Sum of the channels."""

        @adds_to("access", channel="home")
        def home(self, m: Any) -> Any:
            return m["home"] + m["expansion"] * m.years

        @adds_to("access", channel="abroad")
        def abroad(self, m: Any) -> Any:
            return m["abroad"] + m["abroad_growth"] * m.years

        @limits("purchases")
        def accessible(self, m: Any) -> Any:
            return m["access"]

        @limits("purchases")
        def made(self, m: Any) -> Any:
            return m["world"] + m["expansion"] * m.years

    class Runs(Driver):
        name, api_version, parameters = "runs", API_VERSION, _parameters("runs")
        evidence = tables["runs_made"]

        @provides("largest_run", unit="FLOP")
        def largest(self, m: Any) -> Any:
            return m["stock"] + m["share"] + m["share_growth"] * m.years

        @observes("runs_made")
        def made(self, m: Any, data: Any) -> None:
            sd = pt.sqrt(m.per_bloc(m["run_scatter"], data) ** 2 + data.error**2)
            m.student_t(data, mean=m.at(m["largest_run"], data), sd=sd, nu=4.0)

    class Skill(Driver):
        name, api_version, parameters = "skill", API_VERSION, _parameters("skill")
        evidence = tables["scores"]

        @provides("score", unit="index point", linear=True)
        def score(self, m: Any) -> Any:
            return m["index"] + m["slope"] * (m.lagged(m["largest_run"], m["delay"]) - 25.0)

        @observes("scores")
        def scored(self, m: Any, data: Any) -> None:
            sd = pt.sqrt(m["skill_scatter"] ** 2 + data.error**2)
            m.normal(data, mean=m.at(m["score"], data), sd=sd)

    return [Money(), Boom(), Chips(), Supply(), Runs(), Skill()]


def by_hand(years: Array, rows: dict[str, dict[str, Array]]) -> pm.Model:
    """The same model without the engine.

    Parameters
    ----------
    years : ndarray, (time,)
        Since 2024, at month starts.
    rows : dict of str to dict of str to ndarray, (row,)
        By table: ``value``, ``error``, ``date`` (decimal year), ``period``
        (years) and ``bloc`` (index).
    """
    time = years[None, :]
    with pm.Model() as model:
        p = {
            f"{driver}.{name}": _variable(f"{driver}.{name}", *law)
            for driver, laws in PRIORS.items()
            for name, law in laws.items()
        }
        budget = p["money.level"] + p["money.growth"] * time
        budget = budget + p["boom.lift"] * pt.sigmoid((time - 1.0) / p["boom.width"])
        wanted = budget + p["chips.price"] + p["chips.cheaper"] * time
        home = 10.0 ** (p["supply.home"] + p["supply.expansion"] * time)
        abroad = 10.0 ** (p["supply.abroad"] + p["supply.abroad_growth"] * time)
        made = p["supply.world"] + p["supply.expansion"] * time
        purchases = _softmin(_softmin(wanted, pt.log10(home + abroad)), made)
        age = (time - time[:, :1]) / LIFETIME
        bought = _cumulative(10.0**purchases * np.exp(age), time)
        stock = pt.log10(np.exp(-age) * (10.0 ** p["chips.initial"] + bought))
        largest = stock + p["runs.share"] + p["runs.share_growth"] * time
        score = p["skill.index"] + p["skill.slope"] * (_lagged(largest, p["skill.delay"], len(years)) - 25.0)

        d = rows["capex"]
        end = np.minimum(d["date"] + 1 / 365, years[-1] + 2024)
        start = d["date"] + 1 / 365 - d["period"]
        total = _cumulative(10.0**budget, time)
        mean = (_at(total, d["bloc"], end, years) - _at(total, d["bloc"], start, years)) / (end - start)
        sd = pt.sqrt(p["money.scatter"][0, 0] ** 2 + d["error"] ** 2)
        pm.Normal("capex", pt.log10(mean), sd, observed=d["value"])
        d = rows["runs_made"]
        sd = pt.sqrt(p["runs.run_scatter"][d["bloc"], 0] ** 2 + d["error"] ** 2)
        mean = _at(largest, d["bloc"], d["date"], years)
        pm.StudentT("runs_made", nu=4.0, mu=mean, sigma=sd, observed=d["value"])
        d = rows["scores"]
        sd = pt.sqrt(p["skill.skill_scatter"][0, 0] ** 2 + d["error"] ** 2)
        pm.Normal("scores", _at(score, d["bloc"], d["date"], years), sd, observed=d["value"])
    return model


def worldview() -> Worldview:
    """The worldview of the model."""
    return worldview_about("largest_run", 1e27, "FLOP", "horizon=2035-12-31", "seed=1")


# Parts of the script -----------------------------------------------------------------------


def _variable(name: str, family: str, numbers: dict[str, tuple[float, ...]], unit: str) -> Any:
    columns = {key: np.array(values)[:, None] for key, values in numbers.items()}
    return getattr(pm, family)(name, **columns, shape=next(iter(columns.values())).shape)


def _softmin(x: Any, y: Any) -> Any:
    scale = SHARPNESS * LN10
    return pt.minimum(x, y) - pt.log1p(pt.exp(-scale * pt.abs(x - y))) / scale


def _cumulative(x: Any, time: Array) -> Any:
    steps = (x[:, 1:] + x[:, :-1]) * (0.5 * np.diff(time))
    return pt.concatenate([pt.zeros_like(x[:, :1]), pt.cumsum(steps, axis=1)], axis=1)


def _lagged(x: Any, lag: Any, size: int) -> Any:
    position = pt.clip(np.arange(size)[None, :] - 12.0 * lag, 0.0, size - 1.0)
    position = position + np.zeros((len(BLOCS), 1))
    left = pt.cast(pt.minimum(pt.floor(position), size - 2.0), "int64")
    part, which = position - left, np.arange(len(BLOCS))[:, None]
    return x[which, left] * (1.0 - part) + x[which, left + 1] * part


def _at(x: Any, bloc: Array, dates: Array, years: Array) -> Any:
    decimal = years + 2024
    left = np.clip(np.searchsorted(decimal, dates, side="right") - 1, 0, len(decimal) - 2)
    part = (dates - decimal[left]) / (decimal[left + 1] - decimal[left])
    return x[bloc, left] * (1.0 - part) + x[bloc, left + 1] * part


# Priors and tables of the drivers ----------------------------------------------------------

# Table: driver, unit, linear, value in mid-2024 and its growth a year (log10 unless linear).
_OWNERS: dict[str, tuple[str, str, str, bool, float, float]] = {
    "capex": ("money", "capex", "USD/year", False, 11.1, 0.25),
    "runs_made": ("runs", "runs_made", "FLOP", False, 25.3, 0.5),
    "scores": ("skill", "scores", "index point", True, 104.0, 6.0),
}


def _parameters(driver: str) -> Any:
    general, by_bloc = [], {bloc: [] for bloc in BLOCS}
    for name, (family, numbers, unit) in PRIORS[driver].items():
        count = len(next(iter(numbers.values())))
        for index in range(count):
            law = ", ".join(f"{key} = {values[index]}" for key, values in numbers.items())
            line = f'{name} = {{ distribution = "{family}", {law}, unit = "{unit}", source = "made up" }}'
            (general if count == 1 else by_bloc[BLOCS[index]]).append(line)
    for bloc, lines in by_bloc.items():
        general += [f"[by_bloc.{bloc}]", *lines] if lines else []
    return parameters_from_text("\n".join(general), driver)


def _table(
    folder: Path, driver: str, name: str, unit: str, linear: bool, level: float, growth: float
) -> dict[str, EvidenceTable]:
    place = folder / name
    place.mkdir(exist_ok=True)
    declared = [
        f"[{name}]",
        f'title = "{name}"',
        'description = "Made up."',
        f'units = ["{unit}"]',
        f"linear = {str(linear).lower()}",
        "default_error = 0.1",
        'default_error_source = "made up"',
        f"[{name}.columns]",
        'period_months = "integer?"',
    ]
    (place / "tables.toml").write_text("\n".join(declared), encoding="utf-8")
    header = "bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note,period_months"
    lines = [header]
    for row in range(ROWS[name]):
        day = date(2021, 6, 30) + timedelta(days=int(1800 * row / ROWS[name]))
        value = level + growth * (decimal_year(day) - 2024.5) - 0.3 * (row % 2) + 0.1 * np.sin(row)
        shown = value if linear else 10.0**value
        lines.append(
            f"{BLOCS[row % 2]},{row},{day},{shown:.6g},{unit},,,,{day},,made up,https://example.org,,12"
        )
    (place / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_tables(place, driver)
