"""The sections of a page, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from forecast.report.page.material import Block, Brought, Material
from forecast.report.page.outcome import dates, headline
from forecast.report.page.render import rendered
from forecast.report.page.worlds import worlds

if TYPE_CHECKING:
    from forecast.results import StoredRun

SECTIONS: Sequence[Callable[[Material], Block]] = (headline, dates, worlds)
"""What makes each section; one that has nothing to show says why."""


def page(stored: StoredRun, brought: Brought | None = None) -> str:
    """Write a run as one HTML page.

    Parameters
    ----------
    stored : StoredRun
    brought : Brought, optional
        What was found in the run by parts that this one does not import.

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
    material = Material(stored, brought or Brought())
    return rendered(material, [section(material) for section in SECTIONS])
