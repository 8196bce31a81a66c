"""AI that speeds up AI research: a gain that feeds on itself after the as-of date, up to a ceiling."""

import numpy as np

from forecast.driver import Driver, adds_to, load_parameters, provides
from forecast.hookspecs import hookimpl

LN10 = np.log(10.0)
ENTRIES = 800  # of the table that holds the solution: R is right to 1e-4 OOM in nearly every prior draw
MOST = 36.0  # of w: e^-36 is as near to the ceiling as numbers come


def research_done(ahead, since, rate, feedback):
    """Integral of rate 10^(feedback ahead) over each interval after the as-of date; (..., time - 1) in OOM.

    `ahead` is a straight line between months, so the integral is exact. Arguments are those of
    `automation_gain`.
    """
    end = np.maximum(since[..., 1:], 0.0)
    start = np.minimum(np.maximum(since[..., :-1], 0.0), end)
    left, right = ahead[..., :-1], ahead[..., 1:]
    part = (start - since[..., :-1]) / (since[..., 1:] - since[..., :-1])  # only the first interval is cut
    power = feedback * np.stack(np.broadcast_arrays(left + part * (right - left), right))
    power = np.clip(power, -60.0, 60.0)  # beyond that there is nothing to tell apart, and 10^308 is near
    x = LN10 * (power[1] - power[0])
    small = np.abs(x) < 1e-6
    mean = np.where(small, 1.0 + x / 2.0, np.expm1(x) / np.where(small, 1.0, x))
    return rate * (end - start) * 10.0 ** power[0] * mean


def automation_gain(ahead, since, rate, feedback, ceiling):
    """Solve dR/du = rate 10^(feedback (ahead + R)) (1 - R/ceiling), R = 0 up to the as-of date.

    Parameters
    ----------
    ahead : array (..., bloc, time)
        OOM of effective compute without R above the leader's at the as-of date.
    since : array (..., time)
        Years since the as-of date, negative before it.
    rate, feedback, ceiling : array (..., 1, 1)
        OOM/year; per OOM; OOM.

    Returns
    -------
    array (..., bloc, time)
        OOM; never falls, stays below the ceiling.

    Notes
    -----
    In research done, I = integral of rate 10^(feedback ahead), the equation has no time of its own:
    dR/dI = 10^(feedback R) (1 - R/ceiling). With R = ceiling (1 - e^-w) it reads dI/dw = ceiling
    10^(-feedback R): I is an integral over w. `research_needed` tabulates it, and w is looked up for each I.
    """
    done = np.cumsum(research_done(ahead, since, rate, feedback), axis=-1)
    table = research_needed(LN10 * feedback * ceiling, ceiling)
    rows = np.broadcast_shapes(done.shape[:-1], table[0].shape[:-1])
    spread = [np.broadcast_to(x, (*rows, x.shape[-1])).reshape(-1, x.shape[-1]) for x in (done, *table)]
    w = np.maximum.accumulate([np.interp(*one) for one in zip(*spread, strict=True)], axis=-1)
    return ceiling * -np.expm1(-np.insert(w.reshape(*rows, -1), 0, 0.0, axis=-1))


def research_needed(room, ceiling):
    """Tabulate the research I that takes R to ceiling (1 - e^-w), beside w; `room` is ln10 feedback ceiling.

    The logarithm of dI/dw, -room (1 - e^-w), is a straight line between entries, but for a small correction.
    They lie the closer the more it bends, down to e^-40: beyond, everything comes at once.

    Returns
    -------
    tuple of array (..., 1, entry)
    """
    until = np.minimum(40.0 / np.maximum(room, 1e-300), 1.0 - 1e-15)  # of 1 - e^-w
    step = -np.expm1(0.5 * np.log1p(-until)) / (ENTRIES - 2)  # of 1 - e^(-w/2)
    w = np.insert(-2.0 * np.log1p(-step * np.arange(ENTRIES - 1)), ENTRIES - 1, MOST, axis=-1)
    price = -np.minimum(room * -np.expm1(-w), 500.0)
    fall = np.maximum(price[..., :-1] - price[..., 1:], 1e-12)
    mean = np.exp(price[..., :-1]) * -np.expm1(-fall) / fall * (1.0 - room * step**2 / 3.0)
    return np.insert(np.cumsum(ceiling * mean * np.diff(w), axis=-1), 0, 0.0, axis=-1), w


class AutomatedRnd(Driver):
    name = "automated-rnd"
    api_version = 1
    title = "Automated AI research"
    parameters = load_parameters(__package__)

    @provides("automation_gain", unit="OOM", title="Gain from automated research")
    def gain(self, m):
        if not m.projecting:
            return 0.0
        own = m["research_effective_compute"]
        ahead = own - m.max_over_blocs(m.at_date(own, m.as_of_date))
        gained = m.numpy(automation_gain, ahead, m.years - m.as_of, m["rate"], m["feedback"], m["ceiling"])
        return m.term("automation", gained)

    @adds_to("own_effective_compute", title="Automated AI research")
    def automation(self, m):
        return m["automation_gain"]


@hookimpl
def forecast_drivers():
    """The driver of this package."""
    return [AutomatedRnd()]
