"""A prediction of one number, and how well it did: proper scores and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scoringrules
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import logsumexp

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9)
"""Central intervals whose coverage is counted."""

ENSEMBLE = 4000
"""Points that stand for a prediction in the CRPS."""


@dataclass(frozen=True)
class Score:
    """How a prediction did.

    Attributes
    ----------
    crps : float
        Continuous ranked probability score, in the unit of the number; smaller is better.
    log_score : float
        Log density of what came, natural logarithm; larger is better.
    pit : float
        Probability that the prediction gave to less than what came.
    covered : tuple of bool
        Whether the central intervals of `LEVELS` hold what came.
    quantiles : tuple of float
        Of the prediction, at 0.05, 0.25, 0.5, 0.75 and 0.95.
    """

    crps: float
    log_score: float
    pit: float
    covered: tuple[bool, ...]
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Mixture:
    """A mixture, in equal parts, of normal or Student-t distributions.

    Every method's prediction is one: of the model, the measurement model at each
    draw; of a fitted line, a single t distribution.

    Attributes
    ----------
    mean, sd : ndarray, (part,)
        Location and scale.
    nu : ndarray, (part,)
        Degrees of freedom; infinite for a normal.
    """

    mean: Floats
    sd: Floats
    nu: Floats

    @classmethod
    def of(cls, mean: ArrayLike, sd: ArrayLike, nu: ArrayLike = np.inf) -> Mixture:
        """Make one from numbers or arrays that broadcast."""
        parts = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=float)) for x in (mean, sd, nu)))
        return cls(*parts)

    def log_density(self, x: float) -> float:
        """Return the log of the mixture's density at `x`: exact, without a kernel."""
        return float(logsumexp(stats.t.logpdf(x, self.nu, self.mean, self.sd)) - np.log(self.mean.size))

    def below(self, x: float) -> float:
        """Return the probability of less than `x`."""
        return float(np.mean(stats.t.cdf(x, self.nu, self.mean, self.sd)))

    def ensemble(self, generator: np.random.Generator, size: int = ENSEMBLE) -> Floats:
        """Return draws, stratified within and over the parts, so that few of them say much; sorted."""
        each = -(-size // self.mean.size)
        at = (np.arange(each)[:, None] + generator.random((each, self.mean.size))) / each
        return np.sort(stats.t.ppf(at, self.nu, self.mean, self.sd).ravel())

    def score(self, observed: float, generator: np.random.Generator, *, bound: float = np.inf) -> Score:
        """Score the prediction.

        Parameters
        ----------
        observed : float
            What came; one at or above `bound` says only "at least that".
        generator : numpy.random.Generator
            Of the ensemble, and of the place of a censored number in the PIT.
        bound : float
            Where measurements are censored.

        Returns
        -------
        Score
            Of a censored number: its probability in place of a density, and
            the CRPS of the prediction censored alike, which is proper too.
        """
        censored = observed >= bound
        ensemble = np.minimum(self.ensemble(generator), bound)
        pit = self.below(min(observed, bound))
        if censored:
            log_score = float(np.log(max(1.0 - pit, np.finfo(float).tiny)))
            covered = tuple(bool(pit <= (1 + level) / 2) for level in LEVELS)
            pit += float(generator.random()) * (1.0 - pit)
        else:
            log_score = self.log_density(observed)
            covered = tuple(bool(abs(pit - 0.5) <= level / 2) for level in LEVELS)
        crps = scoringrules.crps_ensemble(
            np.array([min(observed, bound)]), ensemble[None, :], estimator="pwm", sorted_ensemble=True,
            backend="numpy",
        )  # fmt: skip
        return Score(
            crps=float(crps[0]),
            log_score=log_score,
            pit=pit,
            covered=covered,
            quantiles=tuple(float(x) for x in np.quantile(ensemble, (0.05, 0.25, 0.5, 0.75, 0.95))),
        )
