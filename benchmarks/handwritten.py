"""The default model as one PyMC script, without the engine: the yardstick of ``speed``.

What a competent user would write by hand. Evidence tables and prior files come through the project's readers;
every equation is written again below.

Variants:
  inside    the whole monthly grid to 2060 in the model, future shocks as its random variables, trajectories
            as its Deterministics;
  grid      the whole grid in the model, shocks and trajectories afterwards in NumPy;
  separate  a model of the history only, and a NumPy projection.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from benchmarks.default_data import Inputs, read_inputs
from forecast.dates import decimal_year, end_of
from forecast.worldview import Prior

Array = NDArray[Any]

FUTURE_ONLY = (
    "investment.shock_scale",
    "algorithmic-efficiency.shock_scale",
    "algorithmic-efficiency.follow_lag_drift",
    "export-control-leakage.domestic_shock",
)
SHOCKS = ("investment", "domestic", "progress")
READ = ("training_compute", "effective_compute", "time_horizon_80")  # by the milestone
LN10 = np.log(10.0)


# Equations, for PyTensor (bloc, time) and NumPy (draw, bloc, time) alike ---------------------------


def softmin(xp: Any, sharpness: float, first: Any, *others: Any) -> Any:
    """Soft minimum of log10 quantities."""
    scale, total = sharpness * LN10, -sharpness * LN10 * first
    for other in others:
        total = xp.logaddexp(total, -scale * other)
    return -total / scale


def integral(xp: Any, x: Any, years: Array) -> Any:
    """Integral over time from the grid's start, by the trapezoid rule."""
    steps = 0.5 * (x[..., 1:] + x[..., :-1]) * (years[:, 1:] - years[:, :-1])
    return xp.concatenate([0.0 * x[..., :1], xp.cumsum(steps, axis=-1)], axis=-1)


def decaying(xp: Any, x: Any, years: Array, lifetime: Any, initial: Any = 0.0) -> Any:
    """Solution of dy/dt = x - y / lifetime."""
    age = (years - years[:, :1]) / lifetime
    return np.exp(-age) * (initial + integral(xp, x * np.exp(age), years))


def lagged(xp: Any, x: Any, lag: Any, size: int) -> Any:
    """`x` of (..., bloc, time) a lag in years earlier, held at the grid's start."""
    position = xp.clip(np.arange(size) - 12.0 * lag, 0.0, size - 1.0)
    left = xp.minimum(xp.floor(position), size - 2.0).astype("int64")
    part = position - left
    return (1 - part) * xp.take_along_axis(x, left, axis=-1) + part * xp.take_along_axis(x, left + 1, axis=-1)


def at_year(x: Any, when: float, years: Array, as_of: float) -> Any:
    """`x` at one moment up to the as-of date, from months up to that date alone."""
    k = int(np.searchsorted(years[0], when, side="right")) - 1
    k -= int(years[0, k + 1] > as_of)
    part = (when - years[0, k]) / (years[0, k + 1] - years[0, k])
    return (1 - part) * x[..., k : k + 1] + part * x[..., k + 1 : k + 2]


def wandering(
    xp: Any, innovations: Any, years: Array, as_of: float, scale: Any, persistence: Any, share: Any
) -> Any:
    """Mean-reverting random path after the as-of date, by its exact AR(1)."""
    if innovations is None:
        return 0.0 * years
    common, own = innovations
    age = np.maximum(years - as_of, 0.0) / persistence
    kick = np.sqrt(-np.expm1(-2.0 * ahead(years, as_of) / persistence)) * np.exp(age)
    mixed = np.sqrt(1 - share) * common + np.sqrt(share) * own
    return scale * np.exp(-age) * xp.cumsum(mixed * kick, axis=-1)


def ahead(years: Array, as_of: float) -> Array:
    """Time since the month before, as far as it lies after the as-of date."""
    since = np.maximum(years - as_of, 0.0)
    return np.diff(since, prepend=since[:, :1])


def reached(xp: Any, x: Any, future: Array) -> Any:
    """After the as-of date what was reached stays reached: a running maximum, by doubling."""
    size, step, highest = future.shape[-1], 1, x
    while step < size:
        earlier = xp.concatenate([highest[..., :step], highest[..., :-step]], axis=-1)
        highest, step = xp.maximum(highest, earlier), 2 * step
    return xp.where(future, highest, x)


