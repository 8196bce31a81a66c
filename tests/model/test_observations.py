"""Evidence rows as arrays, and where measurement models look for them on the grid."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytensor.tensor as pt
import pytest

from forecast.driver import observes, provides
from forecast.errors import PluginError
from forecast.model import PrepareContext, build_graph
from forecast.projection import Evaluator
from tests.toys import AS_OF, BLOCS, RUNS, TABLES, Line, draws_of, driver, spec_of, table, worldview

CONTEXT = PrepareContext(as_of=AS_OF, blocs=BLOCS)
K = 'k = { value = 24, unit = "log10 FLOP", source = "a test" }'
END = date(2028, 1, 1)


def test_rows_become_logs_errors_dates_and_bloc_indices(tmp_path):
    found = CONTEXT.observations(table(tmp_path)["runs"])
    assert len(found) == 5
    assert found.bloc.tolist() == [0, 0, 0, 1, 1]
    assert found.columns["value"] == pytest.approx(np.log10([5e24, 2e25, 6e25, 3e24, 1e25]))
    assert found.columns["date"][0] == pytest.approx(2023 + 181 / 365)
    # A 90% interval of a factor of 4 is log10(4) / (2 * 1.6449) dex; the other rows have the default.
    assert found.columns["error"] == pytest.approx([0.2, 0.18302, 0.2, 0.2, 0.2], abs=1e-5)
    assert found.columns["period"].tolist() == [0.0] * 5


def test_a_linear_table_is_not_logged(tmp_path):
    linear = TABLES.replace("default_error = 0.2", "default_error = 0.2\nlinear = true")
    found = CONTEXT.observations(table(tmp_path, tables=linear)["runs"])
    assert found.columns["value"].tolist() == [5e24, 2e25, 6e25, 3e24, 1e25]


def test_another_order_of_blocs_gives_other_indices_and_an_unknown_bloc_minus_one(tmp_path):
    rows = table(tmp_path)["runs"]
    assert PrepareContext(AS_OF, ("china", "us_allies")).observations(rows).bloc.tolist() == [1, 1, 1, 0, 0]
    assert PrepareContext(AS_OF, ("china",)).observations(rows).bloc.tolist() == [-1, -1, -1, 0, 0]


def test_extra_columns_replace_or_join_and_must_fit_the_rows(tmp_path):
    rows = table(tmp_path)["runs"]
    found = CONTEXT.observations(rows, error=[1, 2, 3, 4, 5], steps=[0, 1, 0, 1, 0])
    assert found.columns["error"].tolist() == [1, 2, 3, 4, 5]
    assert found.columns["steps"].tolist() == [0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match=r"column 'steps' has shape \(2,\) for 5 rows"):
        CONTEXT.observations(rows, steps=[0, 1])
    with pytest.raises(ValueError, match="column 'steps' of 'runs' is not finite"):
        CONTEXT.observations(rows, steps=[0, 1, np.nan, 1, 0])


def test_no_rows_are_empty_arrays(tmp_path):
    found = CONTEXT.observations(table(tmp_path)["runs"].with_rows([]), steps=[])
    assert len(found) == 0 and found.columns["value"].shape == found.bloc.shape == (0,)


# On the grid -------------------------------------------------------------------------------------


def seen(tmp_path, look, *, csv=RUNS, prepare=None, base=None, **kwargs):
    """What `look(m, data)` gives for a driver whose quantity `x` is `base(m)`; at its prior medians."""
    kept = {}

    def observe(self, m, data):
        kept.update(look(m, data))
        m.normal(data, mean=pt.zeros_like(data.value), sd=1.0)

    observer = driver(
        "d",
        K,
        table(tmp_path / "e", csv=csv, owner="d"),
        base=provides("x", unit="FLOP")(base or (lambda self, m: m["k"] + m.years)),
        observed=observes("runs", prepare=prepare)(observe),
    )
    graph = build_graph(spec_of(worldview(tmp_path), observer), END, **kwargs)
    found = Evaluator(graph, kept)(draws_of(graph, 3))  # three draws, five rows
    return {name: value[0] for name, value in found.items()}


def test_a_quantity_is_read_at_each_rows_bloc_and_day(tmp_path):
    def base(self, m):
        return m["k"] + m.years + np.array([[0.0], [100.0]])

    found = seen(tmp_path, lambda m, data: {"at": m.at(m["x"], data)}, base=base)["at"]
    days = np.array([2023 + 181 / 365, 2024 + 182 / 366, 2025 + 181 / 365, 2024, 2025]) - 2024
    assert found == pytest.approx(24 + days + np.array([0, 0, 0, 100, 100]), abs=1e-9)


def test_a_parameter_by_bloc_is_read_at_each_rows_bloc(tmp_path):
    text = K.replace('source = "a test"', 'per = "bloc", source = "a test"').replace("value = 24", PRIOR)
    kept = {}

    def observe(self, m, data):
        kept["k"] = m.per_bloc(m["k"], data)
        m.normal(data, mean=kept["k"], sd=1.0)

    observer = driver("d", text, table(tmp_path / "e", owner="d"), observed=observes("runs")(observe))
    graph = build_graph(spec_of(worldview(tmp_path), observer), END)
    draws = draws_of(graph, 3)
    us, china = draws["d", "k"][0, :, 0]
    assert us != china
    assert Evaluator(graph, kept)(draws)["k"][0] == pytest.approx([us, us, us, china, china])


PRIOR = 'distribution = "Normal", mu = 24, sigma = 1'
YEARLY = RUNS.replace("https://example.org,,\n", "https://example.org,,12\n")


def test_a_mean_flow_is_the_integral_over_the_period_that_ends_on_the_rows_day(tmp_path):
    csv = YEARLY.replace("2024-07-01,2e25", "2024-06-30,2e25")
    found = seen(tmp_path, lambda m, data: {"mean": m.mean_over(10.0 ** (1.0 * m.years), data)}, csv=csv)
    ends = np.array([2023 + 182 / 365, 2024 + 182 / 366, 2025 + 182 / 365, 2024 + 1 / 366, 2025 + 1 / 365])
    antiderivative = [10 ** (t - 2024) / np.log(10) for t in (ends, ends - 1)]
    exact = np.log10(antiderivative[0] - antiderivative[1])
    # The trapezoid on a month overstates exp by (ln10 / 12)^2 / 12, 0.0013 dex.
    assert found["mean"] == pytest.approx(exact, abs=3e-3)


def test_each_row_takes_the_flow_of_its_series(tmp_path):
    def prepare(rows, context):
        return context.observations(rows, series=["low", "high", "low", "high", "low"])

    def look(m, data):
        flat = 10.0 ** (m["k"] + 0.0 * m.years)
        return {"mean": m.mean_over({"low": flat, "high": 10.0 * flat}, data)}

    found = seen(tmp_path, look, csv=YEARLY, prepare=prepare)["mean"]
    assert found == pytest.approx([24, 25, 24, 25, 24], abs=1e-9)


def test_flows_with_and_without_series_do_not_disturb_each_other(tmp_path):
    def prepare(rows, context):
        return context.observations(rows, series=["high"] * 5)

    def look(m, data):
        flat = 10.0 ** (m["k"] + 0.0 * m.years)
        by_series = m.mean_over({"low": flat, "high": 10.0 * flat}, data)
        return {"series": by_series, "plain": m.mean_over(flat, data)}

    found = seen(tmp_path, look, csv=YEARLY, prepare=prepare)
    assert found["series"] == pytest.approx(np.full(5, 25.0), abs=1e-9)
    assert found["plain"] == pytest.approx(np.full(5, 24.0), abs=1e-9)


def test_a_flow_without_a_period_is_named(tmp_path):
    with pytest.raises(PluginError, match="mean_over needs a positive period_months in every row"):
        seen(tmp_path, lambda m, data: {"mean": m.mean_over(10.0 ** m["x"], data)})


def test_a_row_before_the_grid_is_named_and_never_reads_other_memory(tmp_path):
    csv = RUNS.replace("2023-07-01,5e24", "2017-07-01,5e24")
    with pytest.raises(PluginError, match=r"driver 'd'.*off the grid"):
        seen(tmp_path, lambda m, data: {"at": m.at(m["x"], data)}, csv=csv)


def test_an_unknown_column_is_named_with_those_that_exist(tmp_path):
    with pytest.raises(PluginError, match="no column 'eror'; there are date, error, period, value"):
        seen(tmp_path, lambda m, data: {"x": data.eror})


def test_a_table_of_one_measurement_is_called_by_its_name_and_of_several_by_method(tmp_path):
    one = build_graph(spec_of(worldview(tmp_path), Line(table(tmp_path / "e"))), END)
    assert [likelihood.label for likelihood in one.likelihoods] == ["runs"]

    def observe(self, m, data):
        m.normal(data, mean=m.at(m["x"], data), sd=data.error)

    def observe_again(self, m, data):
        m.normal(data, mean=m.at(m["x"], data), sd=data.error)

    two = driver(
        "d",
        K,
        table(tmp_path / "f", owner="d"),
        base=provides("x", unit="FLOP")(lambda self, m: m["k"]),
        first=observes("runs")(observe),
        second=observes("runs")(observe_again),
    )
    graph = build_graph(spec_of(worldview(tmp_path), two), END)
    assert [likelihood.label for likelihood in graph.likelihoods] == ["runs.first", "runs.second"]


def test_two_drivers_tables_of_one_name_keep_their_own_rows(tmp_path):
    """Whether by a label of its own or by refusal: one driver may not be fitted to another's rows."""
    mine = Line(table(tmp_path / "mine"))
    less = RUNS.replace("5e24", "5e20")

    def measured(self, m, data):
        m.normal(data, mean=m["k"], sd=data.error)

    theirs = driver(
        "other", K, table(tmp_path / "theirs", csv=less, owner="other"), measured=observes("runs")(measured)
    )
    try:
        graph = build_graph(spec_of(worldview(tmp_path), mine, theirs), END)
    except PluginError as error:
        assert "'runs'" in str(error)
        return
    labels = [likelihood.label for likelihood in graph.likelihoods]
    assert len(set(labels)) == 2, labels


def test_only_rows_known_by_the_as_of_date_and_about_the_blocs_enter(tmp_path):
    view = worldview(tmp_path).replace(as_of="2024-12-31")
    graph = build_graph(spec_of(view, Line(table(tmp_path / "e"))), END)
    assert [row.name for row in graph.likelihoods[0].observations.rows] == ["A", "B", "D"]
