"""Checks of what a driver's quantities are, at draws from the priors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from forecast.conformance.computations import differing, measurements, trajectories
from forecast.conformance.picture import changes, picture
from forecast.conformance.report import Failed, NotApplicable, count, fail_if
from forecast.conformance.setting import FEW, Built, Floats, Setting, Variation
from forecast.conformance.subject import Subject
from forecast.dates import decimal_year, end_of
from forecast.discovery import describe
from forecast.model import Graph, Likelihood
from forecast.projection import Measured, crossing_terms, measure, on_grid
from forecast.projection.crossing_evidence import kept_by_evidence
from forecast.streams import stream

DRAWS = 200
"""Prior draws on which every quantity must be finite."""

PREDICTIVE = 1000
"""Prior predictive draws of each row; it should lie within their range, about the central 99.8%."""

INSIDE = 0.9
"""Share of a driver's rows that must."""

WIDEST = 10.0
"""Orders of magnitude that the middle 90% of a prior predictive may span: beyond, it says nothing."""

WIDEST_LINEAR = 100.0
"""For a table that is not logged: times the largest of its values."""

BLOCS = (1, 2, 5)
TOLERANCE = 1e-8


def builds(subject: Subject) -> str:
    """The driver is sound by itself, and a model of it and its company can be built."""
    names = [driver.name for driver in subject.setting.drivers if driver is not subject.driver]
    built = subject.setting.main
    beside = f" with {', '.join(names)}" if names else ""
    quantities = count(len(built.future.quantities), "trajectory", "trajectories")
    models = count(len(built.history.likelihoods), "measurement model")
    return f"the model is built{beside}: {quantities} and {models}"


def prior_predictive(subject: Subject) -> str:
    """Before any fit, quantities are finite and on the scale of the rows that they are compared with.

    Every quantity that the driver provides, adds to or limits is finite in 200
    prior draws, up to the as-of date and after it, shocks included. At least
    nine in ten of its rows lie within the range of 1,000 draws of their prior
    predictive distribution. The middle 90% of that distribution spans at most
    ten orders of magnitude (of a table that is not logged, at most a hundred
    times its largest value), and so does every logged quantity at the as-of
    date: wider ones say nothing about the scale. What weighs dates of a
    milestone gives a log likelihood for any dates, never included.
    """
    built = subject.setting.main
    past, future = built.history_values(DRAWS), built.future_values(DRAWS)
    own = [name for name in built.future.quantities if name in subject.touched]
    places = subject.own_likelihoods(built.history)
    likelihoods = [built.history.likelihoods[place] for place in places]
    problems = [p for name in own for p in _not_finite(name, past[name], built.history, "history")]
    problems += [p for name in own for p in _not_finite(name, future[name], built.future, "future")]
    for place, one in zip(places, likelihoods, strict=True):
        problems += _bad_arguments(one, past[f"{place}|mean"], past[f"{place}|sd"])
    fail_if(problems)

    measured = subject.setting.kept("prior predictive", lambda: _measured(built))
    rows = sum(len(one.observed) for one in likelihoods)
    outside = [words for one in likelihoods for words in _outside(one, measured)]
    if len(outside) > (1 - INSIDE) * rows:
        problems.append(
            f"{len(outside)} of {count(rows, 'row')} lie outside {PREDICTIVE:,} draws of their prior "
            f"predictive, such as {', '.join(outside[:3])}: the priors, or the equation, are on another "
            "scale than the evidence"
        )
    problems += [p for name in own for p in _too_wide(built, name, future[name])]
    problems += [p for one in likelihoods for p in _too_vague(built, one, measured)]
    fail_if(problems)

    found = [f"finite in {DRAWS} prior draws up to and after the as-of date: {', '.join(own)}"] if own else []
    if rows:
        widths = ", ".join(f"{_width(one, measured):.1f} for {one.label}" for one in likelihoods)
        found.append(
            f"{rows - len(outside)} of {count(rows, 'row')} lie inside their prior predictive, whose middle "
            f"90% spans {widths}"
        )
    found += _weighs_dates(subject.driver.name, built)
    return "; ".join(found) or "it has no quantity and no rows"


