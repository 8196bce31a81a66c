"""A whole run with toy drivers alone: the engine knows none of the built-in ones."""

from __future__ import annotations

import dataclasses
from datetime import date

import jsonschema
import numpy as np
import pytest

from forecast import engine
from forecast.driver import observes, provides
from forecast.engine import make_plan, run
from forecast.errors import ForecastError, InputError, PluginError
from forecast.inference import Compiler, SamplerSettings
from forecast.results import open_tree, read_run, summary_schema
from tests.toys import Boost, Line, Luck, Market, constant, driver, table, worldview

TINY = SamplerSettings(draws=100, tune=200, chains=2, cores=1, sampler="pymc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("toys")


@pytest.fixture(scope="module")
def view(folder):
    return worldview(folder)


@pytest.fixture(scope="module")
def compiler():
    """Compiles the toy model once for this file."""
    return Compiler()


@pytest.fixture(scope="module")
def toys(folder):
    return [Line(table(folder / "evidence")), Boost(), Market(), Luck()]


@pytest.fixture(scope="module")
def sampled(view, toys, compiler):
    return run(view, drivers=toys, settings=TINY, compiler=compiler)


@pytest.fixture(scope="module")
def prior(view, toys):
    return run(view, drivers=toys, settings=TINY, prior_only=True)


def untimed(summary):
    return {key: value for key, value in summary.items() if key != "timings"}


# What a run holds --------------------------------------------------------------------------------


def test_a_sampled_run_has_the_groups_of_the_design(sampled):
    assert set(sampled.results.children) == {
        "posterior",
        "sample_stats",
        "log_likelihood",
        "log_prior",
        "prior",
        "posterior_predictive",
        "observed_data",
        "projection",
        "crossings",
        "growth",
        "at_crossing",
    }


def test_a_run_of_the_priors_alone_has_no_posterior(prior):
    assert set(prior.results.children) == {
        "prior",
        "prior_predictive",
        "observed_data",
        "projection",
        "crossings",
        "growth",
        "at_crossing",
    }
    assert prior.summary["prior_only"] is True and prior.summary["diagnostics"]["ok"] is None


def test_parameters_are_named_by_driver_with_bloc_as_a_dim_and_no_constants(sampled):
    posterior = sampled.results["posterior"].to_dataset()
    assert set(posterior.data_vars) == {"line.level", "line.growth", "line.scatter", "thresholds.compute"}
    assert posterior["line.level"].dims == ("chain", "draw", "bloc")
    assert posterior["line.level"].attrs["unit"] == "log10 FLOP"
    assert posterior["line.growth"].shape == (2, 100)
    assert posterior["bloc"].values.tolist() == ["us_allies", "china"]
    log_prior = sampled.results["log_prior"].to_dataset()
    assert set(log_prior.data_vars) == set(posterior.data_vars)


def test_projection_and_crossings_have_the_dims_of_the_interfaces(sampled):
    projection, crossings = (sampled.results[name].to_dataset() for name in ("projection", "crossings"))
    assert projection["compute"].dims == ("chain", "draw", "bloc", "time")
    assert projection["compute"].attrs["unit"] == "log10 FLOP"
    assert projection.attrs["thinning"] == 1
    assert crossings["big"].dims == ("chain", "draw", "bloc") and crossings["big"].shape == (2, 100, 2)
    assert crossings["accepted"].dims == ("chain", "draw") and crossings["accepted"].dtype == bool


def test_rows_are_named_in_likelihood_and_predictions(sampled):
    likelihood = sampled.results["log_likelihood"]["runs"]
    assert likelihood.dims == ("chain", "draw", "runs_row") and likelihood.shape == (2, 100, 5)
    assert likelihood["runs_row"].values[0] == "A (us_allies, 2023-07-01)"
    assert np.all(np.isfinite(likelihood))
    observed = sampled.results["observed_data"]["runs"].values
    assert observed == pytest.approx(np.log10([5e24, 2e25, 6e25, 3e24, 1e25]))


def test_the_evidence_moves_the_posterior(sampled):
    """The American runs of mid-2023 to mid-2025 lie on 10^25.0 at 2024, with half an OOM a year."""
    level = sampled.results["posterior"]["line.level"].sel(bloc="us_allies").values
    assert level.std() < 0.4  # the prior's is 1
    assert level.mean() + 0.25 == pytest.approx(25.0, abs=0.4)


def test_the_summary_fits_its_schema_and_its_probabilities_sum_to_one(sampled, prior):
    for one in (sampled, prior):
        jsonschema.Draft202012Validator(summary_schema()).validate(one.summary)
        for bloc in one.summary["milestones"]["big"]["blocs"].values():
            assert sum(bloc[p] for p in ("p_before", "p_in", "p_after", "p_never")) == pytest.approx(1)
        assert one.summary["milestones"]["big"]["draws"]["total"] == 200
        assert one.summary["as_of"] == "2026-06-30" and one.summary["horizon"] == "2032-12-31"
    assert sampled.summary["sampler"] == {
        "draws": 100,
        "chains": 2,
        "tune": 200,
        "seed": 11,
        "sampler": "pymc",
    }


# Repeating ---------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_run_and_compiles_nothing_more(view, toys, sampled, compiler):
    again = run(view, drivers=toys, settings=TINY, compiler=compiler)
    assert untimed(again.summary) == untimed(sampled.summary)
    assert again.results["posterior"].to_dataset().identical(sampled.results["posterior"].to_dataset())
    assert compiler.compilations == 1


def test_another_seed_gives_another_run_of_another_name(view, toys, sampled, compiler):
    other = run(view, drivers=toys, settings=TINY, compiler=compiler, seed=12)
    assert other.id != sampled.id
    assert other.summary["milestones"] != sampled.summary["milestones"]
    assert compiler.compilations == 1


def test_other_priors_rows_and_as_of_date_compile_nothing_more(view, toys, sampled, compiler, folder):
    changed = worldview(folder, overrides=["priors.line.growth.mu=0.9", "priors.line.growth.sigma=0.01"])
    other = run(changed, drivers=toys, settings=TINY, compiler=compiler, as_of="2025-03-31")
    assert compiler.compilations == 1
    assert other.results["posterior"]["line.growth"].values.mean() == pytest.approx(0.9, abs=0.01)
    assert other.results["observed_data"]["runs"].size == 4
    assert other.summary["as_of"] == "2025-03-31"


def test_the_prior_run_of_one_seed_is_the_same_twice_and_differs_from_another(view, toys, prior):
    again = run(view, drivers=toys, settings=TINY, prior_only=True)
    assert untimed(again.summary) == untimed(prior.summary)
    other = run(view, drivers=toys, settings=TINY, prior_only=True, seed=5)
    assert other.summary["milestones"] != prior.summary["milestones"]


def test_prior_draws_have_the_priors_location_and_spread(view, toys):
    many = run(view, drivers=toys, settings=dataclasses.replace(TINY, draws=1000), prior_only=True)
    growth = many.results["prior"]["line.growth"].values
    # 2,000 draws: standard errors 0.0022 and 0.0016; four of each.
    assert growth.mean() == pytest.approx(0.5, abs=0.009)
    assert growth.std() == pytest.approx(0.1, abs=0.0064)


# Interventions -----------------------------------------------------------------------------------


def test_the_same_draws_are_projected_again_with_a_change(sampled):
    before, after = sampled.project(), sampled.project([{"quantity": "compute", "add": 0.5}])
    assert np.array_equal(before.crossings["big"].values, sampled.results["crossings"]["big"].values)
    late = before.crossings["big"].values > 2026.6
    assert np.all(after.crossings["big"].values <= before.crossings["big"].values)
    moved = after.crossings["big"].values < before.crossings["big"].values
    assert np.mean(moved[late & np.isfinite(before.crossings["big"].values)]) > 0.9


def test_a_change_that_fits_nothing_is_refused_in_words(prior):
    with pytest.raises(InputError, match="there is no limit 'chip_access'; there are supplied"):
        prior.project([{"limit": "chip_access", "set": "off"}])


# Saving ------------------------------------------------------------------------------------------


def test_a_run_is_saved_whole_and_reads_back_the_same(sampled, tmp_path):
    path = sampled.save(tmp_path, command=["run", "--json"])
    assert path.name == sampled.id and sampled.id.startswith("2026-06-30-toys-")
    assert {file.name for file in path.iterdir()} == {
        "manifest.json",
        "worldview.toml",
        "results.nc",
        "summary.json",
        "inputs.json",
        "crossings.png",
        "worlds.png",
        "channels.png",
    }
    assert (path / "crossings.png").read_bytes().startswith(b"\x89PNG")
    stored = read_run(path)
    assert stored.summary == sampled.summary
    assert stored.worldview.to_toml() == sampled.worldview.to_toml()
    assert stored.manifest["command"] == ["run", "--json"]
    assert stored.manifest["evidence"] == {"line/runs": 5}
    tree = open_tree(path / "results.nc")
    for name in ("posterior", "crossings", "log_likelihood"):
        for variable, values in sampled.results[name].data_vars.items():
            # Log densities are stored in single precision.
            assert np.allclose(tree[name][variable].values, values.values, rtol=1e-6), (name, variable)
    assert np.array_equal(tree["crossings"]["big"].values, sampled.results["crossings"]["big"].values)


@pytest.mark.usefixtures("no_pictures")
def test_saving_twice_replaces_nothing(prior, tmp_path):
    path = prior.save(tmp_path)
    stamp = (path / "manifest.json").stat().st_mtime_ns
    assert prior.save(tmp_path) == path
    assert (path / "manifest.json").stat().st_mtime_ns == stamp
    assert [entry.name for entry in tmp_path.iterdir()] == [prior.id]


def test_the_run_id_moves_with_what_decides_the_result_and_with_nothing_else(view, toys, folder):
    def name(worldview_=view, drivers=toys, settings=TINY, **fields):
        return make_plan(worldview_, drivers=drivers, settings=settings, **fields).id

    base = name()
    assert name(settings=dataclasses.replace(TINY, cores=2)) == base
    assert name(settings=dataclasses.replace(TINY, draws=101)) != base
    assert name(prior_only=True) != base
    assert name(seed=12) != base
    assert name(drivers=toys[:-1]) != base
    assert name(worldview(folder, overrides=["priors.boost.gain.value=0.3"])) != base
    other = [Line(table(folder / "other", csv=CHANGED)), *toys[1:]]
    assert name(drivers=other) != base


CHANGED = """\
bloc,name,date,value,unit,low,high,level,published,vintage,source,url,note,period_months
us_allies,A,2023-07-01,6e24,FLOP,,,,2023-08-01,,made up,https://example.org,,
"""


# What goes wrong ---------------------------------------------------------------------------------


def test_a_prior_that_no_term_reads_is_refused(tmp_path):
    text = (
        'dead = { value = 1, unit = "FLOP", source = "t" }\nlive = { value = 5, unit = "FLOP", source = "t" }'
    )
    lazy = driver("lazy", text, base=constant("compute", 26.0))
    view = worldview(tmp_path, overrides=["priors.lazy.dead.value=2"])
    with pytest.raises(InputError, match=r"\[priors.lazy\] dead: no loaded driver reads it"):
        run(view, drivers=[lazy], settings=TINY, prior_only=True)


def test_an_unknown_parameter_or_driver_in_the_worldview_is_refused(tmp_path, toys):
    with pytest.raises(InputError, match="did you mean 'growth'"):
        run(worldview(tmp_path, overrides=["priors.line.grwth.mu=2"]), drivers=toys, prior_only=True)
    said = r"--set .*: \[priors.investment\]: no driver of this name is installed \(valid: .*line"
    with pytest.raises(InputError, match=said):
        view = worldview(tmp_path, overrides=["priors.investment.growth.mu=2"])
        run(view, drivers=toys, prior_only=True)


def test_an_as_of_date_before_any_evidence_is_refused(view, toys):
    with pytest.raises(InputError) as caught:
        run(view, drivers=toys, as_of="2022-01-01", settings=TINY)
    assert "as_of 2022-01-01: no evidence had been published by then" in str(caught.value)
    assert "the first row is of 2023-08-01" in str(caught.value)


def test_a_driver_without_any_parameter_is_enough_for_a_run(view):
    found = run(
        view, drivers=[driver("still", base=constant("compute", 25.0))], settings=TINY, prior_only=True
    )
    assert found.results["crossings"]["big"].shape == (2, 100, 2)


def test_a_likelihood_of_constants_alone_needs_no_sampler(view, tmp_path):
    def seen(self, m, data):
        m.normal(data, mean=m.at(m["compute"], data), sd=data.error)

    fixed = driver(
        "fixed",
        'k = { value = 25, unit = "log10 FLOP", source = "t" }',
        table(tmp_path, owner="fixed"),
        base=provides("compute", unit="FLOP")(lambda self, m: m["k"]),
        seen=observes("runs")(seen),
    )
    found = run(view, drivers=[fixed], settings=TINY)
    assert found.results["log_likelihood"]["runs"].shape == (2, 100, 5)


def test_a_quantity_that_is_not_a_number_names_the_driver_and_writes_nothing(view, tmp_path):
    bad = driver(
        "bad",
        'k = { distribution = "Normal", mu = -9, sigma = 1, unit = "FLOP", source = "t" }',
        base=provides("compute", unit="FLOP")(lambda self, m: m["k"] ** 0.5),
    )
    with pytest.raises(PluginError, match="driver 'bad'.*quantity 'compute' is not finite"):
        run(view, drivers=[bad], settings=TINY, prior_only=True).save(tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_run_that_cannot_be_written_leaves_nothing(prior, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("forecast.report.run_pictures.draw_crossings", broken)
    with pytest.raises(ForecastError, match="disk is full"):
        prior.save(tmp_path / "runs")
    assert list((tmp_path / "runs").iterdir()) == []


# The other sampler -------------------------------------------------------------------------------


def test_toy_drivers_alone_can_be_sampled_with_the_default_sampler(view, toys, sampled):
    """Whatever a third party's drivers leave unread, such as the as-of date, is no trouble."""
    settings = dataclasses.replace(TINY, sampler="nutpie")
    found = run(view, drivers=toys, settings=settings, compiler=Compiler())
    for name in ("line.level", "line.growth"):
        mine, theirs = (one.results["posterior"][name].values for one in (found, sampled))
        # 200 correlated draws each, at least 50 effective ones: five standard errors of a difference.
        error = np.hypot(mine.std(axis=(0, 1)), theirs.std(axis=(0, 1))) / np.sqrt(50)
        assert np.all(np.abs(mine.mean(axis=(0, 1)) - theirs.mean(axis=(0, 1))) < 5 * error), name


@pytest.mark.usefixtures("no_pictures")
def test_a_rerun_without_the_drivers_of_the_run_says_so(prior, tmp_path):
    """Drivers made in Python cannot be found again; a rerun may not use others in their place."""
    stored = read_run(prior.save(tmp_path))
    with pytest.raises((PluginError, InputError)) as caught:
        engine.rerun(stored)
    assert "line" in str(caught.value) or "compute" in str(caught.value)


def test_the_as_of_date_may_be_given_as_a_date_or_text(view, toys):
    one = make_plan(view, drivers=toys, as_of="2025-03-31")
    assert one.worldview.as_of == date(2025, 3, 31)
    assert one.id == make_plan(view, drivers=toys, as_of=date(2025, 3, 31)).id


# Taking a run up again ---------------------------------------------------------------------------


CHANGES = [{"channel": "grey", "of": "supply", "scale": 3}, {"quantity": "compute", "add": 0.2}]


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("made", ["sampled", "prior"])
def test_a_reopened_run_projects_bit_for_bit_what_the_fresh_one_does(made, request, view, toys, tmp_path):
    fresh = request.getfixturevalue(made)
    stored = read_run(fresh.save(tmp_path))
    settings = dataclasses.replace(TINY, cores=2)  # the number of cores decides nothing
    plan = make_plan(view, drivers=toys, settings=settings, prior_only=fresh.plan.prior_only)
    again = engine.reopen(stored, plan)
    assert again.parameters.keys() == fresh.parameters.keys()
    for key, values in fresh.parameters.items():
        assert np.array_equal(values, again.parameters[key]), key
    for changes in ([], CHANGES):
        one, other = fresh.project(changes), again.project(changes)
        assert one.crossings.identical(other.crossings)
        assert one.trajectories.identical(other.trajectories)
    assert again.results["crossings"].to_dataset().equals(fresh.results["crossings"].to_dataset())
    assert untimed(again.summary) == untimed(fresh.summary)


@pytest.mark.usefixtures("no_pictures")
def test_a_run_whose_drivers_have_changed_is_not_reopened(prior, view, toys, tmp_path):
    stored = read_run(prior.save(tmp_path))
    plan = make_plan(view, drivers=toys[:-1], settings=TINY, prior_only=True)
    with pytest.raises(ForecastError, match="have changed since this run was made.*make the run anew"):
        engine.reopen(stored, plan)


@pytest.mark.usefixtures("no_pictures")
def test_a_run_of_other_versions_is_reopened_only_if_its_draws_come_out_the_same(prior, tmp_path, view, toys):
    stored = read_run(prior.save(tmp_path))
    older = dataclasses.replace(stored, manifest=stored.manifest | {"versions": {"numpy": "1.0"}})
    assert engine.reopen(older, prior.plan).id == prior.id
    moved = older.crossings.assign(big=older.crossings["big"] + 1e-9)
    object.__setattr__(older, "crossings", moved)
    with pytest.raises(ForecastError, match="other versions of Python or its packages"):
        engine.reopen(older, prior.plan)
