"""Prior files: reading, layering, checking, and the priors they hold."""

from __future__ import annotations

from forecast.worldview.correlation_checks import correlations_in_force
from forecast.worldview.correlations import Correlation, Number, correlation_matrix
from forecast.worldview.defaults import ParameterPriors, read_driver_priors
from forecast.worldview.families import FAMILIES, Family
from forecast.worldview.interventions import Intervention, read_interventions
from forecast.worldview.load import load_worldview
from forecast.worldview.milestones import All, Any, Condition, Milestone, Mixture, Node
from forecast.worldview.origins import Origin
from forecast.worldview.priors import Prior
from forecast.worldview.quantile_fit import FitError, fit_quantiles
from forecast.worldview.resolve import Key, ResolvedParameter, resolve_priors
from forecast.worldview.scenarios import Scenario, read_scenarios
from forecast.worldview.shipped import NamedFile, Shelf, list_scenarios, list_worldviews, shipped_shelf
from forecast.worldview.worldview import Bloc, Lead, Override, Window, Worldview

__all__ = [
    "FAMILIES",
    "All",
    "Any",
    "Bloc",
    "Condition",
    "Correlation",
    "Family",
    "FitError",
    "Intervention",
    "Key",
    "Lead",
    "Milestone",
    "Mixture",
    "NamedFile",
    "Node",
    "Number",
    "Origin",
    "Override",
    "ParameterPriors",
    "Prior",
    "ResolvedParameter",
    "Scenario",
    "Shelf",
    "Window",
    "Worldview",
    "correlation_matrix",
    "correlations_in_force",
    "fit_quantiles",
    "list_scenarios",
    "list_worldviews",
    "load_worldview",
    "read_driver_priors",
    "read_interventions",
    "read_scenarios",
    "resolve_priors",
    "shipped_shelf",
]
