"""The shipped worldviews, fitted as a user would: one compilation for all of them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import forecast
from benchmarks import reference
from forecast.inference import Compiler, SamplerSettings
from forecast.results import open_tree, summary_schema

pytestmark = pytest.mark.slow

# Enough to compare bits; whether a fit converges is asked of the default run.
SHORT = SamplerSettings(draws=20, tune=50, chains=2)


@pytest.fixture(scope="module")
def compiler():
    return Compiler()


@pytest.fixture(scope="module")
def default_run(compiler):
    """The default worldview at the default settings."""
    return forecast.run(compiler=compiler)


@pytest.fixture(scope="module")
def essay_run(default_run, compiler):
    """Another worldview: other numbers, other rows, another as-of date, another milestone."""
    return forecast.run("amodei-2025", settings=SHORT, compiler=compiler)


def test_the_default_run_passes_its_diagnostics(default_run):
    diagnostics = default_run.summary["diagnostics"]
    assert diagnostics["ok"] is True, diagnostics
    assert diagnostics["r_hat_max"] <= 1.01
    assert min(diagnostics["ess_bulk_min"], diagnostics["ess_tail_min"]) >= 400
    assert diagnostics["divergences"] == 0


def test_every_probability_has_a_small_monte_carlo_error_and_sums_to_one(default_run):
    milestone = default_run.summary["milestones"]["agi"]
    for bloc in milestone["blocs"].values():
        assert max(bloc["mcse"].values()) <= 0.015
        assert sum(bloc[p] for p in ("p_before", "p_in", "p_after", "p_never")) == pytest.approx(1, abs=1e-9)
    lead = milestone["lead"]
    assert sum(lead["p_unipolar"].values()) + lead["p_bipolar"] + lead["p_neither"] == pytest.approx(1)


def test_the_posterior_is_the_frozen_one(default_run):
    """Mean and quantiles of every fitted number and date, within Monte Carlo error: 0.1% false alarms."""
    frozen, said = reference.read()
    apart = reference.compare(reference.compact(default_run), frozen, said["horizon"])
    limit = reference.limit(len(apart))
    beyond = [one for one in apart if one.errors > limit]
    words = "\n".join(
        f"  {one.number}, {one.statistic}: {one.ours:.4g}, was {one.reference:.4g} ({one.errors:.1f} errors)"
        for one in beyond[:15]
    )
    assert not beyond, (
        f"{len(beyond)} of {len(apart)} statistics of the default posterior are more than {limit:.1f} Monte "
        f"Carlo errors from benchmarks/reference:\n{words}\n{reference.HOW_TO_RENEW}"
    )


def test_the_summary_fits_its_schema(default_run):
    import jsonschema

    jsonschema.validate(default_run.summary, summary_schema())


def test_another_worldview_as_of_date_and_rows_compile_nothing_more(default_run, essay_run, compiler):
    # One model for both; whether it was compiled now or found on disk is this machine's history.
    assert compiler.compilations + compiler.loads == 1
    assert essay_run.summary["as_of"] == "2025-01-29"
    rows = {name: values.size for name, values in essay_run.results["observed_data"].data_vars.items()}
    assert "capability_index" not in rows  # nothing of it had been published
    assert rows["training_runs"] < default_run.results["observed_data"]["training_runs"].size


def test_the_evidence_narrows_what_it_speaks_of(default_run):
    narrowed = [
        ("investment.level", "us_allies"),
        ("investment.growth", "us_allies"),
        ("compute-growth.price_performance", None),
        ("compute-growth.allocation", None),
        ("capability.horizon_level", None),
        ("capability.index_level", None),
        ("algorithmic-efficiency.follow_lag", "china"),
    ]
    for name, bloc in narrowed:
        after, before = default_run.results["posterior"][name], default_run.results["prior"][name]
        if bloc:
            after, before = after.sel(bloc=bloc), before.sel(bloc=bloc)
        assert float(after.std()) < 0.7 * float(before.std()), name


def test_free_access_to_chips_never_delays_china_and_helps_it(default_run):
    free = default_run.project([{"limit": "chip_access", "bloc": "china", "set": "off"}])
    base, changed = (
        crossings["agi"].sel(bloc="china").values
        for crossings in (default_run.results["crossings"], free.crossings)
    )
    assert np.all(changed <= base)
    assert np.median(changed) < np.median(base)


@pytest.mark.usefixtures("no_pictures")
def test_the_saved_run_reads_back_with_every_quantity_and_its_unit(default_run, tmp_path):
    path = default_run.save(tmp_path)
    tree = open_tree(path / "results.nc")
    quantities = {
        "investment",
        "price_performance",
        "chip_demand",
        "chip_purchases",
        "compute_stock",
        "training_compute",
        "chips_in_run",
        "cost_of_largest_cluster",
        "algorithmic_efficiency",
        "effective_compute",
        "time_horizon",
        "time_horizon_80",
        "capability_index",
    }
    projection = tree["projection"]
    assert quantities <= set(projection.data_vars)
    for name in quantities:
        assert projection[name].dims == ("chain", "draw", "bloc", "time")
        assert projection[name].attrs["unit"]
    assert projection.sizes["chain"] * projection.sizes["draw"] <= 500
    assert set(tree["crossings"].data_vars) == {*default_run.worldview.milestones, "accepted"}
    assert set(tree["inside"].data_vars) == {"agi"}
    assert projection["chip_channels"].dims == ("chain", "draw", "bloc", "channel", "time")
    assert projection["channel"].values.tolist() == ["domestic", "licensed", "smuggled", "offshore"]
    assert projection["policy"].dims == ("chain", "draw", "time")
    np.testing.assert_array_equal(tree["crossings"]["agi"], default_run.results["crossings"]["agi"])


@pytest.fixture(scope="module")
def short_run(default_run, compiler):
    return forecast.run(settings=SHORT, seed=5, compiler=compiler)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(compiler, short_run):
    again, other = (forecast.run(settings=SHORT, seed=seed, compiler=compiler) for seed in (5, 6))
    assert _timeless(again) == _timeless(short_run)
    assert _timeless(again)["milestones"] != _timeless(other)["milestones"]


def test_another_process_gives_the_same_draws_to_the_last_bit(short_run):
    command = "run --seed 5 --draws 20 --tune 50 --chains 2 --json".split()
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, "-m", "forecast", *command, "--out", folder]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        (saved,) = Path(folder).iterdir()
        pictures = {path.name for path in saved.glob("*.png")}
    assert pictures == {"crossings.png", "worlds.png", "channels.png"}
    elsewhere = json.loads(done.stdout)
    assert {key: value for key, value in elsewhere.items() if key != "timings"} == _timeless(short_run)


def _timeless(run):
    return {key: value for key, value in run.summary.items() if key != "timings"}
