"""The PyMC model against log densities written by hand with scipy."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

from forecast.driver import observes, provides
from forecast.model import Layout, build_graph, flat_draws, model_data, pymc_model
from tests.toys import RUNS, driver, spec_of, table, worldview

END = date(2028, 1, 1)
PLAIN = Mode(linker="py", optimizer="fast_compile")

PRIORS = """\
growth = { distribution = "Normal", mu = 0.5, sigma = 0.2, unit = "OOM/year", source = "t" }
scatter = { distribution = "LogNormal", mu = -1.5, sigma = 0.3, unit = "dex", per = "bloc", source = "t" }
extra = { distribution = "Gamma", alpha = 2, beta = 5, unit = "OOM", source = "t" }
kind = { mixture = [ { weight = 0.25, distribution = "Normal", mu = -1, sigma = 0.3 }, { weight = 0.75, distribution = "Normal", mu = 1, sigma = 0.5 } ], unit = "OOM", source = "t" }
offset = { value = 0.1, unit = "OOM", source = "t" }
[by_bloc.us_allies]
level = { distribution = "Normal", mu = 25, sigma = 0.5, unit = "log10 FLOP", source = "t" }
[by_bloc.china]
level = { distribution = "Normal", mu = 24.5, sigma = 0.7, unit = "log10 FLOP", source = "t" }
"""  # noqa: E501

DAYS = np.array([2023 + 181 / 365, 2024 + 182 / 366, 2025 + 181 / 365, 2024, 2025]) - 2024
BLOC = np.array([0, 0, 0, 1, 1])
VALUE = np.log10([5e24, 2e25, 6e25, 3e24, 1e25])
ERROR = np.array([0.2, np.log10(4) / (2 * stats.norm.ppf(0.95)), 0.2, 0.2, 0.2])
LIMIT = 25.2  # the second and third run lie at or above it


def capped(rows, context):
    return context.observations(rows, limit=np.full(len(rows), LIMIT))


def spread(m, data):
    return (m.per_bloc(m["scatter"], data) ** 2 + data.error**2) ** 0.5


def plainly(m, data):
    m.normal(data, mean=m.at(m["x"], data), sd=spread(m, data))


def tailed(m, data):
    m.student_t(data, mean=m.at(m["x"], data) - m["offset"], sd=spread(m, data), nu=5.0)


def censored(m, data):
    m.censored_normal(data, mean=m.at(m["x"], data), sd=spread(m, data), upper="limit")


def everything(folder, csv=RUNS):
    """A driver with every kind of prior and of likelihood."""
    return driver(
        "toy",
        PRIORS,
        table(folder, csv=csv, owner="toy"),
        base=provides("x", unit="FLOP")(
            lambda self, m: m["level"] + m["growth"] * m.years + m["extra"] + 0.1 * m["kind"]
        ),
        plainly=observes("runs")(lambda self, m, data: plainly(m, data)),
        tailed=observes("runs")(lambda self, m, data: tailed(m, data)),
        censored=observes("runs", prepare=capped)(lambda self, m, data: censored(m, data)),
    )


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Graph, layout, model and its compiled log density."""
    folder = tmp_path_factory.mktemp("toys")
    spec = spec_of(worldview(folder), everything(folder / "e"))
    graph = build_graph(spec, END)
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    model = pymc_model(graph, layout)
    return graph, layout, model, model.compile_logp(mode=PLAIN)


def split(layout, flat):
    """One draw of the flat vector by parameter name."""
    names = {}
    for number, entry in enumerate(layout.entries):
        names.setdefault(entry.key[1], []).append(flat[number])
    return names


def by_hand(layout, flat, days=DAYS, bloc=BLOC, value=VALUE, error=ERROR, offset=0.1):
    """Log density of the toy at one draw of its numbers, per family."""
    p = split(layout, flat)
    level = np.array([p["level"][0], p["level"][1]])
    mean = level[bloc] + p["growth"][0] * days + p["extra"][0] + 0.1 * p["kind"][0]
    sd = np.hypot(np.array(p["scatter"])[bloc], error)
    density = stats.norm(mean, sd).logpdf(value)
    tail = stats.norm(mean, sd).logsf(LIMIT)
    return {
        "normal": density,
        "student_t": stats.t(5, loc=mean - offset, scale=sd).logpdf(value),
        "censored_normal": np.where(value >= LIMIT, tail, density),
    }


def point_of(model, layout, flat):
    """The PyMC model's own coordinates of a draw: standard normals and unbounded values."""
    loc, scale, exponent = layout.hyperparameters()
    chosen = flat[layout.affine]
    moved = np.where(exponent, np.log(np.where(exponent, chosen, 1.0)), chosen)
    point = {"standard": (moved - loc) / scale}
    for index in layout.other:
        variable = model[f"number.{index}"]
        transform = model.rvs_to_transforms[variable]
        name = model.rvs_to_values[variable].name
        point[name] = np.asarray(np.log(flat[index]) if transform is not None else flat[index])
    return point


