"""A run says at which bound its rows are censored: a check of predictions cannot do without."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forecast.driver import observes, provides
from forecast.engine import run
from forecast.inference import SamplerSettings
from forecast.results import open_tree, write_tree
from tests.toys import LINE, driver, table, worldview

TINY = SamplerSettings(draws=10, tune=10, chains=2)


def test_bounds_of_censored_rows_are_in_the_file(tmp_path: Path) -> None:
    line = provides("compute", unit="FLOP")(lambda self, m: m["level"] + m["growth"] * m.years)
    capped = observes(
        "runs", prepare=lambda rows, context: context.observations(rows, limit=np.full(len(rows), 25.2))
    )(lambda self, m, data: m.censored_normal(data, mean=m.at(m["compute"], data), sd=m["scatter"]))
    one = driver("line", LINE, table(tmp_path / "evidence"), line=line, capped=capped)
    made = run(worldview(tmp_path), drivers=[one], settings=TINY, prior_only=True)
    write_tree(made.results, tmp_path / "results.nc")
    observed = open_tree(tmp_path / "results.nc")["observed_data"]["runs"]
    assert observed.attrs["upper"].tolist() == [25.2] * 5
