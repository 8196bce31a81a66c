"""Toy drivers, a toy worldview and the few lines that build them: no built-in driver is involved.

Each toy fits on a screen. `driver` makes one more from methods, for a test that needs a single oddity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt

from forecast.driver import API_VERSION, Driver, adds_to, limits, observes, parameters_from_text, provides
from forecast.evidence import EvidenceTable, read_tables
from forecast.host import load_host
from forecast.model import Graph, Layout, Spec, build_graph
from forecast.projection import Evaluator
from forecast.spec import make_spec
from forecast.worldview import Intervention, Worldview, load_worldview, read_interventions

BLOCS = ("us_allies", "china")
AS_OF = date(2026, 6, 30)

WORLDVIEW = """\
title = "Toys"
extends = false
as_of = 2026-06-30
horizon = 2032-12-31
seed = 11
[window]
start = 2026-01-01
end = 2027-12-31
[blocs]
us_allies = "US & allies"
china = "China"
[lead]
leader = "us_allies"
follower = "china"
within_years = 1
[milestones.big]
title = "A big run"
not_yet_crossed = true
unreachable = 0.1
all = [{ quantity = "compute", at_least = "thresholds.compute" }]
[thresholds]
compute = { distribution = "Normal", mu = 27, sigma = 0.5, unit = "log10 FLOP", source = "a test" }
"""

LINE = """\
growth = { distribution = "Normal", mu = 0.5, sigma = 0.1, unit = "OOM/year", source = "a test" }
scatter = { distribution = "HalfNormal", sigma = 0.3, unit = "dex", source = "a test" }
[by_bloc.us_allies]
level = { distribution = "Normal", mu = 25, sigma = 1, unit = "log10 FLOP", source = "a test" }
[by_bloc.china]
level = { distribution = "Normal", mu = 24.5, sigma = 1, unit = "log10 FLOP", source = "a test" }
"""

TABLES = """\
[runs]
title = "Runs"
description = "Largest runs, made up."
units = ["FLOP"]
default_error = 0.2
default_error_source = "made up"
[runs.columns]
period_months = "integer?"
"""

RUNS = """\
bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note,period_months
us_allies,A,2023-07-01,5e24,FLOP,,,,2023-08-01,,made up,https://example.org,,
us_allies,B,2024-07-01,2e25,FLOP,1e25,4e25,0.9,2024-08-01,,made up,https://example.org,,
us_allies,C,2025-07-01,6e25,FLOP,,,,2025-08-01,,made up,https://example.org,,
china,D,2024-01-01,3e24,FLOP,,,,2024-02-01,,made up,https://example.org,,
china,E,2025-01-01,1e25,FLOP,,,,2025-02-01,,made up,https://example.org,,
"""


class Line(Driver):
    """A straight line for each bloc, observed by a table of runs."""

    name = "line"
    api_version = API_VERSION
    parameters = parameters_from_text(LINE, "line")

    def __init__(self, evidence: Mapping[str, EvidenceTable] | None = None) -> None:
        self.evidence = dict(evidence or {})

    def terms(self) -> list[Any]:
        """Without a table there is nothing to observe."""
        return [term for term in super().terms() if term.kind != "observation" or self.evidence]

    @provides("compute", unit="FLOP", title="Largest run")
    def line(self, m: Any) -> Any:
        return m["level"] + m["growth"] * m.years

    @observes("runs")
    def measured(self, m: Any, data: Any) -> None:
        sd = pt.sqrt(m["scatter"] ** 2 + data.error**2)
        m.normal(data, mean=m.at(m["compute"], data), sd=sd)


class Boost(Driver):
    """A factor on compute."""

    name = "boost"
    api_version = API_VERSION
    parameters = parameters_from_text('gain = { value = 0.25, unit = "OOM", source = "a test" }', "boost")

    @adds_to("compute")
    def boosted(self, m: Any) -> Any:
        return m["gain"]


class Market(Driver):
    """A supply of two channels, of which only China has the second, that limits China's compute."""

    name = "market"
    api_version = API_VERSION
    parameters = parameters_from_text(
        """\
home = { value = 24, unit = "log10 FLOP", blocs = ["china"], source = "a test" }
grey = { value = 23, unit = "log10 FLOP", blocs = ["china"], source = "a test" }
""",
        "market",
    )

    @provides("supply", unit="FLOP", channels=True)
    def supply(self, m: Any) -> None:
        """Sum of the channels."""

    @adds_to("supply", channel="home")
    def home(self, m: Any) -> Any:
        return m["home"]

    @adds_to("supply", channel="grey")
    def grey(self, m: Any) -> Any:
        return m["grey"]

    @limits("compute")
    def supplied(self, m: Any) -> Any:
        return m["supply"]


