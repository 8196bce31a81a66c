"""xarray without Dask, until there is an array of Dask."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from forecast.results import lazy_dask
from tests.results.synthetic import full_tree, save_run, steps_worldview

READS = """
import json, sys
from pathlib import Path
from forecast.results import read_run

run = read_run(Path(sys.argv[1]))
reads = [run.crossings.sum().compute(), run.tree["projection"].load(), run.groups("posterior")]
before = [name for name in sys.modules if name.partition(".")[0] in ("dask", "distributed")]

import dask.array as da
import xarray as xr
from xarray.namedarray.pycompat import array_type, mod_version

late = xr.Variable("x", da.ones(6, chunks=2))
chunked = run.tree["posterior"].to_dataset().chunk({"draw": 5})
print(json.dumps({
    "before": before,
    "is_kept": isinstance(late.data, da.Array) and late.chunks == ((2, 2, 2),),
    "sum": float(late.sum()),
    "is_chunked": bool(chunked.chunks) and all(one.chunks for one in chunked.data_vars.values()),
    "is_computed": chunked.compute().identical(run.tree["posterior"].to_dataset().load()),
    "type": array_type("dask") == (da.Array,),
    "version": str(mod_version("dask")).split(".")[0].isdigit(),
}))
"""


def test_reading_a_run_imports_no_dask_and_arrays_of_dask_made_later_are_taken_for_what_they_are(
    tmp_path: Path,
):
    path = save_run(
        tmp_path, "2026-06-30-steps-0a1b2c3d", tree=full_tree(draws=20), worldview=steps_worldview()
    )
    done = subprocess.run([sys.executable, "-c", READS, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("before") == []
    assert told == dict.fromkeys(told, True) | {"sum": 6.0}


def test_where_xarray_keeps_its_classes_elsewhere_it_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "xarray.namedarray.pycompat", None)
    lazy_dask.import_dask_late.__wrapped__()
    assert xr.Variable("x", [1.0, 2.0]).sum() == 3
