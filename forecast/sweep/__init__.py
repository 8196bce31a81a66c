"""Sweeps: many forecasts over settings that vary, on the cores of this machine or of a cluster."""

from __future__ import annotations

from forecast.sweep.design import Cell, cells_of
from forecast.sweep.file import SweepFile, read_sweep
from forecast.sweep.planning import Planned, plan_sweep
from forecast.sweep.running import Swept, run_sweep

__all__ = ["Cell", "Planned", "SweepFile", "Swept", "cells_of", "plan_sweep", "read_sweep", "run_sweep"]
