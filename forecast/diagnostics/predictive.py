"""What each evidence table says of the model: posterior predictive, leave-one-out, PIT, coverage."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from forecast.diagnostics.catalogue import KINDS
from forecast.diagnostics.gate import Check
from forecast.diagnostics.numbers import Numbers
from forecast.diagnostics.tables import Table, tables_of

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9)
"""Central intervals whose coverage is shown."""

_NAMED = 5
_WHAT_RAISES = (ValueError, TypeError, IndexError, KeyError, FloatingPointError, np.linalg.LinAlgError)


@dataclass
class TableResult:
    """What was found for one table; None where it could not be computed.

    Attributes
    ----------
    table : Table
    pareto_k, pit : ndarray, (row,), or None
    good_k : float or None
        Up to which k ArviZ calls the estimate good, for this number of draws.
    predictive_p, pit_p, coverage_p : float or None
        Of this table alone.
    coverage : dict of float to float
        Share of rows inside central leave-one-out intervals, by level.
    residual : float or None
        The largest distance of a row from its prediction, in predictive standard deviations.
    farthest : str
        The row that has it.
    reasons : dict of str to str
        Why a check's number is missing.
    """

    table: Table
    pareto_k: Floats | None = None
    pit: Floats | None = None
    good_k: float | None = None
    predictive_p: float | None = None
    pit_p: float | None = None
    coverage_p: float | None = None
    coverage: dict[float, float] = field(default_factory=dict)
    residual: float | None = None
    farthest: str = ""
    reasons: dict[str, str] = field(default_factory=dict)

    def influential(self, threshold: float | None) -> Iterator[tuple[str, float, float | None]]:
        """Rows with k above the threshold (ArviZ's without one): name, k, LOO-PIT."""
        limit = self.good_k if threshold is None else threshold
        if self.pareto_k is None or limit is None:
            return
        for at in np.argsort(-self.pareto_k):
            if self.pareto_k[at] > limit:
                pit = None if self.pit is None else float(self.pit[at])
                yield self.table.rows[at], float(self.pareto_k[at]), pit

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "table": self.table.name,
            "rows": len(self.table.rows),
            "predictive_p": self.predictive_p,
            "farthest": {"row": self.farthest, "residual": self.residual} if self.farthest else None,
            "loo_pit_p": self.pit_p,
            "coverage_p": self.coverage_p,
            "coverage": {f"{level:g}": share for level, share in self.coverage.items()} or None,
            "pareto_k_max": None if self.pareto_k is None else _finite(float(self.pareto_k.max())),
            "reasons": self.reasons,
        }


def influential_rows(results: list[TableResult], threshold: float | None) -> list[dict[str, Any]]:
    """List the rows with k above the threshold for JSON, the worst first."""
    rows = [(k, one.table.name, row, pit) for one in results for row, k, pit in one.influential(threshold)]
    return [
        {"table": table, "row": row, "pareto_k": _finite(k), "loo_pit": pit}
        for k, table, row, pit in sorted(rows, key=lambda found: -found[0])
    ]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def examine_tables(tree: xr.DataTree, numbers: Numbers | None) -> list[TableResult]:
    """Examine every table of evidence.

    Parameters
    ----------
    tree : xarray.DataTree
        Any of ``log_likelihood``, ``posterior_predictive`` and ``observed_data``.
    numbers : Numbers or None
        For the relative efficiency of the draws.

    Returns
    -------
    list of TableResult
        One a variable of these groups; what could not be computed has a reason.
    """
    efficiency = 1.0 if numbers is None else numbers.relative_efficiency
    found = []
    for table in tables_of(tree):
        result = TableResult(table)
        for examine in (_predict, _leave_out):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of high k, which we report ourselves
                    examine(result, efficiency)
            except _WHAT_RAISES as error:
                what = " ".join(str(error).split())[:200] or type(error).__name__
                for code in ("predictive",) if examine is _predict else ("loo_pit", "coverage", "pareto_k"):
                    result.reasons.setdefault(code, f"it could not be computed ({what})")
        found.append(result)
    return found


def _predict(result: TableResult, _: float) -> None:
    """Compare the largest standardised residual with that of replicated tables, one-sided."""
    table = result.table
    if table.observed is None or table.predicted is None:
        result.reasons["predictive"] = table.why_not_predicted
        return
    predicted, observed = table.predicted.to_numpy(), table.observed.to_numpy()
    spread = predicted.std(axis=(0, 1))
    varies = spread > 0
    if not varies.any():
        result.reasons["predictive"] = "its predictions do not vary"
        return
    centre = predicted.mean(axis=(0, 1))
    replicated = np.abs(predicted - centre)[..., varies] / spread[varies]
    residuals = np.abs(observed - centre)[varies] / spread[varies]
    at = int(np.argmax(residuals))
    result.residual = float(residuals[at])
    result.farthest = [row for row, there in zip(table.rows, varies, strict=True) if there][at]
    beyond = int((replicated.max(axis=-1) >= result.residual).sum())
    # Counting the table itself among the replicates keeps the p-value above zero and valid.
    result.predictive_p = (1 + beyond) / (1 + predicted.shape[0] * predicted.shape[1])


