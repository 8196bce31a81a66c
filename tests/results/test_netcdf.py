"""results.nc: what is kept exactly, what is narrowed, and damaged files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from forecast.errors import ForecastError
from forecast.results.netcdf import open_tree, read_group, write_tree
from tests.results.synthetic import good_tree


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("netcdf") / "results.nc"
    write_tree(good_tree(), path)
    return path


def test_posterior_and_crossings_come_back_to_the_last_bit(written: Path) -> None:
    before, after = good_tree(), open_tree(written)
    for group in ("posterior", "crossings"):
        xr.testing.assert_identical(before[group].to_dataset(), after[group].to_dataset().load())
        assert all(variable.dtype != np.float32 for variable in after[group].data_vars.values())


def test_bulk_is_kept_in_single_precision(written: Path) -> None:
    tree = open_tree(written)
    compute = tree["projection"]["training_compute"]
    assert compute.dtype == np.float32
    np.testing.assert_allclose(compute, good_tree()["projection"]["training_compute"], rtol=1e-6)
    assert compute.attrs["unit"] == "log10 FLOP"
    assert compute["time"].dtype.kind == "M"


def test_accepted_comes_back_as_a_mask(written: Path) -> None:
    with xr.open_datatree(written) as tree:
        assert tree["crossings"]["accepted"].dtype == bool


def test_never_stays_infinite(written: Path) -> None:
    assert np.isposinf(read_group(written, "crossings")["agi"]).any()


def test_a_number_too_large_for_single_precision_keeps_double(tmp_path: Path) -> None:
    tree = xr.DataTree.from_dict({"prior": xr.Dataset({"flop": ("draw", [1e40, 1.0])})})
    write_tree(tree, tmp_path / "results.nc")
    assert open_tree(tmp_path / "results.nc")["prior"]["flop"].to_numpy().tolist() == [1e40, 1.0]


def test_attributes_of_any_type_become_plain(tmp_path: Path) -> None:
    attributes = {
        "flag": True,
        "none": None,
        "day": date(2026, 6, 30),
        "nested": {"a": [1, 2]},
        "names": ["us_allies", "china"],
        "numbers": np.array([1.0, 2.0]),
        "one": np.int64(3),
        "nothing": [],
        "mixed": [1, "a"],
    }
    data = xr.Dataset({"x": ("draw", [1.0], dict(attributes))}, attrs=dict(attributes))
    write_tree(xr.DataTree.from_dict({"posterior": data}), tmp_path / "results.nc")
    back = open_tree(tmp_path / "results.nc")["posterior"]
    for found in (back.attrs, back["x"].attrs):
        assert found["flag"] == 1
        assert "none" not in found
        assert found["day"] == "2026-06-30"
        assert found["nested"] == '{"a": [1, 2]}'
        assert list(found["names"]) == ["us_allies", "china"]
        assert list(found["numbers"]) == [1.0, 2.0]
        assert found["one"] == 3
        assert found["mixed"] == '[1, "a"]'
    assert data.attrs["flag"] is True  # the caller's tree is left as it was


def test_empty_scalar_text_and_integer_variables_are_written(tmp_path: Path) -> None:
    data = xr.Dataset(
        {
            "empty": ("row", np.empty(0)),
            "scalar": 1.5,
            "text": ("name", ["a", "bb"]),
            "count": ("draw", np.arange(3)),
            "name.with[odd] letters": ("draw", np.arange(3.0)),
        }
    )
    write_tree(xr.DataTree.from_dict({"observed_data": data, "empty_group": xr.Dataset()}), tmp_path / "r.nc")
    xr.testing.assert_equal(data, open_tree(tmp_path / "r.nc")["observed_data"].to_dataset().load())


def test_a_tree_that_was_read_can_be_written_again(written: Path, tmp_path: Path) -> None:
    write_tree(open_tree(written), tmp_path / "again.nc")
    xr.testing.assert_identical(open_tree(written).load(), open_tree(tmp_path / "again.nc").load())


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_a_file_cut_short_is_said_in_words(written: Path, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "results.nc"
    path.write_bytes(written.read_bytes()[:keep])
    for read in (lambda: open_tree(path), lambda: read_group(path, "crossings")):
        with pytest.raises(ForecastError, match=r"results\.nc: .* cut short; make the run again") as caught:
            read()
        assert "\n" not in str(caught.value)


def test_a_missing_group_is_named(written: Path) -> None:
    with pytest.raises(ForecastError, match="its group 'worlds' cannot be read"):
        read_group(written, "worlds")


def test_a_group_whose_axes_are_gone_is_damaged(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.nc"
    path.write_bytes(written.read_bytes())
    with h5py.File(path, "r+") as file:
        del file["crossings"]["bloc"]
    with pytest.raises(ForecastError, match="its group 'crossings' cannot be read"):
        read_group(path, "crossings")


def test_the_file_is_laid_out_as_the_netcdf_library_lays_it_out(written: Path) -> None:
    numbers = []
    with h5py.File(written) as file:
        for group in file.values():
            scales = {name: one for name, one in group.items() if "CLASS" in one.attrs}
            numbers += [int(one.attrs["_Netcdf4Dimid"]) for one in scales.values()]
            for name, one in group.items():
                if name in scales or one.ndim == 0:
                    continue
                along = [list(dim.values())[0].name.rpartition("/")[2] for dim in one.dims]
                assert set(along) <= set(scales), name
                ids = [int(scales[dim].attrs["_Netcdf4Dimid"]) for dim in along]
                assert one.attrs["_Netcdf4Coordinates"].tolist() == ids, name
    assert len(numbers) > 10
    assert len(numbers) == len(set(numbers))  # of the whole file: the library takes them for its own


def test_only_trajectories_are_compressed(written: Path) -> None:
    with h5py.File(written) as file:
        assert file["projection/training_compute"].compression == "gzip"
        assert file["posterior"][next(iter(file["posterior"]))].compression is None


@pytest.mark.parametrize("texts", [[None, None], ["a", None], [None, "b"], ["a", "b"], [float("nan"), "b"]])
def test_text_with_gaps_is_stored_as_xarray_stores_it(texts: list[str | None], tmp_path: Path) -> None:
    data = xr.Dataset({"said": ("draw", np.array(texts, dtype=object))})
    write_tree(xr.DataTree.from_dict({"sample_stats": data}), tmp_path / "results.nc")
    data.to_netcdf(tmp_path / "theirs.nc", engine="h5netcdf")
    ours = read_group(tmp_path / "results.nc", "sample_stats")["said"]
    with xr.open_dataset(tmp_path / "theirs.nc", engine="h5netcdf") as theirs:
        assert ours.dtype.kind == theirs["said"].dtype.kind
        assert ours.to_numpy().tolist() == pytest.approx(theirs["said"].to_numpy().tolist(), nan_ok=True)
