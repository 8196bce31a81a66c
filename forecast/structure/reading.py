"""Find how a loaded model fits together, by building it: only that says what a term reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from forecast.host import Host
from forecast.model import BuiltTerm, Graph, Key, Spec, build_graph
from forecast.projection import check_milestones, weighed_rows
from forecast.spec import make_spec
from forecast.structure.parts import (
    DriverPart,
    EvidencePart,
    MilestonePart,
    QuantityPart,
    Structure,
    TermPart,
)
from forecast.worldview import Any as AnyOf
from forecast.worldview import Condition, Milestone, Mixture, Prior, Worldview

READING = ("observation", "crossing")
"""Kinds of terms that read evidence."""


def structure_of(worldview: Worldview, host: Host) -> Structure:
    """Describe how the drivers of a host fit together under a worldview.

    Parameters
    ----------
    worldview : Worldview
    host : Host

    Returns
    -------
    Structure

    Raises
    ------
    PluginError, InputError
        The drivers or the worldview do not give a model; as for a run.
    """
    graph = build_graph(make_spec(worldview, host), worldview.horizon, projecting=True)
    check_milestones(worldview.milestones, worldview.thresholds, graph.quantities, graph.spec.left_out)
    order = {term.build: position for position, term in enumerate(graph.spec.terms)}
    built = sorted(graph.built, key=lambda one: (one.term.kind != "base", order[one.term.build]))
    return Structure(
        worldview=worldview.name,
        title=worldview.title or worldview.name,
        as_of=worldview.as_of.isoformat(),
        drivers=tuple(_driver(name, host, graph, built) for name in sorted(host.drivers)),
        quantities=tuple(_quantity(name, graph, built) for name in sorted(graph.quantities)),
        evidence=tuple(
            _evidence(key, host, graph.spec, worldview.milestones, built)
            for key in sorted(
                {(term.driver, term.target) for term in graph.spec.terms if term.kind in READING}
            )
        ),
        milestones=tuple(
            _milestone(name, one, worldview.thresholds) for name, one in worldview.milestones.items()
        ),
    )


# Parts -------------------------------------------------------------------------------------


def _driver(name: str, host: Host, graph: Graph, built: list[BuiltTerm]) -> DriverPart:
    driver = host.drivers[name].driver
    mine = [one for one in built if one.term.driver == name]
    return DriverPart(
        name=name,
        title=driver.title or name.replace("-", " "),
        distribution=host.distribution_of(name),
        parameters=tuple(sorted(priors.name for priors in driver.parameters)),
        reads=_names(q for one in mine for q in one.quantities if graph.quantities[q].owner != name),
        reads_parameters=_dotted(key for one in mine for key in one.parameters if key[0] != name),
    )


def _quantity(name: str, graph: Graph, built: list[BuiltTerm]) -> QuantityPart:
    quantity = graph.quantities[name]
    return QuantityPart(
        name=name,
        title=quantity.title,
        driver=quantity.owner,
        unit=quantity.unit,
        scale="" if quantity.states else quantity.scale,
        states=quantity.states,
        terms=tuple(_term(one) for one in built if one.observations is None and one.term.target == name),
    )


def _term(one: BuiltTerm) -> TermPart:
    assert one.term.kind != "observation" and one.term.kind != "crossing"
    return TermPart(
        driver=one.term.driver,
        kind=one.term.kind,
        name=str(getattr(one.term.build, "__name__", one.term.target)),
        channel=one.term.channel,
        reads=_names(one.quantities),
        reads_parameters=_dotted(one.parameters),
    )


def _evidence(
    key: Key, host: Host, spec: Spec, milestones: Mapping[str, Milestone], built: list[BuiltTerm]
) -> EvidencePart:
    driver, table = key
    declared = host.evidence()[key]
    mine = [
        one for one in built if (one.term.driver, one.term.target) == key and one.observations is not None
    ]
    weighing = [
        term
        for term in spec.terms
        if term.kind == "crossing" and (term.driver, term.target) == key and term.milestone in milestones
    ]
    rows = [row for one in mine for row in (one.observations.rows if one.observations else ())]
    rows += [row for term in weighing for row in weighed_rows(term, spec).rows]
    measures = _names(name for one in mine for name in one.quantities)
    parameters = {found for one in mine for found in one.parameters}
    return EvidencePart(
        driver=driver,
        table=table,
        title=declared.spec.title or table,
        # A row that two measurement models use is one row.
        rows=len({(row.line, row.bloc, row.name, row.date, row.published, row.source) for row in rows}),
        of=len(declared),
        measures=measures,
        informs=() if measures else _names(_with_parameter(parameters, built)),
        dates=tuple(dict.fromkeys(term.milestone for term in weighing)),
        reads_parameters=_dotted(parameters),
    )


def _with_parameter(parameters: Collection[Key], built: list[BuiltTerm]) -> list[str]:
    """Quantities with a term that reads one of these parameters."""
    return [
        one.term.target
        for one in built
        if one.observations is None and not one.parameters.isdisjoint(parameters)
    ]


def _milestone(name: str, milestone: Milestone, thresholds: Mapping[str, Prior]) -> MilestonePart:
    return MilestonePart(
        name=name,
        title=milestone.title or name.replace("_", " "),
        condition=milestone.condition.to_toml(),
        lines=tuple(_lines(milestone.condition, thresholds)),
        reads=tuple(dict.fromkeys(leaf.quantity for leaf in milestone.conditions())),
        announced_after=milestone.announced_after,
        not_yet_crossed=milestone.not_yet_crossed,
        unreachable=milestone.unreachable,
    )


def _lines(
    node: Any, thresholds: Mapping[str, Prior], depth: int = 0, before: str = ""
) -> list[tuple[int, str]]:
    if isinstance(node, Condition):
        prior = thresholds[node.threshold] if isinstance(node.threshold, str) else node.threshold
        level = re.sub(r"e\+?(-?)0*", r"e\1", f"{prior.centre():.4g}")
        about = "" if prior.is_constant else " (median)"
        return [(depth, f"{before}{node.quantity} ≥ {level} {prior.unit}{about}")]
    if isinstance(node, Mixture):
        parts = [(f"{weight:.0%} ", part) for weight, part in node.components]
        joint = "in each draw one of"
    else:
        parts = [("", part) for part in node.conditions]
        joint = "any of" if isinstance(node, AnyOf) else "all of"
    found = [(depth, before + joint)]
    for weight, part in parts:
        found += _lines(part, thresholds, depth + 1, weight)
    return found


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def _dotted(keys: Iterable[Key]) -> tuple[str, ...]:
    return _names(".".join(key) for key in keys)
