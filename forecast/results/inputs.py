"""What went into a run, for people who read it later: evidence rows and priors, each with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from forecast.evidence import EvidenceTable, Row, row_to_json
from forecast.wording import shown

if TYPE_CHECKING:
    from forecast.model import Graph, Key
    from forecast.worldview import Milestone, Prior, ResolvedParameter

SCHEMA = "forecast.inputs/1"

THRESHOLDS = "thresholds"
"""Stands where a prior's driver does, for the thresholds of milestones."""

_FIGURE = (
    "name", "bloc", "date", "value", "unit", "low", "high", "level", "published", "source", "url", "note",
)  # fmt: skip

_KEYS = {
    "tables": ("driver", "table", "title", "description", "licence"),
    "evidence": ("driver", "table", "label", *_FIGURE, "fitted", "quantities"),
    "priors": ("driver", "name", "bloc", "epoch", "unit", "prior", "source", "judgement", "origin"),
}


def describe_inputs(
    history: Graph, milestones: Mapping[str, Milestone], thresholds: Mapping[str, Prior]
) -> dict[str, Any]:
    """List the evidence rows and the priors of a run.

    Parameters
    ----------
    history : Graph
        On the history grid: its measurement models say which rows they read.
    milestones, thresholds : mapping
        Of the worldview.

    Returns
    -------
    dict
        Plain types, schema ``forecast.inputs/1``. ``tables`` has each table's
        title and licence; ``evidence`` every row that was public by the as-of
        date, in its own unit; ``priors`` one entry for each number that has a
        prior, constants included. A row's ``label`` is the variable of
        ``results.nc`` that has it, and for a row on crossing dates the reason
        in ``draws.set_aside`` of the summary; empty where nothing reads it,
        which ``fitted`` says too.
    """
    spec = history.spec
    return {
        "schema": SCHEMA,
        "as_of": spec.as_of.isoformat(),
        "tables": [_table(driver, table) for (driver, _), table in spec.evidence.items()],
        "evidence": list(_evidence(history, milestones)),
        "priors": [
            *(_prior(THRESHOLDS, name, prior) for name, prior in thresholds.items()),
            *_priors(spec.parameters),
        ],
    }


def _table(driver: str, table: EvidenceTable) -> dict[str, Any]:
    spec = table.spec
    return {
        "driver": driver,
        "table": spec.name,
        "title": spec.title,
        "description": spec.description,
        "unit": spec.unit,
        "linear": spec.linear,
        "default_error": spec.default_error,
        "default_error_source": spec.default_error_source,
        "licence": spec.licence,
    }


def _evidence(history: Graph, milestones: Mapping[str, Milestone]) -> Iterator[dict[str, Any]]:
    reads = _readings(history, milestones)
    for (driver, name), table in history.spec.evidence.items():
        for row in table.rows:
            found = reads.get((driver, name, table.identity(row)), {})
            figure = row_to_json(row)
            yield {
                "driver": driver,
                "table": name,
                "label": next(iter(found), ""),
                **{key: figure[key] for key in _FIGURE},
                "fitted": bool(found),
                "labels": list(found),
                "quantities": sorted({one for quantities in found.values() for one in quantities}),
            }


def _readings(
    history: Graph, milestones: Mapping[str, Milestone]
) -> dict[tuple[Any, ...], dict[str, frozenset[str]]]:
    """What reads each row, by (driver, table, identity): labels, with the quantities behind each."""
    from forecast.projection import crossing_labels, weighed_rows

    found: dict[tuple[Any, ...], dict[str, frozenset[str]]] = {}

    def note(driver: str, table: str, rows: tuple[Row, ...], label: str, quantities: frozenset[str]) -> None:
        declared = history.spec.evidence[driver, table]
        for row in rows:
            found.setdefault((driver, table, declared.identity(row)), {})[label] = quantities

    for built in history.built:
        if built.observations is None:
            continue
        for likelihood in history.likelihoods:
            if likelihood.observations is built.observations:
                rows, label = built.observations.rows, likelihood.label
                note(built.term.driver, built.term.target, rows, label, built.quantities)
    for label, term in crossing_labels(history.spec, milestones).items():
        rows = weighed_rows(term, history.spec).rows
        note(term.driver, term.target, rows, label, frozenset())
    return found


def _priors(parameters: Mapping[Key, ResolvedParameter]) -> Iterator[dict[str, Any]]:
    for (driver, name), parameter in parameters.items():
        for key, prior in parameter.entries.items():
            yield _prior(driver, name, prior, bloc=key.bloc or None, epoch=key.epoch or None)


def _prior(
    driver: str, name: str, prior: Prior, *, bloc: str | None = None, epoch: str | None = None
) -> dict[str, Any]:
    sources = [prior.source, *(component.source for _, component in prior.components)]
    return {
        "driver": driver,
        "name": name,
        "bloc": bloc,
        "epoch": epoch,
        "unit": prior.unit,
        "prior": prior.summary(),
        "source": "; ".join(dict.fromkeys(source for source in sources if source)),
        "note": prior.note,
        "judgement": prior.judgement,
        "constant": prior.is_constant,
        "origin": prior.origin.place,
    }


def inputs_damage(found: Mapping[str, Any]) -> str | None:
    """Say what is wrong with an ``inputs.json`` that was read; None if nothing is.

    Keys that this version does not know are left alone.
    """
    if found.get("schema") != SCHEMA:
        return f"its schema is {found.get('schema')!r}, and this version reads {SCHEMA!r}"
    for key, wanted in _KEYS.items():
        entries = found.get(key)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            return f"{key} is no list of tables"
        for place, entry in enumerate(entries):
            missing = [name for name in wanted if name not in entry]
            if missing:
                return f"{key}[{place}] lacks {', '.join(missing)}"
            for name in wanted:
                if not _is_kind(name, entry[name]):
                    return f"{key}[{place}] {name} is {shown(entry[name])}"
    return None


def _is_kind(name: str, value: object) -> bool:
    """Whether a value is what its key holds: a number, yes or no, names, a day, or text."""
    if name in ("fitted", "judgement"):
        return isinstance(value, bool)
    if name == "quantities":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if name in ("value", "low", "high", "level"):
        return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    if name in ("date", "published") and isinstance(value, str) and value:
        try:
            date.fromisoformat(value)
        except ValueError:
            return False
    return value is None or isinstance(value, str)
