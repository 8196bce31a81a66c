"""A small worldview about one quantity, for tests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecast.worldview import Worldview

TEXT = """\
title = "A small worldview for tests"
extends = false
as_of = 2026-06-30
horizon = 2032-12-31
seed = 11
[window]
start = 2026-01-01
end = 2027-12-31
[blocs]
us_allies = "US & allies"
china = "China"
[lead]
leader = "us_allies"
follower = "china"
within_years = 1
[milestones.crossed]
title = "The level is crossed"
quantity = "{quantity}"
at_least = {{ value = {at_least!r}, unit = "{unit}" }}
"""


def worldview_about(
    quantity: str = "training_compute", at_least: float = 1e27, unit: str = "FLOP", *overrides: str
) -> Worldview:
    """Return a worldview of two blocs, to the end of 2032, with the one milestone ``crossed``.

    Parameters
    ----------
    quantity : str
        Which the milestone is about; some driver of the run must provide it.
    at_least, unit
        The level that crosses it.
    *overrides : str
        As for ``--set``: ``"priors.my-driver.growth.mu=0.2"``.

    Returns
    -------
    Worldview
        With the drivers' own priors, for ``forecast.run(worldview, drivers=[...])``.
    """
    from forecast.worldview import load_worldview

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tiny.toml"
        file.write_text(TEXT.format(quantity=quantity, at_least=at_least, unit=unit), "utf-8")
        return load_worldview(file, overrides=overrides)
