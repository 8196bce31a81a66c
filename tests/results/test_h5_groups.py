"""Reading a group directly gives what xarray gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from forecast.results.h5_groups import kept_open, read_fast
from forecast.results.netcdf import open_tree, read_group, write_tree


def tree() -> xr.DataTree:
    """Numbers, text, dates, booleans, scalars, a coordinate that is no dimension, a dimension without one."""
    rng = np.random.default_rng(1)
    numbers = xr.Dataset(
        {
            "value": (("chain", "draw", "bloc"), rng.normal(size=(2, 5, 2)), {"unit": "log10 FLOP"}),
            "holds": (("chain", "draw"), rng.normal(size=(2, 5)) > 0, {"why": '{"crossed": 3}'}),
            "single": ((), 3.5),
            "bare": (("nameless",), np.array([1.0, np.nan, 3.0])),
            "whole": (("bloc",), np.array([1, 2]), {"levels": [0.1, 0.5], "one": [7.0]}),
        },
        coords={
            "chain": [0, 1],
            "bloc": ["us_allies", "China – Ω"],
            "title": ("bloc", ["US & allies", "China"]),
        },
        attrs={"list": ["a", "b"], "text": "é", "number": 3},
    )
    days = np.array(["2024-01-01", "2024-02-01", "2026-07-01"], dtype="datetime64[ns]")
    dated = xr.Dataset({"path": (("time",), [1.0, 2.0, 3.0])}, coords={"time": days})
    return xr.DataTree.from_dict({"numbers": numbers, "dated": dated, "empty": xr.Dataset(attrs={"a": 1})})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("h5") / "results.nc"
    write_tree(tree(), made)
    return made


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("group", ["numbers", "dated", "empty"])
def test_a_group_is_what_xarray_reads_to_the_last_bit_and_type(path: Path, group: str, lazy: bool):
    ours = read_fast(path, group, lazy=lazy)
    assert ours is not None
    with xr.open_dataset(path, engine="h5netcdf", group=group) as data:
        theirs = data.load()
    xr.testing.assert_identical(ours.load(), theirs)
    assert list(ours.variables) == list(theirs.variables)
    for name in theirs.variables:
        assert ours[name].dtype == theirs[name].dtype, name
        assert {key: type(value) for key, value in ours[name].attrs.items()} == {
            key: type(value) for key, value in theirs[name].attrs.items()
        }


def test_a_tree_is_opened_without_reading_its_draws(path: Path):
    opened = open_tree(path)
    assert not opened["numbers"]["value"].variable._in_memory
    chosen = opened["numbers"]["value"].sel(bloc="us_allies").isel(draw=[0, 3])
    with xr.open_datatree(path, engine="h5netcdf") as theirs:
        xr.testing.assert_identical(
            chosen.load(), theirs["numbers"]["value"].sel(bloc="us_allies").isel(draw=[0, 3]).load()
        )
        xr.testing.assert_identical(opened.load(), theirs.load())


def test_a_file_that_packs_its_numbers_is_left_to_xarray(tmp_path: Path):
    packed = tmp_path / "packed.nc"
    data = xr.Dataset({"x": ("i", np.array([1.5, 2.5]))})
    data.to_netcdf(
        packed,
        group="g",
        engine="h5netcdf",
        encoding={"x": {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1}},
    )
    assert read_fast(packed, "g") is None
    assert read_group(packed, "g")["x"].values.tolist() == [1.5, 2.5]
    assert open_tree(packed)["g"]["x"].values.tolist() == [1.5, 2.5]


def test_a_file_that_is_kept_open_is_opened_once_for_all_that_is_read_from_it(tmp_path: Path):
    made = tmp_path / "results.nc"
    write_tree(tree(), made)
    expected, (late, later) = (
        read_group(made, "numbers"),
        [read_fast(made, "numbers", lazy=True) for _ in "ab"],
    )
    assert late is not None and later is not None
    with kept_open(made):
        made.unlink()
        xr.testing.assert_equal(late["value"].load(), expected["value"])
        xr.testing.assert_equal(late["holds"].load(), expected["holds"])
    with pytest.raises(OSError):
        later["value"].load()
    with kept_open(made), pytest.raises(OSError):  # what cannot be opened is told by what reads it
        later["value"].load()
