"""What sampling returns, says while it works, and leaves behind when it is stopped."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from forecast.inference import Compiler, SamplerSettings, begin, sample
from forecast.inference.points import unconstrained
from forecast.inference.sampling import _with_numbers
from forecast.model import model_data
from tests.inference.toy import TRUTH, toy

QUICK = SamplerSettings(draws=50, tune=100, chains=2, cores=1)


def test_the_truth_is_recovered(fit: tuple[NDArray[np.float64], xr.Dataset]) -> None:
    # Four numbers within four posterior standard deviations: a false alarm about once in 4,000 seeds.
    flat = fit[0].reshape(-1, fit[0].shape[-1])
    for entry, values in zip(toy()[1].entries, flat.T, strict=True):
        assert abs(values.mean() - TRUTH[entry.key[1]]) < 4 * values.std(), entry.key
        assert values.std() < 0.5 * entry.prior.frozen().std()


def test_the_same_seed_gives_the_same_draws_and_another_does_not(compiler: Compiler) -> None:
    first, again, other = (sample(*toy(), QUICK, seed=seed, compiler=compiler)[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_number_of_cores_changes_no_draw(compiler: Compiler) -> None:
    two = SamplerSettings(draws=50, tune=100, chains=2, cores=2)
    one, both = (sample(*toy(), settings, seed=5, compiler=compiler)[0] for settings in (QUICK, two))
    np.testing.assert_array_equal(one, both)


def test_statistics_have_the_names_that_arviz_checks(fit: tuple[NDArray[np.float64], xr.Dataset]) -> None:
    assert {"diverging", "reached_max_treedepth", "tree_depth", "lp", "acceptance_rate"} <= set(fit[1])
    assert fit[1].sizes == {"chain": 2, "draw": 300}
    assert np.isfinite(fit[1].lp).all()


def test_progress_is_told_while_sampling(compiler: Compiler) -> None:
    told: list[tuple[int, int]] = []
    settings = SamplerSettings(draws=4000, tune=500, chains=2, cores=1)
    sample(
        *toy(), settings, seed=1, compiler=compiler, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (9000, 9000)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt: what a shell starts in the background ignores it, and Python keeps to that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_stops_at_once_and_leaves_no_thread(compiler: Compiler) -> None:
    settings = SamplerSettings(draws=10_000_000, tune=500, chains=2, cores=1)
    before = threading.active_count()
    timer = threading.Timer(1.0, _thread.interrupt_main)
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sample(*toy(), settings, seed=1, compiler=compiler)
    assert time.monotonic() - start < 5
    timer.join()
    assert threading.active_count() == before
    used = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - used < 0.2  # nothing goes on sampling behind our back


def test_pymcs_own_sampler_works_too(fit: tuple[NDArray[np.float64], xr.Dataset]) -> None:
    told: list[tuple[int, int]] = []
    compiler = Compiler()
    settings = SamplerSettings(draws=200, tune=300, chains=2, cores=1, sampler="pymc")
    draws, stats = sample(
        *toy(), settings, seed=1, compiler=compiler, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (1000, 1000)
    assert {"diverging", "reached_max_treedepth", "tree_depth", "lp", "acceptance_rate"} <= set(stats)
    np.testing.assert_allclose(draws.mean((0, 1)), fit[0].mean((0, 1)), atol=0.03)
    sample(*toy(seed=2), settings, seed=1, compiler=compiler)
    assert compiler.compilations == 1


def test_chains_start_where_they_are_told(compiler: Compiler) -> None:
    graph, layout = toy()
    start = layout.draw(3, 1)[0]
    model = _with_numbers(compiler.compiled(graph, layout).code, layout, model_data(graph, layout), start)
    assert model.exact
    expanded = unconstrained(model.entry.names, layout, start[None])[0]
    np.testing.assert_array_equal(model.start, expanded)
    settings = SamplerSettings(draws=50, tune=100, chains=2, cores=1)
    running = begin(graph, layout, settings, seed=1, compiler=compiler, start=start)
    draws, _ = running.result()
    assert running.is_finished
    assert draws.shape == (2, 50, len(layout.entries))
