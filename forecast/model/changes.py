"""Interventions applied to a graph that is being built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NoReturn

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray

from forecast.dates import decimal_year
from forecast.errors import InputError
from forecast.model.graph import Spec
from forecast.model.grid import EPOCH
from forecast.model.maths import Tensor
from forecast.wording import did_you_mean
from forecast.worldview import Intervention


class Changes:
    """The interventions of one graph, and which of them found what they change.

    Parameters
    ----------
    interventions : sequence of Intervention
    spec : Spec
    years : tensor, (1, time)
    end : datetime.date
        Last day of the graph.

    Raises
    ------
    InputError
        A bloc that the worldview does not have, or a beginning after the end.
    """

    def __init__(self, interventions: Sequence[Intervention], spec: Spec, years: Tensor, end: date) -> None:
        self._all, self._spec, self._years = list(interventions), spec, years
        self._used: set[int] = set()
        self._lacking: set[int] = set()
        self._owners: dict[int, set[str]] = {}
        self.terms: set[tuple[str, str]] = set()
        for change in self._all:
            if change.bloc is not None and change.bloc not in spec.blocs:
                raise InputError(
                    f"intervention on {change.kind} {change.name!r}: unknown bloc {change.bloc!r}"
                    f"{did_you_mean(change.bloc, spec.blocs)}"
                )
            if change.start is not None and change.start > end:
                raise InputError(
                    f"intervention on {change.kind} {change.name!r}: it begins on {change.start}, after the "
                    f"horizon {end}, so it would change nothing"
                )

    def of(
        self,
        kind: str,
        name: str,
        quantity: str | None = None,
        missing: NDArray[np.bool_] | None = None,
        *,
        driver: str = "",
    ) -> Iterator[Intervention]:
        """Yield the changes of one limit, channel (of a quantity), quantity, state or term.

        Those for a bloc that is marked in `missing`, (bloc,), are not: it has nothing to change. A limit or
        a term is also known by the name of its `driver`, a dot and its own.
        """
        for position, change in enumerate(self._all):
            names = (name, f"{driver}.{name}") if driver else (name,)
            if (
                change.kind != kind
                or change.name not in names
                or (quantity is not None and change.of != quantity)
            ):
                continue
            self._owners.setdefault(position, set()).add(driver)
            if missing is not None and change.bloc and missing[self._spec.blocs.index(change.bloc)]:
                self._lacking.add(position)
                continue
            self._used.add(position)
            yield change

    def any_of(self, kind: str) -> bool:
        """Whether some change is of this kind."""
        return any(change.kind == kind for change in self._all)

    def start(self, change: Intervention) -> float:
        """Years since 2024 after which a change holds; never before the as-of date."""
        as_of = decimal_year(self._spec.as_of)
        return max(decimal_year(change.start) if change.start else as_of, as_of) - EPOCH

    def active(self, change: Intervention) -> Tensor:
        """Where a change holds; (bloc, time), or (1, time) for all blocs."""
        start = self.start(change)
        # From the first day of a given date on, but after the as-of date.
        later = pt.gt(self._years, start) if change.start is None else pt.ge(self._years, start)
        if change.bloc is None:
            return later
        chosen = np.array([bloc == change.bloc for bloc in self._spec.blocs])[:, None]
        return pt.and_(later, pt.as_tensor_variable(chosen))

    def check_all_used(self, quantities: Sequence[str]) -> None:
        """Refuse a change that found nothing to change, or the limits or terms of two drivers.

        Raises
        ------
        InputError
            With the names that there are.
        """
        for position, change in enumerate(self._all):
            owners = sorted(self._owners.get(position, ()))
            if len(owners) > 1:
                named = " or ".join(repr(f"{driver}.{change.name}") for driver in owners)
                raise InputError(
                    f"intervention: {change.kind} {change.name!r} is of {len(owners)} drivers, "
                    f"{' and '.join(owners)}; say which: {named}"
                )
            if position in self._used:
                continue
            if position in self._lacking:
                raise InputError(
                    f"intervention on {change.kind} {change.name!r}: bloc {change.bloc!r} has none, so it "
                    "would change nothing"
                )
            self._refuse(change, quantities)

    def _refuse(self, change: Intervention, quantities: Sequence[str]) -> NoReturn:
        terms = self._spec.terms
        known: dict[str, Callable[[], list[str]]] = {
            "limit": lambda: [term.build.__name__ for term in terms if term.kind == "limit"],
            "channel": lambda: [f"{term.channel} (of {term.target})" for term in terms if term.channel],
            "quantity": lambda: list(quantities),
            "state": lambda: [term.target for term in terms if term.states],
            "term": lambda: [name for _, name in self.terms],
        }
        names = sorted(set(known[change.kind]())) or ["none"]
        raise InputError(
            f"intervention: there is no {change.kind} {change.name!r}"
            f"{f' of {change.of}' if change.of else ''}; there are {', '.join(names)}"
        )
