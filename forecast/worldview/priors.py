"""A prior: a constant, a PyMC family or a mixture, with unit and source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.units import UnitError, convert, parse_unit
from forecast.worldview.families import FAMILIES
from forecast.worldview.origins import Origin
from forecast.worldview.quantile_fit import quantile_name

CONSTANT = "Constant"
MIXTURE = "Mixture"
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """What is believed about one uncertain number before seeing the evidence.

    Attributes
    ----------
    family : str
        ``"Constant"``, ``"Mixture"`` or the name of a PyMC family.
    params : dict of str to float
        Under PyMC's names, complete; ``{"value": x}`` for a constant, empty for a mixture.
    components : tuple of (float, Prior)
        Weights (sum 1) and components of a mixture.
    quantiles : dict of float to float
        As given, probability to value; empty if given by hyperparameters.
    unit : str
    source : str
    judgement : bool
        No evidence stands behind it.
    note : str
    blocs : tuple of str or None
        The blocs for which it exists; None if it is not restricted.
    per_bloc : bool
        Each bloc draws its own value (said in a driver's file only).
    success : float or None
        Of a threshold on a time horizon: the success rate that it is about.
    label : str
        Of a mixture's component: what to call it in reports.
    origin : Origin
        Where it was given; not compared.
    """

    family: str
    params: dict[str, float] = field(default_factory=dict)
    unit: str = "number"
    source: str = ""
    components: tuple[tuple[float, Prior], ...] = ()
    quantiles: dict[float, float] = field(default_factory=dict)
    judgement: bool = False
    note: str = ""
    blocs: tuple[str, ...] | None = None
    per_bloc: bool = False
    success: float | None = None
    label: str = ""
    origin: Origin = field(default=Origin(""), compare=False)

    @property
    def is_constant(self) -> bool:
        """Whether it is a fixed number."""
        return self.family == CONSTANT

    def frozen(self) -> Any:
        """Return the frozen scipy distribution of a family (not of a constant or a mixture)."""
        return FAMILIES[self.family].frozen(self.params)

    def support(self) -> tuple[float, float]:
        """Return the ends of the interval on which the density is positive."""
        if self.is_constant:
            return self.params["value"], self.params["value"]
        if self.components:
            ends = [c.support() for _, c in self.components]
            return min(low for low, _ in ends), max(high for _, high in ends)
        return FAMILIES[self.family].support(self.params)

    def rvs(self, rng: np.random.Generator, size: int | tuple[int, ...] | None = None) -> Array:
        """Draw values.

        Parameters
        ----------
        rng : numpy.random.Generator
        size : int or tuple of int, optional

        Returns
        -------
        ndarray
            In `unit`, of shape `size`.
        """
        shape = () if size is None else size
        if self.is_constant:
            return np.full(shape, self.params["value"])
        if not self.components:
            return np.asarray(self.frozen().rvs(size=shape, random_state=rng), dtype=float)
        which = rng.choice(len(self.components), size=shape, p=self.weights)
        draws = np.stack([component.rvs(rng, shape) for _, component in self.components])
        return np.asarray(np.take_along_axis(draws, which[np.newaxis], axis=0)[0])

    @property
    def weights(self) -> Array:
        """Weights of a mixture, summing to exactly one."""
        weights: Array = np.array([weight for weight, _ in self.components])
        return np.asarray(weights / weights.sum())

    def cdf(self, x: npt.ArrayLike) -> Array:
        """Return the probability of at most `x`."""
        points = np.asarray(x, dtype=float)
        if self.is_constant:
            return np.asarray(points >= self.params["value"], dtype=float)
        if not self.components:
            return np.asarray(self.frozen().cdf(points), dtype=float)
        parts = [w * c.cdf(points) for w, (_, c) in zip(self.weights, self.components, strict=True)]
        return np.sum(parts, axis=0)

    def ppf(self, q: npt.ArrayLike) -> Array:
        """Return quantiles.

        Parameters
        ----------
        q : array_like
            Probabilities.

        Returns
        -------
        ndarray
            In `unit`, of the shape of `q`.
        """
        levels = np.asarray(q, dtype=float)
        if self.is_constant:
            return np.full(levels.shape, self.params["value"])
        if not self.components:
            return np.asarray(self.frozen().ppf(levels), dtype=float)
        # A mixture's quantile lies between its components': bisect there.
        ends = np.stack([component.ppf(levels) for _, component in self.components])
        low, high = ends.min(axis=0), ends.max(axis=0)
        for _ in range(100):
            middle = low / 2 + high / 2
            below = self.cdf(middle) < levels
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray(np.where(np.isfinite(high), low / 2 + high / 2, ends.max(axis=0)))

    def logpdf(self, x: npt.ArrayLike) -> Array:
        """Return the log density; of a constant, 0 at its value and -inf elsewhere."""
        points = np.asarray(x, dtype=float)
        if self.is_constant:
            return np.where(points == self.params["value"], 0.0, -np.inf)
        if not self.components:
            return np.asarray(self.frozen().logpdf(points), dtype=float)
        parts = [
            np.log(w) + c.logpdf(points) for w, (_, c) in zip(self.weights, self.components, strict=True)
        ]
        return np.asarray(np.logaddexp.reduce(parts, axis=0))

    def shares(self, x: npt.ArrayLike) -> Array:
        """Return the probability that each value came from each component of a mixture.

        Parameters
        ----------
        x : array_like
            Values; draws of a posterior give, in their mean, the posterior
            weights of the components.

        Returns
        -------
        ndarray
            One axis more than `x`, last: components; sums to 1.
        """
        points = np.asarray(x, dtype=float)
        parts = [
            np.log(w) + c.logpdf(points) for w, (_, c) in zip(self.weights, self.components, strict=True)
        ]
        return np.asarray(np.exp(np.stack(parts, axis=-1) - self.logpdf(points)[..., None]))

    def centre(self) -> float:
        """Return the median, in `unit`."""
        return float(self.ppf(0.5))

    def converted(self, to_unit: str) -> Prior:
        """Return the same prior in another unit.

        Parameters
        ----------
        to_unit : str
            Of the same dimension; a log if and only if the present unit is one.

        Raises
        ------
        UnitError
            In words, if the units do not convert, or the family cannot follow.
        """
        if to_unit == self.unit:
            return self
        a, b = parse_unit(self.unit), parse_unit(to_unit)
        if a.dimension != b.dimension:
            raise UnitError(f"is in {self.unit!r} ({a.dimension}), expected {to_unit!r} ({b.dimension})")
        if (a.log10, a.growth) != (b.log10, b.growth):
            advice = (
                "give the log10 of the values" if b.log10 or a.growth else "give the values, not their logs"
            )
            raise UnitError(f"is in {self.unit!r}, expected {to_unit!r}: {advice}")
        components = tuple((weight, component.converted(to_unit)) for weight, component in self.components)
        params = self._converted_params(to_unit, a.log10, a.factor / b.factor)
        quantiles = {level: float(convert(value, a, b)) for level, value in self.quantiles.items()}
        return replace(self, unit=to_unit, params=params, components=components, quantiles=quantiles)

    def _converted_params(self, to_unit: str, log10: bool, factor: float) -> dict[str, float]:
        if self.components:
            return {}
        if self.is_constant:
            return {"value": float(convert(self.params["value"], self.unit, to_unit))}
        family = FAMILIES[self.family]
        if log10:
            params = family.shifted(self.params, math.log10(factor))
        else:
            params = family.scaled(self.params, factor)
        if params is None:
            raise UnitError(
                f"is a {self.family} in {self.unit!r}, which cannot be restated in {to_unit!r}: give it so"
            )
        return params

    def to_toml_table(self) -> dict[str, Any]:
        """Return the table of a prior file that reads back as the same prior."""
        table: dict[str, Any] = {}
        if self.is_constant:
            table["value"] = self.params["value"]
        elif self.components:
            table["mixture"] = [
                {"weight": weight, **component._component_table()} for weight, component in self.components
            ]
        else:
            table |= self._law()
        table |= {"unit": self.unit, "source": self.source}
        return table | self._optional()

    def _law(self) -> dict[str, Any]:
        if self.quantiles:
            return {"distribution": self.family} | {quantile_name(p): x for p, x in self.quantiles.items()}
        return {"distribution": self.family, **self.params}

    def _component_table(self) -> dict[str, Any]:
        said = {"label": self.label, "source": self.source, "note": self.note}
        return self._law() | {key: text for key, text in said.items() if text}

    def _optional(self) -> dict[str, Any]:
        table: dict[str, Any] = {}
        if self.judgement:
            table["judgement"] = True
        if self.note:
            table["note"] = self.note
        if self.blocs is not None:
            table["blocs"] = list(self.blocs)
        if self.per_bloc:
            table["per"] = "bloc"
        if self.success is not None:
            table["success"] = self.success
        return table

    def summary(self) -> str:
        """Describe the prior in one line: family, hyperparameters or quantiles."""
        if self.is_constant:
            return f"{self.params['value']:.6g}"
        if self.components:
            return "mixture of " + ", ".join(f"{weight:.3g} {c.summary()}" for weight, c in self.components)
        said: Mapping[str, float] = self.params
        if self.quantiles:
            said = {quantile_name(p): x for p, x in self.quantiles.items()}
        return f"{self.family}({', '.join(f'{name}={x:.6g}' for name, x in said.items())})"