def dimensions(subject: Subject) -> str:
    """With 1, 2 and 5 blocs trajectories are (bloc, time), and measurement models have a number a row.

    Blocs that no prior knows get, for parameters that have priors by bloc
    alone, the prior of the first bloc that has one.
    """
    setting = subject.setting
    if not subject.touched and not subject.own_likelihoods(setting.main.history):
        raise NotApplicable("the driver has neither a quantity nor rows that a fit reads")
    problems: list[str] = []
    for number in BLOCS:
        variation = dataclasses.replace(setting.variation, blocs=setting.blocs(number))
        try:
            built = setting.build(variation)
            past, future = built.history_values(FEW), built.future_values(FEW)
        except Exception as error:  # PyTensor raises what it likes
            problems.append(f"with {count(number, 'bloc')}: {describe(error)}")
            continue
        problems += [f"with {count(number, 'bloc')}: {p}" for p in _misshapen(subject, built, past, future)]
    fail_if(problems)
    return f"trajectories are (bloc, time) with {', '.join(map(str, BLOCS[:-1]))} and {BLOCS[-1]} blocs"


def no_state(subject: Subject) -> str:
    """Nothing of one build shows in the next, and neither the driver nor its module has changed.

    The model is built; then with one bloc, an earlier as-of date, other
    numbers and half of the rows; then as at first: by the same operations from
    the same numbers.
    """
    setting = subject.setting
    first = setting.main
    other = dataclasses.replace(
        setting.variation, blocs=setting.blocs(1), as_of=setting.earlier, factor=1.01, rows="half"
    )
    second = setting.kept("built again", lambda: _built_between(setting, other))
    differ: dict[str, str] = {}
    for one, two in ((first.history, second.history), (first.future, second.future)):
        for name in differing(one, trajectories(one), two, trajectories(two)):
            differ[name] = one.quantities[name].owner
    models = measurements(first.history)
    rows = differing(first.history, models, second.history, measurements(second.history))
    own = [name for name in rows if name.startswith(f"{subject.driver.name}.")]
    problems = []
    if subject.touched & differ.keys() or own:
        cause = next((f"{name} (of {owner})" for name, owner in differ.items()), "") or own[0]
        problems.append(
            f"built again after a build with other blocs, dates and numbers, {cause} is no longer the same: "
            "something is kept from one build to the next; keep nothing on the driver or in its module"
        )
    changed = changes(setting.before[id(subject.driver)], picture(subject.driver))
    if changed:
        problems.append(
            f"building changes {', '.join(changed)}: a term must not assign to self, its class or its module"
        )
    fail_if(problems)
    return "built, built otherwise and built again: the same computation, and the driver as it was"


def grids_agree(subject: Subject) -> str:
    """Up to the as-of date, the grids of the fit and of the projection give the same at the same draws."""
    built = subject.setting.main
    past, future = built.history_values(FEW), built.future_values(FEW)
    overlap = int(np.sum(built.future.decimal <= decimal_year(built.spec.as_of)))
    problems = []
    own = [name for name in past if name.split("/")[0] in subject.touched and name in future]
    if not own:
        raise NotApplicable("the driver has no quantity")
    for name in own:
        one = on_grid(past[name], built.history)[..., :overlap]
        two = on_grid(future[name], built.future)[..., :overlap]
        agree = np.abs(one - two) <= TOLERANCE * np.maximum(1.0, np.abs(one))
        if not agree.all():
            _, bloc, time = np.argwhere(~agree)[0]
            problems.append(
                f"{name} differs by up to {np.max(np.abs(one - two)):.3g}, first for "
                f"{built.spec.blocs[bloc]} in {str(built.future.months[time])[:7]}: up to the as-of date "
                "nothing may depend on m.projecting, on the grid's end or on shocks"
            )
    fail_if(problems)
    return f"{count(len(own), 'trajectory agrees', 'trajectories agree')} over {overlap} months"


def _built_between(setting: Setting, other: Variation) -> Built:
    try:
        setting.build_anew(other)
        return setting.build_anew(setting.variation)
    except Exception as error:
        what = "after a first build, one with other blocs, dates and numbers fails"
        raise Failed(f"{what}: {describe(error)}") from None


def _not_finite(name: str, value: Floats, graph: Graph, which: str) -> Iterator[str]:
    finite = np.isfinite(on_grid(value, graph))
    if not finite.all():
        _, bloc, time = np.argwhere(~finite)[0]
        share = np.mean(~finite.all(axis=(1, 2)))
        yield (
            f"{name} is not finite in {share:.1%} of prior draws on the {which} grid, first for "
            f"{graph.spec.blocs[bloc]} in {str(graph.months[time])[:7]}: a prior allows values that its "
            "equation does not"
        )


def _bad_arguments(one: Likelihood, mean: Floats, sd: Floats) -> Iterator[str]:
    wrong = {"mean": ~np.isfinite(mean), "sd": ~(np.isfinite(sd) & (sd > 0))}
    for name, where in wrong.items():
        if where.any():
            row = one.observations.rows[int(np.argwhere(where)[0][1])]
            what = "finite" if name == "mean" else "positive and finite"
            yield f"the {name} of {one.label} is not {what}, first for the row {row.name!r}"


