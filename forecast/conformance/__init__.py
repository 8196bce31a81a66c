"""The conformance kit: whether a driver does what the engine relies on.

``check_driver(MyDriver())`` runs every check; ``forecast plugin check`` and
:class:`forecast.testing.DriverConformance` do the same from the command line
and from pytest.
"""

from forecast.conformance.kit import CHECKS, check_driver, run_check, subject_of
from forecast.conformance.plugins import check_plugin
from forecast.conformance.report import Check, Report
from forecast.conformance.setting import Setting

__all__ = ["CHECKS", "Check", "Report", "Setting", "check_driver", "check_plugin", "run_check", "subject_of"]
