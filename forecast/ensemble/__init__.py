"""Several runs as one forecast: a mixture of their crossing dates, with a weight for each."""

from forecast.ensemble.answer import METHODS, SCHEMA, ensemble

__all__ = ["METHODS", "SCHEMA", "ensemble"]
