"""Trajectories to the horizon: grids that agree, shocks that pair, and what is kept."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from forecast.driver import adds_to, provides
from forecast.errors import InputError, PluginError
from forecast.model import build_graph
from forecast.projection import Evaluator, project
from forecast.projection.crossings import values_at
from forecast.spec import history_end
from tests.toys import (
    WORLDVIEW,
    Boost,
    Line,
    Luck,
    Market,
    draws_of,
    driver,
    future,
    spec_of,
    table,
    values,
    worldview,
)

AS_OF_END = 2026 + 181 / 365


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    return worldview(tmp_path_factory.mktemp("toys"))


def projected(view, *drivers, changes=(), size=40, chains=2, seed=11, **fields):
    graph = future(spec_of(view, *drivers), *changes, horizon=view.horizon)
    return project(
        graph,
        draws_of(graph, size),
        chains=chains,
        milestones=view.milestones,
        thresholds=view.thresholds,
        seed=seed,
        **fields,
    )


def compute(found):
    return found.trajectories["compute"].values


def test_history_and_future_agree_on_every_month_up_to_the_as_of_date(view, tmp_path):
    spec = spec_of(view, Line(table(tmp_path)), Boost(), Market(), Luck())
    past, ahead = build_graph(spec, history_end(spec)), future(spec, horizon=view.horizon)
    draws = draws_of(ahead, 1)
    months = int(np.sum(past.decimal < AS_OF_END + 0.01))
    assert months == 103 and str(ahead.months[months - 1]) == "2026-07-01"
    for name in ("compute", "supply"):
        then, now = (values(graph, name, draws=draws)[name][:, :months] for graph in (past, ahead))
        assert then == pytest.approx(now, abs=1e-12)


def test_a_projection_has_every_quantity_with_dims_unit_and_month_starts(view):
    found = projected(view, Line(), Market()).trajectories
    assert set(found.data_vars) == {"compute", "supply", "supply_channels"}
    assert found["supply_channels"].dims == ("chain", "draw", "bloc", "channel", "time")
    assert found["compute"].dims == ("chain", "draw", "bloc", "time")
    assert dict(found.sizes) == {"chain": 2, "draw": 20, "bloc": 2, "channel": 2, "time": 181}
    assert found["compute"].attrs == {"unit": "log10 FLOP", "long_name": "Largest run", "driver": "line"}
    assert str(found["time"].values[-1])[:10] == "2033-01-01"
    assert found["time"].dtype.kind == "M" and found["compute"].dtype == np.float32


def test_the_same_seed_gives_the_same_future_and_another_seed_another(view):
    one, two, other = (projected(view, Line(), Luck(), seed=seed) for seed in (11, 11, 12))
    assert np.array_equal(compute(one), compute(two))
    assert one.crossings.identical(two.crossings)
    past = one.graph.decimal < AS_OF_END
    assert np.array_equal(compute(one)[..., past], compute(other)[..., past])
    assert not np.any(compute(one)[..., -1] == compute(other)[..., -1])


def test_shocks_are_paired_with_and_without_an_intervention(view):
    change = {"quantity": "compute", "bloc": "china", "add": -1.0}
    before, after = projected(view, Line(), Luck()), projected(view, Line(), Luck(), changes=[change])
    gap = compute(after) - compute(before)
    ahead = before.graph.decimal > AS_OF_END - 1e-6
    assert np.all(gap[:, :, 0] == 0) and np.all(gap[..., ~ahead] == 0)
    assert gap[:, :, 1][..., ahead] == pytest.approx(-1.0, abs=1e-5)
    assert np.all(after.crossings["big"].values[..., 1] >= before.crossings["big"].values[..., 1])
    assert np.array_equal(after.crossings["big"].values[..., 0], before.crossings["big"].values[..., 0])


def test_another_drivers_shock_changes_nobody_elses_draws(view):
    def chance(self, m):
        return m["z"] + m.shock("aaa-first", scale=1.0, persistence=2.0)

    other = driver(
        "aaa",
        'z = { distribution = "Normal", mu = 1, sigma = 1, unit = "FLOP", source = "t" }',
        base=provides("other", unit="FLOP")(chance),
    )
    alone, beside = projected(view, Line(), Luck()), projected(view, other, Line(), Luck())
    assert np.array_equal(compute(alone), compute(beside))
    assert alone.crossings.identical(beside.crossings)
    mine = beside.trajectories["other"].values
    assert np.std(mine[..., -1] - mine[..., 0]) > 0.5


def test_a_shock_has_the_spread_that_it_states(view):
    still = driver(
        "line",
        'k = { distribution = "Normal", mu = 25, sigma = 1, unit = "log10 FLOP", source = "t" }',
        base=provides("compute", unit="FLOP")(lambda self, m: m["k"]),
    )
    found = compute(projected(view, still, Luck(), size=4000, keep=4000))
    moved = found[..., -1] - found[..., 0]
    # Ornstein-Uhlenbeck of scale 0.3 OOM/year and persistence 3 years that starts at rest:
    years = 2033 - (2026 + 180 / 365)
    x = years / 3
    exact = 0.3 * 3 * np.sqrt(2 * x - 4 * (1 - np.exp(-x)) + (1 - np.exp(-2 * x)))
    # Standard error of a standard deviation of 4,000 draws 1.1%, and 2% for the monthly steps.
    assert moved[..., 0].std() == pytest.approx(exact, rel=0.065)
    assert np.corrcoef(moved[..., 0].ravel(), moved[..., 1].ravel())[0, 1] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("size", "chains", "keep", "kept", "thinning"),
    [(40, 2, 500, 40, 1), (1200, 2, 500, 400, 3), (1200, 4, 500, 400, 3), (1100, 1, 500, 367, 3)],
)
def test_at_most_so_many_trajectories_are_kept_and_the_step_is_said(view, size, chains, keep, kept, thinning):
    found = projected(view, Line(), size=size, chains=chains, keep=keep)
    assert found.trajectories.attrs["thinning"] == thinning
    assert found.trajectories.sizes["draw"] * chains == kept <= keep
    assert found.trajectories["draw"].values.tolist() == list(range(0, size // chains, thinning))
    assert found.crossings.sizes["draw"] == size // chains
    whole = projected(view, Line(), size=size, chains=chains, keep=size)
    assert np.array_equal(compute(found), compute(whole)[:, ::thinning])


def test_blocks_of_draws_make_no_difference(view):
    """601 draws are two blocks; the first 40 of them are the 40 of a smaller projection."""
    graph = future(spec_of(view, Line(), Luck()), horizon=view.horizon)
    draws = draws_of(graph, 601)
    settings = {"chains": 1, "milestones": {}, "thresholds": {}, "seed": 11}
    large = project(graph, draws, keep=601, **settings)
    small = project(graph, {key: value[:40] for key, value in draws.items()}, **settings)
    assert compute(large)[:, :40] == pytest.approx(compute(small), abs=1e-6)
    assert large.crossings["accepted"].values.all()


def test_a_quantity_that_is_not_finite_names_driver_quantity_bloc_and_month(view):
    broken = driver(
        "broken",
        'k = { distribution = "Normal", mu = 0, sigma = 1, unit = "OOM", source = "t" }',
        base=provides("odd", unit="FLOP")(
            lambda self, m: m["k"] + 1e-9 * (3.0 - m.years + np.array([[9.0], [0.0]])) ** 0.5
        ),
    )
    with pytest.raises(PluginError) as caught:
        projected(view, Line(), broken)
    words = str(caught.value)
    assert words.startswith(
        "driver 'broken' of this Python session: quantity 'odd' is not finite in 100.0% of"
    )
    assert "first for china in 2027-02" in words


def test_the_cause_is_named_and_not_what_reads_it(view):
    broken = driver(
        "zz-cause",
        'k = { distribution = "Normal", mu = -1, sigma = 0.1, unit = "OOM", source = "t" }',
        more=adds_to("compute")(lambda self, m: m["odd"]),
        base=provides("odd", unit="FLOP")(lambda self, m: m["k"] ** 0.5),
    )
    with pytest.raises(PluginError, match="driver 'zz-cause'.*quantity 'odd'"):
        projected(view, Line(), broken)


def test_the_evaluator_and_the_projection_agree(view):
    graph = future(spec_of(view, Line()), horizon=view.horizon)
    draws = draws_of(graph, 6)
    alone = Evaluator(graph, {"compute": graph.quantities["compute"].tensor})(draws)["compute"]
    found = project(graph, draws, chains=2, milestones={}, thresholds={}, seed=1).trajectories["compute"]
    assert found.values.reshape(alone.shape) == pytest.approx(alone, rel=1e-6)
    exact = draws["line", "level"] + draws["line", "growth"][:, None, None] * (graph.decimal - 2024)
    assert alone == pytest.approx(exact)


def test_the_horizon_is_the_last_day_and_its_month_is_whole(view):
    graph = future(spec_of(view, Line()), horizon=date(2060, 12, 31))
    assert str(graph.months[-1]) == "2061-01-01"


def test_each_quantity_at_the_crossing_is_kept_for_every_draw(view):
    found = projected(view, Line(), Luck(), size=60, keep=10)
    dates = found.crossings["big"].values
    level = found.at_crossing["big.compute"]
    assert level.dims == ("chain", "draw", "bloc") and level.shape == dates.shape
    assert level.attrs["unit"] == "log10 FLOP"
    crossed = np.isfinite(dates)
    assert crossed.any() and not crossed.all() and np.array_equal(np.isfinite(level.values), crossed)
    # Where a bloc crosses on the way, it stands at its draw's threshold; not where it started above it.
    threshold = np.broadcast_to(found.thresholds["compute"].reshape(2, -1, 1), dates.shape)
    later = crossed & (dates > found.graph.decimal[0])
    assert level.values[later] == pytest.approx(threshold[later], abs=1e-9)
    assert not found.inside.data_vars


def test_the_value_at_a_date_is_linear_between_months_and_nan_for_never():
    decimal = np.array([2026.0, 2026.1, 2026.2])
    path = np.array([[[1.0, 3.0, 7.0], [0.0, 0.0, 0.0]]])
    found = values_at({"x": path, "twice": 2.0 * path}, np.array([[2026.05, np.inf]]), decimal)
    assert found["x"][0, 0] == pytest.approx(2.0) and found["twice"][0, 0] == pytest.approx(4.0)
    assert np.isnan(found["x"][0, 1])
    found = values_at({"x": path}, np.array([[2026.2, 2026.0]]), decimal)
    assert found["x"][0].tolist() == pytest.approx([7.0, 0.0])


def test_an_announcement_needs_a_quantity_in_years(tmp_path):
    text = WORLDVIEW.replace("not_yet_crossed = true", 'not_yet_crossed = true\nannounced_after = "NAME"')
    delay = driver("d", 'k = { value = 0.5, unit = "year", source = "s" }',
                   delay=provides("wait", unit="year", linear=True)(lambda self, m: m["k"]))  # fmt: skip
    for name, words in (("wate", "(did you mean 'wait'?)"), ("compute", "must be in years")):
        with pytest.raises(InputError, match="announced_after") as caught:
            projected(worldview(tmp_path, text.replace("NAME", name)), Line(), delay)
        assert words in str(caught.value)
    found = projected(worldview(tmp_path, text.replace("NAME", "wait")), Line(), delay)
    dates, inside = found.crossings["big"].values, found.inside["big"].values
    finite = np.isfinite(dates)
    assert dates[finite] - inside[finite] == pytest.approx(0.5)
    assert np.all(np.isposinf(inside[~finite]))


def test_a_bloc_without_channels_has_no_sum_of_them_at_the_crossing_either(view):
    found = projected(view, Line(), Market(), size=60)
    supply, dates = found.at_crossing["big.supply"].values, found.crossings["big"].values
    assert np.all(np.isnan(supply[..., 0])) and np.isfinite(dates[..., 0]).any()
    assert np.array_equal(np.isfinite(supply[..., 1]), np.isfinite(dates[..., 1]))
