"""Prior and posterior weights of the components of a mixture: which shape the evidence prefers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.model import Layout


def mixture_weights(
    layout: Layout, flat: NDArray[np.float64], accepted: NDArray[np.bool_]
) -> dict[str, list[dict[str, Any]]]:
    """Weights of the labelled components of every parameter whose prior is a mixture.

    A draw came from a component with the probability that Bayes' rule gives
    for its value; the posterior weight is the mean of that over the draws, so
    it has a Monte Carlo error.

    Parameters
    ----------
    layout : Layout
    flat : ndarray, (chain x draw, number)
    accepted : ndarray of bool, (chain, draw)

    Returns
    -------
    dict
        ``driver.parameter``, with the bloc in brackets where it has one, to a
        list of ``{label, prior, posterior, mcse}``.
    """
    import arviz_stats as az

    found: dict[str, list[dict[str, Any]]] = {}
    if not accepted.any():  # of which the summary says that nothing is left
        return found
    for number, entry in enumerate(layout.entries):
        labels = [component.label for _, component in entry.prior.components]
        if not labels or not all(labels):
            continue
        resolved = layout.parameters[entry.key]
        name = ".".join(entry.key)
        if resolved.shape == "bloc":
            name += f"[{layout.blocs[entry.bloc]}]"
        shares = entry.prior.shares(flat[:, number]).reshape(*accepted.shape, len(labels))
        found[name] = []
        for place, (label, weight) in enumerate(zip(labels, entry.prior.weights, strict=True)):
            posterior = float(shares[..., place][accepted].mean())
            # Of the ratio of two means over the chains, as for every probability.
            values = np.where(accepted, shares[..., place] - posterior, 0.0) / accepted.mean()
            error = float(az.mcse(values, chain_axis=0, draw_axis=1, method="mean"))
            found[name].append(
                {"label": label, "prior": float(weight), "posterior": posterior, "mcse": error}
            )
    return found
