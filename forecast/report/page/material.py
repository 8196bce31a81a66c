"""What a page is made of: a stored run, and what others found in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forecast.report.page.chart import Chart, bloc_tokens
from forecast.results import default_milestone
from forecast.results.summary import milestone_names
from forecast.results.trajectories import NotAvailable, Trajectories

if TYPE_CHECKING:
    import xarray as xr

    from forecast.report.sections import Section
    from forecast.results import StoredRun
    from forecast.worldview import Worldview


_NO_INPUTS = "This run does not list its evidence and priors: it was made by an earlier version of forecast."


@dataclass(frozen=True)
class Brought:
    """What was found in a run by parts that the report does not know, each as plain types.

    Attributes
    ----------
    diagnosis, sensitivity, claims : mapping or None
        As ``forecast diagnose``, ``sensitivity`` and ``claims`` give them with ``--json``.
    scenarios : mapping or None
        ``scenarios.json``.
    sections : sequence of Section
        Of plugins.
    reasons : mapping of str to str
        Why one of these is not there, by its name.
    """

    diagnosis: Mapping[str, Any] | None = None
    sensitivity: Mapping[str, Any] | None = None
    claims: Mapping[str, Any] | None = None
    scenarios: Mapping[str, Any] | None = None
    sections: Sequence[Section] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """A section of the page.

    Attributes
    ----------
    id, title : str
        Its anchor and heading.
    template : str
        Of what is particular to it; none where charts and words are all.
    data : mapping
        For that template.
    lead : str
        A sentence or two under the heading.
    charts : list of Chart
    charts_last : bool
        Below what the template makes, instead of above.
    missing : str
        Why there is nothing, in a sentence; blank where there is something.
    """

    id: str
    title: str
    template: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    lead: str = ""
    charts: Sequence[Chart] = ()
    charts_last: bool = False
    missing: str = ""


@dataclass(frozen=True)
class Material:
    """A stored run; its groups are read when they are asked for."""

    stored: StoredRun

    @property
    def summary(self) -> dict[str, Any]:
        """``summary.json``."""
        return self.stored.summary

    @cached_property
    def worldview(self) -> Worldview:
        """The merged worldview."""
        return self.stored.worldview

    @cached_property
    def crossings(self) -> xr.Dataset:
        """The group ``crossings``."""
        return self.stored.crossings

    @cached_property
    def paths(self) -> Trajectories:
        """Stored trajectories of the accepted draws."""
        return Trajectories.of(self.stored)

    @property
    def tree(self) -> xr.DataTree:
        """``results.nc``, opened once; values are read when they are used."""
        return self.stored.tree

    @cached_property
    def inputs(self) -> tuple[dict[str, Any], str]:
        """``inputs.json``, or an empty dict and why there is none, in a sentence."""
        try:
            return self.stored.inputs, ""
        except NotAvailable:
            return {}, _NO_INPUTS

    @cached_property
    def milestones(self) -> list[str]:
        """Names of the run's milestones, the one that is meant first."""
        names = milestone_names(self.crossings)
        first = [default_milestone(names)] if names else []
        return first + [name for name in names if name not in first]

    @cached_property
    def titles(self) -> dict[str, str]:
        """What each bloc is called."""
        known = {bloc.name: bloc.title for bloc in self.worldview.blocs}
        if "bloc" not in self.crossings:  # without a milestone there is no crossing
            return known
        return {str(name): known.get(str(name), str(name)) for name in self.crossings["bloc"].to_numpy()}

    @cached_property
    def colours(self) -> dict[str, str]:
        """Colour of each bloc."""
        return bloc_tokens(list(self.titles))

    @property
    def groups(self) -> list[tuple[str, str, str]]:
        """Buttons that show and hide a bloc; none where there is one bloc alone."""
        several = len(self.titles) > 1
        return [(bloc, title, self.colours[bloc]) for bloc, title in self.titles.items()] if several else []

    @property
    def basis(self) -> str:
        """What every number is conditional on."""
        name = self.worldview.title or self.summary["worldview"]
        words = "the priors alone of worldview" if self.summary["prior_only"] else "worldview"
        return f"{words} {name!r}" if name == self.summary["worldview"] else f"{words} “{name}”"


def state_of(material: Material, ok: bool | None) -> str:
    """Word by which the page marks a verdict."""
    return "prior" if material.summary["prior_only"] else {True: "ok", False: "bad", None: "unknown"}[ok]
