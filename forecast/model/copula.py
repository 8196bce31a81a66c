"""A Gaussian copula: numbers keep their own priors, the standard normals behind them correlate.

A number x with prior F has the score z = Phi^-1(F(x)), a standard normal; for a
Normal it is (x - mu) / sigma, for a LogNormal (ln x - mu) / sigma. The scores
of all numbers together are normal with the correlation matrix that a worldview
states, so that every number's own distribution is what its prior says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtr, ndtri

from forecast.worldview import Correlation, Number, Prior, correlation_matrix

Floats = NDArray[np.float64]

FARTHEST = 7.5
"""Scores of families other than the normal ones end here (one draw in 10^13 does): quantiles farther out
drown in the rounding of 1 - p, or are infinite."""


def draw_given(matrix: Floats, known: NDArray[np.bool_], scores: Floats) -> Floats:
    """Turn independent scores into correlated ones, given those that are known.

    Parameters
    ----------
    matrix : ndarray, (number, number)
        Correlation matrix, positive definite.
    known : ndarray of bool, (number,)
        Whose scores are given.
    scores : ndarray, (draw, number)
        Given scores, and independent standard normals for the others.

    Returns
    -------
    ndarray, (draw, number)
        The given ones as they were; the others are draws of their joint normal
        distribution given those: S_NI S_II^-1 z_I + chol(S_NN - S_NI S_II^-1
        S_IN) e, with I for the known, N for the others and e for what was in
        their place.
    """
    rest = ~known
    weights = np.linalg.solve(matrix[np.ix_(known, known)], matrix[np.ix_(known, rest)])
    left = matrix[np.ix_(rest, rest)] - matrix[np.ix_(rest, known)] @ weights
    result = scores.copy()
    result[:, rest] = scores[:, known] @ weights + scores[:, rest] @ np.linalg.cholesky(left).T
    return result


def log_density(matrix: Floats, scores: Floats) -> Floats:
    """Return the log density of the copula: what correlation adds to the sum of the marginal ones.

    Parameters
    ----------
    matrix : ndarray, (number, number)
    scores : ndarray, (draw, number)

    Returns
    -------
    ndarray, (draw,)
        -1/2 ln det S - 1/2 z' (S^-1 - 1) z.
    """
    factor = cho_factor(matrix, lower=True)
    log_determinant = 2.0 * np.sum(np.log(np.diag(factor[0])))
    distance = np.sum(scores.T * cho_solve(factor, scores.T), axis=0) - np.sum(scores**2, axis=1)
    return np.asarray(-0.5 * (log_determinant + distance))


def score(prior: Prior, values: Floats) -> Floats:
    """Return the standard normals behind draws of a prior."""
    if prior.family == "Normal":
        return np.asarray((values - prior.params["mu"]) / prior.params["sigma"])
    if prior.family == "LogNormal":
        return np.asarray((np.log(values) - prior.params["mu"]) / prior.params["sigma"])
    return np.asarray(np.clip(ndtri(prior.cdf(values)), -FARTHEST, FARTHEST))


def value(prior: Prior, scores: Floats) -> Floats:
    """Return the draws of a prior with these standard normals behind them."""
    if prior.family in ("Normal", "LogNormal"):
        moved = prior.params["mu"] + prior.params["sigma"] * scores
        return np.asarray(np.exp(moved) if prior.family == "LogNormal" else moved)
    return prior.ppf(ndtr(np.clip(scores, -FARTHEST, FARTHEST)))


@dataclass(frozen=True)
class Copula:
    """Numbers that correlate.

    Attributes
    ----------
    members : tuple of Number
    priors : tuple of Prior
        Of the members; none is a constant.
    matrix : ndarray, (member, member)
        Correlations of the scores.
    """

    members: tuple[Number, ...]
    priors: tuple[Prior, ...]
    matrix: Floats

    @classmethod
    def among(cls, correlations: Iterable[Correlation], priors: Mapping[Number, Prior]) -> Copula | None:
        """Return the copula of some numbers, in their order; None if no two of them correlate."""
        within = [one for one in correlations if all(member in priors for member in one.between)]
        named = {member for one in within for member in one.between}
        members = [member for member in priors if member in named]
        if not members:
            return None
        matrix = correlation_matrix(within, members)
        return cls(tuple(members), tuple(priors[member] for member in members), matrix)

    def draw(self, values: Mapping[Number, Floats], known: Sequence[Number] = ()) -> dict[Number, Floats]:
        """Turn independent draws into correlated ones.

        Parameters
        ----------
        values : mapping of Number to ndarray, (draw,)
            Of every member.
        known : sequence of Number
            Members whose draws stay.

        Returns
        -------
        dict of Number to ndarray, (draw,)
            Draws of the other members, given the known ones. Without any known
            the first member's stay what they were.
        """
        given = np.array([member in known for member in self.members], dtype=bool)
        before = self._scores(values)
        after = draw_given(self.matrix, given, before)
        return {
            member: values[member]
            if np.array_equal(after[:, place], before[:, place])
            else value(self.priors[place], after[:, place])
            for place, member in enumerate(self.members)
            if not given[place]
        }

    def log_density(self, values: Mapping[Number, Floats]) -> Floats:
        """Return what correlation adds to the sum of the members' log densities, (draw,)."""
        return log_density(self.matrix, self._scores(values))

    def _scores(self, values: Mapping[Number, Floats]) -> Floats:
        columns = [score(prior, values[one]) for one, prior in zip(self.members, self.priors, strict=True)]
        return np.stack(columns, axis=-1)
