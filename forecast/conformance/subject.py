"""What a check is given: a driver, its company, and everything that is installed beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from forecast.conformance.setting import Setting
from forecast.driver import Driver
from forecast.model import Graph


@dataclass
class Subject:
    """One driver to be checked.

    Attributes
    ----------
    driver : Driver
    setting : Setting
        Of the driver's company.
    beside : callable
        Makes the setting of everything that could be used with the driver; the
        company's own where that was given.
    """

    driver: Driver
    setting: Setting
    beside: Callable[[], Setting]

    @cached_property
    def everyone(self) -> Setting:
        """The setting of everything that could be used with the driver."""
        return self.beside()

    @property
    def touched(self) -> set[str]:
        """Quantities that the driver provides, adds to or limits."""
        kinds = ("base", "addition", "channel", "limit")
        return {term.target for term in self.driver.terms() if term.kind in kinds}

    def own_likelihoods(self, graph: Graph) -> list[int]:
        """Places of the driver's measurement models that have rows, among those of a graph."""
        return [
            place
            for place, one in enumerate(graph.likelihoods)
            if one.driver == self.driver.name and len(one.observed)
        ]
