"""Weights of a run's draws under other priors, by Pareto-smoothed importance sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import ForecastError
from forecast.results.weighting import effective_size
from forecast.whatif.changes import Changed
from forecast.worldview.correlations import THRESHOLDS

if TYPE_CHECKING:
    import xarray as xr

    from forecast.model import Key, Layout
    from forecast.worldview import Correlation, Number, Prior, ResolvedParameter

Floats = NDArray[np.float64]

FEWEST = 25
"""Fewer draws than this with any weight have no tail to judge."""

_CLOSE = 1e-3
"""By which a stored log density, in single precision, may differ from the same one computed again."""


@dataclass(frozen=True)
class Weighed:
    """Weights of draws.

    Attributes
    ----------
    weights : ndarray, (chain, draw)
        0 for draws that are not accepted; sum to 1.
    k_hat : float or None
        Shape of the tail of the raw weights, over accepted draws; None where the
        largest are all alike, so that there is no tail; inf where it cannot be told.
    effective : float
        Kish's effective number of draws of the weights.
    counted : int
        Draws that have a weight above 0.
    k_limit : float
        Up to which k-hat the weights of so many draws may be relied on:
        min(1 - 1/log10(counted), 0.7), which is below 0.7 for fewer than 2,200.
    """

    weights: Floats
    k_hat: float | None
    effective: float
    counted: int
    k_limit: float

    @property
    def reliable(self) -> bool:
        """Whether the weights may be relied on."""
        return self.k_hat is None or self.k_hat <= self.k_limit


def smooth(log_ratios: Floats, accepted: NDArray[np.bool_]) -> Weighed:
    """Pareto-smoothed weights of accepted draws.

    Parameters
    ----------
    log_ratios : ndarray, (chain, draw)
        Log density of the new priors less that of the old; -inf where the new
        ones rule a draw out.
    accepted : ndarray of bool, (chain, draw)
    """
    from forecast.sensitivity.weights import good_k, smoothed_weights

    counted = accepted & (log_ratios > -np.inf)
    weights = np.zeros(log_ratios.shape)
    count = int(counted.sum())
    if count < FEWEST:
        return Weighed(weights, float("inf"), 0.0, count, good_k(count))
    smoothed, k = smoothed_weights(log_ratios[counted][:, None])
    weights[counted] = smoothed[:, 0]
    k_hat = None if np.isneginf(k[0]) else float(k[0])
    return Weighed(weights, k_hat, effective_size(weights), count, good_k(count))


class Draws:
    """The numbers that a run drew, as its old priors had them.

    Parameters
    ----------
    group : xarray.Dataset
        ``posterior``, or ``prior`` of a run of the priors alone.
    parameters : mapping of (driver, name) to ResolvedParameter
        Under the run's own worldview; those that the group does not hold, since
        nothing reads them or they are constants, are left out.
    thresholds : mapping of str to Prior
    blocs : tuple of str
    """

    def __init__(
        self,
        group: xr.Dataset,
        parameters: Mapping[Key, ResolvedParameter],
        thresholds: Mapping[str, Prior],
        blocs: tuple[str, ...],
    ) -> None:
        self.group, self.thresholds, self.blocs = group, thresholds, blocs
        self.parameters = {key: one for key, one in parameters.items() if ".".join(key) in group}
        self.shape = (group.sizes["chain"], group.sizes["draw"])
        self._flat: Floats | None = None

    def layout(
        self,
        parameters: Mapping[Key, ResolvedParameter] | None = None,
        correlations: tuple[Correlation, ...] = (),
    ) -> Layout:
        """Numbers of the parameters that are in the group, with the old priors or with those given."""
        from forecast.model import Layout

        taken = self.parameters if parameters is None else {key: parameters[key] for key in self.parameters}
        return Layout(taken, self.blocs, correlations)

    @property
    def flat(self) -> Floats:
        """Draws of the parameters, (chain x draw, number)."""
        if self._flat is None:
            from forecast.results.draws import flat_draws

            self._flat = flat_draws(self.layout(), self.group.astype(float))
        return self._flat

    def has(self, number: Number) -> bool:
        """Whether the run drew this number."""
        return f"{number.owner}.{number.name}" in self.group

    def values(self, number: Number) -> Floats:
        """Draws of one number, (chain x draw,)."""
        if number.owner == THRESHOLDS:
            return self.threshold(number.name)
        return self.flat[:, self.layout().numbers[number]]

    def threshold(self, name: str) -> Floats:
        """Draws of a threshold, (chain x draw,); a constant's are all its value."""
        prior = self.thresholds[name]
        if prior.is_constant:
            return np.full(self.shape[0] * self.shape[1], prior.params["value"])
        variable = f"{THRESHOLDS}.{name}"
        if variable not in self.group:
            raise ForecastError(
                f"This run does not hold the draws of {variable}: it was made by an earlier version of "
                "forecast. Make the run again."
            )
        return np.asarray(self.group[variable].transpose("chain", "draw").to_numpy(), dtype=float).ravel()


