"""What the driver does to a model of two drivers: itself, and a run whose compute is given."""

from datetime import date

import numpy as np
import pytest
from forecast_energy import Energy, forecast_scenarios

from forecast import Driver, load_host, load_worldview, parameters_from_text, provides
from forecast.model import Layout, build_graph
from forecast.projection import Evaluator
from forecast.spec import history_end, make_spec
from forecast.testing import DriverConformance
from forecast.worldview import read_interventions, read_scenarios

AS_OF = date(2026, 6, 30)


class Wish(Driver):
    """A training compute that nothing else limits."""

    name = "wish"
    api_version = 1
    parameters = parameters_from_text(
        'level = { value = 27.0, unit = "log10 FLOP", source = "a test" }\n'
        'growth = { value = 0.6, unit = "OOM/year", source = "a test" }\n',
        driver="wish",
    )

    @provides("training_compute", unit="FLOP")
    def line(self, m):
        return m["level"] + m["growth"] * (m.years - 2.5)


class TestEnergy(DriverConformance):
    driver = Energy()
    company = (Wish(),)  # the built-in owners of training compute take minutes to compile


@pytest.fixture(scope="module")
def spec():
    return make_spec(load_worldview("default"), load_host(drivers=[Wish(), Energy()], entry_points=False))


def trajectories(spec, *changes, size=300):
    """Every quantity at prior draws, (draw, bloc, time), and the decimal years."""
    graph = build_graph(spec, date(2040, 12, 31), projecting=True, interventions=read_interventions(changes))
    layout = Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs)
    outputs = {name: quantity.tensor for name, quantity in graph.quantities.items()}
    found = Evaluator(graph, outputs)(layout.shaped(layout.draw(1, size)), {}, size=size)
    shape = (size, len(spec.blocs), len(graph.decimal))
    return {name: np.broadcast_to(value, shape) for name, value in found.items()}, graph.decimal


@pytest.fixture(scope="module")
def base(spec):
    return trajectories(spec)


def at(values, decimal, year):
    return values[:, :, np.searchsorted(decimal, year)]


def test_the_past_is_left_alone_and_the_limit_sets_in_over_a_year(base):
    found, decimal = base
    wished = 27.0 + 0.6 * (decimal - 2026.5)
    lost = wished - found["training_compute"]
    assert np.all(lost[:, :, decimal < 2026.49] == pytest.approx(0, abs=5e-3))
    assert np.all(np.abs(np.diff(lost, axis=-1)[:, :, decimal[1:] < 2027.0]) < 0.2)


def test_a_wish_that_grows_for_ever_ends_at_what_power_allows(spec, base):
    found, decimal = base
    free, _ = trajectories(spec, {"limit": "power_of_one_run", "set": "off"})
    allowed = found["run_power"] - found["site_chip_power"] + 6.0
    for year in (2030.0, 2035.0, 2040.0):
        got, wished = (
            at(found["training_compute"], decimal, year),
            at(free["training_compute"], decimal, year),
        )
        assert np.all(got <= wished + 1e-6)
        work = got - at(allowed, decimal, year)  # FLOP of a run per chip that has power, in logs
        assert np.all(work < 22.3)  # 10^21.9 at most of ten months, and the soft minimum is below its parts
    assert np.median(at(found["training_compute"], decimal, 2040.0)) < 30.5 < 34  # of the 35 that were wished


def test_linking_that_goes_no_further_leaves_a_run_with_less_power(spec, base):
    found, decimal = base
    stopped, _ = trajectories(spec, {"term": "linking", "set": "off"})
    gained = found["run_power"] - stopped["run_power"]
    assert np.all(gained[:, :, decimal < 2026.49] == pytest.approx(0, abs=1e-9))
    assert 0.1 < np.median(at(gained, decimal, 2035.0)) < 0.6
    assert np.array_equal(found["site_power"], stopped["site_power"])


def test_the_scenarios_name_what_they_change(spec):
    files = forecast_scenarios()
    assert [file.name for file in files] == ["no-linked-sites.toml", "no-site-limit.toml"]
    for scenario in read_scenarios([str(file) for file in files]):
        build_graph(spec, date(2030, 12, 31), projecting=True, interventions=scenario.intervene)


def test_sites_and_runs_of_2030_are_those_that_studies_expect(base):
    """Epoch AI: one campus 1-5 GW, linked ones 2-45; EPRI and Epoch AI: a run 4-16 GW."""
    found, decimal = base
    site, run = (np.median(at(found[name], decimal, 2030.95)[:, 0]) for name in ("site_power", "run_power"))
    assert 1 < 10**site < 8 and 4 < 10**run < 25


def test_only_records_count_and_they_are_those_known_by_the_date(spec):
    history = build_graph(spec, history_end(spec))
    sites, chips = (one for one in history.likelihoods if one.driver == "energy")
    rows = sites.observations.rows
    for bloc in ("us_allies", "china"):
        values = [row.value for row in rows if row.bloc == bloc]
        assert len(values) >= 4 and values == sorted(values)
    assert max(row.value for row in rows) < 1.2  # Colossus 2's third cluster was published later
    known = Energy().evidence["ai_sites"].known_by(date(2026, 12, 31))
    assert max(row.value for row in known.rows) == pytest.approx(1.276)
    assert all(row.extra["h100e"] for row in chips.observations.rows)
    assert np.all((chips.observations.columns["value"] > -0.2) & (chips.observations.columns["value"] < 0.5))


def test_an_estimate_that_was_revised_counts_once():
    table = Energy().evidence["ai_sites"]
    for day, value in ((date(2025, 12, 31), 0.3), (AS_OF, 0.361)):
        (row,) = [row for row in table.known_by(day).rows if row.name == "Colossus 1, 200000 chips"]
        assert row.value == value


def test_the_fit_reads_the_sites_and_nothing_of_the_limit(spec):
    history = build_graph(spec, history_end(spec))
    read = {name for driver, name in history.inferred if driver == "energy"}
    assert {"site_level", "past_growth", "headroom", "chip_power", "chip_power_decline"} <= read
    assert not read & {"linking", "run_share", "run_flop"}
