"""The default model as one PyMC script, without the engine: the yardstick of ``speed``.

What a competent user would write by hand. Evidence tables and prior files come through the project's readers;
every equation is written again, in ``equations``.

Variants:
  inside    the whole monthly grid to 2060 in the model, future shocks as its random variables, trajectories
            as its Deterministics;
  grid      the whole grid in the model, shocks and trajectories afterwards in NumPy;
  separate  a model of the history only, and a NumPy projection.

In every variant the likelihood reads trajectories without shocks, as the engine's does: some rows are plans
for months after the as-of date, and must not teach what the shocks will be. In ``inside`` the trajectories
with shocks stand beside them, so the sampler needs no gradient through the policy's switches, which have
none, nor through the months of automated research, which are a scan there.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from benchmarks.default_data import Inputs, read_inputs
from benchmarks.equations import integral, since_2024, trajectories
from forecast.dates import end_of
from forecast.worldview import Prior

Array = NDArray[Any]

CONTROLS = "export-control-leakage."
FUTURE_ONLY = (
    "investment.shock_scale",
    "algorithmic-efficiency.shock_scale",
    "algorithmic-efficiency.follow_lag_drift",
    "capability.announcement_delay",
    CONTROLS + "domestic_shock",
    *(CONTROLS + f"{channel}_tight" for channel in ("domestic", "licensed", "smuggled", "offshore")),
    *(CONTROLS + f"{channel}_loose" for channel in ("domestic", "licensed", "smuggled", "offshore")),
    "export-policy.",
    "physical-limits.",
    "automated-rnd.",
)
"""Beginnings of the names of parameters that no row's prediction depends on."""

SHOCKS = ("investment", "domestic", "progress")
READ = ("training_compute", "effective_compute", "time_horizon_80")  # by the milestone
DELAY = "capability.announcement_delay"


# Priors and likelihoods ------------------------------------------------------------------------------------


def filled(values: Any, priors: list[Prior]) -> Any:
    """Free numbers (..., free, 1) with the constants between them."""
    constant = np.array([[one.params["value"] if one.is_constant else 0.0] for one in priors])
    mask = np.array([[not one.is_constant] for one in priors], dtype=float)
    return constant if values is None else values if mask.all() else constant + mask * values


def variable(name: str, priors: list[Prior]) -> Any:
    """One PyMC variable a parameter, (bloc or epoch or 1, 1)."""
    free = [one for one in priors if not one.is_constant]
    if not free:
        return filled(None, priors)
    if free[0].components:  # of one number, and of normals
        parts = [part.params for _, part in free[0].components]
        mu, sigma = (np.array([part[key] for part in parts]) for key in ("mu", "sigma"))
        mixed = pm.NormalMixture(name, w=free[0].weights, mu=mu, sigma=sigma, shape=(1, 1))
        return pt.specify_shape(mixed, (1, 1))  # which the mixture forgets
    params = {key: np.array([[one.params[key]] for one in free]) for key in free[0].params}
    return filled(getattr(pm, free[0].family)(name, **params), priors)


