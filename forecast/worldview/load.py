"""From prior files and options to a ``Worldview``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from forecast.wording import did_you_mean, shown
from forecast.worldview.assign import assign, parse_overrides
from forecast.worldview.checks import check_dates, check_lead, read_settings
from forecast.worldview.correlations import merged_correlations, without_unread
from forecast.worldview.files import Document
from forecast.worldview.layers import merge_layers, stack_layers
from forecast.worldview.merged import Merged, iterate_priors
from forecast.worldview.milestones import NODE_KEYS, Milestone, read_node
from forecast.worldview.origins import Origin, Problems, key_text
from forecast.worldview.prior_tables import read_prior
from forecast.worldview.priors import Prior
from forecast.worldview.schema import WorldviewFile, check_file, check_interventions, check_tables
from forecast.worldview.shipped import Shelf
from forecast.worldview.toml_lines import Path
from forecast.worldview.worldview import GENERAL, Bloc, Lead, Override, Slot, Window, Worldview, dotted

BLOC = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = {
    "world": "evidence about no bloc in particular",
    "first": "whichever bloc crosses first, in claims,",
    "leader": "whichever bloc has most, in claims,",
    "not": "a word of the query language",
}
"""Names that no bloc can have, and what has them."""


def load_worldview(
    *worldviews: str | os.PathLike[str] | Worldview,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    as_of: date | str | None = None,
    horizon: date | str | None = None,
    window: Window | tuple[date | str, date | str] | str | None = None,
    seed: int | None = None,
    disable: Iterable[str] = (),
    shelf: Shelf | None = None,
) -> Worldview:
    """Read, merge and check worldviews.

    Parameters
    ----------
    *worldviews : str, path-like or Worldview
        Names of shipped worldviews, paths of prior files, and worldviews that
        are merged already, later over earlier. None means `default`. A file
        without ``extends`` that comes first lies over `default`;
        ``extends = false`` makes it stand alone.
    overrides : sequence of str, or mapping
        ``"priors.investment.growth.mu=0.2"``, or key to value.
    as_of, horizon : date or str, optional
        ISO; `as_of` may be ``"today"``.
    window : Window, (date, date) or str, optional
        ``"START:END"``, both inclusive.
    seed : int, optional
    disable : iterable of str
        Drivers to leave out besides the worldview's own list.
    shelf : Shelf, optional
        The files that have a name, such as a host's, which holds those of
        plugins; the shipped ones by default.

    Returns
    -------
    Worldview

    Raises
    ------
    InputError
        With all problems of all files, each naming file, line and key.
    """
    problems = Problems()
    layers, own = stack_layers(worldviews, shelf)
    for document in layers:
        check_file(document, problems)
    problems.raise_any()
    merged = merge_layers(layers, own, problems)
    top = len(layers)
    for path, value, option in parse_overrides(overrides):
        assign(merged, path, value, option, top, problems)
    settings = {"as_of": as_of, "horizon": horizon, "window": window, "seed": seed}
    values, sources = read_settings(settings, problems)
    for key, value in values.items():
        if key == "window":
            merged.put(("window", "start"), value.start, sources["window", "start"], top)
            merged.put(("window", "end"), value.end, sources["window", "end"], top)
        else:
            merged.put((key,), value, sources[key,], top)
    problems.raise_any()
    extra = [disable] if isinstance(disable, str) else list(disable)
    return _Builder(merged, own, problems).build(extra)


class _Builder:
    """Builds the worldview from the merged tree; every problem is recorded before any is raised."""

    def __init__(self, merged: Merged, own: Sequence[Document], problems: Problems) -> None:
        self.merged, self.problems = merged, problems
        self.name = "-".join(dict.fromkeys(name_of(document) for document in own))[:100]
        self.files = " and ".join(dict.fromkeys(document.file for document in own))

    def fail(self, path: Path, message: str) -> None:
        self.problems.add(self.merged.origin(path), message)

    def build(self, disable: Sequence[str]) -> Worldview:
        table = check_tables(self.merged.data, self.merged, self.problems)
        self.problems.raise_any()
        assert table is not None
        blocs = self.blocs(table)
        window = self.window(table)
        for key in ("as_of", "horizon", "seed"):
            if getattr(table, key) is None:
                self.missing(key)
        thresholds = self.thresholds()
        milestones = self.milestones(table)
        lead = self.lead(table, blocs)
        interventions = check_interventions(self.merged.data, self.merged, self.problems)
        driver_priors = self.driver_priors(blocs)
        correlations = merged_correlations(self.merged, [bloc.name for bloc in blocs], self.problems)
        if window and table.as_of and table.horizon:
            check_dates(table.as_of, table.horizon, window, self.merged, self.problems)
        self.problems.raise_any()
        thresholds = self.used(thresholds, milestones)
        self.problems.raise_any()
        assert table.as_of and table.horizon and window and table.seed is not None
        disabled = [*((table.drivers.disable if table.drivers else None) or []), *disable]
        return Worldview(
            name=self.name,
            title=table.title or self.name,
            description=table.description or "",
            as_of=table.as_of,
            horizon=table.horizon,
            seed=table.seed,
            window=window,
            blocs=blocs,
            disabled=tuple(dict.fromkeys(disabled)),
            driver_priors=driver_priors,
            milestones=milestones,
            thresholds=thresholds,
            lead=lead,
            intervene=tuple(interventions),
            correlations=without_unread(correlations, thresholds, self.merged),
            provenance={dotted(path): self.merged.origin(path) for path in self.merged.sources},
            notes=tuple(self.merged.notes),
        )

    def missing(self, key: str) -> None:
        self.problems.add(Origin(self.files), f"{key} is missing, and nothing that is extended gives it")

    def blocs(self, table: WorldviewFile) -> tuple[Bloc, ...]:
        if not table.blocs:
            self.missing("blocs") if table.blocs is None else self.fail(("blocs",), "names no bloc")
            return ()
        for name in table.blocs:
            if not BLOC.fullmatch(name) or len(name) > 40:
                self.fail(
                    ("blocs", name), "a bloc's name has small letters, digits and _, and begins with a letter"
                )
            elif name in RESERVED:
                self.fail(("blocs", name), f"{RESERVED[name]} goes by this name: choose another")
        return tuple(Bloc(name, title or name) for name, title in table.blocs.items())

    def window(self, table: WorldviewFile) -> Window | None:
        start, end = (table.window.start, table.window.end) if table.window else (None, None)
        if start is None or end is None:
            self.missing("window.start" if start is None else "window.end")
            return None
        return Window(start, end)

    def thresholds(self) -> dict[str, Prior]:
        found = {}
        for name, table in self.merged.data.get("thresholds", {}).items():
            prior = read_prior(table, ("thresholds", name), self.merged, self.problems, "threshold")
            if prior is not None:
                found[name] = prior
        return found

    def milestones(self, table: WorldviewFile) -> dict[str, Milestone]:
        found: dict[str, Milestone] = {}
        if not table.milestones:
            self.missing("milestones")
            return found
        for name, given in table.milestones.items():
            path: Path = ("milestones", name)
            raw = {k: v for k, v in self.merged.get(path).items() if k in NODE_KEYS}
            node = read_node(raw, path, self.merged, self.problems)
            if node is None:
                continue
            found[name] = Milestone(
                name,
                given.title or name,
                node,
                bool(given.not_yet_crossed),
                given.unreachable or 0.0,
                given.announced_after or "",
            )
            names = self.merged.data.get("thresholds", {})
            for condition in node.leaves():
                if isinstance(condition.threshold, str) and condition.threshold not in names:
                    near = did_you_mean(condition.threshold, names)
                    message = f"there is no threshold {shown(condition.threshold)}{near}"
                    origin = condition.origin
                    key = f"{origin.key.removesuffix('quantity')}at_least"
                    self.problems.add(Origin(origin.file, origin.line, key), message)
        return found

    def used(self, thresholds: dict[str, Prior], milestones: dict[str, Milestone]) -> dict[str, Prior]:
        """Leave out inherited thresholds that no milestone reads any more; refuse those just given."""
        read = {
            c.threshold for m in milestones.values() for c in m.conditions() if isinstance(c.threshold, str)
        }
        conditions = [
            self.merged.layer(("milestones", name, key)) for name in milestones for key in NODE_KEYS
        ]
        newest = max(conditions, default=0)
        for name in thresholds:
            path: Path = ("thresholds", name)
            if name in read:
                continue
            if self.merged.layer(path) >= newest:
                self.fail(path, f"nothing reads this threshold: no milestone names thresholds.{name}")
            else:
                self.merged.notes.append(
                    f"{key_text(path)} of {self.merged.origin(path).place} is read by no milestone any more"
                )
        return {name: prior for name, prior in thresholds.items() if name in read}

    def lead(self, table: WorldviewFile, blocs: tuple[Bloc, ...]) -> Lead | None:
        if len(blocs) < 2:
            if blocs and table.lead:
                self.merged.notes.append("[lead] is not used: there is one bloc only")
            return None
        given = table.lead
        if given is None or given.leader is None or given.follower is None or given.within_years is None:
            missing = next(
                (k for k in ("leader", "follower", "within_years") if getattr(given, k, None) is None), ""
            )
            self.missing(f"lead.{missing}")
            return None
        lead = Lead(given.leader, given.follower, given.within_years)
        check_lead(lead, blocs, self.merged, self.problems)
        return lead

    def driver_priors(self, blocs: tuple[Bloc, ...]) -> dict[str, dict[str, Override]]:
        names = [bloc.name for bloc in blocs]
        found: dict[str, dict[str, Override]] = {}

        def unknown_bloc(name: str, path: Path, within: str = "") -> bool:
            """Whether `name` is no bloc: an error, unless a later layer took the bloc away."""
            if name in names or not names:
                return False
            if self.merged.layer(path) >= self.merged.layer(("blocs",)):
                self.fail(path, f"{within}{shown(name)} is no bloc{did_you_mean(name, names)}")
            return True

        def override(path: Path) -> tuple[Override, Slot]:
            driver, parameter = str(path[1]), str(path[-1])
            slot: Slot = GENERAL if len(path) == 3 else (path[2], str(path[3]))  # type: ignore[assignment]
            if slot[0] == "by_bloc" and unknown_bloc(slot[1], path):
                return Override(), slot  # not kept
            return found.setdefault(driver, {}).setdefault(parameter, Override()), slot

        for path, table in iterate_priors(self.merged.data):
            entry, slot = override(path)
            prior = read_prior(table, path, self.merged, self.problems, "parameter")
            if prior is None:
                continue
            for name in prior.blocs or ():
                unknown_bloc(name, path, "blocs: ")
            entry.priors[slot] = prior
            entry.origins[slot] = prior.origin
        for path, keys in self.merged.edits.items():
            entry, slot = override(path)
            entry.edits[slot] = dict(keys)
            entry.origins[slot] = self.merged.origin(path)
        return found


def name_of(document: Document) -> str:
    """Return the name that a file gives itself, else that of the file."""
    given = document.data.get("name")
    name = given if isinstance(given, str) and given else document.stem
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "worldview"
