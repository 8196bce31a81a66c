"""Every equation of the default model, written again for ``handwritten``.

``xp`` is ``numpy``, for arrays (draw, bloc, time), or ``pytensor.tensor``, for tensors (bloc, time).
"""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytensor
from numpy.typing import NDArray

from forecast.dates import decimal_year

Array = NDArray[Any]
LN10, LOG2 = np.log(10.0), np.log10(2.0)
LEVEL_DATE, PACE_CHANGE = date(2025, 4, 1), date(2024, 4, 1)
STEPS = 4
"""Runge-Kutta steps a month of automated research: right to 0.001 OOM but for runaways."""


# Time -----------------------------------------------------------------------------------------------------


def since_2024(day: date) -> float:
    """Years since 2024."""
    return decimal_year(day) - 2024


def ahead(years: Array, as_of: float) -> Array:
    """Time since the month before, as far as it lies after the as-of date."""
    since = np.maximum(years - as_of, 0.0)
    return np.diff(since, prepend=since[:, :1])


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


def reached(xp: Any, x: Any, future: Array) -> Any:
    """After the as-of date what was reached stays reached: a running maximum, by doubling."""
    size, step, highest = future.shape[-1], 1, x
    while step < size:
        earlier = xp.concatenate([highest[..., :step], highest[..., :-step]], axis=-1)
        highest, step = xp.maximum(highest, earlier), 2 * step
    return xp.where(future, highest, x)


# Parts ----------------------------------------------------------------------------------------------------


def softmin(xp: Any, sharpness: float, first: Any, *others: Any) -> Any:
    """Soft minimum of log10 quantities."""
    scale, total = sharpness * LN10, -sharpness * LN10 * first
    for other in others:
        total = xp.logaddexp(total, -scale * other)
    return -total / scale


def slowing(xp: Any, years: Array, growth: Any, decay: Any) -> Any:
    """Growth since mid-2026 that fades."""
    return growth * decay * -xp.expm1(-np.maximum(years - 2.5, 0.0) / decay)


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


def policy_path(xp: Any, uniform: Any, months: Array, rates: Any) -> Any:
    """State of the controls: 0 tight, 1 as now (up to the as-of date), 2 loose; (..., 1, time).

    Each month's draw says where it leads from each state; months are then chained by doubling.
    """

    def leaves(rate: Any) -> Any:
        return -xp.expm1(-rate * months)

    either = rates["now_to_tight"] + rates["now_to_loose"]
    tighter = leaves(either) * rates["now_to_tight"] / either
    leads = [
        xp.where(uniform < leaves(rates["tight_to_now"]), 1, 0),
        xp.where(uniform < tighter, 0, xp.where(uniform < leaves(either), 2, 1)),
        xp.where(uniform < leaves(rates["loose_to_now"]), 1, 2),
    ]
    path, step = xp.concatenate(leads, axis=-2).astype("int64"), 1
    while step < months.shape[-1]:
        still = xp.repeat(path[..., :1], step, axis=-1)  # nothing switches in the grid's first month
        earlier = xp.concatenate([still, path[..., :-step]], axis=-1)
        path, step = xp.take_along_axis(path, earlier, axis=-2), 2 * step
    return path[..., 1:2, :]


def automation_gain(xp: Any, lead: Any, since: Array, rate: Any, feedback: Any, ceiling: Any) -> Any:
    """Solve dR/dt = rate 10^(feedback (lead + R)) (1 - R/ceiling) from the as-of date on.

    With research done, I = integral of rate 10^(feedback lead), and R = ceiling (1 - e^-w):
    dw/dI = 10^(feedback R) / ceiling, by Runge-Kutta steps, where the driver has a table of I(w).
    """
    first = int(np.searchsorted(since[0], 0.0, side="right"))  # month after the as-of date
    before, end = since[:, first - 1 : -1], since[:, first:]
    start = np.maximum(before, 0.0)
    left, right = lead[..., first - 1 : -1], lead[..., first:]
    left = left + (start - before) / (end - before) * (right - left)
    low, high = (xp.clip(feedback * x, -60.0, 60.0) for x in (left, right))
    x = LN10 * (high - low)
    small = xp.abs(x) < 1e-6
    mean = xp.where(small, 1 + x / 2, xp.expm1(x) / xp.where(small, 1.0, x))
    done = rate * (end - start) * 10.0**low * mean / STEPS

    def month(h: Any, w: Any, room: Any, top: Any) -> Any:
        def speed(w: Any) -> Any:
            return xp.exp(xp.minimum(room * -xp.expm1(-w), 500.0)) / top

        for _ in range(STEPS):
            a = speed(w)
            b = speed(w + h * a / 2)
            c = speed(w + h * b / 2)
            w = xp.minimum(w + h * (a + 2 * b + 2 * c + speed(w + h * c)) / 6, 36.0)
        return w

    constants = [(LN10 * feedback * ceiling)[..., 0], ceiling[..., 0]]
    if xp is np:
        path = [np.zeros(done.shape[:-1])]
        for k in range(done.shape[-1]):
            path.append(month(done[..., k], path[-1], *constants))
        w = np.stack(path[1:], axis=-1)
    else:
        w = pytensor.scan(
            month, sequences=done.T, outputs_info=xp.zeros(2), non_sequences=constants, return_updates=False
        ).T
    past = 0.0 * lead[..., :first]
    return xp.concatenate([past, ceiling * -xp.expm1(-w)], axis=-1)


