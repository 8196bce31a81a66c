"""From a stored posterior back to the numbers that the graph takes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from forecast.errors import ForecastError
from forecast.host import load_host
from forecast.model import Layout
from forecast.projection import future_graph
from forecast.results import write_tree
from forecast.results.draws import flat_draws, parameter_group
from forecast.results.netcdf import read_group
from forecast.spec import make_spec
from forecast.worldview import load_worldview


@pytest.fixture(scope="module")
def layout() -> Layout:
    """Of the default worldview: scalars, by bloc, by epoch, of one bloc only, constants, mixtures."""
    view = load_worldview("default")
    spec = make_spec(view, load_host())
    graph = future_graph(spec, view.horizon)
    return Layout({key: spec.parameters[key] for key in graph.parameters}, spec.blocs, spec.correlations)


def test_every_number_of_the_default_worldview_survives_the_file_bit_for_bit(layout, tmp_path):
    flat = layout.draw(5, 60)
    tree = xr.DataTree.from_dict({"posterior": parameter_group(layout, flat, chains=3)})
    write_tree(tree, tmp_path / "results.nc")
    again = flat_draws(layout, read_group(tmp_path / "results.nc", "posterior"))
    assert np.array_equal(again, flat)
    shapes = {resolved.shape for resolved in layout.parameters.values()}
    assert shapes == {"scalar", "bloc", "epoch"} and len(layout.constant) > 0


def test_a_posterior_that_lacks_a_parameter_or_a_bloc_is_refused(layout):
    group = parameter_group(layout, layout.draw(5, 60), chains=3)
    with pytest.raises(
        ForecastError, match=r"does not hold [a-z.-]+\w as its driver declares it \(2 a draw\)"
    ):
        flat_draws(layout, group.isel(bloc=[0]))
    with pytest.raises(ForecastError, match="capability.horizon_level"):
        flat_draws(layout, group.drop_vars("capability.horizon_level"))
