"""Families of priors: PyMC's names and parameters, on scipy distributions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from forecast.wording import did_you_mean, shown

Role = Literal["location", "scale", "rate", "shape", "log location"]


@dataclass(frozen=True)
class Hyperparameter:
    """A parameter of a family, under PyMC's name.

    Attributes
    ----------
    name : str
    role : {"location", "scale", "rate", "shape", "log location"}
        How it changes when the variable is multiplied by a factor f: a location
        and a scale by f, a rate by 1/f, a shape not, a log location by ln f.
    default : float or None
        PyMC's default where its signature has a number; None if it must be given.
    positive : bool
        Must exceed zero.
    infinite : bool
        May be infinite (a bound).
    """

    name: str
    role: Role
    default: float | None = None
    positive: bool = False
    infinite: bool = False


@dataclass(frozen=True)
class Family:
    """A family of distributions.

    Attributes
    ----------
    name : str
        Of the PyMC class.
    hyperparameters : tuple of Hyperparameter
    build : callable
        ``build(params)`` returns the frozen scipy distribution.
    scales : bool
        A multiple of such a variable is in the family.
    shifts : bool
        Such a variable plus a constant is in the family.
    fits : bool
        May be given by quantiles.
    positive : bool
        Its values are positive.
    """

    name: str
    hyperparameters: tuple[Hyperparameter, ...]
    build: Callable[[Mapping[str, float]], Any]
    scales: bool = True
    shifts: bool = False
    fits: bool = True
    positive: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the hyperparameters, in PyMC's order."""
        return tuple(h.name for h in self.hyperparameters)

    def frozen(self, params: Mapping[str, float]) -> Any:
        """Return the frozen scipy distribution with these (complete) hyperparameters."""
        return self.build(params)

    def support(self, params: Mapping[str, float]) -> tuple[float, float]:
        """Return the ends of the interval on which the density is positive."""
        low, high = self.build(params).support()
        return float(low), float(high)

    def complete(self, params: Mapping[str, float]) -> dict[str, float]:
        """Return `params` in PyMC's order with the family's defaults filled in."""
        given = {h.name: params.get(h.name, h.default) for h in self.hyperparameters}
        return {name: float(value) for name, value in given.items() if value is not None}

    def scaled(self, params: Mapping[str, float], factor: float) -> dict[str, float] | None:
        """Return the hyperparameters of the variable times a positive factor, None if outside the family."""
        if factor == 1:
            return dict(params)
        if not self.scales or not factor > 0:
            return None
        change: dict[Role, Callable[[float], float]] = {
            "location": lambda x: x * factor,
            "scale": lambda x: x * factor,
            "rate": lambda x: x / factor,
            "shape": lambda x: x,
            "log location": lambda x: x + math.log(factor),
        }
        return {h.name: change[h.role](params[h.name]) for h in self.hyperparameters}

    def shifted(self, params: Mapping[str, float], offset: float) -> dict[str, float] | None:
        """Return the hyperparameters of the variable plus a constant, None if outside the family."""
        if offset == 0:
            return dict(params)
        if not self.shifts:
            return None
        return {
            h.name: params[h.name] + offset if h.role == "location" else params[h.name]
            for h in self.hyperparameters
        }

    def problems(self, params: Mapping[str, object]) -> list[str]:
        """Say what is wrong with hyperparameters as given; an empty list if nothing is.

        Parameters
        ----------
        params : mapping of str to object
            As read from a file: any type.
        """
        found = [
            f"{self.name} has no parameter {name!r}{did_you_mean(name, self.names)}"
            for name in params
            if name not in self.names
        ]
        for h in self.hyperparameters:
            if h.name in params:
                found += hyperparameter_problem(h, params[h.name])
            elif h.default is None:
                found.append(f"{self.name} needs {h.name} (its parameters: {', '.join(self.names)})")
        if found:
            return found
        values = self.complete({name: float(value) for name, value in params.items()})  # type: ignore[arg-type]
        return self._order_problems(values) or self._range_problems(values)

    def _order_problems(self, values: Mapping[str, float]) -> list[str]:
        order = [name for name in ("lower", "c", "upper") if name in values]
        for below, above in zip(order, order[1:], strict=False):
            touching = "c" in (below, above) and values["lower"] < values["upper"]
            if values[below] > values[above] or (values[below] == values[above] and not touching):
                return [f"{below} must be below {above}, got {values[below]:g} and {values[above]:g}"]
        return []

    def _range_problems(self, values: Mapping[str, float]) -> list[str]:
        # Numbers that are each allowed may together leave the range of floating point.
        try:
            with np.errstate(all="ignore"):
                spread = [float(x) for x in self.build(values).ppf([0.01, 0.5, 0.99])]
        except (ArithmeticError, ValueError):
            spread = [math.nan]
        if not all(math.isfinite(x) for x in spread) or not spread[0] < spread[-1]:
            shown_values = ", ".join(f"{name}={value:g}" for name, value in values.items())
            hint = "; mu and sigma are of the natural log" if self.name == "LogNormal" else ""
            return [f"{self.name} with {shown_values} has quantiles that no number can hold{hint}"]
        return []