def trajectories(p: Any, years: Array, as_of_date: date, xp: Any, shocks: Any = None) -> SimpleNamespace:
    """All quantities; `years` (1, time) since 2024, parameters (..., bloc or 1, 1), shocks by name."""
    shocks, size = shocks or {}, years.shape[-1]
    as_of = decimal_year(as_of_date) - 2024
    before, after = np.minimum(years, as_of), np.maximum(years - as_of, 0.0)

    def path(name: str, scale: Any, persistence: Any, share: Any) -> Any:
        return wandering(xp, shocks.get(name), years, as_of, scale, persistence, share)

    i, c, x, a, k = (
        {n.split(".")[1]: v for n, v in p.items() if n.startswith(driver)}
        for driver in ("investment", "compute-growth", "export-control", "algorithmic", "capability")
    )
    trend = i["level"] + i["growth"] * (years - 1.0)
    growth = path("investment", i["shock_scale"], i["persistence"], i["shock_bloc_share"])
    trend = trend + xp.cumsum(growth * ahead(years, as_of), axis=-1)
    ceiling = xp.log10(i["ceiling_share"] * i["gdp"]) + np.log10(1.0 + i["gdp_growth"]) * years
    money = softmin(xp, 1.0, trend, ceiling)
    price = c["price_performance"] + c["price_performance_growth"] * (years - 1.0) - c["price_disadvantage"]
    demand = money + price + xp.log10(c["chip_share"])
    since, decay = years - 2.5, c["world_production_growth_decay"]
    world = xp.log10(c["world_production"]) + c["world_production_past_growth"] * np.minimum(since, 0.0)
    world = world - c["world_production_growth"] * decay * xp.expm1(-np.maximum(since, 0.0) / decay)
    starts = x["epoch_starts"]
    inside = (years >= starts[:, None]) & (years < np.append(starts[1:], np.inf)[:, None])
    luck = path("domestic", x["domestic_shock"], x["domestic_shock_persistence"], 0.0) * ahead(years, as_of)
    luck = xp.cumsum(luck, axis=-1)
    channels = {
        "domestic": 10.0
        ** (xp.log10(x["domestic"]) + x["domestic_growth"] * (years - 1.5) + luck[..., :1, :]),
        "licensed": 10.0 ** xp.sum(x["licensed"] * inside, axis=-2, keepdims=True),
        "smuggled": 10.0 ** (xp.log10(x["smuggled"]) + x["smuggled_growth"] * (years - 1.0)),
        "offshore": 10.0 ** (xp.log10(x["offshore"]) + x["offshore_growth"] * (years - 2.0)),
    }
    access = xp.log10(sum(channels.values()))
    american, chinese = demand[..., :1, :], demand[..., 1:, :]
    bought = [softmin(xp, 4.0, american, world), softmin(xp, 4.0, chinese, world, access)]
    purchases = xp.concatenate(bought, axis=-2)
    stock = xp.log10(decaying(xp, 10.0**purchases, years, c["lifetime"], 10.0 ** c["stock_2018"]))
    fade = c["allocation_trend_decay"]
    drift = c["allocation_trend"] + c["allocation_half_difference"] * np.array([[1.0], [-1.0]])
    share = c["allocation"] + drift * (before - 1.0 - fade * np.expm1(-after / fade))
    compute = stock + softmin(xp, 4.0, share, c["allocation_bound"]) + np.log10(c["flop_per_h100e_run"])

    leader = xp.max(stock, axis=-2, keepdims=True)
    now, earlier = (at_year(leader, day, years, as_of) for day in (as_of, year_before(as_of_date)))
    grown = xp.where(after > 0, (leader - now) / (now - earlier), 0.0)
    ahead_by = after + decaying(xp, (grown - after) / a["relaxation"], years, a["relaxation"])
    luck = path("progress", a["shock_scale"], a["persistence"], a["shock_bloc_share"])
    luck = luck + LN10 / 2 * a["shock_scale"] ** 2 * np.expm1(-2.0 * after / a["persistence"])  # mean one
    factor = integral(xp, xp.where(after > 0, 10.0**luck - 1.0, 0.0), years) / np.maximum(after, 1 / 12)
    rate = 10.0 ** (a["rate_centre"] + a["rate_spread"] * a["rate_z"])
    progress = rate * (before + ahead_by * (1.0 + factor if shocks else 1.0))
    both = np.zeros((2, size))
    if shocks:
        progress = reached(xp, progress, after > 0)
    own = compute + lagged(xp, progress + both, a["lag"] + both, size)
    spread = a["follow_lag_spread"] * a["follow_lag_drift"] * -np.expm1(-after / a["relaxation"])
    following = lagged(
        xp, xp.max(own, axis=-2, keepdims=True) + both, a["follow_lag"] * 10.0**spread + both, size
    )
    effective = -softmin(xp, 4.0, -own, -following)
    if shocks:
        effective = reached(xp, effective, after > 0)

    anchor_date = min(date(2025, 4, 1), as_of_date - timedelta(days=183))
    anchor = decimal_year(anchor_date) - 2024
    leader = xp.max(effective, axis=-2, keepdims=True)
    now, earlier = (at_year(leader, day, years, as_of) for day in (anchor, year_before(anchor_date)))
    clock = anchor - (decimal_year(date(2025, 4, 1)) - 2024) + (effective - now) / (now - earlier)
    horizon = k["horizon_level"] + k["horizon_growth"] * clock
    return SimpleNamespace(
        money=money,
        demand=demand,
        price=price,
        purchases=purchases,
        channels=channels,
        access=access,
        training_compute=compute,
        effective_compute=effective,
        time_horizon=horizon,
        time_horizon_80=horizon - k["horizon_80_gap"] - k["horizon_80_gap_slope"] * (horizon - 2.0),
        capability_index=k["index_level"] + k["index_growth"] * clock,
    )


