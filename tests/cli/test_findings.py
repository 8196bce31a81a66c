"""The findings of a page, made in a process of their own or in turn."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.page_runs import full_run

# Counting forks tells which way was gone; a thread that runs is why not to fork.
PAGES = """
import json, os, sys, threading
from pathlib import Path
from forecast.cli import _findings
from forecast.cli.report import write_report
from forecast.results import read_run

forks = []
os.register_at_fork(before=lambda: forks.append(1))
path, folder = Path(sys.argv[1]), Path(sys.argv[2])

def made(name):
    forks.clear()
    return write_report(read_run(path), folder / name).read_text(encoding="utf-8"), len(forks)

beside, forked = made("beside.html")
imported = [name for name in ("dask", "distributed", "matplotlib", "pymc", "nutpie") if name in sys.modules]
done = threading.Event()
threading.Thread(target=done.wait).start()
in_turn, unforked = made("in_turn.html")
done.set()
while threading.active_count() > 1:
    pass
_findings.find = lambda path: os._exit(9)
ended, again = made("ended.html")
print(json.dumps({
    "forks": [forked, unforked, again], "imported": imported, "same": beside == in_turn,
    "diagnosed": "The draws may be relied on" in beside or "Do not rely" in beside,
    "told": "It could not be computed: the process that made them ended early" in ended,
}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux alone")
def test_a_page_is_the_same_with_findings_made_beside_it_or_in_turn_and_is_made_where_they_end(
    tmp_path: Path,
):
    run = full_run(tmp_path / "runs")
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", PAGES, str(run.path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "forks": [1, 0, 1],
        "imported": [],
        "same": True,
        "diagnosed": True,
        "told": True,
    }
    assert "Warning: diagnostics and sensitivity of the run failed: the process" in done.stderr
