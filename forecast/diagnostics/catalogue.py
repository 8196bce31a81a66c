"""Every check of ``forecast diagnose``: its code, threshold, what to do when it fails, and who says so."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from forecast.diagnostics.gate import ADVICE, LIMITS, TITLES, Check
from forecast.errors import InputError
from forecast.wording import did_you_mean

REFERENCES = {
    "vehtari-2021": "Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), Rank-normalization, "
    "folding, and localization, Bayesian Analysis 16(2), doi:10.1214/20-BA1221",
    "betancourt-2016": "Betancourt (2016), Diagnosing suboptimal cotangent disintegrations in "
    "Hamiltonian Monte Carlo, arXiv:1604.00695",
    "betancourt-2017": "Betancourt (2017), A conceptual introduction to Hamiltonian Monte Carlo, "
    "arXiv:1701.02434",
    "stan": "Stan, How to diagnose and resolve convergence problems, "
    "https://mc-stan.org/learn-stan/diagnostics-warnings",
    "gelman-1996": "Gelman, Meng, Stern (1996), Posterior predictive assessment of model fitness via "
    "realized discrepancies, Statistica Sinica 6",
    "vehtari-2017": "Vehtari, Gelman, Gabry (2017), Practical Bayesian model evaluation using leave-one-out "
    "cross-validation, Statistics and Computing 27, doi:10.1007/s11222-016-9696-4",
    "vehtari-2024": "Vehtari, Simpson, Gelman, Yao, Gabry (2024), Pareto smoothed importance sampling, "
    "JMLR 25(72)",
    "tesso-2026": "Tesso et al. (2026), LOO-PIT predictive model checking, arXiv:2603.02928",
    "schad-2021": "Schad, Betancourt, Vasishth (2021), Toward a principled Bayesian workflow in cognitive "
    "science, Psychological Methods 26(1), arXiv:1904.12765",
    "kallioinen-2024": "Kallioinen, Paananen, Bürkner, Vehtari (2024), Detecting and diagnosing prior and "
    "likelihood sensitivity with power-scaling, Statistics and Computing 34, 57, "
    "doi:10.1007/s11222-023-10366-5",
}
"""Where thresholds come from."""


@dataclass(frozen=True)
class Kind:
    """One kind of check.

    Attributes
    ----------
    code, title : str
    threshold : float or None
        None: it depends on the number of draws.
    bound : {"most", "least"}
        Whether a value passes that is at most, or at least, the threshold.
    advice : str
        What to do when it fails.
    references : tuple of str
        Keys of :data:`REFERENCES`.
    decides : bool
        Whether the verdict rests on it.
    largest : float
        The largest threshold that makes sense.
    """

    code: str
    title: str
    threshold: float | None
    bound: Literal["most", "least"]
    advice: str
    references: tuple[str, ...]
    decides: bool = False
    largest: float = math.inf

    def judged(self, value: float | None, threshold: float, where: str = "", advice: str = "") -> Check:
        """Judge a value; None fails.

        Parameters
        ----------
        value : float or None
        threshold : float
        where : str
        advice : str
            In place of that of the kind, where it fails.
        """
        passed = value is not None and (
            value <= threshold if self.bound == "most" else value >= threshold
        )  # NaN does neither
        number = None if value is None or not math.isfinite(value) else value
        if passed:
            return Check(self.code, self.title, "pass", number, threshold, where)
        return Check(self.code, self.title, "fail", number, threshold, where, advice or self.advice)

    def missing(self, threshold: float | None, reason: str) -> Check:
        """Say that it could not be made, and why."""
        return Check(self.code, self.title, "not-available", None, threshold, advice=reason)


def _of_gate(code: str, bound: Literal["most", "least"], *references: str) -> Kind:
    return Kind(code, TITLES[code], LIMITS[code], bound, ADVICE[code], references, decides=True)


_KINDS = (
    _of_gate("r_hat", "most", "vehtari-2021"),
    _of_gate("ess_bulk", "least", "vehtari-2021"),
    _of_gate("ess_tail", "least", "vehtari-2021"),
    _of_gate("divergences", "most", "betancourt-2017", "stan"),
    _of_gate("e_bfmi", "least", "betancourt-2016", "stan"),
    _of_gate("accepted", "least"),
    Kind(
        "mcse",
        "MCSE / sd",
        0.05,
        "most",
        "The mean of this number is known to no more than that share of its standard deviation: draw more "
        "(--draws).",
        ("vehtari-2021",),
    ),
    Kind(
        "energy",
        "R-hat of the energy",
        1.01,
        "most",
        "The chains move at different energies, so they may be in different parts of the posterior: look for "
        "two peaks, and sample longer (--tune, --draws).",
        ("betancourt-2016", "vehtari-2021"),
    ),
    Kind(
        "tree_depth",
        "tree-depth hits",
        0.0,
        "most",
        "Trajectories were cut off before they turned: sampling is slower than it need be, but not wrong. "
        "Tune longer (--tune), and look for parameters of very different scales, or that correlate closely.",
        ("stan",),
    ),
    Kind(
        "predictive",
        "posterior predictive",
        0.05,
        "least",
        "The row named is farther from its prediction than any row of that table should be: check it against "
        "its source, then its stated error, then whether the measurement model needs heavier tails.",
        ("gelman-1996",),
        largest=1.0,
    ),
    Kind(
        "loo_pit",
        "LOO-PIT",
        0.05,
        "least",
        "The rows of that table do not scatter about their leave-one-out predictions as the measurement "
        "model says: ask whether it is biased, its error too small or too large, or its tails too light.",
        ("tesso-2026", "vehtari-2017"),
        largest=1.0,
    ),
    Kind(
        "coverage",
        "LOO coverage",
        0.05,
        "least",
        "Intervals of that table hold too few or too many of its rows: too few at 50, 80 and 90% means that "
        "the measurement model's error is too small, too many that it is too large.",
        ("tesso-2026", "vehtari-2017"),
        largest=1.0,
    ),
    Kind(
        "pareto_k",
        "Pareto k",
        None,
        "most",
        "The posterior hangs on each of these rows so much that what it would be without the row cannot be "
        "read off these draws: check them against their sources, fit again without each, or give the "
        "measurement model heavier tails. Their LOO-PIT values are unsure too.",
        ("vehtari-2024", "vehtari-2017"),
        largest=10.0,
    ),
    Kind(
        "shrinkage",
        "share not moved by data",
        0.5,
        "most",
        "Most parameters are where their priors put them, so the answer is mostly assumption: say so, cite "
        "those priors, and find out which of them the answer depends on.",
        ("schad-2021",),
        largest=1.0,
    ),
    Kind(
        "prior_data_conflict",
        "prior-data conflict",
        0.05,
        "most",
        "Prior and evidence pull these apart and the posterior is a compromise between them: look at the "
        "source of the prior and at the rows that speak against it, and decide which of the two to trust.",
        ("kallioinen-2024",),
    ),
)

KINDS: Mapping[str, Kind] = {kind.code: kind for kind in _KINDS}
"""The checks by code, in the order in which they are shown."""


def read_thresholds(given: Iterable[str]) -> dict[str, float]:
    """Read ``CODE=VALUE`` texts.

    Parameters
    ----------
    given : iterable of str
        Such as ``r_hat=1.05``; of two for one code the later counts.

    Returns
    -------
    dict of str to float

    Raises
    ------
    InputError
        All that is wrong: no such code, or no number that could be its threshold.
    """
    found: dict[str, float] = {}
    problems = []
    for text in given:
        code, equals, number = (part.strip() for part in text.partition("="))
        if not equals:
            problems.append(f"--threshold {text}: write CODE=VALUE, such as r_hat=1.01.")
        elif code not in KINDS:
            problems.append(f"--threshold {text}: there is no check {code!r}{did_you_mean(code, KINDS)}.")
        else:
            try:
                value = float(number)
            except ValueError:
                value = math.nan
            if 0 <= value <= KINDS[code].largest and math.isfinite(value):
                found[code] = value
            else:
                most = KINDS[code].largest
                limits = "0 or more" if math.isinf(most) else f"from 0 to {most:g}"
                problems.append(f"--threshold {text}: the threshold of {code} is a number, {limits}.")
    if problems:
        raise InputError(problems)
    return found


def without_options(advice: str) -> str:
    """Advice for draws that ``forecast run`` did not make: our options are of no use there."""
    return re.sub(r" \(--[^()]*\)", "", advice)
