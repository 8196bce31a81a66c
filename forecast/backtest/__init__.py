"""Backtests: fits to what was known at earlier dates, scored on what came next."""

from forecast.backtest.dates import as_of_dates
from forecast.backtest.predictive import Mixture, Score
from forecast.backtest.running import Backtest, backtest

__all__ = ["Backtest", "Mixture", "Score", "as_of_dates", "backtest"]
