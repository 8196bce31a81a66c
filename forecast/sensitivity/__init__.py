"""What the answer of a run hangs on: its priors, its tables of evidence, its drivers, single rows."""

from forecast.sensitivity.answer import GROUPS, SCHEMA, sensitivity, sensitivity_schema, still_of

__all__ = ["GROUPS", "SCHEMA", "sensitivity", "sensitivity_schema", "still_of"]
