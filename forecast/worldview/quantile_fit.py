"""From named quantiles to a family's hyperparameters."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize

from forecast.worldview.families import FAMILIES, Family

MISFIT = 0.02
"""Largest misfit, in probability, that a fit to surplus quantiles may have."""

EXACT = 1e-4
"""Largest misfit of a fit to as many quantiles as there are hyperparameters."""

_NAME = re.compile(r"p(\d\d?)")
Array = npt.NDArray[np.float64]


class FitError(ValueError):
    """No member of the family has these quantiles."""


class _Descent(NamedTuple):
    cost: float
    params: dict[str, float]
    determined: bool


def quantile_level(name: str) -> float | None:
    """Return the probability that a key names (``p05`` is 0.05, ``p5`` too), None if it names none."""
    match = _NAME.fullmatch(name)
    return int(match[1]) / 100 if match and int(match[1]) else None


def quantile_name(level: float) -> str:
    """Return the key of a probability: ``p05`` for 0.05."""
    return f"p{round(level * 100):02d}"


def fit_quantiles(family: Family | str, quantiles: Mapping[float, float]) -> dict[str, float]:
    """Find the hyperparameters of a family from quantiles.

    Parameters
    ----------
    family : Family or str
    quantiles : mapping of float to float
        Probability to value. As many as the family has hyperparameters are met
        exactly; more are fitted by least squares in probability.

    Returns
    -------
    dict of str to float
        All hyperparameters, under PyMC's names.

    Raises
    ------
    FitError
        If there are too few quantiles, if they do not increase or leave the
        family's support, or if the largest misfit in probability exceeds 0.02;
        the message shows the fitted quantiles beside the given ones.
    """
    family = FAMILIES[family] if isinstance(family, str) else family
    levels = np.array(sorted(quantiles), dtype=float)
    values = np.array([quantiles[level] for level in levels], dtype=float)
    _check(family, levels, values)
    return dict(_cached_fit(family.name, tuple(map(float, levels)), tuple(map(float, values))))


@lru_cache(maxsize=4096)  # a file is checked by itself and once more when merged
def _cached_fit(name: str, levels: tuple[float, ...], values: tuple[float, ...]) -> dict[str, float]:
    family, p, x = FAMILIES[name], np.array(levels), np.array(values)
    params = _fit(FAMILIES["Normal"], p, np.log(x)) if name == "LogNormal" else _fit(family, p, x)
    if family.problems(params):
        raise FitError(f"no {family.name} has these quantiles")
    _check_misfit(family, params, p, x)
    return params


def _check(family: Family, levels: Array, values: Array) -> None:
    names = ", ".join(family.names)
    if not family.fits:
        raise FitError(f"{family.name} cannot be given by quantiles: give its parameters ({names})")
    if len(levels) < len(family.names):
        raise FitError(
            f"{family.name} has {len(family.names)} parameters ({names}) and so needs at least as many "
            f"quantiles, got {len(levels)}"
        )
    if not np.all(np.isfinite(values)):
        raise FitError("quantiles must be finite")
    # Neighbours must differ by more than rounding, or the density would be a spike that nothing can evaluate.
    with np.errstate(over="ignore"):
        gaps = np.diff(values)
    if np.any(gaps <= 1e-9 * np.maximum(np.abs(values[1:]), np.abs(values[:-1]))):
        given = ", ".join(f"{quantile_name(p)}={x:g}" for p, x in zip(levels, values, strict=True))
        raise FitError(f"quantiles must increase with their probability, got {given}")
    if family.positive and values[0] <= 0:
        raise FitError(
            f"{family.name} has positive values only, got {quantile_name(levels[0])}={values[0]:g}"
        )
    if family.name == "Beta" and values[-1] >= 1:
        raise FitError(f"Beta has values below 1 only, got {quantile_name(levels[-1])}={values[-1]:g}")
    if not math.isfinite(float(values[-1]) - float(values[0])):
        raise FitError("quantiles are too far apart for any number to hold their distance")


def _fit(family: Family, levels: Array, values: Array) -> dict[str, float]:
    """Fit in units of the quantiles' own spread, then change back."""
    if len(levels) == 2 and [h.role for h in family.hyperparameters] == ["location", "scale"]:
        low, high = family.frozen(dict(zip(family.names, (0.0, 1.0), strict=True))).ppf(levels)
        scale = float((values[1] - values[0]) / (high - low))
        return dict(zip(family.names, (float(values[0] - scale * low), scale), strict=True))
    middle = float(np.interp(0.5, levels, values))
    if family.shifts:
        spread = float(values[-1] - values[0]) / 2
        offset = middle
    else:
        spread, offset = (middle, 0.0) if family.scales else (1.0, 0.0)
    standard = (values - offset) / spread
    best: _Descent | None = None
    for start in _starts(family, standard):
        found = _descend(family, start, levels, standard)
        best = found if best is None or found.cost < best.cost else best
        if best.cost < 1e-20:
            break
    if best is None:
        raise FitError(f"no {family.name} has these quantiles")
    if best.cost < 1e-12 and not best.determined:
        raise FitError(f"these quantiles do not determine a {family.name}: give others, or its parameters")
    scaled = family.scaled(best.params, spread) or best.params
    return family.shifted(scaled, offset) or scaled


