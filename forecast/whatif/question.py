"""A what-if question: what it changes, the weights of the draws, and the three ways to an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.errors import ForecastError, InputError
from forecast.results import StoredRun, citation, existing_run, read_run, summarise
from forecast.results.reading import end_at
from forecast.results.summary import accepted_draws, set_aside_by
from forecast.results.trajectories import NotAvailable
from forecast.whatif.changes import Changes, compare_parameters, compare_settings, sentences, touches_priors
from forecast.whatif.difference import difference
from forecast.whatif.importance import Draws, Weighed, log_ratios, outdated, smooth
from forecast.worldview import load_worldview

if TYPE_CHECKING:
    import xarray as xr

    from forecast.engine import Reporter
    from forecast.host import Loaded
    from forecast.inference import Compiler

SCHEMA = "forecast.whatif/1"
"""Version of what ``forecast whatif --json`` prints."""

FEW = 100
"""With fewer effective draws than this the answer says that it is a rough one."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """A what-if question and its answer.

    Attributes
    ----------
    summary : dict
        As ``forecast whatif --json`` prints it.
    before, after : xarray.Dataset
        Groups ``crossings`` of the run and of the answer.
    weights : ndarray, (chain, draw), or None
        Of the draws of `after`; None where all count alike.
    """

    summary: dict[str, Any]
    before: xr.Dataset
    after: xr.Dataset
    weights: Floats | None


class Question:
    """A run, other settings, and what lies between them."""

    def __init__(self, stored: StoredRun, overrides: Sequence[str], loaded: Loaded | None) -> None:
        self.stored, self.overrides, self.loaded = stored, list(overrides), loaded
        self.before = stored.worldview
        self.after = load_worldview(self.before, overrides=self.overrides)
        self.parameters: tuple[Any, Any] = ({}, {})
        self.correlations: tuple[Any, Any] = ((), ())
        self.crossings = stored.crossings
        self.accepted = accepted_draws(self.crossings)
        self._draws: Draws | None = None
        self.changes = self._changes()

    def plugins(self) -> Loaded:
        """Load what the run was made with."""
        if self.loaded is None:
            from forecast.host import load_plugins

            self.loaded = load_plugins(self.stored.manifest.get("plugins", ()))
        return self.loaded

    @property
    def draws(self) -> Draws:
        """The numbers of the run."""
        if self._draws is None:
            name = "prior" if self.stored.summary["prior_only"] else "posterior"
            found = self.stored.groups(name)
            if name not in found.children:
                raise ForecastError(
                    f"{self.stored.path} has no group {name!r}: its results.nc is damaged; make it again."
                )
            group = found[name].to_dataset()
            self._draws = Draws(group, self.parameters[0], self.before.thresholds, self.before.bloc_names)
        return self._draws

    def _changes(self) -> Changes:
        by_evidence = any(label != "crossed" for label in set_aside_by(self.crossings))
        found = compare_settings(self.before, self.after, weighed=by_evidence)
        joint = bool(found.priors) and bool(self.before.correlations)
        if not (touches_priors(self.before, self.after) or joint):
            return found
        from forecast.host import host_of
        from forecast.worldview import correlations_in_force, resolve_priors

        host = host_of(self.plugins(), self.before.disabled)
        host.require(self.stored.manifest.get("drivers", ()), "the run was made with it")
        defaults = host.defaults()
        one, other = (resolve_priors(view, defaults) for view in (self.before, self.after))
        self.parameters = one, other
        self.correlations = (
            correlations_in_force(self.before, one),
            correlations_in_force(self.after, other),
        )
        compare_parameters(found, one, other)
        if found.refit:
            return found
        found.correlated = self.correlations[0] != self.correlations[1]
        unread = [str(change.number) for change in found.priors if not self.draws.has(change.number)]
        unread += [
            str(member)
            for each in self.correlations[1]
            for member in (each.between if found.correlated else ())
            if not self.draws.has(member)
        ]
        if unread:
            raise InputError(f"{', '.join(unread)}: nothing in this run reads it, so it would change nothing")
        return found

    def weigh(self) -> Weighed:
        """Weigh the run's draws.

        Raises
        ------
        ForecastError
            The run was made with other priors than worldview and drivers have now.
        """
        changed = self.changes.priors
        stored = None
        if not self.stored.summary["prior_only"]:
            found = self.stored.groups("log_prior")
            stored = found["log_prior"].to_dataset() if "log_prior" in found.children else None
        old = outdated(self.draws, changed, stored, self._inputs() if stored is None else None)
        if old:
            raise ForecastError(
                f"{self.stored.path} was made with another prior of {', '.join(old)} than its driver "
                "declares now, so its draws cannot be weighed; make the run anew, or ask with --refit."
            )
        ratios = log_ratios(self.draws, changed, self.parameters[1], self.after.thresholds, self.correlations)
        return smooth(ratios, self.accepted)

    def _inputs(self) -> dict[str, Any] | None:
        try:
            return self.stored.inputs
        except NotAvailable:
            return None

    def read(self, weighed: Weighed | None) -> Asked:
        """Answer from the run's own draws."""
        groups = self.stored.groups("crossings", "at_crossing", "inside")
        if self.after.horizon < self.before.horizon:
            end_at(groups, self.after.horizon)
        before, weights = self.stored.summary, None if weighed is None else weighed.weights
        summary = summarise(
            groups,
            self.after,
            run_id=self.stored.id,
            diagnostics=before["diagnostics"],
            timings={},
            sampler=before["sampler"],
            prior_only=before["prior_only"],
            weights=weights,
        )
        after = groups["crossings"].to_dataset()
        why = "only how the crossing dates are read has changed, which needs no weights"
        if weighed is not None:
            why = "the new priors lie where the run has draws"
            if weighed.k_hat is not None:
                limit = f"{weighed.k_limit:.3g}, the most for {weighed.counted:,} draws"
                why = f"k-hat {weighed.k_hat:.3g} is not above {limit}: {why}"
        found = self._answer("importance", summary, weighed, [why])
        if weighed is not None and weighed.effective < FEW:
            found["notes"].append(
                f"The weights are worth only {weighed.effective:.0f} draws: a rough answer; --refit gives a "
                "better one."
            )
        found["change"] = difference(
            (self.crossings, self.before), (after, self.after), before, summary, weights, paired=True
        )
        return Asked(found, self.crossings, after, weights)

    def fit(
        self,
        why: list[str],
        weighed: Weighed | None,
        folder: Path,
        reporter: Reporter | None,
        command: Sequence[str],
        compiler: Compiler | None,
    ) -> Asked:
        """Answer by a run of the new settings."""
        from forecast import engine
        from forecast.inference import SamplerSettings

        reporter = reporter or engine.Reporter()
        try:
            asked = self.stored.manifest["settings"]
            options: dict[str, Any] = {
                "plugins": self.stored.manifest.get("plugins", ()),
                "loaded": self.plugins(),
                "settings": SamplerSettings(**asked["sampler"]),
                "prior_only": asked["prior_only"],
            }
        except (KeyError, TypeError) as error:
            raise ForecastError(
                f"{self.stored.path / 'manifest.json'} is damaged: its settings cannot be read, so nothing "
                "can be fitted as it was. Make the run again."
            ) from error
        plan = engine.make_plan(self.after, reporter=reporter, **options)
        notes = []
        if engine.make_plan(self.before, **options).id != self.stored.id:
            notes.append(
                "Drivers, evidence or code have changed since the run was made: the difference is theirs "
                "too. Make the run anew to compare with."
            )
        saved = existing_run(folder, plan.id)
        existed = saved is not None
        if saved is None:
            reporter.phase("Fitting the run with the change")
            made = engine.execute(plan, reporter=reporter, compiler=compiler)
            reporter.phase("Saving")
            saved = made.save(folder, command=command)
        other = read_run(saved)
        found = self._answer("refit", other.summary, weighed, why)
        found["notes"] += notes
        found["refit"] = {"run": other.id, "path": str(saved), "existed": existed}
        found["change"] = difference(
            (self.crossings, self.before), (other.crossings, self.after), self.stored.summary, other.summary
        )
        return Asked(found, self.crossings, other.crossings, None)

    def _answer(
        self, method: str, summary: dict[str, Any], weighed: Weighed | None, why: list[str]
    ) -> dict[str, Any]:
        before = self.stored.summary
        k_hat = None if weighed is None or weighed.k_hat is None else weighed.k_hat
        said = "what-if, " + ", ".join(self.overrides)
        found = {
            "schema": SCHEMA,
            "run": self.stored.id,
            "method": method,
            "k_hat": k_hat if k_hat is None or np.isfinite(k_hat) else None,
            "k_limit": None if weighed is None else weighed.k_limit,
            "effective_draws": None if weighed is None else weighed.effective,
            "accepted_draws": int(self.accepted.sum()),
            "why": why,
            "set": self.overrides,
            "changed": [one.to_json() for one in self.changes.priors],
            "says": list(sentences(self.changes)),
            **{key: summary[key] for key in ("worldview", "as_of", "window", "horizon", "prior_only")},
            "milestones": summary["milestones"],
            "before": {key: before[key] for key in ("as_of", "window", "horizon", "milestones")},
            "change": {},
            "diagnostics": summary["diagnostics"],
            "refit": None,
            "notes": [],
            "citation": f"{citation(summary)} {said}, by {method}.",
        }
        for setting in ("window", "horizon", "as_of"):
            if before[setting] != summary[setting]:
                found["notes"].append(
                    f"The {setting.replace('_', '-')} differs: what is said of the run is about its own."
                )
        return found