def paced(xp: Any, clock: Any, earlier: Any, years: Array, as_of: float) -> Any:
    """The clock, at another pace up to where the leader stood when the pace changed."""
    change = since_2024(PACE_CHANGE)
    if as_of < change + 0.5:
        return clock
    then = at_year(xp.max(clock, axis=-2, keepdims=True), change, years, as_of)
    return clock + (earlier - 1.0) * xp.minimum(clock - then, 0.0)


def bent(xp: Any, straight: Any, acceleration: Any) -> Any:
    """OOM of horizon of which each doubling takes a share less growth than the last; at most 10."""
    a = -xp.log1p(-acceleration)
    x = a * straight / LOG2
    small = xp.abs(x) < 1e-4
    closed = -LOG2 * xp.log1p(-xp.where(small, 0.5, xp.minimum(x, 1.0 - 1e-12))) / xp.where(small, 1.0, a)
    return xp.minimum(xp.where(small, straight * (1.0 + x / 2 + x**2 / 3), closed), 10.0)


# The model ------------------------------------------------------------------------------------------------


def trajectories(p: Any, years: Array, as_of_date: date, xp: Any, shocks: Any = None) -> SimpleNamespace:
    """All quantities that the milestone or the evidence needs.

    Parameters
    ----------
    p : mapping of str to array
        Parameters (..., bloc or epoch or 1, 1), and the starts of the licensed channel's epochs.
    years : ndarray, (1, time)
        Since 2024.
    as_of_date : datetime.date
    xp : module
    shocks : mapping, optional
        Standard normal draws (common, own) by name and uniform ones of ``policy``; without them nothing
        that only the future knows.
    """
    shocks, size = shocks or {}, years.shape[-1]
    as_of = since_2024(as_of_date)
    before, after = np.minimum(years, as_of), np.maximum(years - as_of, 0.0)
    months = ahead(years, as_of)

    def path(name: str, scale: Any, persistence: Any, share: Any) -> Any:
        return wandering(xp, shocks.get(name), years, as_of, scale, persistence, share)

    i, c, x, policy, limits, a, automated, k = (
        {n.split(".")[1]: v for n, v in p.items() if n.startswith(driver)}
        for driver in (
            "investment",
            "compute-growth",
            "export-control",
            "export-policy",
            "physical-limits",
            "algorithmic",
            "automated",
            "capability",
        )
    )
    trend = i["level"] + i["growth"] * (years - 1.0)
    growth = path("investment", i["shock_scale"], i["persistence"], i["shock_bloc_share"])
    trend = trend + xp.cumsum(growth * months, axis=-1)
    ceiling = xp.log10(i["ceiling_share"] * i["gdp"]) + np.log10(1.0 + i["gdp_growth"]) * years
    money = softmin(xp, 1.0, trend, ceiling)
    price = c["price_performance"] + c["price_performance_growth"] * (years - 1.0) - c["price_disadvantage"]
    demand = money + price + xp.log10(c["chip_share"])
    world = xp.log10(c["world_production"]) + c["world_production_past_growth"] * np.minimum(years - 2.5, 0.0)
    world = world + slowing(xp, years, c["world_production_growth"], c["world_production_growth_decay"])

    state = policy_path(xp, shocks["policy"], months, policy) if shocks else np.ones(years.shape)

    def effect(channel: str) -> Any:
        if not shocks:
            return 0.0
        loose = xp.where(state > 1, x[f"{channel}_loose"], 0.0)
        return xp.where(state < 1, x[f"{channel}_tight"], loose)

    def grown(channel: str, start: float) -> Any:
        since = before - start - x["growth_decay"] * xp.expm1(-after / x["growth_decay"])
        return xp.log10(x[channel]) + x[f"{channel}_growth"] * since + effect(channel)

    starts = x["epoch_starts"]
    inside = (years >= starts[:, None]) & (years < np.append(starts[1:], np.inf)[:, None])
    luck = path("domestic", x["domestic_shock"], x["domestic_shock_persistence"], 0.0)
    luck = xp.cumsum(luck * months, axis=-1)
    channels = {
        "domestic": 10.0 ** (grown("domestic", 1.5) + luck[..., :1, :]),
        "licensed": 10.0 ** (xp.sum(x["licensed"] * inside, axis=-2, keepdims=True) + effect("licensed")),
        "smuggled": 10.0 ** grown("smuggled", 1.0),
        "offshore": 10.0 ** grown("offshore", 2.0),
    }
    access = xp.log10(sum(channels.values()))
    american, chinese = demand[..., :1, :], demand[..., 1:, :]
    bought = [softmin(xp, 4.0, american, world), softmin(xp, 4.0, chinese, world, access)]
    purchases = xp.concatenate(bought, axis=-2)
    stock = xp.log10(decaying(xp, 10.0**purchases, years, c["lifetime"], 10.0 ** c["stock_2018"]))
    if shocks:
        past = np.minimum(years - 2.5, 0.0)
        decline, lasts = limits["chip_power_decline"], limits["chip_power_decline_decay"]
        power = xp.log10(limits["power"]) + limits["power_past_growth"] * past
        power = power + slowing(xp, years, limits["power_growth"], limits["power_growth_decay"])
        unfelt = 2.0 * np.maximum(1.0 - after, 0.0)
        each = xp.log10(limits["chip_power"]) + limits["chip_power_disadvantage"]
        each = each - decline * past - slowing(xp, years, decline, lasts)
        stock = softmin(xp, 4.0, stock, xp.where(after > 0, power - each + 6.0 + unfelt, 1e3))
    fade = c["allocation_trend_decay"]
    drift = c["allocation_trend"] + c["allocation_half_difference"] * np.array([[1.0], [-1.0]])
    share = c["allocation"] + drift * (before - 1.0 - fade * np.expm1(-after / fade))
    compute = stock + softmin(xp, 4.0, share, c["allocation_bound"]) + np.log10(c["flop_per_h100e_run"])

    leader = xp.max(stock, axis=-2, keepdims=True)
    now, earlier = (at_year(leader, day, years, as_of) for day in (as_of, year_before(as_of_date)))
    usual = xp.where(after > 0, (leader - now) / (now - earlier), 0.0)
    ahead_by = after + decaying(xp, (usual - after) / a["relaxation"], years, a["relaxation"])
    luck = path("progress", a["shock_scale"], a["persistence"], a["shock_bloc_share"])
    luck = luck + LN10 / 2 * a["shock_scale"] ** 2 * np.expm1(-2.0 * after / a["persistence"])  # mean one
    factor = integral(xp, xp.where(after > 0, 10.0**luck - 1.0, 0.0), years) / np.maximum(after, 1 / 12)
    rate = 10.0 ** (a["rate_centre"] + a["rate_spread"] * a["rate_z"])
    progress = rate * (before + ahead_by * (1.0 + factor if shocks else 1.0))
    both = np.zeros((2, size))
    if shocks:
        progress = reached(xp, progress, after > 0)
    research = compute + lagged(xp, progress + both, a["lag"] + both, size)
    gain: Any = 0.0
    if shocks:
        best = xp.max(at_year(research, as_of, years, as_of), axis=-2, keepdims=True)
        gain = automation_gain(xp, research - best, years - as_of, **automated)
    own = research + gain
    spread = a["follow_lag_spread"] * a["follow_lag_drift"] * -np.expm1(-after / a["relaxation"])
    lag = a["follow_lag"] * 10.0**spread + both
    following = lagged(xp, xp.max(own, axis=-2, keepdims=True) + both, lag, size)
    effective = -softmin(xp, 4.0, -own, -following)
    if shocks:
        effective = reached(xp, effective, after > 0)

    anchor_date = min(LEVEL_DATE, as_of_date - timedelta(days=183))
    anchor = since_2024(anchor_date)
    leader = xp.max(effective, axis=-2, keepdims=True)
    now, earlier = (at_year(leader, day, years, as_of) for day in (anchor, year_before(anchor_date)))
    clock = anchor - since_2024(LEVEL_DATE) + (effective - now) / (now - earlier)
    straight = k["horizon_growth"] * paced(xp, clock, k["horizon_earlier_pace"], years, as_of)
    horizon = k["horizon_level"] + bent(xp, straight, k["horizon_acceleration"])
    index = k["index_level"] + k["index_growth"] * paced(xp, clock, k["index_earlier_pace"], years, as_of)
    return SimpleNamespace(
        investment=money,
        chip_demand=demand,
        price_performance=price,
        world_production=world,
        policy=state,
        channels=channels,
        chip_access=access,
        chip_purchases=purchases,
        compute_stock=stock,
        training_compute=compute,
        algorithmic_efficiency=progress,
        research_effective_compute=research,
        automation_gain=gain,
        effective_compute=effective,
        capability_clock=clock,
        time_horizon=horizon,
        time_horizon_80=horizon - k["horizon_80_gap"] - k["horizon_80_gap_slope"] * (horizon - 2.0),
        capability_index=index,
        announcement_delay=k["announcement_delay"],
    )


def year_before(day: date) -> float:
    """Years since 2024, a year before a day."""
    return since_2024(day - timedelta(days=365))
