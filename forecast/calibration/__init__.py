"""Simulation-based calibration: whether posteriors of a worldview are right over data that it gives."""

from forecast.calibration.calibrating import Calibration, calibrate, calibration_schema
from forecast.calibration.running import FIT

__all__ = ["FIT", "Calibration", "calibrate", "calibration_schema"]
