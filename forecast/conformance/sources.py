"""The check that every number is cited and has a unit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forecast.conformance.report import count, fail_if
from forecast.conformance.subject import Subject
from forecast.evidence import EvidenceTable
from forecast.units import UnitError, parse_unit
from forecast.worldview import ParameterPriors, Prior

ADDRESS = re.compile(r"https?://\w|\bdoi:\s*10\.|\b10\.\d{4,}/\w|\barxiv:\s*\d", re.IGNORECASE)
YEAR = re.compile(r"\b(19|20)\d\d\b")
BY_MEANING = re.compile(r"\bby (definition|construction)\b", re.IGNORECASE)
WORDS = 4
"""A judgement says why in at least so many words."""


def priors_cited(subject: Subject) -> str:
    """Every prior and every evidence row has a unit and says where it comes from.

    A source has an address, a DOI or a citation with its year; or the prior is
    marked ``judgement = true`` and says why in words; or it says that it is so
    by definition or by construction (a zero that others are measured from, a
    standard normal that is scaled elsewhere). Rows have source, address and
    day of publication.
    """
    driver = subject.driver
    problems = [problem for one in driver.parameters for problem in _of_parameter(one)]
    problems += [problem for table in driver.evidence.values() for problem in _of_table(table)]
    fail_if(problems)
    priors = sum(1 for one in driver.parameters for _ in _priors(one))
    rows = sum(len(table) for table in driver.evidence.values())
    return (
        f"{count(priors, 'prior')} and {count(rows, 'evidence row')} have a unit and say where they come from"
    )


def _priors(one: ParameterPriors) -> Iterator[tuple[str, Prior]]:
    if one.general is not None:
        yield one.name, one.general
    for kind, slots in (("by_bloc", one.by_bloc), ("by_epoch", one.by_epoch)):
        for label, prior in slots.items():
            yield f"{kind}.{label}.{one.name}", prior


def _of_parameter(one: ParameterPriors) -> Iterator[str]:
    for where, prior in _priors(one):
        yield from _unit(where, prior.unit)
        if _says_where(prior):
            continue
        if prior.judgement:
            yield f"{where}: a judgement needs words that say why, got source = {prior.source!r}"
        else:
            yield (
                f"{where}: the source {prior.source!r} has neither an address nor a year; cite who says so, "
                "where and when, or write judgement = true and why you hold it"
            )
    # A component without words of its own stands on the mixture's.
    for where, prior in _priors(one):
        for _, part in prior.components:
            if part.source and not _says_where(part) and not prior.judgement:
                yield f"{where}: the component {part.label or part.summary()} has the source {part.source!r}"


def _says_where(prior: Prior) -> bool:
    if prior.judgement and len(prior.source.split()) >= WORDS:
        return True
    return any(pattern.search(prior.source) for pattern in (ADDRESS, YEAR, BY_MEANING))


def _of_table(table: EvidenceTable) -> Iterator[str]:
    for unit in table.spec.units:
        yield from _unit(f"evidence table {table.name!r}", unit)
    for row in table.rows:
        where = f"{table.path}:{row.line}"
        if not row.source.strip():
            yield f"{where}: source is missing"
        if not ADDRESS.search(row.url):
            yield f"{where}: url must be an address, got {row.url!r}"
        if row.published is None:
            yield f"{where}: published is missing"


def _unit(where: str, unit: str) -> Iterator[str]:
    try:
        parse_unit(unit)
    except UnitError as error:
        yield f"{where}: {error}"
