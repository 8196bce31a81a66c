"""Fit many simulated data sets, some at a time, and rank their truths."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from forecast.calibration.folder import Folder
from forecast.calibration.ranks import randomised_ranks, spreads
from forecast.calibration.simulator import Draws, Simulator, evenly
from forecast.diagnostics.numbers import Numbers
from forecast.engine import Reporter
from forecast.errors import ForecastError
from forecast.inference import Compiler, SamplerSettings, Sampling, begin
from forecast.model import Graph
from forecast.streams import stream

Floats = NDArray[np.float64]

FIT = SamplerSettings(draws=500, tune=300, chains=2, cores=1)
"""Of a simulated data set. The chains start at the truth, which is a draw from the posterior, so that the
warm-up has to find a metric and a step, and nothing else."""

SECOND_TARGET = 0.99
"""Acceptance that a second attempt aims at, with twice as many draws; a fit gets no third."""

LARGEST_R_HAT = 1.05
FEWEST_EFFECTIVE = 50
LARGEST_DIVERGENT = 0.01
"""Bounds beyond which a fit failed. They look at the posterior draws and not at the truth, so that what is
left out biases no rank."""

TRIED = 400
"""Posterior draws that are projected at most; as many as are effective, if these are fewer."""

RANKED = 100
"""Of those that agree with what is known, draws that a truth is ranked among at most."""

FEWEST_RANKED = 25
"""With fewer, a simulation failed too."""


@dataclass(frozen=True)
class _Underway:
    truth: Draws
    rows: Graph
    sampling: Sampling
    attempt: int


class Fitter:
    """Fits simulations and says what came of each.

    Parameters
    ----------
    simulator : Simulator
    settings : SamplerSettings
        Of a first attempt.
    compiler : Compiler
    """

    def __init__(self, simulator: Simulator, settings: SamplerSettings, compiler: Compiler) -> None:
        self.simulator, self.settings, self.compiler = simulator, settings, compiler
        prior = simulator.prior(1)
        values = simulator.quantities(prior, simulator.history)
        count = len(simulator.numbers)
        self._logarithmic = np.zeros(values.shape[1], dtype=bool)
        self._logarithmic[:count] = simulator.logarithmic
        # Dates may be infinite, and so is their variance.
        self._sorted = {column: np.sort(values[:, column]) for column in range(count, values.shape[1] - 1)}
        self._prior_spread = spreads(values, self._logarithmic, self._sorted)

    def run(self, wanted: list[int], folder: Folder, workers: int, reporter: Reporter) -> None:
        """Fit simulations, `workers` at a time, and keep each as soon as it is done.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C; what is done has been kept.
        """
        waiting, underway, done = list(reversed(wanted)), dict[int, _Underway](), 0
        reporter.progress(done, len(wanted))
        try:
            while waiting or underway:
                while waiting and len(underway) < workers:
                    number = waiting.pop()
                    underway[number] = self._begun(number)
                time.sleep(0.02)
                for number in [n for n, one in underway.items() if _is_over(one.sampling)]:
                    one = underway.pop(number)
                    found = self._result(number, one)
                    if found["reasons"] and one.attempt == 0:
                        underway[number] = self._begun(number, one)
                        continue
                    folder.keep(found)
                    done += 1
                    reporter.progress(done, len(wanted))
        finally:
            for one in underway.values():
                one.sampling.cancel()

    def _begun(self, number: int, before: _Underway | None = None) -> _Underway:
        attempt = 0 if before is None else before.attempt + 1
        truth = self.simulator.truth(number) if before is None else before.truth
        rows = self.simulator.rows(truth, number) if before is None else before.rows
        sampling = begin(
            rows,
            self.simulator.inferred,
            attempts(self.settings)[attempt],
            seed=self.simulator.seed("fit", number, attempt),
            compiler=self.compiler,
            start=self.simulator.start(truth),
        )
        return _Underway(truth, rows, sampling, attempt)

    def _result(self, number: int, one: _Underway) -> dict[str, Any]:
        found: dict[str, Any] = {"simulation": number, "attempts": one.attempt + 1, "reasons": []}
        try:
            draws, stats = one.sampling.result()
        except ForecastError as error:
            return found | {"reasons": [str(error)]}
        checked, thinned = self._checked(draws, stats)
        found |= checked
        if found["reasons"]:
            return found
        posterior = self.simulator.posterior(thinned, number)
        agree = len(posterior.flat)
        found |= {"draws": min(agree, RANKED), "accepted": agree / posterior.tried}
        if agree < FEWEST_RANKED:
            words = f"{agree} of {posterior.tried} posterior draws agree with what is known"
            return found | {"reasons": [words]}
        return found | self._ranked(number, one, posterior.thinned(RANKED))

    def _checked(self, draws: Floats, stats: xr.Dataset) -> tuple[dict[str, Any], Floats]:
        """Judge the draws (chain, draw, number), and thin them to as many as are effective."""
        simulator = self.simulator
        place = {number: at for at, number in enumerate(simulator.inferred.numbers)}
        at = [place[one] for one, n in simulator.layout.numbers.items() if n in simulator.numbers.values()]
        numbers = Numbers(list(simulator.numbers), draws[..., at], len(at))
        r_hat, where = numbers.worst("r_hat", largest=True)
        effective, fewest = numbers.worst("ess_bulk", largest=False)
        divergent = float(stats["diverging"].mean()) if "diverging" in stats else 0.0
        reasons = []
        if r_hat is None or r_hat > LARGEST_R_HAT:
            reasons.append(f"R-hat of {where} is {'not a number' if r_hat is None else format(r_hat, '.3f')}")
        if effective is None or effective < FEWEST_EFFECTIVE:
            reasons.append(f"{0 if effective is None else effective:.0f} effective draws of {fewest}")
        if divergent > LARGEST_DIVERGENT:
            reasons.append(f"{divergent:.1%} of draws diverged")
        flat = draws.reshape(-1, draws.shape[-1])
        thinned = flat[evenly(len(flat), min(TRIED, int(effective or 1)))]
        return {"r_hat": r_hat, "effective": effective, "divergent": divergent, "reasons": reasons}, thinned

    def _ranked(self, number: int, one: _Underway, posterior: Draws) -> dict[str, Any]:
        simulator = self.simulator
        truth = simulator.quantities(one.truth, one.rows)[0]
        values = simulator.quantities(posterior, one.rows)
        ranks = randomised_ranks(truth, values, stream(simulator.seed("ties", number)))
        with np.errstate(invalid="ignore", divide="ignore"):
            contraction = 1 - spreads(values, self._logarithmic, self._sorted) / self._prior_spread
        contraction[-1] = np.nan  # the log likelihood of these rows has no prior of its own
        with np.errstate(invalid="ignore"):
            centre, spread = values.mean(axis=0), values.std(axis=0)
        return {
            "ranks": _plain(simulator.names, ranks),
            "contraction": _plain(simulator.names, contraction),
            "truth": _plain(simulator.names, truth),
            "mean": _plain(simulator.names, centre),
            "sd": _plain(simulator.names, spread),
        }


def attempts(settings: SamplerSettings) -> tuple[SamplerSettings, SamplerSettings]:
    """Return the settings of a first and of a second attempt at a fit."""
    return settings, replace(
        settings, draws=2 * settings.draws, tune=2 * settings.tune, target_accept=SECOND_TARGET
    )


def decisive(settings: SamplerSettings) -> dict[str, Any]:
    """Return what of the settings, and of the rules here, decides a simulation; as JSON values."""
    fits = [{k: v for k, v in asdict(one).items() if k != "cores"} for one in attempts(settings)]
    return {
        "attempts": fits,
        "r_hat": LARGEST_R_HAT,
        "effective": FEWEST_EFFECTIVE,
        "divergent": LARGEST_DIVERGENT,
        "tried": TRIED,
        "ranked": [FEWEST_RANKED, RANKED],
    }


def _is_over(sampling: Sampling) -> bool:
    try:
        return sampling.is_finished
    except ForecastError:  # its result says so again
        return True


def _plain(names: list[str], values: Floats) -> Mapping[str, float | None]:
    return {n: float(x) if np.isfinite(x) else None for n, x in zip(names, values, strict=True)}
