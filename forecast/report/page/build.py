"""The sections of a page, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from forecast.report.page.beliefs import again, beliefs, evidence
from forecast.report.page.checks import diagnostics
from forecast.report.page.growth import growth
from forecast.report.page.material import Block, Brought, Material
from forecast.report.page.outcome import dates, headline
from forecast.report.page.paths import quantities
from forecast.report.page.render import compile_templates, rendered
from forecast.report.page.sensitivity import sensitivity
from forecast.report.page.told import claims, plugins, scenarios
from forecast.report.page.worlds import worlds

if TYPE_CHECKING:
    from forecast.results import StoredRun

ORDER = (
    "answer", "dates", "worlds", "quantities", "growth", "claims", "scenarios", "sensitivity", "diagnostics",
    "priors", "plugins", "evidence", "again",
)  # fmt: skip
"""Sections from the top of the page to its end."""

OWN: Mapping[str, Callable[[Material], Block]] = {
    "dates": dates,
    "worlds": worlds,
    "quantities": quantities,
    "growth": growth,
    "priors": beliefs,
    "evidence": evidence,
    "again": again,
}
"""What makes the sections that a run's files suffice for; one that has nothing to show says why."""

TOLD: Mapping[str, Callable[[Material, Brought], Block]] = {
    "answer": headline,
    "claims": claims,
    "scenarios": scenarios,
    "sensitivity": sensitivity,
    "diagnostics": diagnostics,
    "plugins": plugins,
}
"""What makes the others."""


def page(stored: StoredRun, brought: Brought | Callable[[], Brought] | None = None) -> str:
    """Write a run as one HTML page.

    Parameters
    ----------
    stored : StoredRun
    brought : Brought or callable, optional
        What was found in the run by parts that this one does not import; or
        what gives it, called when all else is made, so that it may be
        computed meanwhile.

    Returns
    -------
    str
        A whole document that needs nothing else. All text of prior files,
        evidence and plugins is escaped.

    Raises
    ------
    ForecastError
        A file of the run is damaged.
    """
    material = Material(stored)
    blocks = {name: make(material) for name, make in OWN.items()}
    compile_templates()  # before what is brought, which may not be there yet
    found = brought() if callable(brought) else brought or Brought()
    blocks |= {name: make(material, found) for name, make in TOLD.items()}
    return rendered(material, [blocks[name] for name in ORDER])
