"""The frozen posterior is whole and converged, and a difference that matters is seen."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from benchmarks import reference


@pytest.fixture(scope="module")
def frozen():
    return reference.read()


def moved(tree, name, shift):
    """A part of the reference, with one number moved by some standard deviations."""
    groups = {group: node.to_dataset() for group, node in tree.items()}
    values = groups["posterior"][name]
    groups["posterior"] = groups["posterior"].assign({name: values + shift * values.std()})
    return xr.DataTree.from_dict(groups)


@pytest.fixture(scope="module")
def some(frozen):
    """Three numbers of it: its first two chains, and its last two."""
    names = ["investment.level", "capability.horizon_level"]
    groups = {name: node.to_dataset() for name, node in frozen[0].items()}
    groups["posterior"] = groups["posterior"][names]
    groups["crossings"] = groups["crossings"][["agi", "accepted"]]
    return tuple(
        xr.DataTree.from_dict({name: data.isel(chain=half) for name, data in groups.items()})
        for half in (slice(0, 2), slice(2, 4))
    )


def test_the_reference_is_small_whole_and_converged(frozen):
    tree, said = frozen
    assert reference.DRAWS.stat().st_size < 2.5e6
    numbers = reference.numbers_of(tree, said["horizon"])
    assert numbers.values.shape == (4, 2500, len(said["numbers"]))
    assert numbers.r_hat.max() < 1.01
    assert min(numbers.ess_bulk.min(), numbers.ess_tail.min()) > 400
    assert int(tree["sample_stats"]["diverging"].sum()) == said["diagnostics"]["divergences"] == 0
    assert said["diagnostics"]["ok"] is True


def test_two_halves_of_the_reference_agree(some, frozen):
    apart = reference.compare(*some, frozen[1]["horizon"])
    assert len(apart) > 20
    assert apart[0].errors < reference.limit(len(apart))


def test_a_number_that_moved_is_seen_and_named(some, frozen):
    name = "capability.horizon_level"
    shifted = moved(some[0], name, 0.25)
    apart = reference.compare(shifted, some[1], frozen[1]["horizon"])
    assert apart[0].number.startswith(name)
    assert apart[0].errors > reference.limit(len(apart))
    wider = moved(some[0], name, 0.0)
    values = wider["posterior"][name]
    wider["posterior"][name] = values.mean() + 1.3 * (values - values.mean())
    assert reference.compare(wider, some[1], frozen[1]["horizon"])[0].statistic.endswith("quantile")


def test_a_number_that_the_reference_lacks_is_named(some, frozen):
    more = some[0].copy()
    more["posterior"]["investment.new"] = more["posterior"]["capability.horizon_level"] * 2
    with pytest.raises(ValueError, match=r"only in the run: \['investment.new'\].*CHANGELOG"):
        reference.compare(more, some[1], frozen[1]["horizon"])


def test_rounding_is_far_below_the_monte_carlo_error():
    values = xr.DataArray(np.random.default_rng(1).normal(155.0, 0.5, 10_000))
    rounded = reference._rounded(values)
    assert rounded.dtype == np.float32
    assert float(np.abs(rounded - values).max()) < 0.5 * 0.005
    assert float(np.abs((rounded - values).mean())) < 0.5 * 0.0005