def log_ratios(
    draws: Draws,
    changed: list[Changed],
    after: Mapping[Key, ResolvedParameter],
    thresholds: Mapping[str, Prior],
    correlations: tuple[tuple[Correlation, ...], tuple[Correlation, ...]],
) -> Floats:
    """Log density of all new priors less that of the old ones, at each draw.

    Parameters
    ----------
    draws : Draws
    changed : list of Changed
    after : mapping of (driver, name) to ResolvedParameter
        Under the new worldview.
    thresholds : mapping of str to Prior
        Under the new worldview.
    correlations : (tuple of Correlation, tuple of Correlation)
        Before and after.

    Returns
    -------
    ndarray, (chain, draw)
        -inf where a new prior rules a draw out.
    """
    total = np.zeros(draws.shape[0] * draws.shape[1])
    for one in changed:
        values = _inside(draws.values(one.number), one.before)
        total += one.after.logpdf(values) - one.before.logpdf(values)
    if any(correlations):
        from forecast.projection import correlation_log_density

        drawn = {name: draws.threshold(name) for name in draws.thresholds}
        for sign, layout, priors in (
            (-1.0, draws.layout(None, correlations[0]), draws.thresholds),
            (1.0, draws.layout(after, correlations[1]), thresholds),
        ):
            joint = correlation_log_density(layout, draws.flat, priors, drawn)
            total += 0.0 if joint is None else sign * joint
    if np.isnan(total).any():
        raise ForecastError("The density of a prior is not a number at a draw of this run: it is damaged.")
    return total.reshape(draws.shape)


def _inside(values: Floats, prior: Prior) -> Floats:
    """Draws moved into the support: in single precision one may have been rounded out of it."""
    low, high = prior.support()
    return np.clip(values, np.nextafter(low, np.inf), np.nextafter(high, -np.inf))


def outdated(
    draws: Draws, changed: list[Changed], stored: xr.Dataset | None, inputs: Mapping[str, Any] | None
) -> list[str]:
    """Numbers whose prior in the run is not what worldview and drivers say of it now.

    Parameters
    ----------
    draws : Draws
    changed : list of Changed
    stored : xarray.Dataset or None
        Group ``log_prior`` of the run.
    inputs : mapping or None
        ``inputs.json`` of the run, asked where there is no such group.

    Returns
    -------
    list of str
        Their names.
    """
    found = []
    for one in changed:
        name = f"{one.number.owner}.{one.number.name}"
        if stored is not None and name in stored:
            logs = np.asarray(stored[name].transpose("chain", "draw", ...).to_numpy(), dtype=float)
            column = _column(draws, one)
            was = logs.reshape(draws.shape[0] * draws.shape[1], -1)[:, column]
            now = one.before.logpdf(_inside(draws.values(one.number), one.before))
            same = np.allclose(was, now, rtol=_CLOSE, atol=_CLOSE)
        else:
            same = _same_in_words(one, inputs)
        if not same:
            found.append(str(one.number))
    return found


def _column(draws: Draws, one: Changed) -> int:
    """Which of the numbers of its parameter it is, constants left out as in the groups of a run."""
    if one.number.owner == THRESHOLDS:
        return 0
    layout = draws.layout()
    own = [
        number
        for number in layout.numbers
        if (number.owner, number.name) == (one.number.owner, one.number.name)
        and not layout.priors[number].is_constant
    ]
    return own.index(one.number)


def _same_in_words(one: Changed, inputs: Mapping[str, Any] | None) -> bool:
    """Whether the run's list of inputs has this prior; a run without the list is taken at its word."""
    if inputs is None:
        return True
    said = [
        entry["prior"]
        for entry in inputs["priors"]
        if (entry["driver"], entry["name"]) == (one.number.owner, one.number.name)
        and ", ".join(part for part in (entry["bloc"], entry["epoch"]) if part) == one.number.label
    ]
    return one.before.summary() in said
