"""From posterior draws to trajectories, crossings and predictions."""

from forecast.projection.evaluator import Evaluator
from forecast.projection.measurement import Measured, measure
from forecast.projection.projection import Projection, future_graph, project

__all__ = ["Evaluator", "Measured", "Projection", "future_graph", "measure", "project"]