def _leave_out(result: TableResult, efficiency: float) -> None:
    import arviz_stats as az

    table = result.table
    if table.log_likelihood is None:
        for code in ("loo_pit", "coverage", "pareto_k"):
            result.reasons[code] = table.why_no_likelihood
        return
    loo = az.loo(table.tree(), var_name="table", pointwise=True, reff=efficiency)
    k = np.asarray(loo.pareto_k, dtype=float)
    # No estimate at all is as bad as k can be; a row without a tail (-inf) is as good.
    result.pareto_k = np.where(np.isnan(k), np.inf, np.where(np.isneginf(k), 0.0, k))
    result.good_k = float(loo.good_k)
    if table.observed is None or table.predicted is None:
        for code in ("loo_pit", "coverage"):
            result.reasons[code] = table.why_not_predicted
        return
    pit = _loo_pit(table, loo)
    result.pit = np.asarray(pit, dtype=float)
    method = "pot_c" if table.is_continuous else "prit_c"
    result.pit_p = float(pit.azstats.uniformity_test(dim=["row"], method=method)[0])
    # The transformation and the test of az.plot_loo_pit(coverage=True).
    central: xr.DataArray = 2 * abs(pit - 0.5)
    result.coverage_p = float(central.azstats.uniformity_test(dim=["row"], method=method)[0])
    result.coverage = {level: float((central <= level).mean()) for level in LEVELS}


def _loo_pit(table: Table, loo: Any) -> xr.DataArray:
    """LOO-PIT of each row; smoothed in the tails, but not where the value is a censoring bound."""
    import arviz_stats as az

    def of(rows: NDArray[np.intp], smooth: bool) -> xr.DataArray:
        pit = az.loo_pit(
            table.tree(rows),
            var_names=["table"],
            log_weights=loo.log_weights.isel(row=rows).to_dataset(name="table"),
            pareto_k=loo.pareto_k.isel(row=rows).to_dataset(name="table"),
            pareto_pit=smooth,
        )
        found: xr.DataArray = pit["table"]
        return found

    every = np.arange(len(table.rows))
    pit = of(every, table.is_continuous)
    if table.censored.any():
        pit[table.censored] = of(every[table.censored], False)
    return pit


def table_checks(
    results: list[TableResult], thresholds: Mapping[str, float], *, without: str = ""
) -> list[Check]:
    """Make the checks ``predictive``, ``loo_pit``, ``coverage`` and ``pareto_k``.

    Parameters
    ----------
    results : list of TableResult
    thresholds : mapping of str to float
        Without ``pareto_k``, that of ArviZ for the number of draws.
    without : str
        Why there is no table at all, where there is none.

    Returns
    -------
    list of Check
        The p-values are those of the worst table times the number of tables,
        so that a calibrated model fails each with a chance of 5% at most.
    """
    checks = []
    for code, attribute in (("predictive", "predictive_p"), ("loo_pit", "pit_p"), ("coverage", "coverage_p")):
        known = [one for one in results if getattr(one, attribute) is not None]
        if not known:
            checks.append(KINDS[code].missing(thresholds[code], _reason(results, code, without)))
            continue
        worst = min(known, key=lambda one: getattr(one, attribute))
        value = min(1.0, len(known) * getattr(worst, attribute))
        where = _where(worst, code) + _left_out(results, code)
        checks.append(KINDS[code].judged(value, thresholds[code], where))
    checks.append(_pareto_k(results, thresholds.get("pareto_k"), without))
    return checks


def _pareto_k(results: list[TableResult], threshold: float | None, without: str) -> Check:
    kind = KINDS["pareto_k"]
    known = [one for one in results if one.pareto_k is not None and one.good_k is not None]
    if not known:
        return kind.missing(threshold, _reason(results, "pareto_k", without))
    limit = known[0].good_k if threshold is None else threshold
    value = max(float(one.pareto_k.max()) for one in known if one.pareto_k is not None)
    rows = sorted(
        ((k, f"{one.table.name}: {row}") for one in known for row, k, _ in one.influential(threshold)),
        key=lambda found: -found[0],
    )
    named = "; ".join(f"{name} (k {k:.2f})" for k, name in rows[:_NAMED])
    more = f"; and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return kind.judged(value, limit or 0.0, named + more + _left_out(results, "pareto_k"))


def _where(worst: TableResult, code: str) -> str:
    if code == "predictive":
        return f"{worst.table.name}: {worst.farthest} ({worst.residual:.1f} sd)"
    if code == "coverage":
        shares = ", ".join(
            f"{100 * share:.0f}% in {100 * level:g}%" for level, share in worst.coverage.items()
        )
        return f"{worst.table.name} ({shares})"
    return worst.table.name


def _reason(results: list[TableResult], code: str, without: str) -> str:
    reasons = {one.reasons[code]: one.table.name for one in results if code in one.reasons}
    if not reasons:
        return without or "There is no evidence in it."
    return "; ".join(f"{name}: {reason}" for reason, name in list(reasons.items())[:3]) + "."


def _left_out(results: list[TableResult], code: str) -> str:
    """Say which tables could not be judged, so that silence does not read as a pass."""
    missing = [one.table.name for one in results if code in one.reasons]
    if not missing:
        return ""
    named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    return f" (not judged: {named})"