def year_before(day: date) -> float:
    """Years since 2024, a year before a day."""
    return decimal_year(day - timedelta(days=365)) - 2024


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
    spent = mean_flow(10.0 ** (q.money + q.purchases - q.demand), d.bloc, d)
    total = each("investment.other_capex", d) + one("investment.coverage") * spent
    sigma = sd(d.error, one("investment.scatter"), one("investment.guidance_error") * d.guidance)
    pm.Normal("capex", pt.log10(total), sigma, observed=d.value)
    d = rows["runs"]
    mu = at(q.training_compute, d.bloc, d.date) - one("compute-growth.rank_step") * d.steps
    sigma = sd(d.error, each("compute-growth.run_scatter", d))
    pm.StudentT("runs", nu=one("compute-growth.run_nu"), mu=mu, sigma=sigma, observed=d.value)
    d = rows["shipments"]
    flow = pt.log10(mean_flow(10.0**q.purchases, d.bloc, d))
    pm.Normal("shipments", flow, sd(d.error, one("compute-growth.flow_scatter")), observed=d.value)
    d = rows["prices"]
    sigma = sd(d.error, one("compute-growth.price_scatter"))
    pm.Normal("prices", at(q.price, d.bloc, d.date), sigma, observed=d.value)
    d = rows["costs"]
    per_flop = pt.log10(one("training-cost.overhead") / one("training-cost.flop_per_h100e"))
    sigma = sd(d.error, one("training-cost.cost_scatter"))
    pm.Normal("costs", per_flop - at(q.price, d.bloc, d.date), sigma, observed=d.value)
    d = rows["channels"]
    flows = pt.concatenate(
        [flow * 10.0 ** (q.purchases[1:] - q.access) for flow in q.channels.values()], axis=0
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
    return np.array([[decimal_year(day.item()) - 2024 for day in days]])


def build(inputs: Inputs, variant: str, years: Array) -> pm.Model:
    """The PyMC model of a variant."""
    n_ahead = int(np.sum(years > decimal_year(inputs.view.as_of) - 2024))
    with pm.Model() as model:
        p = {
            name: variable(name, priors)
            for name, priors in inputs.priors.items()
            if variant == "inside" or name not in FUTURE_ONLY
        }
        p["export-control-leakage.epoch_starts"] = inputs.epoch_starts
        shocks = None
        if variant == "inside":
            drawn = {name: pm.Normal(f"shock {name}", shape=(3, n_ahead)) for name in SHOCKS}
            padded = {
                n: pt.concatenate([np.zeros((3, years.size - n_ahead)), x], axis=1) for n, x in drawn.items()
            }
            shocks = {name: (x[:1], x[1:]) for name, x in padded.items()}
        else:
            p |= {name: np.zeros((1, 1)) for name in FUTURE_ONLY}
        q = trajectories(p, years, inputs.view.as_of, pt, shocks)
        observe(p, q, inputs.rows, years)
        if variant != "separate":
            for name in READ:
                pm.Deterministic(name, getattr(q, name))
    return model


def project(inputs: Inputs, posterior: Any, years: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Trajectories (draw, bloc, time) of posterior draws with shocks from NumPy, 500 draws at a time."""
    free = {name: np.asarray(posterior[name]) for name in inputs.priors if name in posterior}
    size = len(next(iter(free.values())))
    for name in FUTURE_ONLY:
        drawn = [one.rvs(rng, size) for one in inputs.priors[name] if not one.is_constant]
        free |= {name: np.stack(drawn, axis=1)[..., None]} if drawn else {}
    blocks = []
    for start in range(0, size, 500):
        part = slice(start, start + 500)
        p = {
            name: filled(free[name][part] if name in free else None, priors)
            for name, priors in inputs.priors.items()
        }
        p["export-control-leakage.epoch_starts"] = inputs.epoch_starts
        n = len(range(size)[part])
        normal = {name: rng.standard_normal((n, 3, years.size)) for name in SHOCKS}
        shocks = {name: (x[:, :1], x[:, 1:]) for name, x in normal.items()}
        q = trajectories(p, years, inputs.view.as_of, np, shocks)
        blocks.append({n: getattr(q, n) for n in READ})
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
    unread = {x for x in model.free_RVs if x.name.startswith("shock") or x.name in FUTURE_ONLY}
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
    accepted = ~np.any(when <= end_of(inputs.view.as_of), axis=1)
    shape = (asked.chains, -1)
    if asked.output:
        np.savez(asked.output, crossings=when.reshape(*shape, 2), accepted=accepted.reshape(shape))
    levels = np.quantile(when[accepted], (0.1, 0.25, 0.5, 0.75), axis=0, method="lower")
    divergences = int(trace["sample_stats"]["diverging"].sum())
    print(json.dumps({"seconds": clock, "divergences": divergences, "quantiles": levels.round(2).tolist()}))


if __name__ == "__main__":
    main()