def observe(p: Any, q: Any, rows: Any, years: Array) -> None:
    """The likelihoods."""
    decimal = years[0] + 2024

    def place(dates: Array) -> tuple[Array, Array]:
        left = np.clip(np.searchsorted(decimal, dates, side="right") - 1, 0, len(decimal) - 2)
        return left, (dates - decimal[left]) / (decimal[left + 1] - decimal[left])

    def at(x: Any, which: Array, dates: Array) -> Any:
        left, part = place(dates)
        return x[which, left] * (1 - part) + x[which, left + 1] * part

    def mean_flow(x: Any, which: Array, d: Any) -> Any:
        total, end = integral(pt, x, years), np.minimum(d.date + 1 / 365, decimal[-1])
        start = d.date + 1 / 365 - d.period
        return (at(total, which, end) - at(total, which, start)) / (end - start)

    def sd(error: Any, *scatter: Any) -> Any:
        return pt.sqrt(sum((s**2 for s in scatter), error**2))

    def one(name: str) -> Any:
        return pt.as_tensor_variable(p[name])[0, 0]

    def each(name: str, d: Any) -> Any:
        return pt.as_tensor_variable(p[name])[d.bloc, 0]

    d = rows["capex"]
    spent = mean_flow(10.0 ** (q.investment + q.chip_purchases - q.chip_demand), d.bloc, d)
    total = each("investment.other_capex", d) + one("investment.coverage") * spent
    sigma = sd(d.error, one("investment.scatter"), one("investment.guidance_error") * d.guidance)
    pm.Normal("capex", pt.log10(total), sigma, observed=d.value)
    d = rows["runs"]
    mu = at(q.training_compute, d.bloc, d.date) - one("compute-growth.rank_step") * d.steps
    sigma = sd(d.error, each("compute-growth.run_scatter", d))
    pm.StudentT("runs", nu=one("compute-growth.run_nu"), mu=mu, sigma=sigma, observed=d.value)
    d = rows["shipments"]
    flow = pt.log10(mean_flow(10.0**q.chip_purchases, d.bloc, d))
    pm.Normal("shipments", flow, sd(d.error, one("compute-growth.flow_scatter")), observed=d.value)
    d = rows["prices"]
    sigma = sd(d.error, one("compute-growth.price_scatter"))
    pm.Normal("prices", at(q.price_performance, d.bloc, d.date), sigma, observed=d.value)
    d = rows["costs"]
    per_flop = pt.log10(one("training-cost.overhead") / one("training-cost.flop_per_h100e"))
    sigma = sd(d.error, one("training-cost.cost_scatter"))
    pm.Normal("costs", per_flop - at(q.price_performance, d.bloc, d.date), sigma, observed=d.value)
    d = rows["channels"]
    flows = pt.concatenate(
        [flow * 10.0 ** (q.chip_purchases[1:] - q.chip_access) for flow in q.channels.values()], axis=0
    )
    which = np.array([list(q.channels).index(name) for name in d.series])
    sigma = sd(d.error, one("export-control-leakage.channel_scatter"))
    pm.Normal("channels", pt.log10(mean_flow(flows, which, d)), sigma, observed=d.value)
    d = rows["rates"]
    sigma = sd(d.error, one("algorithmic-efficiency.rate_spread"))
    pm.Normal("rates", one("algorithmic-efficiency.rate_centre"), sigma, observed=d.value)
    d, offset, spread = rows["horizons"], one("capability.suite_1_0_offset"), one("capability.suite_scatter")
    mu = at(q.time_horizon, d.bloc, d.date) + offset * d.old_suite
    error = d.error
    latent = pm.Normal.dist(mu, sd(error, each("capability.horizon_scatter", d), spread * d.old_suite))
    pm.Censored("horizons", latent, lower=None, upper=d.limit, observed=np.minimum(d.value, d.limit))
    d = rows["suites"]
    pm.Normal("suites", offset, sd(d.error, spread), observed=d.value)
    d = rows["pairs"]
    gap = one("capability.horizon_80_gap") + one("capability.horizon_80_gap_slope") * (d.horizon - 2.0)
    pm.Normal("pairs", gap, d.error, observed=d.value)
    d = rows["index"]
    sigma = sd(d.error, each("capability.index_scatter", d))
    pm.Normal("index", at(q.capability_index, d.bloc, d.date), sigma, observed=d.value)


# Model, sampling, projection ---------------------------------------------------------------------------


def month_starts(last: str) -> Array:
    """Years since 2024 of month starts from 2018-01, (1, time)."""
    days = np.arange("2018-01", last, dtype="datetime64[M]").astype("datetime64[D]")
    return np.array([[since_2024(day.item()) for day in days]])


def build(inputs: Inputs, variant: str, years: Array) -> pm.Model:
    """The PyMC model of a variant."""
    as_of = inputs.view.as_of
    with pm.Model() as model:
        p = {
            name: variable(name, priors)
            for name, priors in inputs.priors.items()
            if variant == "inside" or not name.startswith(FUTURE_ONLY)
        }
        p = {name: p.get(name, np.zeros((1, 1))) for name in inputs.priors}
        p[CONTROLS + "epoch_starts"] = inputs.epoch_starts
        q = trajectories(p, years, as_of, pt)
        observe(p, q, inputs.rows, years)
        if variant == "inside":
            n_ahead = int(np.sum(years > since_2024(as_of)))
            drawn = {name: pm.Normal(f"shock {name}", shape=(3, n_ahead)) for name in SHOCKS}
            drawn["policy"] = pm.Uniform("shock policy", shape=(1, n_ahead))
            padded = {
                n: pt.concatenate([np.zeros((x.type.shape[0], years.size - n_ahead)), x], axis=1)
                for n, x in drawn.items()
            }
            shocks = {"policy": padded.pop("policy")} | {n: (x[:1], x[1:]) for n, x in padded.items()}
            q = trajectories(p, years, as_of, pt, shocks)
        if variant != "separate":
            for name in READ:
                pm.Deterministic(name, getattr(q, name))
    return model