def _starts(family: Family, values: Array) -> Iterator[dict[str, float]]:
    """Yield starting points: a member as wide as the values, with several shapes."""
    if family.name == "Uniform":
        yield {"lower": values[0], "upper": values[-1]}
        return
    if family.name == "Triangular":
        width = values[-1] - values[0]
        for c in (0.0, -0.6, 0.6):
            yield {"lower": values[0] - width / 3, "c": c * width / 2, "upper": values[-1] + width / 3}
        return
    if family.name == "Beta":
        for size in (2.0, 20.0, 0.5, 200.0):
            centre = float(np.mean(values))
            yield {"alpha": size * centre, "beta": size * (1 - centre)}
        return
    has_shape = any(h.role == "shape" for h in family.hyperparameters)
    shapes: tuple[float, ...] = (2.0, 0.5, 10.0, 100.0, 0.15) if has_shape else (1.0,)
    if family.name == "SkewNormal":
        shapes = (1.0, -1.0, 4.0, -4.0)
    for shape in shapes:
        start = {}
        for h in family.hyperparameters:
            start[h.name] = {"location": 0.0, "shape": shape, "scale": 1.0, "rate": 1.0}[h.role]
        if family.positive and "alpha" in start:  # put its median at 1, where the values' middle is
            median = float(family.frozen(start).median())
            start = family.scaled(start, 1 / median) or start if median > 1e-300 else start
        yield start


def _descend(family: Family, start: Mapping[str, float], levels: Array, values: Array) -> _Descent:
    """Least squares in probability from one start, in unconstrained coordinates."""
    bounded = family.name in ("Uniform", "Triangular")

    def free(params: Mapping[str, float]) -> list[float]:
        if bounded:
            ends = [params[name] for name in ("lower", "c", "upper") if name in params]
            return [ends[0], *np.log(np.diff(ends))]
        return [math.log(params[h.name]) if h.positive else params[h.name] for h in family.hyperparameters]

    def constrained(theta: Array) -> dict[str, float]:
        if bounded:
            ends = theta[0] + np.concatenate([[0.0], np.cumsum(np.exp(np.clip(theta[1:], -30, 30)))])
            order = ("lower", "upper") if len(ends) == 2 else ("lower", "c", "upper")
            found = dict(zip(order, map(float, ends), strict=True))
            return {name: found[name] for name in family.names}
        return {
            h.name: math.exp(min(max(x, -40.0), 40.0)) if h.positive else float(x)
            for h, x in zip(family.hyperparameters, theta, strict=True)
        }

    def misfit(theta: Array) -> Array:
        probabilities = np.asarray(family.frozen(constrained(theta)).cdf(values), dtype=float)
        return np.nan_to_num(probabilities, nan=1.0) - levels

    with np.errstate(all="ignore"):
        found = optimize.least_squares(
            misfit, free(start), method="trf", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=200
        )
    return _Descent(float(found.cost), constrained(found.x), _is_determined(found.jac))


def _is_determined(jacobian: Array) -> bool:
    """Whether no direction in the space of hyperparameters leaves the probabilities as they are."""
    singular = np.linalg.svd(jacobian, compute_uv=False)
    return bool(np.all(np.isfinite(singular)) and singular[-1] > 1e-6 * singular[0])


def _check_misfit(family: Family, params: Mapping[str, float], levels: Array, values: Array) -> None:
    frozen = family.frozen(params)
    misfit = np.abs(frozen.cdf(values) - levels)
    exact = len(levels) == len(family.names)  # then anything but rounding means that there is no such member
    if np.max(misfit) <= (EXACT if exact else MISFIT):
        return
    fitted = frozen.ppf(levels)
    rows = "; ".join(
        f"{quantile_name(p)} given {x:.6g}, fitted {y:.6g} (probability {q:.3f})"
        for p, x, y, q in zip(levels, values, fitted, frozen.cdf(values), strict=True)
    )
    raise FitError(
        f"no {family.name} has these quantiles: the nearest misses by {np.max(misfit):.3f} in probability, "
        f"more than {EXACT if exact else MISFIT} ({rows})"
    )
