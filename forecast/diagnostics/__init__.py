"""Whether draws may be relied on."""

from forecast.diagnostics.gate import ACCEPTED_MIN, E_BFMI_MIN, ESS_MIN, R_HAT_MAX, Check, judge

__all__ = ["ACCEPTED_MIN", "ESS_MIN", "E_BFMI_MIN", "R_HAT_MAX", "Check", "judge"]
