"""Checks of the log density that a driver's terms end up in."""

from __future__ import annotations

import dataclasses

import numpy as np

from forecast.conformance.density import Density, compiled, name_of, own_numbers
from forecast.conformance.report import NotApplicable, count, fail_if
from forecast.conformance.subject import Subject
from forecast.discovery import describe
from forecast.errors import ForecastError
from forecast.inference.points import unconstrained
from forecast.inference.structure import Structure
from forecast.streams import stream

POINTS = 100
STEP = 1e-5
AGREE = 1e-3
"""Relative to the gradient's length; a wrong gradient is wrong by more."""

MOST = 0.9
"""Share of points at which it must agree: the others may lie on a kink."""


def gradient(subject: Subject) -> str:
    """The log density of the real rows and its gradient are finite at 100 prior draws, and agree.

    At nine in ten of the points the gradient along a random direction is that
    of a central difference, to a thousandth of the gradient's length: a
    function with a wrong gradient samples badly, and nothing else says so.
    """
    setting = subject.setting
    entry = compiled(setting)
    built = setting.main
    density = Density.of(entry, built.history, built.inferred)
    points = unconstrained(entry.names, built.inferred, built.inferred.draw(setting.seed, POINTS, "gradient"))
    directions = stream(setting.seed, "direction").standard_normal(points.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    infinite, broken, agree = 0, dict[str, int](), 0
    for point, direction in zip(points, directions, strict=True):
        value, slope = density(point)
        if not np.isfinite(value):
            infinite += 1
        elif not np.isfinite(slope).all():
            for place in np.flatnonzero(~np.isfinite(slope)):
                broken[name_of(setting, int(place))] = broken.get(name_of(setting, int(place)), 0) + 1
        else:
            ahead, behind = density(point + STEP * direction)[0], density(point - STEP * direction)[0]
            gap = abs((ahead - behind) / (2 * STEP) - slope @ direction)
            agree += gap <= AGREE * max(1.0, float(np.linalg.norm(slope)))
    problems = []
    if infinite:
        problems.append(f"the log density is not finite at {infinite} of {POINTS} prior draws")
    if broken:
        said = ", ".join(f"{name} ({number})" for name, number in list(broken.items())[:5])
        problems.append(
            f"the gradient is not finite at some of {POINTS} prior draws, by parameter: {said}; look for a "
            "square root, logarithm or quotient whose branch is not taken, and keep its argument away from "
            "zero there as well"
        )
    if not problems and agree < MOST * POINTS:
        problems.append(
            f"the gradient agrees with a finite difference at {agree} of {POINTS} prior draws only: some "
            "operation has a wrong gradient or none (a rounding, an operation of one's own)"
        )
    fail_if(problems)
    if not own_numbers(setting, subject.driver.name):
        raise NotApplicable(
            "no row depends on a parameter of the driver; the log density of those that it needs is finite "
            f"at {POINTS} prior draws"
        )
    numbers = count(entry.n, "number")
    return f"log density and gradient are finite, and agree, at {POINTS} prior draws of {numbers}"


def numbers_as_data(subject: Subject) -> str:
    """Other numbers compile nothing: priors, as-of date, number of rows and their values are data.

    The structure that is compiled is the same with every number of every prior
    1% larger, with an earlier as-of date, with half of the rows and with other
    values in them.
    """
    setting, main = subject.setting, subject.setting.main
    if not main.history.likelihoods or not main.inferred.is_random:
        raise NotApplicable("no row depends on an uncertain number, so nothing is compiled")
    key = Structure.of(main.history, main.inferred).key
    base = setting.variation
    variations = {
        "other numbers in the priors": dataclasses.replace(base, factor=1.01),
        "an earlier as-of date": dataclasses.replace(base, as_of=setting.earlier),
        "half of the rows": dataclasses.replace(base, rows="half"),
        "other values in the rows": dataclasses.replace(base, rows="changed"),
    }
    problems = []
    for what, variation in variations.items():
        try:
            built = setting.build(variation)
        except ForecastError as error:
            problems.append(f"with {what} the model cannot be built: {describe(error)}")
            continue
        if Structure.of(built.history, built.inferred).key != key:
            problems.append(
                f"{what} would be compiled anew: a number went into the graph as a constant; give it to "
                "m.constant(name, value), or as a column in `prepare`"
            )
    fail_if(problems)
    return f"nothing is compiled anew for {', '.join(variations)}"
