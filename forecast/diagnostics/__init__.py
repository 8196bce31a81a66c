"""Whether draws may be relied on."""

from forecast.diagnostics.catalogue import KINDS, read_thresholds
from forecast.diagnostics.diagnosis import GROUPS, diagnose, diagnosis_schema
from forecast.diagnostics.files import is_fit_file, read_fit
from forecast.diagnostics.gate import ACCEPTED_MIN, E_BFMI_MIN, ESS_MIN, R_HAT_MAX, Check, judge

__all__ = [
    "ACCEPTED_MIN",
    "ESS_MIN",
    "E_BFMI_MIN",
    "GROUPS",
    "KINDS",
    "R_HAT_MAX",
    "Check",
    "diagnose",
    "diagnosis_schema",
    "is_fit_file",
    "judge",
    "read_fit",
    "read_thresholds",
]
