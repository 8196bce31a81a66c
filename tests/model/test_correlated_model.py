"""The PyMC model with correlated priors against scipy's multivariate normal."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from forecast.errors import InputError
from forecast.inference import Structure
from forecast.model import Layout, build_graph, flat_draws, model_data, pymc_model
from forecast.worldview import correlation_matrix
from tests.model.test_pymc_model import END, PLAIN, by_hand, everything, split
from tests.toys import WORLDVIEW, spec_of, worldview

BETWEEN = {
    "one": ('"toy.growth"', '"toy.scatter[china]"', 0.6),
    "two": ('"toy.level[china]"', '"toy.growth"', -0.4),
    "three": ('"toy.level[us_allies]"', '"toy.scatter[china]"', 0.3),
}


def text(between):
    return WORLDVIEW + "".join(
        f'[correlations.{name}]\nbetween = [{one}, {other}]\ncorrelation = {strength}\nsource = "t"\n'
        for name, (one, other, strength) in between.items()
    )


def built(folder, between, overrides=()):
    """Graph and layout of the toy with these correlations."""
    folder.mkdir(exist_ok=True)
    spec = spec_of(worldview(folder, text(between), overrides), everything(folder / "e"))
    graph = build_graph(spec, END)
    return graph, Layout(
        {key: spec.parameters[key] for key in graph.parameters}, spec.blocs, spec.correlations
    )


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    graph, layout = built(tmp_path_factory.mktemp("toys"), BETWEEN)
    model = pymc_model(graph, layout)
    return graph, layout, model, model.compile_logp(mode=PLAIN)


def affine_names(layout):
    return [list(layout.numbers)[place] for place in layout.affine]


def scores_of(layout, flat):
    """Standard normals behind the Normal and LogNormal numbers of one draw."""
    loc, scale, exponent = layout.hyperparameters()
    chosen = flat[layout.affine]
    return (np.where(exponent, np.log(np.abs(chosen)), chosen) - loc) / scale


def point_of(layout, flat):
    matrix = correlation_matrix(layout.correlations, affine_names(layout))
    point = {"standard": np.linalg.solve(np.linalg.cholesky(matrix), scores_of(layout, flat))}
    for index in layout.other:
        name = f"number.{index}"
        logged = layout.entries[index].prior.family == "Gamma"
        point[f"{name}_log__" if logged else name] = np.asarray(
            np.log(flat[index]) if logged else flat[index]
        )
    return point


def expected_log_density(layout, flat):
    """Joint normal of the scores (up to the constant of the change of variables) and the rest by hand."""
    matrix = correlation_matrix(layout.correlations, affine_names(layout))
    joint = stats.multivariate_normal(np.zeros(len(matrix)), matrix).logpdf(scores_of(layout, flat))
    joint += np.sum(np.log(np.diag(np.linalg.cholesky(matrix))))  # d scores / d standard
    p = split(layout, flat)
    extra, kind = p["extra"][0], p["kind"][0]
    joint += stats.gamma(2, scale=1 / 5).logpdf(extra) + np.log(extra)
    joint += np.log(0.25 * stats.norm(-1, 0.3).pdf(kind) + 0.75 * stats.norm(1, 0.5).pdf(kind))
    return joint + sum(part.sum() for part in by_hand(layout, flat).values())


def test_the_log_density_is_scipys_joint_normal_and_the_likelihood_at_ten_draws(toy):
    _, layout, _, logp = toy
    for flat in layout.draw(3, 10):
        assert float(logp(point_of(layout, flat))) == pytest.approx(
            expected_log_density(layout, flat), abs=1e-6
        )


def test_the_gradient_is_finite_and_is_that_of_the_log_density(toy):
    _, layout, model, logp = toy
    gradient = model.compile_dlogp(mode=PLAIN)
    point = point_of(layout, layout.draw(6, 1)[0])
    order = [rv.name for rv in model.value_vars]
    found = gradient(point)
    assert np.all(np.isfinite(found)) and order[0] == "standard"
    for place in range(len(layout.affine)):
        step = np.zeros(len(layout.affine))
        step[place] = 1e-5
        up, down = (logp(point | {"standard": point["standard"] + s * step}) for s in (1, -1))
        assert found[place] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)


def test_draws_of_the_model_become_correlated_numbers(toy):
    _, layout, _, _ = toy
    flat = layout.draw(5, 4)
    points = [point_of(layout, one) for one in flat]
    drawn = {"standard": np.stack([point["standard"] for point in points])}
    drawn |= {f"number.{index}": flat[:, index] for index in layout.other}
    assert flat_draws(layout, drawn) == pytest.approx(flat)


def test_the_models_own_prior_draws_have_the_asked_correlations(toy):
    graph, layout, model, _ = toy
    drawn = pm.draw([model["standard"], model["prior.mix"]], draws=4000, random_seed=3, mode=PLAIN)
    scores = drawn[0] @ drawn[1][0].T
    matrix = correlation_matrix(layout.correlations, affine_names(layout))
    # Standard error of a correlation at most 0.016; four of them.
    assert np.corrcoef(scores.T) == pytest.approx(matrix, abs=0.064)


def test_without_correlations_the_model_has_no_mixing_data(tmp_path):
    graph, layout = built(tmp_path, {})
    assert "prior.mix" not in model_data(graph, layout)
    assert "prior.mix" not in pymc_model(graph, layout).named_vars


def test_another_correlation_is_another_number_and_no_other_structure(toy, tmp_path):
    graph, layout, model, logp = toy
    other = {name: (one, two, -strength / 2) for name, (one, two, strength) in BETWEEN.items()}
    other_graph, other_layout = built(tmp_path / "other", other)
    assert Structure.of(other_graph, other_layout) == Structure.of(graph, layout)
    flat = other_layout.draw(3, 1)[0]
    with model:
        pm.set_data(model_data(other_graph, other_layout))
        try:
            found = float(logp(point_of(other_layout, flat)))
        finally:
            pm.set_data(model_data(graph, layout))
    assert found == pytest.approx(expected_log_density(other_layout, flat), abs=1e-6)


def test_other_pairs_and_a_correlation_of_zero_share_the_structure_too(toy, tmp_path):
    structure = Structure.of(*toy[:2])
    swapped = {"one": ('"toy.growth"', '"toy.level[china]"', 0.1)}
    assert Structure.of(*built(tmp_path / "a", swapped)) == structure
    assert Structure.of(*built(tmp_path / "b", {"one": (*swapped["one"][:2], 0)})) == structure
    assert Structure.of(*built(tmp_path / "c", {})) != structure


def test_a_fitted_number_of_another_family_is_refused_in_words(tmp_path):
    graph, layout = built(tmp_path, {"one": ('"toy.extra"', '"toy.growth"', 0.5)})
    with pytest.raises(InputError) as caught:
        Structure.of(graph, layout)
    said = str(caught.value)
    assert "[correlations.one] between: toy.extra is a Gamma; fitted to the evidence" in said
    assert "only Normal and LogNormal numbers can be correlated" in said and "--prior-only" in said
    zero = built(tmp_path, {"one": ('"toy.extra"', '"toy.growth"', 0)})
    assert zero[1].mix is None
