"""The numbers that are judged: every parameter and crossing date, and ArviZ's statistics of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

FEWEST_DRAWS = 4
"""The fewest draws per chain from which ArviZ computes R-hat, ESS and MCSE."""

_TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class Numbers:
    """Numbers with their draws; constants are left out, for they have nothing to converge.

    Attributes
    ----------
    names : list of str
        Such as ``investment.growth[china]``.
    values : ndarray, (chain, draw, name)
    parameters : int
        How many of them, from the first, are of the posterior; the others are crossing dates.
    """

    names: list[str]
    values: Floats
    parameters: int

    @classmethod
    def of(cls, tree: xr.DataTree, horizon: float | None = None) -> Numbers | None:
        """Collect them from the groups ``posterior`` and ``crossings``.

        Parameters
        ----------
        tree : xarray.DataTree
        horizon : float, optional
            Decimal year that stands for "never" among crossing dates; by
            default just after the latest crossing.

        Returns
        -------
        Numbers or None
            None where the posterior is missing, or nothing varies.
        """
        parameters = list(columns(tree, "posterior"))
        own = [(name, values) for name, values in parameters if not _is_constant(values)]
        dates = [(name, values) for name, values in _dates(tree, horizon) if not _is_constant(values)]
        if not parameters or not own + dates:
            return None
        found = own + dates
        return cls([name for name, _ in found], np.stack([values for _, values in found], axis=-1), len(own))

    @property
    def chains(self) -> int:
        """Number of chains."""
        return int(self.values.shape[0])

    @property
    def draws(self) -> int:
        """Draws per chain."""
        return int(self.values.shape[1])

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Whether all draws of each number are finite, (name,)."""
        return np.asarray(np.isfinite(self.values).all(axis=(0, 1)))

    @cached_property
    def r_hat(self) -> Floats:
        """Rank-normalised split R-hat, the worse of bulk and folded (Vehtari et al. 2021), (name,)."""
        import arviz_stats as az

        return self._each(lambda x: az.rhat(x, chain_axis=0, draw_axis=1, method="rank"))

    @cached_property
    def ess_bulk(self) -> Floats:
        """Bulk effective sample size, (name,)."""
        import arviz_stats as az

        return self._each(lambda x: az.ess(x, chain_axis=0, draw_axis=1, method="bulk"))

    @cached_property
    def ess_tail(self) -> Floats:
        """Effective sample size of the 5% and 95% quantiles, the smaller, (name,)."""
        import arviz_stats as az

        # Those of Vehtari et al.; ArviZ's own default are the 11% and 89% quantiles.
        return self._each(lambda x: az.ess(x, chain_axis=0, draw_axis=1, method="tail", prob=_TAILS))

    @cached_property
    def mcse_over_sd(self) -> Floats:
        """Monte Carlo standard error of the mean, in posterior standard deviations, (name,)."""
        import arviz_stats as az

        return self._each(lambda x: az.mcse(x, chain_axis=0, draw_axis=1, method="mean") / x.std(axis=(0, 1)))

    @cached_property
    def relative_efficiency(self) -> float:
        """Mean over parameters of the ESS of the mean by the number of draws, as ``az.loo`` takes it."""
        import arviz_stats as az

        if self.chains == 1 or not self.parameters:
            return 1.0
        ess = self._each(lambda x: az.ess(x, chain_axis=0, draw_axis=1, method="mean"))[: self.parameters]
        known = ess[np.isfinite(ess)]
        return float(known.mean() / (self.chains * self.draws)) if known.size else 1.0

    def worst(
        self, statistic: Literal["r_hat", "ess_bulk", "ess_tail", "mcse_over_sd"], *, largest: bool
    ) -> tuple[float | None, str]:
        """Worst value of a statistic and where; None where it is not a number somewhere."""
        if not self.finite.all():
            return None, self.names[int(np.argmin(self.finite))]
        computed: Floats = getattr(self, statistic)
        known = np.isfinite(computed)
        if not known.all():
            return None, self.names[int(np.argmin(known))]
        index = int(np.argmax(computed) if largest else np.argmin(computed))
        return float(computed[index]), self.names[index]

    def _each(self, statistic: Callable[[Floats], Any]) -> Floats:
        """Compute a statistic of each number; NaN where its draws are not finite, or are too few."""
        result = np.full(len(self.names), np.nan)
        if self.draws >= FEWEST_DRAWS and self.finite.any():
            # A chain that never moved divides nothing by nothing; NaN says so.
            with np.errstate(invalid="ignore", divide="ignore"):
                result[self.finite] = statistic(self.values[:, :, self.finite])
        return result


def worst_chain(marks: NDArray[np.bool_]) -> tuple[int, str]:
    """Count marked draws, (chain, draw), and say which chain has most; blank where none is marked."""
    per_chain = marks.sum(axis=1)
    count = int(per_chain.sum())
    where = f"chain {int(np.argmax(per_chain))} ({int(per_chain.max())} of them)" if count else ""
    return count, where


def columns(tree: xr.DataTree, group: str) -> Iterator[tuple[str, Floats]]:
    """Each number of a group with its name and draws, dims (chain, draw).

    Variables without these dims, and those that hold text, are passed over.
    """
    if group not in tree.children:
        return
    for name, variable in tree[group].data_vars.items():
        if not {"chain", "draw"} <= set(variable.dims) or variable.dtype.kind not in "fiub":
            continue
        ordered = variable.transpose("chain", "draw", ...)
        values = ordered.to_numpy().astype(float)
        for index in np.ndindex(values.shape[2:]):
            yield number_name(str(name), ordered, index), values[(..., *index)]


def number_name(name: str, variable: xr.DataArray, index: tuple[int, ...]) -> str:
    """Name of one number of a variable, by its coordinates: ``growth[china]``."""
    labels = [
        str(variable[dim].to_numpy()[at]) if dim in variable.coords else str(at)
        for dim, at in zip(variable.dims[2:], index, strict=True)
    ]
    return f"{name}[{', '.join(labels)}]" if labels else name


def _dates(tree: xr.DataTree, horizon: float | None) -> Iterator[tuple[str, Floats]]:
    for name, values in columns(tree, "crossings"):
        if name == "accepted":
            continue
        reached = values[np.isfinite(values)]
        never = horizon if horizon is not None else float(reached.max(initial=0.0)) + 1 / 12
        yield f"crossing date of {name}", np.where(np.isposinf(values), never, values)


def _is_constant(values: Floats) -> bool:
    return bool((values == values.flat[0]).all())
