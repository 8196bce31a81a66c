"""Weights of models: by stacking, and by the log scores of what they predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.errors import ForecastError

Floats = NDArray[np.float64]

STEPS = 20_000
SLACK = 1e-6
"""By which the mean log density may fall short of the best one, at most."""

REPLICATES = 4000
"""Of the Bayesian bootstrap."""


def stacking_weights(densities: Floats) -> Floats:
    """Weights that maximise the mean log density of the mixture, by expectation-maximisation.

    Parameters
    ----------
    densities : ndarray, (row, member)
        Log predictive density of each row under each member, with the row left out.

    Returns
    -------
    ndarray, (member,)
        On the simplex. The mean log density is within :data:`SLACK` of the
        largest: that of no member, mixed in, would raise it faster.

    Raises
    ------
    ForecastError
        Where that is not reached; it is for any densities that are finite.
    """
    relative = np.exp(densities - densities.max(axis=1, keepdims=True))
    weights = np.full(densities.shape[1], 1.0 / densities.shape[1])
    for _ in range(STEPS):
        gains = np.mean(relative / (relative @ weights)[:, None], axis=0)
        # The objective is concave, so that its largest slope to a corner bounds what is still to be gained.
        if gains.max() - 1.0 <= SLACK:
            return weights
        weights = weights * gains
        weights /= weights.sum()
    if gains.max() - 1.0 <= 100 * SLACK:
        return weights
    raise ForecastError("Stacking weights could not be found: the log densities of the rows are not finite.")


def score_weights(scores: Floats, *, replicates: int = REPLICATES, seed: int = 0) -> Floats:
    """Weights by sums of log scores, their uncertainty averaged over (pseudo-BMA+).

    Parameters
    ----------
    scores : ndarray, (series, member)
        Sum of the log scores of each series, larger is better.
    replicates, seed : int
        Of the Bayesian bootstrap over series.

    Returns
    -------
    ndarray, (member,)
        Mean over the replicates of softmax(sum over series of u scores), with u
        from a Dirichlet distribution of parameters 1, times the number of series.
    """
    count = scores.shape[0]
    u = np.random.default_rng(seed).dirichlet(np.ones(count), size=replicates) * count
    sums = u @ scores
    raw = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(np.mean(raw / raw.sum(axis=1, keepdims=True), axis=0))