def project(inputs: Inputs, posterior: Any, years: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Trajectories (draw, bloc, time) of posterior draws with shocks from NumPy, 500 draws at a time."""
    free = {name: np.asarray(posterior[name]) for name in inputs.priors if name in posterior}
    size = len(next(iter(free.values())))
    for name in [name for name in inputs.priors if name not in free]:
        drawn = [one.rvs(rng, size) for one in inputs.priors[name] if not one.is_constant]
        free |= {name: np.stack(drawn, axis=1)[..., None]} if drawn else {}
    blocks = []
    for start in range(0, size, 500):
        part = slice(start, start + 500)
        p = {
            name: filled(free[name][part] if name in free else None, priors)
            for name, priors in inputs.priors.items()
        }
        p[CONTROLS + "epoch_starts"] = inputs.epoch_starts
        n = len(range(size)[part])
        normal = {name: rng.standard_normal((n, 3, years.size)) for name in SHOCKS}
        shocks = {"policy": rng.random((n, 1, years.size))}
        shocks |= {name: (x[:, :1], x[:, 1:]) for name, x in normal.items()}
        q = trajectories(p, years, inputs.view.as_of, np, shocks)
        blocks.append({n: getattr(q, n) for n in READ} | {DELAY: p[DELAY]})
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def crossings(inputs: Inputs, q: Any, years: Array, rng: np.random.Generator) -> Array:
    """Crossing dates of the milestone `agi`, (draw, bloc); inf for never."""
    size, level = len(q["training_compute"]), inputs.view.thresholds
    drawn = {name: prior.rvs(rng, size)[:, None, None] for name, prior in level.items()}
    by_compute = rng.random(size)[:, None, None] < 0.5
    capable = np.where(
        by_compute,
        q["effective_compute"] - drawn["effective_compute"],
        q["time_horizon_80"] - np.log10(60.0 * drawn["time_horizon"]),
    )
    margin = np.minimum(q["training_compute"] - drawn["training_compute"], capable)
    met = margin >= 0
    first = np.argmax(met, axis=-1)
    before = np.maximum(first - 1, 0)
    right, left = (np.take_along_axis(margin, k[..., None], -1)[..., 0] for k in (first, before))
    part = np.where(first > before, left / np.where(first > before, left - right, 1.0), 0.0)
    dates = 2024 + years[0][before] + part * (years[0][first] - years[0][before])
    unreachable = rng.random(size) < inputs.view.milestones["agi"].unreachable
    return np.where(met.any(axis=-1) & ~unreachable[:, None], dates, np.inf)


def main() -> None:
    """Run one variant and write its crossing dates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=["inside", "grid", "separate"], default="separate")
    for name, default in (
        ("draws", 1000),
        ("tune", 1000),
        ("chains", 4),
        ("cores", None),
        ("seed", 20260630),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument(
        "--output", help="an .npz with crossings (chain, draw, bloc) and accepted (chain, draw)"
    )
    asked = parser.parse_args()
    clock: dict[str, float] = {}
    began = time.perf_counter()

    def lap(name: str) -> None:
        clock[name] = round(time.perf_counter() - began - sum(clock.values()), 2)

    inputs, full = read_inputs(), month_starts("2061-02")
    model = build(inputs, asked.variant, month_starts("2028-02") if asked.variant == "separate" else full)
    lap("build")
    # nutpie's jitter of +-1 is seven prior sd of some growth rates and left a chain in another mode; what no
    # row reads needs it, since nutpie refuses a start at which a gradient is zero.
    unread = {x for x in model.free_RVs if x.name.startswith("shock") or x.name.startswith(FUTURE_ONLY)}
    compiled = nutpie.compile_pymc_model(model, jitter_rvs=unread)
    lap("compile")
    trace = nutpie.sample(
        compiled,
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        cores=asked.cores,
        seed=asked.seed,
        target_accept=0.95,
        save_warmup=False,
        progress_bar=False,
    )
    lap("sample")
    posterior = {n: np.asarray(x).reshape(-1, *x.shape[2:]) for n, x in trace["posterior"].data_vars.items()}
    rng = np.random.default_rng(asked.seed)
    q = posterior if asked.variant == "inside" else project(inputs, posterior, full, rng)
    when = crossings(inputs, q, full, rng)
    lap("project")
    in_laboratory = when - q[DELAY][..., 0]
    accepted = ~np.any(when <= end_of(inputs.view.as_of), axis=1)
    shape = (asked.chains, -1)
    if asked.output:
        np.savez(asked.output, crossings=when.reshape(*shape, 2), accepted=accepted.reshape(shape))
    said: dict[str, Any] = {"seconds": clock, "divergences": int(trace["sample_stats"]["diverging"].sum())}
    for name, dates in (("quantiles", when), ("in_laboratory", in_laboratory)):
        levels = np.quantile(dates[accepted], (0.1, 0.25, 0.5, 0.75), axis=0, method="lower")
        said[name] = levels.round(2).tolist()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
