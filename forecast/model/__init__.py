"""From drivers to a PyMC model: quantities, terms, measurement models."""

from forecast.model.builder import Model, build_graph
from forecast.model.canvas import Data
from forecast.model.copula import Copula
from forecast.model.graph import BuiltTerm, Graph, Key, Likelihood, Quantity, Spec, Stage
from forecast.model.grid import Grid
from forecast.model.observations import Observations, PrepareContext, prepared
from forecast.model.parameters import Layout, absent_blocs
from forecast.model.pymc_model import flat_draws, model_data, pymc_model

__all__ = [
    "BuiltTerm",
    "Copula",
    "Data",
    "Graph",
    "Grid",
    "Key",
    "Layout",
    "Likelihood",
    "Model",
    "Observations",
    "PrepareContext",
    "Quantity",
    "Spec",
    "Stage",
    "absent_blocs",
    "build_graph",
    "flat_draws",
    "model_data",
    "prepared",
    "pymc_model",
]
