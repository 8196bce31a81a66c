"""Milestones: trees of conditions ``quantity >= threshold``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any as Anything
from typing import TypeAlias

from forecast.wording import did_you_mean, shown
from forecast.worldview.families import number
from forecast.worldview.origins import Locator, Origin, Problems
from forecast.worldview.prior_tables import read_prior
from forecast.worldview.priors import Prior
from forecast.worldview.toml_lines import Path

NODE_KEYS = ("all", "any", "mixture", "quantity", "at_least")
_DEPTH = 20
_PREFIX = "thresholds."


@dataclass(frozen=True)
class Condition:
    """A quantity reaches a threshold.

    Attributes
    ----------
    quantity : str
    threshold : str or Prior
        Name of one of the worldview's thresholds, or a prior (a constant, for a
        plain number) written in place.
    origin : Origin
        Not compared.
    """

    quantity: str
    threshold: str | Prior
    origin: Origin = field(default=Origin(""), compare=False)

    def leaves(self) -> Iterator[Condition]:
        """Yield itself."""
        yield self

    def to_toml(self) -> dict[str, Anything]:
        """Return the table of a prior file."""
        level = self.threshold if isinstance(self.threshold, Prior) else f"{_PREFIX}{self.threshold}"
        return {"quantity": self.quantity, "at_least": level.to_toml_table() if isinstance(level, Prior) else level}


@dataclass(frozen=True)
class All:
    """Holds while all of its conditions hold."""

    conditions: tuple[Node, ...]

    def leaves(self) -> Iterator[Condition]:
        """Yield the conditions at the tips, in order."""
        for node in self.conditions:
            yield from node.leaves()

    def to_toml(self) -> dict[str, Anything]:
        """Return the table of a prior file."""
        return {"all": [node.to_toml() for node in self.conditions]}


@dataclass(frozen=True)
class Any:
    """Holds while any of its conditions holds."""

    conditions: tuple[Node, ...]

    def leaves(self) -> Iterator[Condition]:
        """Yield the conditions at the tips, in order."""
        for node in self.conditions:
            yield from node.leaves()

    def to_toml(self) -> dict[str, Anything]:
        """Return the table of a prior file."""
        return {"any": [node.to_toml() for node in self.conditions]}


@dataclass(frozen=True)
class Mixture:
    """In each draw one of its conditions counts, chosen with these weights (sum 1)."""

    components: tuple[tuple[float, Node], ...]

    def leaves(self) -> Iterator[Condition]:
        """Yield the conditions at the tips, in order."""
        for _, node in self.components:
            yield from node.leaves()

    def to_toml(self) -> dict[str, Anything]:
        """Return the table of a prior file."""
        return {"mixture": [{"weight": weight, **node.to_toml()} for weight, node in self.components]}


Node: TypeAlias = All | Any | Mixture | Condition


@dataclass(frozen=True)
class Milestone:
    """A named event: a bloc crosses it at the first moment its condition holds.

    Attributes
    ----------
    name : str
    title : str
    condition : All, Any, Mixture or Condition
    not_yet_crossed : bool
        Draws in which a bloc crossed it by the as-of date are set aside.
    unreachable : float
        Probability that no level suffices.
    """

    name: str
    title: str
    condition: Node
    not_yet_crossed: bool = False
    unreachable: float = 0.0

    def conditions(self) -> list[Condition]:
        """Return all conditions at the tips of the tree, in order."""
        return list(self.condition.leaves())

    def to_toml(self) -> dict[str, Anything]:
        """Return the table of a prior file."""
        return {
            "title": self.title,
            "not_yet_crossed": self.not_yet_crossed,
            "unreachable": self.unreachable,
            **self.condition.to_toml(),
        }


def read_node(table: object, path: Path, where: Locator, problems: Problems, depth: int = 0) -> Node | None:
    """Read a condition or a tree of them.

    Parameters
    ----------
    table : object
        As read from TOML; keys that are not a node's are the caller's to check.
    path : tuple
        Where it stands.
    where, problems
        As for :func:`forecast.worldview.prior_tables.read_prior`.

    Returns
    -------
    All, Any, Mixture, Condition or None
        None if there was any problem.
    """

    def fail(message: str, at: Path = path) -> None:
        problems.add(where.origin(at), message)

    if not isinstance(table, dict):
        return fail(f"a condition is a table such as {{ quantity = ..., at_least = ... }}, got {shown(table)}")
    if depth > _DEPTH:
        return fail(f"conditions are nested more than {_DEPTH} deep")
    kinds = [key for key in ("all", "any", "mixture", "quantity") if key in table]
    if not kinds:
        return fail("a condition needs all, any, mixture, or quantity and at_least")
    if len(kinds) > 1 or (kinds[0] != "quantity" and "at_least" in table):
        kinds += ["at_least"] * ("at_least" in table and len(kinds) == 1)
        return fail(f"{' and '.join(kinds)} exclude each other: put one inside the other")
    if kinds == ["quantity"]:
        return _read_condition(table, path, where, problems)
    kind = kinds[0]
    items = table[kind]
    if not isinstance(items, list) or not items:
        return fail(f"must be a list of at least one condition, got {shown(items)}", (*path, kind))
    nodes: list[Node | None] = []
    weights: list[float] = []
    for i, item in enumerate(items):
        at = (*path, kind, i)
        own = dict(item) if isinstance(item, dict) else item
        if kind == "mixture" and isinstance(own, dict):
            weights.append(_read_weight(own, at, where, problems))
        if isinstance(own, dict):
            for key in own:
                if key not in NODE_KEYS:
                    fail(f"nothing reads the key {shown(key)}{did_you_mean(key, NODE_KEYS)}", at)
        nodes.append(read_node(own, at, where, problems, depth + 1))
    if kind == "mixture" and len(weights) == len(items) and all(weights) and abs(sum(weights) - 1) > 1e-6:
        return fail(f"the weights of a mixture must sum to 1, these sum to {sum(weights):.6g}", (*path, kind))
    whole = [node for node in nodes if node is not None]
    if len(whole) < len(nodes) or (kind == "mixture" and not all(weights)):
        return None
    if kind == "mixture":
        return Mixture(tuple(zip(weights, whole, strict=True)))
    return All(tuple(whole)) if kind == "all" else Any(tuple(whole))


def _read_weight(table: dict[str, Anything], path: Path, where: Locator, problems: Problems) -> float:
    """Take the weight out of a component; 0 if there was any problem."""
    given = table.pop("weight", None)
    weight = number(given)
    if given is None:
        problems.add(where.origin(path), "weight is missing")
    elif weight is None or not 0 < weight <= 1:
        problems.add(where.origin((*path, "weight")), f"weight must be a share between 0 and 1, got {shown(given)}")
    else:
        return weight
    return 0.0


def _read_condition(
    table: Mapping[str, Anything], path: Path, where: Locator, problems: Problems
) -> Condition | None:
    quantity, level = table["quantity"], table.get("at_least")
    at = (*path, "at_least")
    threshold: str | Prior | None = None
    if not isinstance(quantity, str) or not quantity:
        problems.add(where.origin((*path, "quantity")), f"quantity must be a name, got {shown(quantity)}")
    if level is None:
        problems.add(where.origin(path), "at_least is missing")
    elif isinstance(level, str):
        threshold = level.removeprefix(_PREFIX)
        if not level.startswith(_PREFIX):
            threshold = None
            problems.add(where.origin(at), f'at_least must name a threshold as "thresholds.<name>", got {shown(level)}')
    elif isinstance(level, dict):
        threshold = read_prior(level, at, where, problems, "level")
    else:
        problems.add(
            where.origin(at),
            f'at_least must be "thresholds.<name>" or a table such as {{ value = 1e27, unit = "FLOP" }}, got {shown(level)}',
        )
    if threshold is None or not isinstance(quantity, str) or not quantity:
        return None
    return Condition(quantity, threshold, where.origin(path))
