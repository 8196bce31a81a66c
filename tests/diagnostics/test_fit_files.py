"""Files of others' fits: what ArviZ wrote is read, and anything else is refused in words."""

from __future__ import annotations

from pathlib import Path

import arviz_base
import numpy as np
import pytest
import xarray as xr

from forecast.diagnostics import GROUPS, diagnose, is_fit_file, read_fit
from forecast.errors import InputError
from tests.diagnostics.fits import normal_fit, without

EXAMPLES = Path(arviz_base.__file__).parent / "example_data" / "data"


def found_in(path: Path) -> dict:
    return diagnose(read_fit(path, GROUPS), run=str(path), ours=False)


def states(found: dict) -> dict[str, str]:
    return {check["code"]: check["state"] for check in found["checks"]}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fits") / "fit.nc"
    normal_fit().to_netcdf(path, engine="h5netcdf")
    return path


def test_eight_schools_centred_as_pymc_sampled_it_fails_at_low_tau():
    """ArviZ's own example of a funnel, a file that PyMC and ArviZ wrote."""
    found = found_in(EXAMPLES / "centered_eight.nc")
    assert found["ok"] is False
    assert [one["parameter"] for one in found["divergent"]] == ["tau"]
    assert found["divergent"][0]["divergent"] < found["divergent"][0]["others"] / 1.5
    assert states(found)["e_bfmi"] == "fail"
    assert [row["rows"] for row in found["tables"]] == [8]
    assert found["tables"][0]["farthest"]["row"] == "Choate"


def test_eight_schools_not_centred_is_better_in_every_check_of_the_sampler():
    found = found_in(EXAMPLES / "non_centered_eight.nc")
    ok = states(found)
    assert ok["r_hat"] == ok["ess_bulk"] == ok["ess_tail"] == ok["e_bfmi"] == ok["mcse"] == "pass"
    assert ok["loo_pit"] == ok["coverage"] == ok["predictive"] == "pass"
    assert ok["prior_data_conflict"] == "not-available"


def test_a_netcdf_file_and_a_zarr_store_give_the_same_diagnosis(file: Path, tmp_path: Path):
    store = tmp_path / "fit.zarr"
    normal_fit().to_zarr(store, consolidated=False)
    assert is_fit_file(file) and is_fit_file(store) and not is_fit_file(tmp_path)
    first, second = found_in(file), found_in(store)
    assert first["ok"] is True
    assert first["checks"] == second["checks"]


def test_names_of_fits_by_stan_are_understood(tmp_path: Path):
    """ArviZ gives Stan's statistics the names below, and no flag of trajectories that were cut off."""
    tree = without(normal_fit(), "posterior_predictive", "log_prior", "prior")
    stats = tree["sample_stats"].to_dataset().drop_vars("reached_max_treedepth")
    stats["tree_depth"] = (("chain", "draw"), np.full(stats["energy"].shape, 4))
    tree["sample_stats"] = xr.DataTree(stats)
    tree["log_likelihood"] = xr.DataTree(tree["log_likelihood"].to_dataset().rename(y="log_lik"))
    path = tmp_path / "stan.nc"
    tree.to_netcdf(path, engine="h5netcdf")
    found = found_in(path)
    assert found["ok"] is True
    assert states(found)["tree_depth"] == "not-available"
    assert states(found)["pareto_k"] == "pass"  # it needs the log likelihood alone
    advice = next(check["advice"] for check in found["checks"] if check["code"] == "loo_pit")
    assert advice.startswith("log_lik: the file has no posterior_predictive of it")


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read_fit(path, GROUPS)
    text = str(error.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and len(text) < 500
    assert error.value.exit_code == 2
    return text


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x89HDF\r\n\x1a\n", b"CDF\x01" + bytes(50)])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "data.nc"
    path.write_bytes(content)
    assert "cannot be read as NetCDF-4 or Zarr" in refused(path)


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, file: Path, share: float):
    whole = file.read_bytes()
    path = tmp_path / "short.nc"
    path.write_bytes(whole[: int(share * len(whole))])
    assert "damaged" in refused(path)


def test_a_file_without_a_posterior_says_what_it_has(tmp_path: Path):
    path = tmp_path / "prior.nc"
    without(normal_fit(), "posterior").to_netcdf(path, engine="h5netcdf")
    text = refused(path)
    assert "no group posterior (it has log_likelihood, log_prior, observed_data" in text
    assert "fit.to_netcdf('fit.nc')" in text
    xr.Dataset({"x": ("a", [1.0])}).to_netcdf(path, engine="h5netcdf")
    assert "it has none that ArviZ knows" in refused(path)


def test_draws_without_chains_and_a_posterior_without_draws_are_refused(tmp_path: Path):
    path = tmp_path / "flat.nc"
    flat = xr.Dataset({"mu": ("sample", np.ones(5))})
    xr.DataTree.from_dict({"posterior": flat}).to_netcdf(path, engine="h5netcdf")
    assert "no dims chain and draw (it has sample)" in refused(path)
    for values, name in ((np.ones((4, 0)), "empty.nc"), (np.full((4, 3), "a"), "text.nc")):
        path = tmp_path / name
        posterior = xr.Dataset({"mu": (("chain", "draw"), values)})
        xr.DataTree.from_dict({"posterior": posterior}).to_netcdf(path, engine="h5netcdf")
        assert "holds no draws of any number" in refused(path)
