"""A frozen posterior of the default model, against which later changes are compared.

`default.nc` holds 10,000 draws of every fitted number and of the crossing dates, in single precision, for
ArviZ; `default.json` says what they were made with, and R-hat and effective draws of each number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from forecast.diagnostics.numbers import Numbers
from forecast.engine import Run
from forecast.inference import SamplerSettings
from forecast.model import build_graph
from forecast.results import open_tree, to_json
from forecast.results.manifest import versions
from forecast.results.netcdf import write_tree
from forecast.spec import history_end

FOLDER = Path(__file__).parent / "reference"
DRAWS, MANIFEST = FOLDER / "default.nc", FOLDER / "default.json"

SEED = 20261124  # not the worldview's own: two runs of one seed would agree by themselves
SETTINGS = SamplerSettings(draws=2500, tune=1500, chains=4)

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FALSE_ALARM = 1e-3
"""Probability that any statistic of an unchanged model differs by more than its limit, if Monte Carlo errors
were known and normal."""

KEPT_BITS = 16
"""Of the mantissa: 1e-5 of a value, far below any Monte Carlo error, and a third less to store."""

HOW_TO_RENEW = (
    "If the model, its priors or its evidence were meant to change: renew the reference with `uv run --group "
    "bench python -m benchmarks reference` (some minutes), commit benchmarks/reference, and write in "
    "CHANGELOG.md which change moved which numbers and by how much; the worst are listed here. If nothing "
    "was meant to change, something is broken."
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """One statistic of one number, in a run and in the reference.

    Attributes
    ----------
    number, statistic : str
    ours, reference : float
    errors : float
        The difference in standard errors, of both Monte Carlo errors combined.
    """

    number: str
    statistic: str
    ours: float
    reference: float
    errors: float


def compact(run: Run) -> xr.DataTree:
    """Fitted numbers and crossing dates of a run, in single precision."""
    spec = run.plan.spec
    fitted = [".".join(key) for key in build_graph(spec, history_end(spec)).inferred]
    posterior = run.results["posterior"].to_dataset()
    posterior = posterior[[name for name in posterior.data_vars if name in fitted]]
    crossings = run.results["crossings"].to_dataset()
    stats_kept = run.results["sample_stats"].to_dataset()[["diverging", "energy"]]
    groups = {
        "posterior": posterior.map(_rounded, keep_attrs=True),
        "sample_stats": stats_kept.map(_single, keep_attrs=True),
        "crossings": crossings.map(_single, keep_attrs=True),
    }
    return xr.DataTree.from_dict(groups)


def write(run: Run, draws: Path = DRAWS, manifest: Path = MANIFEST) -> dict[str, Any]:
    """Write the reference; refuses a fit that has not converged."""
    tree = compact(run)
    numbers = numbers_of(tree, horizon_of(run))
    r_hat = numbers.r_hat
    if not r_hat.max() < 1.01:
        worst = numbers.names[int(np.argmax(r_hat))]
        raise ValueError(f"R-hat of {worst} is {r_hat.max():.4f}, not below 1.01: no reference; draw more")
    prints = run.plan.fingerprint
    said = {
        "schema": "forecast.reference/1",
        "worldview": run.worldview.name,
        "as_of": run.worldview.as_of.isoformat(),
        "seed": run.worldview.seed,
        "sampler": prints["sampler"],
        "evidence": prints["evidence"],
        "versions": {name: value for name, value in versions().items() if name != "platform"},
        "diagnostics": {
            "ok": run.summary["diagnostics"]["ok"],
            "divergences": run.summary["diagnostics"]["divergences"],
        },
        "horizon": horizon_of(run),
        "numbers": {
            name: {
                "r_hat": round(float(r_hat[at]), 5),
                "ess_bulk": round(float(numbers.ess_bulk[at])),
                "ess_tail": round(float(numbers.ess_tail[at])),
                "mean": float(numbers.values[..., at].mean()),
                "sd": float(numbers.values[..., at].std()),
            }
            for at, name in enumerate(numbers.names)
        },
    }
    draws.parent.mkdir(exist_ok=True)
    write_tree(tree, draws)
    manifest.write_text(to_json(said), encoding="utf-8")
    return said


def read(draws: Path = DRAWS, manifest: Path = MANIFEST) -> tuple[xr.DataTree, dict[str, Any]]:
    """The draws and what is said of them."""
    return open_tree(draws).load(), json.loads(manifest.read_text("utf-8"))


def horizon_of(run: Run) -> float:
    """What stands for "never" among dates: the same of both sides, wherever the last crossing is."""
    return float(run.worldview.horizon.year + 1)


def numbers_of(tree: xr.DataTree, horizon: float) -> Numbers:
    """Fitted numbers, crossing dates, and whether a draw was accepted."""
    found = Numbers.of(tree, horizon)
    assert found is not None
    accepted = tree["crossings"]["accepted"].to_numpy().astype(float)[..., None]
    if accepted.std() == 0:
        return found
    return Numbers(
        [*found.names, "accepted"], np.concatenate([found.values, accepted], axis=-1), found.parameters
    )


def compare(ours: xr.DataTree, reference: xr.DataTree, horizon: float) -> list[Difference]:
    """Means and quantiles of every number of the reference, the farthest apart first.

    Raises
    ------
    ValueError
        A number is in one of them only.
    """
    one, other = numbers_of(ours, horizon), numbers_of(reference, horizon)
    if set(one.names) != set(other.names):
        raise ValueError(
            f"only in the run: {sorted(set(one.names) - set(other.names))}; only in the reference: "
            f"{sorted(set(other.names) - set(one.names))}. {HOW_TO_RENEW}"
        )
    place = {name: at for at, name in enumerate(one.names)}
    left, right = one.values[..., [place[name] for name in other.names]], other.values
    found, theirs = [], _statistics(right)
    for statistic, (values, errors) in _statistics(left).items():
        others, their_errors = theirs[statistic]
        apart = np.abs(values - others) / np.hypot(errors, their_errors)
        found += [
            Difference(name, statistic, float(values[at]), float(others[at]), float(apart[at]))
            for at, name in enumerate(other.names)
            if np.isfinite(apart[at])
        ]
    return sorted(found, key=lambda each: -each.errors)


def limit(count: int, false_alarm: float = FALSE_ALARM) -> float:
    """Standard errors that one of so many statistics may differ by, by Bonferroni's correction."""
    return float(stats.norm.isf(false_alarm / (2 * count)))


