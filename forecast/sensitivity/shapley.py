"""Shares of variance: Shapley effects of groups of parameters on the outcomes.

The worth of a set of groups is the share of an outcome's variance that their
parameters explain, Var(E[outcome | parameters]) / Var(outcome), here the
cross-validated R2 of a smooth regression on them. A group's Shapley effect is
what it adds to that, averaged over all orders in which groups can come in
(Owen 2014; Song, Nelson and Staum 2016). Posterior draws are dependent, and of
the indices of variance only Shapley's then are shares: they add up to what all
explain together, and what two dependent groups explain alike is halved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from forecast.sensitivity.outcomes import normal_scores

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

_NOISE = 10.0
"""A term enters if it explains this many times the variance that noise would, 1 / draws."""

_MOST_NUMBERS = 48
_PAIRED = 8
_EXACT = 11
_ORDERS = 150
_FOLDS = 5
_RIDGE = 1e-4


@dataclass(frozen=True)
class Shares:
    """What each group explains.

    Attributes
    ----------
    names : list of str
    values : ndarray, (group, outcome)
        Shapley effects as shares of the outcome's variance; noise makes some slightly negative.
    explained : ndarray, (outcome,)
        Cross-validated R2 of all groups: the sum of the effects.
    """

    names: list[str]
    values: Floats
    explained: Floats


@dataclass(frozen=True)
class _Terms:
    """Columns of the regression, each with the groups that it needs (two for most products)."""

    columns: Floats
    needs: list[frozenset[int]]


def shapley_effects(
    values: Floats, groups: Sequence[str], outcomes: Floats, folds: Integers, *, seed: int = 0
) -> Shares:
    """Attribute the variance of outcomes to groups of parameters.

    Parameters
    ----------
    values : ndarray, (draw, number)
        Draws of the parameters, finite.
    groups : sequence of str, (number,)
        The group of each.
    outcomes : ndarray, (draw, outcome)
        Finite; each varies.
    folds : ndarray of int, (draw,)
        Which fold of the cross-validation a draw is in: whole chains, for draws of one chain resemble
        their neighbours.
    seed : int
        Of the sampled orders, where there are too many groups for all of them.

    Returns
    -------
    Shares
        Groups in the order in which they first occur.
    """
    names = list(dict.fromkeys(groups))
    effects = np.zeros((len(names), outcomes.shape[1]))
    y = outcomes - outcomes.mean(axis=0)
    y = y / y.std(axis=0)
    terms = _terms(values, [names.index(group) for group in groups], y)
    players = sorted(set().union(*terms.needs)) if terms.needs else []
    if not players:
        return Shares(names, effects, np.zeros(outcomes.shape[1]))
    worth = _Worth(terms, players, y, folds)
    if len(players) <= _EXACT:
        found = _exact(worth, len(players))
    else:
        found = _sampled(worth, len(players), np.random.default_rng(seed))
    effects[players] = found
    return Shares(names, effects, worth((1 << len(players)) - 1))


def _terms(values: Floats, groups: Sequence[int], y: Floats) -> _Terms:
    """Linear, quadratic and product terms that are related to some outcome beyond noise."""
    size = len(values)
    varies = np.flatnonzero(values.std(axis=0) > 0)
    linear = _standard(normal_scores(values[:, varies])) if varies.size else np.empty((size, 0))
    if not linear.shape[1]:
        return _Terms(linear, [])
    alone = np.square(linear.T @ y / size).max(axis=1)
    # A number may matter only beside the others, as level and growth of one trend do.
    inverse = np.linalg.inv(linear.T @ linear / size + _RIDGE * np.eye(linear.shape[1]))
    slopes = inverse @ (linear.T @ y / size)
    left = (y - linear @ slopes).var(axis=0)
    partial = (np.square(slopes) / np.diag(inverse)[:, None] / np.maximum(left, _RIDGE)).max(axis=1)
    squares = _standard(np.square(linear))
    curved = np.square(squares.T @ y / size).max(axis=1)
    strength = np.maximum(np.maximum(alone, partial), curved)
    order = np.argsort(-strength, kind="stable")[:_MOST_NUMBERS]
    kept = order[strength[order] > _NOISE / size]
    columns = [linear[:, kept]]
    needs = [frozenset([groups[varies[at]]]) for at in kept]
    bent = [at for at in kept if curved[at] > _NOISE / size]
    columns.append(squares[:, bent])
    needs += [frozenset([groups[varies[at]]]) for at in bent]
    pairs = [(one, other) for place, one in enumerate(kept[:_PAIRED]) for other in kept[place + 1 : _PAIRED]]
    if pairs:
        products = _standard(np.stack([linear[:, one] * linear[:, other] for one, other in pairs], axis=1))
        so_far = np.concatenate(columns, axis=1)
        gram = so_far.T @ so_far / size + _RIDGE * np.eye(so_far.shape[1])
        rest = y - so_far @ np.linalg.solve(gram, so_far.T @ y / size)
        adds = np.square(products.T @ rest / size).max(axis=1)
        chosen = np.flatnonzero(adds > _NOISE / size)
        columns.append(products[:, chosen])
        needs += [frozenset(groups[varies[at]] for at in pairs[place]) for place in chosen]
    return _Terms(np.concatenate(columns, axis=1), needs)


def _standard(columns: Floats) -> Floats:
    spread = columns.std(axis=0)
    return np.asarray((columns - columns.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0))


class _Worth:
    """Cross-validated R2 of every set of groups, each computed once.

    A set is a number whose bits say which groups are in it.
    """

    def __init__(self, terms: _Terms, players: list[int], y: Floats, folds: Integers) -> None:
        place = {player: at for at, player in enumerate(players)}
        self.needs = np.array([sum(1 << place[group] for group in need) for need in terms.needs])
        self.known: dict[int, Floats] = {0: np.zeros(y.shape[1])}
        held = np.unique(folds)
        parts = [folds == fold for fold in held]
        x = terms.columns
        grams = np.stack([x[part].T @ x[part] for part in parts])
        cross = np.stack([x[part].T @ y[part] for part in parts])
        # Of a single fold there is nothing to hold out.
        self.grams, self.cross = grams, cross
        self.trained = grams.sum(axis=0) - grams
        self.trained_cross = cross.sum(axis=0) - cross
        self.ridge = _RIDGE * len(y)
        self.total = np.square(y).sum(axis=0)

    def __call__(self, players: int) -> Floats:
        if players not in self.known:
            self.known[players] = self._r2(players)
        return self.known[players]

    def _r2(self, players: int) -> Floats:
        chosen = np.flatnonzero((self.needs & ~players) == 0)
        if not chosen.size:
            return np.zeros_like(self.total)
        square = np.ix_(range(len(self.grams)), chosen, chosen)
        slopes = np.linalg.solve(
            self.trained[square] + self.ridge * np.eye(chosen.size), self.trained_cross[:, chosen]
        )
        # Sum over folds of |y - x b|^2 - |y|^2, from the moments of the fold held out.
        fitted = (slopes * (self.grams[square] @ slopes)).sum(axis=(0, 1))
        along = (slopes * self.cross[:, chosen]).sum(axis=(0, 1))
        return np.asarray((2 * along - fitted) / self.total)


def _exact(worth: _Worth, count: int) -> Floats:
    effects = np.zeros((count, worth.total.size))
    share = [factorial(k) * factorial(count - k - 1) / factorial(count) for k in range(count)]
    for players in range(1 << count):
        before = worth(players)
        weight = share[players.bit_count()] if players.bit_count() < count else 0.0
        for one in range(count):
            if not players >> one & 1:
                effects[one] += weight * (worth(players | 1 << one) - before)
    return effects


def _sampled(worth: _Worth, count: int, rng: np.random.Generator) -> Floats:
    """Average over random orders, each with its reverse."""
    effects = np.zeros((count, worth.total.size))
    for _ in range(_ORDERS):
        order = rng.permutation(count)
        for one_way in (order, order[::-1]):
            players = 0
            for one in one_way:
                before = worth(players)
                players |= 1 << int(one)
                effects[one] += worth(players) - before
    return effects / (2 * _ORDERS)


def make_folds(chains: Integers) -> Integers:
    """Folds of whole chains where there are three or more; of blocks that follow one another where not.

    Parameters
    ----------
    chains : ndarray of int, (draw,)
        Chain of each draw, in order.
    """
    if np.unique(chains).size >= 3:
        return np.asarray(chains % _FOLDS)
    return np.asarray(np.arange(chains.size) * _FOLDS // chains.size)