def number(value: object) -> float | None:
    """Return a TOML integer or float as a float, None for anything else (bool, text, too large)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def hyperparameter_problem(h: Hyperparameter, value: object) -> list[str]:
    """Say what is wrong with one hyperparameter, as a list of no or one sentence."""
    x = number(value)
    if x is None:
        return [f"{h.name} must be a number, got {shown(value)}"]
    if math.isnan(x) or (math.isinf(x) and not h.infinite):
        return [f"{h.name} must be a finite number, got {x}"]
    if h.positive and x <= 0:
        return [f"{h.name} must be positive, got {shown(value)}"]
    return []


def _location(name: str, default: float | None = None) -> Hyperparameter:
    return Hyperparameter(name, "location", default)


def _positive(name: str, role: Role, default: float | None = None) -> Hyperparameter:
    return Hyperparameter(name, role, default, positive=True)


def _bound(name: str, default: float) -> Hyperparameter:
    return Hyperparameter(name, "location", default, infinite=True)


def _truncated_normal(p: Mapping[str, float]) -> Any:
    a, b = ((p[end] - p["mu"]) / p["sigma"] for end in ("lower", "upper"))
    return stats.truncnorm(a, b, loc=p["mu"], scale=p["sigma"])


def _triangular(p: Mapping[str, float]) -> Any:
    width = p["upper"] - p["lower"]
    return stats.triang((p["c"] - p["lower"]) / width, loc=p["lower"], scale=width)


def _families() -> tuple[Family, ...]:
    mu, sigma = _location("mu", 0.0), _positive("sigma", "scale")
    alpha, beta = _positive("alpha", "shape"), _positive("beta", "scale")
    return (
        Family("Normal", (mu, sigma), lambda p: stats.norm(p["mu"], p["sigma"]), shifts=True),
        Family(
            "LogNormal",
            (Hyperparameter("mu", "log location", 0.0), _positive("sigma", "shape")),
            lambda p: stats.lognorm(p["sigma"], scale=math.exp(p["mu"])),
            positive=True,
        ),
        Family(
            "StudentT",
            (_positive("nu", "shape"), mu, sigma),
            lambda p: stats.t(p["nu"], p["mu"], p["sigma"]),
            shifts=True,
        ),
        Family(
            "Uniform",
            (_location("lower", 0.0), _location("upper", 1.0)),
            lambda p: stats.uniform(p["lower"], p["upper"] - p["lower"]),
            shifts=True,
        ),
        Family(
            "Beta",
            (alpha, _positive("beta", "shape")),
            lambda p: stats.beta(p["alpha"], p["beta"]),
            scales=False,
            positive=True,
        ),
        Family(
            "Gamma",
            (alpha, _positive("beta", "rate")),
            lambda p: stats.gamma(p["alpha"], scale=1 / p["beta"]),
            positive=True,
        ),
        Family(
            "InverseGamma",
            (alpha, beta),
            lambda p: stats.invgamma(p["alpha"], scale=p["beta"]),
            positive=True,
        ),
        Family(
            "Exponential",
            (_positive("lam", "rate"),),
            lambda p: stats.expon(scale=1 / p["lam"]),
            positive=True,
        ),
        Family("HalfNormal", (sigma,), lambda p: stats.halfnorm(scale=p["sigma"]), positive=True),
        Family(
            "TruncatedNormal",
            (mu, sigma, _bound("lower", -math.inf), _bound("upper", math.inf)),
            _truncated_normal,
            shifts=True,
            fits=False,
        ),
        Family(
            "Triangular",
            (_location("lower", 0.0), _location("c", 0.5), _location("upper", 1.0)),
            _triangular,
            shifts=True,
        ),
        Family(
            "Laplace",
            (_location("mu"), _positive("b", "scale")),
            lambda p: stats.laplace(p["mu"], p["b"]),
            shifts=True,
        ),
        Family(
            "Logistic",
            (mu, _positive("s", "scale", 1.0)),
            lambda p: stats.logistic(p["mu"], p["s"]),
            shifts=True,
        ),
        Family(
            "Weibull", (alpha, beta), lambda p: stats.weibull_min(p["alpha"], scale=p["beta"]), positive=True
        ),
        Family(
            "SkewNormal",
            (Hyperparameter("alpha", "shape", 1.0), mu, sigma),
            lambda p: stats.skewnorm(p["alpha"], p["mu"], p["sigma"]),
            shifts=True,
        ),
        Family("HalfCauchy", (beta,), lambda p: stats.halfcauchy(scale=p["beta"]), positive=True),
        Family(
            "Cauchy", (_location("alpha"), beta), lambda p: stats.cauchy(p["alpha"], p["beta"]), shifts=True
        ),
        Family("Gumbel", (_location("mu"), beta), lambda p: stats.gumbel_r(p["mu"], p["beta"]), shifts=True),
    )


FAMILIES: Mapping[str, Family] = {family.name: family for family in _families()}
"""The families that a prior may have, by PyMC's name."""


def family_named(name: object) -> Family:
    """Return a family by its name.

    Raises
    ------
    ValueError
        With the nearest name.
    """
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"unknown distribution {shown(name)}{did_you_mean(str(name)[:100], FAMILIES)}")
    return FAMILIES[name]
