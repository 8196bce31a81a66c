"""From posterior draws to trajectories, crossings and predictions."""

from forecast.projection.evaluator import Evaluator
from forecast.projection.measurement import Measured, measure
from forecast.projection.milestones import check_milestones
from forecast.projection.projection import (
    Projection,
    check_quantities,
    future_graph,
    project,
    quantity_evaluator,
)

__all__ = [
    "Evaluator",
    "Measured",
    "Projection",
    "check_milestones",
    "check_quantities",
    "future_graph",
    "measure",
    "project",
    "quantity_evaluator",
]
