"""The steps in which a quantity comes about, kept so that its growth can be told apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forecast.driver import Term
from forecast.model.graph import Quantity, Stage
from forecast.model.maths import Tensor
from forecast.wording import did_you_mean

_KINDS: dict[str, Literal["base", "addition", "limit"]] = {
    "base": "base",
    "addition": "addition",
    "limit": "limit",
}


class Stages:
    """Collects the steps of one quantity while it is closed; makes no node of the graph.

    Parameters
    ----------
    base : Term
    tensor : tensor, (bloc, time)
        The base alone.
    present : ndarray of bool, (bloc,)
    quantities : mapping of str to Quantity
        Those that are closed: one that a term may read and that no driver provides is not among them.
    """

    def __init__(
        self, base: Term, tensor: Tensor, present: NDArray[np.bool_], quantities: Mapping[str, Quantity]
    ) -> None:
        self._quantities = quantities
        title = base.remainder or base.title or _in_words(base.target)
        self.found = [self._stage(base, title, tensor, present)]

    def add(self, term: Term, tensor: Tensor, present: NDArray[np.bool_]) -> None:
        """Note the quantity after an addition or a limit, unless that changed nothing."""
        if tensor is not self.found[-1].tensor:
            title = term.title or _in_words(term.build.__name__)
            title = f"Limit: {title}" if term.kind == "limit" else title
            self.found.append(self._stage(term, title, tensor, present))

    def intervened(self, tensor: Tensor) -> None:
        """Note the quantity after interventions on itself, where there are any."""
        last = self.found[-1]
        if tensor is not last.tensor:
            self.found.append(Stage("intervention", "", "", "Interventions", tensor, (), last.present))

    def _stage(self, term: Term, title: str, tensor: Tensor, present: NDArray[np.bool_]) -> Stage:
        kind = _KINDS[term.kind]
        shared = tuple(name for name in term.grows_with if name in self._quantities)
        name = term.build.__name__
        return Stage(kind, term.driver, name, title[:1].upper() + title[1:], tensor, shared, present)


def grows_with_fault(
    term: Term,
    linear: bool,
    read: Collection[str],
    optional: Collection[str],
    quantities: Mapping[str, Quantity],
) -> str | None:
    """Say what is wrong with the quantities whose growth a term says that it hands on; None if nothing is.

    Parameters
    ----------
    term : Term
    linear : bool
        Whether the quantity that it enters is not in log10.
    read, optional : collection of str
        Quantities that the term read, and those that it asked for and no driver provides.
    quantities : mapping of str to Quantity
    """
    where = f"{term.build.__name__} ({term.kind} of {term.target})"
    if term.grows_with and linear:
        return f"{where} says grows_with, which is about growth in OOM, and {term.target!r} is not in log10"
    for name in term.grows_with:
        if name in read:
            if quantities[name].linear:
                return (
                    f"{where} says that it grows with {name!r}, which is not in log10, so that no growth in "
                    "OOM could be shared one for one; leave it out of grows_with"
                )
        elif name not in optional:
            near, listed = did_you_mean(name, read), ", ".join(sorted(read)) or "none"
            return (
                f"{where} says that it grows with {name!r}, which it does not read{near}; the quantities "
                f"that it reads: {listed}"
            )
    return None


def _in_words(name: str) -> str:
    return name.replace("_", " ")
