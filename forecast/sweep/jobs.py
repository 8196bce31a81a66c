"""A cell's job: what a worker needs to make it, and what tells fits and models apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from forecast.engine import Plan, make_plan
from forecast.errors import ForecastError
from forecast.host import Loaded
from forecast.inference import SamplerSettings
from forecast.worldview import Intervention, Worldview


@dataclass(frozen=True)
class Job:
    """What a worker needs to make one cell, wherever it runs.

    Attributes
    ----------
    cell : int
    run : str
        Id of the plan: a worker with other code, drivers or evidence is found out by it.
    worldview : Worldview
    intervene : tuple of Intervention
        Of a scenario that changes the future of the fit's own draws.
    plugins : tuple of str
    settings : SamplerSettings
    prior_only : bool
    """

    cell: int
    run: str
    worldview: Worldview
    intervene: tuple[Intervention, ...]
    plugins: tuple[str, ...]
    settings: SamplerSettings
    prior_only: bool


def remake(job: Job, loaded: Loaded) -> Plan:
    """Make the plan of a job anew, where it is carried out.

    Raises
    ------
    ForecastError
        Drivers, evidence or code are not those of the process that planned the sweep.
    """
    plan = make_plan(
        job.worldview,
        plugins=job.plugins,
        loaded=loaded,
        settings=job.settings,
        prior_only=job.prior_only,
    )
    if plan.id != job.run:
        raise ForecastError(
            "this worker has other drivers, evidence or code than the sweep was planned with (the run would "
            f"be {plan.id}, not {job.run}); install the same versions on every machine, and "
            "change no code while a sweep runs"
        )
    return plan


def fit_key(plan: Plan) -> str:
    """Return what decides the draws of a fit: cells that differ elsewhere are projections of one."""
    view = plan.worldview
    decides = {key: value for key, value in plan.fingerprint.items() if key != "worldview"}
    return hashed(
        [
            decides,
            view.as_of,
            view.horizon,
            view.bloc_names,
            view.disabled,
            repr(plan.spec.correlations),
            repr(view.intervene),  # what its future reads
        ]
    )


def shape_key(plan: Plan) -> str:
    """What decides whether a model can be built: names, families and forms, without the numbers."""
    view = plan.worldview
    priors = [
        (key, value.shape, [(str(which), prior.family) for which, prior in value.entries.items()])
        for key, value in plan.spec.parameters.items()
    ]
    return hashed(
        [
            priors,
            view.disabled,
            view.bloc_names,
            view.horizon,
            {driver: sorted(given) for driver, given in view.driver_priors.items()},
            {name: repr(one.condition) for name, one in view.milestones.items()},
            {name: prior.unit for name, prior in view.thresholds.items()},
            repr(view.intervene),
            repr(plan.spec.correlations),
        ]
    )


def hashed(value: Any) -> str:
    """Return the SHA-256 of plain types as JSON."""
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
