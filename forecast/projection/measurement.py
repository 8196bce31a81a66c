"""What the model says of the evidence: pointwise log-likelihood and predictive draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from forecast.model import Graph, Key, Likelihood
from forecast.projection.evaluator import Evaluator, chunks
from forecast.streams import stream

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Likelihoods of a set of draws, by label.

    Attributes
    ----------
    log_likelihood, predictive : dict of str to ndarray, (draw, row)
    mean, sd : dict of str to ndarray, (draw, row)
        Of the predictive distribution (location and scale).
    observed : dict of str to ndarray, (row,)
    """

    log_likelihood: dict[str, Floats]
    predictive: dict[str, Floats]
    mean: dict[str, Floats]
    sd: dict[str, Floats]
    observed: dict[str, Floats]


def measure(
    graph: Graph, parameters: Mapping[Key, Floats], *, seed: int, size: int | None = None
) -> Measured:
    """Evaluate every measurement model on draws of the parameters.

    Parameters
    ----------
    graph : Graph
        On the history grid.
    parameters : mapping of (driver, name) to ndarray
        First axis draw.
    seed : int
        Of the predictive draws.
    size : int, optional
        Number of draws; needed where the graph has no parameter.

    Returns
    -------
    Measured
        Tables without rows are left out. A predictive draw of a censored row
        is not censored: it is what the model says the measurement would be.
    """
    likelihoods = [one for one in graph.likelihoods if len(one.observed)]
    outputs = {
        f"{one.label}|{name}": getattr(one, name)
        for one in likelihoods
        for name in ("mean", "sd", "nu", "upper")
        if getattr(one, name) is not None
    }
    evaluate = Evaluator(graph, outputs)
    if size is None:
        size = len(next(iter(parameters.values())))
    blocks = [
        evaluate({key: draws[part] for key, draws in parameters.items()}, size=part.stop - part.start)
        for part in chunks(size)
    ]
    values = {name: np.concatenate([block[name] for block in blocks]) for name in outputs}
    result = Measured({}, {}, {}, {}, {})
    for one in likelihoods:
        mean, sd = values[f"{one.label}|mean"], values[f"{one.label}|sd"]
        nu = values.get(f"{one.label}|nu")
        law = stats.norm(mean, sd) if nu is None else stats.t(nu, loc=mean, scale=sd)
        result.log_likelihood[one.label] = log_likelihood(one, law)
        result.predictive[one.label] = law.rvs(
            size=mean.shape, random_state=stream(seed, "predictive", one.label)
        )
        result.mean[one.label], result.sd[one.label] = mean, sd
        result.observed[one.label] = one.observed
    return result


def log_likelihood(likelihood: Likelihood, law: object) -> Floats:
    """Return the log density of a measurement model's rows, (draw, row).

    That of a censored row is the log probability to be beyond its bound.

    Parameters
    ----------
    likelihood : Likelihood
    law : scipy.stats frozen distribution
        Of the measurements, before censoring.
    """
    density = law.logpdf(likelihood.observed)  # type: ignore[attr-defined]
    if not likelihood.bound:
        return np.asarray(density)
    bound = likelihood.observations.columns[likelihood.bound]
    beyond = law.logsf(bound)  # type: ignore[attr-defined]
    return np.asarray(np.where(likelihood.observed >= bound, beyond, density))
