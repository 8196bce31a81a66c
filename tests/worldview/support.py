"""Small prior files and drivers for the tests of this folder."""

from forecast.worldview import read_driver_priors

COMPLETE = """\
title = "Complete"
extends = false
as_of = 2026-06-30
horizon = 2040-12-31
seed = 7
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
[milestones.agi]
quantity = "training_compute"
at_least = "thresholds.compute"
[thresholds]
compute = { distribution = "LogNormal", p05 = 3e26, p95 = 3e28, unit = "FLOP", source = "a test" }
"""

NORMAL = 'distribution = "Normal", mu = 0.35, sigma = 0.15, unit = "OOM/year", source = "a test"'

DRIVER = """\
growth = { distribution = "Normal", mu = 0.35, sigma = 0.15, unit = "OOM/year", per = "bloc", source = "s" }
share = { distribution = "LogNormal", p05 = 0.2, p50 = 0.4, p95 = 0.8, unit = "share", source = "s" }
life = { value = 5, unit = "year", source = "s" }
discount = { distribution = "HalfNormal", sigma = 0.3, unit = "OOM", blocs = ["china"], source = "s" }

[by_bloc.china]
growth = { distribution = "Normal", mu = 0.30, sigma = 0.15, unit = "OOM/year", source = "s" }
level = { distribution = "Normal", mu = 10.5, sigma = 0.3, unit = "log10 USD/year", source = "s" }

[by_bloc.us_allies]
level = { distribution = "Normal", mu = 11.4, sigma = 0.25, unit = "log10 USD/year", source = "s" }

[epochs]
late = 2022-10-01
early = 2018-01-01

[by_epoch.early.licensed]
distribution = "Normal"
mu = 4.5
sigma = 0.5
unit = "log10 H100e/year"
blocs = ["china"]
source = "s"

[by_epoch.late.licensed]
distribution = "Normal"
mu = 5.1
sigma = 0.5
unit = "log10 H100e/year"
blocs = ["china"]
source = "s"
"""


def toy_defaults():
    """Priors of one driver, `toy`, with a parameter of every shape."""
    return read_driver_priors(DRIVER, "toy")