def _too_wide(built: Built, name: str, value: Floats) -> Iterator[str]:
    quantity = built.future.quantities[name]
    if quantity.linear:
        return
    now = int(np.sum(built.future.decimal <= decimal_year(built.spec.as_of))) - 1
    low, high = np.quantile(on_grid(value, built.future)[:, :, now], (0.05, 0.95), axis=0)
    width = float(np.max((high - low) * quantity.present, initial=0.0))
    if width > WIDEST:
        yield (
            f"the middle 90% of {name} at the as-of date spans {width:.3g} orders of magnitude, more than "
            f"{WIDEST:g}: narrow its priors"
        )


def _too_vague(built: Built, one: Likelihood, measured: Measured) -> Iterator[str]:
    (table,) = [
        built.spec.evidence[one.driver, term.term.target].spec
        for term in built.history.built
        if term.observations is one.observations
    ]
    largest = float(np.max(np.abs(one.observed)))
    most, unit = (WIDEST_LINEAR * largest, table.unit) if table.linear else (WIDEST, "orders of magnitude")
    width = _width(one, measured)
    if not width <= most:
        yield (
            f"the middle 90% of the prior predictive of {one.label} spans {width:.3g} {unit}, more than "
            f"{most:.3g}: narrow the priors that its rows depend on"
        )


def _measured(built: Built) -> Measured:
    drawn = built.draws(PREDICTIVE)
    given = {key: drawn[key] for key in built.history.parameters}
    return measure(built.history, given, seed=built.seed, size=PREDICTIVE)


def _width(one: Likelihood, measured: Measured) -> float:
    """Median over rows of the width of the middle 90% of the prior predictive."""
    low, high = np.quantile(measured.predictive[one.label], (0.05, 0.95), axis=0)
    return float(np.median(high - low))


def _outside(one: Likelihood, measured: Measured) -> list[str]:
    """Rows outside the range of their prior predictive draws, in words."""
    drawn = measured.predictive[one.label]
    low, high = drawn.min(axis=0), drawn.max(axis=0)
    below = one.observed < low
    if one.bound:  # a censored row says "at least that"
        below &= one.observed < one.observations.columns[one.bound]
    return [
        f"{one.observations.rows[place].name} ({one.label}: {one.observed[place]:.3g}, "
        f"draws {low[place]:.3g} to {high[place]:.3g})"
        for place in np.flatnonzero((one.observed > high) | below)
    ]


def _weighs_dates(driver: str, built: Built) -> list[str]:
    """Evaluate the driver's terms on dates of milestones, at dates from now to the horizon and at never."""
    asked = {term.milestone for term in built.spec.terms if term.kind == "crossing"}
    terms = [term for term in crossing_terms(built.spec, dict.fromkeys(asked)) if term.driver == driver]
    if not terms:
        return []
    rng = stream(built.seed, "dates of milestones")
    start, end = end_of(built.spec.as_of), float(built.future.decimal[-1])
    dates = rng.uniform(start, end, (DRAWS, len(built.spec.blocs)))
    dates[rng.random(dates.shape) < 0.2] = np.inf
    spec = dataclasses.replace(built.spec, terms=tuple(terms))
    given = {term.milestone: dates for term in terms}
    every = np.ones(DRAWS, dtype=bool)
    kept_by_evidence(spec, given, given, built.draws(DRAWS), every, seed=built.seed, horizon=end)
    return [f"dates of {term.milestone} have a log likelihood in {DRAWS} draws" for term in terms]


def _misshapen(
    subject: Subject, built: Built, past: Mapping[str, Floats], future: Mapping[str, Floats]
) -> Iterator[str]:
    for values, graph in ((past, built.history), (future, built.future)):
        wanted = (len(graph.spec.blocs), len(graph.decimal))
        for name in [name for name in graph.quantities if name in subject.touched]:
            shape = values[name].shape[1:]
            if not _fits(shape, wanted):
                yield f"{name} has the shape {shape}, not (bloc, time) = {wanted}"
            elif not np.isfinite(values[name]).all():
                yield f"{name} is not finite"
    for place in subject.own_likelihoods(built.history):
        one = built.history.likelihoods[place]
        for argument in ("mean", "sd"):
            shape = past[f"{place}|{argument}"].shape[1:]
            if shape != one.observed.shape:
                yield f"the {argument} of {one.label} has the shape {shape} for {len(one.observed)} rows"


def _fits(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(a in (1, b) for a, b in zip(shape, wanted, strict=True))
