"""Two small drivers on one straight line, with evidence drawn from a known truth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from forecast.dates import decimal_year
from forecast.driver import Driver, observes, provides
from forecast.evidence import EvidenceTable, Row, TableSpec
from forecast.model import Graph, Layout, Spec, build_graph
from forecast.worldview import Prior, ResolvedParameter
from forecast.worldview.resolve import Key as Where

AS_OF = date(2026, 1, 1)
TRUTH = {"level": 24.0, "growth": 0.6, "scatter": 0.1, "gap": 0.8}
PRIORS = {
    ("line", "level"): Prior("Normal", {"mu": 23.5, "sigma": 1.0}),
    ("line", "growth"): Prior("LogNormal", {"mu": -0.7, "sigma": 0.5}),
    ("line", "scatter"): Prior("LogNormal", {"mu": -2.0, "sigma": 0.5}),
    ("follower", "gap"): Prior("Gamma", {"alpha": 2.0, "beta": 2.0}),
}


class Line(Driver):
    name, api_version = "line", 1

    @provides("size", unit="FLOP")
    def size(self, m):
        return m["level"] + m["growth"] * m.years

    @observes("sizes")
    def sizes(self, m, data):
        m.normal(data, mean=m.at(m["size"], data), sd=m["scatter"] + 0.0 * data.error)


class Follower(Driver):
    name, api_version = "follower", 1

    @provides("follower_size", unit="FLOP")
    def size(self, m):
        return m["size"] - m["gap"]

    @observes("follower_sizes")
    def sizes(self, m, data):
        m.normal(data, mean=m.at(m["follower_size"], data), sd=m["line.scatter"])


def table(name: str, truth: Mapping[str, float], seed: int, n: int = 24, lag: str = "") -> EvidenceTable:
    """Rows every seventy days from 2021 on, published a month later."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        day = date(2021, 1, 1) + timedelta(days=70 * number)
        size = truth["level"] + truth["growth"] * (decimal_year(day) - 2024.0) - (truth[lag] if lag else 0.0)
        value = 10.0 ** (size + truth["scatter"] * rng.standard_normal())
        rows.append(
            Row(
                bloc="us",
                name=f"{name}-{number}",
                date=day,
                value=value,
                unit="FLOP",
                low=float("nan"),
                high=float("nan"),
                level=float("nan"),
                published=day + timedelta(days=30),
                vintage=None,
                source="",
                url="",
                note="",
                extra={},
                line=number + 2,
            )
        )
    spec = TableSpec(name=name, title="", description="", units=("FLOP",), default_error=0.1)
    return EvidenceTable(spec, "line", f"{name}.csv", tuple(rows))


def toy(
    *,
    as_of: date = AS_OF,
    priors: Mapping[tuple[str, str], Prior] | None = None,
    truth: Mapping[str, float] | None = None,
    seed: int = 1,
) -> tuple[Graph, Layout]:
    """History graph and layout of the toy.

    Parameters
    ----------
    as_of : date
    priors : mapping, optional
        Instead of the usual ones.
    truth : mapping, optional
        What the rows are drawn from.
    seed : int
        Of the rows.
    """
    given = {**PRIORS, **(priors or {})}
    truth = {**TRUTH, **(truth or {})}
    drivers = [Line(), Follower()]
    spec = Spec(
        blocs=("us",),
        as_of=as_of,
        terms=tuple(term for driver in drivers for term in driver.terms()),
        parameters={
            key: ResolvedParameter(*key, unit="number", shape="scalar", epochs=(), entries={Where(): prior})
            for key, prior in given.items()
        },
        evidence={
            ("line", "sizes"): table("sizes", truth, seed).known_by(as_of),
            ("follower", "follower_sizes"): table("followers", truth, seed + 100, lag="gap").known_by(as_of),
        },
        distributions={},
    )
    graph = build_graph(spec, date(2028, 1, 1))
    return graph, Layout(spec.parameters, spec.blocs).subset(graph.inferred)