class Luck(Driver):
    """A shock on compute after the as-of date."""

    name = "luck"
    api_version = API_VERSION
    parameters = parameters_from_text('size = { value = 0.3, unit = "OOM/year", source = "a test" }', "luck")

    @adds_to("compute")
    def lucky(self, m: Any) -> Any:
        return m.shock("luck", scale=m["size"], persistence=3.0, bloc_share=0.5)


def driver(
    name: str, priors: str = "", evidence: Mapping[str, EvidenceTable] | None = None, **methods: Any
) -> Driver:
    """A driver made of decorated functions ``f(self, m)``; each is called by its keyword."""
    for called, method in methods.items():
        method.__name__ = called
    body = {
        "name": name,
        "api_version": API_VERSION,
        "parameters": parameters_from_text(priors, name) if priors else (),
        "evidence": dict(evidence or {}),
        "__module__": __name__,
        **methods,
    }
    return type(name.title().replace("-", ""), (Driver,), body)()


def constant(quantity: str, value: Any, **fields: Any) -> Any:
    """A base that is a fixed number or array."""
    return provides(quantity, **({"unit": "FLOP"} | fields))(lambda self, m: value)


def table(
    folder: Path, csv: str = RUNS, *, tables: str = TABLES, owner: str = "line"
) -> dict[str, EvidenceTable]:
    """The tiny evidence table, written to a folder and read back."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tables.toml").write_text(tables)
    (folder / "runs.csv").write_text(csv)
    return read_tables(folder, owner)


def worldview(folder: Path, text: str = WORLDVIEW, overrides: Sequence[str] = ()) -> Worldview:
    """The toy worldview, or another text, read from a file."""
    file = folder / "toys.toml"
    file.write_text(text)
    return load_worldview(file, overrides=overrides)


def spec_of(view: Worldview, *drivers: Driver) -> Spec:
    """A spec of these drivers and no others."""
    return make_spec(view, load_host(drivers=drivers, entry_points=False))


def future(
    spec: Spec, *changes: Mapping[str, Any] | Intervention, horizon: date = date(2030, 12, 31)
) -> Graph:
    """The graph to a near horizon, with changes."""
    return build_graph(spec, horizon, projecting=True, interventions=read_interventions(changes))


def draws_of(graph: Graph, size: int = 1, seed: int = 3) -> dict[Any, Any]:
    """Prior draws of a graph's parameters, as the graph takes them."""
    layout = Layout({key: graph.spec.parameters[key] for key in graph.parameters}, graph.spec.blocs)
    return layout.shaped(layout.draw(seed, size))


def values(graph: Graph, *names: str, draws: Mapping[Any, Any] | None = None) -> dict[str, np.ndarray]:
    """Quantities at the first prior draw (or the first of `draws`), shocks zero; (bloc, time) each."""
    given = dict(draws) if draws is not None else draws_of(graph)
    given = given or {("", ""): np.zeros(1)}  # a graph without parameters still has one draw
    time = len(graph.decimal)
    size = len(next(iter(given.values())))
    still = {
        name: (np.zeros((size, 1, time)), np.zeros((size, len(graph.spec.blocs), time)))
        for name in graph.shocks
    }
    outputs = {name: graph.quantities[name].tensor for name in names}
    found = Evaluator(graph, outputs)(given, still)
    shape = (len(graph.spec.blocs), time)
    return {name: np.broadcast_to(value[0], shape) for name, value in found.items()}
