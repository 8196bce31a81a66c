"""From posterior draws to trajectories, crossings and predictions."""

from forecast.projection.crossing_evidence import (
    CrossingDates,
    crossing_labels,
    crossing_terms,
    weighed_rows,
)
from forecast.projection.evaluator import Evaluator
from forecast.projection.growth import Part, account, accounted
from forecast.projection.measurement import Measured, log_likelihood, measure
from forecast.projection.milestones import check_milestones
from forecast.projection.projection import (
    Projection,
    Shocks,
    check_quantities,
    future_graph,
    on_grid,
    project,
    quantity_evaluator,
    quantity_tensors,
)
from forecast.projection.simulated_rows import draw_rows, law_of, measurement_tensors, with_rows
from forecast.projection.thresholds import correlation_log_density, draw_thresholds

__all__ = [
    "CrossingDates",
    "Evaluator",
    "Measured",
    "Part",
    "Projection",
    "Shocks",
    "account",
    "accounted",
    "check_milestones",
    "check_quantities",
    "correlation_log_density",
    "crossing_labels",
    "crossing_terms",
    "draw_rows",
    "draw_thresholds",
    "future_graph",
    "law_of",
    "log_likelihood",
    "measure",
    "measurement_tensors",
    "on_grid",
    "project",
    "quantity_evaluator",
    "quantity_tensors",
    "weighed_rows",
    "with_rows",
]
