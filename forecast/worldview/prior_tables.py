"""From a prior's table in a file to a ``Prior``, with every problem of the table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from forecast.units import UnknownUnit, parse_unit
from forecast.wording import did_you_mean, shown
from forecast.worldview.families import FAMILIES, number
from forecast.worldview.laws import read_law
from forecast.worldview.origins import Locator, Origin, Problems
from forecast.worldview.priors import CONSTANT, MIXTURE, Prior
from forecast.worldview.quantile_fit import quantile_level
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
_ELSEWHERE = {
    "blocs": "a threshold holds for every bloc",
    "per": "which parameters differ by bloc is the driver's to say; write [priors.<driver>.by_bloc.<bloc>]",
    "success": "only a threshold has a success rate",
}
_COMPONENT = ("weight", "distribution", "label", "source", "note")
_EXAMPLE = '{ distribution = "Normal", mu = 0.3, sigma = 0.1, unit = ..., source = ... }'


def is_whole(table: Mapping[str, Any]) -> bool:
    """Whether a table states a prior, rather than single keys of one."""
    return any(key in table for key in LAWS)


def prior_keys() -> list[str]:
    """Return all keys that some prior may have; of the quantiles, the usual ones."""
    names = {name for family in FAMILIES.values() for name in family.names}
    return sorted(
        {*LAWS, *_SAID["driver"], "success", "p05", "p10", "p25", "p50", "p75", "p90", "p95", *names}
    )


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
    if not isinstance(table, dict):
        problems.add(where.origin(path), f"a prior is a table such as {_EXAMPLE}, got {shown(table)}")
        return None
    return _Reader(table, path, where, problems, place).read()


class _Reader:
    """Reads one table; `failed` is set by the first problem."""

    def __init__(
        self, table: dict[str, Any], path: Path, where: Locator, problems: Problems, place: Place
    ) -> None:
        self.table, self.path, self.where, self.problems = table, path, where, problems
        self.valid = _SAID[place]
        # A plain number in a condition, such as 10^26 FLOP, needs no source: it defines the milestone.
        self.needs_source = not (place == "level" and "value" in table)
        self.failed = False

    def fail(self, message: str, key: str = "") -> None:
        """Record a problem, at the line of `key` where the table spreads over several lines."""
        self.failed = True
        prior = self.where.origin(self.path)
        place = self.where.origin((*self.path, key)) if key in self.table else prior
        self.problems.add(Origin(place.file, place.line, prior.key), message)

    def read(self) -> Prior | None:
        laws = [key for key in LAWS if key in self.table]
        if not laws:
            self.fail(
                "a prior needs distribution, value or mixture (to change single numbers of an inherited "
                f"prior, write them in [set] or use --set){_misspelt_law(self.table)}"
            )
        elif len(laws) > 1:
            self.fail(f"{' and '.join(laws)} exclude each other", laws[1])
        else:
            said = self.said()
            others = {k: v for k, v in self.table.items() if k not in self.valid and k not in LAWS}
            others = {k: v for k, v in others.items() if not self.is_elsewhere(k)}
            if laws[0] == "distribution":
                prior = self.family(said, others)
            else:
                self.refuse(others, [laws[0], *self.valid])
                prior = self.constant(said) if laws[0] == "value" else self.mixture(said)
            return None if self.failed else prior
        return None

    def is_elsewhere(self, key: str) -> bool:
        """Refuse a key that priors of another place have, and say so."""
        if key not in _ELSEWHERE:
            return False
        self.fail(f"{key} has no meaning here: {_ELSEWHERE[key]}", key)
        return True

    def refuse(self, keys: Iterable[str], valid: list[str]) -> None:
        for key in keys:
            self.fail(f"nothing reads the key {shown(key)}{did_you_mean(key, valid)}", key)

    def said(self) -> dict[str, Any]:
        """Read unit, source and the optional keys."""
        said: dict[str, Any] = {"origin": self.where.origin(self.path)}
        said |= {key: self.text(key) for key in ("unit", "source", "note")}
        if isinstance(self.table.get("unit", ""), str):
            self.check_unit(said["unit"])
        if self.needs_source and isinstance(self.table.get("source", ""), str) and not said["source"].strip():
            self.fail("source is missing: say where the numbers come from, or why you hold them", "source")
        judgement = self.table.get("judgement", False)
        if not isinstance(judgement, bool):
            self.fail(f"judgement must be true or false, got {shown(judgement)}", "judgement")
        said["judgement"] = judgement
        present = [key for key in self.valid if key in self.table]
        if "blocs" in present:
            said["blocs"] = self.blocs()
        if "per" in present:
            if self.table["per"] != "bloc":
                self.fail(f'per can only be "bloc", got {shown(self.table["per"])}', "per")
            said["per_bloc"] = True
        if "success" in present:
            said["success"] = self.success()
        return said

    def text(self, key: str) -> str:
        value = self.table.get(key, "")
        if isinstance(value, str):
            return value
        self.fail(f"{key} must be text, got {shown(value)}", key)
        return ""

    def check_unit(self, unit: str) -> None:
        if not unit:
            self.fail("unit is missing", "unit")
            return
        try:
            parse_unit(unit)
        except UnknownUnit as error:
            self.fail(str(error), "unit")

    def blocs(self) -> tuple[str, ...] | None:
        blocs = self.table["blocs"]
        if not isinstance(blocs, list) or not blocs or not all(isinstance(bloc, str) for bloc in blocs):
            self.fail(f"blocs must be a list of blocs' names, got {shown(blocs)}", "blocs")
            return None
        if len(set(blocs)) < len(blocs):
            self.fail(f"blocs names one bloc twice: {shown(blocs)}", "blocs")
        return tuple(blocs)

    def success(self) -> float | None:
        rate = number(self.table["success"])
        if rate is None or not 0 < rate < 1:
            self.fail(
                f"success must be a rate between 0 and 1, got {shown(self.table['success'])}", "success"
            )
            return None
        return rate

    def constant(self, said: dict[str, Any]) -> Prior | None:
        value = number(self.table["value"])
        if value is None or not math.isfinite(value):
            self.fail(f"value must be a finite number, got {shown(self.table['value'])}", "value")
            return None
        return Prior(CONSTANT, {"value": value}, **said)

    def family(self, said: dict[str, Any], others: Mapping[str, Any]) -> Prior | None:
        law = read_law(self.table["distribution"], others, self.valid, self.fail)
        return Prior(law.family.name, law.params, quantiles=law.quantiles, **said) if law else None

    def mixture(self, said: dict[str, Any]) -> Prior | None:
        parts = self.table["mixture"]
        if not isinstance(parts, list) or not parts:
            example = "[{ weight = 0.6, distribution = ... }, ...]"
            self.fail(f"mixture must be a list such as {example}, got {shown(parts)}", "mixture")
            return None
        components = [self.component(part, index, said) for index, part in enumerate(parts)]
        whole = tuple(component for component in components if component is not None)
        total = sum(weight for weight, _ in whole)
        if len(whole) == len(parts) and abs(total - 1) > 1e-6:
            self.fail(f"the weights of a mixture must sum to 1, these sum to {total:.6g}", "mixture")
        return Prior(MIXTURE, components=whole, **said)

    def component(self, part: object, index: int, said: dict[str, Any]) -> tuple[float, Prior] | None:
        sound = True

        def fail(message: str, key: str = "") -> None:
            nonlocal sound
            sound = False
            self.fail(f"mixture[{index}]: {message}", "mixture")

        if not isinstance(part, dict):
            fail(f"must be a table with weight and distribution, got {shown(part)}")
            return None
        weight = number(part.get("weight"))
        if weight is None or not 0 < weight <= 1:
            fail(f"weight must be a share between 0 and 1, got {shown(part.get('weight'))}")
        for key in ("label", "source", "note"):
            if not isinstance(part.get(key, ""), str):
                fail(f"{key} must be text, got {shown(part[key])}")
        if "distribution" not in part:
            fail("distribution is missing")
            return None
        keys = {key: value for key, value in part.items() if key not in _COMPONENT}
        law = read_law(part["distribution"], keys, _COMPONENT, fail)
        if law is None or not sound or weight is None:
            return None
        texts = {"unit": said["unit"]} | {key: part.get(key, "") for key in ("label", "source", "note")}
        prior = Prior(law.family.name, law.params, quantiles=law.quantiles, origin=said["origin"], **texts)
        return weight, prior


def _misspelt_law(table: Mapping[str, Any]) -> str:
    """Hint for a table whose ``distribution``, ``value`` or ``mixture`` is misspelt."""
    for key in table:
        near = did_you_mean(key, LAWS)
        if "did you mean" in near:
            return f"; {shown(key)}{near}"
    return ""
