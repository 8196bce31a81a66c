"""From a prior's table in a file to a ``Prior``, with every problem of the table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from forecast.units import UnknownUnit, parse_unit
from forecast.wording import did_you_mean, shown
from forecast.worldview.families import FAMILIES, Family, family_named, hyperparameter_problem, number
from forecast.worldview.origins import Locator, Problems
from forecast.worldview.priors import CONSTANT, MIXTURE, Prior
from forecast.worldview.quantile_fit import FitError, fit_quantiles, quantile_level
from forecast.worldview.toml_lines import Path

Place = Literal["driver", "parameter", "threshold", "level"]
"""Who reads the prior: a driver's own file, a worldview's [priors] or [thresholds], or an ``at_least``."""

LAWS = ("value", "distribution", "mixture")
_SAID: dict[Place, tuple[str, ...]] = {
    "driver": ("unit", "source", "judgement", "note", "blocs", "per"),
    "parameter": ("unit", "source", "judgement", "note", "blocs"),
    "threshold": ("unit", "source", "judgement", "note", "success"),
    "level": ("unit", "source", "judgement", "note", "success"),
}
_WHERE: dict[str, str] = {
    "blocs": "a threshold holds for every bloc",
    "per": "which parameters differ by bloc is the driver's to say; write [priors.<driver>.by_bloc.<bloc>]",
    "success": "only a threshold has a success rate",
}


def is_whole(table: Mapping[str, Any]) -> bool:
    """Whether a table states a prior, rather than single keys of one."""
    return any(key in table for key in LAWS)


def prior_keys() -> list[str]:
    """All keys that some prior may have."""
    names = {name for family in FAMILIES.values() for name in family.names}
    return sorted({*LAWS, *_SAID["driver"], "success", "p05", "p10", "p25", "p50", "p75", "p90", "p95", *names})


def is_prior_key(key: str) -> bool:
    """Whether some prior may have this key."""
    return quantile_level(key) is not None or key in prior_keys()


def read_prior(table: object, path: Path, where: Locator, problems: Problems, place: Place) -> Prior | None:
    """Read one prior.

    Parameters
    ----------
    table : object
        As read from TOML: anything.
    path : tuple
        Where it stands.
    where : Locator
        Tells file and line of a path.
    problems : Problems
        Receives every problem of this table.
    place : {"driver", "parameter", "threshold", "level"}
        Who reads it, which decides the keys it may have.

    Returns
    -------
    Prior or None
        None if there was any problem.
    """
    return _Reader(table, path, where, problems, place).read()


class _Reader:
    def __init__(self, table: object, path: Path, where: Locator, problems: Problems, place: Place) -> None:
        self.path, self.where, self.problems, self.place = path, where, problems, place
        self.table: dict[str, Any] = table if isinstance(table, dict) else {}
        self.is_table = isinstance(table, dict)
        self.given = table
        self.failed = False

    def fail(self, message: str, key: str = "") -> None:
        """Record a problem, at the line of `key` where the table spreads over several."""
        self.failed = True
        origin = self.where.origin((*self.path, key) if key in self.table else self.path)
        self.problems.add(type(origin)(origin.file, origin.line, self.where.origin(self.path).key), message)

    def read(self) -> Prior | None:
        if not self.is_table:
            self.fail(
                "a prior is a table such as { distribution = \"Normal\", mu = 0.3, sigma = 0.1, unit = ..., source = ... }, "
                f"got {shown(self.given)}"
            )
            return None
        laws = [key for key in LAWS if key in self.table]
        if not laws:
            self.fail(
                "a prior needs distribution, value or mixture (to change single numbers of an inherited prior, "
                "write them in [set] or use --set)"
                + (did_you_mean_law(self.table) if self.table else "")
            )
            return None
        if len(laws) > 1:
            self.fail(f"{' and '.join(laws)} exclude each other", laws[1])
            return None
        said = self.said()
        law = {"value": self.constant, "distribution": self.family, "mixture": self.mixture}[laws[0]]
        prior = law(said)
        return None if self.failed else prior

    def others(self) -> dict[str, Any]:
        """Keys that describe the law, not the unit, source and so on."""
        return {k: v for k, v in self.table.items() if k not in _SAID[self.place] and k not in LAWS}

    def said(self) -> dict[str, Any]:
        """Unit, source and the optional keys, checked."""
        said: dict[str, Any] = {"origin": self.where.origin(self.path)}
        for key in ("unit", "source", "note"):
            value = self.table.get(key, "")
            if not isinstance(value, str):
                self.fail(f"{key} must be text, got {shown(value)}", key)
            else:
                said[key] = value
        self.check_unit(said.get("unit"))
        constant_level = self.place == "level" and "value" in self.table
        if said.get("source", "?").strip() == "" and not constant_level:
            self.fail("source is missing: say where the numbers come from, or why you hold them", "source")
        judgement = self.table.get("judgement", False)
        if not isinstance(judgement, bool):
            self.fail(f"judgement must be true or false, got {shown(judgement)}", "judgement")
        said["judgement"] = judgement
        if "blocs" in self.table and "blocs" in _SAID[self.place]:
            said["blocs"] = self.blocs()
        if "per" in self.table and "per" in _SAID[self.place]:
            if self.table["per"] != "bloc":
                self.fail(f"per can only be \"bloc\", got {shown(self.table['per'])}", "per")
            said["per_bloc"] = True
        if "success" in self.table and "success" in _SAID[self.place]:
            said["success"] = self.success()
        return said

    def check_unit(self, unit: str | None) -> None:
        if unit is None:
            return
        if unit == "":
            self.fail("unit is missing", "unit")
            return
        try:
            parse_unit(unit)
        except UnknownUnit as error:
            self.fail(str(error), "unit")

    def blocs(self) -> tuple[str, ...] | None:
        blocs = self.table["blocs"]
        if not isinstance(blocs, list) or not blocs or not all(isinstance(b, str) for b in blocs):
            self.fail(f"blocs must be a list of blocs' names, got {shown(blocs)}", "blocs")
            return None
        if len(set(blocs)) < len(blocs):
            self.fail(f"blocs names one bloc twice: {shown(blocs)}", "blocs")
        return tuple(blocs)

    def success(self) -> float | None:
        rate = number(self.table["success"])
        if rate is None or not 0 < rate < 1:
            self.fail(f"success must be a rate between 0 and 1, got {shown(self.table['success'])}", "success")
            return None
        return rate

    def unknown(self, keys: list[str], valid: list[str]) -> None:
        for key in keys:
            if key in _WHERE and key not in _SAID[self.place]:
                self.fail(f"{key} has no meaning here: {_WHERE[key]}", key)
            else:
                self.fail(f"nothing reads the key {shown(key)}{did_you_mean(key, valid)}", key)

    def constant(self, said: dict[str, Any]) -> Prior | None:
        self.unknown(list(self.others()), ["value", *_SAID[self.place]])
        value = number(self.table["value"])
        if value is None or not math.isfinite(value):
            self.fail(f"value must be a finite number, got {shown(self.table['value'])}", "value")
            return None
        return Prior(CONSTANT, {"value": value}, **said) if not self.failed else None

    def family(self, said: dict[str, Any]) -> Prior | None:
        law = self.law(self.table["distribution"], self.others(), _SAID[self.place])
        if law is None or self.failed:
            return None
        family, params, quantiles = law
        return Prior(family.name, params, quantiles=quantiles, **said)

    def law(
        self, name: object, others: Mapping[str, Any], also: tuple[str, ...], within: str = ""
    ) -> tuple[Family, dict[str, float], dict[float, float]] | None:
        """Read a family with hyperparameters or quantiles; problems begin with `within`."""
        try:
            family = family_named(name)
        except ValueError as error:
            self.fail(f"{within}{error}", "distribution")
            return None
        named = {key: value for key, value in others.items() if quantile_level(key) is not None}
        params = {key: value for key, value in others.items() if key in family.names}
        known = (*family.names, *named)
        self.unknown([k for k in others if k not in known], [*family.names, "p05", "p50", "p95", *also])
        if named and params:
            self.fail(f"{within}give quantiles ({', '.join(named)}) or parameters ({', '.join(params)}), not both")
            return None
        if not named:
            found = family.problems(params)
            for message in found:
                self.fail(within + message, next((n for n in params if message.startswith(n + " ")), ""))
            return None if found else (family, family.complete(params), {})
        return self.fitted(family, named, within)

    def fitted(
        self, family: Family, named: Mapping[str, Any], within: str
    ) -> tuple[Family, dict[str, float], dict[float, float]] | None:
        quantiles: dict[float, float] = {}
        bad = [key for key, value in named.items() if number(value) is None or not math.isfinite(float(value))]
        for key in bad:
            self.fail(f"{within}{key} must be a finite number, got {shown(named[key])}", key)
        if bad:
            return None
        for key, value in named.items():
            level = quantile_level(key)
            if level is None or level in quantiles:
                self.fail(f"{within}{key} is given twice", key)
                return None
            quantiles[level] = float(value)
        try:
            params = fit_quantiles(family, quantiles)
        except FitError as error:
            self.fail(f"{within}{error}")
            return None
        return family, params, dict(sorted(quantiles.items()))

    def mixture(self, said: dict[str, Any]) -> Prior | None:
        self.unknown(list(self.others()), ["mixture", *_SAID[self.place]])
        parts = self.table["mixture"]
        if not isinstance(parts, list) or not parts:
            self.fail(
                f"mixture must be a list such as [{{ weight = 0.6, distribution = ... }}, ...], got {shown(parts)}",
                "mixture",
            )
            return None
        components = [self.component(part, i, said) for i, part in enumerate(parts)]
        weights = [weight for weight, _ in filter(None, components)]
        if self.failed:
            return None
        if abs(sum(weights) - 1) > 1e-6:
            self.fail(f"the weights of a mixture must sum to 1, these sum to {sum(weights):.6g}", "mixture")
        return Prior(MIXTURE, components=tuple(c for c in components if c), **said) if not self.failed else None

    def component(self, part: object, index: int, said: dict[str, Any]) -> tuple[float, Prior] | None:
        within = f"mixture[{index}]: "
        if not isinstance(part, dict):
            self.fail(f"{within}must be a table with weight and distribution, got {shown(part)}", "mixture")
            return None
        own = ("weight", "distribution", "source", "note")
        problem = hyperparameter_problem(_WEIGHT, part.get("weight")) if "weight" in part else ["weight is missing"]
        for message in problem:
            self.fail(within + message, "mixture")
        if "distribution" not in part:
            self.fail(f"{within}distribution is missing", "mixture")
            return None
        for key in ("source", "note"):
            if not isinstance(part.get(key, ""), str):
                self.fail(f"{within}{key} must be text, got {shown(part[key])}", "mixture")
        law = self.law(part["distribution"], {k: v for k, v in part.items() if k not in own}, own, within)
        if law is None or self.failed:
            return None
        family, params, quantiles = law
        prior = Prior(
            family.name,
            params,
            quantiles=quantiles,
            unit=said["unit"],
            source=part.get("source", ""),
            note=part.get("note", ""),
            origin=said["origin"],
        )
        return float(part["weight"]), prior


_WEIGHT = type(FAMILIES["Normal"].hyperparameters[1])("weight", "scale", positive=True)


def did_you_mean_law(table: Mapping[str, Any]) -> str:
    """Hint for a table whose ``distribution``, ``value`` or ``mixture`` is misspelt."""
    for key in table:
        near = did_you_mean(key, LAWS)
        if "did you mean" in near:
            return f"; {key!r}{near}"
    return ""