def _statistics(values: Floats) -> Mapping[str, tuple[Floats, Floats]]:
    """Statistics with their Monte Carlo standard errors, each (number,)."""
    axes: dict[str, Any] = {"chain_axis": 0, "draw_axis": 1}
    found = {"mean": (values.mean(axis=(0, 1)), az.mcse(values, method="mean", **axes))}
    for level in QUANTILES:
        error = az.mcse(values, method="quantile", prob=level, **axes)
        # Where draws tie ("never", accepted or not) a quantile is a step, and its error no number or zero.
        error = np.where(error > 0, error, np.nan)
        found[f"{level:.0%} quantile"] = np.quantile(values, level, axis=(0, 1)), error
    return found


def _single(variable: xr.DataArray) -> xr.DataArray:
    return variable.astype(np.float32) if variable.dtype.kind == "f" else variable


def _rounded(variable: xr.DataArray) -> xr.DataArray:
    """Single precision, with the last bits of the mantissa rounded away."""
    bits = variable.to_numpy().astype(np.float32).view(np.uint32)
    drop = 23 - KEPT_BITS
    half = np.uint32(1 << (drop - 1))
    rounded = ((bits + half) >> np.uint32(drop)) << np.uint32(drop)
    return variable.copy(data=rounded.view(np.float32))