def test_likelihoods_of_one_family_are_one_node_with_all_rows(toy):
    _, layout, model, _ = toy
    assert {rv.name for rv in model.observed_RVs} == {"normal", "student_t", "censored_normal"}
    assert len(model.free_RVs) == 3  # the standard normals, the Gamma and the mixture
    assert len(layout.affine) == 5 and len(layout.constant) == 1


def test_the_log_density_is_the_one_written_by_hand_at_five_draws(toy):
    _, layout, model, logp = toy
    for flat in layout.draw(3, 5):
        p = split(layout, flat)
        point = point_of(model, layout, flat)
        prior = stats.norm.logpdf(point["standard"]).sum()  # every Normal and LogNormal, standardised
        extra, kind = p["extra"][0], p["kind"][0]
        prior += stats.gamma(2, scale=1 / 5).logpdf(extra) + np.log(extra)  # sampled as its logarithm
        prior += np.log(0.25 * stats.norm(-1, 0.3).pdf(kind) + 0.75 * stats.norm(1, 0.5).pdf(kind))
        expected = prior + sum(part.sum() for part in by_hand(layout, flat).values())
        assert float(logp(point)) == pytest.approx(expected, abs=1e-6)


def test_each_rows_log_likelihood_is_the_one_written_by_hand(toy):
    _, layout, model, _ = toy
    flat = layout.draw(8, 1)[0]
    expected = by_hand(layout, flat)
    for rv in model.observed_RVs:
        found = model.compile_logp(vars=rv, sum=False, mode=PLAIN)(point_of(model, layout, flat))[0]
        assert found == pytest.approx(expected[rv.name], abs=1e-6), rv.name


def test_a_censored_row_says_only_at_least_that(toy):
    _, layout, _, _ = toy
    assert (VALUE >= LIMIT).tolist() == [False, True, True, False, False]
    graph = toy[0]
    observed = {one.family: one.observed for one in graph.likelihoods}
    assert observed["censored_normal"] == pytest.approx(np.minimum(VALUE, LIMIT))
    assert observed["normal"] == pytest.approx(VALUE)


def test_draws_of_the_models_variables_become_the_numbers_of_the_layout(toy):
    _, layout, model, _ = toy
    flat = layout.draw(5, 4)
    loc, scale, exponent = layout.hyperparameters()
    chosen = flat[:, layout.affine]
    drawn = {"standard": (np.where(exponent, np.log(np.abs(chosen)), chosen) - loc) / scale}
    drawn |= {f"number.{index}": flat[:, index] for index in layout.other}
    assert flat_draws(layout, drawn) == pytest.approx(flat)


def test_the_gradient_is_finite_at_twenty_prior_draws(toy):
    _, layout, model, _ = toy
    gradient = model.compile_dlogp(mode=PLAIN)
    for flat in layout.draw(6, 20):
        assert np.all(np.isfinite(gradient(point_of(model, layout, flat))))


def test_other_numbers_enter_as_data_without_another_model(toy, tmp_path):
    """One model, compiled once; another worldview's hyperparameters and rows are only set."""
    _, _, model, logp = toy
    view = worldview(tmp_path, overrides=["priors.toy.growth.mu=0.9", "priors.toy.offset.value=0.4"])
    few = "\n".join(RUNS.splitlines()[:3]) + "\n"
    spec = spec_of(view, everything(tmp_path / "e", few))
    graph = build_graph(spec, END)
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    before = model_data(*toy[:2])
    flat = layout.draw(3, 1)[0]
    point = point_of(model, layout, flat)
    with model:
        pm.set_data(model_data(graph, layout))
        try:
            found = float(logp(point))
        finally:
            pm.set_data(before)
    p = split(layout, flat)
    prior = stats.norm.logpdf(point["standard"]).sum()
    prior += stats.gamma(2, scale=1 / 5).logpdf(p["extra"][0]) + np.log(p["extra"][0])
    kind = p["kind"][0]
    prior += np.log(0.25 * stats.norm(-1, 0.3).pdf(kind) + 0.75 * stats.norm(1, 0.5).pdf(kind))
    parts = by_hand(layout, flat, DAYS[:2], BLOC[:2], VALUE[:2], ERROR[:2], offset=0.4)
    assert found == pytest.approx(prior + sum(part.sum() for part in parts.values()), abs=1e-6)


def test_an_empty_table_adds_nothing(tmp_path):
    spec = spec_of(worldview(tmp_path), everything(tmp_path / "e"))
    empty = {key: rows.with_rows([]) for key, rows in spec.evidence.items()}
    graph = build_graph(dataclasses.replace(spec, evidence=empty), END)
    assert [len(one.observations) for one in graph.likelihoods] == [0, 0, 0]
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    model = pymc_model(graph, layout)
    logp = model.compile_logp(vars=model.observed_RVs, mode=PLAIN)
    assert float(logp(point_of(model, layout, layout.draw(1, 1)[0]))) == 0.0
