"""Calibrate a worldview: simulate, fit, rank, and judge."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.calibration.bands import band, p_value
from forecast.calibration.folder import Folder
from forecast.calibration.ranks import FALSE_ALARM, describe
from forecast.calibration.running import FIT, Fitter, decisive
from forecast.calibration.simulator import Simulator
from forecast.engine import _COMPILER, Plan, Reporter
from forecast.errors import InputError
from forecast.inference import Compiler, SamplerSettings
from forecast.results.manifest import versions

SCHEMA = "forecast.calibration/1"

LARGEST_FAILED = 0.1
"""Share of simulations whose fit may fail: what a calibration does not see."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """What came of a calibration.

    Attributes
    ----------
    summary : dict
        As in ``calibration.json``.
    ranks : dict of str to ndarray, (simulation,)
        Of each quantity, over simulations that did not fail; uniform on (0, 1)
        where all is right.
    """

    summary: dict[str, Any]
    ranks: dict[str, Floats]

    @property
    def band(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Lowest and highest counts of ranks, at 1/n to 1 - 1/n, of a curve that is inside."""
        good = self.summary["simulations"] - self.summary["failed"]
        return band(good, 1 - FALSE_ALARM / len(self.ranks))


def calibrate(
    plan: Plan,
    out: str | os.PathLike[str],
    *,
    simulations: int = 200,
    settings: SamplerSettings = FIT,
    workers: int | None = None,
    reporter: Reporter | None = None,
    compiler: Compiler | None = None,
) -> Calibration:
    """Ask whether the posteriors of a worldview are right over data that it gives itself.

    Parameters
    ----------
    plan : Plan
        From :func:`forecast.engine.make_plan`.
    out : path
        Folder of the simulations; those that it holds are not made again.
    simulations : int
    settings : SamplerSettings
        Of each fit; its chains start at the truth.
    workers : int, optional
        Fits at a time; as many as there are cores by default. They change no
        number.
    reporter : Reporter, optional
    compiler : Compiler, optional
        This process's own by default.

    Returns
    -------
    Calibration
        Its summary is also written beside the simulations.

    Raises
    ------
    InputError
        The folder holds simulations of other settings; there is nothing to fit.
    ForecastError
        Hardly any prior draw agrees with what the worldview holds for known.
    """
    reporter, compiler = reporter or Reporter(), compiler or _COMPILER
    if simulations < 1:
        raise InputError("--simulations: must be at least 1")
    reporter.phase("Building the model")
    simulator = Simulator(plan)
    folder = Folder(Path(out), _decides(plan, settings))
    missing = [number for number in range(simulations) if folder.simulation(number) is None]
    if missing:
        if not compiler.is_ready(simulator.history, simulator.inferred):
            reporter.phase("Compiling the model (a minute or two the first time; kept afterwards)")
        compiler.compiled(simulator.history, simulator.inferred)
        reporter.phase("Drawing truths from the prior")
        fitter = Fitter(simulator, settings, compiler)
        reporter.phase("Fitting simulated data sets")
        try:
            fitter.run(missing, folder, workers or os.cpu_count() or 1, reporter)
        except KeyboardInterrupt:
            kept = sum(folder.simulation(number) is not None for number in range(simulations))
            reporter.warn(f"{kept} of {simulations} simulations are kept in {out}; the same command goes on")
            raise
    records = [record for n in range(simulations) if (record := folder.simulation(n)) is not None]
    result = judged(records, simulator.names, len(simulator.numbers))
    result |= {
        "worldview": {
            "name": plan.worldview.name,
            "title": plan.worldview.title,
            "as_of": plan.worldview.as_of.isoformat(),
            "seed": plan.worldview.seed,
        },
        "settings": decisive(settings),
    }
    folder.write("calibration.json", result)
    return Calibration(result, {name: ranks_of(records, name) for name in simulator.names})


def calibration_schema() -> dict[str, Any]:
    """JSON schema of the summary of a calibration."""
    text = (resources.files("forecast.calibration") / "calibration.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def judged(records: Sequence[dict[str, Any]], names: Sequence[str], inferred: int) -> dict[str, Any]:
    """Count simulations together.

    Parameters
    ----------
    records : sequence of dict
        As the folder keeps them.
    names : sequence of str
        Of what is ranked.
    inferred : int
        How many of them, from the first, are parameters; the others are derived.

    Returns
    -------
    dict
        ``ok`` holds if every curve is inside its band, no more than a tenth of
        the simulations failed, and there are ``enough`` of them: with fewer even
        ranks that are all 0 would make a curve that is inside.
    """
    good = [record for record in records if not record["reasons"]]
    parameters = {}
    for place, name in enumerate(names):
        shrunk = [record["contraction"][name] for record in good]
        known = [one for one in shrunk if one is not None]
        parameters[name] = {
            **describe(ranks_of(good, name), len(names)),
            "contraction": float(np.mean(known)) if known else None,
            "derived": place >= inferred,
        }
    failed = [
        {"simulation": record["simulation"], "reasons": record["reasons"]}
        for record in records
        if record["reasons"]
    ]
    # Fewer data sets than this pass whatever the model, and a check that cannot fail says nothing.
    enough = bool(p_value(np.zeros(len(good))) <= FALSE_ALARM / len(names))
    ok = bool(
        enough
        and len(failed) <= LARGEST_FAILED * len(records)
        and all(one["inside_band"] for one in parameters.values())
    )
    return {
        "schema": SCHEMA,
        "simulations": len(records),
        "failed": len(failed),
        "parameters": parameters,
        "ok": ok,
        "enough": enough,
        "outside": [name for name, one in parameters.items() if not one["inside_band"]],
        "failures": failed,
        "false_alarm": FALSE_ALARM,
        "largest_failed_share": LARGEST_FAILED,
        "draws": {
            "fewest": min((record["draws"] for record in good), default=None),
            "most": max((record["draws"] for record in good), default=None),
        },
        "second_attempts": sum(record["attempts"] > 1 for record in records),
    }


def ranks_of(records: Sequence[dict[str, Any]], name: str) -> Floats:
    """Return the ranks of one quantity over simulations that did not fail, (simulation,)."""
    return np.array([one["ranks"][name] for one in records if not one["reasons"]], dtype=float)


def _decides(plan: Plan, settings: SamplerSettings) -> dict[str, Any]:
    kept = {key: value for key, value in plan.fingerprint.items() if key not in ("sampler", "prior_only")}
    return {**kept, "fits": decisive(settings), "versions": versions()}
