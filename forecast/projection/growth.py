"""What made the growth: an exact account of a quantity's growth by driver.

In log10 a quantity is a sum: its base, what is added, what limits take away.
A base may say (``grows_with``) which quantities' growth it hands on one for
one; those are followed to their own parts. Whatever is left is the driver's
own. Every part is a difference of trajectories, so that parts add up to the
growth of the quantity, in each draw and hence on average.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.model import Graph, Quantity
from forecast.model.maths import Tensor
from forecast.worldview import Milestone

SINCE = date(2022, 1, 1)
"""Growth counts from here, where the as-of date is later: evidence is thin before, and trends are continued
into the past. Another date is a subtraction away."""

MONTHS = 3
"""Accounts are kept for every third month: means over draws are smooth."""

NOTHING = 1e-9
"""OOM; a part that is nowhere larger is left out."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """What a part of the growth is.

    Attributes
    ----------
    name : str
        ``quantity`` for what a base adds of its own, ``quantity.driver.method`` for an addition or a
        limit, ``interventions``.
    driver : str
        Empty for interventions.
    kind : {"base", "addition", "limit", "intervention"}
    title : str
    """

    name: str
    driver: str
    kind: str
    title: str


def stage_tensors(graph: Graph) -> dict[str, Tensor]:
    """Return the tensors of all steps of quantities but the last, which is the quantity, by name."""
    return {
        stage_name(quantity, place): stage.tensor
        for quantity in graph.quantities.values()
        for place, stage in enumerate(quantity.stages[:-1])
    }


def stage_name(quantity: Quantity, place: int) -> str:
    """Name under which a step's values are evaluated; that of the quantity for the last."""
    return quantity.name if place == len(quantity.stages) - 1 else f"{quantity.name}|{place}"


def account(quantity: Quantity, graph: Graph, growth: Mapping[str, Floats]) -> dict[Part, Floats]:
    """Tell a quantity's growth apart.

    Parameters
    ----------
    quantity : Quantity
        In log10.
    graph : Graph
        For projection.
    growth : mapping of str to ndarray, (..., bloc, time)
        Of each step by :func:`stage_name`: its values less those at one date, in OOM. One draw's, all
        draws' or their mean: parts are sums and differences of these.

    Returns
    -------
    dict of Part to ndarray, (..., bloc, time)
        They add up to ``growth[quantity.name]``.
    """
    found: dict[Part, Floats] = {}
    before: Floats | float = 0.0
    for place, stage in enumerate(quantity.stages):
        after = growth[stage_name(quantity, place)]
        own = after - before
        before = after
        for name in stage.grows_with:
            reached = stage.present[:, None]
            for part, values in account(graph.quantities[name], graph, growth).items():
                handed = np.where(reached, values, 0.0)
                found[part] = found[part] + handed if part in found else handed
                own = own - handed
        named = {
            "base": quantity.name,
            "intervention": "interventions",
        }.get(stage.kind, f"{quantity.name}.{stage.driver}.{stage.name}")
        part = Part(named, stage.driver, stage.kind, stage.title)
        found[part] = found[part] + own if part in found else own
    return found


class GrowthAccounts:
    """Gathers what accounts need, block by block of draws.

    Parameters
    ----------
    graph : Graph
        For projection.
    milestones : mapping of str to Milestone
        Quantities that they name are accounted for too.
    """

    def __init__(self, graph: Graph, milestones: Mapping[str, Milestone]) -> None:
        self._graph = graph
        self.quantities = accounted(graph, milestones)
        steps = {step for quantity in self.quantities for step in _steps(quantity, graph)}
        self._kept: dict[str, list[Floats]] = {name: [] for name in sorted(steps)}
        last = len(graph.decimal) - 1
        self._times = np.union1d(np.arange(0, last + 1, MONTHS), [last])

    def keep(self, values: Mapping[str, Floats], chosen: NDArray[np.int64]) -> None:
        """Keep the chosen draws of a block's values, (draw, bloc, time) each."""
        for name, blocks in self._kept.items():
            blocks.append(values[name][chosen][..., self._times])

    def dataset(self, accepted: NDArray[np.bool_]) -> xr.Dataset | None:
        """Account for the mean growth over the accepted ones of the draws kept; None where there is none.

        Parameters
        ----------
        accepted : ndarray of bool, (draw,)

        Returns
        -------
        xarray.Dataset or None
            A variable for each quantity, dims part, bloc, time, in OOM since the attribute ``since``; NaN
            for a part that the quantity does not have, and for a bloc that has no such quantity.
        """
        if not self.quantities or not accepted.any():
            return None
        months = self._graph.months[self._times]
        since = np.datetime64(SINCE if self._graph.spec.as_of > SINCE else months[0], "D")
        start = int(np.argmax(months >= since))
        growth = {}
        for name, blocks in self._kept.items():
            mean = np.concatenate(blocks)[accepted].mean(axis=0)
            growth[name] = mean - mean[:, start : start + 1]
        accounts = {
            one.name: {
                part: values
                for part, values in account(one, self._graph, growth).items()
                if np.abs(values).max() > NOTHING
            }
            for one in self.quantities
        }
        parts = list(dict.fromkeys(part for found in accounts.values() for part in found))
        if not parts:
            return None
        variables = {}
        for one in self.quantities:
            shape = (len(parts), len(self._graph.spec.blocs), len(months))
            values = np.full(shape, np.nan, dtype=np.float32)
            for part, series in accounts[one.name].items():
                values[parts.index(part)] = np.where(one.present[:, None], series, np.nan)
            attributes = {"unit": "OOM", "long_name": one.title, "driver": one.owner}
            variables[one.name] = (("part", "bloc", "time"), values, attributes)
        return xr.Dataset(
            variables,
            coords={
                "part": [part.name for part in parts],
                "driver": ("part", [part.driver for part in parts]),
                "kind": ("part", [part.kind for part in parts]),
                "title": ("part", [part.title for part in parts]),
                "bloc": list(self._graph.spec.blocs),
                "time": months.astype("datetime64[ns]"),
            },
            attrs={
                "since": str(months[start]),
                "as_of": self._graph.spec.as_of.isoformat(),
                "draws": int(accepted.sum()),
            },
        )


def accounted(graph: Graph, milestones: Mapping[str, Milestone]) -> list[Quantity]:
    """Choose the quantities whose growth is told apart.

    Those that hand on growth and whose own is handed on by no other, and those that milestones name; a
    quantity that comes about in one step is left out, for there is nothing to tell apart.
    """
    shared = {name: _shared(one) for name, one in graph.quantities.items()}
    below = {name for names in shared.values() for name in names}
    tops = [name for name, names in shared.items() if names and name not in below]
    named = [leaf.quantity for one in milestones.values() for leaf in one.conditions()]
    chosen = [graph.quantities[name] for name in dict.fromkeys([*tops, *named])]
    return [one for one in chosen if not one.linear and (len(one.stages) > 1 or shared[one.name])]


def _shared(quantity: Quantity) -> list[str]:
    return [name for stage in quantity.stages for name in stage.grows_with]


def _steps(quantity: Quantity, graph: Graph) -> Iterator[str]:
    yield from (stage_name(quantity, place) for place in range(len(quantity.stages)))
    for name in _shared(quantity):
        yield from _steps(graph.quantities[name], graph)
