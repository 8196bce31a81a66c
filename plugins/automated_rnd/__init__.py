"""AI that speeds up AI research: a gain that feeds on itself after the as-of date, up to a ceiling."""

import numpy as np

from forecast.driver import Driver, adds_to, load_parameters, provides
from forecast.hookspecs import hookimpl

LN10 = np.log(10.0)
STEPS = 4  # Runge-Kutta steps a month: about a thousandth of an OOM in the worst of a few hundred prior draws


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
    dR/dI = 10^(feedback R) (1 - R/ceiling). With R = ceiling (1 - e^-w) it reads dw/dI = 10^(feedback R) /
    ceiling, which neither is stiff at the ceiling nor can pass it.
    """
    done = research_done(ahead, since, rate, feedback) / STEPS
    ceiling, feedback = ceiling[..., 0], feedback[..., 0]
    room = LN10 * feedback * ceiling

    def speed(w):
        return np.exp(np.minimum(room * -np.expm1(-w), 500.0)) / ceiling

    w = np.zeros(np.broadcast_shapes(done.shape[:-1], room.shape))
    path = [w]
    for month in range(done.shape[-1]):
        h = done[..., month]
        if h.any():
            for _ in range(STEPS):
                a = speed(w)
                b = speed(w + h * a / 2)
                c = speed(w + h * b / 2)
                d = speed(w + h * c)
                w = np.minimum(w + h * (a + 2 * b + 2 * c + d) / 6, 36.0)  # e^-36: as near as numbers come
        path.append(w)
    return ceiling[..., None] * -np.expm1(-np.stack(path, axis=-1))


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
