"""Milestones: trees of conditions ``quantity >= threshold``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any as Anything

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
        return {
            "quantity": self.quantity,
            "at_least": level.to_toml_table() if isinstance(level, Prior) else level,
        }


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


type Node = All | Any | Mixture | Condition


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
    announced_after : str
        A quantity in years: how long a model that crosses has existed inside
        its laboratory before the world sees it. Blank where nothing is said.
    """

    name: str
    title: str
    condition: Node
    not_yet_crossed: bool = False
    unreachable: float = 0.0
    announced_after: str = ""

    def conditions(self) -> list[Condition]:
        """Return all conditions at the tips of the tree, in order."""
        return list(self.condition.leaves())

    def to_toml(self) -> dict[str, Anything]:
        """Return the table of a prior file."""
        return {
            "title": self.title,
            "not_yet_crossed": self.not_yet_crossed,
            "unreachable": self.unreachable,
            **({"announced_after": self.announced_after} if self.announced_after else {}),
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
    depth : int
        How many conditions it is inside of.

    Returns
    -------
    All, Any, Mixture, Condition or None
        None if there was any problem.
    """
    problem = _shape_problem(table, depth)
    if problem:
        problems.add(where.origin(path), problem)
        return None
    assert isinstance(table, dict)
    if "quantity" in table:
        return _read_condition(table, path, where, problems)
    kind = next(key for key in NODE_KEYS if key in table)
    items = table[kind]
    if not isinstance(items, list) or not items:
        message = f"must be a list of at least one condition, got {shown(items)}"
        problems.add(where.origin((*path, kind)), message)
        return None
    if kind == "mixture":
        return _read_mixture(items, (*path, kind), where, problems, depth)
    nodes = [_read_item(item, (*path, kind, i), where, problems, depth) for i, item in enumerate(items)]
    whole = tuple(node for node in nodes if node is not None)
    if len(whole) < len(nodes):
        return None
    return All(whole) if kind == "all" else Any(whole)


def _shape_problem(table: object, depth: int) -> str | None:
    if not isinstance(table, dict):
        return f"a condition is a table such as {{ quantity = ..., at_least = ... }}, got {shown(table)}"
    if depth > _DEPTH:
        return f"conditions are nested more than {_DEPTH} deep"
    kinds = [key for key in ("all", "any", "mixture", "quantity") if key in table]
    if not kinds:
        return "a condition needs all, any, mixture, or quantity and at_least"
    if "quantity" not in kinds and "at_least" in table:
        kinds.append("at_least")
    return f"{' and '.join(kinds)} exclude each other: put one inside the other" if len(kinds) > 1 else None


def _read_item(item: object, path: Path, where: Locator, problems: Problems, depth: int) -> Node | None:
    for key in item if isinstance(item, dict) else ():
        if key not in NODE_KEYS:
            message = f"nothing reads the key {shown(key)}{did_you_mean(key, NODE_KEYS)}"
            problems.add(where.origin((*path, key)), message)
    return read_node(item, path, where, problems, depth + 1)


def _read_mixture(
    items: list[Anything], path: Path, where: Locator, problems: Problems, depth: int
) -> Mixture | None:
    weights: list[float] = []
    nodes: list[Node | None] = []
    for i, item in enumerate(items):
        component = dict(item) if isinstance(item, dict) else item
        weights.append(_read_weight(component, (*path, i), where, problems))
        nodes.append(_read_item(component, (*path, i), where, problems, depth))
    whole = [node for node in nodes if node is not None]
    if not all(weights) or len(whole) < len(nodes):
        return None
    if abs(sum(weights) - 1) > 1e-6:
        message = f"the weights of a mixture must sum to 1, these sum to {sum(weights):.6g}"
        problems.add(where.origin(path), message)
        return None
    return Mixture(tuple(zip(weights, whole, strict=True)))


def _read_weight(component: object, path: Path, where: Locator, problems: Problems) -> float:
    """Take the weight out of a component; 0 if there was any problem."""
    if not isinstance(component, dict):
        return 0.0  # said by whoever reads the condition
    given = component.pop("weight", None)
    weight = number(given)
    if given is None:
        problems.add(where.origin(path), "weight is missing")
    elif weight is None or not 0 < weight <= 1:
        message = f"weight must be a share between 0 and 1, got {shown(given)}"
        problems.add(where.origin((*path, "weight")), message)
    else:
        return weight
    return 0.0


def _read_condition(
    table: Mapping[str, Anything], path: Path, where: Locator, problems: Problems
) -> Condition | None:
    quantity, level = table["quantity"], table.get("at_least")
    named = isinstance(quantity, str) and quantity != ""
    if not named:
        problems.add(where.origin((*path, "quantity")), f"quantity must be a name, got {shown(quantity)}")
    threshold = _read_level(level, (*path, "at_least"), where, problems)
    if not named or threshold is None:
        return None
    return Condition(quantity, threshold, where.origin((*path, "quantity")))


def _read_level(level: object, path: Path, where: Locator, problems: Problems) -> str | Prior | None:
    """Read ``at_least``: the name of a threshold, or a prior in place."""
    if isinstance(level, dict):
        return read_prior(level, path, where, problems, "level")
    if isinstance(level, str) and level.startswith(_PREFIX):
        return level.removeprefix(_PREFIX)
    if level is None:
        problems.add(where.origin(path), "at_least is missing")
    else:
        message = (
            'must be "thresholds.<name>" or a table such as { value = 1e27, unit = "FLOP" }, '
            f"got {shown(level)}"
        )
        problems.add(where.origin(path), message)
    return None
